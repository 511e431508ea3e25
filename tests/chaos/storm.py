"""The storm: phones dial, processes die, and then the books are opened."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.embedded import EmbeddedError
from tests.chaos.auditor import Auditor
from tests.chaos.core_process import CoreProcess
from tests.chaos.house import READY_MAX_S, House, Process
from tests.chaos.leaks import PinSearch
from tests.chaos.members import members
from tests.chaos.orders import OrderBook, plan
from tests.chaos.phone import Notes, Phone
from tests.chaos.radio import Network, Traffic, Uptime, Weather
from tests.chaos.verdict import DRAINED_MAX_S, Books, Check, Storm, judge

RESTARTS_MAX = 5  # in a row, of what ends by itself
RESTART_MAX_S = 1.0  # systemd waits a tenth of a second, Kubernetes one and more
BREATH_MAX_S = 2.0  # between "ready" and the next kill
GUST_SHARE = 0.25  # of the kills come while the one before is not mended yet
CHILD_SHARE = 0.2  # of the kills of web and PostgreSQL hit one of their children alone
FINISH_MAX_S = 150  # for the phones' last orders: above the wait for an SMS, and some dials
CRASH_LOOP_S = 6  # a web server whose children die faster than this leaves it to its own starter
DRAIN_LOOK_S = 0.25
PROGRESS_S = 10
# Above the longest pause between two tries of an order, and the SMS after it.
DRAINED_OVER_A_CORE_MAX_S = 300

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Blow:
    """One kill: what dies, when it is started again, and when the next one may come.

    `breath_s` counts from when everything serves again; None: the next one does not wait for that.
    `child`: which of its children dies alone, from 0 to 1; None: it dies with all of them.
    """

    victim: Process
    restart_s: float
    breath_s: float | None
    child: float | None


def blows(kills: int, chance: random.Random) -> Iterator[Blow]:
    """So many, the same for the same seed. The last two hit the stores: what a fresh start would
    have mended in web and worker, these must have mended themselves by the end."""
    stores = chance.sample([Process.POSTGRES, Process.REDIS], 2)
    for left in reversed(range(kills)):
        victim = stores[left] if left < len(stores) else chance.choice(list(Process))
        restart_s = chance.uniform(0, RESTART_MAX_S)
        gust = chance.random() < GUST_SHARE
        breath_s = chance.uniform(0, BREATH_MAX_S)
        alone = chance.random() < CHILD_SHARE
        child = chance.random()
        yield Blow(victim, restart_s, None if gust else breath_s, child if alone else None)


@dataclass(slots=True)
class Record:
    """What happened to the house."""

    kills: Counter[str] = field(default_factory=Counter)
    children: int = 0
    fallen: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    redis_searches: int = 0
    slowest_recovery_s: float = 0
    drained_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a run came to. `faults`: how many of the core's commands met one."""

    seed: int
    checks: Sequence[Check]
    record: Record
    traffic: Traffic
    books: Books
    told: OrderBook
    took_s: float
    faults: int = 0

    @property
    def ok(self) -> bool:
        """No check has a violation."""
        return not any(check.violations for check in self.checks)


