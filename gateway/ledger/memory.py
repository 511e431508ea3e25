"""The in-memory twin: a core ledger that behaves as a remote one does, on a bad day too.

It has the rules of the own ledger and none of its reliability: answers get lost, arrive late, or
never. A plan of faults says which write meets which fault, so every run is the same. Nothing
sleeps.
"""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.ledger.arithmetic import (
    Allocation,
    OpenInstalment,
    allocate,
    itf_centimos,
    open_instalments,
)
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
    Movement,
    NoSuchHoldError,
    NotOfferedError,
    Outcome,
    PendingApproval,
    Person,
    Refused,
    Repayment,
    RepaymentMode,
    RetryLater,
    Transfer,
    Unknown,
    Withdrawal,
)
from gateway.ledger.schedule import Instalment
from gateway.values.dni import Dni
from gateway.values.money import ZERO, Money
from gateway.values.msisdn import Msisdn

LATE_S = 30  # how long a late write is under way


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
    by_phone=False,
    own_business_date=False,
    pending_shown=True,
)


class Fault(StrEnum):
    """What a write may meet."""

    NONE = "none"
    ANSWER_LOST = "answer_lost"  # it was decided, and nobody hears of it: Unknown
    NEVER_ARRIVED = "never_arrived"  # Unknown, and the core knows nothing of it
    LATE = "late"  # Unknown, and it is decided LATE_S after it was sent
    LATER = "later"  # RetryLater
    APPROVAL = "approval"  # PendingApproval, until `approve`


@dataclass(slots=True)
class _Account:
    code: str
    kind: AccountKind
    name: str
    member_ref: str
    floor: int
    balance: int = 0
    held: int = 0
    movements: list[Movement] = field(default_factory=list)

    @property
    def free(self) -> int:
        return 0 if self.kind is AccountKind.LOAN else self.balance - self.held - self.floor


@dataclass(slots=True)
class _Loan:
    schedule: tuple[Instalment, ...]
    disbursed_on: dt.date
    allocations: list[Allocation] = field(default_factory=list)

    def opened(self, on: dt.date) -> list[OpenInstalment]:
        return open_instalments(self.schedule, self.disbursed_on, self.allocations, on)


@dataclass(slots=True)
class _Hold:
    account: str
    amount: int
    expires_at: dt.datetime
    state: HoldState = HoldState.PENDING


@dataclass(slots=True)
class _Posting:
    """What a posted order changed, so that it can be undone."""

    reference: str
    changes: dict[str, int] = field(default_factory=dict)
    loan: str = ""
    allocations: Sequence[Allocation] = ()
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class _Decision:
    content: tuple[object, ...]
    outcome: Done | Refused
    posting: _Posting | None


