"""The one place that names concrete classes.

`build` makes a cooperative's gateway from its settings. A test, a simulator or the demo calls it
too, with `Parts` of its own in place of the clock, randomness, the PIN hasher, the core ledger or
the SMS network.
"""

from __future__ import annotations

import datetime as dt
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import redis
from flask import Blueprint, Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.audit.seals import Sealing
from gateway.bank.bank import CATALOGUE, Bank
from gateway.bank.calls import Calls
from gateway.bank.claims import Claims
from gateway.bank.consents import Consents
from gateway.bank.desk import Desk
from gateway.bank.doors import Doors
from gateway.bank.hashing import OWASP_2026, KeyedHashes, PepperedArgon2, PinHasher
from gateway.bank.new_pins import NewPins
from gateway.bank.office import Office
from gateway.bank.operations import Operation
from gateway.bank.pins import Pins
from gateway.bank.register import Members
from gateway.bank.sims import Sims
from gateway.bounds import (
    CORE_FAREWELL_MS,
    CORE_PROBE_S,
    EXPIRE_HOLDS_EVERY_S,
    FORGET_EVERY_S,
    GO_ON_SMS_SWEEP_S,
    RECONCILE_EVERY_S,
    RELOAD_EVERY_S,
    REMIND_SWEEP_S,
    RETAIN_EVERY_S,
    SEAL_EVERY_S,
    STAFF_CONNECTIONS,
    STORE_TIMEOUT_MS,
    SWEEP_ROWS,
    TIMETABLE_EVERY_S,
)
from gateway.channels.smpp.invitation import ScreenFirst
from gateway.channels.smpp.service import Service
from gateway.conversation import Library
from gateway.core.known import KnownAccounts
from gateway.core.patient import Care, PatientLedger
from gateway.cores import fineract, with_care
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.driver import Gateway
from gateway.instructions.asking import Asking
from gateway.instructions.orders import Instructions
from gateway.ledger.port import Ledger
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.library.library import PublishedBooks
from gateway.library.lookout import Look, Stop, look_often
from gateway.library.shelf import Shelf
from gateway.menus import prove, read_folder
from gateway.notices.answers import Answers
from gateway.notices.calendar import Calendar
from gateway.notices.drain import Drain
from gateway.notices.outbox import Outbox
from gateway.notices.quiet_hours import DaytimeWording, read_quiet_hours
from gateway.notices.reports import Reports
from gateway.notices.senders import Sender
from gateway.notices.simulated import SimulatedNetwork
from gateway.notices.wakeup import Timetable, WakeUps, connect
from gateway.notices.watching import UNWATCHED
from gateway.observing import Metrics, configure_logging, logger
from gateway.providers import lines_send, route, sim_swap, webhooks
from gateway.receipts import REMINDERS, Receipts
from gateway.reminders import Reminders
from gateway.retention import Retention
from gateway.sessions.redis_store import Lifetime, RedisSessions
from gateway.settings import Settings, load
from gateway.sim.null import NullSimSwap
from gateway.sim.port import SimSwap
from gateway.sim.remembered import RememberedSimSwap
from gateway.staff.api import routes as staff_routes
from gateway.unfinished import Unfinished
from gateway.values.msisdn import Msisdn
from gateway.web import create_app
from gateway.worker import Duty, drains


