"""A whole day: every account that our orders touch, one after the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from gateway.bounds import RECONCILE_TOLD_EVERY_ACCOUNTS
from gateway.db.pool import DatabaseUnavailableError
from gateway.ledger.port import AccountKind, Ledger, LedgerUnavailableError
from gateway.reconciliation.comparing import Compared, Side, compare
from gateway.reconciliation.orders import Orders, around


class StoppedError(Exception):
    """It could not be done to the end: of the rest nothing is known."""


class Reconciliation:
    """One comparison. Changes nothing, in our tables or at the core.

    Args:
        orders: ours.
        ledger: the core.
        tell: takes a line about how far it is.
        stopping: whether it has to end early.

    Attributes:
        accounts: how many were compared.
        orders_compared: what was compared in them, each once for each of its sides.
        differences: how many were found.
    """

    def __init__(
        self,
        orders: Orders,
        ledger: Ledger,
        tell: Callable[[str], object] = lambda far: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._tell = tell
        self._stopping = stopping
        self.accounts = self.orders_compared = self.differences = 0

    def run(self, on: dt.date, *, everybody: bool = False) -> Iterator[Compared]:
        """The accounts that differ, in the order of their codes.

        Args:
            on: the business date.
            everybody: also the accounts of members who gave no order in those days. After a backup
                was restored that is where the orders are that it lacks.

        Raises:
            StoppedError: the core or PostgreSQL went away, or it was asked to; the message says how
                far it came.
        """
        try:
            total = self._orders.count_accounts(on)
            for page in self._orders.pages(on):
                yield from self._page(page, on, f"of {total}")
            for page in self._orders.members() if everybody else ():
                codes = [code for ref in page for code in self._savings_of(ref)]
                rest = self._orders.untouched(codes, on)
                yield from self._page(rest, on, "with those of everybody")
        except (LedgerUnavailableError, DatabaseUnavailableError) as error:
            raise StoppedError(
                f"stopped after {self.accounts} accounts: {error or type(error).__name__}"
            ) from error

    def _page(self, accounts: list[str], on: dt.date, far: str) -> Iterator[Compared]:
        sides = self._orders.sides(accounts, on)
        for account in accounts:
            if self._stopping():
                raise StoppedError(f"asked to stop after {self.accounts} accounts")
            found = self._compared(account, on, sides[account])
            if found.differences:
                # What moves meanwhile is read at two moments: a difference is one that stays.
                found = self._compared(account, on, self._orders.sides([account], on)[account])
            self.accounts += 1
            self.orders_compared += found.orders
            self.differences += len(found.differences)
            if self.accounts % RECONCILE_TOLD_EVERY_ACCOUNTS == 0:
                self._tell(f"{self.accounts} accounts {far}, {self.differences} differences")
            if found.differences:
                yield found

    def _compared(self, account: str, on: dt.date, sides: list[Side]) -> Compared:
        lines = list(self._ledger.marked(account, *around(on)))
        ours = {side.key for side in sides}
        strange = sorted({line.key for line in lines} - ours)
        return compare(account, on, sides, lines, self._orders.known(strange))

    def _savings_of(self, member_ref: str) -> list[str]:
        accounts = self._ledger.accounts(member_ref)
        return [one.code for one in accounts if one.kind is AccountKind.SAVINGS]
