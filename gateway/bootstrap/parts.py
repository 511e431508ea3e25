"""What may be put in another's place, and what both the web and the worker are made of."""

import datetime as dt
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import redis

from gateway.bank.bank import CATALOGUE
from gateway.bank.claims import Claims
from gateway.bank.hashing import PinHasher
from gateway.bank.operations import Operation
from gateway.conversation import Library
from gateway.core.known import KnownAccounts
from gateway.core.patient import Care, PatientLedger
from gateway.cores import fineract, with_care
from gateway.db.pool import Database
from gateway.db.standby import WAITS_FOR_STANDBY, Reads
from gateway.events.recorder import Recorder
from gateway.events.witness import Witness
from gateway.instructions.asking import Asking
from gateway.instructions.orders import Instructions
from gateway.ledger.port import Ledger
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.library.library import PublishedBooks
from gateway.library.lookout import Look, Stop, look_often
from gateway.library.shelf import Shelf
from gateway.menus import prove, read_folder
from gateway.notices.senders import Sender
from gateway.observing import NoteHop, log_hop, logger
from gateway.sessions.connecting import connect_sessions
from gateway.sessions.redis_store import Lifetime, RedisSessions
from gateway.settings import Settings
from gateway.sim.port import SimSwap


def right_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What may be put in another's place. None: what the settings say.

    Args:
        database: the way to PostgreSQL.
        sessions: the client of the sessions' Redis, given its URL.
        wake: tells the worker that there is something to send. Never raises.
        pause: lets so many seconds pass.
        now: the clock, aware, UTC.
        mint_key: a fresh instruction key, a UUID's text.
        jitter: a number from 0 to 1, for back-off.
        hasher: of PINs.
        ledger: the core, given our database.
        sender: the network that carries SMS.
        often: looks every so many seconds, until told to stop.
        operations: what the bank can do, by name.
        sim_swap: who knows SIM cards.
        care: how a core behind a network is asked.
        note_hop: the log's line of each hop.
    """

    database: Callable[[Settings], Database] | None = None
    sessions: Callable[[str], redis.Redis] | None = None
    wake: Callable[[], object] | None = None
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], dt.datetime] = right_now
    mint_key: Callable[[], str] = lambda: str(uuid.uuid4())
    jitter: Callable[[], float] = random.random
    hasher: PinHasher | None = None
    ledger: Callable[[Database], Ledger] | None = None
    sender: Callable[[Database], Sender] | None = None
    often: Callable[[float, Look], Stop] = look_often
    operations: Mapping[str, Operation] = field(default_factory=lambda: CATALOGUE)
    sim_swap: SimSwap | None = None
    care: Callable[[Settings], Care] | None = None
    note_hop: NoteHop = log_hop


ORDINARY = Parts()


def open_database(settings: Settings, *, patient: bool = False) -> Database:
    """The application's way to PostgreSQL."""
    url = settings.database_url.get_secret_value()
    options = WAITS_FOR_STANDBY if settings.read_database_url.get_secret_value() else ""
    database = Database(url, settings.database_connections, patient=patient, options=options)
    database.open()
    return database


def open_books(settings: Settings, database: Database, parts: Parts = ORDINARY) -> PublishedBooks:
    """The menus that were published; before the first time, those in the folder.

    Raises:
        FaultyBookError: nothing was published, and the folder's menus cannot be served.
    """
    return PublishedBooks(
        Shelf(database),
        prove=lambda pages: prove(pages, parts.operations),
        otherwise=lambda: prove(read_folder(settings.menus), parts.operations),
        log=logger(),
    )


def open_sessions(settings: Settings, parts: Parts) -> tuple[RedisSessions, Callable[[], None]]:
    """The sessions, and how to give their connections back."""
    client = (parts.sessions or connect_sessions)(settings.sessions_url.get_secret_value())
    lifetime = Lifetime(
        idle_s=settings.session_idle_s, total_s=settings.session_total_s, draft_s=settings.draft_s
    )
    sessions = RedisSessions(
        client=client,
        cooperative=settings.cooperative,
        secret=settings.session_secret.get_secret_value().encode(),
        now_ms=lambda: int(parts.now().timestamp() * 1000),
        lifetime=lifetime,
        hops_per_second=settings.hops_per_second,
    )
    return sessions, client.close


def library_of(settings: Settings, books: PublishedBooks) -> Library:
    return Library(books, settings.screen_septets, settings.default_language)


def with_core(settings: Settings, parts: Parts) -> Parts:
    """The core that the settings name, where the parts bring none."""
    core = None if parts.ledger else fineract(settings)
    return replace(parts, ledger=lambda _: core) if core else parts


def core_of(database: Database, parts: Parts) -> Ledger:
    """The core itself, for whoever has all the time that it takes."""
    return parts.ledger(database) if parts.ledger else PostgresLedger(database)


def ledger_of(
    settings: Settings, database: Database, parts: Parts, reads: Reads | None = None
) -> Ledger:
    """The core. What is not ours, in this database, is asked with care: it may be slow or away."""
    if parts.ledger is None:
        return PostgresLedger(database, reads)
    care = (parts.care or with_care)(settings)
    return PatientLedger(parts.ledger(database), care, KnownAccounts(database), parts.now)


def instructions_of(database: Database, ledger: Ledger, parts: Parts) -> Instructions:
    if not isinstance(ledger, PatientLedger):
        return Instructions(database, ledger, parts.now, same_database=True)
    care = ledger.care
    asking = Asking(care.writing, ledger.ready, care.patience.left_ms, ledger.late)
    return Instructions(database, ledger, parts.now, same_database=False, asking=asking)


def recorder_of(settings: Settings, database: Database, parts: Parts) -> Recorder:
    return Recorder(database, ZoneInfo(settings.timezone), parts.now)


def witness_of(settings: Settings, recorder: Recorder) -> Witness:
    return Witness(recorder, settings.session_secret.get_secret_value().encode())


def claims_of(settings: Settings, database: Database) -> Claims:
    return Claims(database, settings.claim_holds, ZoneInfo(settings.timezone))
