"""Whatever members order at once, of whatever operation, day, payee and level: no limit is passed
by one céntimo, and what counts as used is the sum of what was accepted."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.db.pool import Database
from gateway.instructions.orders import Instruction, Instructions, Result, State
from gateway.ledger.contract.cooperative import Office
from gateway.ledger.memory import Fault, MemoryLedger
from gateway.ledger.port import Ledger, Order, Repayment, RepaymentMode, Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import french
from gateway.values.money import Money
from tests.instructions.conftest import Clock, origin

SEND, PAY = "transfers.send", "loans.pay"
NOVEMBER_29, NOVEMBER_30, DECEMBER_1 = (
    dt.date(2026, 11, 29),
    dt.date(2026, 11, 30),
    dt.date(2026, 12, 1),
)
DAYS = (NOVEMBER_29, NOVEMBER_30, DECEMBER_1)
CHANNELS = ("africastalking", "infobip")
THREADS = 6
_numbers = itertools.count(1)

Approve = Callable[[], object]  # somebody at the core approves what waits for it


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of limits, in céntimos, from the first day on."""

    operation: str
    channel: str
    level: str
    per_operation: int
    per_day: int
    per_month: int | None


# Small enough that a few orders fill each of them.
RULES = (
    Rule(SEND, "any", "normal", 100, 220, 300),
    Rule(SEND, "infobip", "normal", 90, 200, 280),
    Rule(SEND, "any", "careful", 60, 120, 300),
    Rule(SEND, "any", "new_payee", 70, 110, None),
    Rule(PAY, "any", "normal", 120, 240, 300),
)


@dataclass(frozen=True, slots=True)
class Step:
    """An order that somebody gives: `payee` 0 is paid since long ago, 1 and 2 are new, 3 is the
    member's own other account, 4 is nobody's. `end` is what the member does about it afterwards."""

    member: int
    operation: str
    payee: int
    centimos: int
    day: int
    channel: str
    end: str


STEPS = st.lists(
    st.builds(
        Step,
        member=st.integers(0, 1),
        operation=st.sampled_from([SEND, SEND, SEND, PAY]),
        payee=st.sampled_from([0, 0, 1, 1, 2, 3, 4]),
        centimos=st.one_of(st.integers(1, 130), st.sampled_from([50, 60, 70, 90, 100])),
        day=st.sampled_from([0, 0, 1, 1, 1, 2]),
        channel=st.sampled_from(CHANNELS),
        end=st.sampled_from(["", "", "repeat", "close"]),
    ),
    min_size=8,
    max_size=24,
)
LEVELS = st.tuples(*[st.sampled_from(["normal", "normal", "careful", "look_only"])] * 2)
FAULTS = st.lists(st.sampled_from([*Fault, Fault.NONE, Fault.NONE]), max_size=12)


class Round:
    """Two members of a round's own, with little money, their payees and their loans."""

    def __init__(self, office: Office, clock: Clock, levels: Sequence[str]) -> None:
        self.number = next(_numbers)
        self.levels = levels
        self.members = [self._name(f"m{n}") for n in range(2)]
        self.payees = [self._name(f"p{n}") for n in range(3)]
        self.clock = clock
        for place, ref in enumerate((*self.members, *self.payees)):
            dni = f"{10 * self.number + place:08d}"
            office.enrol_person(ref, dni, "Rosa", "Quispe", dt.date(1980, 5, 17))
            office.open_savings(f"{ref}-a", "Ahorro", ref, Money(700), NOVEMBER_29)
        due = NOVEMBER_29 + dt.timedelta(days=31)
        for ref in self.members:
            office.open_savings(f"{ref}-b", "Ahorro", ref, Money(700), NOVEMBER_29)
            plan = french(Money(100_00), 300_000, due, 4)
            office.open_loan(f"{ref}-l", "Credito", ref, plan, NOVEMBER_29, NOVEMBER_29)

    def _name(self, of: str) -> str:
        return f"r{self.number}-{of}"

    def set_out(
        self, owner: psycopg.Connection[Any], instructions: Instructions, approve: Approve
    ) -> None:
        """Each has paid the first payee long ago, and is at their level now."""
        now = self.clock()
        self.clock.now = now - dt.timedelta(days=40)
        for ref in self.members:
            key = uuid.uuid4()
            first = Transfer(key, f"{ref}-a", f"{self.payees[0]}-a", Money(1), self.clock().date())
            while instructions.carry_out(self._order(first, SEND, ref, 0, "infobip")).state in (
                State.ACCEPTED,
                State.UNKNOWN,
            ):
                self.clock.pass_seconds(60)
                approve()
                instructions.reconcile(100)
        self.clock.now = now
        for ref, level in zip(self.members, self.levels, strict=True):
            if level != "normal":
                until = now + dt.timedelta(days=1)
                owner.execute(
                    "select instructions.be_careful(%s, 'pin_changed', %s, %s, %s)",
                    (ref, level, until, now),
                )

    def instruction(self, step: Step) -> Instruction:
        ref, key, day = self.members[step.member], uuid.uuid4(), DAYS[step.day]
        amount = Money(step.centimos)
        if step.operation == PAY:
            order: Order = Repayment(key, f"{ref}-a", f"{ref}-l", amount, RepaymentMode.PART, day)
            return self._order(order, PAY, ref, None, step.channel)
        targets = [*(f"{payee}-a" for payee in self.payees), f"{ref}-b", "nobodys"]
        order = Transfer(key, f"{ref}-a", targets[step.payee], amount, day)
        return self._order(order, SEND, ref, step.payee, step.channel)

    def _order(
        self, order: Order, operation: str, ref: str, payee: int | None, channel: str
    ) -> Instruction:
        whose = [*self.payees, ref, ""]
        return Instruction(
            key=order.key,
            operation=operation,
            member_ref=ref,
            counterparty_ref="" if payee is None else whose[payee],
            order=order,
            again_ok=True,
            origin=origin(channel=channel),
        )


