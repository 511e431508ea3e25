"""The duty that seals, and the newest seal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog

from gateway.bounds import HEAD_TOLD_EVERY_S, SEAL_EVERY_S, SEAL_XACTS_MAX
from gateway.db.pool import Database

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest seal. Whoever keeps `hash` elsewhere can prove later that nothing under it was
    changed since."""

    number: int
    hash: str
    sealed_at: dt.datetime


def head(database: Database) -> Head | None:
    """The newest seal; None before the first."""
    rows = database.call("select * from audit.head()")
    return Head(**rows[0]) if rows else None


class Sealing:
    """Seals what was written, every `SEAL_EVERY_S` seconds, whichever worker comes first.

    Args:
        database: asks whether it is time.
        patient: a database whose statements may take minutes: it seals, after a long pause much.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        patient: Callable[[], AbstractContextManager[Database]],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._database = database
        self._patient = patient
        self._now = now
        self._told_at: dt.datetime | None = None

    def run(self) -> int:
        """Seal what is complete, if a period is over; answers how many lines."""
        due = self._database.row(
            "select audit.seal_is_due(%s, %s) as due",
            (self._now(), dt.timedelta(seconds=SEAL_EVERY_S)),
        )["due"]
        if not due:
            return 0
        with self._patient() as database:
            lines = self._seal(database)
        self._tell()
        return lines

    def _seal(self, database: Database) -> int:
        lines = 0
        while sealed := database.call(
            "select * from audit.seal(%s, %s)", (self._now(), SEAL_XACTS_MAX)
        ):
            lines += sealed[0]["lines"]
        return lines

    def _tell(self) -> None:
        """Once a day the log says the newest seal, so that it is also where the logs are kept."""
        now = self._now()
        if self._told_at and now < self._told_at + dt.timedelta(seconds=HEAD_TOLD_EVERY_S):
            return
        if newest := head(self._database):
            self._told_at = now
            log.info("audit_head", seal=newest.number, hash=newest.hash)
