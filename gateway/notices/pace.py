"""No more messages a second than a provider carries."""

from __future__ import annotations

import threading
import time

from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

from gateway.bounds import PACE_WAIT_S

_WAKE_MARGIN_MS = 5  # pyrate-limiter's own margin is 50: at 40 a second that halves the rate


class Pace:
    """Gives turns, `per_second` of them in any second, to the threads of one process.

    Whoever cannot have one within `wait_s` is told when to come back, each at a time of its own:
    so a thousand messages for a slow provider are put back about once each, not every second.

    Several worker processes do not know of each other: give each its share of the rate.
    """

    def __init__(self, per_second: float, wait_s: float = PACE_WAIT_S) -> None:
        turns = max(1, int(per_second))
        self._turn_s = 1 / per_second
        self._wait_s = wait_s
        self._bucket = InMemoryBucket([Rate(turns, max(1, round(1000 * turns * self._turn_s)))])
        # pyrate-limiter would start a thread to drop the turns of the past: we do it ourselves.
        factory = SingleBucketFactory(self._bucket, schedule_leak=False)
        self._limiter = Limiter(factory, buffer_ms=_WAKE_MARGIN_MS)
        self._lock = threading.Lock()
        self._promised = 0.0  # up to when turns are promised to those who were sent away

    def late_s(self) -> float:
        """Wait for a turn, `wait_s` at the most. 0: it is yours. Else come back in so many
        seconds."""
        self._bucket.leak(self._bucket.now())  # type: ignore[no-untyped-call]
        if self._limiter.try_acquire(timeout=self._wait_s) is True:
            return 0
        with self._lock:
            now = time.monotonic()
            self._promised = max(self._promised, now) + self._turn_s
            return self._promised - now
