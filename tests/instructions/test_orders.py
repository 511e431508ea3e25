"""A money order over any core: once for its key, within limits, with its receipts."""

from __future__ import annotations

import collections
import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from gateway.bounds import AGAIN_WINDOW_S
from gateway.instructions.orders import Instruction, State
from gateway.ledger.contract.cooperative import (
    ELMER,
    ELMERS,
    ELMERS_HARVEST,
    ROSA,
    ROSAS,
    ROSAS_LOAN,
    SEGUNDO,
    SEGUNDOS,
    TODAY,
)
from gateway.ledger.port import KeyReusedError, Transfer
from gateway.values.money import ZERO, Money
from tests.instructions.conftest import Clock, Counter, Told, Used, origin

TOMORROW = TODAY + dt.timedelta(days=1)
A_TRANSFER = {"bound": "operation", "limit": Money(2_000_00), "remaining": Money(2_000_00)}


class TestAnOrder:
    @pytest.mark.parametrize(
        ("source", "target", "centimos", "code", "values"),
        [
            (ROSAS, ROSAS, 10_00, "same_account", {}),
            (ROSAS, "no-such", 10_00, "no_such_account", {}),
            (SEGUNDOS, ROSAS, 310_01, "insufficient_funds", {"available": Money(310_00)}),
            (ELMERS_HARVEST, ROSAS, 2_000_01, "over_limit", A_TRANSFER),
        ],
    )
    def test_that_cannot_be_is_refused_with_what_it_ran_into(
        self,
        counter: Counter,
        told: Told,
        source: str,
        target: str,
        centimos: int,
        code: str,
        values: dict[str, Money | str],
    ) -> None:
        key = uuid.uuid4()
        before = counter.balance(source)
        first = counter.send(source, target, centimos, key=key)
        again = counter.send(source, target, centimos, key=key)
        assert (first.state, first.code, first.values) == (State.REFUSED, code, values)
        assert (again.state, again.code, again.values) == (State.REFUSED, code, values)
        assert (first.created, again.created) == (True, False)
        assert counter.balance(source) == before
        assert told.facts() == []

    def test_moves_money_once_and_answers_its_first_result(
        self, counter: Counter, told: Told
    ) -> None:
        key = uuid.uuid4()
        first = counter.send(ROSAS, SEGUNDOS, 1_000_00, key=key)
        again = counter.send(ROSAS, SEGUNDOS, 1_000_00, key=key)
        after_midnight = counter.send(ROSAS, SEGUNDOS, 1_000_00, key=key, on=TOMORROW)
        assert first.state is State.POSTED
        assert (first.created, again.created, after_midnight.created) == (True, False, False)
        assert again == after_midnight
        assert (again.reference, again.tax) == (first.reference, Money(5))
        assert len(first.reference) >= 6
        assert counter.balance(ROSAS) == 250_45
        assert told.facts() == [("transfer_sent", ROSA), ("transfer_received", SEGUNDO)]

    @pytest.mark.parametrize(
        ("source", "target", "centimos"),
        [(ROSAS, SEGUNDOS, 50_01), (ROSAS, ELMERS, 50_00), (SEGUNDOS, ROSAS, 50_00)],
    )
    def test_with_a_used_key_and_another_content_is_an_error(
        self, counter: Counter, source: str, target: str, centimos: int
    ) -> None:
        key = uuid.uuid4()
        counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
        with pytest.raises(KeyReusedError):
            counter.send(source, target, centimos, key=key)
        assert counter.balance(ROSAS) == 1_200_50

    def test_whose_two_keys_differ_cannot_be_written(self) -> None:
        order = Transfer(uuid.uuid4(), ROSAS, SEGUNDOS, Money(1), TODAY)
        with pytest.raises(ValueError, match="one key"):
            Instruction(uuid.uuid4(), "transfers.send", ROSA, SEGUNDO, order, False, origin())

    def test_that_was_refused_stays_refused_when_money_arrives(self, counter: Counter) -> None:
        key = uuid.uuid4()
        assert counter.send(SEGUNDOS, ROSAS, 400_00, key=key).code == "insufficient_funds"
        assert counter.send(ROSAS, SEGUNDOS, 500_00).state is State.POSTED
        assert counter.send(SEGUNDOS, ROSAS, 400_00, key=key).code == "insufficient_funds"
        assert counter.send(SEGUNDOS, ROSAS, 400_00).state is State.POSTED

    def test_from_32_threads_is_created_once_and_found_31_times(self, counter: Counter) -> None:
        key = uuid.uuid4()
        with ThreadPoolExecutor(32) as threads:
            results = list(
                threads.map(lambda _: counter.send(ROSAS, SEGUNDOS, 50_00, key=key), range(32))
            )
        assert collections.Counter(result.created for result in results) == {True: 1, False: 31}
        assert counter.balance(ROSAS) == 1_200_50
        assert counter.send(ROSAS, SEGUNDOS, 50_00, key=key).state is State.POSTED

    def test_in_both_directions_at_once_adds_up(self, own: Counter) -> None:
        def send(number: int) -> State:
            there = number % 2 == 0
            source, target = (ROSAS, SEGUNDOS) if there else (SEGUNDOS, ROSAS)
            return own.send(source, target, 3_00 if there else 2_00, again_ok=True).state

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(send, range(64))) == {State.POSTED}
        assert own.balance(ROSAS) == 1_250_50 - 32 * 1_00
        assert own.balance(SEGUNDOS) == 310_00 + 32 * 1_00


