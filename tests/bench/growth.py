"""Whether a hop and a transfer cost more in a larger cooperative, and what sessions take.

Each size has a folder and servers of its own, beside the others. They are measured in turn, round
by round, and compared within a round: what disturbs a round disturbs all of them. The folders are
kept: what was filled is not filled again, and a run that was stopped goes on.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from gateway.db.pool import Database
from gateway.ledger.postgres.adapter import PostgresLedger
from tests.bench import hop, money, pgbench, processes
from tests.bench.figures import Spread, ratio, spread
from tests.bench.fill import MEMBERS_WITH_A_PIN, Say
from tests.bench.flows import MEMBERS_WITH_A_SLOW_PIN, dials, transfers
from tests.bench.phones import Phones
from tests.bench.stage import WEBHOOK, Stage, filled, gateway, of_settings, staged

# Of transfers: a connection's first look at each page of gigabytes costs it a page fault.
_WARM_S = 10.0
_SESSIONS_S = 5.0  # of dials, to see what sessions take
_WORKER_S = 5.0  # until it has done all its duties once
_ORDERS_S = 60.0  # of orders through the webhook, to see what one leaves in PostgreSQL

# Each server has room for what hops and transfers look at in the largest, and begins with it in
# there, as after a day of work. The rest is read seldom, or appended and not read again.
_POSTGRES = {"shared_buffers": "5GB"}
_HOT = (
    *("bank.member", "bank.member_msisdn_key", "bank.pin_credential_pkey"),
    *("ledger.account", "ledger.account_code_key", "ledger.account_member"),
    *("ledger.balance", "ledger.balance_pkey", "ledger.decision_key_key"),
    *("ledger.transfer_debit", "ledger.transfer_credit"),
)
_WARM = "select sum(pg_prewarm(name::regclass)) * 8192 from unnest(%s::text[]) as name"
_SIZE = "select pg_database_size(current_database())"
_LOGGED = "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
_ORDERS = "select count(*) from instructions.instruction"

Window = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Size:
    """So many members, and entries where they are more than the members' own."""

    members: int
    entries: int = 0

    @property
    def folder(self) -> str:
        """Where it is kept, among the others."""
        return f"{self.members}-{self.entries}" if self.entries else str(self.members)

    def __str__(self) -> str:
        entries = f", {self.entries:,} entries" if self.entries else ""
        return f"{self.members:,} members{entries}"


def sizes(members: Sequence[int], entries: int) -> list[Size]:
    """From the smallest to the largest; the entries come with the last one once more."""
    return [*map(Size, members), *([Size(members[-1], entries)] if entries else [])]


@dataclass(frozen=True, slots=True)
class GrowthFigures:
    """By size: the figures of its rounds."""

    sizes: Mapping[Size, Mapping[str, list[float]]]
    memory: Mapping[str, float]

    def ratios(self) -> dict[str, Spread]:
        """Of the most members over the fewest, round by round, and once more with entries: 1.0 is
        flat."""
        found = {}
        for size, grown in self._grown().items():
            with_entries = "_with_entries" if size.entries else ""
            found |= {f"growth_of_{name}{with_entries}": values for name, values in grown.items()}
        return found

    def rows(self) -> dict[str, dict[str, Spread]]:
        """A row a size, with what it costs over the smallest."""
        grown = self._grown()
        return {
            str(size): {name: spread(values) for name, values in figures.items()} | grown[size]
            for size, figures in self.sizes.items()
        }

    def _grown(self) -> dict[Size, dict[str, Spread]]:
        first = next(iter(self.sizes.values()))
        return {
            size: {
                "hop_cost": ratio(_hop_us(figures), _hop_us(first)),
                "transfer_cost": ratio(figures["transfer_cpu_us"], first["transfer_cpu_us"]),
                "transfer_time": ratio(first["transfers/s"], figures["transfers/s"]),
            }
            for size, figures in self.sizes.items()
        }


