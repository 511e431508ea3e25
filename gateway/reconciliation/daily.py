"""The comparison that the worker makes by itself, once after each business day; days on which it
or the core was away are caught up. It logs and counts: whoever repairs is a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

import structlog

from gateway.bounds import (
    RECONCILE_DAYS_CAUGHT_UP,
    RECONCILE_FROM_HOUR,
    RECONCILE_LOGGED_MAX,
)
from gateway.db.pool import DatabaseUnavailableError
from gateway.ledger.port import Ledger
from gateway.reconciliation.orders import Orders
from gateway.reconciliation.run import Reconciliation, StoppedError

log = structlog.stdlib.get_logger(__name__)

FIGURES = {
    "chaski_reconciliation_differences": "Orders that the core has otherwise, of the last days.",
    "chaski_reconciliation_finished_timestamp_seconds": "When a day was last compared to the end.",
}


class Daily:
    """The duty.

    Args:
        orders: ours.
        ledger: the core.
        now: the clock, aware.
        timezone: where the business day ends.
        stopping: whether the worker has to end: over a remote core a day takes minutes.
    """

    def __init__(
        self,
        orders: Orders,
        ledger: Ledger,
        now: Callable[[], dt.datetime],
        timezone: ZoneInfo,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._now = now
        self._timezone = timezone
        self._stopping = stopping

    def due(self) -> bool:
        """Whether a day that ended was not compared, and it is time to."""
        local = self._now().astimezone(self._timezone)
        return local.hour >= RECONCILE_FROM_HOUR and bool(self._owed())

    def run(self) -> int:
        """Compare the days that ended and were not, the oldest first; answers how many were. A core
        that is away is asked again at the next run."""
        if not self.due():
            return 0
        compared = 0
        for day in self._owed():
            if not self._compared(day):
                break
            compared += 1
        return compared

    def _compared(self, day: dt.date) -> bool:
        reconciliation = Reconciliation(self._orders, self._ledger, stopping=self._stopping)
        try:
            self._told(reconciliation, day)
        except StoppedError as error:
            log.warning("reconciliation_stopped", day=day.isoformat(), why=str(error))
            return False
        found = reconciliation.differences
        counts = {"accounts": reconciliation.accounts, "orders": reconciliation.orders_compared}
        self._orders.keep(day, counts["accounts"], counts["orders"], found, self._now())
        tell = log.warning if found else log.info
        tell("reconciled", day=day.isoformat(), differences=found, **counts)
        return True

    def _owed(self) -> list[dt.date]:
        """The days that ended since the newest that was compared; where none ever was, the last."""
        newest, yesterday = self._orders.newest(), self._yesterday()
        behind = (yesterday - newest["day"]).days if newest else 1
        days = range(min(behind, RECONCILE_DAYS_CAUGHT_UP) - 1, -1, -1)
        return [yesterday - dt.timedelta(days=back) for back in days]

    def _yesterday(self) -> dt.date:
        return self._now().astimezone(self._timezone).date() - dt.timedelta(days=1)

    def _told(self, reconciliation: Reconciliation, day: dt.date) -> None:
        """A line for each difference, up to a screenful: `chaski ledger reconcile` has them all."""
        told = 0
        for compared in reconciliation.run(day):
            for one in compared.differences:
                if told < RECONCILE_LOGGED_MAX:
                    kind, account = one.kind.value, one.account
                    log.warning("reconciliation", kind=kind, account=account, key=str(one.key))
                told += 1


def figures(orders: Orders) -> Mapping[str, float]:
    """For `/metrics`; nothing before the first day."""
    try:
        newest = orders.newest()
    except DatabaseUnavailableError:
        return {}
    if newest is None:
        return {}
    values = (newest["differences"], newest["finished_at"].timestamp())
    return dict(zip(FIGURES, values, strict=True))