class TestReceipts:
    def test_of_a_transfer_tell_each_side_its_part(self, own: Counter, told: Told) -> None:
        result = own.send(ROSAS, SEGUNDOS, 1_000_00)
        common = {"amount_centimos": 1_000_00, "tax_centimos": 5, "reference": result.reference}
        assert told.rows() == [
            ("transfer_sent", ROSA, {**common, "party_ref": SEGUNDO}),
            ("transfer_received", SEGUNDO, {**common, "party_ref": ROSA}),
        ]

    def test_between_own_accounts_are_one(self, counter: Counter, told: Told) -> None:
        counter.send(ELMERS_HARVEST, ELMERS, 100_00)
        assert [fact for fact, _ in told.facts()] == ["transfer_own"]

    def test_of_a_repayment_say_what_is_left(self, own: Counter, told: Told) -> None:
        result = own.pay(ROSAS, 85_40)
        assert result.values == {"owed": Money(427_00)}
        ((fact, member_ref, detail),) = told.rows()
        assert (fact, member_ref) == ("loan_paid", ROSA)
        assert detail == {
            "amount_centimos": 85_40,
            "reference": result.reference,
            "owed_centimos": 427_00,
        }


class TestAgain:
    def test_the_same_to_the_same_within_minutes_is_asked_about(self, counter: Counter) -> None:
        assert counter.send(ROSAS, SEGUNDOS, 50_00).state is State.POSTED
        refused = counter.send(ROSAS, SEGUNDOS, 50_00)
        assert (refused.state, refused.code) == (State.REFUSED, "again")
        assert counter.send(ROSAS, SEGUNDOS, 50_00, again_ok=True).state is State.POSTED

    def test_a_loan_is_not_paid_twice_by_mistake_either(self, counter: Counter) -> None:
        assert counter.pay(ROSAS, 85_40).state is State.POSTED
        assert counter.pay(ROSAS, 85_40).code == "again"

    def test_another_amount_or_payee_or_a_refused_one_is_not_again(self, counter: Counter) -> None:
        assert counter.send(ROSAS, SEGUNDOS, 1_900_00).code == "insufficient_funds"
        assert counter.send(ROSAS, SEGUNDOS, 1_900_00).code == "insufficient_funds"
        assert counter.send(ROSAS, SEGUNDOS, 50_00).state is State.POSTED
        assert counter.send(ROSAS, SEGUNDOS, 50_01).state is State.POSTED
        assert counter.send(ROSAS, ELMERS, 50_00).state is State.POSTED

    def test_later_it_is_a_new_order(self, counter: Counter, clock: Clock) -> None:
        assert counter.send(ROSAS, SEGUNDOS, 50_00).state is State.POSTED
        clock.pass_seconds(AGAIN_WINDOW_S - 1)
        assert counter.send(ROSAS, SEGUNDOS, 50_00).code == "again"
        clock.pass_seconds(1)
        assert counter.send(ROSAS, SEGUNDOS, 50_00).state is State.POSTED

    def test_of_8_at_once_one_passes(self, counter: Counter) -> None:
        with ThreadPoolExecutor(8) as threads:
            results = threads.map(lambda _: counter.send(ROSAS, SEGUNDOS, 50_00), range(8))
            codes = collections.Counter(result.code for result in results)
        assert codes == {"": 1, "again": 7}