def _now() -> dt.datetime:
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
    """

    database: Callable[[Settings], Database] | None = None
    sessions: Callable[[str], redis.Redis] | None = None
    wake: Callable[[], object] | None = None
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], dt.datetime] = _now
    mint_key: Callable[[], str] = lambda: str(uuid.uuid4())
    jitter: Callable[[], float] = random.random
    hasher: PinHasher | None = None
    ledger: Callable[[Database], Ledger] | None = None
    sender: Callable[[Database], Sender] | None = None
    often: Callable[[float, Look], Stop] = look_often
    operations: Mapping[str, Operation] = field(default_factory=lambda: CATALOGUE)
    sim_swap: SimSwap | None = None
    care: Callable[[Settings], Care] | None = None


ORDINARY = Parts()


def build(settings: Settings, metrics: Metrics, parts: Parts = ORDINARY) -> Gateway:
    """One cooperative's gateway, connected, ready to take turns.

    Raises:
        FaultyBookError: nothing was published, and the folder's menus cannot be served.
    """
    parts = _with_core(settings, parts)
    database = (parts.database or open_database)(settings)
    books = open_books(settings, database, parts)
    ledger = _ledger(settings, database, parts)
    sessions, hang_up = _sessions(settings, parts)
    queue_client = connect(settings.queue_url.get_secret_value())
    wake_ups = WakeUps(queue_client)
    _watch(metrics, Outbox(database), wake_ups)

    stops = [parts.often(RELOAD_EVERY_S, books.refresh)]
    checks = {"database": database.healthy, "sessions": sessions.healthy}
    if isinstance(ledger, PatientLedger):
        stops.append(parts.often(CORE_PROBE_S, ledger.probe))
        _watch_core(metrics, ledger, _instructions(database, ledger, parts))
    else:
        checks["ledger"] = lambda: ledger.health().well

    def close() -> None:
        for stop in stops:
            stop()
        if isinstance(ledger, PatientLedger):
            ledger.close(CORE_FAREWELL_MS)
        database.close()
        hang_up()
        queue_client.close()

    return Gateway(
        cooperative=settings.cooperative,
        webhook_secrets=settings.secrets,
        short_code=settings.short_code,
        library=_library(settings, books),
        sessions=sessions,
        bank=_bank(settings, parts, database, ledger),
        mint_key=parts.mint_key,
        wake=parts.wake or wake_ups.wake,
        pause=parts.pause,
        log=logger(),
        metrics=metrics,
        answers=Answers(database, parts.now),
        reports=Reports(database, metrics),
        checks=checks,
        close=close,
        **_slow_core(ledger),
    )


def duties(settings: Settings, database: Database, parts: Parts = ORDINARY) -> tuple[Duty, ...]:
    """What the worker does for a cooperative.

    Raises:
        FaultyBookError: nothing was published, and the folder's menus cannot be served.
    """
    name, parts = settings.cooperative, _with_core(settings, parts)
    ledger = _ledger(settings, database, parts)
    orders = _instructions(database, ledger, parts)
    books = open_books(settings, database, parts)
    claims = _claims(settings, database)
    # Who sends is woken; a wake-up that another process takes would be lost to it.
    sends = not lines_send(settings)
    duties = [
        Duty(f"{name}-books", RELOAD_EVERY_S, books.refresh),
        *_unfinished(settings, database, books, parts),
        *_reminders(settings, database, ledger, parts, woken=sends),
        *(_notices(settings, database, books, parts) if sends else ()),
        Duty(
            f"{name}-claims",
            EXPIRE_HOLDS_EVERY_S,
            lambda: claims.forget_holds(parts.now(), SWEEP_ROWS),
        ),
        Duty(
            f"{name}-orders",
            RECONCILE_EVERY_S,
            lambda: orders.reconcile(SWEEP_ROWS),
            orders.stop,
            # What a hop could not give to the core is the worker's at once.
            woken=sends and isinstance(ledger, PatientLedger),
        ),
        _sealing(settings, database, parts),
        Duty(f"{name}-retention", RETAIN_EVERY_S, Retention(database, parts.now).run),
    ]
    if isinstance(ledger, PatientLedger):
        duties.append(Duty(f"{name}-core", CORE_PROBE_S, ledger.probe))
    else:
        own = PostgresLedger(database)
        duties.append(
            Duty(
                f"{name}-holds",
                EXPIRE_HOLDS_EVERY_S,
                lambda: own.expire_holds(parts.now(), SWEEP_ROWS),
            )
        )
    return tuple(duties)


def _sealing(settings: Settings, database: Database, parts: Parts) -> Duty:
    """The evidence, sealed."""
    sealing = Sealing(database, lambda: open_database(settings, patient=True), parts.now)
    return Duty(f"{settings.cooperative}-seals", SEAL_EVERY_S, sealing.run)


def line_duties(
    settings: Settings, database: Database, service: Service, parts: Parts = ORDINARY
) -> tuple[Duty, ...]:
    """What the process that holds the lines does: where they carry SMS it empties the outbox, in
    the worker's place.

    Raises:
        FaultyBookError: nothing was published, and the folder's menus cannot be served.
    """
    if not service.senders:
        return ()
    parts = _with_core(settings, parts)
    books = open_books(settings, database, parts)

    def offer(msisdn: Msisdn) -> bool:
        return service.push(msisdn, None, expects_answer=True)

    def sender(_: Database) -> Sender:
        routed = route(settings, UNWATCHED, service.senders) or service.senders[0]
        return ScreenFirst(routed, lambda sms: sms.offers, offer)

    own = replace(parts, sender=sender)
    return (
        Duty(f"{settings.cooperative}-books", RELOAD_EVERY_S, books.refresh),
        *_notices(settings, database, books, own),
    )


def _notices(
    settings: Settings, database: Database, books: PublishedBooks, parts: Parts
) -> tuple[Duty, ...]:
    """Emptying the outbox. Without a network to send by it is better not emptied at all."""
    sender = _sender(settings, database, parts)
    if sender is None:
        logger().warning("no_sms_network", effect="notices wait in the outbox")
        return ()
    zone = ZoneInfo(settings.timezone)
    receipts = Receipts(
        books,
        Members(database),
        zone,
        parts.now,
        ordered_since=_orders(settings, database, parts).ordered_since,
        wanted=Consents(database).given,
    )
    quiet = read_quiet_hours(settings.quiet_hours, zone)
    wording = DaytimeWording(receipts, quiet, REMINDERS, parts.now) if quiet else receipts
    drain = Drain(Outbox(database), wording, sender, parts.jitter)
    return (drains(f"{settings.cooperative}-notices", drain),)


def _sender(settings: Settings, database: Database, parts: Parts) -> Sender | None:
    """The way that messages go out by; in the demo they go into an inbox."""
    if parts.sender:
        return parts.sender(database)
    if settings.demo:
        return SimulatedNetwork(database, settings.sms_sender)
    return route(settings, UNWATCHED)


def _unfinished(
    settings: Settings, database: Database, books: PublishedBooks, parts: Parts
) -> tuple[Duty, ...]:
    """Reminding those who lost the signal, where the cooperative wants to pay for it."""
    if not settings.go_on_sms:
        return ()
    sessions, _ = _sessions(settings, parts)
    unfinished = Unfinished(
        sessions=sessions,
        library=_library(settings, books),
        members=Members(database),
        orders=_orders(settings, database, parts),
        outbox=Outbox(database),
        short_code=settings.short_code,
    )
    return (Duty(f"{settings.cooperative}-unfinished", GO_ON_SMS_SWEEP_S, unfinished.remind),)


def wsgi(parts: Parts = ORDINARY) -> Flask:
    """The web application of this process's environment, for a WSGI server.

    Raises:
        SettingsError: the environment is not usable.
    """
    settings = load()
    configure_logging(settings.log_level)
    metrics = Metrics()
    gateway = build(settings, metrics, parts)
    inbox = _inbox(settings) if settings.demo else None
    doors = [*webhooks(settings, [gateway], metrics), *_staff(settings)]
    return create_app([gateway], doors, metrics.registry, inbox)


def _staff(settings: Settings) -> list[Blueprint]:
    """What branches and agents call, where there are keys for them."""
    if not settings.staff:
        return []
    database = Database(settings.staff_database_url.get_secret_value(), STAFF_CONNECTIONS)
    database.open()
    keyed = KeyedHashes(settings.peppers)
    return [
        staff_routes(lambda: Office(database, keyed, settings.code_hours, _now()), settings.staff)
    ]


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


def open_database(settings: Settings, *, patient: bool = False) -> Database:
    """The application's way to PostgreSQL."""
    url = settings.database_url.get_secret_value()
    database = Database(url, settings.database_connections, patient=patient)
    database.open()
    return database


