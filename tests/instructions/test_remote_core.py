"""Orders over a core that is slow, silent or away: every one has one end, and it is told."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest

from gateway.bounds import CORE_LEASE_S, ORDER_AGAIN_FIRST_S, ORDER_AGAIN_MAX_S
from gateway.db.pool import Database
from gateway.instructions.orders import Instructions, State
from gateway.ledger.contract.cooperative import ROSA, ROSAS, SEGUNDO, SEGUNDOS, TODAY, found
from gateway.ledger.memory import LATE_S, Fault, MemoryLedger
from gateway.ledger.port import AnyOrder, Outcome, Transfer, Unknown
from gateway.values.money import Money
from tests.instructions.conftest import Clock, Counter, Told, Used, origin

RECEIPTS = [("transfer_sent", ROSA), ("transfer_received", SEGUNDO)]


def over(database: Database, clock: Clock, *faults: Fault) -> tuple[Counter, MemoryLedger]:
    core = MemoryLedger(clock, faults)
    found(core)
    return Counter(Instructions(database, core, clock, same_database=False), core), core


class DiesWhileAsked(MemoryLedger):
    """A core during whose answer our own process is killed."""

    def post(self, order: AnyOrder) -> Outcome:
        super().post(order)
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault.NEVER_ARRIVED, State.UNKNOWN),
        (Fault.ANSWER_LOST, State.UNKNOWN),
        (Fault.LATE, State.UNKNOWN),
        (Fault.APPROVAL, State.UNKNOWN),
        (Fault.LATER, State.ACCEPTED),
    ],
)
def test_an_order_without_an_answer_is_settled_later_and_moves_money_once(
    database: Database, clock: Clock, told: Told, fault: Fault, state: State
) -> None:
    counter, core = over(database, clock, fault)
    key = uuid.uuid4()
    assert counter.send(ROSAS, SEGUNDOS, 50_00, key=key).state is state
    # Asked again by the member, it is the same order, still under way, and the core is left alone.
    assert counter.send(ROSAS, SEGUNDOS, 50_00, key=key).state is state
    assert told.facts() == []
    clock.pass_seconds(max(CORE_LEASE_S, LATE_S))
    core.approve()
    assert counter.instructions.reconcile(10) == 1
    assert counter.instructions.reconcile(10) == 0
    result = counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
    assert (result.state, result.created) == (State.POSTED, False)
    assert counter.balance(ROSAS) == 1_200_50
    assert told.facts() == RECEIPTS


def test_while_somebody_asks_the_core_the_sweep_leaves_the_order_alone(
    database: Database, clock: Clock
) -> None:
    core = DiesWhileAsked(clock)
    found(core)
    counter = Counter(Instructions(database, core, clock, same_database=False), core)
    with pytest.raises(KeyboardInterrupt):
        counter.send(ROSAS, SEGUNDOS, 50_00)
    clock.pass_seconds(CORE_LEASE_S - 1)
    assert counter.instructions.reconcile(10) == 0
    clock.pass_seconds(1)
    assert counter.instructions.reconcile(10) == 1


def test_an_order_is_tried_again_after_a_pause_that_doubles(
    database: Database, clock: Clock
) -> None:
    tries: list[int] = []

    class Silent(MemoryLedger):
        def post(self, order: AnyOrder) -> Outcome:
            tries.append(int(clock.now.timestamp() - began))
            return Unknown()

    core = Silent(clock)
    found(core)
    counter = Counter(Instructions(database, core, clock, same_database=False), core)
    began = clock.now.timestamp()
    counter.send(ROSAS, SEGUNDOS, 50_00)
    for _ in range(2 * ORDER_AGAIN_MAX_S):
        counter.instructions.reconcile(10)
        clock.pass_seconds(1)
    pauses = [later - sooner for sooner, later in pairwise(tries)]
    assert pauses[:4] == [ORDER_AGAIN_FIRST_S * 2**n for n in range(4)]
    assert pauses[-1] <= ORDER_AGAIN_MAX_S


def test_a_process_that_died_while_it_asked_leaves_nothing_behind(
    database: Database, clock: Clock, told: Told
) -> None:
    core = DiesWhileAsked(clock)
    found(core)
    counter = Counter(Instructions(database, core, clock, same_database=False), core)
    key = uuid.uuid4()
    with pytest.raises(KeyboardInterrupt):
        counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
    # The member dials again: it cannot be closed, for the core may have it.
    assert counter.instructions.close(key).state is State.ACCEPTED
    clock.pass_seconds(CORE_LEASE_S)
    assert counter.instructions.reconcile(10) == 1
    assert counter.instructions.close(key).state is State.POSTED
    assert counter.balance(ROSAS) == 1_200_50
    assert told.facts() == RECEIPTS


def test_an_adapter_that_stumbles_over_an_answer_leaves_its_order_under_way(
    database: Database, clock: Clock, told: Told
) -> None:
    """A proxy answered with something else, or somebody's own adapter has a fault: the money may
    have moved, so nobody reads that it did not."""

    class Stumbles(MemoryLedger):
        def post(self, order: AnyOrder) -> Outcome:
            super().post(order)
            raise KeyError("resourceId")

    core = Stumbles(clock)
    found(core)
    counter = Counter(Instructions(database, core, clock, same_database=False), core)
    assert counter.send(ROSAS, SEGUNDOS, 50_00).state is State.UNKNOWN
    clock.pass_seconds(ORDER_AGAIN_FIRST_S)
    assert counter.instructions.reconcile(10) == 1
    assert counter.balance(ROSAS) == 1_200_50
    assert told.facts() == RECEIPTS


def test_who_was_told_that_it_is_under_way_learns_of_a_refusal(
    database: Database, clock: Clock, told: Told, used: Used
) -> None:
    counter, core = over(database, clock, Fault.NEVER_ARRIVED)
    key = uuid.uuid4()
    counter.send(SEGUNDOS, ROSAS, 300_00, key=key)
    core.post(Transfer(uuid.uuid4(), SEGUNDOS, ROSAS, Money(100_00), TODAY))  # at a branch
    clock.pass_seconds(CORE_LEASE_S)
    assert counter.instructions.reconcile(10) == 1
    assert counter.instructions.close(key).code == "insufficient_funds"
    assert told.rows() == [
        (
            "order_refused",
            SEGUNDO,
            {
                "code": "insufficient_funds",
                "operation": "transfers.send",
                "amount_centimos": 300_00,
            },
        )
    ]
    assert used() == {}


def test_a_refusal_that_is_answered_at_once_is_not_told_again(remote: Counter, told: Told) -> None:
    assert remote.send(ROSAS, "no-such", 50_00).code == "no_such_account"
    assert told.facts() == []


def test_an_order_that_the_core_certainly_has_not_got_can_be_closed(
    database: Database, clock: Clock, told: Told
) -> None:
    counter, _ = over(database, clock, Fault.LATER)
    key = uuid.uuid4()
    assert counter.send(ROSAS, SEGUNDOS, 50_00, key=key).state is State.ACCEPTED
    assert counter.instructions.close(key).state is State.CLOSED
    assert counter.instructions.reconcile(10) == 0
    assert counter.balance(ROSAS) == 1_250_50
    assert [fact for fact, _ in told.facts()] == ["order_refused"]
    # Its part of the limit and of the funds is free again.
    assert counter.send(ROSAS, SEGUNDOS, 1_200_00).state is State.POSTED


def test_an_order_that_may_be_with_the_core_cannot_be_closed(
    database: Database, clock: Clock
) -> None:
    counter, _ = over(database, clock, Fault.NEVER_ARRIVED)
    key = uuid.uuid4()
    counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
    assert counter.instructions.close(key).state is State.UNKNOWN
    recent = counter.instructions.recent(origin())
    assert recent is not None
    assert recent.state is State.UNKNOWN


def test_a_later_after_a_silence_does_not_make_the_silence_harmless(
    database: Database, clock: Clock
) -> None:
    """The first request is still under way when the core asks the second one to come later."""
    counter, _ = over(database, clock, Fault.LATE, Fault.LATER)
    key = uuid.uuid4()
    counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
    clock.pass_seconds(ORDER_AGAIN_FIRST_S)
    assert counter.instructions.reconcile(10) == 0
    assert counter.instructions.close(key).state is State.UNKNOWN
    clock.pass_seconds(LATE_S)
    assert counter.instructions.reconcile(10) == 1
    assert counter.instructions.close(key).state is State.POSTED
    assert counter.balance(ROSAS) == 1_200_50


def test_open_orders_keep_their_funds(database: Database, clock: Clock) -> None:
    counter, _ = over(database, clock, Fault.NEVER_ARRIVED)
    counter.send(SEGUNDOS, ROSAS, 200_00)
    refused = counter.send(SEGUNDOS, ROSAS, 110_01)
    assert (refused.code, refused.values) == ("insufficient_funds", {"available": Money(110_00)})
    assert counter.send(SEGUNDOS, ROSAS, 110_00).state is State.ACCEPTED
    clock.pass_seconds(ORDER_AGAIN_FIRST_S)
    assert counter.instructions.reconcile(10) == 2
    assert counter.balance(SEGUNDOS) == 0


def test_unfinished_orders_count_as_again(database: Database, clock: Clock) -> None:
    counter, _ = over(database, clock, Fault.NEVER_ARRIVED)
    counter.send(ROSAS, SEGUNDOS, 50_00)
    assert counter.send(ROSAS, SEGUNDOS, 50_00).code == "again"


def test_while_the_core_is_away_orders_are_taken_and_done_when_it_is_back(
    remote: Counter, core: MemoryLedger, clock: Clock, told: Told
) -> None:
    posted, waiting = uuid.uuid4(), uuid.uuid4()
    remote.send(ROSAS, SEGUNDOS, 50_00, key=posted)
    core.away = True
    assert remote.send(ROSAS, SEGUNDOS, 60_00, key=waiting).state is State.ACCEPTED
    assert remote.send(ROSAS, SEGUNDOS, 50_00, key=posted).state is State.POSTED
    core.away = False
    clock.pass_seconds(ORDER_AGAIN_FIRST_S)
    assert remote.instructions.reconcile(10) == 1
    assert remote.send(ROSAS, SEGUNDOS, 60_00, key=waiting).state is State.POSTED
    assert remote.balance(ROSAS) == 1_140_50
    assert told.facts() == RECEIPTS * 2


def test_while_the_core_is_away_open_orders_wait(database: Database, clock: Clock) -> None:
    counter, core = over(database, clock, Fault.NEVER_ARRIVED)
    counter.send(ROSAS, SEGUNDOS, 50_00)
    core.away = True
    for _ in range(3):
        clock.pass_seconds(CORE_LEASE_S)
        assert counter.instructions.reconcile(10) == 0
    core.away = False
    clock.pass_seconds(CORE_LEASE_S)
    assert counter.instructions.reconcile(10) == 1
    assert counter.balance(ROSAS) == 1_200_50
