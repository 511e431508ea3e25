"""Limits as rows: which hold for an order, what they let through, what a refusal says of them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from gateway.bounds import NEW_PAYEE_S
from gateway.db.pool import Database
from gateway.instructions.limits import Bound, Room
from gateway.instructions.orders import Result, State
from gateway.instructions.rules import Ceiling, Level, Made, Rule, RuleRefusedError, Rules
from gateway.ledger.contract.cooperative import (
    ELMER,
    ELMERS,
    ELMERS_HARVEST,
    ROSA,
    ROSAS,
    SEGUNDO,
    SEGUNDOS,
    TODAY,
)
from gateway.ledger.memory import LATE_S, Fault, MemoryLedger
from gateway.ledger.port import Transfer
from gateway.values.money import ZERO, Money
from tests.instructions.conftest import Clock, Counter, Used, origin
from tests.instructions.test_remote_core import over

SEND = "transfers.send"
TOMORROW = TODAY + dt.timedelta(days=1)
YESTERDAY = TODAY - dt.timedelta(days=1)
LAST_OF_NOVEMBER, FIRST_OF_DECEMBER = dt.date(2026, 11, 30), dt.date(2026, 12, 1)
NOW = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)


@pytest.fixture
def office(database_urls: tuple[str, str]) -> Iterator[Database]:
    """The staff's way in: signed in as the owner."""
    with Database(database_urls[0], 2) as database:
        database.open()
        yield database


@pytest.fixture
def ana(office: Database) -> Rules:
    return Rules(office, TODAY, NOW, "ana")


@pytest.fixture
def berta(office: Database) -> Rules:
    return Rules(office, TODAY, NOW, "berta")


def rule(
    per_operation: int | None = 2_000_00,
    per_day: int | None = 3_300_00,
    per_month: int | None = 15_000_00,
    *,
    operation: str = SEND,
    channel: str = "any",
    level: Level = Level.NORMAL,
    on: dt.date = TODAY,
) -> Rule:
    def money(centimos: int | None) -> Money | None:
        return None if centimos is None else Money(centimos)

    bounds = money(per_operation), money(per_day), money(per_month)
    return Rule(operation, channel, level, on, *bounds, "because")


def ceiling(per_operation: str | None, *, on: dt.date, binding: bool = True) -> Ceiling:
    uit = Decimal(per_operation) if per_operation else None
    per_month = Decimal("2.8") if binding else None
    return Ceiling(SEND, on, uit, None, per_month, binding, "a new resolution")


def both(rules: Rules, other: Rules, made: Made) -> None:
    """What raises a limit holds when a second person agrees."""
    assert not made.holds
    assert other.approve(made.number)


def ran_into(bound: str, limit: int, left: int) -> dict[str, object]:
    return {"bound": bound, "limit": Money(limit), "remaining": Money(left)}


def refused(result: Result) -> tuple[str, dict[str, object]]:
    assert result.state is State.REFUSED
    return result.code, dict(result.values)


def be_careful(owner: psycopg.Connection[Any], member: str, level: str, until: dt.datetime) -> None:
    owner.execute(
        "select instructions.be_careful(%s, 'pin_changed', %s, %s, %s)", (member, level, until, NOW)
    )


