"""The log's line of a hop, which a process that serves writes by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime

import pytest

_BOTH_WAYS = """
import sys
from gateway.observing import HopLine, configure_logging, hop_lines, log_hop
configure_logging(sys.argv[1])
for note in (log_hop, hop_lines(sys.argv[1])):
    note(HopLine("norandino", "africastalking", "ñ-1", "home/menu", "menu", False, 3.1))
"""


def _written(level: str) -> list[dict[str, object]]:
    command = [sys.executable, "-c", _BOTH_WAYS, level]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_is_the_line_that_the_log_would_write() -> None:
    by_log, by_itself = _written("INFO")
    times = [datetime.fromisoformat(str(line.pop("timestamp"))) for line in (by_log, by_itself)]
    assert by_itself == by_log
    assert by_log["event"] == "hop"
    assert times[0] <= times[1]
    assert times[1].tzinfo is not None


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_it_is_written_where_the_log_would_write_it(level: str) -> None:
    assert _written(level) == []


_ON_A_FULL_DISK = """
import os, sys, threading
from gateway.library.lookout import look_often
from gateway.observing import HopLine, configure_logging, hop_lines, logger
configure_logging("INFO")
note, looks, looked = hop_lines("INFO"), iter(range(100)), threading.Event()
room = os.dup(1)
os.dup2(os.open("/dev/full", os.O_WRONLY), 1)

def look():
    if next(looks) > 2:
        looked.set()
    raise ValueError("away")

look_often(0.001, look)
note(HopLine("norandino", "africastalking", "s1", "home/menu", "menu", False, 3.1))
logger().warning("store_unavailable")
assert looked.wait(10)
os.dup2(room, 1)
note(HopLine("norandino", "africastalking", "s2", "home/menu", "menu", False, 3.1))
"""


def test_a_full_disk_fails_no_hop_and_ends_no_thread_and_is_over_when_there_is_room() -> None:
    command = [sys.executable, "-c", _ON_A_FULL_DISK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert json.loads(done.stdout.splitlines()[-1])["session"] == "s2"
