"""Money orders: each moves money at most once, and its end can always be found.

Over the own ledger (`same_database`) an order is one call: key, limits, posting and receipts in one
commit. Over a remote core it is accepted first; when its turn has come at its accounts the core is
asked, for as long as the hop may wait, and by other hands for as long as it takes; then the answer
is settled. Whatever breaks in between, `reconcile` finds the order and its end.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.bounds import AGAIN_WINDOW_S, NEW_PAYEE_S
from gateway.db.pool import Database, Row
from gateway.instructions.asking import PLAINLY, Asking, Attempts
from gateway.instructions.limits import Limits
from gateway.ledger.port import (
    Account,
    KeyReusedError,
    Ledger,
    LedgerUnavailableError,
    Order,
    Repayment,
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
        "insufficient_funds",  # values: `available`; `known_at`, where that is not of now
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
    values: Mapping[str, Money | str | dt.datetime]
    operation: str
    member_ref: str
    counterparty_ref: str
    source: str
    target: str
    accepted_at: dt.datetime
    settled_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SpokenFor:
    """Of one account. `on_the_way`: what its open orders will take. `taken`: what is to be taken
    off what the core said is available, those and what was posted since."""

    on_the_way: Money
    taken: Money


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
        asking: who asks a remote core, and for how long somebody waits for it.

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
        asking: Asking = PLAINLY,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now
        self._same_database = same_database
        self._attempts = Attempts(database, ledger, now, asking)
        self.limits = Limits(database, now)

    def carry_out(self, instruction: Instruction) -> Result:
        """Do what a member asks, once for its key.

        Over a remote core: an order that has no end within the time that a hop has is `ACCEPTED` or
        `UNKNOWN`, and goes on without the hop. So it does where the core cannot be asked, or others
        of its accounts come first.

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
        asked_at = self._now()
        known = self._known(instruction)
        accepted = self._result(
            "select * from instructions.accept(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
            " %s, %s, %s, %s, %s, %s, %s, %s)",
            *_content(instruction, self._now()),
            known.available.centimos if known else None,
            known.as_of or asked_at if known else None,
            bool(known and known.as_of),
            self._ledger.capabilities().pending_shown,
        )
        if accepted.created and accepted.state is State.ACCEPTED:
            self._attempts.begin(instruction.key)
            return self._stands(instruction.key)
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
        """Bring the orders forward that nobody is asking the core about; answer how many ended.

        What expired is closed, up to `limit` at a time. Of the others those are asked about whose
        turn it is, several at once, until none is left that is due: the core is asked for the key
        first where it may know of it, and only where it never decided on it the order is posted,
        with the same key.

        Raises:
            DatabaseUnavailableError: the rest waits for the next time.
        """
        return self._attempts.expire(limit) + self._attempts.go_on(limit)

    def stop(self) -> None:
        """End a `reconcile` that is under way soon: what the core has not answered by then is left
        to its lease."""
        self._attempts.stop()

    def spoken_for(self, member_ref: str, as_of: dt.datetime | None) -> Mapping[str, SpokenFor]:
        """What orders take of a member's accounts beside what the core said at `as_of` (None: a
        moment ago), by the account's code. Over the own ledger nothing: its balances are of now.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        if self._same_database:
            return {}
        rows = self._database.call(
            "select * from instructions.spoken_for(%s, %s, %s)",
            (member_ref, as_of or self._now(), self._ledger.capabilities().pending_shown),
        )
        return {
            row["source"]: SpokenFor(
                Money(row["on_the_way_centimos"]), Money(row["taken_centimos"])
            )
            for row in rows
        }

    def backlog(self) -> tuple[int, int]:
        """How many orders are open, and for how many seconds the oldest has been.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        row = self._database.row("select * from instructions.backlog(%s)", (self._now(),))
        return row["waiting"], int(row["oldest_s"])

    def _stands(self, key: uuid.UUID) -> Result:
        return self._result("select * from instructions.stands(%s, %s)", key, self._now())

    def _known(self, instruction: Instruction) -> Account | None:
        """The account that the money comes from, as far as it is known; None: the core judges."""
        try:
            accounts = self._ledger.accounts(instruction.member_ref)
        except LedgerUnavailableError:
            return None
        return next((one for one in accounts if one.code == instruction.order.source), None)

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


def _values(row: Row) -> dict[str, Money | str | dt.datetime]:
    values: dict[str, Money | str | dt.datetime] = {}
    if row["bound"] is not None:
        values["bound"] = row["bound"]
        values["remaining"] = Money(row["left_centimos"])
    if row["bound_centimos"] is not None:
        name = "limit" if row["code"] == "over_limit" else "available"
        values[name] = Money(row["bound_centimos"])
    if row["known_at"] is not None:
        values["known_at"] = row["known_at"]
    if row["owed_centimos"] is not None:
        values["owed"] = Money(row["owed_centimos"])
    return values
