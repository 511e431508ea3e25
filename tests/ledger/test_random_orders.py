"""Whatever members ask, in whatever order: the books add up, and both ledgers say the same."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger.contract.cooperative import Office
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.port import Done, Ledger, Outcome, Repayment, RepaymentMode, Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import french, single
from gateway.values.money import Money

DAY = dt.date(2026, 1, 15)
NEVER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Step:
    """Something a member or the staff asks, on a day. `pick` chooses among what was done before."""

    what: str
    source: int
    target: int
    centimos: int
    pick: int
    days: int


STEPS = st.lists(
    st.builds(
        Step,
        what=st.sampled_from(
            ["send", "send", "pay", "pay", "payoff", "hold", "use", "void", "reverse", "again"]
        ),
        source=st.integers(0, 2),
        target=st.integers(0, 2),
        centimos=st.one_of(st.integers(1, 300_00), st.sampled_from([999_99, 1_000_00, 2_000_00])),
        pick=st.integers(0, 30),
        days=st.integers(0, 40),
    ),
    max_size=25,
)


class Run:
    """The same steps over one ledger, with the same keys as over the other."""

    def __init__(self, ledger: Ledger, office: Office, number: int) -> None:
        self.ledger = ledger
        self.members = [f"m{number}-rosa", f"m{number}-elmer"]
        self.savings = [f"s{number}-{n}" for n in range(3)]
        self.loans = [f"l{number}-{n}" for n in range(2)]
        self.day = DAY
        self.orders: list[Transfer | Repayment] = []
        self.asked: list[Transfer | Repayment] = []  # without those that used a hold
        self.holds: list[uuid.UUID] = []
        for place, (ref, name) in enumerate(zip(self.members, ("Rosa", "Elmer"), strict=True)):
            office.enrol_person(ref, f"{2 * number + place:08d}", name, "Quispe Huamán", DAY)
        for place, code in enumerate(self.savings):
            office.open_savings(code, "Ahorro", self.members[place // 2], Money(2_500_00), DAY)
        month = DAY + dt.timedelta(days=31)
        office.open_loan(
            self.loans[0], "c", self.members[0], french(Money(900_00), 300_000, month, 4), DAY, DAY
        )
        office.open_loan(
            self.loans[1],
            "h",
            self.members[1],
            single(Money(700_00), 300_000, DAY, month),
            DAY,
            DAY,
        )

    def take(self, step: Step, key: uuid.UUID) -> Outcome | str | None:
        self.day += dt.timedelta(days=step.days)
        return self._steps()[step.what](step, key)

    def _steps(self) -> dict[str, Callable[[Step, uuid.UUID], Outcome | str | None]]:
        return {
            "send": self._send,
            "pay": self._pay,
            "payoff": self._pay_off,
            "hold": self._hold,
            "use": self._use,
            "void": self._void,
            "reverse": self._reverse,
            "again": self._again,
        }

    def _transfer(self, step: Step, key: uuid.UUID) -> Transfer:
        source, target = self.savings[step.source], self.savings[step.target]
        return Transfer(key, source, target, Money(step.centimos), self.day)

    def _post(self, order: Transfer | Repayment) -> Outcome:
        self.orders.append(order)
        self.asked.append(order)
        return self.ledger.post(order)

    def _send(self, step: Step, key: uuid.UUID) -> Outcome:
        return self._post(self._transfer(step, key))

    def _pay(self, step: Step, key: uuid.UUID) -> Outcome:
        loan, amount = self.loans[step.target % 2], Money(step.centimos)
        source = self.savings[step.source]
        return self._post(Repayment(key, source, loan, amount, RepaymentMode.PART, self.day))

    def _pay_off(self, step: Step, key: uuid.UUID) -> Outcome | None:
        place = step.target % 2
        loans = self.ledger.loans(self.members[place], self.day)
        if not loans:
            return None
        source, mode = self.savings[step.source], RepaymentMode.PAYOFF
        return self._post(
            Repayment(key, source, self.loans[place], loans[0].payoff, mode, self.day)
        )

    def _hold(self, step: Step, key: uuid.UUID) -> Outcome:
        outcome = self.ledger.hold(key, self.savings[step.source], Money(step.centimos), NEVER)
        if isinstance(outcome, Done):
            self.holds.append(key)
        return outcome

    def _use(self, step: Step, key: uuid.UUID) -> Outcome | None:
        if not self.holds:
            return None
        order = self._transfer(step, key)
        self.orders.append(order)
        return self.ledger.post_hold(self.holds[step.pick % len(self.holds)], order)

    def _void(self, step: Step, _: uuid.UUID) -> str | None:
        return (
            self.ledger.void_hold(self.holds[step.pick % len(self.holds)]) if self.holds else None
        )

    def _reverse(self, step: Step, key: uuid.UUID) -> Outcome | None:
        if not self.orders:
            return None
        return self.ledger.reverse(key, self.orders[step.pick % len(self.orders)], self.day)

    def _again(self, step: Step, _: uuid.UUID) -> Outcome | None:
        """A repeat, on a later day, of what was asked before."""
        return self.ledger.post(self.asked[step.pick % len(self.asked)]) if self.asked else None

    def standing(self) -> list[object]:
        return [
            (self.ledger.accounts(ref), self.ledger.loans(ref, self.day)) for ref in self.members
        ]


def _comparable(outcome: Outcome | str | None) -> object:
    """Each ledger counts its own references."""
    return (outcome.tax, outcome.created) if isinstance(outcome, Done) else outcome


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_the_books_add_up_and_the_twin_agrees(
    ledger: PostgresLedger, office: LedgerOffice, steps: list[Step]
) -> None:
    """One database for all examples: each has members of its own."""
    number = next(_numbers)
    twin = MemoryLedger(lambda: NEVER)
    runs = (Run(ledger, office, number), Run(twin, twin, number))
    for step in steps:
        key = uuid.uuid4()
        own, twins = (run.take(step, key) for run in runs)
        assert _comparable(own) == _comparable(twins), step
        assert runs[0].standing() == runs[1].standing(), step
    found = ledger.verify()
    assert found["ok"], found
    assert found["sum_centimos"] == 0


def test_everything_at_once_from_8_threads_never_deadlocks(
    ledger: PostgresLedger, office: LedgerOffice
) -> None:
    """A deadlock would reach us as psycopg's error: PostgreSQL ends one of the two."""
    run = Run(ledger, office, next(_numbers))
    kinds = ("send", "pay", "hold", "use", "void", "reverse", "again", "expire")

    def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a plan, not a secret
        for _ in range(40):
            what = chance.choice(kinds)
            if what == "expire":
                ledger.expire_holds(NEVER, limit=5)
                continue
            step = Step(
                what,
                chance.randrange(3),
                chance.randrange(3),
                chance.randrange(1, 100_00),
                chance.randrange(30),
                days=0,
            )
            run.take(step, uuid.uuid4())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    found = ledger.verify()
    assert found["ok"], found
