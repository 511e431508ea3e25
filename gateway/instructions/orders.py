"""Money orders: each moves money at most once, and its end can always be found.

Over the own ledger (`same_database`) an order is one call: key, limits, posting and receipts in one
commit. Over a remote core it is accepted first, then the core is asked, then the answer is settled;
whatever breaks in between, `reconcile` finds the order and its end.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.bounds import AGAIN_WINDOW_S, CORE_LEASE_S, NEW_PAYEE_S
from gateway.db.pool import Database, Row
from gateway.instructions.limits import Limits
from gateway.ledger.port import (
    Done,
    KeyReusedError,
    Ledger,
    LedgerUnavailableError,
    Order,
    Outcome,
    Refused,
    Repayment,
    RepaymentMode,
    RetryLater,
    Transfer,
)
from gateway.values.money import Money
from gateway.values.turn import Origin


class State(StrEnum):
    """Where an order stands. The last three are final."""

    ACCEPTED = "accepted"  # limits and funds are taken; the core is being asked, or will be
    UNKNOWN = "unknown"  # the core was asked and gave no last word
    POSTED = "posted"
    REFUSED = "refused"
    CLOSED = "closed"  # it will never move money


# What this room refuses by itself; the other codes are the ledger's (`port.REFUSALS`).
REFUSALS = frozenset(
    {
        "over_limit",  # values: `bound`, which one bites; `limit`, it; `remaining`, what is left
        "insufficient_funds",  # values: `available`
        "frozen",  # the member shut their own door
        "look_only",  # a SIM that was changed, say: until staff have seen the member
        "again",  # the same amount to the same account moments ago, and nobody said "yes, again"
    }
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a member asks for.

    Args:
        key: the order's key, that of the screen that confirmed it.
        operation: whose limits count: `transfers.send`, `loans.pay`.
        counterparty_ref: the member whose account the target is; the member's own reference for an
            own account, and then no limit counts; empty where it is nobody's.
        again_ok: the member was asked "¿Otra vez?" and said yes.

    Raises:
        ValueError: the order has another key.
    """

    key: uuid.UUID
    operation: str
    member_ref: str
    counterparty_ref: str
    order: Order
    again_ok: bool
    origin: Origin

    def __post_init__(self) -> None:
        if self.key != self.order.key:
            raise ValueError("an instruction and its order have one key")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an order.

    `created` is false where an earlier call with this key had decided. `code` says why it was
    refused. `tax` is what the source paid beside the amount. `values` belong to a code or an
    outcome: see `REFUSALS`, and `owed` after a repayment. An order that was closed before it was
    ever given has no content: its texts are empty and its amount is zero.
    """

    key: uuid.UUID
    state: State
    code: str
    reference: str
    tax: Money
    amount: Money
    created: bool
    values: Mapping[str, Money | str]
    operation: str
    member_ref: str
    counterparty_ref: str
    source: str
    target: str
    accepted_at: dt.datetime
    settled_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A transfer to another member that was posted, and when."""

    key: uuid.UUID
    payee_ref: str
    amount: Money
    at: dt.datetime