def _hop_us(figures: Mapping[str, list[float]]) -> list[float]:
    both = zip(figures["hop_cpu_us"], figures["hop_postgres_cpu_us"], strict=True)
    return [gateway_us + postgres_us for gateway_us, postgres_us in both]


def measure(
    folder: Path, sizes: Sequence[Size], rounds: int, seconds: float, say: Say
) -> GrowthFigures:
    """Fill what is not filled yet, start all sizes beside each other, and measure them in turn."""
    keep(folder, sizes, say)
    with contextlib.ExitStack() as running:
        stages = [
            running.enter_context(staged(folder / size.folder, size.members, say, _POSTGRES))
            for size in sizes
        ]
        figures = [_on_disk(stage, rounds) for stage in stages]
        for name, windows_of in (("hop", _hops), ("transfer", _transfers)):
            with contextlib.ExitStack() as open_now:
                windows = [windows_of(stage, seconds, open_now) for stage in stages]
                measured = in_turn(
                    windows, rounds, lambda n, name=name: say(f"  {name}: round {n}")
                )
            figures = [columns | more for columns, more in zip(figures, measured, strict=True)]
        # The smallest's worker, since a seal of all that was filled is none that a worker makes.
        weighed = {**memory(stages[0]), **disk(stages[-1])}
    return GrowthFigures(dict(zip(sizes, figures, strict=True)), weighed)


def keep(folder: Path, sizes: Sequence[Size], say: Say) -> None:
    """Each size in its folder. One that is not there yet begins as a copy of the one before it."""
    before: Path | None = None
    for size in sizes:
        place = folder / size.folder
        if before and not place.exists():
            part = place.with_suffix(".part")
            # With its owners, which our own copying would not keep.
            subprocess.run(["rm", "-rf", part], check=True)
            subprocess.run(["cp", "-a", before, part], check=True)
            part.rename(place)
        began = time.monotonic()
        filled(place, size.members, say, size.entries)
        say(f"  {size}: filled in {time.monotonic() - began:.0f} s")
        before = place


def _on_disk(stage: Stage, rounds: int) -> dict[str, list[float]]:
    """How large it is, and how much of it is in memory before anybody measures."""
    with psycopg.connect(stage.endpoints.owner_url, autocommit=True) as owner:
        owner.execute("create extension if not exists pg_prewarm")
    mib = {
        "postgres_mib": _asked(stage, _SIZE) / 2**20,
        "hot_mib": _asked(stage, _WARM, list(_HOT)) / 2**20,
    }
    return {name: [value] * rounds for name, value in mib.items()}


def in_turn(
    windows: Sequence[Window], rounds: int, say: Callable[[int], None]
) -> list[dict[str, list[float]]]:
    """Each in its turn, there and back again: a machine that gets slower favours none of them."""
    figures: list[dict[str, list[float]]] = [defaultdict(list) for _ in windows]
    for number in range(rounds):
        places = range(len(windows)) if number % 2 == 0 else reversed(range(len(windows)))
        for place in places:
            for column, value in windows[place]().items():
                figures[place][column].append(value)
        say(number + 1)
    return figures


def _hops(stage: Stage, seconds: float, open_now: contextlib.ExitStack) -> Window:
    """Hops of this size, once they are warm."""
    target = open_now.enter_context(hop.ours(stage))
    stage.keep_on(frozenset({processes.OTHER_CORE}))
    open_now.callback(stage.keep_on, processes.ALL_CORES)
    hop.walk(stage, target, hop.WARM_S)

    def window() -> Mapping[str, float]:
        found = hop.walk(stage, target, seconds)
        return {f"hop_{name}": found[name] for name in ("cpu_us", "postgres_cpu_us")}

    return window


