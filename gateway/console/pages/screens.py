"""The page of the screens that a member saw."""

from __future__ import annotations

from flask import render_template

from gateway.bounds import SCREENS_DAYS
from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, Failed, by
from gateway.console.words import say

KINDS = {
    "session.began": N_("Marcó"),
    "step.reached": N_("Vio la pantalla"),
    "operation.ended": N_("La operación acabó"),
    "session.ended": N_("La sesión acabó"),
}


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def show(ref: str) -> str:
        if not any(row["member_ref"] == ref for row in at_hand.reading.find(ref)):
            raise Failed(404, say("No hay tal socio."))
        sessions = at_hand.screens.of(ref, by(), at_hand.today(), at_hand.now())
        return render_template(
            "screens.html", ref=ref, sessions=sessions, kinds=KINDS, days=SCREENS_DAYS
        )

    return {"members.screens": show}
