"""A member shuts their own door; only staff open it again."""

from __future__ import annotations

import datetime as dt

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.db.pool import Database
from gateway.values.outcome import Done, Outcome
from gateway.values.turn import Origin


class Doors:
    """Who may come in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def freeze(self, member_ref: str, origin: Origin, now: dt.datetime) -> None:
        """From now on no PIN opens anything of this member's and no order is taken, also in a
        session that is past its PIN, until staff lift it."""
        self._database.call(
            "select bank.freeze(%s, %s, %s, %s)",
            (member_ref, origin.channel, origin.session_id, now),
        )

    def frozen(self, member_ref: str) -> bool:
        """Whether the member has shut their own door."""
        return bool(self._database.row("select bank.frozen(%s) as f", (member_ref,))["f"])


def _freeze(desk: Desk, request: Request) -> Outcome:
    """Whoever holds the phone may shut the door: no PIN, and nothing to confirm."""
    desk.doors.freeze(request.member.ref, request.origin, request.now)
    return Done()


OPERATIONS = (Operation(name="members.freeze", perform=_freeze),)
