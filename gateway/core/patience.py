"""How long a member's hop waits for the core."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Patience:
    """All questions of one hop to the core wait no longer than its budget, together.

    Args:
        budget_ms: of a hop.
        clock_ms: one that only goes forward.
    """

    def __init__(self, budget_ms: int, clock_ms: Callable[[], int] = _monotonic_ms) -> None:
        self._budget_ms = budget_ms
        self._clock_ms = clock_ms
        self._hop = threading.local()

    @contextmanager
    def hop(self) -> Iterator[None]:
        """A hop in this thread."""
        self._hop.ends_ms = self._clock_ms() + self._budget_ms
        try:
            yield
        finally:
            self._hop.ends_ms = None

    def left_ms(self) -> int | None:
        """What is left of it; None where nobody waits with a phone in their hand: a worker."""
        ends_ms: int | None = getattr(self._hop, "ends_ms", None)
        return None if ends_ms is None else max(0, ends_ms - self._clock_ms())