def _transfers(stage: Stage, seconds: float, open_now: contextlib.ExitStack) -> Window:
    """Transfers of this size through the ledger's port, once they are warm."""
    database = open_now.enter_context(Database(stage.endpoints.app_url, pgbench.CLIENTS))
    database.open()
    ledger = PostgresLedger(database)
    money.transfers_per_s(stage, ledger, _WARM_S)

    def window() -> Mapping[str, float]:
        began_s, began = time.process_time(), processes.cpu_s(stage.postgres)
        at = time.perf_counter()
        per_s = money.transfers_per_s(stage, ledger, seconds)
        count = per_s * (time.perf_counter() - at)
        postgres_s = processes.cpu_s(stage.postgres) - began
        cpu_s = postgres_s + time.process_time() - began_s
        return {
            "transfers/s": per_s,
            "transfer_cpu_us": cpu_s / count * 1e6,
            "transfer_postgres_cpu_us": postgres_s / count * 1e6,
        }

    return window


def memory(stage: Stage) -> dict[str, float]:
    """What a session takes in Redis and in the web process, and what the processes weigh."""
    with gateway(stage, processes.SERVER_CORE, without_pin=True) as (port, pid):
        Phones(port, WEBHOOK, dials(stage.members)).in_a_row(8, 1.0)
        stage.client.flushall()
        web_before, redis_before = processes.resident_mib(pid), _redis_bytes(stage)
        tally = Phones(port, WEBHOOK, dials(stage.members)).in_a_row(8, _SESSIONS_S)
        hop.wrong(tally, "the gateway")
        sessions = len(tally.latencies_s)
        web_after, redis_after = processes.resident_mib(pid), _redis_bytes(stage)
    return {
        "sessions_weighed": sessions,
        "redis_bytes_per_session": (redis_after - redis_before) / sessions,
        "web_bytes_per_session": (web_after - web_before) * 2**20 / sessions,
        "web_process_mib": web_after,
        "worker_process_mib": _worker_mib(stage),
    }


def disk(stage: Stage) -> dict[str, float]:
    """What an order by phone leaves in PostgreSQL and in its log: order, postings, both receipts,
    what the trail and the PIN's attempts say of it."""
    senders = min(MEMBERS_WITH_A_PIN, stage.members) - MEMBERS_WITH_A_SLOW_PIN
    flow = transfers(MEMBERS_WITH_A_SLOW_PIN + 1, senders, stage.members)
    with gateway(stage, processes.SERVER_CORE) as (port, pid):
        before = {sql: _asked(stage, sql) for sql in (_SIZE, _LOGGED, _ORDERS)}
        web_s, postgres_s = processes.cpu_s(pid), processes.cpu_s(stage.postgres)
        hop.wrong(Phones(port, WEBHOOK, flow).in_a_row(8, _ORDERS_S), "the gateway")
        web_s, postgres_s = (
            processes.cpu_s(pid) - web_s,
            processes.cpu_s(stage.postgres) - postgres_s,
        )
        grown = {sql: _asked(stage, sql) - was for sql, was in before.items()}
    return {
        "orders_weighed": grown[_ORDERS],
        "web_ms_per_order": web_s * 1000 / grown[_ORDERS],
        "postgres_ms_per_order": postgres_s * 1000 / grown[_ORDERS],
        "postgres_bytes_per_order": grown[_SIZE] / grown[_ORDERS],
        "log_bytes_per_order": grown[_LOGGED] / grown[_ORDERS],
    }


def _asked(stage: Stage, sql: str, *values: object) -> float:
    with psycopg.connect(stage.endpoints.owner_url, autocommit=True) as owner:
        row = owner.execute(sql.encode(), values).fetchone()
        return float(row[0]) if row else 0.0


def _redis_bytes(stage: Stage) -> float:
    info: Any = stage.client.info("memory")
    return float(info["used_memory"])


def _worker_mib(stage: Stage) -> float:
    """The worker, once its duties have run."""
    port = processes.free_port()
    environment = of_settings(stage, port)
    command = [Path(sys.executable), "-m", "gateway.cli", "worker"]
    log = stage.folder / "worker.log"
    with processes.running(command, max(os.sched_getaffinity(0)), log, environment) as process:
        time.sleep(_WORKER_S)
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended: see {log}")
        return processes.resident_mib(process.pid)
