"""Leaving a core alone that fails or does not answer in time, and finding it well again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from pybreaker import (
    STATE_CLOSED,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitBreakerListener,
    CircuitBreakerState,
    CircuitMemoryStorage,
)

from gateway.bounds import CORE_BUDGET_MS, CORE_FAILURES_MAX
from gateway.breaking import OneTries
from gateway.ledger.port import Health

log = structlog.stdlib.get_logger(__name__)


class _FailedError(Exception):
    """The core failed somebody, or kept them waiting for too long."""


class CoreBreaker:
    """Counts failures in a row, time-outs among them. Used by several threads at once.

    Shut, it lets nobody by: members are answered at once, and orders wait. It is `probe`, called
    every so often by a thread of its own, that finds out whether the core is well again: no
    member's hop is spent on it.

    Args:
        failures_max: in a row, and then it shuts.
        slow_ms: a core that takes longer to say that it is well is not.
        clock_ms: one that only goes forward.
    """

    def __init__(
        self,
        failures_max: int = CORE_FAILURES_MAX,
        slow_ms: int = CORE_BUDGET_MS,
        clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._health = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(
            fail_max=failures_max,
            reset_timeout=0,  # a probe may always try; whoever else asks looks at `shut` first
            state_storage=self._health,
            listeners=[_Teller()],
            throw_new_error_on_trip=False,
        )
        self._one_tries = OneTries(lambda: self._health.state)
        self._slow_ms = slow_ms
        self.clock_ms = clock_ms

    @property
    def shut(self) -> bool:
        """Whether the core is left alone now."""
        return bool(self._health.state != STATE_CLOSED)

    def failed(self) -> None:
        """It gave no answer, or none in time."""
        if not self.shut:
            with suppress(_FailedError, CircuitBreakerError), self._breaker.calling():
                raise _FailedError

    def answered(self, took_ms: int) -> None:
        """It gave one: a no is an answer too. One that took longer than a member would have waited
        ends no row of failures."""
        if not self.shut and took_ms <= self._slow_ms:
            with suppress(CircuitBreakerError), self._breaker.calling():
                pass

    def probe(self, health: Callable[[], Health]) -> bool:
        """Ask the core whether it is well again, where it is left alone; answers whether it may be
        asked. One at a time, and nobody waits for another's trial."""
        if not self.shut:
            return True
        with (
            suppress(_FailedError, CircuitBreakerError),
            self._one_tries.turn(),
            self._breaker.calling(),
        ):
            began_ms = self.clock_ms()
            if not health().well or self.clock_ms() - began_ms > self._slow_ms:
                raise _FailedError
        return not self.shut


class _Teller(CircuitBreakerListener):
    """Says when the core is left alone, and when it is asked again: not each trial in between."""

    def state_change(
        self,
        cb: CircuitBreaker,
        old_state: CircuitBreakerState | None,
        new_state: CircuitBreakerState,
    ) -> None:
        if new_state.name == STATE_CLOSED:
            log.info("core_asked_again")
        elif old_state and old_state.name == STATE_CLOSED:
            log.warning("core_left_alone", effect="orders wait, balances are the last known")
