"""Those who want to be called back."""

from __future__ import annotations

import datetime as dt

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.db.pool import Database
from gateway.values.outcome import Done, Outcome
from gateway.values.turn import Origin


class Calls:
    """The call-back list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, member_ref: str, doing: str, origin: Origin, now: dt.datetime) -> bool:
        """Put a member on the list; False where they are on it already. `doing` is the screen that
        they left last, or empty."""
        row = self._database.row(
            "select bank.ask_call(%s, %s, %s, %s) as new", (member_ref, doing, origin.channel, now)
        )
        return bool(row["new"])


def _ask(desk: Desk, request: Request) -> Outcome:
    """Without the PIN: who asks for help may have lost it."""
    return Done(
        {"new": desk.calls.ask(request.member.ref, request.doing, request.origin, request.now)}
    )


OPERATIONS = (Operation(name="calls.ask", perform=_ask, gives={"new": "flag"}),)
