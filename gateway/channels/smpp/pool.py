"""Threads for what blocks, and no more waiting for one than is of use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")


class Pool:
    """Runs what blocks in `threads` threads; `waiting_max` calls may wait for one. Of one event
    loop."""

    def __init__(self, name: str, threads: int, waiting_max: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threads + waiting_max
        self._crowded = threads + waiting_max // 2
        self._busy = 0

    @property
    def busy(self) -> int:
        """Calls under way, those that wait included."""
        return self._busy

    @property
    def crowded(self) -> bool:
        """Whether half of those that may wait do: what has not begun yet had better not begin."""
        return self._busy >= self._crowded

    def run(
        self, call: Callable[_P, _Answer], *args: _P.args, **kwargs: _P.kwargs
    ) -> asyncio.Future[_Answer] | None:
        """Have it called. None: too many wait already."""
        if self._busy >= self._room:
            return None
        self._busy += 1
        future = asyncio.wrap_future(self._executor.submit(call, *args, **kwargs))
        future.add_done_callback(self._done)
        return future

    def close(self) -> None:
        """Wait for what is under way."""
        self._executor.shutdown(wait=True)

    def _done(self, _future: asyncio.Future[_Answer]) -> None:
        self._busy -= 1
