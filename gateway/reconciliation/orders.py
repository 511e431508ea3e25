"""Our orders, read for a comparison: pages of accounts, and what a day's orders do to them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.bounds import (
    RECONCILE_ACCOUNTS_A_PAGE,
    RECONCILE_DAYS_AROUND,
    RECONCILE_MEMBERS_A_PAGE,
)
from gateway.db.pool import Database, Row
from gateway.reconciliation.comparing import Known, Side
from gateway.values.money import Money


class Orders:
    """The functions of `reconciliation` in PostgreSQL. Each call raises `DatabaseUnavailableError`
    when it is away.

    Args:
        database: signed in as the application, and patient: a page looks through some days.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_accounts(self, on: dt.date) -> int:
        """How many accounts `pages` has."""
        row = self._database.row(
            "select reconciliation.count_accounts(%s, %s) as accounts", around(on)
        )
        return int(row["accounts"])

    def pages(self, on: dt.date) -> Iterator[list[str]]:
        """The accounts that orders of that day, or of those around it, touch."""
        yield from self._paged(
            "select account as name from reconciliation.accounts(%s, %s, %s, %s)",
            around(on),
            RECONCILE_ACCOUNTS_A_PAGE,
        )

    def members(self) -> Iterator[list[str]]:
        """Everybody, by their `member_ref`."""
        yield from self._paged(
            "select member_ref as name from reconciliation.members(%s, %s)",
            (),
            RECONCILE_MEMBERS_A_PAGE,
        )

    def untouched(self, accounts: Sequence[str], on: dt.date) -> list[str]:
        """Which of them are not in `pages`."""
        rows = self._database.call(
            "select account from reconciliation.untouched(%s, %s, %s)",
            (list(accounts), *around(on)),
        )
        return [row["account"] for row in rows]

    def sides(self, accounts: Sequence[str], on: dt.date) -> dict[str, list[Side]]:
        """What the orders of that day do to these accounts, by account."""
        rows = self._database.call(
            "select * from reconciliation.sides(%s, %s)", (list(accounts), on)
        )
        found: dict[str, list[Side]] = {account: [] for account in accounts}
        for row in rows:
            change = Money(row["change_centimos"])
            found[row["account"]].append(_side(row, row["account"], change, gives=row["gives"]))
        return found

    def known(self, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, Known]:
        """What we know of these keys."""
        if not keys:
            return {}
        rows = self._database.call("select * from reconciliation.known(%s)", (list(keys),))
        return {row["key"]: _known(row) for row in rows}

    def keep(
        self, day: dt.date, accounts: int, orders: int, differences: int, now: dt.datetime
    ) -> None:
        """A day was compared to the end."""
        self._database.call(
            "select reconciliation.keep(%s, %s, %s, %s, %s)",
            (day, accounts, orders, differences, now),
        )

    def newest(self) -> Row | None:
        """The newest day that was: `day`, `differences`, `finished_at`."""
        rows = self._database.call("select * from reconciliation.newest()")
        return rows[0] if rows else None

    def _paged(self, sql: str, params: tuple[Any, ...], limit: int) -> Iterator[list[str]]:
        after = ""
        while page := self._database.call(sql, (*params, after, limit)):
            yield [row["name"] for row in page]
            after = page[-1]["name"]


def around(on: dt.date) -> tuple[dt.date, dt.date]:
    """The days within which an order of a day may stand in the core's books."""
    days = dt.timedelta(days=RECONCILE_DAYS_AROUND)
    return on - days, on + days


def _known(row: Row) -> Known:
    sides: list[Side] = []
    if row["source"] is not None:
        amount = Money(row["amount_centimos"])
        sides.append(_side(row, row["source"], -amount, gives=True))
        if row["mode"] is None:
            sides.append(_side(row, row["target"], amount, gives=False))
    return Known(
        row["state"], row["ended"], row["business_date"], row["reference"] or "", tuple(sides)
    )


def _side(row: Row, account: str, change: Money, *, gives: bool) -> Side:
    return Side(
        key=row["key"],
        account=account,
        change=change,
        gives=gives,
        state=row["state"],
        ended=row["ended"],
        business_date=row["business_date"],
        accepted_at=row["accepted_at"],
        reference=row["reference"] or "",
    )