class TestRules:
    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            (rule(3_300_01), "above the legal ceiling"),
            (rule(1, 1, 15_400_01), "above the legal ceiling"),
            (rule(3_300_01, None, None, level=Level.CAREFUL), "above the legal ceiling"),
            (rule(3_300_01, None, None, channel="infobip"), "above the legal ceiling"),
            (rule(1, 1, None), "check constraint"),
            (rule(-1, 1, 1), "check constraint"),
            (rule(1, 1, 1, level=Level.NEW_PAYEE), "check constraint"),
            (rule(1, 1, None, level=Level.NEW_PAYEE, operation="loans.pay"), "check constraint"),
            (rule(1, 1, 1, channel="In fobip"), "check constraint"),
            (rule(1, 1, 1, on=YESTERDAY), "in the past"),
        ],
    )
    def test_that_cannot_be_are_refused_when_they_are_written(
        self, ana: Rules, bad: Rule, why: str
    ) -> None:
        before = ana.in_effect(TOMORROW)
        with pytest.raises(RuleRefusedError, match=why):
            ana.set(bad)
        assert (ana.in_effect(TOMORROW), ana.waiting()) == (before, [])

    @pytest.mark.parametrize(
        "statement",
        [
            "update instructions.limit_rule set per_day_centimos = 9",
            "update instructions.limit_rule set approved_by = 'eva', reason = 'other'",
            "delete from instructions.limit_rule",
            "delete from instructions.legal_ceiling",
            "update instructions.uit set centimos = 9000000",
        ],
    )
    def test_are_not_rewritten_even_by_the_owner(
        self, owner: psycopg.Connection[Any], statement: str
    ) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not rewritten"):
            owner.execute(statement)

    def test_hold_at_once_where_they_lower_a_limit(self, counter: Counter, ana: Rules) -> None:
        assert ana.set(rule(100_00)).holds
        assert refused(counter.send(ROSAS, SEGUNDOS, 100_01)) == (
            "over_limit",
            ran_into("operation", 100_00, 100_00),
        )
        assert counter.send(ROSAS, SEGUNDOS, 100_00).state is State.POSTED

    @pytest.mark.parametrize(
        "higher",
        [
            rule(2_000_01),
            rule(1_00, 3_300_01),
            rule(1_00, 1_00, 15_000_01),
            rule(None, None, None, level=Level.CAREFUL),
            rule(1, 1, 1, operation="bills.pay"),
        ],
    )
    def test_that_raise_a_limit_wait_for_a_second_person(
        self, ana: Rules, berta: Rules, higher: Rule
    ) -> None:
        before = ana.in_effect(TODAY)
        made = ana.set(higher)
        assert (made.holds, ana.in_effect(TODAY)) == (False, before)
        with pytest.raises(RuleRefusedError, match="another person"):
            ana.approve(made.number)
        assert ana.in_effect(TODAY) == before
        assert berta.approve(made.number)
        assert made.number in {row["number"] for row in ana.in_effect(TODAY)}
        assert not berta.approve(made.number)

    def test_that_lower_one_kind_and_raise_another_wait(self, ana: Rules) -> None:
        assert not ana.set(rule(1_00, 1_00, 15_400_00)).holds

    def test_are_measured_against_what_holds_on_their_first_day(self, ana: Rules) -> None:
        """A limit that comes down tomorrow is not to be raised again by one person for the day
        after."""
        assert ana.set(rule(100_00, on=TOMORROW)).holds
        assert ana.set(rule(500_00, on=TODAY)).holds
        assert not ana.set(rule(500_00, on=TOMORROW + dt.timedelta(days=1))).holds

    def test_that_are_lowered_while_a_raise_waits_stay_low(self, ana: Rules, berta: Rules) -> None:
        raised = ana.set(rule(3_000_00))
        ana.set(rule(100_00))
        assert berta.approve(raised.number)
        (row,) = (
            r for r in ana.in_effect(TODAY) if (r["operation"], r["level"]) == (SEND, "normal")
        )
        assert row["per_operation_centimos"] == 100_00

    def test_are_written_into_the_trail(
        self, ana: Rules, berta: Rules, owner: psycopg.Connection[Any]
    ) -> None:
        raised, lowered = ana.set(rule(3_000_00)), ana.set(rule(100_00))
        berta.approve(raised.number)
        written = owner.execute(
            "select actor_kind, actor, action, member_ref, about from audit.entry order by id"
        ).fetchall()
        assert written == [
            ("staff", "ana", "limit.asked", None, {"limit": raised.number}),
            ("staff", "ana", "limit.set", None, {"limit": lowered.number}),
            ("staff", "berta", "limit.approved", None, {"limit": raised.number}),
        ]


