"""Doors with more hops before them than there are hands."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from gateway.bounds import DIALS_WAITING_MAX, HOPS_WAITING_MAX
from gateway.channels.africastalking.ussd import short_way
from gateway.channels.crowd import Crowd
from gateway.channels.doors import Counter, Doors
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Answer, Cumulative, Keystrokes, Origin, Reply, Turn
from tests.channels.smpp.desk import Desk

PATIENCE_S = 10
_ORIGIN = Origin("africastalking", "norandino", "s1", Msisdn("+51987000001"))
DIAL = Turn(_ORIGIN, "*775#", Cumulative(Keystrokes("")))
ON_THE_WAY = Turn(_ORIGIN, "*775#", Cumulative(Keystrokes("2*987000002")))
OF_A_NETWORK_THAT_DOES_NOT_SAY = Turn(_ORIGIN, "*775#", Answer(Keystrokes(""), None))
END_BUSY = "END Espera un momento y marca de nuevo."
BUSY = Reply("Espera un momento y marca de nuevo.", ends=True, screen="busy", outcome="shed")


class _Slow(Desk):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def take(self, turn: Turn) -> Reply:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.go_on.wait(PATIENCE_S)
        with self._lock:
            self.at_once -= 1
        return Reply("Hola", ends=False, screen="home", outcome="menu")

    def busy(self, channel: str) -> Reply:
        return BUSY


def _all_before(doors: Doors, desk: Counter, turns: list[Turn]) -> list[Future[Reply]]:
    """Each in a thread; those that are refused at once are done."""
    threads = ThreadPoolExecutor(len(turns))
    waiting = [threads.submit(doors.take, desk, turn) for turn in turns]
    threads.shutdown(wait=False)
    return waiting


def _refused(hops: list[Future[Reply]], wanted: int) -> int:
    """How many were refused, once as many are done as are to be."""
    deadline = threading.Event()
    for _ in range(PATIENCE_S * 100):
        if sum(hop.done() for hop in hops) >= wanted:
            break
        deadline.wait(0.01)
    return sum(hop.done() and hop.result() == BUSY for hop in hops)


def test_who_would_wait_too_long_is_told_at_once_and_the_others_are_served() -> None:
    desk = _Slow()
    doors = Doors([desk], Crowd(at_once=2, wait_ms=PATIENCE_S * 1000))
    dials = _all_before(doors, desk, [DIAL] * (2 + DIALS_WAITING_MAX + 3))
    assert _refused(dials, 3) == 3
    more = HOPS_WAITING_MAX - DIALS_WAITING_MAX
    on_the_way = _all_before(doors, desk, [ON_THE_WAY] * (more + 1))
    assert _refused(on_the_way, 1) == 1
    assert doors.take(desk, OF_A_NETWORK_THAT_DOES_NOT_SAY) == BUSY
    desk.go_on.set()
    served = [hop.result(PATIENCE_S) for hop in dials + on_the_way]
    assert sum(reply != BUSY for reply in served) == 2 + HOPS_WAITING_MAX
    assert desk.most_at_once == 2


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("sessionId=s1&phoneNumber=%2B51987000001&text=", END_BUSY),
        ("text=&sessionId=s1&phoneNumber=%2B51987000001", END_BUSY),
        ("sessionId=s1&text=2*987000002&phoneNumber=%2B51987000001", None),
        ("text=", END_BUSY),
        ("context=&text=1&sessionId=s1", None),
        ("sessionId=s1", None),
    ],
)
def test_before_a_form_is_read_those_who_dial_are_told_first(form: str, said: str | None) -> None:
    """Whoever is in the middle of something may still wait; when all is full, nobody."""
    desk = _Slow()
    doors = Doors([desk], Crowd(at_once=2, wait_ms=PATIENCE_S * 1000))
    way = short_way(doors)
    assert way.at_once(desk, form) is None
    dials = _all_before(doors, desk, [DIAL] * (2 + DIALS_WAITING_MAX + 1))
    assert _refused(dials, 1) == 1

    assert way.at_once(desk, form) == said
    more = HOPS_WAITING_MAX - DIALS_WAITING_MAX
    others = _all_before(doors, desk, [ON_THE_WAY] * (more + 1))
    assert _refused(others, 1) == 1
    assert way.at_once(desk, form) == END_BUSY
    desk.go_on.set()
    assert all(hop.result(PATIENCE_S) for hop in dials + others)
    assert way.at_once(desk, form) is None


def test_a_door_that_was_crowded_is_open_again_afterwards() -> None:
    desk = _Slow()
    doors = Doors([desk], Crowd(at_once=1, wait_ms=PATIENCE_S * 1000))
    desk.go_on.set()
    for _ in range(3):
        hops = _all_before(doors, desk, [ON_THE_WAY] * (HOPS_WAITING_MAX + 5))
        assert any(hop.result(PATIENCE_S) != BUSY for hop in hops)
    assert doors.take(desk, DIAL) != BUSY


def test_who_waits_behind_hops_that_get_nowhere_is_told_in_time() -> None:
    desk = _Slow()
    doors = Doors([desk], Crowd(at_once=1, wait_ms=20))
    hops = _all_before(doors, desk, [ON_THE_WAY] * 3)
    assert _refused(hops, 2) == 2
    desk.go_on.set()
    assert sum(hop.result(PATIENCE_S) == BUSY for hop in hops) == 2
