"""Waiting for what tells nobody when it happens: a lock, a file, another's process."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_S = 0.02


def came_true(condition: Callable[[], bool], patience_s: float) -> bool:
    """Look, at least once, until it is so. Whether it was in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
