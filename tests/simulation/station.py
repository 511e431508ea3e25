"""Virtual time in one thread: actors take turns, and nothing sleeps.

An actor is plain code in a greenlet: a member who presses keys, a worker of the gateway. It gives
control back whenever time passes for it, and is resumed when its moment has come. What is due first
goes on first; what is due together goes on in the order in which it was asked for. So a run is the
same every time.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

MOMENTS_MAX = 200_000  # turns a run: the longest good one takes 30,000, so beyond it somebody spins


class Killed(BaseException):
    """A worker's process is gone: nothing of it runs any more."""


class TooLongError(Exception):
    """The run does not come to an end."""


@dataclass(slots=True, eq=False)
class Actor:
    """Somebody who acts in virtual time.

    Args:
        name: for the script.
        about: what it is busy with. None: it is no worker of the gateway, and cannot be killed.
        thread: where its code runs.
        over: it has ended; `killed`: not of its own.
        waits: counts its waits, so that what was to end an earlier one ends no later one.
    """

    name: str
    about: object
    thread: greenlet
    over: bool = False
    killed: bool = False
    waits: int = 0


@dataclass(slots=True)
class Station:
    """Who acts when. `now_ms` is the time since the run began."""

    now_ms: int = 0
    moments: int = 0
    _agenda: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _hub: greenlet = field(default_factory=getcurrent)
    _actors: dict[greenlet, Actor] = field(default_factory=dict)

    @property
    def current(self) -> Actor | None:
        """Who is acting now. None: whoever drives the run from outside."""
        return self._actors.get(getcurrent())

    @property
    def workers(self) -> list[Actor]:
        """The gateway's workers that are under way, the oldest first."""
        return [actor for actor in self._actors.values() if actor.about is not None]

    def at(self, in_ms: int, act: Callable[[], None]) -> None:
        """Do something when so much time has passed."""
        heapq.heappush(self._agenda, (self.now_ms + in_ms, next(self._numbers), act))

    def spawn(
        self,
        name: str,
        run: Callable[[], object],
        *,
        in_ms: int = 0,
        about: object = None,
        ended: Callable[[Actor], object] | None = None,
    ) -> Actor:
        """Let somebody begin to act when so much time has passed. `ended` is called when they have,
        or were killed."""

        def act() -> None:
            try:
                run()
            except Killed:
                actor.killed = True
            self._end(actor, ended)

        actor = Actor(name, about, greenlet(act, self._hub))
        self._actors[actor.thread] = actor
        self.at(in_ms, lambda: self._resume(actor, 0))
        return actor

    def sleep(self, ms: int) -> None:
        """Let time pass for whoever is acting."""
        actor = self._acting()
        wait = actor.waits = actor.waits + 1
        self.at(ms, lambda: self._resume(actor, wait))
        self._hub.switch()

    def await_answer(self, answer: Answer, patience_ms: int) -> object:
        """Wait until it is given, or patience ends: then None."""
        if not answer.given:
            actor = self._acting()
            wait = actor.waits = actor.waits + 1
            answer.heard = lambda: self.at(0, lambda: self._resume(actor, wait))
            self.at(patience_ms, lambda: self._resume(actor, wait))
            self._hub.switch()
        return answer.value

    def kill(self, actor: Actor) -> None:
        """End somebody where they stand. Only from outside of them."""
        actor.killed = True
        if actor.thread:
            actor.thread.throw(Killed)
        else:  # it had not begun, and never will
            self._end(actor, None)

    def run(self, until_ms: int | None = None) -> None:
        """Go on until nothing is left to do, or until a moment.

        Raises:
            TooLongError: it does not end.
        """
        while self._agenda and (until_ms is None or self._agenda[0][0] <= until_ms):
            self.now_ms, _, act = heapq.heappop(self._agenda)
            self.moments += 1
            if self.moments > MOMENTS_MAX:
                raise TooLongError(f"not at an end after {MOMENTS_MAX} turns")
            act()
        if until_ms is not None:
            self.now_ms = max(self.now_ms, until_ms)

    def close(self) -> None:
        """End whoever is still acting."""
        self._agenda.clear()
        for actor in [*self._actors.values()]:
            self.kill(actor)

    def _acting(self) -> Actor:
        actor = self.current
        if actor is None:
            raise AssertionError("only actors wait")
        return actor

    def _resume(self, actor: Actor, wait: int) -> None:
        if actor.waits == wait and not actor.over:
            actor.thread.switch()

    def _end(self, actor: Actor, ended: Callable[[Actor], object] | None) -> None:
        actor.over = True
        self._actors.pop(actor.thread, None)
        if ended:
            ended(actor)


@dataclass(slots=True)
class Answer:
    """What somebody waits for. It is given once; later ones change nothing."""

    value: object = None
    given: bool = False
    heard: Callable[[], None] | None = None

    def give(self, value: object) -> None:
        """Here it is."""
        if self.given:
            return
        self.value, self.given = value, True
        if self.heard:
            self.heard()
