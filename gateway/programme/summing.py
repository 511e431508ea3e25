"""The duty that keeps the sums by the day."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from gateway.bounds import ROLL_UP_EVERY_S
from gateway.db.pool import Database


class Summing:
    """Sums what is due, a day at a time. Each day is one transaction: whatever interrupts it, the
    next run goes on, and comes to the same figures.

    Args:
        database: asks whether it is time.
        patient: a database whose statements may take long: a day with 100,000 events takes a
            second, and nobody waits for it.
        timezone: whose days they are.
        now: the clock, aware, UTC.
    """

    def __init__(
        self,
        database: Database,
        patient: Callable[[], AbstractContextManager[Database]],
        timezone: str,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._database = database
        self._patient = patient
        self._timezone = timezone
        self._now = now
        self._stopping = threading.Event()

    def run(self) -> int:
        """Sum all that is due, and count the members, if a period is over; answers how many days
        were done.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away. What was done stays.
        """
        now = self._now()
        every = dt.timedelta(seconds=ROLL_UP_EVERY_S)
        if not self._database.row("select programme.is_due(%s, %s) as due", (now, every))["due"]:
            return 0
        asked = (self._timezone, now)
        with self._patient() as database:
            database.call("select programme.note_due(%s, %s)", asked)
            steps = ("programme.sum_next", "programme.count_next")
            return sum(self._all(database, step, asked) for step in steps)

    def stop(self) -> None:
        """Let a run end after the day that it is at."""
        self._stopping.set()

    def _all(self, database: Database, step: str, asked: tuple[str, dt.datetime]) -> int:
        days = 0
        # The function's name is ours.
        do_next = f"select {step}(%s, %s) as did"
        while not self._stopping.is_set() and database.row(do_next, asked)["did"]:
            days += 1
        return days
