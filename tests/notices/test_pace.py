from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.notices.pace import Pace


def test_many_threads_get_no_more_turns_in_any_second_than_the_provider_carries():
    pace, turns, lock = Pace(20, wait_s=5), [], threading.Lock()

    def take() -> None:
        assert pace.late_s() == 0
        with lock:
            turns.append(time.monotonic())

    with ThreadPoolExecutor(12) as pool:
        for run in [pool.submit(take) for _ in range(50)]:
            run.result()

    turns.sort()
    for first, later in zip(turns, turns[20:], strict=False):
        assert later - first > 0.97, "21 in a second"
    assert turns[-1] - turns[0] < 3.5, "it should be as fast as it may"


def test_who_cannot_have_a_turn_comes_back_each_at_a_time_of_its_own():
    pace = Pace(2, wait_s=0.05)
    assert [pace.late_s() for _ in range(2)] == [0, 0]
    began = time.monotonic()
    late = [pace.late_s() for _ in range(4)]
    assert time.monotonic() - began < 0.5, "it waits no longer than it should"
    assert late == pytest.approx([0.5, 1.0, 1.5, 2.0], abs=0.3)
    assert late == sorted(late)


def test_a_provider_that_carries_one_in_two_seconds_gets_one():
    pace = Pace(0.5, wait_s=0.05)
    assert pace.late_s() == 0
    assert pace.late_s() > 0
    time.sleep(1.5)
    assert pace.late_s() > 0
    time.sleep(0.6)
    assert pace.late_s() == 0


def test_a_pace_starts_no_threads():
    before = threading.active_count()
    for _ in range(3):
        Pace(10).late_s()
    assert threading.active_count() == before
