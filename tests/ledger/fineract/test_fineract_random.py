"""Whatever goes wrong on the way to Fineract, and however often it is tried again: each movement is
in its books at most once, exactly once when `Done` was said, never when `Refused` was."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.contract.cooperative import (
    ELMERS,
    ELMERS_HARVEST,
    ELMERS_LOAN,
    ROSAS,
    ROSAS_LOAN,
    SEGUNDOS,
    TODAY,
    found,
)
from gateway.ledger.contract.suite import deposit, repayment, transfer, withdrawal
from gateway.ledger.fineract.adapter import FineractLedger
from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import BLOCKED, NOTHING
from gateway.ledger.port import (
    AnyOrder,
    Deposit,
    Done,
    LedgerUnavailableError,
    Outcome,
    Refused,
    Repayment,
    Withdrawal,
)
from tests.ledger.fineract.conftest import connected

SAVINGS = (ROSAS, SEGUNDOS, ELMERS, ELMERS_HARVEST)
LOANS = (ROSAS_LOAN, ELMERS_LOAN)
FAULTS = [fault for fault in Fault if fault is not Fault.SLOW]
TRIES_AT_LAST = 5  # more than an order has keys


@dataclass(frozen=True)
class Step:
    """Something that happens. `pick` chooses among the orders so far."""

    what: str
    source: int
    target: int
    centimos: int
    pick: int
    faults: tuple[Fault | None, ...]


STEPS = st.lists(
    st.builds(
        Step,
        what=st.sampled_from(
            ["send", "send", "pay", "cash in", "cash out"]
            + ["again"] * 5
            + ["find", "arrive", "approve", "block", "unblock", "next day", "day before"]
        ),
        source=st.integers(0, 3),
        target=st.integers(0, 3),
        centimos=st.one_of(st.integers(1, 100_00), st.sampled_from([310_00, 481_06, 3_013_15])),
        pick=st.integers(0, 30),
        faults=st.lists(st.one_of(st.none(), st.sampled_from(FAULTS)), min_size=1, max_size=4).map(
            tuple
        ),
    ),
    max_size=20,
)


@dataclass
class Run:
    """One stand-in, the orders given to it, and all that was said of each."""

    standin: StandIn
    ledger: FineractLedger
    orders: list[AnyOrder] = field(default_factory=list)
    said: dict[AnyOrder, list[Outcome]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Do what the step says."""
        world = self.standin.world
        match step.what:
            case "arrive":
                self.standin.double.arrive()
            case "approve":
                self.standin.double.commands.approve()
            case "block" | "unblock":
                wanted = BLOCKED if step.what == "block" else NOTHING
                list(world.savings.values())[step.source].sub_status = wanted
            case "next day":
                world.business_date += dt.timedelta(days=1)
            case "day before":
                world.business_date = TODAY - dt.timedelta(days=1)
            case "again" | "find":
                self._again(step)
            case _:
                self._post(self._order(step), step.faults)

    def settle(self) -> None:
        """The weather clears: every order is tried until nothing new is learnt."""
        self.standin.plan.forget()
        self.standin.double.arrive()
        for order in self.orders:
            for _ in range(TRIES_AT_LAST):
                self._post(order, ())

    def times(self, order: AnyOrder) -> int:
        """How often an order is in the books."""
        world = self.standin.world
        lines = [line for account in world.savings.values() for line in account.lines]
        said = [one.description for one in world.transfers] + [line.receipt for line in lines]
        return sum(order.key.hex in text for text in said)

    def _again(self, step: Step) -> None:
        if not self.orders:
            return
        order = self.orders[step.pick % len(self.orders)]
        if step.what == "again":
            self._post(order, step.faults)
            return
        try:
            outcome = self.ledger.find(order)
        except LedgerUnavailableError:
            return
        if outcome is not None:
            self.said[order].append(outcome)

    def _post(self, order: AnyOrder, faults: tuple[Fault | None, ...]) -> None:
        if order not in self.said:
            self.orders.append(order)
            self.said[order] = []
        self.standin.plan.plan(faults)
        self.said[order].append(self.ledger.post(order))
        self.standin.plan.forget()

    def _order(self, step: Step) -> AnyOrder:
        source, centimos = SAVINGS[step.source], step.centimos
        match step.what:
            case "send":
                return transfer(source, SAVINGS[step.target], centimos)
            case "pay":
                return repayment(source, LOANS[step.target % 2], centimos)
            case "cash in":
                return deposit(source, centimos)
            case _:
                return withdrawal(source, centimos)


@contextmanager
def begun() -> Iterator[Run]:
    """A stand-in with the cooperative of the contract."""
    with StandIn(TODAY) as standin:
        found(standin.world)
        ledger = connected(standin)
        try:
            yield Run(standin, ledger)
        finally:
            ledger.close()


def total(run: Run) -> int:
    """All money: what is saved, what went to loans and over the counter, as if it never had."""
    centimos = sum(account.balance for account in run.standin.world.savings.values())
    for order in run.orders:
        moved = order.amount.centimos * run.times(order)
        if isinstance(order, Repayment | Withdrawal):
            centimos += moved
        elif isinstance(order, Deposit):
            centimos -= moved
        else:
            continue
    return centimos


def judge(run: Run) -> None:
    """What was promised, of every order."""
    for order, said in run.said.items():
        times = run.times(order)
        done = any(isinstance(outcome, Done) for outcome in said)
        refused = any(isinstance(outcome, Refused) for outcome in said)
        assert times <= 1, (order, said)
        assert not (done and times == 0), (order, said)
        assert not (refused and times), (order, said)
        assert sum(isinstance(one, Done) and one.created for one in said) <= 1, (order, said)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_each_movement_at_most_once_and_as_it_was_said(steps: list[Step]) -> None:
    with begun() as run:
        before = total(run)
        for step in steps:
            run.take(step)
            judge(run)
        run.settle()
        judge(run)
        assert total(run) == before


def test_each_fault_twice_in_a_row_ends_as_it_was_said() -> None:
    """Every pair of faults, without waiting for chance to find it."""
    with begun() as run:
        before = total(run)
        for pair in itertools.combinations_with_replacement([None, *FAULTS], 2):
            step = Step("send", 3, 1, 1, 0, pair)
            run.take(step)
            run.take(replace(step, what="again", pick=len(run.orders) - 1, faults=pair[::-1]))
        run.settle()
        judge(run)
        assert total(run) == before
        # Nobody waits for ever but those whose key is stuck, or who wait for a person.
        ended = sum(isinstance(said[-1], Done | Refused) for said in run.said.values())
        assert ended >= len(run.orders) // 2
