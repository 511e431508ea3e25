"""What a command may meet on its way, by name."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import StrEnum


class Fault(StrEnum):
    """`before`: the command was not executed; `after`: it was."""

    DROP_BEFORE = "drop_before"  # the connection ends
    DROP_AFTER = "drop_after"
    STUCK_BEFORE = "stuck_before"  # the server dies: its key is "under processing" for ever
    STUCK_AFTER = "stuck_after"
    LATE = "late"  # the connection ends, and it is executed when `Double.arrive` says so
    TRUNCATED = "truncated"  # executed, and half of the answer arrives
    HTML_502_BEFORE = "html_502_before"  # a proxy's page
    HTML_502_AFTER = "html_502_after"
    TOO_MANY = "too_many"  # a proxy's 429
    JOB_RUNNING = "job_running"  # 503, not begun
    LOAN_LOCKED = "loan_locked"  # 409 of the close of business, without a content type
    CONFLICT = "conflict"  # 409, rolled back and remembered
    BROKEN = "broken"  # 500, rolled back and remembered
    APPROVAL = "approval"  # 200 that moved nothing: a checker has to say yes
    SLOW = "slow"  # answered after `slow_ms`


class Plan:
    """What the next commands meet, one each; after that `otherwise` says."""

    def __init__(self, otherwise: Callable[[], Fault | None] = lambda: None) -> None:
        self.slow_ms = 500
        self.delay_ms = 0  # of every answer, of look-ups too
        self.away = False  # every connection ends at once, reads too
        self.otherwise = otherwise
        self.met: Counter[str] = Counter()  # what commands have met so far
        self._lock = threading.Lock()
        self._next: deque[Fault | None] = deque()

    def plan(self, faults: Iterable[Fault | None]) -> None:
        """Put these behind what is planned already."""
        with self._lock:
            self._next.extend(faults)

    def forget(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._next.clear()

    def take(self) -> Fault | None:
        """What this command meets."""
        with self._lock:
            fault = self._next.popleft() if self._next else self.otherwise()
            self.met[fault.value if fault else "none"] += 1
            return fault
