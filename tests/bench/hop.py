"""What a hop costs: five of menus and a balance, beside the barest Flask and beside the peer."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import processes
from tests.bench.figures import Spread, percentile, ratio, spread
from tests.bench.fill import Say
from tests.bench.flows import Flow, menus_and_balance
from tests.bench.phones import Phones, Tally
from tests.bench.stage import WEBHOOK, Stage, gateway, granian

GATEWAY = "chaski"
CONSTANT = "flask, constant"
TWO_TRIPS = "flask, two redis trips"
PEER = "ussd-menu-builder"
PHONES_AT_ONCE = 8
WARM_S = 1.0
_NODE = Path(__file__).parent / "node"
_NPM_S = 120

Measured = Mapping[str, list[float]]


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers hops."""

    name: str
    port: int
    path: str
    pid: int


@dataclass(frozen=True, slots=True)
class HopFigures:
    """What the rounds came to."""

    targets: Mapping[str, Measured]
    skipped: Mapping[str, str]

    def ratios(self) -> dict[str, Spread]:
        """Of server CPU a hop: below 1, the gateway takes less."""
        pairs = {
            "hop_cpu_vs_flask_constant": CONSTANT,
            "hop_cpu_vs_flask_two_redis_trips": TWO_TRIPS,
            "hop_cpu_vs_ussd_menu_builder": PEER,
        }
        ours = self.targets[GATEWAY]["cpu_us"]
        return {
            name: ratio(ours, self.targets[target]["cpu_us"])
            for name, target in pairs.items()
            if target in self.targets
        }

    def rows(self) -> dict[str, dict[str, Spread]]:
        """A row a target."""
        return {
            name: {column: spread(values) for column, values in figures.items()}
            for name, figures in self.targets.items()
        }


def measure(stage: Stage, rounds: int, seconds: float, say: Say) -> HopFigures:
    """All targets in turn, round by round."""
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with contextlib.ExitStack() as running:
        targets, skipped = _start(running, stage, say)
        stage.keep_on(frozenset({processes.OTHER_CORE}))
        for target in targets:
            walk(stage, target, WARM_S)
        for number in range(rounds):
            for target in targets:
                for column, value in walk(stage, target, seconds).items():
                    figures[target.name][column].append(value)
            say(f"  hop: round {number + 1} of {rounds}")
        stage.keep_on(processes.ALL_CORES)
    return HopFigures(figures, skipped)


def walk(stage: Stage, target: Target, seconds: float) -> dict[str, float]:
    """One target for one window."""
    before = _counted(stage, target)
    tally = Phones(target.port, target.path, _flow(stage, target)).in_a_row(PHONES_AT_ONCE, seconds)
    after = _counted(stage, target)
    wrong(tally, target.name)
    hops = len(tally.latencies_s)
    spent = {name: after[name] - before[name] for name in after}
    return {
        "hops/s": tally.per_s,
        "p50_ms": percentile(tally.latencies_s, 0.5) * 1000,
        "p99_ms": percentile(tally.latencies_s, 0.99) * 1000,
        "cpu_us": spent["cpu_s"] / hops * 1e6,
        "redis_commands": spent["commands"] / hops,
        "redis_trips": spent["trips"] / hops,
        "postgres_cpu_us": spent["postgres_cpu_s"] / hops * 1e6,
    }


def wrong(tally: Tally, name: str) -> None:
    """A rate of wrong answers is no rate.

    Raises:
        RuntimeError: somebody got another screen, or none.
    """
    if tally.failed or tally.polite or not tally.right:
        said = tally.last_wrong[:200].decode(errors="replace")
        raise RuntimeError(
            f"{name}: {tally.right} hops right, {tally.polite} with another screen,"
            f" {tally.failed} failed: {said!r}"
        )


def _flow(stage: Stage, target: Target) -> Flow:
    """The same requests for all; those whose answer is constant get no other one."""
    flow = menus_and_balance(stage.members)
    if target.name not in {CONSTANT, TWO_TRIPS}:
        return flow
    return lambda number: tuple(dataclasses.replace(hop, marker=b"CON") for hop in flow(number))


def _counted(stage: Stage, target: Target) -> dict[str, float]:
    """Counters that only rise. A trip is a read of Redis from a client's socket."""
    info: Any = stage.client.info("everything")
    calls = {
        name: command["calls"]
        for name, command in info.items()
        if name.startswith("cmdstat_") and name not in {"cmdstat_info", "cmdstat_client|setinfo"}
    }
    return {
        "cpu_s": processes.cpu_s(target.pid),
        "postgres_cpu_s": processes.cpu_s(stage.postgres),
        "commands": sum(calls.values()),
        "trips": info["total_reads_processed"],
    }


def _start(
    running: contextlib.ExitStack, stage: Stage, say: Say
) -> tuple[list[Target], dict[str, str]]:
    targets, skipped = [running.enter_context(ours(stage))], {}
    for name, application in ((CONSTANT, "constant"), (TWO_TRIPS, "two_trips")):
        targets.append(running.enter_context(_flask(stage, name, application)))
    try:
        targets.append(running.enter_context(_peer(stage, say)))
    except _NoPeerError as error:
        skipped[PEER] = str(error)
        say(f"  hop: {PEER} is SKIPPED: {error}")
    return targets, skipped


@contextlib.contextmanager
def ours(stage: Stage) -> Iterator[Target]:
    """The gateway."""
    with gateway(stage, processes.SERVER_CORE, without_pin=True) as (port, pid):
        yield Target(GATEWAY, port, WEBHOOK, pid)


@contextlib.contextmanager
def _flask(stage: Stage, name: str, application: str) -> Iterator[Target]:
    port = processes.free_port()
    environment = {"BENCH_REDIS_URL": stage.endpoints.sessions_url}
    command = granian(f"tests.bench.peers:{application}", port)
    log = stage.folder / f"{application}.log"
    with processes.serving(command, port, processes.SERVER_CORE, log, environment) as pid:
        yield Target(name, port, "/", pid)


class _NoPeerError(Exception):
    """The peer cannot be had on this machine."""


@contextlib.contextmanager
def _peer(stage: Stage, say: Say) -> Iterator[Target]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise _NoPeerError("there is no node or no npm on this machine")
    folder = stage.folder / "node"
    if not (folder / "node_modules").exists():
        say(f"  hop: npm fetches {PEER}")
        _install(npm, folder)
    port, log = processes.free_port(), stage.folder / "node.log"
    command = [node, folder / "server.js", str(port), stage.redis_socket]
    environment = {"NODE_ENV": "production"}
    with processes.serving(command, port, processes.SERVER_CORE, log, environment) as pid:
        yield Target(PEER, port, "/", pid)


def _install(npm: str, folder: Path) -> None:
    shutil.copytree(_NODE, folder, dirs_exist_ok=True)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_NPM_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _NoPeerError(f"npm has not installed it in {_NPM_S} s") from error
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[:1]
        raise _NoPeerError(f"npm cannot install it: {''.join(reason)[:200]}")