class Instructions:
    """One cooperative's money orders.

    Args:
        database: signed in as the application's role.
        ledger: the core that moves the money.
        now: the clock, aware.
        same_database: the ledger is the own one and its tables are in `database`, so that one call
            does everything. Bootstrap knows; nobody guesses.

    Attributes:
        limits: what a member may still move.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        now: Callable[[], dt.datetime],
        *,
        same_database: bool,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now
        self._same_database = same_database
        self.limits = Limits(database, now)

    def carry_out(self, instruction: Instruction) -> Result:
        """Do what a member asks, once for its key.

        A core that cannot be read takes no order: the key is closed, and the result says so.

        Raises:
            KeyReusedError: the key came before with another content.
            DatabaseUnavailableError: what happened is not known now; ask again with the same key,
                or `close` it.
        """
        if self._same_database:
            return self._result(
                "select * from instructions.execute"
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                *_content(instruction, self._now()),
            )
        try:
            available = self._available(instruction)
        except LedgerUnavailableError:
            return self.close(instruction.key)
        accepted = self._result(
            "select * from instructions.accept"
            "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *_content(instruction, self._now()),
            available,
        )
        if accepted.created and accepted.state is State.ACCEPTED:
            return self._ask(replace(instruction.order, owner=instruction.member_ref))
        return accepted

    def close(self, key: uuid.UUID) -> Result:
        """Make sure that a key never moves money, or learn what it did.

        `CLOSED` is a promise. `ACCEPTED` or `UNKNOWN` means that the core may have it: its end
        comes by SMS.

        Raises:
            DatabaseUnavailableError: nothing is promised.
        """
        return self._result("select * from instructions.close(%s, %s)", key, self._now())

    def recent(self, origin: Origin) -> Result | None:
        """What became of the newest order of this very session. Its `created` says whether the
        member has given none since.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call(
            "select * from instructions.recent(%s, %s, %s, %s, %s)",
            (*_origin(origin), self._now()),
        )
        return _result(rows[0]) if rows else None

    def newest(self, member_ref: str, within: dt.timedelta) -> Result | None:
        """What became of a member's newest order of the last moments.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        now = self._now()
        rows = self._database.call(
            "select * from instructions.newest(%s, %s, %s)", (member_ref, now - within, now)
        )
        return _result(rows[0]) if rows else None

    def became(self, key: uuid.UUID, member_ref: str) -> Result | None:
        """What became of a member's key; None where no order ever came under it.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call(
            "select * from instructions.became(%s, %s, %s)", (key, member_ref, self._now())
        )
        return _result(rows[0]) if rows else None

    def ordered_since(self, member_ref: str, at: dt.datetime) -> bool:
        """Whether a member has given any order since then.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        row = self._database.row(
            "select instructions.ordered_since(%s, %s) as given", (member_ref, at)
        )
        return bool(row["given"])

    def recent_payees(self, member_ref: str, limit: int) -> tuple[str, ...]:
        """The last members to whom a member sent money, newest first, by their `member_ref`.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call(
            "select payee_ref from instructions.recent_payees(%s, %s)", (member_ref, limit)
        )
        return tuple(row["payee_ref"] for row in rows)

    def sent_since(self, member_ref: str, since: dt.datetime, limit: int) -> tuple[Sent, ...]:
        """What a member sent to other members since then, newest first.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call(
            "select * from instructions.sent_since(%s, %s, %s)", (member_ref, since, limit)
        )
        return tuple(
            Sent(row["key"], row["payee_ref"], Money(row["amount_centimos"]), row["at"])
            for row in rows
        )

    def reconcile(self, limit: int) -> int:
        """Settle up to `limit` orders that nobody is asking the core about; answer how many ended.

        The core is asked for the key first, and only where it never decided on it the order is
        posted, with the same key.

        Raises:
            DatabaseUnavailableError: the rest waits for the next time.
        """
        now = self._now()
        rows = self._database.call(
            "select * from instructions.take_unfinished(%s, %s, %s)",
            (now - dt.timedelta(seconds=CORE_LEASE_S), now, limit),
        )
        return sum(self._reconciled(_order(row)) for row in rows)

    def _reconciled(self, order: Order) -> bool:
        try:
            found: Outcome | None = self._ledger.find(order)
        except LedgerUnavailableError:
            found = RetryLater()  # this look-up moves nothing; a later sweep asks again
        try:
            result = self._settle(order.key, found) if found else self._ask(order)
        except KeyReusedError:
            return False  # one order's fault, for staff to look at; the others go on
        return result.settled_at is not None

    def _ask(self, order: Order) -> Result:
        return self._settle(order.key, self._ledger.post(order))

    def _settle(self, key: uuid.UUID, outcome: Outcome) -> Result:
        said: tuple[str, str | None, str | None, int]
        match outcome:
            case Done(reference, tax):
                said = ("posted", None, reference, tax.centimos)
            case Refused(code):
                said = ("refused", code, None, 0)
            case RetryLater():
                said = ("later", None, None, 0)
            case _:
                said = ("unknown", None, None, 0)
        return self._result(
            "select * from instructions.settle(%s, %s, %s, %s, %s, %s)", key, *said, self._now()
        )

    def _available(self, instruction: Instruction) -> int | None:
        for account in self._ledger.accounts(instruction.member_ref):
            if account.code == instruction.order.source:
                return account.available.centimos
        return None

    def _result(self, sql: str, *params: object) -> Result:
        return _result(self._database.row(sql, params))


def _content(instruction: Instruction, now: dt.datetime) -> tuple[object, ...]:
    """The parameters that `execute` and `accept` share."""
    order = instruction.order
    return (
        order.key,
        instruction.operation,
        instruction.member_ref,
        instruction.counterparty_ref or None,
        order.source,
        order.target if isinstance(order, Transfer) else order.loan,
        order.amount.centimos,
        order.mode.value if isinstance(order, Repayment) else None,
        order.business_date,
        *_origin(instruction.origin),
        instruction.again_ok,
        now - dt.timedelta(seconds=AGAIN_WINDOW_S),
        now - dt.timedelta(seconds=NEW_PAYEE_S),
        now,
    )


def _origin(origin: Origin) -> tuple[str, str, str, str]:
    return origin.channel, origin.account, origin.session_id, origin.msisdn.e164


def _order(row: Row) -> Order:
    amount = Money(row["amount_centimos"])
    key, source, target, day = row["key"], row["source"], row["target"], row["business_date"]
    owner = row["member_ref"]
    if row["mode"] is None:
        return Transfer(key, source, target, amount, day, owner)
    return Repayment(key, source, target, amount, RepaymentMode(row["mode"]), day, owner)


def _result(row: Row) -> Result:
    if row["state"] == "key_reused":
        raise KeyReusedError
    return Result(
        key=row["key"],
        state=State(row["state"]),
        code=row["code"] or "",
        reference=row["reference"] or "",
        tax=Money(row["tax_centimos"]),
        amount=Money(row["amount_centimos"] or 0),
        created=row["created"],
        values=_values(row),
        operation=row["operation"] or "",
        member_ref=row["member_ref"] or "",
        counterparty_ref=row["counterparty_ref"] or "",
        source=row["source"] or "",
        target=row["target"] or "",
        accepted_at=row["accepted_at"],
        settled_at=row["settled_at"],
    )


def _values(row: Row) -> dict[str, Money | str]:
    values: dict[str, Money | str] = {}
    if row["bound"] is not None:
        values["bound"] = row["bound"]
        values["remaining"] = Money(row["left_centimos"])
    if row["bound_centimos"] is not None:
        name = "limit" if row["code"] == "over_limit" else "available"
        values[name] = Money(row["bound_centimos"])
    if row["owed_centimos"] is not None:
        values["owed"] = Money(row["owed_centimos"])
    return values