def connect_sessions(url: str) -> redis.Redis:
    """A client that gives up soon: a member waits for an answer. One retry, at once, for a
    connection that Redis had dropped."""
    timeout_s = STORE_TIMEOUT_MS / 1000
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),
    )


def _reminders(
    settings: Settings, database: Database, ledger: Ledger, parts: Parts, *, woken: bool
) -> tuple[Duty, ...]:
    """Reminding those who have an instalment to pay, and forgetting texts of long ago."""
    name, timetable = (
        settings.cooperative,
        Timetable(connect(settings.queue_url.get_secret_value())),
    )
    reminders = Reminders(
        ledger=ledger,
        calendar=Calendar(database),
        now=parts.now,
        timezone=ZoneInfo(settings.timezone),
        short_code=settings.short_code,
        wake_at=timetable.wake_at,
    )
    reminding: tuple[Duty, ...] = (
        Duty(f"{name}-reminders", REMIND_SWEEP_S, reminders.remind, woken=woken),
    )
    if not reminders.ledger.capabilities().borrowers:
        logger().warning("no_reminders", effect="the core cannot say who has to pay")
        reminding = ()
    answers, outbox = Answers(database, parts.now), Outbox(database)
    kept = dt.timedelta(days=settings.notice_detail_days)
    return (
        Duty(f"{name}-timetable", TIMETABLE_EVERY_S, timetable.run),
        *reminding,
        Duty(f"{name}-texts", FORGET_EVERY_S, answers.forget),
        Duty(
            f"{name}-details",
            FORGET_EVERY_S,
            lambda: outbox.forget(parts.now() - kept, parts.now()),
        ),
    )


def _sessions(settings: Settings, parts: Parts) -> tuple[RedisSessions, Callable[[], None]]:
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


def _library(settings: Settings, books: PublishedBooks) -> Library:
    return Library(books, settings.screen_septets, settings.default_language)


