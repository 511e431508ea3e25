"""A thread that looks again and again, so that nobody has to who serves a member."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gateway.observing import Log, logger

Look = Callable[[], object]
Stop = Callable[[], None]


def look_often(every_s: float, look: Look) -> Stop:
    """Look every so often, in a thread of its own, until what is answered here is called.

    A look that fails is tried again, and logged once when it begins to fail and once when it is
    well again. Stopping waits for the look under way.
    """
    stopped, log = threading.Event(), logger()

    def keep_looking() -> None:
        failing = False
        while not stopped.wait(every_s):
            failing = _failed(look, log, failing)

    thread = threading.Thread(target=keep_looking, name="lookout", daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join()

    return stop


def _failed(look: Look, log: Log, failing_before: bool) -> bool:  # noqa: FBT001 - its own state
    try:
        look()
    except Exception as error:
        if not failing_before:
            log.warning("lookout_failing", why=str(error))
        return True
    if failing_before:
        log.info("lookout_healed")
    return False
