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
