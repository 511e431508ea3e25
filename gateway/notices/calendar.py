"""What is told on certain days, and which days are done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gateway.db.pool import Database
from gateway.values.money import Money


@dataclass(frozen=True, slots=True)
class InstalmentDue:
    """An instalment that a member is reminded of on a day.

    Args:
        once: names the instalment and the day's distance from it: there is one message about it.
        name: of the loan.
        amount: to be paid now.
        forgotten_at: from when on the message is no help.
    """

    once: str
    member_ref: str
    name: str
    amount: Money
    due_on: dt.date
    late: bool
    today: bool
    code: str
    forgotten_at: dt.datetime


class Calendar:
    """The functions of `notices` for reminders. Each call raises `DatabaseUnavailableError` when
    PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, due: InstalmentDue) -> bool:
        """Have a member reminded; False where that was told before."""
        row = self._database.row(
            "select notices.instalment_due(%s, %s, %s, %s, %s, %s, %s, %s, %s) as told",
            (
                due.once,
                due.member_ref,
                due.name,
                due.amount.centimos,
                due.due_on,
                due.late,
                due.today,
                due.code,
                due.forgotten_at,
            ),
        )
        return bool(row["told"])

    def is_done(self, what: str, day: dt.date) -> bool:
        """Whether everything of that day was told."""
        row = self._database.row("select notices.day_is_done(%s, %s) as done", (what, day))
        return bool(row["done"])

    def has_begun(self, what: str) -> bool:
        """Whether any day was ever done."""
        row = self._database.row("select notices.has_begun(%s) as begun", (what,))
        return bool(row["begun"])

    def finish(self, what: str, day: dt.date) -> None:
        """Everything of that day was told."""
        self._database.call("select notices.finish_day(%s, %s)", (what, day))
