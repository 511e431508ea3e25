"""Orders over a remote core: in turn at their accounts, in time for their hop, and not for ever."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import pytest

from gateway.bounds import (
    CORE_LEASE_S,
    ORDER_AGAIN_FIRST_S,
    ORDER_AGAIN_MAX_S,
    ORDER_EXPIRES_S,
    ORDER_PARKED_AFTER,
)
from gateway.core.hands import InTurn, Task, Threads
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.instructions.asking import PLAINLY, Asking
from gateway.instructions.orders import Instructions, State
from gateway.ledger.contract.cooperative import (
    ELMERS,
    ELMERS_HARVEST,
    ROSA,
    ROSAS,
    SEGUNDO,
    SEGUNDOS,
    TODAY,
    found,
)
from gateway.ledger.memory import Fault, MemoryLedger
from gateway.ledger.port import AnyOrder, Outcome, Transfer, Unknown
from gateway.values.money import Money
from tests.instructions.conftest import Clock, Counter, Told, Used

_T = TypeVar("_T")


class NotedCore(MemoryLedger):
    """A core that notes what is given to it, and how many of an account at once."""

    def __init__(self, clock: Clock, faults: list[Fault] | None = None) -> None:
        super().__init__(clock, faults or [])
        self.given: list[int] = []
        self.crossed = False
        self._busy: set[str] = set()
        self._guard = threading.Lock()
        found(self)

    def post(self, order: AnyOrder) -> Outcome:
        accounts = {order.source, order.target}  # type: ignore[union-attr]  # transfers alone here
        with self._guard:
            self.crossed |= bool(self._busy & accounts)
            self._busy |= accounts
        try:
            return super().post(order)
        finally:
            with self._guard:
                self._busy -= accounts
                self.given.append(order.amount.centimos)


class SlowCore(MemoryLedger):
    """A core that answers to a write when the test lets it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.asked, self.answers = threading.Event(), threading.Event()
        found(self)

    def post(self, order: AnyOrder) -> Outcome:
        self.asked.set()
        assert self.answers.wait(30)
        return super().post(order)


class NoHands(InTurn):
    """Everybody is busy."""

    def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
        return None


def counter_over(
    database: Database, core: MemoryLedger, clock: Clock, asking: Asking = PLAINLY
) -> Counter:
    orders = Instructions(database, core, clock, same_database=False, asking=asking)
    return Counter(orders, core)


def threads(at_once: int = 4) -> Threads:
    return Threads("test-core", at_once, threading.BoundedSemaphore(at_once))