class TestTheLaw:
    def test_comes_down_upon_a_rule_that_stood_before(self, counter: Counter, ana: Rules) -> None:
        assert ana.set_ceiling(ceiling("0.1", on=TOMORROW)).holds
        assert counter.send(ELMERS_HARVEST, ROSAS, 550_01).state is State.POSTED
        assert refused(counter.send(ELMERS_HARVEST, ROSAS, 550_01, on=TOMORROW, again_ok=True)) == (
            "over_limit",
            ran_into("operation", 550_00, 550_00),
        )
        assert counter.send(ELMERS_HARVEST, ROSAS, 550_00, on=TOMORROW).state is State.POSTED

    def test_and_a_new_uit_move_the_ceiling_on_their_day(self, ana: Rules, berta: Rules) -> None:
        """No rule above it may be written before."""
        with pytest.raises(RuleRefusedError):
            ana.set(rule(3_600_00, on=TOMORROW))
        both(ana, berta, ana.set_uit(TOMORROW, Money(6_000_00), "a decree"))
        with pytest.raises(RuleRefusedError):
            ana.set(rule(3_600_00, on=TODAY))
        with pytest.raises(RuleRefusedError):
            ana.set(rule(3_600_01, on=TOMORROW))
        both(ana, berta, ana.set(rule(3_600_00, on=TOMORROW)))

    def test_that_does_not_bind_is_switched_off_by_two(self, ana: Rules, berta: Rules) -> None:
        switched = ana.set_ceiling(ceiling(None, on=TODAY, binding=False))
        with pytest.raises(RuleRefusedError):
            ana.set(rule(9_000_00))
        both(ana, berta, switched)
        both(ana, berta, ana.set(rule(9_000_00)))

    def test_that_came_down_meanwhile_stops_an_approval(self, ana: Rules, berta: Rules) -> None:
        raised = ana.set(rule(3_000_00))
        ana.set_ceiling(ceiling("0.1", on=TODAY))
        with pytest.raises(RuleRefusedError, match="above the legal ceiling"):
            berta.approve(raised.number)

    def test_a_ceiling_without_a_uit_lets_nothing_pass(
        self, owner: psycopg.Connection[Any]
    ) -> None:
        owner.execute(
            "insert into instructions.legal_ceiling (operation, effective_on, per_operation_uit,"
            " binding, source, asked_by, asked_at)"
            " values ('bills.pay', '2025-01-01', 1, true, 'law', 'ana', now())"
        )
        row = owner.execute("select (instructions.ceiling_on('bills.pay', '2025-06-01')).*")
        assert row.fetchone() == (0, None, None)

    def test_is_reported_where_a_rule_stands_above_it(self, ana: Rules) -> None:
        assert ana.faults([SEND, "loans.pay"]) == []
        ana.set_ceiling(ceiling("0.1", on=TODAY))
        (fault,) = ana.faults([SEND, "loans.pay"])
        assert fault.startswith("transfers.send any normal: per_operation is above the law's")


class TestAMonth:
    def test_is_the_sum_of_its_days_and_ends_with_it(self, counter: Counter, ana: Rules) -> None:
        ana.set(rule(1_000_00, 1_000_00, 1_500_00))
        on = LAST_OF_NOVEMBER - dt.timedelta(days=1)
        assert counter.send(ELMERS_HARVEST, ROSAS, 1_000_00, on=on).state is State.POSTED
        assert refused(counter.send(ELMERS_HARVEST, ROSAS, 500_01, on=LAST_OF_NOVEMBER)) == (
            "over_limit",
            ran_into("month", 1_500_00, 500_00),
        )
        assert counter.send(ELMERS_HARVEST, ROSAS, 500_00, on=LAST_OF_NOVEMBER).settled_at
        assert counter.send(ELMERS_HARVEST, ROSAS, 1, on=LAST_OF_NOVEMBER).code == "over_limit"
        last = counter.send(ELMERS_HARVEST, ROSAS, 1_000_00, on=FIRST_OF_DECEMBER, again_ok=True)
        assert last.state is State.POSTED

    def test_holds_against_two_days_at_once(self, counter: Counter, ana: Rules) -> None:
        """Around midnight orders of both days use up one month."""
        ana.set(rule(300_00, 1_000_00, 1_000_00))
        days = [LAST_OF_NOVEMBER, LAST_OF_NOVEMBER - dt.timedelta(days=1)]

        def send(number: int) -> Result:
            return counter.send(ELMERS_HARVEST, ROSAS, 300_00, on=days[number % 2], again_ok=True)

        with ThreadPoolExecutor(8) as threads:
            states = [result.state for result in threads.map(send, range(12))]
        # Over a remote core one may wait for another's end, and is done right after it.
        assert sum(state in {State.POSTED, State.ACCEPTED} for state in states) == 3