class TestLimits:
    def test_what_is_left_today_is_answered_and_can_be_used_to_the_last_centimo(
        self, counter: Counter
    ) -> None:
        def left() -> Money:
            limits = counter.instructions.limits
            return limits.room("transfers.send", ELMER, ROSA, "africastalking", TODAY).left

        today = {"bound": "day", "limit": Money(3_300_00)}
        assert left() == Money(2_000_00)
        assert counter.send(ELMERS_HARVEST, ROSAS, 2_000_00).state is State.POSTED
        assert left() == Money(1_300_00)
        refused = counter.send(ELMERS_HARVEST, ROSAS, 1_300_01)
        assert (refused.code, refused.values) == (
            "over_limit",
            {**today, "remaining": Money(1_300_00)},
        )
        assert counter.send(ELMERS_HARVEST, ROSAS, 1_300_00).state is State.POSTED
        assert left() == ZERO
        assert counter.send(ELMERS_HARVEST, ROSAS, 1).values == {**today, "remaining": ZERO}

    def test_begin_anew_on_the_next_business_date(self, counter: Counter) -> None:
        counter.send(ELMERS_HARVEST, ROSAS, 2_000_00)
        counter.send(ELMERS_HARVEST, ROSAS, 1_300_00)
        assert counter.send(ELMERS_HARVEST, ROSAS, 10_00, on=TOMORROW).state is State.POSTED

    def test_between_own_accounts_do_not_count(self, counter: Counter, used: Used) -> None:
        assert counter.send(ELMERS_HARVEST, ELMERS, 4_000_00).state is State.POSTED
        assert used() == {}

    def test_are_given_back_by_an_order_that_is_refused(self, counter: Counter, used: Used) -> None:
        assert counter.send(ROSAS, SEGUNDOS, 1_900_00).code == "insufficient_funds"
        assert counter.send(ROSAS, "no-such", 1_900_00).code
        counter.send(ROSAS, SEGUNDOS, 1_00)
        assert counter.send(ROSAS, SEGUNDOS, 1_00).code == "again"
        assert used() == {ROSA: 1_00}

    def test_hold_against_16_orders_at_once(self, counter: Counter) -> None:
        with ThreadPoolExecutor(8) as threads:
            results = threads.map(
                lambda n: counter.send(ELMERS_HARVEST, ROSAS, 300_00 + n % 2, again_ok=True),
                range(16),
            )
            # Over a remote core one may wait for another's end, and is done right after it.
            taken = (State.POSTED, State.ACCEPTED)
            moved = sum(one.amount.centimos for one in results if one.state in taken)
        assert 3_000_00 < moved <= 3_300_00
        assert counter.balance(ELMERS_HARVEST) == 5_000_00 - moved

    def test_of_an_operation_without_a_rule_are_zero(self, counter: Counter) -> None:
        order = Transfer(uuid.uuid4(), ROSAS, SEGUNDOS, Money(1), TODAY)
        refused = counter.give(order, "bills.pay", SEGUNDO)
        nothing = {"bound": "operation", "limit": ZERO, "remaining": ZERO}
        assert (refused.code, refused.values) == ("over_limit", nothing)


