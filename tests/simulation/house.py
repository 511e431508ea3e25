"""The house of a process: real PostgreSQL and Valkey, and the gateway over its own ledger and over
a remote core. One run after the other moves in; each finds it empty."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import structlog

from gateway import bootstrap
from gateway.bootstrap import Parts
from gateway.bounds import CORE_PROBE_S
from gateway.core.patient import Care
from gateway.db.migrations import migrate
from gateway.driver import Gateway
from gateway.embedded import Embedded
from gateway.ledger.contract.cooperative import Office
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import single
from gateway.library.lookout import Look, Stop
from gateway.notices.drain import Drain
from gateway.notices.outbox import Outbox
from gateway.observing import Metrics
from gateway.settings import DEMO_PEPPER, DEMO_SESSION_SECRET, DEMO_WEBHOOK_SECRET, Settings, load
from gateway.values.money import Money
from gateway.values.pin import Pin
from gateway.worker import Duty
from tests.simulation.core import SimCore, in_virtual_time
from tests.simulation.crew import Crew
from tests.simulation.fineract import FineractCore
from tests.simulation.history import Books
from tests.simulation.members import Member
from tests.simulation.messages import FakeHasher, SimSender
from tests.simulation.stores import SimDatabase, SimRedis, move_clocks
from tests.simulation.world import World

_TODAY = dt.date(2026, 11, 23)
_BORN = dt.date(1980, 5, 17)
_SCHEMAS = ("bank", "core", "instructions", "ledger", "notices")
# What is logged as an error, for a person to mend, because people at the core did what they did.
_FOR_STAFF = {"fineract_misconfigured", "fineract_gave_up", "order_parked"}
_VACUUM_EVERY = 50  # runs: what they leave behind slows down the next ones


@dataclass(frozen=True, slots=True)
class Home:
    """A gateway that runs can move into, and what its worker does."""

    gateway: Gateway
    duties: tuple[Duty, ...]
    drain: Drain
    outbox: Outbox


class House:
    """Everything that is made once a process.

    Args:
        urls: the owner's and the application's of a migrated database, of the sessions' Redis and
            of the queues'. All of it is emptied for every run.
        fineract: every run has a Fineract for its core.
    """

    def __init__(
        self,
        owner_url: str,
        app_url: str,
        sessions_url: str,
        queue_url: str,
        *,
        fineract: bool = False,
    ) -> None:
        self._owner = psycopg.connect(owner_url, autocommit=True)
        # Books are append-only, also for the owner; but every run begins with new ones.
        self._owner.execute("set session_replication_role = replica")
        move_clocks(self._owner)
        self._database = SimDatabase(app_url, self._owner)
        self._redis = SimRedis.from_url(sessions_url)
        self._redis.enter(None)
        self._sender = SimSender()
        self._core = FineractCore() if fineract else SimCore()
        self.fineract = fineract
        self._crews: list[Crew] = []
        self._probes: list[Look] = []
        self._world: World | None = None
        self._runs = 0
        self._tables, self._reset = self._as_it_is()
        settings = _settings(app_url, sessions_url, queue_url)
        with self._listening():
            self._own = self._built(settings, self._parts())
            self._remote = self._built(
                settings, replace(self._parts(), ledger=lambda _: self._core.ledger)
            )

    @contextmanager
    def occupied(self, world: World, members: list[Member]) -> Iterator[Home]:
        """A run lives here: its members are registered, and nobody else."""
        self._runs += 1
        if self._runs % _VACUUM_EVERY == 0:
            self._owner.execute("vacuum")
        self._owner.execute(self._reset)
        self._redis.enter(world)
        self._database.enter(world)
        office: Office = LedgerOffice(self._owner)
        if world.remote_core:
            office = self._core.enter(world)
            for crew in self._crews:
                crew.enter(world)
        for number, member in enumerate(members, start=1):
            self._register(office, member, number)
        self._world = world
        try:
            with self._listening():
                yield self._remote if world.remote_core else self._own
        finally:
            world.station.close()
            self._world = None
            self._database.enter(None)
            self._redis.enter(None)

    def sms(self, world: World, hear: dict[str, Callable[[str], None]]) -> None:
        """Whose phones SMS go to, by number."""
        self._sender.enter(world, hear)

    def about_notice(self, notice: int) -> tuple[str, int]:
        """The key of the order that a notice is about, empty where it is about none; and when it
        became true."""
        return self._database.about_notice.get(notice, ("", 0))

    def forget(self, world: World, share: float) -> None:
        """Redis loses this share of its keys."""
        self._redis.forget(world, share)

    @property
    def core(self) -> FineractCore | SimCore:
        """The remote core, where a run has one."""
        return self._core

    def close(self) -> None:
        """Give the connections back."""
        self._owner.close()
        self._database.close()
        self._redis.close()

    # ---- The end of a run --------------------------------------------------------------------

    def unsettled(self) -> tuple[int, int]:
        """How many orders are open, and how many notices wait."""
        row = self._owner.execute(
            "select (select count(*) from instructions.instruction"
            " where state in ('accepted', 'unknown')),"
            " (select count(*) from notices.outbox where state in ('waiting', 'sending'))"
        ).fetchone()
        assert row is not None
        return row[0], row[1]

    def audit(self, world: World, members: list[Member]) -> Books:
        """What lies in the stores now."""
        books = Books(opening={one.account: one.opening for one in members})
        orders = self._owner.execute(
            "select key::text, state, code, turn, source, target from instructions.instruction"
        ).fetchall()
        for key, state, code, turn, source, target in orders:
            books.ends[key] = state
            books.accounts[key] = (source, target)
            if code:
                books.codes[key] = code
            if turn is not None:
                books.turns[key] = turn
        books.open_orders = [
            key for key, state in books.ends.items() if state in {"accepted", "unknown"}
        ]
        books.waiting = self.unsettled()[1]
        dead = self._owner.execute("select id from notices.outbox where state = 'dead'").fetchall()
        books.dead = [self.about_notice(notice)[0] for (notice,) in dead]
        if world.remote_core:
            self._core.fill(books, members)
        else:
            self._own_books(books)
        books.leaks = [*self._leaks(world)]
        return books

    def _own_books(self, books: Books) -> None:
        self._database.enter(None)
        found = PostgresLedger(self._database).verify()
        if not found["ok"]:
            books.wrong.append(f"the books do not add up: {found}")
        posted = self._owner.execute(
            "select key::text from ledger.decision"
            " where refusal is null and kind in ('transfer', 'part', 'payoff')"
        )
        books.keys = [key for (key,) in posted.fetchall()]
        balances = self._owner.execute(
            "select a.code, b.balance_centimos from ledger.balance b"
            " join ledger.account a on a.id = b.account_id where a.kind = 'savings'"
        )
        books.balances = dict(balances.fetchall())

    def _leaks(self, world: World) -> Iterator[str]:
        for key, value in self._redis.everything():
            if world.leaks(f"{key}\n{value}", amounts=False):
                yield f"in Redis under {key.rpartition(':')[2]}"
        rows = self._owner.execute(self._tables).fetchall()
        for table, row in rows:
            if any(world.leaks(text) for text in _texts(row)):
                yield f"in {table}"

    # ---- Moving in ---------------------------------------------------------------------------

    def _as_it_is(self) -> tuple[str, str]:
        """How to read all rows of an empty house, and how to make it empty again: whatever is in a
        table now, belongs to the house."""
        tables = self._owner.execute(
            "select format('%%I.%%I', schemaname, tablename) from pg_tables"
            " where schemaname = any(%s) order by 1",
            ([*_SCHEMAS],),
        ).fetchall()
        empty = [
            table
            for (table,) in tables
            if not self._owner.execute(f"select 1 from {table} limit 1").fetchall()  # noqa: S608
        ]
        reading = " union all ".join(
            f"select '{table}', to_jsonb(t) from {table} as t"  # noqa: S608 - the catalogue's names
            for (table,) in tables
        )
        sequences = self._owner.execute(
            "select format('select setval(%%L, %%s, false)', format('%%I.%%I', schemaname,"
            " sequencename), start_value) from pg_sequences where schemaname = any(%s)",
            ([*_SCHEMAS],),
        ).fetchall()
        emptying = [f"delete from {table}" for table in empty]  # noqa: S608
        emptying.append("delete from ledger.account where kind <> 'own'")
        emptying += [setval for (setval,) in sequences]
        return reading, "; ".join(emptying)

    def _register(self, office: Office, member: Member, number: int) -> None:
        names = (member.first_name, member.last_name)
        office.enrol_person(member.ref, f"{40_000_000 + number}", *names, _BORN)
        office.open_savings(member.account, "Ahorro", member.ref, Money(member.opening), _TODAY)
        if member.loan:
            began = _TODAY - dt.timedelta(days=100)
            due_on = _TODAY + dt.timedelta(days=80)
            schedule = single(Money(1_500_00), 300_000, began, due_on)
            office.open_loan(
                member.loan, "Campaña", member.ref, schedule, began, _TODAY, product="campaign"
            )
        who = (member.ref, member.msisdn, member.first_name, member.short_name, member.language)
        self._owner.execute("select bank.register_member(%s, %s, %s, %s, %s)", who)
        hashed, version = FakeHasher().hash(member.ref, Pin(member.pin))
        self._owner.execute("select bank.first_pin(%s, %s, %s)", (member.ref, hashed, version))

    def _built(self, settings: Settings, parts: Parts) -> Home:
        gateway = bootstrap.build(settings, Metrics(), parts)
        duties = bootstrap.duties(settings, self._database, parts)
        return Home(
            gateway,
            duties=(*filter(self._is_simulated, duties), *self._probing()),
            drain=_drain_of(duties),
            outbox=Outbox(self._database),
        )

    def _is_simulated(self, duty: Duty) -> bool:
        """What moves or tells something of an order. The notices are drained by actors of their
        own; books do not change here, holds have no screen, and instalments are reminded of day by
        day."""
        simulated = {"orders", "unfinished", *(("core",) if self.fineract else ())}
        return duty.name.rpartition("-")[2] in simulated

    def _probing(self) -> Iterator[Duty]:
        """What a web process does beside its hops, as a duty."""
        for look in self._probes:
            yield Duty("web-core", CORE_PROBE_S, look)

    def _parts(self) -> Parts:
        return Parts(
            database=lambda _: self._database,
            sessions=lambda _: self._redis,
            wake=lambda: self._current.wake(),  # noqa: PLW0108 - of the run by then
            pause=lambda seconds: self._current.pause(seconds),  # noqa: PLW0108
            now=self._now,
            mint_key=lambda: self._current.mint_key(),  # noqa: PLW0108 - of the run by then
            jitter=self._jitter,
            hasher=FakeHasher(),
            sender=lambda _: self._sender,
            often=self._often,
            care=lambda _: self._care(),
        )

    def _care(self) -> Care:
        if not self.fineract:
            return in_virtual_time()
        self._crews.append(Crew())
        return self._crews[-1].care()

    def _often(self, every_s: float, look: Look) -> Stop:
        """Books do not change here; of the core web processes find out whether it is well."""
        if every_s == CORE_PROBE_S and self.fineract:
            self._probes.append(look)
        return lambda: None

    @property
    def _current(self) -> World:
        assert self._world is not None, "nobody lives here"
        return self._world

    def _now(self) -> dt.datetime:
        return self._current.now()

    def _jitter(self) -> float:
        return self._current.jitter()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear what the gateway logs, in place of whoever hears it otherwise."""
        before = structlog.get_config()
        structlog.configure(
            processors=[self._hear_log],
            wrapper_class=structlog.make_filtering_bound_logger(0),
            logger_factory=structlog.ReturnLoggerFactory(),
            cache_logger_on_first_use=False,
        )
        try:
            yield
        finally:
            structlog.configure(**before)

    def _hear_log(
        self, _logger: object, level: str, said: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        world = self._world
        if world is None:
            return said
        trace = traceback.format_exc() if said.get("exc_info") else ""
        if world.leaks(f"{said} {trace}"):
            world.history.leaks.append(f"in the log, with {said.get('event')}")
        if said.get("event") in _FOR_STAFF:
            world.history.counts[f"log: {said['event']}"] += 1
        elif level in {"error", "exception", "critical"}:
            world.history.faults.append(f"{said.get('event')}: {trace}")
        return said


@contextmanager
def own_house(*, fineract: bool = False) -> Iterator[House]:
    """A house with servers of its own, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="chaski-simulation-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # the servers may run as another account
        with Embedded(data, lambda _line: None) as endpoints:
            with psycopg.connect(endpoints.owner_url, autocommit=True) as owner:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    owner.execute(f"alter system set {setting} = off")  # nothing here need last
                owner.execute("select pg_reload_conf()")
            migrate(endpoints.owner_url)
            house = House(
                endpoints.owner_url,
                endpoints.app_url,
                endpoints.sessions_url,
                endpoints.queue_url,
                fineract=fineract,
            )
            try:
                yield house
            finally:
                house.close()


def _drain_of(duties: tuple[Duty, ...]) -> Drain:
    """The real one: its `run` needs threads, so its notices are told one by one."""
    drains = (getattr(duty.run, "__self__", None) for duty in duties)
    return next(drain for drain in drains if isinstance(drain, Drain))


def _settings(app_url: str, sessions_url: str, queue_url: str) -> Settings:
    return load(
        {
            "CHASKI_DEMO": "yes",
            "CHASKI_DATABASE_URL": app_url,
            "CHASKI_SESSIONS_URL": sessions_url,
            "CHASKI_QUEUE_URL": queue_url,
            "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
            "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
            "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
        }
    )


def _texts(value: object) -> Iterator[str]:
    """Every text in a row, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
