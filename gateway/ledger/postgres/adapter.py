"""The own ledger as the gateway sees it: each method is one function call, one round trip."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, TypedDict

from gateway.db.pool import Database, DatabaseUnavailableError, Row
from gateway.ledger.port import (
    Account,
    AccountKind,
    Done,
    HoldState,
    KeyReusedError,
    LedgerUnavailableError,
    LoanStatus,
    Movement,
    NoSuchHoldError,
    Order,
    Outcome,
    Refused,
    Repayment,
    Transfer,
    Unknown,
)
from gateway.values.money import Money


class Verification(TypedDict):
    """What recomputing everything found. `differing` names what does not add up."""

    ok: bool
    accounts: int
    transfers: int
    entries: int
    sum_centimos: int
    differing: list[dict[str, Any]]


class PostgresLedger:
    """The own ledger. Implements `gateway.ledger.port.Ledger`.

    Args:
        database: signed in as the application's role.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """See `Ledger.accounts`."""
        return tuple(
            Account(
                row["code"],
                AccountKind(row["kind"]),
                row["name"],
                Money(row["balance_centimos"]),
                Money(row["available_centimos"]),
            )
            for row in self._read("select * from ledger.accounts_of(%s)", member_ref)
        )

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """See `Ledger.movements`."""
        return tuple(
            Movement(
                row["decided_at"],
                row["business_date"],
                row["kind"],
                Money(row["amount_centimos"]),
                row["party"],
                row["reference"],
            )
            for row in self._read("select * from ledger.movements_of(%s, %s)", account, limit)
        )

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """See `Ledger.loans`."""
        rows = self._read("select * from ledger.loans_of(%s, %s)", member_ref, business_date)
        return tuple(_loan(row) for row in rows)

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """See `Ledger.borrowers`."""
        rows = self._read("select * from ledger.borrowers(%s, %s, %s)", due_on, after, limit)
        return tuple(row["member_ref"] for row in rows)

    def tax(self, order: Order) -> Money:
        """See `Ledger.tax`."""
        (row,) = self._read(
            "select ledger.tax_of(%s, %s, %s, %s) as centimos",
            order.source,
            _target(order),
            order.amount.centimos,
            order.business_date,
        )
        return Money(row["centimos"])

    def post(self, order: Order) -> Outcome:
        """See `Ledger.post`."""
        return self._write(
            "select * from ledger.post(%s, %s, %s, %s, %s, %s)",
            order.key,
            order.source,
            _target(order),
            order.amount.centimos,
            order.mode.value if isinstance(order, Repayment) else None,
            order.business_date,
        )

    def find(self, key: uuid.UUID) -> Done | Refused | None:
        """See `Ledger.find`."""
        for row in self._read("select * from ledger.find(%s)", key):
            if row["refusal"] is not None:
                return Refused(row["refusal"])
            return Done(row["reference"], Money(row["tax_centimos"]), created=False)
        return None

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """See `Ledger.hold`."""
        return self._write(
            "select * from ledger.place_hold(%s, %s, %s, %s)",
            key,
            account,
            amount.centimos,
            expires_at,
        )

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """See `Ledger.post_hold`."""
        return self._write(
            "select * from ledger.post_hold(%s, %s, %s, %s, %s, %s)",
            key,
            order.key,
            order.source,
            order.target,
            order.amount.centimos,
            order.business_date,
        )

    def void_hold(self, key: uuid.UUID) -> HoldState:
        """See `Ledger.void_hold`."""
        (row,) = self._read("select ledger.void_hold(%s) as state", key)
        if row["state"] is None:
            raise NoSuchHoldError(str(key))
        return HoldState(row["state"])

    def reverse(self, key: uuid.UUID, original: uuid.UUID, business_date: dt.date) -> Outcome:
        """See `Ledger.reverse`."""
        return self._write("select * from ledger.reverse(%s, %s, %s)", key, original, business_date)

    def healthy(self) -> bool:
        """See `Ledger.healthy`."""
        return self._database.healthy()

    def expire_holds(self, now: dt.datetime, limit: int) -> int:
        """End up to `limit` holds that ran out by `now`; answer how many. For the sweep."""
        (row,) = self._read("select ledger.expire_holds(%s, %s) as ended", now, limit)
        return int(row["ended"])

    def verify(self) -> Verification:
        """Recompute every balance, hold and loan from what was written, in one snapshot."""
        (row,) = self._read("select * from ledger.verify()")
        return Verification(
            ok=row["ok"],
            accounts=row["accounts"],
            transfers=row["transfers"],
            entries=row["entries"],
            sum_centimos=row["sum_centimos"],
            differing=row["differing"],
        )

    def _read(self, sql: str, *params: object) -> list[Row]:
        try:
            return self._database.call(sql, params)
        except DatabaseUnavailableError as error:
            raise LedgerUnavailableError(str(error)) from error

    def _write(self, sql: str, *params: object) -> Outcome:
        try:
            row = self._database.row(sql, params)
        except DatabaseUnavailableError:
            return Unknown()  # it may have been committed before the connection broke
        if row["outcome"] == "key_reused":
            raise KeyReusedError
        if row["outcome"] == "refused":
            return Refused(row["code"])
        return Done(row["reference"], Money(row["tax_centimos"]), created=row["created"])


def _target(order: Order) -> str:
    return order.target if isinstance(order, Transfer) else order.loan


def _loan(row: Row) -> LoanStatus:
    return LoanStatus(
        code=row["code"],
        name=row["name"],
        owed=Money(row["owed_centimos"]),
        due=Money(row["due_centimos"]),
        late_charge=Money(row["late_centimos"]),
        days_late=row["days_late"],
        instalment=Money(row["instalment_centimos"]),
        instalment_due_on=row["instalment_due_on"],
        instalments_left=row["instalments_left"],
        payoff=Money(row["payoff_centimos"]),
    )
