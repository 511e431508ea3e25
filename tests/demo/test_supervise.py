"""The supervisor as a process of its own: it starts all, stops all, and says plainly why not."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.embedded import running
from tests.demo import tiny_demo
from tests.embedded.folders import needs_proc, passable_folder, still_at_work, works_below

pytestmark = needs_proc

END_MAX_S = 5  # of what a killed supervisor leaves: PostgreSQL writes a checkpoint first
STARTING = "Starting PostgreSQL and Redis"
STOPPING = "Stopping web, worker, Redis and PostgreSQL"

WEB = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()
HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
WORKER = "import signal; signal.pause()"
NEVER_ANSWERS = "import signal; signal.pause()"
LEAVES_A_CHILD_AND_DIES = """
import subprocess, sys
subprocess.Popen(["/bin/sleep", "60"])
sys.exit("the ledger is on fire")
"""
TELLS_ITS_SETTINGS = """
import os, sys
sys.exit(f"{[(name, value) for name, value in os.environ.items() if 'CHASKI' in name]}")
"""


@dataclass(frozen=True)
class Demo:
    """A supervisor that was started, and every line that was heard of it."""

    process: subprocess.Popen[str]
    heard: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Wait until it says this line."""
        while line not in self.heard:
            self._hear_one()

    def end(self) -> int:
        """Hear it to its end, and answer its exit code."""
        with contextlib.suppress(EOFError):
            while True:
                self._hear_one()
        return self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, as a terminal does at Ctrl-C."""
        os.killpg(self.process.pid, number)

    def _hear_one(self) -> None:
        assert self.process.stdout is not None
        if not (line := self.process.stdout.readline()):
            raise EOFError(f"it ended after saying {self.heard}")
        self.heard.append(line.removesuffix("\n"))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    """One for all tests here: making its database takes as long as starting thrice."""
    return folder / "data"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return port_of(probe)


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def start(
    data: Path, port: int | None = None, *, web: str = WEB, worker: str = WORKER
) -> Iterator[Demo]:
    """A demo whose processes all work below the folder that `data` is in."""
    command = [sys.executable, tiny_demo.__file__, str(port or free_port()), str(data), web, worker]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=data.parent,
        env=os.environ | {"CHASKI_OF": "the shell", "CHASKI_PEPPER": "of the shell"},
        start_new_session=True,
    ) as process:
        try:
            yield Demo(process)
        finally:
            process.kill()


# --- What it refuses, and what goes wrong


def test_a_port_in_use_is_refused_before_anything_starts(folder: Path) -> None:
    untouched = folder / "untouched"
    with socket.create_server(("127.0.0.1", 0)) as taken, start(untouched, port_of(taken)) as demo:
        assert demo.end() == 1
        assert demo.heard == [f"port {port_of(taken)} is in use: give another one with --port"]
    assert not untouched.exists()


def test_a_second_demo_in_the_folder_is_refused_and_the_first_goes_on(data: Path) -> None:
    with start(data) as first:
        first.hear(tiny_demo.INVITATION)
        with start(data) as second:
            assert second.end() == 1
        busy = f"a demo already runs with --data {data}"
        assert second.heard == [f"{busy}: dial that one, or give another --data and --port"]
        assert running(data)
        first.signal(signal.SIGTERM)
        assert first.end() == 0


def test_a_worker_that_cannot_start_is_named_with_its_last_words(data: Path) -> None:
    # A web process that answered before the worker is dead would be invited to, and rightly so.
    with start(data, web=NEVER_ANSWERS, worker=LEAVES_A_CHILD_AND_DIES) as demo:
        assert demo.end() == 1
    assert "worker ended by itself (exit code 1)." in demo.heard
    assert f"The last lines of {data}/logs/worker.log:" in demo.heard
    assert "    the ledger is on fire" in demo.heard
    assert tiny_demo.INVITATION not in demo.heard
    assert still_at_work(data.parent, END_MAX_S) == {}, "a dead worker's child"


@pytest.mark.parametrize(
    ("name", "part_of_command"),
    [("web", "http.server"), ("worker", "signal.pause"), ("PostgreSQL", "-D")],
)
def test_what_dies_is_named_and_stops_everything(
    data: Path, name: str, part_of_command: str
) -> None:
    with start(data) as demo:
        demo.hear(tiny_demo.INVITATION)
        programs = works_below(data.parent)
        del programs[demo.process.pid]  # its command holds those of web and worker
        [victim] = [pid for pid, command in programs.items() if part_of_command in command]
        os.kill(victim, signal.SIGKILL)
        assert demo.end() == 1
    assert f"{name} ended by itself (exit code -9)." in demo.heard
    assert demo.heard[-1] == STOPPING
    assert still_at_work(data.parent, END_MAX_S) == {}


def test_a_killed_supervisor_leaves_no_process(data: Path) -> None:
    with start(data) as demo:
        demo.hear(tiny_demo.INVITATION)
        demo.process.kill()
        demo.end()
    assert still_at_work(data.parent, END_MAX_S) == {}


def test_after_a_kill_the_next_start_works_at_once_on_the_same_port(data: Path) -> None:
    port = free_port()
    with start(data, port) as killed:
        killed.hear(tiny_demo.INVITATION)
        killed.process.kill()
        killed.end()
    with start(data, port) as demo:
        demo.hear(tiny_demo.INVITATION)
        demo.signal(signal.SIGTERM)
        assert demo.end() == 0
    assert works_below(data.parent) == {}


def test_a_terminal_that_is_closed_stops_everything_in_order(data: Path) -> None:
    with start(data) as demo:
        demo.hear(tiny_demo.INVITATION)
        assert demo.process.stdout is not None
        demo.process.stdout.close()
        demo.signal(signal.SIGHUP)
        assert demo.process.wait() == 0
    assert works_below(data.parent) == {}


# --- What it does


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_invites_when_ready_and_stops_everything_when_asked(
    data: Path, number: signal.Signals
) -> None:
    with start(data) as demo:
        demo.hear(tiny_demo.INVITATION)
        assert running(data)
        demo.signal(number)
        assert demo.end() == 0
    assert demo.heard[0] == STARTING
    assert demo.heard[-2:] == [tiny_demo.INVITATION, STOPPING]
    assert works_below(data.parent) == {}


def test_it_may_be_asked_to_stop_while_it_starts(data: Path) -> None:
    with start(data) as demo:
        demo.hear(STARTING)
        demo.signal(signal.SIGTERM)
        assert demo.end() == 0
    assert tiny_demo.INVITATION not in demo.heard
    assert still_at_work(data.parent, END_MAX_S) == {}


def test_web_and_worker_get_the_settings_of_the_demo_and_none_of_the_shell(data: Path) -> None:
    with start(data, worker=TELLS_ITS_SETTINGS) as demo:
        assert demo.end() == 1
    assert "    [('CHASKI_OF', 'the demo')]" in demo.heard