_Act = Callable[[], tuple[Done | Refused, _Posting | None]]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A write that the core has not decided on. Without an arrival it waits for a person."""

    arrives_at: dt.datetime | None
    key: uuid.UUID
    content: tuple[object, ...]
    act: _Act


class MemoryLedger:
    """A remote core in one process. Implements `gateway.ledger.port.Ledger`.

    `away` set to true: reads raise, writes answer `RetryLater`, `health` says so.

    Args:
        now: the clock, aware.
        faults: what the writes meet, one each, in their order; after the last one nothing.
    """

    def __init__(self, now: Callable[[], dt.datetime], faults: Iterable[Fault] = ()) -> None:
        self.away = False
        self._now = now
        self._faults = iter(faults)
        self._lock = threading.RLock()
        self._names: dict[str, str] = {}
        self._by_dni: dict[str, str] = {}
        self._accounts: dict[str, _Account] = {}
        self._loans: dict[str, _Loan] = {}
        self._holds: dict[uuid.UUID, _Hold] = {}
        self._decisions: dict[uuid.UUID, _Decision] = {}
        self._under_way: list[_UnderWay] = []
        self._references = itertools.count(100_001)

    def capabilities(self) -> Capabilities:
        """See `Ledger.capabilities`."""
        return CAPABILITIES

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        """See `Ledger.find_member`."""
        with self._reading():
            if isinstance(who, Msisdn):
                raise NotOfferedError("the twin knows no phones")
            ref = self._by_dni.get(who.reveal(), "") if isinstance(who, Dni) else who
            name = self._names.get(ref)
            return Person(ref, name, active=True) if name else None

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """See `Ledger.accounts`."""
        with self._reading():
            own = [one for one in self._accounts.values() if one.member_ref == member_ref]
            own.sort(key=lambda one: one.kind is AccountKind.LOAN)
            return tuple(
                Account(one.code, one.kind, one.name, Money(one.balance), self._available(one))
                for one in own
            )

    def _available(self, account: _Account) -> Money:
        """What is free, less what waits for a person."""
        left = account.free
        for one in self._under_way:
            match one.content:
                case (_, account.code, _, Money(amount)) if one.arrives_at is None:
                    left -= amount
        return Money(left)

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """See `Ledger.movements`."""
        with self._reading():
            known = self._savings(account)
            return tuple(known.movements[::-1][:limit]) if known else ()

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """See `Ledger.loans`."""
        with self._reading():
            standing = (
                (self._accounts[code], loan.opened(business_date))
                for code, loan in self._loans.items()
            )
            return tuple(
                _status(account, opened, business_date)
                for account, opened in standing
                if account.member_ref == member_ref and opened
            )

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """See `Ledger.borrowers`."""
        with self._reading():
            owing = {
                self._accounts[code].member_ref
                for code, loan in self._loans.items()
                if any(instalment.due_on == due_on for instalment in loan.schedule)
            }
            return tuple(sorted(ref for ref in owing if ref > after)[:limit])

    def tax(self, order: AnyOrder) -> Money:
        """See `Ledger.tax`."""
        with self._reading():
            if isinstance(order, Transfer) and self._own(order):
                return ZERO
            return Money(itf_centimos(order.amount.centimos))

    def post(self, order: AnyOrder) -> Outcome:
        """See `Ledger.post`."""
        match order:
            case Transfer():
                content = ("transfer", order.source, order.target, order.amount)
                return self._write(order.key, content, lambda: self._transfer(order, 0))
            case Repayment():
                content = (order.mode, order.source, order.loan, order.amount)
                return self._write(order.key, content, lambda: self._repay(order))
            case Deposit() | Withdrawal():
                content = (type(order).__name__, order.account, "cash", order.amount)
                return self._write(order.key, content, lambda: self._over_the_counter(order))

    def find(self, order: AnyOrder) -> Done | Refused | None:
        """See `Ledger.find`."""
        with self._reading():
            decision = self._decisions.get(order.key)
            return _again(decision.outcome) if decision else None

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """See `Ledger.hold`."""
        return self._write(
            key,
            ("hold", account, amount),
            lambda: self._place(key, account, amount.centimos, expires_at),
        )

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """See `Ledger.post_hold`."""
        content = ("held_transfer", key, order.source, order.target, order.amount)
        return self._write(order.key, content, lambda: self._use_hold(key, order))

    def void_hold(self, key: uuid.UUID) -> HoldState:
        """See `Ledger.void_hold`."""
        with self._reading():
            hold = self._holds.get(key)
            if hold is None:
                raise NoSuchHoldError(str(key))
            if hold.state is HoldState.PENDING:
                self._end(hold, HoldState.VOIDED)
            return hold.state

    def expire_holds(self, now: dt.datetime, limit: int) -> int:
        """End up to `limit` holds that ran out by `now`; answer how many."""
        with self._reading():
            pending = (hold for hold in self._holds.values() if hold.state is HoldState.PENDING)
            due = [hold for hold in pending if hold.expires_at <= now][:limit]
            for hold in due:
                self._end(hold, HoldState.EXPIRED)
            return len(due)

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        """See `Ledger.reverse`."""
        return self._write(
            key, ("reversal", original.key), lambda: self._reverse(original.key, business_date)
        )

    def health(self) -> Health:
        """See `Ledger.health`."""
        return Health(well=False, reason="the core is away") if self.away else Health(well=True)

    def approve(self) -> None:
        """A person at the core says yes to everything that waits for one."""
        with self._lock:
            waiting = [one for one in self._under_way if one.arrives_at is None]
            self._arrive(waiting)

    # How a remote core is reached, and fails to be.

    def _reading(self) -> threading.RLock:
        """The lock, for one consistent read."""
        if self.away:
            raise LedgerUnavailableError("the core is away")
        with self._lock:
            now = self._now()
            self._arrive(
                [one for one in self._under_way if one.arrives_at and one.arrives_at <= now]
            )
        return self._lock

    def _write(self, key: uuid.UUID, content: tuple[object, ...], act: _Act) -> Outcome:
        if self.away:
            return RetryLater()
        with self._reading():
            fault = next(self._faults, Fault.NONE)
            match fault:
                case Fault.LATER:
                    return RetryLater()
                case Fault.NEVER_ARRIVED:
                    return Unknown()
                case Fault.LATE | Fault.APPROVAL:
                    late = fault is Fault.LATE
                    arrives_at = self._now() + dt.timedelta(seconds=LATE_S) if late else None
                    self._under_way.append(_UnderWay(arrives_at, key, content, act))
                    return Unknown() if late else PendingApproval()
                case _:
                    outcome = self._decide(key, content, act)
                    return Unknown() if fault is Fault.ANSWER_LOST else outcome

    def _arrive(self, arriving: Sequence[_UnderWay]) -> None:
        for one in arriving:
            self._under_way.remove(one)
            if one.key not in self._decisions:
                self._decide(one.key, one.content, one.act)

    def _decide(self, key: uuid.UUID, content: tuple[object, ...], act: _Act) -> Done | Refused:
        earlier = self._decisions.get(key)
        if earlier is None:
            outcome, posting = act()
            self._decisions[key] = _Decision(content, outcome, posting)
            return outcome
        if earlier.content != content:
            raise KeyReusedError
        return _again(earlier.outcome)

    # What a core decides.

    def _transfer(self, order: Transfer, released: int) -> tuple[Done | Refused, _Posting | None]:
        source, target = self._savings(order.source), self._savings(order.target)
        amount = order.amount.centimos
        if order.source == order.target:
            return Refused("same_account"), None
        if source is None or target is None:
            return Refused("no_such_account"), None
        own = source.member_ref == target.member_ref
        tax = 0 if own else itf_centimos(amount)
        if amount + tax > source.free + released:
            return Refused("insufficient_funds"), None
        posting = self._posting()
        day = order.business_date
        source_party = "" if own else self._names[target.member_ref]
        target_party = "" if own else self._names[source.member_ref]
        self._change(posting, source, -amount, "own" if own else "sent", day, source_party)
        self._change(posting, target, amount, "own" if own else "received", day, target_party)
        self._change(posting, source, -tax, "tax", day)
        self._change(posting, target, -tax, "tax", day)
        return Done(posting.reference, Money(tax), created=True), posting

    def _repay(self, order: Repayment) -> tuple[Done | Refused, _Posting | None]:
        source, account = self._savings(order.source), self._accounts.get(order.loan)
        if source is None or account is None or account.kind is not AccountKind.LOAN:
            return Refused("no_such_account"), None
        loan = self._loans[order.loan]
        opened = loan.opened(order.business_date)
        payoff = sum(one.payoff for one in opened)
        amount = order.amount.centimos
        tax = itf_centimos(amount)
        refusal = _why_not(order, payoff, amount + tax > source.free)
        if refusal:
            return Refused(refusal), None
        shares = allocate(opened, amount, order.business_date, pays_off=amount == payoff)
        posting = self._posting()
        posting.loan, posting.allocations = order.loan, shares
        loan.allocations.extend(shares)
        self._change(posting, source, -amount, "loan_payment", order.business_date)
        self._change(posting, source, -tax, "tax", order.business_date)
        scheduled = sum(share.centimos for share in shares if share.component != "late")
        self._change(posting, account, scheduled, "loan_payment", order.business_date)
        return Done(posting.reference, Money(tax), created=True), posting

    def _over_the_counter(self, order: CashOrder) -> tuple[Done | Refused, _Posting | None]:
        account = self._savings(order.account)
        if account is None:
            return Refused("no_such_account"), None
        tax = itf_centimos(order.amount.centimos)
        paid_in = isinstance(order, Deposit)
        change = order.amount.centimos if paid_in else -order.amount.centimos
        if not paid_in and tax - change > account.free:
            return Refused("insufficient_funds"), None
        posting = self._posting()
        kind = "deposit" if paid_in else "withdrawal"
        self._change(posting, account, change, kind, order.business_date)
        self._change(posting, account, -tax, "tax", order.business_date)
        return Done(posting.reference, Money(tax), created=True), posting

    def _place(
        self, key: uuid.UUID, code: str, amount: int, expires_at: dt.datetime
    ) -> tuple[Done | Refused, None]:
        account = self._savings(code)
        if account is None:
            return Refused("no_such_account"), None
        if amount > account.free:
            return Refused("insufficient_funds"), None
        account.held += amount
        self._holds[key] = _Hold(code, amount, expires_at)
        return Done(str(next(self._references)), ZERO, created=True), None

    def _use_hold(self, key: uuid.UUID, order: Transfer) -> tuple[Done | Refused, _Posting | None]:
        hold = self._holds.get(key)
        if hold is None or hold.state is not HoldState.PENDING or hold.account != order.source:
            return Refused("hold_not_pending"), None
        if order.amount.centimos > hold.amount:
            return Refused("over_hold"), None
        outcome, posting = self._transfer(order, hold.amount)
        if posting:
            self._end(hold, HoldState.POSTED)
        return outcome, posting

    def _reverse(
        self, original: uuid.UUID, business_date: dt.date
    ) -> tuple[Done | Refused, _Posting | None]:
        decision = self._decisions.get(original)
        undone = decision.posting if decision else None
        if decision is None or undone is None or decision.content[0] == "reversal":
            return Refused("not_posted"), None
        if undone.reversed:
            return Refused("already_reversed"), None
        changes = [(self._accounts[code], -change) for code, change in undone.changes.items()]
        for account, change in changes:
            if account.kind is AccountKind.SAVINGS and change < 0 and account.free + change < 0:
                return Refused("insufficient_funds"), None
        undone.reversed = True
        posting = self._posting()
        for account, change in changes:
            self._change(posting, account, change, "reversal", business_date)
        if undone.loan:
            self._loans[undone.loan].allocations.extend(
                Allocation(share.number, share.component, -share.centimos, business_date)
                for share in undone.allocations
            )
        return Done(posting.reference, ZERO, created=True), posting

    def _posting(self) -> _Posting:
        return _Posting(str(next(self._references)))

    def _change(
        self,
        posting: _Posting,
        account: _Account,
        centimos: int,
        kind: str,
        business_date: dt.date,
        party: str = "",
    ) -> None:
        if centimos == 0:
            return
        account.balance += centimos
        posting.changes[account.code] = posting.changes.get(account.code, 0) + centimos
        account.movements.append(
            Movement(self._now(), business_date, kind, Money(centimos), party, posting.reference)
        )

    def _end(self, hold: _Hold, state: HoldState) -> None:
        hold.state = state
        self._accounts[hold.account].held -= hold.amount

    def _savings(self, code: str) -> _Account | None:
        account = self._accounts.get(code)
        return account if account and account.kind is AccountKind.SAVINGS else None

    def _own(self, order: Transfer) -> bool:
        source, target = self._savings(order.source), self._savings(order.target)
        return bool(source and target and source.member_ref == target.member_ref)

    # Opening, as `postgres.office.LedgerOffice` does.

    def enrol_person(
        self, member_ref: str, dni: str, first_names: str, last_names: str, birth_date: dt.date
    ) -> bool:
        """A member of the cooperative. False: the member was there before."""
        del birth_date  # the core's own; nothing that the port asks needs it
        self._by_dni.setdefault(dni, member_ref)
        short_name = f"{first_names.split(' ')[0]} {last_names[0]}."
        return self._names.setdefault(member_ref, short_name) is short_name

    def open_savings(
        self,
        code: str,
        name: str,
        member_ref: str,
        opening: Money,
        business_date: dt.date,
        floor: Money = ZERO,
    ) -> bool:
        """A savings account with a balance from the books before. False: the code was taken."""
        if code in self._accounts:
            return False
        account = _Account(code, AccountKind.SAVINGS, name, member_ref, floor.centimos)
        self._accounts[code] = account
        self._change(self._posting(), account, opening.centimos, "opening", business_date)
        return True

    def open_loan(
        self,
        code: str,
        name: str,
        member_ref: str,
        schedule: Sequence[Instalment],
        disbursed_on: dt.date,
        business_date: dt.date,
        product: str = "personal",
        paid_instalments: int = 0,
        principal_to: str = "opening",
    ) -> bool:
        """A loan with its whole schedule. False: the code was taken."""
        del product  # the twin has one late rate and one order of allocation
        if code in self._accounts:
            return False
        account = _Account(code, AccountKind.LOAN, name, member_ref, floor=0)
        self._accounts[code] = account
        loan = self._loans[code] = _Loan(tuple(schedule), disbursed_on)
        for number, instalment in enumerate(schedule[:paid_instalments], start=1):
            loan.allocations += (
                Allocation(number, "principal", instalment.principal.centimos, instalment.due_on),
                Allocation(number, "interest", instalment.interest.centimos, instalment.due_on),
            )
        left = schedule[paid_instalments:]
        posting = self._posting()
        owed = sum(instalment.total.centimos for instalment in left)
        self._change(posting, account, -owed, "opening", business_date)
        if principal_to in self._accounts:
            receiver = self._accounts[principal_to]
            principal = sum(instalment.principal.centimos for instalment in left)
            self._change(posting, receiver, principal, "opening", business_date)
        return True


def _again(outcome: Done | Refused) -> Done | Refused:
    if isinstance(outcome, Done):
        return Done(outcome.reference, outcome.tax, created=False)
    return outcome


def _why_not(order: Repayment, payoff: int, too_little: bool) -> str | None:  # noqa: FBT001
    amount = order.amount.centimos
    if payoff == 0:
        return "nothing_owed"
    if order.mode is RepaymentMode.PAYOFF and amount != payoff:
        return "payoff_changed"
    if amount > payoff:
        return "over_payoff"
    return "insufficient_funds" if too_little else None


def _status(account: _Account, opened: Sequence[OpenInstalment], on: dt.date) -> LoanStatus:
    due = sum(one.late + one.scheduled for one in opened if one.due_on <= on)
    return LoanStatus(
        code=account.code,
        name=account.name,
        owed=Money(-account.balance),
        due=Money(due),
        late_charge=Money(sum(one.late for one in opened)),
        days_late=max(0, (on - opened[0].due_on).days),
        instalment=Money(due or opened[0].scheduled),
        instalment_due_on=opened[0].due_on,
        instalments_left=len(opened),
        payoff=Money(sum(one.payoff for one in opened)),
    )
