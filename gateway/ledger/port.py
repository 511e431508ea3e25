"""What the gateway asks of a core ledger, whichever it is.

A write carries its own key and may be asked any number of times: the first one that arrives
decides, and every later one gets its result. A core that does not answer in time is `Unknown`,
never a guess.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.values.money import Money


class AccountKind(StrEnum):
    """What a member may hold."""

    SAVINGS = "savings"
    LOAN = "loan"


@dataclass(frozen=True, slots=True)
class Account:
    """A member's account. A loan's balance is what is owed, negative; its `available` is zero."""

    code: str
    kind: AccountKind
    name: str
    balance: Money
    available: Money


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a statement.

    `amount` is signed as the member sees it: money in is positive.
    `kind` is one of `MOVEMENT_KINDS`; `party` the other member's short name, or empty.
    """

    at: dt.datetime
    business_date: dt.date
    kind: str
    amount: Money
    party: str
    reference: str


MOVEMENT_KINDS = ("opening", "sent", "received", "own", "loan_payment", "tax", "reversal")


@dataclass(frozen=True, slots=True)
class LoanStatus:
    """A loan on a business date. Every amount is positive.

    `owed` is what the schedule still asks (the account's balance is its negative), without late
    charges. `due` is everything that should have been paid by that date, late charge included;
    `instalment` is what the next payment should be: `due` where something is due, else the next
    instalment that is open. `instalment_due_on` is the day of the oldest open one, from which
    `days_late` counts. `payoff` closes the loan on that date: interest that is not earned by then
    is given up.
    """

    code: str
    name: str
    owed: Money
    due: Money
    late_charge: Money
    days_late: int
    instalment: Money
    instalment_due_on: dt.date
    instalments_left: int
    payoff: Money


class RepaymentMode(StrEnum):
    """How much of a loan a repayment means to pay."""

    PART = "part"  # any amount up to the payoff: oldest instalment first
    PAYOFF = "payoff"  # all of it: the amount must be the payoff of the business date


@dataclass(frozen=True, slots=True)
class Transfer:
    """From one savings account to another.

    Raises:
        ValueError: the amount is not above zero: whoever asked the member has to see to that.
    """

    key: uuid.UUID
    source: str
    target: str
    amount: Money
    business_date: dt.date

    def __post_init__(self) -> None:
        _above_zero(self.amount)


@dataclass(frozen=True, slots=True)
class Repayment:
    """From a savings account to a loan.

    Raises:
        ValueError: the amount is not above zero.
    """

    key: uuid.UUID
    source: str
    loan: str
    amount: Money
    mode: RepaymentMode
    business_date: dt.date

    def __post_init__(self) -> None:
        _above_zero(self.amount)


def _above_zero(amount: Money) -> None:
    if amount.centimos <= 0:
        raise ValueError(f"an order moves more than nothing, not {amount}")


# The same key with the same content is the same order: all fields but `business_date`, so that a
# repeat after midnight still is.
Order = Transfer | Repayment

REFUSALS = frozenset(
    {
        "insufficient_funds",  # amount and tax exceed what is available at the source
        "no_such_account",  # unknown, closed, or not of the kind that the order needs
        "same_account",
        "over_payoff",  # more than closes the loan
        "payoff_changed",  # PAYOFF with another amount than today's
        "nothing_owed",
    }
)
HOLD_REFUSALS = REFUSALS | {
    "hold_not_pending",  # unknown, another account's, or ended
    "over_hold",  # more than was held
}
REVERSAL_REFUSALS = frozenset(
    {
        "not_posted",  # unknown, refused, or itself a reversal
        "already_reversed",
        "insufficient_funds",  # the other side has spent it
    }
)


@dataclass(frozen=True, slots=True)
class Done:
    """Posted. `created` is false where an earlier call with this key had posted it.

    `tax` is what the source paid beside the amount (ITF).
    """

    reference: str
    tax: Money
    created: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Not posted, and never will be under this key. `code` is one of `REFUSALS` (of `HOLD_REFUSALS`
    or `REVERSAL_REFUSALS` where that was asked)."""

    code: str


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """The core took it and waits for a person."""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Certainly not posted: the core could not be reached or asked to come later."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: it may have been posted. Only a look-up by its key tells."""


Outcome = Done | Refused | PendingApproval | RetryLater | Unknown


class KeyReusedError(Exception):
    """The same key came with another content: a fault of the caller, never a member's."""


class LedgerUnavailableError(Exception):
    """A read did not get an answer within its budget."""


class NoSuchHoldError(LookupError):
    """No hold was ever placed under this key."""


class HoldState(StrEnum):
    """The life of a hold: pending, then one of the others, once."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Ledger(Protocol):
    """A core ledger. Reads raise `LedgerUnavailableError`; writes answer an `Outcome`."""

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """All open accounts of a member, savings first, in a fixed order. Unknown member: empty."""

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """The last movements of a savings account, newest first. Unknown account: empty."""

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """The member's loans that are still owed."""

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """Members with a loan of which an instalment is due on that day, paid or not, by their
        `member_ref`, in its order: up to `limit` of those behind `after` (empty: the first)."""

    def tax(self, order: Order) -> Money:
        """What the source would pay beside the amount, for the screen that confirms."""

    def post(self, order: Order) -> Outcome:
        """Move money, at most once for the order's key. Raises `KeyReusedError`."""

    def find(self, key: uuid.UUID) -> Done | Refused | None:
        """What became of a key; None where the core never decided on it. Raises
        `LedgerUnavailableError` where that cannot be said now."""

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """Reserve funds: the available balance falls, the balance does not. Raises
        `KeyReusedError`; the amount is above zero."""

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """Move held funds: the hold ends as `posted`, and `order` (its amount at most the hold's)
        is posted. Once. What the order leaves of the hold is free again."""

    def void_hold(self, key: uuid.UUID) -> HoldState:
        """Give held funds back. Answers the state that the hold is in now. Raises
        `NoSuchHoldError`, and `LedgerUnavailableError` where that cannot be said now."""

    def reverse(self, key: uuid.UUID, original: uuid.UUID, business_date: dt.date) -> Outcome:
        """Undo all of a posted order, once, linked to it. Refused `already_reversed`,
        `not_posted` or `insufficient_funds` (the other side has spent it)."""

    def healthy(self) -> bool:
        """Whether the core answers now."""