def carried_out(instructions: Instructions, given: Instruction, end: str) -> Result:
    """Give an order; and again, or close it, as members and the gateway do at the same moment."""
    result = instructions.carry_out(given)
    if end == "repeat":
        return instructions.carry_out(given)
    if end == "close":
        return instructions.close(given.key)
    return result


@contextmanager
def small_limits(owner: psycopg.Connection[Any]) -> Iterator[None]:
    for rule in RULES:
        owner.execute(
            "insert into instructions.limit_rule (operation, channel, level, effective_on,"
            " per_operation_centimos, per_day_centimos, per_month_centimos, reason, asked_by,"
            " asked_at) values (%s, %s, %s, '2026-01-01', %s, %s, %s, 'small', 'ana', now())",
            (
                rule.operation,
                rule.channel,
                rule.level,
                rule.per_operation,
                rule.per_day,
                rule.per_month,
            ),
        )
    yield


class Judge:
    """Knows the limits by a way of its own, and counts what was accepted."""

    def __init__(self, run: Round, steps: Sequence[Step], results: Sequence[Result]) -> None:
        self.run = run
        live = (State.POSTED, State.ACCEPTED, State.UNKNOWN)
        self.taken = [
            step
            for step, result in zip(steps, results, strict=True)
            if result.state in live and not (step.operation == SEND and step.payee == 3)
        ]

    def sums(self, by: Callable[[Step], Any]) -> dict[Any, int]:
        sums: dict[Any, int] = defaultdict(int)
        for step in self.taken:
            sums[by(step)] += step.centimos
        return sums

    def rules(self, operation: str, member: int, channel: str) -> list[Rule]:
        levels = {"normal", self.run.levels[member]}
        return [
            rule
            for rule in RULES
            if rule.operation == operation
            and rule.channel in ("any", channel)
            and rule.level in levels
        ]

    def no_limit_is_passed(self) -> None:
        assert not [step for step in self.taken if self.run.levels[step.member] == "look_only"]
        for step in self.taken:
            rules = self.rules(step.operation, step.member, step.channel)
            assert step.centimos <= min(rule.per_operation for rule in rules)
            if new(step):
                assert step.centimos <= 70
        by_day = self.sums(lambda step: (step.operation, step.member, step.day))
        for (operation, member, _), used in by_day.items():
            assert used <= min(rule.per_day for rule in self.rules(operation, member, "any"))
        by_month = self.sums(lambda step: (step.operation, step.member, DAYS[step.day].month))
        for (operation, member, _), used in by_month.items():
            rules = self.rules(operation, member, "any")
            assert used <= min(rule.per_month for rule in rules if rule.per_month)
        by_channel = self.sums(lambda step: (step.operation, step.member, step.day, step.channel))
        for (operation, member, _, channel), used in by_channel.items():
            assert used <= min(rule.per_day for rule in self.rules(operation, member, channel))
        to_new = self.sums(lambda step: (step.member, step.day, new(step)))
        assert all(used <= 110 for (_, _, is_new), used in to_new.items() if is_new)

    def usage(self) -> dict[tuple[str, str, dt.date], tuple[int, int]]:
        """What ought to be counted: in all, and to new payees (a loan has none)."""
        counted: dict[tuple[str, str, dt.date], tuple[int, int]] = {}
        for step in self.taken:
            name = (self.run.members[step.member], step.operation, DAYS[step.day])
            used, to_new = counted.get(name, (0, 0))
            more = step.centimos if new(step) else 0
            counted[name] = (used + step.centimos, to_new + more)
        return counted