class TestLevels:
    def test_of_a_member_who_changed_something_are_lower_for_a_while(
        self, counter: Counter, owner: psycopg.Connection[Any]
    ) -> None:
        counter.send(ELMERS_HARVEST, ROSAS, 400_00)
        be_careful(owner, ELMER, "careful", NOW + dt.timedelta(days=1))
        assert refused(counter.send(ELMERS_HARVEST, ROSAS, 100_01)) == (
            "over_limit",
            ran_into("day", 500_00, 100_00),
        )
        assert counter.send(ROSAS, SEGUNDOS, 600_00).state is State.POSTED

    def test_last_as_long_as_they_are_said_to(
        self, counter: Counter, owner: psycopg.Connection[Any], clock: Clock
    ) -> None:
        be_careful(owner, ROSA, "look_only", NOW + dt.timedelta(seconds=60))
        clock.pass_seconds(59)
        assert refused(counter.send(ROSAS, SEGUNDOS, 1)) == ("look_only", {})
        clock.pass_seconds(1)
        assert counter.send(ROSAS, SEGUNDOS, 1).state is State.POSTED

    def test_of_who_may_only_look_let_nothing_move(
        self, counter: Counter, owner: psycopg.Connection[Any], used: Used
    ) -> None:
        """Not even between the member's own accounts: whoever dials may not be the member."""
        for member in (ROSA, ELMER):
            be_careful(owner, member, "look_only", NOW + dt.timedelta(days=1))
        assert refused(counter.send(ROSAS, SEGUNDOS, 1)) == ("look_only", {})
        assert refused(counter.pay(ROSAS, 85_40)) == ("look_only", {})
        assert refused(counter.send(ELMERS_HARVEST, ELMERS, 1_00)) == ("look_only", {})
        assert used() == {}
        room = counter.instructions.limits.room(SEND, ROSA, SEGUNDO, "any", TODAY)
        assert room == Room(Bound.LOOK_ONLY, ZERO, ZERO)

    def test_may_be_higher_than_everybodys_and_change_nothing(
        self, counter: Counter, owner: psycopg.Connection[Any], ana: Rules
    ) -> None:
        ana.set(rule(100_00))
        be_careful(owner, ROSA, "careful", NOW + dt.timedelta(days=1))
        assert refused(counter.send(ROSAS, SEGUNDOS, 100_01))[1]["limit"] == Money(100_00)


class TestChannels:
    def test_have_limits_of_their_own_below_everybodys(self, counter: Counter, ana: Rules) -> None:
        """What came by another channel counts too."""
        ana.set(rule(50_00, 60_00, None, channel="infobip"))
        counter.send(ROSAS, SEGUNDOS, 40_00)
        infobip = origin("s-1", "infobip")
        assert refused(counter.send(ROSAS, SEGUNDOS, 20_01, session=infobip)) == (
            "over_limit",
            ran_into("day", 60_00, 20_00),
        )
        assert counter.send(ROSAS, SEGUNDOS, 20_00, session=infobip).state is State.POSTED
        assert counter.send(ROSAS, SEGUNDOS, 60_00).state is State.POSTED