class TestAnAccount:
    def test_gives_its_orders_to_the_core_one_by_one_in_their_order(
        self, database: Database, clock: Clock
    ) -> None:
        core = NotedCore(clock, [Fault.NEVER_ARRIVED])
        counter = counter_over(database, core, clock)
        assert counter.send(ROSAS, SEGUNDOS, 1_00).state is State.UNKNOWN
        for centimos in (2_00, 3_00):
            assert counter.send(ROSAS, SEGUNDOS, centimos).state is State.ACCEPTED
        # Neither may the other side's, whose account they touch; somebody else's may.
        assert counter.send(SEGUNDOS, ROSAS, 4_00).state is State.ACCEPTED
        assert core.given == [1_00]
        clock.pass_seconds(ORDER_AGAIN_FIRST_S)
        assert counter.instructions.reconcile(10) == 4
        assert core.given == [1_00, 1_00, 2_00, 3_00, 4_00]

    def test_is_left_alone_by_all_other_workers_while_one_is_busy_with_it(
        self, database: Database, clock: Clock
    ) -> None:
        core = NotedCore(clock, [Fault.LATER])
        counter = counter_over(database, core, clock)
        pairs = [(ROSAS, SEGUNDOS), (SEGUNDOS, ELMERS), (ELMERS, ROSAS)]
        for number in range(12):
            counter.send(*pairs[number % 3], 1_00 + number)
        clock.pass_seconds(CORE_LEASE_S)
        with ThreadPoolExecutor(4) as workers:
            sweeps = [
                workers.submit(counter_over(database, core, clock).instructions.reconcile, 50)
                for _ in range(8)
            ]
            ended = sum(sweep.result() for sweep in sweeps)
        assert ended + counter.instructions.reconcile(50) == 12
        assert not core.crossed
        for source, target in pairs:
            own = [100 + n for n in range(12) if pairs[n % 3] == (source, target)]
            first_given = list(dict.fromkeys(core.given))
            assert [each for each in first_given if each in own] == own

    def test_is_not_stopped_by_what_waits_at_the_core_for_a_person(
        self, database: Database, clock: Clock
    ) -> None:
        core = NotedCore(clock, [Fault.APPROVAL])
        counter = counter_over(database, core, clock)
        assert counter.send(SEGUNDOS, ROSAS, 200_00).state is State.UNKNOWN
        clock.pass_seconds(1)
        assert counter.send(SEGUNDOS, ROSAS, 50_00).state is State.POSTED
        # Its funds stay its own, and are taken off once: this core shows by itself what waits.
        assert counter.balance(SEGUNDOS) == 260_00
        assert counter.send(SEGUNDOS, ROSAS, 60_00).state is State.POSTED
        assert counter.send(SEGUNDOS, ROSAS, 1).code == "insufficient_funds"

    def test_is_not_stopped_for_ever_by_an_order_that_is_stuck_at_the_core(
        self, database: Database, clock: Clock
    ) -> None:
        """Fineract died over Segundo's order, and its key says 425 from now on."""

        class StuckForSegundo(NotedCore):
            def post(self, order: AnyOrder) -> Outcome:
                return Unknown() if order.owner == SEGUNDO else super().post(order)

        core, stuck, behind = StuckForSegundo(clock), uuid.uuid4(), uuid.uuid4()
        counter = counter_over(database, core, clock)
        assert counter.send(SEGUNDOS, ROSAS, 200_00, key=stuck).state is State.UNKNOWN
        for _ in range(ORDER_PARKED_AFTER - 2):
            clock.pass_seconds(ORDER_AGAIN_MAX_S)
            counter.instructions.reconcile(10)
        assert counter.send(ELMERS, ROSAS, 30_00, key=behind).state is State.ACCEPTED
        clock.pass_seconds(ORDER_AGAIN_MAX_S)
        assert counter.instructions.reconcile(10) == 1
        assert counter.instructions.close(behind).state is State.POSTED
        # It is still asked about, and its end is told whenever it comes.
        assert counter.instructions.close(stuck).state is State.UNKNOWN
        MemoryLedger.post(core, Transfer(stuck, SEGUNDOS, ROSAS, Money(200_00), TODAY, SEGUNDO))
        clock.pass_seconds(ORDER_AGAIN_MAX_S)
        assert counter.instructions.reconcile(10) == 1
        assert counter.instructions.close(stuck).state is State.POSTED

    def test_orders_of_two_that_cross_end_without_a_deadlock(
        self, database: Database, clock: Clock
    ) -> None:
        core = NotedCore(clock)
        web = [counter_over(database, core, clock) for _ in range(2)]

        def send(number: int) -> State:
            there = number % 2 == 0
            source, target = (ROSAS, SEGUNDOS) if there else (SEGUNDOS, ROSAS)
            counter = web[number // 2 % 2]
            return counter.send(source, target, 3_00 if there else 2_00, again_ok=True).state

        with ThreadPoolExecutor(8) as hops:
            states = set(hops.map(send, range(40)))
        assert states <= {State.POSTED, State.ACCEPTED}
        web[0].instructions.reconcile(40)
        assert not core.crossed
        assert web[0].balance(ROSAS) == 1_250_50 - 20 * 1_00
        assert web[0].balance(SEGUNDOS) == 310_00 + 20 * 1_00


class TestAHop:
    def test_that_may_wait_no_longer_is_told_so_and_the_order_goes_on(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        core, hands, late = SlowCore(clock), threads(), []
        asking = Asking(hands, left_ms=lambda: 0, late=lambda: late.append("late"))
        counter = counter_over(database, core, clock, asking)
        key = uuid.uuid4()
        assert counter.send(ROSAS, SEGUNDOS, 50_00, key=key).state is State.ACCEPTED
        assert core.asked.wait(30)
        assert counter.instructions.close(key).state is State.ACCEPTED  # it cannot be called back
        core.answers.set()
        hands.shut(30_000)
        assert counter.instructions.close(key).state is State.POSTED
        assert told.facts() == [("transfer_sent", ROSA), ("transfer_received", SEGUNDO)]

    def test_that_was_told_so_hears_of_a_refusal_by_sms(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        core, hands = SlowCore(clock), threads()
        counter = counter_over(database, core, clock, Asking(hands, left_ms=lambda: 0))
        assert counter.send(ROSAS, "no-such", 50_00).state is State.ACCEPTED
        core.answers.set()
        hands.shut(30_000)
        assert told.facts() == [("order_refused", ROSA)]

    def test_finds_no_hand_free_and_its_order_is_the_workers_without_an_attempt(
        self, database: Database, clock: Clock
    ) -> None:
        core = NotedCore(clock)
        web = counter_over(database, core, clock, Asking(NoHands()))
        key = uuid.uuid4()
        assert web.send(ROSAS, SEGUNDOS, 50_00, key=key).state is State.ACCEPTED
        assert core.given == []
        worker = counter_over(database, core, clock)
        assert worker.instructions.reconcile(10) == 1
        assert web.instructions.close(key).state is State.POSTED

    def test_whose_core_is_left_alone_gives_it_nothing(
        self, database: Database, clock: Clock
    ) -> None:
        core, asked = NotedCore(clock), [False]
        counter = counter_over(database, core, clock, Asking(InTurn(), ready=lambda: asked[0]))
        key = uuid.uuid4()
        assert counter.send(ROSAS, SEGUNDOS, 50_00, key=key).state is State.ACCEPTED
        assert counter.instructions.reconcile(10) == 0
        asked[0] = True
        assert counter.instructions.reconcile(10) == 1
        assert core.given == [50_00]

    def test_dies_between_taking_an_order_and_asking_the_core(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        class Dies(InTurn):
            def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
                raise KeyboardInterrupt

        core = NotedCore(clock)
        with suppress(KeyboardInterrupt):
            counter_over(database, core, clock, Asking(Dies())).send(ROSAS, SEGUNDOS, 50_00)
        # Nobody has asked the core, so nobody has to wait until the dead one's time is over.
        assert counter_over(database, core, clock).instructions.reconcile(10) == 1
        assert told.facts() == [("transfer_sent", ROSA), ("transfer_received", SEGUNDO)]

    def test_dies_between_the_cores_answer_and_writing_it_down(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        class Forgets(Database):
            def __init__(self) -> None:
                """It is another's."""

            def call(self, sql: str, params: object = ()) -> list[dict[str, object]]:  # type: ignore[override]
                if "settle" in sql:
                    raise DatabaseUnavailableError("killed")
                return database.call(sql, params)  # type: ignore[arg-type]

        core = NotedCore(clock)
        with pytest.raises(DatabaseUnavailableError):
            counter_over(Forgets(), core, clock).send(ROSAS, SEGUNDOS, 50_00)
        counter = counter_over(database, core, clock)
        assert counter.instructions.reconcile(10) == 0
        clock.pass_seconds(CORE_LEASE_S)
        assert counter.instructions.reconcile(10) == 1
        assert core.given == [50_00]  # it was found, not given again
        assert told.facts() == [("transfer_sent", ROSA), ("transfer_received", SEGUNDO)]

    def test_that_died_while_it_asked_is_told_of_a_refusal_by_the_worker(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        """No screen said anything, and who does not dial again would never learn of it."""

        class DiesBeforeItAsks(NotedCore):
            def post(self, order: AnyOrder) -> Outcome:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            counter_over(database, DiesBeforeItAsks(clock), clock).send(ROSAS, "no-such", 50_00)
        clock.pass_seconds(CORE_LEASE_S)
        assert counter_over(database, NotedCore(clock), clock).instructions.reconcile(10) == 1
        assert told.facts() == [("order_refused", ROSA)]

    def test_that_died_before_it_took_its_order_is_told_of_a_refusal_by_the_worker(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        class Dies(InTurn):
            def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
                raise KeyboardInterrupt

        core = NotedCore(clock)
        with suppress(KeyboardInterrupt):
            counter_over(database, core, clock, Asking(Dies())).send(ROSAS, "no-such", 50_00)
        assert counter_over(database, core, clock).instructions.reconcile(10) == 1
        assert told.facts() == [("order_refused", ROSA)]


class TestTheWorker:
    @pytest.mark.parametrize("at_a_time", [10, 1])
    def test_goes_on_while_one_order_is_slow_and_ends_without_waiting_for_it(
        self, database: Database, clock: Clock, at_a_time: int
    ) -> None:
        class SlowForRosa(SlowCore):
            def post(self, order: AnyOrder) -> Outcome:
                if order.owner == ROSA:
                    return super().post(order)
                quick_ended.set()
                return MemoryLedger.post(self, order)

        quick_ended = threading.Event()
        core, hands = SlowForRosa(clock), threads()
        web = counter_over(database, core, clock, Asking(NoHands()))
        slow, quick = uuid.uuid4(), uuid.uuid4()
        web.send(ROSAS, SEGUNDOS, 50_00, key=slow)
        web.send(ELMERS, ELMERS_HARVEST, 50_00, key=quick)
        worker = counter_over(database, core, clock, Asking(hands)).instructions
        with ThreadPoolExecutor(1) as duty:
            run = duty.submit(worker.reconcile, at_a_time)
            assert core.asked.wait(30)
            assert quick_ended.wait(30)
            worker.stop()
            assert run.result(30) in {0, 1}  # what is under way is left to its lease
        core.answers.set()
        hands.shut(30_000)
        assert web.instructions.close(quick).state is State.POSTED
        assert web.instructions.close(slow).state is State.POSTED


class TestExpiry:
    def test_an_order_that_was_never_asked_of_the_core_is_closed_and_told(
        self, database: Database, clock: Clock, told: Told, used: Used
    ) -> None:
        core = NotedCore(clock)
        core.away = True
        counter = counter_over(database, core, clock)
        key = uuid.uuid4()
        counter.send(SEGUNDOS, ROSAS, 300_00, key=key)
        clock.pass_seconds(ORDER_EXPIRES_S - 1)
        assert counter.instructions.reconcile(10) == 0
        clock.pass_seconds(1)
        assert counter.instructions.reconcile(10) == 1
        closed = counter.instructions.close(key)
        assert (closed.state, closed.code) == (State.CLOSED, "expired")
        ((fact, member_ref, detail),) = told.rows()
        assert (fact, member_ref, detail["code"]) == ("order_refused", SEGUNDO, "expired")
        assert used() == {}
        core.away = False
        assert counter.instructions.reconcile(10) == 0
        assert counter.send(SEGUNDOS, ROSAS, 300_00, key=key).state is State.CLOSED
        assert counter.send(SEGUNDOS, ROSAS, 310_00).state is State.POSTED

    def test_what_may_be_with_the_core_never_expires(
        self, database: Database, clock: Clock
    ) -> None:
        core = NotedCore(clock, [Fault.NEVER_ARRIVED])
        counter = counter_over(database, core, clock)
        key = uuid.uuid4()
        counter.send(ROSAS, SEGUNDOS, 50_00, key=key)
        core.away = True
        clock.pass_seconds(3 * ORDER_EXPIRES_S)
        assert counter.instructions.reconcile(10) == 0
        assert counter.instructions.close(key).state is State.UNKNOWN
        core.away = False
        clock.pass_seconds(CORE_LEASE_S * 2)
        assert counter.instructions.reconcile(10) == 1
        assert counter.instructions.close(key).state is State.POSTED

    def test_a_worker_that_comes_too_late_posts_nothing(
        self, database: Database, clock: Clock, told: Told
    ) -> None:
        core = NotedCore(clock)
        web = counter_over(database, core, clock, Asking(NoHands()))
        key = uuid.uuid4()
        web.send(ROSAS, SEGUNDOS, 50_00, key=key)
        clock.pass_seconds(ORDER_EXPIRES_S)
        with ThreadPoolExecutor(4) as workers:
            for _ in range(8):
                late = counter_over(database, core, clock).instructions
                workers.submit(late.reconcile, 10)
        assert core.given == []
        assert told.facts() == [("order_refused", ROSA)]

    def test_gives_way_to_what_waited_behind_it(self, database: Database, clock: Clock) -> None:
        core = NotedCore(clock)
        web = counter_over(database, core, clock, Asking(NoHands()))
        web.send(ROSAS, SEGUNDOS, 1_00)
        clock.pass_seconds(ORDER_EXPIRES_S - 1)
        web.send(ROSAS, SEGUNDOS, 2_00)
        clock.pass_seconds(1)
        assert counter_over(database, core, clock).instructions.reconcile(10) == 2
        assert core.given == [2_00]


class TestFunds:
    def test_on_their_way_cannot_be_spent_twice_at_once(
        self, database: Database, clock: Clock
    ) -> None:
        class Silent(NotedCore):
            def post(self, order: AnyOrder) -> Outcome:
                return Unknown()

        core = Silent(clock)
        web = [counter_over(database, core, clock) for _ in range(2)]
        with ThreadPoolExecutor(8) as hops:
            results = list(
                hops.map(
                    lambda n: web[n % 2].send(SEGUNDOS, ROSAS, 50_00, again_ok=True), range(16)
                )
            )
        taken = [one for one in results if one.state is not State.REFUSED]
        assert len(taken) == 6  # of S/ 310.00
        spoken = web[0].instructions.spoken_for(SEGUNDO, None)[SEGUNDOS]
        assert (spoken.on_the_way, spoken.taken) == (Money(300_00), Money(300_00))

    def test_that_left_since_the_figure_are_taken_off_it(
        self, database: Database, clock: Clock
    ) -> None:
        counter = counter_over(database, NotedCore(clock), clock)
        before = clock()
        clock.pass_seconds(60)
        counter.send(SEGUNDOS, ROSAS, 50_00)
        since = counter.instructions.spoken_for(SEGUNDO, before)[SEGUNDOS]
        assert (since.on_the_way, since.taken) == (Money(0), Money(50_00))
        assert counter.instructions.spoken_for(SEGUNDO, clock() + dt.timedelta(seconds=1)) == {}
