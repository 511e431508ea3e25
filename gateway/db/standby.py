"""Reading from a standby while it is near, and from the primary else.

Two things together make a member see what they were told. While a standby is read from, the
application's commits wait until the synchronous standby has applied them (`remote_apply`): whoever
was told "Listo" reads it on either. And a look every `STANDBY_LOOK_S` compares how far both are, so
that a standby that fell out of step, or whose line to the primary is cut, is not read from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import psycopg

from gateway.bounds import STANDBY_TRUSTED_S
from gateway.db.pool import Database, DatabaseUnavailableError, Row

# How a connection asks for it: see above. Without a synchronous standby it is as ever.
WAITS_FOR_STANDBY = "-c synchronous_commit=remote_apply"

# '' where nobody has to be waited for: then a standby may be any time behind what was told.
_WRITTEN = """
select pg_current_wal_lsn()::text as upto, current_setting('synchronous_standby_names') as by
"""
_APPLIED = """
select pg_is_in_recovery() and pg_last_wal_replay_lsn() >= %s::pg_lsn as near
"""


class Reads(Protocol):
    """Where a statement that only reads is sent."""

    def call(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Run it and fetch its rows.

        Raises:
            DatabaseUnavailableError: nobody answers.
        """


class Nearest:
    """A standby that is read from while it is near; else the primary.

    Args:
        primary: has the truth.
        standby: has it too, or had it a moment ago.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        primary: Database,
        standby: Database,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._standby = standby
        self._monotonic = monotonic
        self._upto = ""  # what the primary had written at the last look
        self._near_until = 0.0

    @property
    def near(self) -> bool:
        """Whether the standby is read from now."""
        return self._monotonic() < self._near_until

    def call(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """See `Reads`."""
        if self.near:
            try:
                return self._standby.call(sql, params)
            except (DatabaseUnavailableError, psycopg.Error):
                # Away, or it had to choose between our statement and keeping up.
                self._near_until = 0.0
        return self._primary.call(sql, params)

    def look(self) -> int:
        """See how far both are. Answers 1 while the standby is near, else 0."""
        before, began = self._upto, self._monotonic()
        self._upto, waited_for = self._written()
        if before and waited_for and self._applied(before):
            self._near_until = began + STANDBY_TRUSTED_S
            return 1
        self._near_until = 0.0
        return 0

    def _written(self) -> tuple[str, bool]:
        try:
            row = self._primary.row(_WRITTEN)
        except (DatabaseUnavailableError, psycopg.Error):  # a standby, if nothing else is found
            return "", False
        return row["upto"], bool(row["by"])

    def _applied(self, upto: str) -> bool:
        try:
            return bool(self._standby.row(_APPLIED, (upto,))["near"])
        except (DatabaseUnavailableError, psycopg.Error):
            return False
