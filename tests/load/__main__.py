"""`python -m tests.load`: see scripts/load-sms."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg
import requests

from gateway.bounds import SENDERS_AT_ONCE
from gateway.db.migrations import migrate
from gateway.demo.variables import demo_variables
from gateway.embedded import Embedded, EmbeddedError, Endpoints, leashed
from gateway.settings import Settings
from tests.load.members import Phones, msisdn, register
from tests.load.provider import Provider
from tests.load.verdict import MEMORY_JUDGED_FROM_S, Load, faults, percentile

THINK_S = 0.5
FAILING = 0.1
TEXT_EVERY_S = 0.1
SAMPLE_EVERY_S = 1.0
SAY_EVERY_S = 15.0
READY_MAX_S = 30  # everything has begun by then, on a machine that is busy
# What fails five times in a row, one of 100,000, comes back after 10 + 30 + 90 + 270 + 810 s.
DRAINED_MAX_S = 1_300
STOP_MAX_S = 15
CONNECTIONS = int(Settings.model_fields["database_connections"].default)

Owner = psycopg.Connection[Any]


@dataclass(slots=True)
class Samples:
    """What was seen of the worker while it worked."""

    rss_kb: list[tuple[float, int]] = field(default_factory=list)
    connections_max: int = 0
    waiting_max: int = 0
    waiting: int = 0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", default=5.0, show_default=True, type=click.FloatRange(min=0.1))
@click.option("--per-minute", default=1_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=1, show_default=True, help="Of which messages fail.")
def main(minutes: float, per_minute: int, seed: int) -> None:
    """1,000 members a minute text, and one worker answers them, against a provider that takes half
    a second and fails one time in ten; half of those it has taken, and its word of it is lost.

    Exit 0 and a table, or 1 and everything that is wrong.
    """
    click.echo(
        f"load: {minutes:g} minutes of {per_minute} texts, one worker, {SENDERS_AT_ONCE} senders"
    )
    try:
        load = _run(minutes * 60, per_minute / 60, seed)
    except EmbeddedError as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n" + _table(load))
    found = faults(load)
    click.echo("\n".join(["", *found, "FAULTY" if found else "ok"]))
    sys.exit(1 if found else 0)


def _run(seconds: float, per_second: float, seed: int) -> Load:
    with (
        tempfile.TemporaryDirectory(prefix="chaski-load-") as folder,
        Provider(THINK_S, FAILING, seed) as provider,
    ):
        Path(folder).chmod(0o711)  # the servers' account may enter
        with Embedded(Path(folder), click.echo) as endpoints:
            migrate(endpoints.owner_url)
            with (
                psycopg.connect(endpoints.owner_url, autocommit=True) as owner,
                _web(endpoints) as url,
                _worker(endpoints, provider.url) as worker,
                Phones(url, seed) as phones,
            ):
                register(owner, int(seconds * per_second) + 2)
                samples = Samples()
                told = _text(endpoints, owner, worker, phones, samples, seconds, per_second)
                _drain(owner, samples)
                states = dict(
                    owner.execute("select state, count(*) from notices.outbox group by state")
                )
    click.echo(f"  {phones.twice} texts came twice, {phones.refused} were not taken at once")
    counts = provider.counts
    return Load(
        told=told,
        taken=counts.taken,
        unheard=counts.unheard,
        refused=counts.refused,
        first_at=counts.first_at,
        sent=states.get("sent", 0),
        dead=states.get("dead", 0),
        unsettled=sum(states.get(state, 0) for state in ("waiting", "sending", "quiet")),
        rss_kb=samples.rss_kb,
        connections_max=samples.connections_max,
        waiting_max=samples.waiting_max,
        at_once_max=counts.at_once_max,
    )


@contextmanager
def _worker(endpoints: Endpoints, provider_url: str) -> Iterator[subprocess.Popen[bytes]]:
    arguments = (endpoints.queue_url, endpoints.app_url, provider_url, CONNECTIONS)
    command = [sys.executable, "-m", "tests.load.worker", *map(str, arguments)]
    process = subprocess.Popen(leashed(command, signal.SIGTERM), stdin=subprocess.DEVNULL)
    with _ended(process):
        yield process


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_MAX_S)
        finally:
            process.kill()
            process.wait()


@contextmanager
def _web(endpoints: Endpoints) -> Iterator[str]:
    """The real webhooks, in a process of their own. Answers where."""
    port = _free_port()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CHASKI_")}
    environment = ours | demo_variables(endpoints, port) | {"CHASKI_LOG_LEVEL": "WARNING"}
    command = leashed([sys.executable, "-m", "gateway.cli", "serve"], signal.SIGTERM)
    with _ended(subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)):
        url = f"http://127.0.0.1:{port}"
        _until(lambda: _serves(url), "the gateway does not serve")
        yield url


def _free_port() -> int:
    with socket.socket() as anywhere:
        anywhere.bind(("127.0.0.1", 0))
        return int(anywhere.getsockname()[1])


def _serves(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/ready", timeout=READY_MAX_S).ok
    except requests.RequestException:
        return False


def _text(
    endpoints: Endpoints,
    owner: Owner,
    worker: subprocess.Popen[bytes],
    phones: Phones,
    samples: Samples,
    seconds: float,
    per_second: float,
) -> dict[str, float]:
    """Let members text at this rate. Answers when each did, by their phone."""
    told: dict[str, float] = {}
    over = threading.Event()
    sampler = threading.Thread(
        target=_sample, args=(endpoints.owner_url, worker.pid, samples, over)
    )
    # The first answer waits for the worker to be there: its start is not what is measured.
    _text_some(phones, told, 1)
    _until(lambda: _count(owner, "state = 'sent' or attempts > 1"), "the worker has sent nothing")
    sampler.start()
    began = said = time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        owed = int((now - began) * per_second) + 1 - len(told)
        if owed > 0:
            _text_some(phones, told, owed)
        if now - said >= SAY_EVERY_S:
            said = now
            _say(now - began, told, samples)
        time.sleep(TEXT_EVERY_S)
    over.set()
    sampler.join()
    _say(seconds, told, samples)
    return told


def _text_some(phones: Phones, told: dict[str, float], count: int) -> None:
    numbers = range(len(told), len(told) + count)
    now = time.monotonic()
    told.update({msisdn(number): now for number in numbers})
    phones.text(numbers)


def _sample(owner_url: str, pid: int, samples: Samples, over: threading.Event) -> None:
    began = time.monotonic()
    with psycopg.connect(owner_url, autocommit=True) as owner:
        while not over.wait(SAMPLE_EVERY_S):
            samples.rss_kb.append((time.monotonic() - began, _rss_kb(pid)))
            (connections,) = owner.execute(
                "select count(*) from pg_stat_activity where usename = 'chaski_app'"
            ).fetchone() or (0,)
            samples.connections_max = max(samples.connections_max, connections)
            samples.waiting = _count(owner, "state in ('waiting', 'sending')")
            samples.waiting_max = max(samples.waiting_max, samples.waiting)


def _drain(owner: Owner, samples: Samples) -> None:
    """Let the rest go out, what failed included."""
    began = said = time.monotonic()
    while (left := _count(owner, "state in ('waiting', 'sending')")) and (
        time.monotonic() - began < DRAINED_MAX_S
    ):
        if time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            click.echo(f"  {said - began:4.0f} s after the last one: {left} are not out")
        time.sleep(SAMPLE_EVERY_S)
    samples.waiting = left


def _say(at_s: float, told: dict[str, float], samples: Samples) -> None:
    rss_kb = samples.rss_kb[-1][1] if samples.rss_kb else 0
    click.echo(
        f"  {at_s:4.0f} s: {len(told)} have texted, {samples.waiting} waiting or tried again, "
        f"worker {rss_kb} kB"
    )


def _until(true: Callable[[], object], otherwise: str) -> None:
    ends = time.monotonic() + READY_MAX_S
    while not true():
        if time.monotonic() > ends:
            raise EmbeddedError(f"{otherwise} in {READY_MAX_S} s: see above why")
        time.sleep(TEXT_EVERY_S)


def _count(owner: Owner, which: str) -> int:
    counted = owner.execute(f"select count(*) from notices.outbox where {which}")  # noqa: S608
    (count,) = counted.fetchone() or (0,)
    return int(count)


def _rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise EmbeddedError("the worker is gone: see above why")


def _table(load: Load) -> str:
    waits = load.waits_s
    last_s = max(load.first_at.values()) - min(load.told.values())
    growth = load.growth_kb_per_min
    judged = "" if load.memory_is_judged else f": not judged below {MEMORY_JUDGED_FROM_S} s"
    rows = [
        ("texts", f"{len(load.told)}"),
        ("answers taken by the provider at least once", f"{len(load.taken)}"),
        ("lost", f"{len(load.lost)}"),
        ("refused by the provider, and tried again", f"{sum(load.refused.values())}"),
        ("taken, and the answer lost on the way", f"{sum(load.unheard.values())}"),
        ("came once more than needed", f"{load.repeated}"),
        ("of those more than lost answers explain", f"{len(load.beyond_the_bound)}"),
        ("given up", f"{load.dead}"),
        ("wait until taken, p50 / p95 / longest", _three(waits)),
        ("from the first text to the last answer", f"{last_s:.0f} s"),
        ("at the provider at once, at the most", f"{load.at_once_max} of {SENDERS_AT_ONCE}"),
        ("in the outbox at once, at the most", f"{load.waiting_max} rows"),
        ("connections to PostgreSQL, at the most", f"{load.connections_max} of {CONNECTIONS}"),
        ("memory, first / last sample", f"{load.rss_kb[0][1]} / {load.rss_kb[-1][1]} kB"),
        ("memory, slope of the second half", f"{growth:+.0f} kB a minute{judged}"),
    ]
    return "\n".join(f"{name:<46}{value}" for name, value in rows)


def _three(waits: list[float]) -> str:
    return f"{percentile(waits, 50):.1f} / {percentile(waits, 95):.1f} / {waits[-1]:.1f} s"


if __name__ == "__main__":
    main()
