"""Money that members want back, and members who want to be called."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, Failed, asked, by, typed
from gateway.console.words import say

HOW = {
    "returned": N_("se devolvió"),
    "refused": N_("no se devuelve"),
    "withdrawn": N_("el socio lo retiró"),
}
_SAID = {
    "held": N_("Lo que queda está retenido."),
    "released": N_("Lo retenido está libre."),
    "settled": N_("El reclamo está resuelto o ya tenía retención."),
    "nothing": N_("No hay nada que retener ni soltar."),
    "before": N_("El reclamo ya estaba resuelto."),
    "elsewhere": N_("La retención está en otro sistema central: suéltela allí."),
    "none": N_("No hay tal reclamo."),
}
_GOOD = frozenset({"held", "released", "settled"})


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def list_() -> str:
        state = "resolved" if asked("estado") == "resolved" else "open"
        return render_template(
            "claims.html",
            claims=at_hand.reading.claims(state),
            state=state,
            how=HOW,
            holds=at_hand.ledger.capabilities().holds,
        )

    def hold(number: int) -> Response:
        return _tell(at_hand.claims().hold(number, by()))

    def release(number: int) -> Response:
        return _tell(at_hand.claims().release(number, by()))

    def settle(number: int) -> Response:
        how = typed("how")
        if how not in HOW:
            raise Failed(400, say("Elija en qué quedó."))
        return _tell(at_hand.claims().settle(number, how, by()))

    def calls() -> str:
        return render_template("calls.html", calls=at_hand.reading.calls())

    def called(number: int) -> Response:
        if at_hand.reading.call_done(number, by(), at_hand.now()):
            flash(say("La llamada está anotada."), "good")
        else:
            flash(say("Esa llamada ya estaba anotada."), "bad")
        return redirect(url_for("calls.list"), 303)

    return {
        "claims.list": list_,
        "claims.hold": hold,
        "claims.release": release,
        "claims.settle": settle,
        "calls.list": calls,
        "calls.done": called,
    }


def _tell(became: str) -> Response:
    flash(say(_SAID[became]), "good" if became in _GOOD else "bad")
    return redirect(url_for("claims.list"), 303)
