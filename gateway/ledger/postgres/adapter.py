"""The own ledger as the gateway sees it: each method is one function call, one round trip."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

from gateway.bounds import MARKED_LINES_A_PAGE
from gateway.db.pool import Database, DatabaseUnavailableError, Row
from gateway.db.standby import Reads
from gateway.ledger.port import (
    Account,
    AccountKind,
    AnyOrder,
    Capabilities,
    CashOrder,
    Deposit,
    Done,
    Health,
    HoldState,
    KeyReusedError,
    LedgerUnavailableError,
    LoanStatus,
    Marked,
    Movement,
    NoSuchHoldError,
    NotOfferedError,
    Outcome,
    Person,
    Refused,
    Repayment,
    Transfer,
    Unknown,
    Withdrawal,
)
from gateway.values.dni import Dni
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn

CAPABILITIES = Capabilities(
    holds=True,
    reversal=True,
    loans=True,
    payoff_quote=True,
    late_charges=True,
    itf=True,
    floors=True,
    remembers_refusals=True,
    borrowers=True,
    by_dni=True,
    by_phone=False,  # which phone is whose is the gateway's own business
    own_business_date=False,
    pending_shown=True,
)


_CASH = "cash"  # the cooperative's own account

# Of what a writing function answers, what we read: each column more is decoded at every order.
_ANSWER = "select outcome, code, reference, tax_centimos, created from "


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
        reads: where a member's accounts and movements are read, if not there.
    """

    def __init__(self, database: Database, reads: Reads | None = None) -> None:
        self._database = database
        self._reads = reads or database

    def capabilities(self) -> Capabilities:
        """See `Ledger.capabilities`."""
        return CAPABILITIES

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        """See `Ledger.find_member`."""
        if isinstance(who, Msisdn):
            raise NotOfferedError("the own ledger knows no phones")
        ref, dni = (None, who.reveal()) if isinstance(who, Dni) else (who, None)
        for row in self._read("select * from ledger.find_member(%s, %s)", ref, dni):
            return Person(row["member_ref"], row["short_name"], active=True)
        return None

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
            for row in self._look("select * from ledger.accounts_of(%s)", member_ref)
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
            for row in self._look("select * from ledger.movements_of(%s, %s)", account, limit)
        )

    def marked(self, account: str, since: dt.date, until: dt.date) -> Iterator[Marked]:
        """See `Ledger.marked`."""
        after, limit = 0, MARKED_LINES_A_PAGE
        while True:
            rows = self._read(
                "select * from ledger.marked(%s, %s, %s, %s, %s)",
                *(account, since, until, after, limit),
            )
            for row in rows:
                yield Marked(
                    row["key"],
                    str(row["decision_id"]),
                    Money(row["amount_centimos"]),
                    row["business_date"],
                    row["was_reversed"],
                )
            if len(rows) < limit:
                return
            after = rows[-1]["decision_id"]

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """See `Ledger.loans`."""
        rows = self._read("select * from ledger.loans_of(%s, %s)", member_ref, business_date)
        return tuple(_loan(row) for row in rows)

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """See `Ledger.borrowers`."""
        rows = self._read("select * from ledger.borrowers(%s, %s, %s)", due_on, after, limit)
        return tuple(row["member_ref"] for row in rows)

    def tax(self, order: AnyOrder) -> Money:
        """See `Ledger.tax`."""
        source, target = _sides(order)
        (row,) = self._read(
            "select ledger.tax_of(%s, %s, %s, %s) as centimos",
            source,
            target,
            order.amount.centimos,
            order.business_date,
        )
        return Money(row["centimos"])

    def post(self, order: AnyOrder) -> Outcome:
        """See `Ledger.post`."""
        if isinstance(order, Deposit | Withdrawal):
            return self._over_the_counter(order)
        source, target = _sides(order)
        return self._write(
            _ANSWER + "ledger.post(%s, %s, %s, %s, %s, %s)",
            order.key,
            source,
            target,
            order.amount.centimos,
            order.mode.value if isinstance(order, Repayment) else None,
            order.business_date,
        )

    def find(self, order: AnyOrder) -> Done | Refused | None:
        """See `Ledger.find`."""
        for row in self._read("select * from ledger.find(%s)", order.key):
            if row["refusal"] is not None:
                return Refused(row["refusal"])
            return Done(row["reference"], Money(row["tax_centimos"]), created=False)
        return None

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """See `Ledger.hold`."""
        return self._write(
            _ANSWER + "ledger.place_hold(%s, %s, %s, %s)",
            key,
            account,
            amount.centimos,
            expires_at,
        )

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """See `Ledger.post_hold`."""
        return self._write(
            _ANSWER + "ledger.post_hold(%s, %s, %s, %s, %s, %s)",
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

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        """See `Ledger.reverse`."""
        return self._write(_ANSWER + "ledger.reverse(%s, %s, %s)", key, original.key, business_date)

    def health(self) -> Health:
        """See `Ledger.health`."""
        well = self._database.healthy()
        return Health(well, "" if well else "PostgreSQL does not answer")

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

    def _over_the_counter(self, order: CashOrder) -> Outcome:
        return self._write(
            _ANSWER + "ledger.post_cash(%s, %s, %s, %s, %s)",
            order.key,
            order.account,
            order.amount.centimos,
            isinstance(order, Deposit),
            order.business_date,
        )

    def _read(self, sql: str, *params: object) -> list[Row]:
        return self._ask(self._database, sql, params)

    def _look(self, sql: str, *params: object) -> list[Row]:
        return self._ask(self._reads, sql, params)

    def _ask(self, whom: Reads, sql: str, params: Sequence[object]) -> list[Row]:
        try:
            return whom.call(sql, params)
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


def _sides(order: AnyOrder) -> tuple[str, str]:
    """Where the money comes from, and where it goes."""
    match order:
        case Transfer():
            return order.source, order.target
        case Repayment():
            return order.source, order.loan
        case Deposit():
            return _CASH, order.account
        case Withdrawal():
            return order.account, _CASH


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