class TestClose:
    def test_a_key_that_never_came_is_closed_for_good(self, counter: Counter) -> None:
        key = uuid.uuid4()
        assert counter.instructions.close(key).state is State.CLOSED
        assert counter.instructions.close(key).state is State.CLOSED
        late = counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
        assert (late.state, late.created) == (State.CLOSED, False)
        assert counter.balance(ROSAS) == 1_250_50

    def test_a_key_that_was_decided_answers_what_became_of_it(self, counter: Counter) -> None:
        posted, refused = uuid.uuid4(), uuid.uuid4()
        counter.send(ROSAS, SEGUNDOS, 50_00, key=posted)
        counter.send(ROSAS, ROSAS, 50_00, key=refused)
        assert counter.instructions.close(posted).state is State.POSTED
        assert counter.instructions.close(posted).amount == Money(50_00)
        assert counter.instructions.close(refused).code == "same_account"

    def test_of_an_order_and_its_end_one_wins_and_both_say_the_same(self, own: Counter) -> None:
        for _ in range(10):
            key = uuid.uuid4()
            with ThreadPoolExecutor(2) as threads:
                closing = threads.submit(own.instructions.close, key)
                sending = threads.submit(own.send, ROSAS, SEGUNDOS, 1_00, key=key, again_ok=True)
            assert closing.result().state is sending.result().state


class TestLookingBack:
    def test_a_session_finds_its_newest_order(self, counter: Counter, clock: Clock) -> None:
        assert counter.instructions.recent(origin()) is None
        counter.send(ROSAS, SEGUNDOS, 50_00)
        clock.pass_seconds(1)
        newest = counter.send(ROSAS, SEGUNDOS, 60_00)
        clock.pass_seconds(1)
        counter.send(ROSAS, SEGUNDOS, 70_00, session=origin("ATUid_2"))
        recent = counter.instructions.recent(origin())
        assert recent is not None
        assert (recent.reference, recent.amount) == (newest.reference, Money(60_00))
        assert counter.instructions.recent(origin("ATUid_1", "infobip")) is None

    def test_payees_are_the_last_members_who_were_paid(
        self, counter: Counter, clock: Clock
    ) -> None:
        for source, target, centimos in [
            (ROSAS, SEGUNDOS, 10_00),
            (ROSAS, ELMERS, 10_00),
            (ROSAS, SEGUNDOS, 11_00),
            (ROSAS, ELMERS, 1_999_00),  # refused
            (ELMERS, ELMERS_HARVEST, 10_00),
        ]:
            counter.send(source, target, centimos)
            clock.pass_seconds(1)
        assert counter.instructions.recent_payees(ROSA, 4) == ("m-segundo", "m-elmer")
        assert counter.instructions.recent_payees(ROSA, 1) == ("m-segundo",)
        assert counter.instructions.recent_payees("m-elmer", 4) == ()


class TestTheApplication:
    @pytest.mark.parametrize(
        "statement",
        [
            "update instructions.instruction set state = 'posted'",
            "insert into instructions.uit (effective_on, centimos) values (now(), 9)",
            "delete from instructions.usage",
            "truncate instructions.instruction",
            "select * from instructions.instruction",
            "select instructions.give_back(null)",
            "select ledger.post_transfer(gen_random_uuid(), 'a', 'b', 1, now()::date)",
        ],
    )
    def test_touches_no_table_and_no_inner_function(
        self, database_urls: tuple[str, str], statement: str
    ) -> None:
        with (
            psycopg.connect(database_urls[1], autocommit=True) as application,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            application.execute(statement)

    def test_may_call_only_what_was_granted(self, owner: psycopg.Connection[Any]) -> None:
        rows = owner.execute(
            "select p.proname from pg_proc as p"
            " where p.pronamespace = 'instructions'::regnamespace"
            " and has_function_privilege('chaski_app', p.oid, 'execute')"
        )
        assert {name for (name,) in rows} == {
            "accept",
            "backlog",
            "barred_now",
            "became",
            "close",
            "execute",
            "expire",
            "forget_origins",
            "newest",
            "ordered_since",
            "overdue",
            "recent",
            "recent_payees",
            "room_now",
            "sent_since",
            "settle",
            "sim_changed",
            "sim_unknown",
            "spoken_for",
            "standing",
            "stands",
            "take_turn",
            "take_unfinished",
        }


def test_no_foreign_key_leads_to_the_ledger(owner: psycopg.Connection[Any]) -> None:
    rows = owner.execute(
        "select conname from pg_constraint where contype = 'f'"
        " and conrelid::regclass::text like 'instructions.%'"
    )
    assert list(rows) == []


def test_a_loans_order_names_its_loan(own: Counter) -> None:
    assert own.pay(ROSAS, 85_40).target == ROSAS_LOAN
