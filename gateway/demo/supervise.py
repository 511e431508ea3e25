"""Run a whole gateway in the foreground, servers and all, until someone stops it."""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from gateway.embedded import (
    Embedded,
    EmbeddedError,
    Endpoints,
    Say,
    Server,
    last_words,
    leashed,
    running,
)

READY_MAX_S = 30
READY_POLL_S = 0.05
STOP_MAX_S = 8  # above the hard stop of a reply and of an SMS that is being sent
PORT_PATIENCE_S = 5  # a web process whose supervisor was killed lets go of the port within this

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _AskedToStop(BaseException):
    """Someone pressed Ctrl-C, or sent SIGTERM. Like KeyboardInterrupt, and no error."""


class _DemoFailedError(Exception):
    """The demo cannot go on. The message is for the person at the terminal."""


def run_demo(
    port: int,
    data: Path,
    prepare: Callable[[Endpoints], None],
    say: Say,
    *,
    environment: Callable[[Endpoints], Mapping[str, str]],
    web: Sequence[str],
    worker: Sequence[str],
    invitation: str,
) -> int:
    """Start everything, wait until it is asked to stop or something ends, stop everything.

    Call it from the main thread: it takes SIGINT, SIGTERM and SIGHUP for itself.

    Args:
        port: of the web process, on 127.0.0.1.
        data: the folder that keeps all; the logs are in its `logs`.
        prepare: migrates and seeds, once the servers run and before web and worker do.
        say: takes each line for the person at the terminal.
        environment: the CHASKI_* variables of web and worker.
        web: the command that serves `/health/ready` on the port, its program an absolute path.
        worker: the command of the worker.
        invitation: said when the gateway answers: how to dial.

    Returns:
        The exit code: 0 when asked to stop, 1 when it could not start or something ended by itself.
    """
    with _stops_raise() as from_here_on_ignored:
        embedded = Embedded(data, say)
        children: list[Server] = []
        try:
            _refuse_early(port, data)
            say("Starting PostgreSQL and Redis")
            endpoints = embedded.start()
            prepare(endpoints)
            variables = {**_without_settings(os.environ), **environment(endpoints)}
            for name, command in (("web", web), ("worker", worker)):
                children.append(_start(name, command, data, variables))
            deaths = _watch([*embedded.servers, *children])
            _await_answer(port, data / "logs", deaths)
            say(invitation)
            _fail(deaths.get())
        except _AskedToStop:
            code = 0
        except (_DemoFailedError, EmbeddedError) as error:
            say(str(error))
            code = 1
        finally:
            from_here_on_ignored()
            if children or embedded.servers:
                with contextlib.suppress(OSError):  # nobody reads it: the terminal was closed
                    say("Stopping web, worker, Redis and PostgreSQL")
            for child in children:  # first those whom members reach
                _stop_group(child)
            embedded.stop()
    return code


@contextlib.contextmanager
def _stops_raise() -> Iterator[Callable[[], None]]:
    """Turn the first signal to stop into an exception; what is given ignores the later ones."""

    def ignore() -> None:
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore()
        raise _AskedToStop

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_early(port: int, data: Path) -> None:
    """Say at once what would only be found out after the servers were started."""
    with contextlib.suppress(EmbeddedError):
        running(data)
        busy = f"a demo already runs with --data {data}"
        raise _DemoFailedError(f"{busy}: dial that one, or give another --data and --port")
    was_killed = (data / "endpoints.json").exists()
    deadline = time.monotonic() + (PORT_PATIENCE_S if was_killed else 0)
    while not _port_is_free(port):
        if time.monotonic() > deadline:
            raise _DemoFailedError(f"port {port} is in use: give another one with --port")
        time.sleep(READY_POLL_S)


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server itself does
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise _DemoFailedError(f"port {port} needs root: give one above 1023") from error
        except OSError:
            return False
        return True


def _without_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """A demo is the same whatever the shell has set for another gateway."""
    return {name: value for name, value in variables.items() if not name.startswith("CHASKI_")}


def _start(name: str, command: Sequence[str], data: Path, variables: dict[str, str]) -> Server:
    log = data / "logs" / f"{name}.log"
    with log.open("ab") as words:
        process = subprocess.Popen(  # noqa: S603
            leashed(command, signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env=variables,
            start_new_session=True,  # Ctrl-C reaches us alone: we stop them in order
        )
    return Server(name, process, log, ((signal.SIGTERM, STOP_MAX_S),))


def _stop_group(child: Server) -> None:
    """Stop a child, and then what it may have left in its group."""
    child.stop()
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter
        os.killpg(child.process.pid, signal.SIGKILL)


def _watch(servers: Sequence[Server]) -> queue.SimpleQueue[Server]:
    """A queue that receives each server whose process ends."""
    deaths: queue.SimpleQueue[Server] = queue.SimpleQueue()

    def wait(server: Server) -> None:
        server.process.wait()
        deaths.put(server)

    for server in servers:
        threading.Thread(target=wait, args=(server,), daemon=True).start()
    return deaths


def _await_answer(port: int, logs: Path, deaths: queue.SimpleQueue[Server]) -> None:
    deadline = time.monotonic() + READY_MAX_S
    while not _ready(port):
        with contextlib.suppress(queue.Empty):
            _fail(deaths.get(timeout=READY_POLL_S))
        if time.monotonic() > deadline:
            raise _DemoFailedError(
                f"the gateway is not ready after {READY_MAX_S} s: "
                f"see http://127.0.0.1:{port}/health/ready and the logs in {logs}"
            )


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _fail(dead: Server) -> NoReturn:
    ended = f"{dead.name} ended by itself (exit code {dead.process.returncode})"
    raise _DemoFailedError(f"{ended}.\n{last_words(dead.log)}")
