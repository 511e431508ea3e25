"""How much a member may move, and what is left of it."""

from __future__ import annotations

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.values.outcome import Done, Outcome, Record

# What members are told of, by the operation whose limits they are.
_KINDS = {"transfers.send": "send", "loans.pay": "pay"}
_LOOK_ONLY = "look_only"


def _mine(desk: Desk, request: Request) -> Outcome:
    """Nothing where nothing may leave. What is left tells what was sent: it needs the PIN."""
    standings = desk.instructions.limits.standing(
        request.member.ref, request.origin.channel, request.today
    )
    rows = tuple(
        Record(
            {
                "kind": _KINDS[standing.operation],
                "per_operation": standing.per_operation,
                "per_day": standing.per_day,
                "left_today": standing.left_today,
                "per_month": standing.per_month,
                "left_this_month": standing.left_this_month,
            }
        )
        for standing in standings
        if standing.operation in _KINDS and standing.level != _LOOK_ONLY
    )
    careful = any(standing.level == "careful" for standing in standings)
    return Done({"careful": careful}, rows)


OPERATIONS = (
    Operation(
        name="limits.mine",
        perform=_mine,
        gives={"careful": "flag"},
        rows={
            "kind": "|".join(_KINDS.values()),
            "per_operation": "money",
            "per_day": "money",
            "left_today": "money",
            "per_month": "money",
            "left_this_month": "money",
        },
        needs_pin=True,
    ),
)
