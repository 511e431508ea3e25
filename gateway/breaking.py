"""The way back to somebody who had failed and was left alone for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pybreaker import STATE_CLOSED, CircuitBreakerError


class OneTries:
    """While the other side is not known to be well one caller finds out, and no other waits.

    Args:
        state: the breaker's, in pybreaker's words.
    """

    def __init__(self, state: Callable[[], str]) -> None:
        self._state = state
        self._trying = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A caller's turn.

        Raises:
            CircuitBreakerError: somebody else is finding out.
        """
        if self._state() == STATE_CLOSED:
            yield
            return
        if not self._trying.acquire(blocking=False):
            raise CircuitBreakerError
        try:
            yield
        finally:
            self._trying.release()
