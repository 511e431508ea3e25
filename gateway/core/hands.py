"""Threads that ask the core, so that a hop's thread need not wait longer than it may."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import structlog

log = structlog.stdlib.get_logger(__name__)

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class CrowdedError(TimeoutError):
    """Too many threads wait for the core already: this one did not wait at all."""


class Task(Protocol[_T_co]):
    """Work that somebody does."""

    def within(self, ms: int | None) -> _T_co:
        """What came of it, or what it raised; None waits for as long as it takes.

        Raises:
            TimeoutError: it goes on, and nobody waits for it any more. `CrowdedError`: nobody did.
        """


class Hands(Protocol):
    """A bounded number of hands. Used by several threads at once."""

    def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
        """Begin a piece of work; None where no hand is free, and then nothing has begun."""

    def shut(self, within_ms: int) -> None:
        """Begin nothing more, and wait so long for what is under way. What is not done by then is
        left: its process may end."""


class _Piece(Generic[_T]):
    """One piece of work, and who waits for it."""

    def __init__(self, work: Callable[[], _T], waiting: threading.BoundedSemaphore) -> None:
        self._work = work
        self._waiting = waiting
        self._done = threading.Event()
        self._alone = False
        self._lock = threading.Lock()
        self._result: _T | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as fault:
            self._fault = fault
        with self._lock:
            self._done.set()
            unheard = self._alone
        if unheard and self._fault:
            log.warning("core_question_failed", why=type(self._fault).__name__)

    def within(self, ms: int | None) -> _T:
        if ms is None:
            self._done.wait()
        elif self._waiting.acquire(blocking=False):
            try:
                self._done.wait(ms / 1000)
            finally:
                self._waiting.release()
            self._leave(TimeoutError)
        else:
            self._leave(CrowdedError)
        if self._fault:
            raise self._fault
        return self._result  # type: ignore[return-value]  # done without a fault: it is there

    def _leave(self, why: type[TimeoutError]) -> None:
        """Raises, unless it is done: from here on nobody hears what comes of it."""
        with self._lock:
            self._alone = not self._done.is_set()
        if self._alone:
            raise why


class Threads:
    """Hands of a process, a thread each, which no end of the process waits for.

    Args:
        name: of the threads.
        at_once: how many pieces of work.
        waiting: so many threads may wait for a piece at once, of all that share it.
    """

    def __init__(self, name: str, at_once: int, waiting: threading.BoundedSemaphore) -> None:
        self._name = name
        self._waiting = waiting
        self._at_once = at_once
        self._free = threading.Condition()
        self._busy = 0
        self._shut = False

    def lend(self, work: Callable[[], _T]) -> Task[_T] | None:
        """See `Hands.lend`."""
        with self._free:
            if self._shut or self._busy >= self._at_once:
                return None
            self._busy += 1
        piece = _Piece(work, self._waiting)
        thread = threading.Thread(target=self._run, args=(piece,), name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine gives no more threads: this hand is free again
            log.exception("core_hand_not_begun")
            self._put_back()
            return None
        return piece

    def shut(self, within_ms: int) -> None:
        """See `Hands.shut`."""
        with self._free:
            self._shut = True
            self._free.wait_for(lambda: self._busy == 0, within_ms / 1000)

    @property
    def busy(self) -> int:
        """How many pieces of work are under way."""
        return self._busy

    def _run(self, piece: _Piece[_T]) -> None:
        try:
            piece.run()
        finally:
            self._put_back()

    def _put_back(self) -> None:
        with self._free:
            self._busy -= 1
            self._free.notify_all()


class InTurn:
    """Nobody's hands but one's own: work is done by who waits for it, when they do, for as long as
    it takes."""

    def lend(self, work: Callable[[], _T]) -> Task[_T]:
        """See `Hands.lend`."""
        return _Own(work)

    def shut(self, within_ms: int) -> None:
        """See `Hands.shut`."""


class _Own(Generic[_T]):
    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work

    def within(self, ms: int | None) -> _T:
        del ms  # who works does not look at the clock
        return self._work()