def _with_core(settings: Settings, parts: Parts) -> Parts:
    """The core that the settings name, where the parts bring none."""
    core = None if parts.ledger else fineract(settings)
    return replace(parts, ledger=lambda _: core) if core else parts


def _ledger(settings: Settings, database: Database, parts: Parts) -> Ledger:
    """The core. What is not ours, in this database, is asked with care: it may be slow or away."""
    if parts.ledger is None:
        return PostgresLedger(database)
    care = (parts.care or with_care)(settings)
    return PatientLedger(parts.ledger(database), care, KnownAccounts(database), parts.now)


def _instructions(database: Database, ledger: Ledger, parts: Parts) -> Instructions:
    if not isinstance(ledger, PatientLedger):
        return Instructions(database, ledger, parts.now, same_database=True)
    care = ledger.care
    asking = Asking(care.writing, ledger.ready, care.patience.left_ms, ledger.late)
    return Instructions(database, ledger, parts.now, same_database=False, asking=asking)


def _orders(settings: Settings, database: Database, parts: Parts) -> Instructions:
    """To look at orders, not to give any."""
    return _instructions(database, _ledger(settings, database, parts), parts)


def _slow_core(ledger: Ledger) -> dict[str, Any]:
    """What a gateway does beside where its core is behind a network."""
    if not isinstance(ledger, PatientLedger):
        return {}
    return {"beside": {"core": lambda: ledger.health().well}, "hop": ledger.hop}


def _watch_core(metrics: Metrics, ledger: PatientLedger, orders: Instructions) -> None:
    def figures() -> dict[str, float]:
        asked = {"chaski_core_asked": float(ledger.ready())}
        try:
            waiting, oldest_s = orders.backlog()
        except DatabaseUnavailableError:
            return asked
        return {
            **asked,
            "chaski_orders_under_way": waiting,
            "chaski_orders_oldest_under_way_seconds": oldest_s,
        }

    metrics.watch(
        {
            "chaski_core_asked": "Whether the core is asked at all: 0 after too many failures.",
            "chaski_orders_under_way": "Orders that have no end yet.",
            "chaski_orders_oldest_under_way_seconds": "How long the oldest of them has been.",
        },
        figures,
    )


def _bank(settings: Settings, parts: Parts, database: Database, ledger: Ledger) -> Bank:
    hasher = parts.hasher or PepperedArgon2(settings.peppers, OWASP_2026)
    pins = Pins(database, hasher)
    digits = (settings.pin_digits_min, settings.pin_digits_max)
    desk = Desk(
        members=Members(database),
        consents=Consents(database),
        new_pins=NewPins(database, hasher, KeyedHashes(settings.peppers), pins, digits),
        ledger=ledger,
        instructions=_instructions(database, ledger, parts),
        region=settings.region,
        doors=Doors(database),
        claims=_claims(settings, database),
        calls=Calls(database),
        sims=_sims(settings, database, parts),
    )
    zone = ZoneInfo(settings.timezone)
    return Bank(desk, pins, parts.operations, parts.now, zone)


def _claims(settings: Settings, database: Database) -> Claims:
    return Claims(database, settings.claim_holds, ZoneInfo(settings.timezone))


def _sims(settings: Settings, database: Database, parts: Parts) -> Sims:
    """Whom to ask about SIM cards. Nobody's answers need no memory."""
    asked = parts.sim_swap or sim_swap(settings)
    swaps = RememberedSimSwap(database, asked, parts.now) if asked else NullSimSwap()
    return Sims(database, swaps, settings.sim_swap_hours, settings.sim_swap_unknown)


def _watch(metrics: Metrics, outbox: Outbox, wake_ups: WakeUps) -> None:
    def outbox_figures() -> dict[str, float]:
        try:
            state = outbox.state()
        except DatabaseUnavailableError:
            return {}
        return {
            "chaski_outbox_waiting": state.waiting,
            "chaski_outbox_oldest_due_seconds": state.oldest_due_s,
            "chaski_outbox_dead": state.dead,
        }

    def queue_figures() -> dict[str, float]:
        depth = wake_ups.depth()
        return {} if depth is None else {"chaski_queue_depth": depth}

    metrics.watch(
        {
            "chaski_outbox_waiting": "Notices not sent yet.",
            "chaski_outbox_oldest_due_seconds": "How long the most overdue notice has been due.",
            "chaski_outbox_dead": "Notices given up.",
        },
        outbox_figures,
    )
    metrics.watch({"chaski_queue_depth": "Wake-ups that wait for a worker."}, queue_figures)


def _inbox(settings: Settings) -> Callable[[str], list[object]]:
    network = SimulatedNetwork(open_database(settings), settings.sms_sender)
    return lambda e164: list(network.inbox(Msisdn(e164)))
