"""What the gateway asks of a core ledger, whichever it is.

A write carries its own key and may be asked any number of times: the first one that arrives
decides, and every later one gets its result. A core that does not answer in time is `Unknown`,
never a guess.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.values.dni import Dni
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn


class AccountKind(StrEnum):
    """What a member may hold."""

    SAVINGS = "savings"
    LOAN = "loan"


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the core knows them. `short_name` is what others may know: `Rosa Q.`"""

    member_ref: str
    short_name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A member's account. A loan's balance is what is owed, negative, with or without a late
    charge as the core's books have it; its `available` is zero. `as_of`: when the core said so,
    where it does not answer now; no adapter sets it."""

    code: str
    kind: AccountKind
    name: str
    balance: Money
    available: Money
    as_of: dt.datetime | None = None


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


MOVEMENT_KINDS = (
    "opening",
    "sent",
    "received",
    "own",
    "loan_payment",
    "tax",
    "reversal",
    "deposit",  # cash in, at a counter or an agent's
    "withdrawal",
    "interest",
    "fee",
)


@dataclass(frozen=True, slots=True)
class Marked:
    """What an order of ours did to a savings account, as the core's books have it now.

    Args:
        key: the order's, which the core keeps with the line.
        line: what the core calls the line: no two have the same.
        amount: signed as the member sees it, without tax.
        reversed: it was taken back since.
    """

    key: uuid.UUID
    line: str
    amount: Money
    business_date: dt.date
    reversed: bool


@dataclass(frozen=True, slots=True)
class LoanStatus:
    """A loan on a business date. Every amount is positive.

    `owed` is what the schedule still asks, without late charges. `due` is everything that should
    have been paid by that date, late charge included; `instalment` is what the next payment should
    be: `due` where something is due, else the next instalment that is open. `instalment_due_on` is
    the day of the oldest open one, from which `days_late` counts. `payoff` closes the loan on that
    date: interest that is not earned by then is given up.
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

    `owner` is the member whose the source has to be. A core behind a network does not know who
    asks, so its adapter checks it before every write and takes no order without it.

    Raises:
        ValueError: the amount is not above zero: whoever asked the member has to see to that.
    """

    key: uuid.UUID
    source: str
    target: str
    amount: Money
    business_date: dt.date
    owner: str = ""

    def __post_init__(self) -> None:
        _above_zero(self.amount)


@dataclass(frozen=True, slots=True)
class Repayment:
    """From a savings account to a loan. `owner`: as of a transfer.

    Raises:
        ValueError: the amount is not above zero.
    """

    key: uuid.UUID
    source: str
    loan: str
    amount: Money
    mode: RepaymentMode
    business_date: dt.date
    owner: str = ""

    def __post_init__(self) -> None:
        _above_zero(self.amount)


@dataclass(frozen=True, slots=True)
class Deposit:
    """Cash that a teller or an agent took in, to a member's savings account.

    `owner`: as of a transfer. `teller` says who took it, as the core's books show it.

    Raises:
        ValueError: the amount is not above zero.
    """

    key: uuid.UUID
    account: str
    amount: Money
    business_date: dt.date
    teller: str
    owner: str = ""

    def __post_init__(self) -> None:
        _above_zero(self.amount)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Cash that a teller or an agent pays out of a member's savings account. As a deposit.

    Raises:
        ValueError: the amount is not above zero.
    """

    key: uuid.UUID
    account: str
    amount: Money
    business_date: dt.date
    teller: str
    owner: str = ""

    def __post_init__(self) -> None:
        _above_zero(self.amount)


def _above_zero(amount: Money) -> None:
    if amount.centimos <= 0:
        raise ValueError(f"an order moves more than nothing, not {amount}")


# The same key with the same content is the same order. Content is all fields but `business_date`,
# so that a repeat after midnight still is, and but `owner` and `teller`, which say who asks.
Order = Transfer | Repayment  # what a member may ask for by phone
CashOrder = Deposit | Withdrawal
AnyOrder = Order | CashOrder

