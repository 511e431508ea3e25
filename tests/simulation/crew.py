"""Those who ask the core, of a run's processes, in virtual time: actors in place of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from gateway.bounds import (
    CORE_BUDGET_MS,
    CORE_ORDERS_AT_ONCE,
    CORE_READS_AT_ONCE,
    CORE_WAITING_SHARE,
)
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import CrowdedError, Task
from gateway.core.patience import Patience
from gateway.core.patient import Care
from gateway.ledger.port import Health
from gateway.settings import Settings
from tests.simulation.station import Actor, Answer, Killed
from tests.simulation.world import World, died

_T = TypeVar("_T")

_WAITING_MAX = Settings.model_fields["web_threads"].default // CORE_WAITING_SHARE
_FOREVER_MS = 24 * 3_600_000


class Crew:
    """One process's way of asking the core."""

    def __init__(self) -> None:
        self.breaker = _RunsBreaker()
        self.patience = _RunsPatience()
        self._crews = (_Actors(CORE_READS_AT_ONCE), _Actors(CORE_ORDERS_AT_ONCE))

    def care(self) -> Care:
        """For the gateway's parts."""
        reading, writing = self._crews
        return Care(reading, writing, self.patience, self.breaker)

    def enter(self, world: World) -> None:
        """A run begins, and nothing of the one before is remembered."""
        self.breaker.enter(world)
        self.patience.enter(world)
        for crew in self._crews:
            crew.enter(world)


class _Actors:
    """Hands, an actor each. What they do is done for whoever lends it, and dies with it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once

    def enter(self, world: World) -> None:
        self._world = world
        self._busy = 0
        self._waiting = 0

    def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
        if self._busy >= self._at_once:
            self._world.history.counts["no hand free"] += 1
            return None
        self._busy += 1
        return _Piece(self._world, work, self)

    def shut(self, within_ms: int) -> None:
        """Runs do not end by SIGTERM."""

    def done(self) -> None:
        self._busy -= 1

    @contextmanager
    def waiting(self) -> Iterator[None]:
        if self._waiting >= _WAITING_MAX:
            self._world.history.counts["too many wait"] += 1
            raise CrowdedError
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1


class _Piece(Generic[_T]):
    def __init__(self, world: World, work: Callable[[], _T], crew: _Actors) -> None:
        self._world = world
        self._crew = crew
        self._came = Answer()
        self._result: _T | None = None
        self._fault: BaseException | None = None

        def run() -> None:
            try:
                self._result = work()
            except Exception as fault:
                self._fault = fault

        def ended(actor: Actor) -> None:
            died(actor)
            crew.done()
            if actor.killed:
                self._fault = Killed()  # of its process, so who waits in there is dead too
            self._came.give(True)

        world.station.spawn("hand", run, about=world.about(), ended=ended)

    def within(self, ms: int | None) -> _T:
        station = self._world.station
        if ms is None:
            station.await_answer(self._came, _FOREVER_MS)
        else:
            with self._crew.waiting():
                station.await_answer(self._came, ms)
        if not self._came.given:
            self._world.history.counts["left the core to it"] += 1
            raise TimeoutError
        if self._fault:
            raise self._fault
        return self._result  # type: ignore[return-value]  # done without a fault: it is there


class _RunsPatience(Patience):
    """Each actor has its own, as a thread has."""

    def __init__(self) -> None:
        super().__init__(CORE_BUDGET_MS)

    def enter(self, world: World) -> None:
        self._world = world
        self._ends_ms: dict[int, int] = {}

    @contextmanager
    def hop(self) -> Iterator[None]:
        me, station = self._me, self._world.station
        self._ends_ms[me] = station.now_ms + CORE_BUDGET_MS
        try:
            yield
        finally:
            del self._ends_ms[me]

    def left_ms(self) -> int | None:
        ends_ms = self._ends_ms.get(self._me)
        return None if ends_ms is None else max(0, ends_ms - self._world.station.now_ms)

    @property
    def _me(self) -> int:
        return id(self._world.station.current)


class _RunsBreaker(CoreBreaker):
    """A fresh one each run."""

    def enter(self, world: World) -> None:
        self._world = world
        self.clock_ms = lambda: world.station.now_ms
        self._inner = CoreBreaker(clock_ms=self.clock_ms)

    @property
    def shut(self) -> bool:
        return self._inner.shut

    def failed(self) -> None:
        before = self.shut
        self._inner.failed()
        if self.shut and not before:
            self._world.note("core left alone", "core")

    def answered(self, took_ms: int) -> None:
        self._inner.answered(took_ms)

    def probe(self, health: Callable[[], Health]) -> bool:
        before = self.shut
        well = self._inner.probe(health)
        if well and before:
            self._world.note("core asked again", "core")
        return well
