"""Which screens a member saw lately: their names, never what stood on them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.bounds import SCREENS_DAYS, SCREENS_SESSIONS, SESSION_TOTAL_S
from gateway.db.pool import Database, Row


@dataclass(frozen=True, slots=True)
class Seen:
    """One session: when it began, by which way in, and what happened in it."""

    began_at: dt.datetime
    channel: str
    lines: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Screens:
    """The events of one member.

    Args:
        database: signed in as chaski_staff.
        hashed: how the events know a member.
    """

    database: Database
    hashed: Callable[[str], int]

    def of(self, member_ref: str, by: str, today: dt.date, now: dt.datetime) -> list[Seen]:
        """Their last sessions, the newest first; that somebody looked is written down."""
        rows = self.database.call(
            "select * from console.screens(%s, %s, %s, %s, %s, %s, %s)",
            (
                *(member_ref, self.hashed(member_ref), by),
                *(
                    today - dt.timedelta(days=SCREENS_DAYS - 1),
                    dt.timedelta(seconds=SESSION_TOTAL_S),
                ),
                *(SCREENS_SESSIONS, now),
            ),
        )
        sessions = itertools.groupby(rows, key=lambda row: (row["session"], row["began_at"]))
        return [_seen(began_at, list(lines)) for (_, began_at), lines in sessions]


def _seen(began_at: dt.datetime, lines: Sequence[Row]) -> Seen:
    return Seen(began_at, lines[0]["channel"], lines)
