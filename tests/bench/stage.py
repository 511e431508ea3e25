"""What all measurements stand on: PostgreSQL and Redis of their own, filled, and the gateway."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis

from gateway.bounds import HOPS_AT_ONCE, HOPS_WAITING_MAX, THREADS_TO_REFUSE
from gateway.db.migrations import ROOMS, migrate, sources
from gateway.demo.variables import demo_variables
from gateway.embedded import Embedded, Endpoints
from gateway.settings import DEMO_WEBHOOK_SECRET, Settings
from tests.bench import processes
from tests.bench.fill import Say, fill
from tests.bench.history import fill_up
from tests.bench.served import menus_without_pin

TODAY = dt.datetime.now(dt.UTC).date()
WEBHOOK = f"/ussd/africastalking/{DEMO_WEBHOOK_SECRET}"
THREADS = HOPS_AT_ONCE  # a server's, of each that is compared
# The gateway has more of them, in which hops only wait: as `chaski serve` has.
_GATEWAY_THREADS = THREADS + HOPS_WAITING_MAX + THREADS_TO_REFUSE

# As of a small server, not a demo on a laptop. Durability is as it comes: on.
_POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}
# While it is filled it need not outlive the machine, and is started anew afterwards.
_FILLING = {
    **_POSTGRES,
    "max_wal_size": "1GB",
    "wal_recycle": "off",  # what lies there afterwards is copied
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "maintenance_work_mem": "1GB",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers that run, with members in them."""

    folder: Path
    endpoints: Endpoints
    members: int
    postgres: int
    redis: int

    @property
    def client(self) -> redis.Redis:
        """The sessions' Redis."""
        return redis.Redis.from_url(self.endpoints.sessions_url)

    @property
    def redis_socket(self) -> str:
        """Where it listens."""
        return urlsplit(self.endpoints.sessions_url).path

    def keep_on(self, cores: frozenset[int]) -> None:
        """Keep PostgreSQL, Redis and the phones, which are this thread, on these cores."""
        os.sched_setaffinity(0, cores)
        for root in (self.postgres, self.redis):
            processes.keep_on(root, cores)


def filled(folder: Path, members: int, say: Say, entries: int = 0) -> None:
    """Put so many members into this folder, and so many entries."""
    of_this_sql(folder)
    with Embedded(folder, say, _FILLING) as endpoints:
        migrate(endpoints.owner_url)
        fill(endpoints.owner_url, members, TODAY, say)
        fill_up(endpoints.owner_url, entries, say)
    os.sync()  # nothing of it is left to be written while somebody measures


def of_this_sql(folder: Path) -> None:
    """What was filled by other SQL than today's would be measured as if it were today's.

    Raises:
        RuntimeError: it was.
    """
    digest = hashlib.sha256()
    for file in sorted(file for room in sources(ROOMS) for file in room.glob("*.sql")):
        digest.update(file.read_bytes())
    mark = folder / "sql.sha256"
    folder.mkdir(parents=True, exist_ok=True)
    if not mark.exists():
        mark.write_text(digest.hexdigest())
    elif mark.read_text() != digest.hexdigest():
        raise RuntimeError(f"{folder} was filled by other SQL than this: remove it")


@contextlib.contextmanager
def staged(
    folder: Path, members: int, say: Say, settings: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """Start the servers in this folder, which was filled."""
    embedded = Embedded(folder, say, {**_POSTGRES, **(settings or {})})
    with embedded as endpoints:
        postgres, valkey = (server.process.pid for server in embedded.servers)
        yield Stage(folder, endpoints, members, postgres, valkey)


def granian(application: str, port: int, threads: int = THREADS) -> list[str | Path]:
    """The command that serves a WSGI application, with the gateway's own options."""
    return [
        Path(sys.executable).with_name("granian"),
        *("--interface", "wsgi", "--factory", "--workers", "1"),
        *("--blocking-threads", str(threads), "--log-level", "warning"),
        *("--host", "127.0.0.1", "--port", str(port), application),
    ]


@contextlib.contextmanager
def gateway(stage: Stage, core: int, *, without_pin: bool = False) -> Iterator[tuple[int, int]]:
    """The gateway on one core: its port, its process id."""
    port = processes.free_port()
    environment = of_settings(stage, port)
    if without_pin:
        shipped: Path = Settings.model_fields["menus"].default
        menus = menus_without_pin(shipped, stage.folder / "menus")
        environment = {**environment, "BENCH_WITHOUT_PIN": "yes", "CHASKI_MENUS": str(menus)}
    command = granian("tests.bench.served:wsgi", port, _GATEWAY_THREADS)
    log = stage.folder / "gateway.log"
    with processes.serving(command, port, core, log, environment) as pid:
        yield port, pid


def of_settings(stage: Stage, port: int) -> Mapping[str, str]:
    """The gateway's settings on this stage. Nobody is told that it is crowded before it is."""
    return {**demo_variables(stage.endpoints, port), "CHASKI_HOPS_PER_SECOND": "1000000"}
