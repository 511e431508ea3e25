"""Who has an instalment to pay is told before, on the day, and when it is late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.bounds import BORROWERS_A_PAGE, REMIND_AT_HOUR, REMIND_DAYS
from gateway.ledger.port import Ledger, LoanStatus
from gateway.notices.calendar import Calendar, InstalmentDue

_WHAT = "instalments"


@dataclass(frozen=True, slots=True)
class Reminders:
    """The reminders of each day, told once in the morning.

    Whether a member wants them is asked when each is sent, not here: they may say no meanwhile. On
    the day of its first start it tells nothing: who installs it may still be trying things out.

    Args:
        ledger: the core, which knows who owes what.
        calendar: takes each reminder, once.
        now: the clock, aware.
        timezone: where the business day begins.
        short_code: what to dial.
        wake_at: has this looked at again at a time. Never raises; what is lost the sweep finds.
    """

    ledger: Ledger
    calendar: Calendar
    now: Callable[[], dt.datetime]
    timezone: ZoneInfo
    short_code: str
    wake_at: Callable[[dt.datetime], object]

    def remind(self) -> int:
        """Tell today's reminders, if it is time and they were not told; answers how many.

        Raises:
            DatabaseUnavailableError, LedgerUnavailableError: the rest is told the next time; what
                was told is not told again.
        """
        local = self.now().astimezone(self.timezone)
        today, opens = local.date(), dt.time(REMIND_AT_HOUR, tzinfo=self.timezone)
        if local.timetz() < opens:
            self.wake_at(dt.datetime.combine(today, opens))
            return 0
        self.wake_at(dt.datetime.combine(today + dt.timedelta(days=1), opens))
        if self.calendar.is_done(_WHAT, today):
            return 0
        told = 0
        if self.calendar.has_begun(_WHAT):
            told = sum(self.calendar.tell(due) for due in self._due(today))
        self.calendar.finish(_WHAT, today)
        return told

    def _due(self, today: dt.date) -> Iterator[InstalmentDue]:
        for days in REMIND_DAYS:
            due_on = today + dt.timedelta(days=days)
            for member_ref in self._borrowers(due_on):
                for loan in self.ledger.loans(member_ref, today):
                    if loan.instalment_due_on == due_on:
                        yield self._reminder(member_ref, loan, today, days)

    def _borrowers(self, due_on: dt.date) -> Iterator[str]:
        after = ""
        while page := self.ledger.borrowers(due_on, after, BORROWERS_A_PAGE):
            yield from page
            after = page[-1]

    def _reminder(
        self, member_ref: str, loan: LoanStatus, today: dt.date, days: int
    ) -> InstalmentDue:
        midnight = dt.time(tzinfo=self.timezone)
        return InstalmentDue(
            once=f"instalment/{loan.code}/{loan.instalment_due_on}/{days}",
            member_ref=member_ref,
            name=loan.name,
            amount=loan.instalment,
            due_on=loan.instalment_due_on,
            late=days < 0,
            today=days == 0,
            code=self.short_code,
            forgotten_at=dt.datetime.combine(today + dt.timedelta(days=1), midnight),
        )
