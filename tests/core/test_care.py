"""How a core behind a network is asked: in time, by few at once, and not while it fails."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import TypeVar

import psycopg
import pytest

from gateway.bounds import CORE_BUDGET_MS, CORE_FAILURES_MAX, KNOWN_AGAIN_S
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import CrowdedError, InTurn, Task, Threads
from gateway.core.known import KnownAccounts
from gateway.core.patience import Patience
from gateway.core.patient import Care, NotAsked, PatientLedger
from gateway.db.pool import Database
from gateway.ledger.contract.cooperative import ROSA, ROSAS, SEGUNDOS, TODAY, found
from gateway.ledger.memory import Fault, MemoryLedger
from gateway.ledger.port import Account, Done, Health, LedgerUnavailableError, Transfer
from gateway.values.money import Money
from tests.cooperative import Clock

_T = TypeVar("_T")

WELL, ILL = Health(well=True), Health(well=False, reason="away")


class Ticks:
    """Milliseconds that pass when the test says so."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


class Never(InTurn):
    """Hands that begin and are never done in time."""

    def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
        return _Late()


class _Late:
    def within(self, ms: int | None) -> object:
        raise TimeoutError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(database_urls: tuple[str, str]) -> Database:
    database = Database(database_urls[1], 2)
    database.open()
    return database


def twin(clock: Clock, *faults: Fault) -> MemoryLedger:
    core = MemoryLedger(clock.now, faults)
    found(core)
    return core


def patient(
    core: MemoryLedger,
    database: Database,
    clock: Clock,
    reading: InTurn | None = None,
    breaker: CoreBreaker | None = None,
) -> PatientLedger:
    patience = Patience(CORE_BUDGET_MS, lambda: 0)
    breaker = breaker or CoreBreaker(clock_ms=lambda: 0)
    care = Care(reading or InTurn(), InTurn(), patience, breaker)
    return PatientLedger(core, care, KnownAccounts(database), clock.now)


def an_order() -> Transfer:
    return Transfer(uuid.uuid4(), ROSAS, SEGUNDOS, Money(50_00), TODAY, ROSA)


class TestPatience:
    def test_is_shared_by_all_questions_of_a_hop_and_none_of_a_workers(self) -> None:
        ticks = Ticks()
        patience = Patience(3_000, ticks)
        assert patience.left_ms() is None
        with patience.hop():
            ticks.ms = 2_000
            assert patience.left_ms() == 1_000
            ticks.ms = 9_000
            assert patience.left_ms() == 0
        assert patience.left_ms() is None

    def test_of_one_hop_is_not_anothers(self) -> None:
        patience, left = Patience(3_000, lambda: 0), []
        with patience.hop():
            other = threading.Thread(target=lambda: left.append(patience.left_ms()))
            other.start()
            other.join()
        assert left == [None]


