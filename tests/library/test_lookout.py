"""The thread that looks at the shelf."""

from __future__ import annotations

import threading

from structlog.testing import capture_logs

from gateway.bootstrap import ORDINARY
from gateway.library.lookout import look_often

SOON_S = 0.001
PATIENCE_S = 10.0


def test_it_goes_on_when_a_look_fails_and_says_it_once() -> None:
    """An outage of an hour is two lines of the log, and the first look after it succeeds."""
    outcomes = iter([None, OSError("away"), OSError("away"), OSError("away"), None])
    healed = threading.Event()

    def look() -> None:
        outcome = next(outcomes, None)
        if outcome is not None:
            raise outcome
        if next(looks) > 2:
            healed.set()

    looks = iter(range(1_000_000))
    with capture_logs() as logged:
        stop = look_often(SOON_S, look)
        assert healed.wait(PATIENCE_S)
        stop()

    assert [entry["event"] for entry in logged] == ["lookout_failing", "lookout_healed"]


def test_when_it_was_told_to_stop_it_looks_no_more() -> None:
    """What it would look at is closed next."""
    looked = threading.Event()
    stop = look_often(SOON_S, looked.set)
    assert looked.wait(PATIENCE_S)

    stop()
    looked.clear()

    assert not looked.wait(20 * SOON_S)


def test_a_gateway_has_one_unless_it_is_told_otherwise() -> None:
    """The other tests move a clock instead."""
    assert ORDINARY.often is look_often
