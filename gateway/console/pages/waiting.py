"""What waits for a second person, and that person's yes or no."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from gateway.bank.reversals import REASONS
from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, Failed, by
from gateway.console.words import say
from gateway.instructions.rules import RuleRefusedError

KINDS = {
    "pin_reset": N_("PIN nuevo"),
    "reversal": N_("Reverso de una orden"),
}
WHY = dict(
    zip(
        REASONS,
        (
            N_("a la persona equivocada"),
            N_("se hizo dos veces"),
            N_("fraude"),
            N_("error nuestro"),
        ),
        strict=True,
    )
)
_SAID = {
    "posted": N_("El reverso está hecho."),
    "later": N_("El sistema central no respondió: apruebe otra vez en un momento."),
    "not_offered": N_("El sistema central no hace reversos: hágalo allí."),
    "insufficient_funds": N_("La otra parte ya no tiene ese dinero."),
    "already_reversed": N_("Ya se había dado el reverso."),
    "not_posted": N_("Esa orden no movió dinero."),
    "same_person": N_("Quien lo pidió no lo aprueba: tiene que ser otra persona."),
    "decided": N_("Alguien ya lo decidió."),
    "none": N_("Ese pedido no existe."),
    "limit_refused": N_("No: quien lo pidió no lo aprueba, y ningún límite pasa el de la ley."),
    "done": N_("El pedido quedó rechazado."),
}
_GOOD = frozenset({"posted", "done"})


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def list_() -> str:
        return render_template(
            "waiting.html",
            requests=at_hand.reading.waiting(),
            limits=at_hand.reading.limits_waiting(),
            kinds=KINDS,
            why=WHY,
        )

    def approve(number: int) -> str | Response:
        kind = _kind(at_hand, number)
        if kind == "reversal":
            return _tell(at_hand.reversals().approve(number, by()))
        # A PIN's: its code is answered directly, once, and stands nowhere else.
        issued = at_hand.office().approve(number, by())
        return render_template("code.html", ref=None, code=issued.code, until=issued.until)

    def decline(number: int) -> Response:
        return _tell(at_hand.office().decline(number, by()))

    def limit(number: int) -> Response:
        try:
            done = at_hand.limits(by()).approve(number)
        except RuleRefusedError:
            return _tell("limit_refused")
        flash(say(N_("El límite rige.") if done else _SAID["none"]), "good" if done else "bad")
        return redirect(url_for("waiting.list"), 303)

    return {
        "waiting.list": list_,
        "waiting.approve": approve,
        "waiting.decline": decline,
        "waiting.limit": limit,
    }


def _kind(at_hand: AtHand, number: int) -> str:
    found = [row for row in at_hand.reading.waiting() if row["id"] == number]
    if not found:
        raise Failed(409, say("Alguien ya lo decidió."))
    return str(found[0]["kind"])


def _tell(verdict: str) -> Response:
    flash(say(_SAID.get(verdict, verdict)), "good" if verdict in _GOOD else "bad")
    return redirect(url_for("waiting.list"), 303)
