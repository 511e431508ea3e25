"""Events on their way into PostgreSQL: into memory at once, from there a batch at a time."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from gateway.bounds import EVENTS_A_BATCH, EVENTS_WAITING_MAX
from gateway.db.pool import Database
from gateway.events.kinds import Event

_SOURCE_BITS = 63  # of a PostgreSQL bigint


class Events(Protocol):
    """Where events go."""

    def record(self, event: Event) -> None:
        """Take note. Never raises, never waits."""


class _Nowhere:
    def record(self, event: Event) -> None:
        pass


NOWHERE: Events = _Nowhere()


class Recorder:
    """The events of one process. Any thread may record; `flush` writes what waits.

    An event is named by who recorded it and its number there, so that a batch whose answer was lost
    is sent again and counts once. Nothing that was recorded is lost but by the end of the process,
    or where PostgreSQL stays away until `EVENTS_WAITING_MAX` wait: then the newest are dropped, and
    counted.

    Args:
        database: where they are kept.
        zone: whose days they are counted by.
        now: the clock, aware, UTC.
    """

    def __init__(
        self,
        database: Database,
        zone: ZoneInfo,
        now: Callable[[], dt.datetime],
        waiting_max: int = EVENTS_WAITING_MAX,
    ) -> None:
        self._database, self._zone, self._now = database, zone, now
        self._source = secrets.randbits(_SOURCE_BITS)
        self._waiting: deque[tuple[dt.datetime, Event]] = deque()
        self._waiting_max = waiting_max
        self._batch: list[dict[str, Any]] = []
        self._numbered = 0
        self._flushing = threading.Lock()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many are not written yet."""
        return len(self._waiting) + len(self._batch)

    def record(self, event: Event) -> None:
        if len(self._waiting) >= self._waiting_max:
            self.dropped += 1
            return
        self._waiting.append((self._now(), event))

    def flush(self) -> int:
        """Write all that waits now; answers how many were. What comes meanwhile waits for the next
        time: where much happens it never ends, and would be written a handful at a time.

        Raises:
            DatabaseUnavailableError: what was not written waits for the next time.
        """
        written = 0
        with self._flushing:
            waiting = self.waiting
            while written < waiting:
                self._batch = self._batch or self._take()
                rows = msgspec.json.encode(self._batch).decode()
                self._database.call("select events.append(%s::jsonb)", (rows,))
                written += len(self._batch)
                self._batch = []
        return written

    def _take(self) -> list[dict[str, Any]]:
        """The next batch, with its numbers: they stay what they are however often it is sent."""
        taken = min(len(self._waiting), EVENTS_A_BATCH)
        return [self._row(*self._waiting.popleft()) for _ in range(taken)]

    def _row(self, at: dt.datetime, event: Event) -> dict[str, Any]:
        self._numbered += 1
        fields: dict[str, Any] = msgspec.to_builtins(event)
        return {
            "day": at.astimezone(self._zone).date(),
            "at": at,
            "source": self._source,
            "number": self._numbered,
            **fields,
        }
