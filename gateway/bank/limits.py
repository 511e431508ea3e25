"""How much a member may move, and what is left of it."""

from __future__ import annotations

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.values.money import ZERO
from gateway.values.outcome import Done, Outcome, Value

# What members are told of, by the operation whose limits they are.
_TOLD = {"transfers.send": "send", "loans.pay": "pay"}


def _mine(desk: Desk, request: Request) -> Outcome:
    """What one order may move, and what is left today and this month; what has no limits may not
    move. What is left tells what was sent: it needs the PIN."""
    standings = desk.instructions.limits.standing(
        request.member.ref, request.origin.channel, request.today
    )
    levels = {standing.level for standing in standings}
    told: dict[str, Value] = dict.fromkeys(_FIGURES, ZERO)
    for standing in standings:
        if name := _TOLD.get(standing.operation):
            told[f"{name}_each"] = standing.per_operation
            told[f"{name}_today"] = standing.left_today
            told[f"{name}_month"] = standing.left_this_month
    return Done({**told, "look_only": "look_only" in levels, "careful": "careful" in levels})


_FIGURES = [f"{name}_{figure}" for name in _TOLD.values() for figure in ("each", "today", "month")]

OPERATIONS = (
    Operation(
        name="limits.mine",
        perform=_mine,
        gives={**dict.fromkeys(_FIGURES, "money"), "look_only": "flag", "careful": "flag"},
        needs_pin=True,
    ),
)
