"""The real stack as real processes, each of which can be killed and started again alone."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.bank.bank import CATALOGUE
from gateway.bank.hashing import OWASP_2026, PepperedArgon2
from gateway.db.migrations import migrate
from gateway.db.pool import Database
from gateway.demo.core import core_variables
from gateway.demo.seed import seed
from gateway.demo.variables import demo_variables
from gateway.embedded import EmbeddedError, Endpoints, Server, last_words, leashed
from gateway.embedded.endpoints import endpoints_in
from gateway.embedded.folder import DataFolder
from gateway.embedded.patience import came_true
from gateway.embedded.place import Place, settle
from gateway.embedded.postgres import start_postgres
from gateway.embedded.valkey import start_redis
from gateway.ledger.fineract.standin.world import World
from gateway.library.publishing import publish_folder
from gateway.library.shelf import Shelf
from gateway.settings import (
    DEMO_PEPPER,
    Settings,
)
from tests.chaos.core_process import CoreProcess
from tests.chaos.members import Member, enrol

READY_MAX_S = 60  # everything was started: beyond it the gateway does not heal
GONE_MAX_S = 10  # a killed process is off the list of processes within this
_STOP_MAX_S = 8
_LOOK_S = 2  # readiness itself takes two time-outs of a store at the most

_CHASKI = (sys.executable, "-m", "gateway.cli")


class Process(StrEnum):
    """What can be killed."""

    WEB = "web"
    WORKER = "worker"
    REDIS = "Redis"
    POSTGRES = "PostgreSQL"


class House:
    """PostgreSQL, Redis, web and worker in one folder, as `chaski demo` runs them.

    Use it from one thread that lives as long as the house shall: the processes end with it.

    Args:
        data: made when it is not there; everything is kept in here.
        port: of web, on 127.0.0.1.
        say: takes each line for the person at the terminal.
        variables: CHASKI_… that differ from the demo's.
        core: a Fineract that has the members' money; None: the own ledger has it.
    """

    def __init__(
        self,
        data: Path,
        port: int,
        say: Callable[[str], None],
        variables: Mapping[str, str] | None = None,
        core: CoreProcess | None = None,
    ) -> None:
        self._variables = variables or {}
        self._core = core
        self._data = DataFolder(data)
        self._port = port
        self._say = say
        self._place: Place | None = None
        self._running: dict[Process, Server] = {}

    @property
    def endpoints(self) -> Endpoints:
        """How the servers are reached: the same after each restart."""
        return endpoints_in(self._settled.sockets)

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self._data.logs

    @property
    def _settled(self) -> Place:
        if self._place is None:
            raise EmbeddedError("the house was not opened")
        return self._place

    def open(self, those: tuple[Member, ...]) -> None:
        """Start everything, with the demo cooperative and these members in it."""
        self._data.take()
        if self._core:
            self._core.start(self._data.logs / "core.log")
        self._place = settle(self._data.path, self._data.logs, self._say)
        for process in (Process.POSTGRES, Process.REDIS):
            self.start(process)
        self._found(those)
        self._data.publish(self.endpoints)
        for process in (Process.WEB, Process.WORKER):
            self.start(process)

    def start(self, process: Process) -> None:
        """Start what does not run. PostgreSQL and Redis serve when this returns."""
        match process:
            case Process.POSTGRES:
                server = start_postgres(self._settled, self._say)
            case Process.REDIS:
                server = start_redis(self._settled, self._say)
            case Process.WEB:
                server = self._chaski("web", "serve")
            case Process.WORKER:
                server = self._chaski("worker", "worker")
        self._running[process] = server

    def kill(self, process: Process) -> None:
        """Kill it and all of its children with -9, and see that they are gone."""
        server = self._running.pop(process)
        leader = server.process
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader.pid, signal.SIGSTOP)  # it may not answer to the death of a child
        family = [leader.pid, *_descendants(leader.pid)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        leader.wait()
        if not came_true(lambda: not any(map(_lives, family)), GONE_MAX_S):
            raise EmbeddedError(f"{server.name} survives kill -9 for {GONE_MAX_S} s")

    def kill_a_child(self, process: Process, which: float) -> bool:
        """Kill one of its children with -9, as a machine does that runs out of memory: the rest has
        to heal by itself. False: it has none.

        Args:
            which: from 0 to 1, among them.
        """
        children = sorted(_descendants(self._running[process].process.pid))
        if not children:
            return False
        victim = children[int(which * len(children))]
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(victim, signal.SIGKILL)
        return came_true(lambda: not _lives(victim), GONE_MAX_S)

    def fallen(self) -> list[Process]:
        """What has ended although nobody killed it. Start it again."""
        return [
            process
            for process, server in self._running.items()
            if server.process.poll() is not None
        ]

    def await_ready(self) -> float | None:
        """Wait until web says that it can serve; the seconds that it took, or None."""
        began = time.monotonic()
        ready = came_true(lambda: self._ready() or bool(self.fallen()), READY_MAX_S)
        return time.monotonic() - began if ready and not self.fallen() else None

    def see_it_ready(self) -> None:
        """Wait until a house that was just opened serves.

        Raises:
            EmbeddedError: it does not come to be.
        """
        if self.await_ready() is None:
            server = self._running[(*self.fallen(), Process.WEB)[0]]
            raise EmbeddedError(f"{server.name} does not serve.\n{last_words(server.log)}")

    def close(self) -> None:
        """Stop everything. May be repeated."""
        if self._core:
            self._core.stop()
        if not self._data.held:
            return
        self._data.withdraw()
        for process in reversed([*self._running]):
            server = self._running.pop(process)
            children = _descendants(server.process.pid)
            server.stop()
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        place = self._place
        if place and not place.sockets.is_relative_to(place.folder):
            shutil.rmtree(place.sockets.parent)
        self._data.release()

    def _found(self, those: tuple[Member, ...]) -> None:
        """The demo cooperative, its menus, and the members whose phones will dial."""
        url = self.endpoints.owner_url
        migrate(url)
        hasher = PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, OWASP_2026)
        today = dt.datetime.now(ZoneInfo("America/Lima")).date()
        elsewhere = World(today) if self._core else None  # the demo's own members never dial
        seed(url, hasher, today, elsewhere)
        enrol(url, hasher, today, those, own_ledger=self._core is None)
        with Database(url, size_max=2) as database:
            database.open()
            menus = Settings.model_fields["menus"].default
            publish_folder(Shelf(database), menus, CATALOGUE, "chaos")

    def _chaski(self, name: str, subcommand: str) -> Server:
        log = self._data.logs / f"{name}.log"
        with log.open("ab") as words:
            process = subprocess.Popen(
                leashed([*_CHASKI, subcommand], signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env=self._environment(),
                start_new_session=True,
            )
        return Server(name, process, log, ((signal.SIGTERM, _STOP_MAX_S),))

    def _environment(self) -> dict[str, str]:
        """As `chaski demo` gives it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("CHASKI_")}
        core = core_variables(self._core.url) if self._core else {}
        return ours | demo_variables(self.endpoints, self._port) | core | self._variables

    def _ready(self) -> bool:
        url = f"http://127.0.0.1:{self._port}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=_LOOK_S) as answer:
                return bool(answer.status == 200)
        except (OSError, http.client.HTTPException):  # HTTPError is the first: not ready, it says
            return False


def _descendants(pid: int) -> list[int]:
    """Every process below this one, however deep. PostgreSQL's have sessions of their own, so the
    process group would not do."""
    children: dict[int, list[int]] = {}
    for child, parent, _ in _processes():
        children.setdefault(parent, []).append(child)
    found, unseen = [], [pid]
    while unseen:
        below = children.get(unseen.pop(), [])
        found += below
        unseen += below
    return found


def _lives(pid: int) -> bool:
    """Whether it is more than a line that its parent has not read yet."""
    return any(number == pid and state not in "ZX" for number, _, state in _processes())


def _processes() -> Iterator[tuple[int, int, str]]:
    """Of every process its number, its parent's, and its state."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            _, _, after = (folder / "stat").read_text().rpartition(") ")
            state, parent, *_ = after.split()
            yield int(folder.name), int(parent), state
