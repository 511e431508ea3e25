"""Whether a hop and a transfer cost more in a larger cooperative, and what sessions take.

Each size is measured beside yardsticks that do not grow: bare Flask with two Redis trips, and the
minimal function on its own 40,000 accounts. The folder is kept: what was filled is not filled
again, and a run that was stopped goes on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from tests.bench import hop, money, pgbench, processes
from tests.bench.figures import Spread, ratio, spread
from tests.bench.fill import MEMBERS_WITH_A_PIN, Say, fill
from tests.bench.flows import MEMBERS_WITH_A_SLOW_PIN, dials, transfers
from tests.bench.phones import Phones
from tests.bench.stage import TODAY, WEBHOOK, Stage, gateway, of_settings

_SESSIONS_S = 5.0  # of dials, to see what sessions take
_WORKER_S = 5.0  # until it has done all its duties once
_ORDERS_S = 60.0  # of orders through the webhook, to see what one leaves in PostgreSQL
_CHUNK = 100_000

# Members in a ring, each paying the next: all balances stay as they are, so that the books are
# right without touching them. One order a second, the last of them a day ago.
_HISTORY = """
with decided as (
    insert into ledger.decision (
        key, kind, source, target, amount_centimos, business_date, decided_at
    )
    select
        gen_random_uuid(), 'transfer', 's-' || payer, 's-' || payee, 100, %(today)s,
        now() - interval '1 day' - make_interval(secs => %(left)s - n)
    from (
        select
            n, 1 + n %% %(members)s::bigint as payer, 1 + (n + 1) %% %(members)s::bigint as payee
        from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    ) as ring
    returning id, source, target
)
insert into ledger.transfer
select d.id, 1, s.id, t.id, 100, 'amount'
from decided as d
join ledger.account as s on s.code = d.source
join ledger.account as t on t.code = d.target
"""

_SIZE = "select pg_database_size(current_database())"
_LOGGED = "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
_ORDERS = "select count(*) from instructions.instruction"


@dataclass(frozen=True, slots=True)
class GrowthFigures:
    """By size: the figures of its rounds."""

    sizes: Mapping[str, Mapping[str, list[float]]]
    memory: Mapping[str, float]

    def ratios(self) -> dict[str, Spread]:
        """The largest over the smallest, each over its yardstick: 1.0 is flat."""
        first, *_, last = self.sizes.values() if len(self.sizes) > 1 else [*self.sizes.values()] * 2
        names = {"growth_of_hop_cost": "hop_cost", "growth_of_transfer_cost": "transfer_cost"}
        return {name: ratio(last[column], first[column]) for name, column in names.items()}

    def rows(self) -> dict[str, dict[str, Spread]]:
        """A row a size."""
        return {
            size: {name: spread(values) for name, values in figures.items()}
            for size, figures in self.sizes.items()
        }


def measure(
    stage: Stage, sizes: Sequence[int], entries: int, rounds: int, seconds: float, say: Say
) -> GrowthFigures:
    """Fill up to each size and measure there; the entries come with the last one."""
    figures: dict[str, Mapping[str, list[float]]] = {}
    pgbench.prepare(stage, scale=None)
    for size in sizes:
        fill(stage.endpoints.owner_url, size, TODAY, say)
        figures[f"{size:,} members"] = _at(replace(stage, members=size), rounds, seconds, say)
    if entries:
        _write_history(stage.endpoints.owner_url, sizes[-1], entries, say)
        name = f"{sizes[-1]:,} members, {entries:,} entries"
        figures[name] = _at(replace(stage, members=sizes[-1]), rounds, seconds, say)
    largest = replace(stage, members=sizes[-1])
    # Disk first: the worker, which memory starts, begins to seal all that was filled.
    return GrowthFigures(figures, {**disk(largest), **memory(largest)})


def _at(stage: Stage, rounds: int, seconds: float, say: Say) -> dict[str, list[float]]:
    """One size. Costs are in units of the yardstick of the same round."""
    hops = hop.measure(stage, rounds, seconds, say, without=(hop.CONSTANT, hop.PEER)).targets
    transfers = money.ledger_only(stage, rounds, seconds)
    ours, theirs = hops[hop.GATEWAY], hops[hop.TWO_TRIPS]
    both = [a + b for a, b in zip(ours["cpu_us"], ours["postgres_cpu_us"], strict=True)]
    return {
        "postgres_mib": [_asked(stage, _SIZE) / 2**20] * rounds,
        "hop_cpu_us": ours["cpu_us"],
        "hop_postgres_cpu_us": ours["postgres_cpu_us"],
        "hop_cost": [a / b for a, b in zip(both, theirs["cpu_us"], strict=True)],
        "transfers/s": transfers[money.PORT],
        "transfer_cost": [
            b / a for a, b in zip(transfers[money.PORT], transfers[money.MINIMAL], strict=True)
        ],
    }


def _write_history(owner_url: str, members: int, entries: int, say: Say) -> None:
    """Transfers of the past until there are so many entries, two a transfer."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        row = owner.execute("select count(*) from ledger.transfer").fetchone()
        left = entries // 2 - (row[0] if row else 0)
        for first in range(1, left + 1, _CHUNK):
            last = min(first + _CHUNK - 1, left)
            values = {"first": first, "last": last, "members": members, "left": left}
            owner.execute(_HISTORY, {**values, "today": TODAY})
            say(f"  {last:,} of {left:,} transfers")
        if left > 0:
            owner.execute("vacuum analyze")


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


def _asked(stage: Stage, sql: str) -> float:
    with psycopg.connect(stage.endpoints.owner_url, autocommit=True) as owner:
        row = owner.execute(sql).fetchone()  # type: ignore[arg-type]
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