class TestNewPayees:
    @pytest.fixture(autouse=True)
    def _capped(self, ana: Rules) -> None:
        ana.set(rule(200_00, 300_00, None, level=Level.NEW_PAYEE))

    def test_get_little_on_the_first_day(self, counter: Counter) -> None:
        assert refused(counter.send(ROSAS, SEGUNDOS, 200_01)) == (
            "over_limit",
            ran_into("new_payee", 200_00, 200_00),
        )
        assert counter.send(ROSAS, SEGUNDOS, 200_00).state is State.POSTED

    def test_together_have_one_limit_a_day(self, counter: Counter) -> None:
        """Or a thief would send a little to each of many."""
        assert counter.send(ROSAS, SEGUNDOS, 200_00).state is State.POSTED
        assert refused(counter.send(ROSAS, ELMERS, 100_01)) == (
            "over_limit",
            ran_into("new_payee", 300_00, 100_00),
        )
        assert counter.send(ROSAS, ELMERS, 100_00).state is State.POSTED

    def test_are_new_for_a_day_after_the_first_money(self, counter: Counter, clock: Clock) -> None:
        assert counter.send(ROSAS, SEGUNDOS, 1).state is State.POSTED
        clock.pass_seconds(NEW_PAYEE_S - 1)
        assert counter.send(ROSAS, SEGUNDOS, 200_01).code == "over_limit"
        clock.pass_seconds(1)
        assert counter.send(ROSAS, SEGUNDOS, 200_01).state is State.POSTED
        # Money to somebody who is known takes nothing of what is for the others.
        assert counter.send(ROSAS, ELMERS, 200_00).state is State.POSTED

    def test_are_still_new_after_an_order_that_moved_nothing(
        self, counter: Counter, clock: Clock
    ) -> None:
        assert counter.send(ELMERS, ROSAS, 100_00).code == "insufficient_funds"
        clock.pass_seconds(NEW_PAYEE_S)
        assert counter.send(ELMERS_HARVEST, ROSAS, 200_01).code == "over_limit"

    def test_give_back_what_was_theirs(self, counter: Counter) -> None:
        counter.send(SEGUNDOS, ROSAS, 200_00)
        assert counter.send(SEGUNDOS, ROSAS, 199_00).code == "over_limit"
        assert counter.send(SEGUNDOS, "no-such", 100_00).code == "no_such_account"
        counter.send(SEGUNDOS, ROSAS, 100_00)
        assert counter.send(SEGUNDOS, ROSAS, 1_00).code == "over_limit"

    def test_do_not_concern_a_loan_or_own_accounts(self, counter: Counter) -> None:
        assert counter.pay(ROSAS, 400_00).state is State.POSTED
        assert counter.send(ELMERS_HARVEST, ELMERS, 1_000_00).state is State.POSTED

    def test_are_said_before_the_pin(self, counter: Counter) -> None:
        room = counter.instructions.limits.room(SEND, ROSA, SEGUNDO, "any", TODAY)
        assert room == Room(Bound.NEW_PAYEE, Money(200_00), Money(200_00))


@pytest.mark.parametrize("end", ["posted", "refused", "closed"])
def test_an_order_over_a_remote_core_takes_its_part_once_and_gives_it_back_once(
    database: Database, clock: Clock, used: Used, end: str
) -> None:
    """Whatever is asked again meanwhile, and however often."""
    fault = {"posted": Fault.LATE, "refused": Fault.NEVER_ARRIVED, "closed": Fault.LATER}[end]
    counter, core = over(database, clock, fault)
    key = uuid.uuid4()
    counter.send(SEGUNDOS, ROSAS, 300_00, key=key)
    assert used() == {SEGUNDO: 300_00}
    if end == "refused":
        spend_at_a_branch(core)
    if end == "closed":
        assert counter.instructions.close(key).state is State.CLOSED
    clock.pass_seconds(LATE_S)
    for _ in range(2):
        counter.instructions.reconcile(10)
        assert counter.send(SEGUNDOS, ROSAS, 300_00, key=key).state.value == end
        assert counter.instructions.close(key).state.value == end
    assert used() == ({SEGUNDO: 300_00} if end == "posted" else {})


def spend_at_a_branch(core: MemoryLedger) -> None:
    core.post(Transfer(uuid.uuid4(), SEGUNDOS, ROSAS, Money(100_00), TODAY))


def test_a_member_sees_what_is_left(counter: Counter, owner: psycopg.Connection[Any]) -> None:
    counter.send(ELMERS_HARVEST, ROSAS, 2_000_00)
    send, pay = counter.instructions.limits.standing(ELMER, "africastalking", TODAY)
    assert (send.operation, pay.operation) == (SEND, "loans.pay")
    assert (send.left_today, send.left_this_month) == (Money(1_300_00), Money(13_000_00))
    assert (pay.level, pay.left_today) == ("normal", Money(10_000_00))
    be_careful(owner, ELMER, "careful", NOW + dt.timedelta(days=1))
    send, pay = counter.instructions.limits.standing(ELMER, "africastalking", TODAY)
    assert (send.level, send.per_day, send.left_today) == ("careful", Money(500_00), ZERO)


def test_usage_that_is_not_the_sum_of_its_orders_is_found(
    counter: Counter, ana: Rules, owner: psycopg.Connection[Any]
) -> None:
    counter.send(ROSAS, SEGUNDOS, 50_00)
    assert ana.faults([SEND, "loans.pay"]) == []
    owner.execute("update instructions.usage set used_centimos = 4999, new_payee_centimos = 4999")
    (fault,) = ana.faults([SEND, "loans.pay"])
    assert fault == "m-rosa transfers.send 2026-11-23: used 4999, by its orders 5000"
