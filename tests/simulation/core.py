"""A remote core ledger with a plan of faults, and trouble on the way to it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from gateway.bounds import CORE_BUDGET_MS
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import InTurn
from gateway.core.patience import Patience
from gateway.core.patient import Care
from gateway.ledger.memory import CAPABILITIES, Fault, MemoryLedger
from gateway.ledger.port import (
    Account,
    AnyOrder,
    Capabilities,
    Done,
    Health,
    HoldState,
    Ledger,
    LedgerUnavailableError,
    LoanStatus,
    Marked,
    Movement,
    Order,
    Outcome,
    Person,
    Refused,
    Repayment,
    RetryLater,
    Transfer,
)
from gateway.values.dni import Dni
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn
from tests.simulation.history import Books
from tests.simulation.members import Member
from tests.simulation.world import World

_T = TypeVar("_T")

_FAULTS = (Fault.ANSWER_LOST, Fault.NEVER_ARRIVED, Fault.LATE, Fault.LATER, Fault.APPROVAL)


class WatchedLedger(MemoryLedger):
    """The memory twin, which notes what it posts at the moment when it does."""

    def __init__(self, world: World) -> None:
        super().__init__(world.now, _planned(world))
        self._world = world
        self.posted: list[str] = []

    def _transfer(self, order: Transfer, released: int) -> tuple[Done | Refused, object]:  # type: ignore[override]
        if self._world.happens(self._world.weather.core_refuses):
            self._world.note("core refuses", "core")
            return Refused("no_such_account"), None
        outcome, posting = super()._transfer(order, released)
        self._note(order, order.target, outcome, loan=False)
        return outcome, posting

    def _repay(self, order: Repayment) -> tuple[Done | Refused, object]:  # type: ignore[override]
        outcome, posting = super()._repay(order)
        self._note(order, order.loan, outcome, loan=True)
        return outcome, posting

    def _note(self, order: Order, target: str, outcome: Done | Refused, *, loan: bool) -> None:
        if not isinstance(outcome, Done):
            return
        key = str(order.key)
        self.posted.append(key)
        self._world.posted(
            key,
            (order.source, target),
            order.amount.centimos,
            outcome.tax.centimos,
            outcome.reference,
            loan=loan,
        )


class _NeverShut(CoreBreaker):
    """The weather decides when the core is away, and no memory of an earlier run."""

    def failed(self) -> None:
        """See `CoreBreaker.failed`."""


def in_virtual_time() -> Care:
    """Without threads, and without a clock: how long the core takes is the run's own time."""
    return Care(InTurn(), InTurn(), Patience(CORE_BUDGET_MS, lambda: 0), _NeverShut())


def _planned(world: World) -> Iterator[Fault]:
    """What each write meets."""
    while True:
        fault = Fault.NONE
        if world.happens(world.weather.core):
            fault = world.chance.choice(_FAULTS)
            world.note(f"core {fault}", "core")
        yield fault


class SimCore:
    """The way to the run's remote core. Implements `gateway.ledger.port.Ledger`."""

    world: World
    core: WatchedLedger

    def enter(self, world: World) -> WatchedLedger:
        """A run begins, with a core that knows nobody."""
        self.world = world
        self.core = WatchedLedger(world)
        return self.core

    @property
    def ledger(self) -> Ledger:
        """What stands in the gateway's parts."""
        return self

    def live(self) -> None:
        """Nobody is there."""

    def clear_up(self) -> None:
        """Its trouble is that of the world's weather."""

    def approve(self) -> None:
        """A person there says yes to everything that waits for one."""
        self.core.approve()

    def fill(self, books: Books, members: list[Member]) -> None:
        """What lies in its books now."""
        books.keys = [*self.core.posted]
        for member in members:
            for account in self.core.accounts(member.ref):
                if account.code == member.account:
                    books.balances[account.code] = account.balance.centimos

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        return self._asked("accounts", lambda: self.core.accounts(member_ref))

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        return self._asked("movements", lambda: self.core.movements(account, limit))

    def marked(self, account: str, since: dt.date, until: dt.date) -> Iterator[Marked]:
        return self._asked("marked", lambda: self.core.marked(account, since, until))

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        return self._asked("loans", lambda: self.core.loans(member_ref, business_date))

    def tax(self, order: AnyOrder) -> Money:
        return self._asked("tax", lambda: self.core.tax(order))

    def find(self, order: AnyOrder) -> Done | Refused | None:
        return self._asked("find", lambda: self.core.find(order))

    def post(self, order: AnyOrder) -> Outcome:
        self.world.step("before post")
        outcome = RetryLater() if self._away("post") else self.core.post(order)
        self.world.step("after post")
        return outcome

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        return self.core.hold(key, account, amount, expires_at)

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        return self.core.post_hold(key, order)

    def void_hold(self, key: uuid.UUID) -> HoldState:
        return self.core.void_hold(key)

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        return self.core.reverse(key, original, business_date)

    def health(self) -> Health:
        return self.core.health()

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        return self._asked("find_member", lambda: self.core.find_member(who))

    def _asked(self, what: str, read: Callable[[], _T]) -> _T:
        self.world.step(f"before {what}")
        if self._away(what):
            raise LedgerUnavailableError("simulated: the core is away")
        answer = read()
        self.world.step(f"after {what}")
        return answer

    def _away(self, what: str) -> bool:
        world = self.world
        if world.about() is None or not world.happens(world.weather.core_away):
            return False
        world.note("core away", "core", what)
        return True