class Run:
    """One storm over one house.

    Args:
        data: a folder that is new or empty.
        port: of web; 0: any that is free.
        kills: how many.
        phones: how many dial at the same time.
        seed: decides who dies when, what the phones mean, and what the radio loses.
        say: takes a line for a person now and then.
        fineract: the money is at a Fineract, a process of its own.

    Raises:
        EmbeddedError: the port is taken, or the house cannot be opened.
    """

    def __init__(
        self,
        data: Path,
        port: int,
        kills: int,
        phones: int,
        seed: int,
        say: Say,
        *,
        fineract: bool = False,
    ) -> None:
        self._kills = kills
        self._seed = seed
        self._say = say
        self._port = free_port(port)
        self._core = CoreProcess(free_port(), phones, seed) if fineract else None
        self._drained_max_s = DRAINED_OVER_A_CORE_MAX_S if fineract else DRAINED_MAX_S
        self._house = House(data, self._port, say, core=self._core)
        self._members = members(phones, self._chance("members"))
        self._pins = PinSearch(member.pin for member in self._members)
        self._book = OrderBook()
        self._weather = Weather()
        self._uptime = Uptime()
        self._traffic = Traffic()
        self._over = threading.Event()
        self._phone_count = phones
        self._record = Record()
        self._notes: Notes | None = None
        self._child_again_at = 0.0

    def go(self) -> Outcome:
        """From an empty folder to the verdict. The processes end with it."""
        began = time.monotonic()
        try:
            self._say(f"seed {self._seed}: opening the house, {len(self._members)} members")
            self._house.open(self._members)
            self._notes = Notes(self._house.logs / "storm.txt")
            self._house.see_it_ready()
            auditor = Auditor(self._house.endpoints, core=self._core)
            auditor = replace(auditor, savings_before=auditor.savings())
            phones = self._phones()
            for phone in phones:
                phone.thread.start()
            self._rage()
            self._after(phones, auditor)
            books = auditor.books()
            faults = self._core.faults() if self._core else 0
            self._search_redis()
        finally:
            self._over.set()
            self._house.close()
            if self._notes:
                self._notes.close()
        self._record.leaks += self._pins.in_files(self._house.logs)
        return Outcome(
            self._seed,
            judge(self._book.all(), books, self._storm()),
            self._record,
            self._traffic,
            books,
            self._book,
            time.monotonic() - began,
            faults,
        )

    def _storm(self) -> Storm:
        record = self._record
        return Storm(
            kills=record.kills,
            fallen=record.fallen,
            drained_s=record.drained_s,
            drained_max_s=self._drained_max_s,
            leaks=record.leaks,
            faults=self._traffic.faults,
            puzzles=self._traffic.puzzles,
        )

    # ---- While it lasts ----------------------------------------------------------------------

    def _rage(self) -> None:
        """Every kill, and what is started again after it."""
        said = time.monotonic()
        for number, blow in enumerate(blows(self._kills, self._chance("kills")), start=1):
            self._strike(blow)
            if blow.breath_s is not None:
                self._recover()
                time.sleep(blow.breath_s)
            if time.monotonic() - said > PROGRESS_S or number == self._kills:
                said = time.monotonic()
                self._say(self._progress(number))

    def _strike(self, blow: Blow) -> None:
        self._lift()
        if blow.victim is Process.REDIS:
            self._search_redis()
        self._record.kills[blow.victim.value] += 1
        self._note(f"kills {blow.victim}")
        with self._uptime.dying() if blow.victim is Process.WEB else contextlib.nullcontext():
            if self._killed_a_child(blow):
                return
            self._house.kill(blow.victim)
        time.sleep(blow.restart_s)
        self._start(blow.victim)

    def _killed_a_child(self, blow: Blow) -> bool:
        """Whether one child alone was to die, and did."""
        if blow.child is None or time.monotonic() < self._child_again_at:
            return False
        if not self._house.kill_a_child(blow.victim, blow.child):
            return False
        self._note("... one child alone")
        self._record.children += 1
        self._child_again_at = time.monotonic() + CRASH_LOOP_S
        return True

    def _start(self, process: Process) -> None:
        self._house.start(process)
        self._note(f"has started {process}")

    def _note(self, what: str) -> None:
        if self._notes:
            self._notes.write("storm", what)

    def _lift(self) -> None:
        """Start again what ended by itself, as systemd would; and that is a violation."""
        for process in self._house.fallen():
            self._record.fallen.append(f"{process.value}, see {process.value.lower()}.log")
            self._note(f"finds {process} dead")
            with self._uptime.dying() if process is Process.WEB else contextlib.nullcontext():
                self._house.kill(process)
            self._start(process)

    def _recover(self) -> None:
        """Wait until everything serves."""
        for _ in range(RESTARTS_MAX):
            waited_s = self._house.await_ready()
            if waited_s is not None or not self._house.fallen():
                break
            self._lift()
        if waited_s is None:
            self._record.fallen.append(f"web was not ready {READY_MAX_S} s after the last restart")
            return
        self._note("all serve")
        self._record.slowest_recovery_s = max(self._record.slowest_recovery_s, waited_s)

    def _search_redis(self) -> None:
        """Before it forgets."""
        endpoints = self._house.endpoints
        for url in (endpoints.sessions_url, endpoints.queue_url):
            self._record.leaks += self._pins.in_redis(url)
        self._record.redis_searches += 1

    def _progress(self, number: int) -> str:
        kills = ", ".join(f"{name} {times}" for name, times in sorted(self._record.kills.items()))
        counts = self._traffic.counts
        return (
            f"kill {number} of {self._kills} ({kills}); {counts['orders done']} orders done, "
            f"{counts['hops']} hops, {counts['apologies']} apologies"
        )

    # ---- When it is over ---------------------------------------------------------------------

    def _after(self, phones: Sequence[Phone], auditor: Auditor) -> None:
        """A calm radio, everything up, the last orders, and then the last notices."""
        self._recover()
        recovered = time.monotonic()
        self._weather.calm()
        if self._core:
            self._core.calm()
        self._over.set()
        self._say("the storm is over: the phones finish what they began")
        for phone in phones:
            phone.thread.join(max(0.0, recovered + FINISH_MAX_S - time.monotonic()))
            if phone.thread.is_alive():
                self._traffic.puzzle(f"{phone.thread.name} did not finish within {FINISH_MAX_S} s")
        ends = time.monotonic() + self._drained_max_s
        while any(auditor.unfinished()):
            if time.monotonic() > ends:
                return
            time.sleep(DRAIN_LOOK_S)
        self._record.drained_s = time.monotonic() - recovered

    # ---- What it takes -----------------------------------------------------------------------

    def _phones(self) -> list[Phone]:
        return [self._phone(number) for number in range(self._phone_count)]

    def _phone(self, number: int) -> Phone:
        chance = self._chance(f"phone {number}")
        mine = self._members[number :: self._phone_count]
        network = Network(
            self._port,
            self._weather,
            self._uptime,
            self._traffic,
            self._chance(f"radio {number}"),
        )
        return Phone(
            f"phone {number}",
            plan(mine, self._members, self._book, chance),
            network,
            self._book,
            self._traffic,
            Notes(self._house.logs / f"phone-{number}.txt"),
            self._chance(f"hand {number}"),
            self._over,
        )

    def _chance(self, of: str) -> random.Random:
        return random.Random(f"{self._seed} {of}")  # noqa: S311 - a storm, not a secret


def free_port(wanted: int = 0) -> int:
    """The port that was asked for, or one that is free."""
    try:
        with socket.create_server(("127.0.0.1", wanted)) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError as error:
        raise EmbeddedError(f"port {wanted}: {error.strerror}; give another --port") from error
