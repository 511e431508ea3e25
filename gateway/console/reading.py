"""What the pages show: each is one call of a function that is granted to staff."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.bank.register import Addressee, Members
from gateway.bounds import CONSOLE_FOUND_MAX, CONSOLE_ROWS
from gateway.db.pool import Database, Row
from gateway.values.msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders. What is None is any."""

    reference: str | None = None
    key: uuid.UUID | None = None
    member_ref: str | None = None
    state: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Traced:
    """Which entries of the trail. What is None is any; `before`: the older ones than this."""

    before: int | None = None
    actor: str | None = None
    member_ref: str | None = None
    action: str | None = None


class Reading:
    """The tables, as staff may see them.

    Args:
        database: signed in as chaski_staff.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, text: str) -> list[Row]:
        """Members by the core's reference, or by the beginning of their name."""
        return self._database.call("select * from console.find(%s, %s)", (text, CONSOLE_FOUND_MAX))

    def whose(self, msisdn: Msisdn) -> str | None:
        """The reference of the member whose phone it is."""
        member = Members(self._database).by_msisdn(msisdn)
        return member.ref if member else None

    def addressee(self, member_ref: str) -> Addressee | None:
        """Where a member is reached, if they have a number."""
        return Members(self._database).addressee(member_ref)

    def member(
        self, member_ref: str, by: str, today: dt.date, before: dt.datetime, now: dt.datetime
    ) -> Mapping[str, Any] | None:
        """All of a member that staff may see; that it was looked at is written down."""
        row = self._database.row(
            "select console.member(%s, %s, %s, %s, %s, %s) as member",
            (member_ref, by, today, before, CONSOLE_ROWS, now),
        )
        member: Mapping[str, Any] | None = row["member"]
        return member

    def waiting(self) -> list[Row]:
        """What waits for a second person."""
        return self._database.call("select * from console.waiting()")

    def limits_waiting(self) -> list[Row]:
        """Limits that somebody wants raised."""
        return self._database.call("select * from instructions.limits_waiting()")

    def orders(self, wanted: Wanted) -> list[Row]:
        """Orders, the newest first."""
        return self._database.call(
            "select * from console.orders(%s, %s, %s, %s, %s, %s, %s)",
            (
                *(wanted.reference, wanted.key, wanted.member_ref, wanted.state),
                *(wanted.since, wanted.until, CONSOLE_ROWS),
            ),
        )

    def open_orders(self) -> list[Row]:
        """Those that have not ended, the oldest first."""
        return self._database.call("select * from console.open_orders(%s)", (CONSOLE_ROWS,))

    def order(self, key: uuid.UUID, by: str, now: dt.datetime) -> Mapping[str, Any] | None:
        """All of one; that it was looked at is written down."""
        row = self._database.row("select console.one_order(%s, %s, %s) as found", (key, by, now))
        found: Mapping[str, Any] | None = row["found"]
        return found

    def note_retry(self, by: str, now: dt.datetime) -> None:
        """Somebody wants open orders looked at now."""
        self._database.call("select console.note_retry(%s, %s)", (by, now))

    def claims(self, state: str) -> list[Row]:
        """Claims that are open, or the last that were settled."""
        return self._database.call("select * from console.claims(%s, %s)", (state, CONSOLE_ROWS))

    def calls(self) -> list[Row]:
        """Who waits for a call."""
        return self._database.call("select * from console.calls(%s)", (CONSOLE_ROWS,))

    def call_done(self, number: int, by: str, now: dt.datetime) -> bool:
        """Somebody called. False: it was off the list."""
        row = self._database.row("select bank.call_done(%s, %s, %s) as done", (number, by, now))
        return bool(row["done"])

    def requeue(self, ids: list[int], by: str, now: dt.datetime) -> int:
        """Give messages another chance; answers how many had been given up."""
        row = self._database.row("select console.requeue(%s, %s, %s) as many", (ids, by, now))
        return int(row["many"])

    def sending(self, since: dt.datetime) -> list[Row]:
        """What each provider of messages did since then."""
        return self._database.call("select * from console.sending(%s)", (since,))

    def backlog(self, now: dt.datetime) -> Row:
        """What waits: messages and orders."""
        return self._database.row("select * from console.backlog(%s)", (now,))

    def trail(self, traced: Traced) -> list[Row]:
        """Deeds, the newest first."""
        return self._database.call(
            "select * from console.trail(%s, %s, %s, %s, %s)",
            (traced.before, traced.actor, traced.member_ref, traced.action, CONSOLE_ROWS),
        )

    def seals(self) -> list[Row]:
        """The newest seals."""
        return self._database.call("select * from console.seals(%s)", (CONSOLE_ROWS,))
