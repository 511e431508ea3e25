"""How many hops a process works on at once, and who is told to dial again when too many come.

A member who gets no screen within seconds tries again: a server that works for those who have gone
serves nobody. So who would wait too long is told at once. A dial has nothing to lose yet; who is in
the middle of something may wait when a dial may not any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from gateway.bounds import DIALS_WAITING_MAX, HAND_WAIT_MS, HOPS_AT_ONCE, HOPS_WAITING_MAX
from gateway.values.turn import Cumulative, Reply, Turn


class Crowd:
    """Those before the doors of one process, each in a thread of the web server.

    Args:
        at_once: hops that are worked on at a time.
        wait_ms: the longest that one waits for its turn.
    """

    def __init__(self, at_once: int = HOPS_AT_ONCE, wait_ms: int = HAND_WAIT_MS) -> None:
        self._wait_s = wait_ms / 1000
        self._inside_max = {True: at_once + DIALS_WAITING_MAX, False: at_once + HOPS_WAITING_MAX}
        self._inside = 0
        self._counting = threading.Lock()
        self._hands: SimpleQueue[None] = SimpleQueue()  # in C: a semaphore takes ten times as long
        for _ in range(at_once):
            self._hands.put(None)

    def full(self, *, dials: bool) -> bool:
        """Whether nobody more is let in now, not even to wait; of those who dial, or of all.

        Asked before anything is read of a request: where many come, most of the work would else be
        for those who are told to go."""
        return self._inside >= self._inside_max[dials]

    def pass_on(self, turn: Turn, take: Callable[[Turn], Reply]) -> Reply | None:
        """What `take` says, once there is a hand free for it. None: too many wait, or those before
        them get nowhere."""
        with self._counting:
            if self.full(dials=_dials(turn)):
                return None
            self._inside += 1
        try:
            return self._in_turn(turn, take)
        finally:
            with self._counting:
                self._inside -= 1

    def _in_turn(self, turn: Turn, take: Callable[[Turn], Reply]) -> Reply | None:
        try:
            self._hands.get(timeout=self._wait_s)
        except Empty:
            return None
        try:
            return take(turn)
        finally:
            self._hands.put(None)


def _dials(turn: Turn) -> bool:
    """Whether this surely begins a session: not every network says so."""
    return isinstance(turn.said, Cumulative) and not turn.said.history.text