REFUSALS = frozenset(
    {
        "insufficient_funds",  # amount and tax exceed what is available at the source
        "no_such_account",  # unknown, closed, or not of the kind that the order needs
        "same_account",
        "over_payoff",  # more than closes the loan
        "payoff_changed",  # PAYOFF with another amount than today's
        "nothing_owed",
        "not_allowed",  # a rule of the core's own: a blocked account, a holiday, a lock
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

    `tax` is what the source paid beside the amount (ITF); of a deposit, its account.
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
    """Certainly not posted: the core could not be reached or asked to come later.

    Args:
        answered: the core is well, and it is this order alone that has to wait.
    """

    answered: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: it may have been posted. Only a look-up by its key tells.

    Args:
        answered: the core is well, and it is this order alone of which it says nothing.
    """

    answered: bool = field(default=False, compare=False)


Outcome = Done | Refused | PendingApproval | RetryLater | Unknown


class KeyReusedError(Exception):
    """The same key came with another content: a fault of the caller, never a member's."""


class LedgerUnavailableError(Exception):
    """A read did not get an answer within its budget."""


class NoSuchHoldError(LookupError):
    """No hold was ever placed under this key."""


class NotOfferedError(Exception):
    """The core cannot do this at all; its `Capabilities` say so. A fault of the caller."""


class SeveralMembersError(LookupError):
    """More than one member answers to this: nobody is taken for another, so staff have to look."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a core can do beyond reading and posting.

    Args:
        holds: it reserves funds: `hold`, `post_hold`, `void_hold`.
        reversal: it undoes what it posted: `reverse`.
        loans: it lends, and takes repayments.
        payoff_quote: `payoff` of a loan is what closes it, not just what the schedule still asks.
        late_charges: it charges each day that an instalment is late.
        itf: it withholds the tax on both sides itself; else `tax` is zero.
        floors: an account may have a balance that it never goes below.
        remembers_refusals: `find` tells a refusal too, and a key that was refused for whatever
            reason stays refused. Else a refused key may be judged again.
        borrowers: it finds members by the day of an instalment.
        by_dni, by_phone: what else than our reference `find_member` takes.
        own_business_date: it has a day of its own, which may be behind ours: its loans stand as of
            that day, and an order is posted on the earlier of the two.
        pending_shown: what is held or waits at the core is taken off `available`.
    """

    holds: bool
    reversal: bool
    loans: bool
    payoff_quote: bool
    late_charges: bool
    itf: bool
    floors: bool
    remembers_refusals: bool
    borrowers: bool
    by_dni: bool
    by_phone: bool
    own_business_date: bool
    pending_shown: bool


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the core answers, and why not: in words for staff, without a secret in them."""

    well: bool
    reason: str = ""


class HoldState(StrEnum):
    """The life of a hold: pending, then one of the others, once."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Ledger(Protocol):
    """A core ledger. Reads raise `LedgerUnavailableError`; writes answer an `Outcome`."""

    def capabilities(self) -> Capabilities:
        """What it can do. Asks nobody, and never changes while a process runs."""

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        """A member by our reference, or by what else the capabilities name. Raises
        `SeveralMembersError`, and `NotOfferedError` where the core cannot be asked so."""

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """All open accounts of a member, savings first, in a fixed order. Unknown member: empty."""

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """The last movements of a savings account, newest first. Unknown account: empty."""

    def marked(self, account: str, since: dt.date, until: dt.date) -> Iterator[Marked]:
        """All that orders of ours did to a savings account, from one business date to another, both
        included. What was reversed is among it, the reversals are not. Unknown account: nothing.
        Raises `LedgerUnavailableError`, also part way: then nothing is known of the rest."""

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """The member's loans that are still owed."""

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """Members with a loan of which an instalment is due on that day, paid or not, by their
        `member_ref`, in its order: up to `limit` of those behind `after` (empty: the first).
        Raises `NotOfferedError` without that capability."""

    def tax(self, order: AnyOrder) -> Money:
        """What the source would pay beside the amount, for the screen that confirms."""

    def post(self, order: AnyOrder) -> Outcome:
        """Move money, at most once for the order's key. Raises `KeyReusedError`."""

    def find(self, order: AnyOrder) -> Done | Refused | None:
        """What became of an order's key; None where the core never decided on it, or does not
        remember its refusals and refused it. The rest of the order says where to look: not every
        core finds a key by itself. Raises `LedgerUnavailableError`: it cannot be said now."""

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """Reserve funds: the available balance falls, the balance does not. Raises
        `KeyReusedError`; the amount is above zero. This and the two below raise `NotOfferedError`
        where the core has no holds."""

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """Move held funds: the hold ends as `posted`, and `order` (its amount at most the hold's)
        is posted. Once. What the order leaves of the hold is free again."""

    def void_hold(self, key: uuid.UUID) -> HoldState:
        """Give held funds back. Answers the state that the hold is in now. Raises
        `NoSuchHoldError`, and `LedgerUnavailableError` where that cannot be said now."""

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        """Undo all of a posted order, once, linked to it. Refused `already_reversed`,
        `not_posted` or `insufficient_funds` (the other side has spent it). Raises
        `NotOfferedError` without that capability."""

    def health(self) -> Health:
        """How the core is now. Never raises."""