def new(step: Step) -> bool:
    """Whether it goes to somebody whom the member had not paid a day before."""
    return step.operation == SEND and step.payee in (1, 2, 4)


def played(
    owner: psycopg.Connection[Any],
    instructions: Instructions,
    run: Round,
    steps: Sequence[Step],
    approve: Approve,
) -> None:
    run.set_out(owner, instructions, approve)
    orders = [run.instruction(step) for step in steps]
    with ThreadPoolExecutor(THREADS) as threads:
        list(
            threads.map(
                lambda one: carried_out(instructions, one[0], one[1].end),
                zip(orders, steps, strict=True),
            )
        )
    edges = filled_up(instructions, run)
    orders, steps = [*orders, *edges], [*steps, *edges.values()]
    judged(owner, instructions, run, orders, steps)
    for _ in range(4):  # until the core has given its last word on every order
        run.clock.pass_seconds(60)
        approve()
        instructions.reconcile(100)
    judged(owner, instructions, run, orders, steps)


def filled_up(instructions: Instructions, run: Round) -> dict[Instruction, Step]:
    """Use up what is left to the last céntimo, one céntimo more being refused; so that the judge
    sees every limit where it is full."""
    given: dict[Instruction, Step] = {}
    cases = itertools.product(range(2), (1, 2), ((SEND, 1), (SEND, 0), (PAY, 4)), CHANNELS)
    for member, day, (operation, payee), channel in cases:
        left = instructions.limits.room(
            operation,
            run.members[member],
            run.payees[payee] if operation == SEND else "",
            channel,
            DAYS[day],
        ).left.centimos
        for centimos in (left + 1, left):
            if centimos == 0:
                continue
            step = Step(member, operation, payee, centimos, day, channel, "")
            order = run.instruction(step)
            given[order] = step
            beyond = instructions.carry_out(order).code in ("over_limit", "look_only")
            assert beyond == (centimos > left)
    return given


def judged(
    owner: psycopg.Connection[Any],
    instructions: Instructions,
    run: Round,
    orders: Sequence[Instruction],
    steps: Sequence[Step],
) -> None:
    became = [instructions.became(order.key, order.member_ref) for order in orders]
    results = [result for result in became if result]
    assert len(results) == len(steps)
    judge = Judge(run, steps, results)
    judge.no_limit_is_passed()
    rows = owner.execute(
        "select member_ref, operation, business_date, used_centimos, new_payee_centimos"
        " from instructions.usage"
        " where member_ref = any(%s) and business_date >= %s and used_centimos > 0",
        (run.members, NOVEMBER_29),
    )
    found = {
        (ref, operation, on): (used, to_new if operation == SEND else 0)
        for ref, operation, on, used, to_new in rows
    }
    assert found == judge.usage()
    assert owner.execute("select * from instructions.usage_differing()").fetchall() == []


@pytest.mark.parametrize("core", ["own", "remote"])
def test_no_limit_is_passed_by_one_centimo(
    owner: psycopg.Connection[Any], database: Database, core: str
) -> None:
    clock = Clock()
    clock.now = dt.datetime(2026, 11, 30, 4, 59, 30, tzinfo=dt.UTC)  # half a minute to midnight

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(steps=STEPS, levels=LEVELS, faults=FAULTS)
    def holds(steps: list[Step], levels: tuple[str, str], faults: list[Fault]) -> None:
        office: Office
        approve: Approve
        if core == "own":
            ledger: Ledger = PostgresLedger(database)
            office, approve = LedgerOffice(owner), bool
        else:
            remote = MemoryLedger(clock, faults)
            ledger, office, approve = remote, remote, remote.approve
        instructions = Instructions(database, ledger, clock, same_database=core == "own")
        played(owner, instructions, Round(office, clock, levels), steps, approve)

    with small_limits(owner):
        holds()