class TestHands:
    def test_are_so_many_and_no_more(self) -> None:
        hands = Threads("test", 2, threading.BoundedSemaphore(2))
        go = threading.Event()
        lent = [hands.lend(lambda: go.wait(30)) for _ in range(3)]
        assert [task is not None for task in lent] == [True, True, False]
        go.set()
        assert [task.within(30_000) for task in lent if task] == [True, True]
        hands.shut(30_000)
        assert hands.lend(lambda: 1) is None

    def test_that_the_machine_would_not_give_are_free_again(self) -> None:
        """No memory for a thread's stack, or no process left to the container."""
        hands = Threads("test", 1, threading.BoundedSemaphore(1))
        usual = threading.stack_size(2**46)
        try:
            assert hands.lend(lambda: 1) is None
        finally:
            threading.stack_size(usual)
        task = hands.lend(lambda: 2)
        assert task
        assert task.within(None) == 2

    def test_are_not_waited_for_by_more_than_may_wait(self) -> None:
        waiting = threading.BoundedSemaphore(1)
        hands, go = Threads("test", 2, waiting), threading.Event()
        task = hands.lend(lambda: go.wait(30))
        assert task
        waiting.acquire()  # another hop waits
        with pytest.raises(CrowdedError):
            task.within(30_000)
        waiting.release()
        with pytest.raises(TimeoutError):
            task.within(0)
        go.set()
        assert task.within(None)

    def test_raise_what_the_work_raised(self) -> None:
        hands = Threads("test", 1, threading.BoundedSemaphore(1))
        task = hands.lend(lambda: 1 // 0)
        assert task
        with pytest.raises(ZeroDivisionError):
            task.within(None)

    def test_that_are_shut_leave_what_is_not_done(self) -> None:
        hands, go = Threads("test", 1, threading.BoundedSemaphore(1)), threading.Event()
        assert hands.lend(lambda: go.wait(30))
        hands.shut(0)
        assert hands.busy == 1
        go.set()


class TestTheBreaker:
    def test_shuts_after_failures_in_a_row_alone(self) -> None:
        breaker = CoreBreaker()
        for _ in range(CORE_FAILURES_MAX - 1):
            breaker.failed()
        breaker.answered(1)
        for _ in range(CORE_FAILURES_MAX - 1):
            breaker.failed()
        assert not breaker.shut
        breaker.failed()
        assert breaker.shut

    def test_takes_no_comfort_from_an_answer_that_came_too_late_for_anybody(self) -> None:
        breaker = CoreBreaker()
        for _ in range(CORE_FAILURES_MAX):
            breaker.failed()
            breaker.answered(CORE_BUDGET_MS + 1)
        assert breaker.shut

    def test_is_opened_by_a_trial_that_goes_well_and_soon(self) -> None:
        ticks = Ticks()
        breaker = CoreBreaker(failures_max=1, clock_ms=ticks)
        breaker.failed()

        def slowly() -> Health:
            ticks.ms += CORE_BUDGET_MS + 1
            return WELL

        assert not breaker.probe(lambda: ILL)
        assert not breaker.probe(slowly)
        assert breaker.probe(lambda: WELL)
        assert not breaker.shut

    def test_has_one_trial_at_a_time(self) -> None:
        breaker, tried = CoreBreaker(failures_max=1), []
        breaker.failed()

        def trial() -> Health:
            tried.append("one")
            assert not breaker.probe(lambda: tried.append("another") or WELL)  # type: ignore[func-returns-value]
            return WELL

        assert breaker.probe(trial)
        assert tried == ["one"]


class TestAnswers:
    def test_that_cannot_be_had_are_those_of_before_with_their_time(
        self, database: Database, clock: Clock
    ) -> None:
        core = twin(clock)
        ledger = patient(core, database, clock)
        now = ledger.accounts(ROSA)
        assert [account.as_of for account in now] == [None, None]
        seen_at = clock.now()
        clock.pass_time(hours=3)
        core.away = True
        then = ledger.accounts(ROSA)
        assert [account.as_of for account in then] == [seen_at, seen_at]
        assert [(one.code, one.kind, one.balance) for one in then] == [
            (one.code, one.kind, one.balance) for one in now
        ]

    def test_that_make_no_sense_are_none(self, database: Database, clock: Clock) -> None:
        """A proxy says with 200 and in JSON that it is being mended."""

        class Mended(MemoryLedger):
            def accounts(self, member_ref: str) -> tuple[Account, ...]:
                raise KeyError("savingsAccounts")

        seen_at = clock.now()
        patient(twin(clock), database, clock).accounts(ROSA)
        clock.pass_time(hours=3)
        ledger = patient(Mended(clock.now), database, clock)
        assert {account.as_of for account in ledger.accounts(ROSA)} == {seen_at}
        for _ in range(CORE_FAILURES_MAX):
            ledger.accounts(ROSA)
        assert not ledger.ready()

    def test_that_nobody_ever_had_are_not_guessed(self, database: Database, clock: Clock) -> None:
        core = twin(clock)
        core.away = True
        with pytest.raises(LedgerUnavailableError):
            patient(core, database, clock).accounts(ROSA)

    def test_of_loans_are_never_old(self, database: Database, clock: Clock) -> None:
        core = twin(clock)
        ledger = patient(core, database, clock)
        ledger.loans(ROSA, TODAY)
        core.away = True
        with pytest.raises(LedgerUnavailableError):
            ledger.loans(ROSA, TODAY)

    def test_that_take_longer_than_a_hop_are_not_waited_for_and_shut_the_core_out(
        self, database: Database, clock: Clock
    ) -> None:
        core, breaker = twin(clock), CoreBreaker(clock_ms=lambda: 0)
        patient(core, database, clock).accounts(ROSA)
        ledger = patient(core, database, clock, Never(), breaker)
        for _ in range(CORE_FAILURES_MAX):
            assert ledger.ready()
            with ledger.hop():
                assert ledger.accounts(ROSA)[0].as_of
        assert not ledger.ready()
        assert not ledger.health().well
        assert ledger.post(an_order()) == NotAsked()
        assert not ledger.probe()  # it takes too long for that, too
        again_quick = patient(core, database, clock, breaker=breaker)
        assert again_quick.probe()
        assert isinstance(ledger.post(an_order()), Done)

    def test_are_not_asked_for_where_a_hop_has_no_time_left(
        self, database: Database, clock: Clock
    ) -> None:
        ticks = Ticks()
        breaker = CoreBreaker(failures_max=1)
        care = Care(InTurn(), InTurn(), Patience(CORE_BUDGET_MS, ticks), breaker)
        ledger = PatientLedger(twin(clock), care, KnownAccounts(database), clock.now)
        with ledger.hop():
            ticks.ms = CORE_BUDGET_MS
            with pytest.raises(LedgerUnavailableError):
                ledger.movements(ROSAS, 1)
        assert ledger.ready()  # the core did nothing wrong

    @pytest.mark.parametrize("fault", [Fault.LATER, Fault.NEVER_ARRIVED])
    def test_to_orders_that_fail_count_too(
        self, database: Database, clock: Clock, fault: Fault
    ) -> None:
        ledger = patient(twin(clock, *[fault] * CORE_FAILURES_MAX), database, clock)
        for _ in range(CORE_FAILURES_MAX):
            assert ledger.ready()
            ledger.post(an_order())
        assert not ledger.ready()


class TestWhatIsKnown:
    def test_is_written_down_once_a_minute_or_when_it_changes(
        self, database: Database, database_urls: tuple[str, str], clock: Clock
    ) -> None:
        def versions() -> str:
            with psycopg.connect(database_urls[0]) as owner:
                row = owner.execute("select xmin::text from core.known").fetchone()
            assert row
            return str(row[0])

        core = twin(clock)
        ledger = patient(core, database, clock)
        ledger.accounts(ROSA)
        first = versions()
        clock.pass_time(seconds=KNOWN_AGAIN_S - 1)
        ledger.accounts(ROSA)
        assert versions() == first
        core.post(an_order())
        ledger.accounts(ROSA)
        changed = versions()
        assert changed != first
        clock.pass_time(seconds=KNOWN_AGAIN_S)
        ledger.accounts(ROSA)
        assert versions() != changed

    def test_is_not_replaced_by_an_answer_that_was_longer_on_its_way(
        self, database: Database, clock: Clock
    ) -> None:
        known = KnownAccounts(database)
        now = clock.now()
        account = Account(ROSAS, twin(clock).accounts(ROSA)[0].kind, "Ahorro", Money(2), Money(2))
        known.remember(ROSA, [account], now)
        older = Account(ROSAS, account.kind, "Ahorro", Money(1), Money(1))
        known.remember(ROSA, [older], now - dt.timedelta(hours=1))
        kept = known.of(ROSA)
        assert kept is not None
        assert kept[0].balance == Money(2)

    def test_is_also_that_a_member_has_no_account(self, database: Database, clock: Clock) -> None:
        known = KnownAccounts(database)
        assert known.of("m-nobody") is None
        known.remember("m-nobody", [], clock.now())
        assert known.of("m-nobody") == ()
