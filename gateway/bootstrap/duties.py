"""What the worker does for a cooperative, and whoever holds its lines."""

import datetime as dt
from dataclasses import replace
from threading import Event
from zoneinfo import ZoneInfo

from gateway.audit.seals import Sealing
from gateway.bank.consents import Consents
from gateway.bank.register import Members
from gateway.bootstrap.parts import (
    ORDINARY,
    Parts,
    claims_of,
    core_of,
    instructions_of,
    ledger_of,
    library_of,
    open_books,
    open_database,
    open_sessions,
    recorder_of,
    with_core,
    witness_of,
)
from gateway.bounds import (
    CORE_NEWS_EVERY_S,
    CORE_PROBE_S,
    EVENTS_FLUSH_EVERY_S,
    EXPIRE_HOLDS_EVERY_S,
    FORGET_EVERY_S,
    GO_ON_SMS_SWEEP_S,
    RECONCILE_DUTY_EVERY_S,
    RECONCILE_EVERY_S,
    RELOAD_EVERY_S,
    REMIND_SWEEP_S,
    RETAIN_EVERY_S,
    ROLL_UP_EVERY_S,
    SEAL_EVERY_S,
    SWEEP_ROWS,
    TIMETABLE_EVERY_S,
)
from gateway.channels.smpp.invitation import ScreenFirst
from gateway.channels.smpp.service import Service
from gateway.core.patient import PatientLedger
from gateway.core_news import news
from gateway.cores import newsroom
from gateway.db.pool import Database
from gateway.instructions.orders import Instructions
from gateway.ledger.port import Ledger
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.library.library import PublishedBooks
from gateway.notices.answers import Answers
from gateway.notices.calendar import Calendar
from gateway.notices.drain import Drain
from gateway.notices.outbox import Outbox
from gateway.notices.quiet_hours import DaytimeWording, read_quiet_hours
from gateway.notices.senders import Sender
from gateway.notices.simulated import SimulatedNetwork
from gateway.notices.wakeup import Timetable, connect
from gateway.notices.watching import UNWATCHED
from gateway.observing import logger
from gateway.programme.summing import Summing
from gateway.providers import lines_send, route
from gateway.receipts import CAN_WAIT, Receipts
from gateway.reconciliation.daily import Daily
from gateway.reconciliation.orders import Orders
from gateway.reminders import Reminders
from gateway.retention import Retention
from gateway.settings import Settings
from gateway.unfinished import Unfinished
from gateway.values.msisdn import Msisdn
from gateway.worker import Duty, drains


def duties(settings: Settings, database: Database, parts: Parts = ORDINARY) -> tuple[Duty, ...]:
    """What the worker does for a cooperative.

    Raises:
        FaultyBookError: nothing was published, and the folder's menus cannot be served.
    """
    name, parts = settings.cooperative, with_core(settings, parts)
    ledger = ledger_of(settings, database, parts)
    orders = instructions_of(database, ledger, parts)
    books = open_books(settings, database, parts)
    claims = claims_of(settings, database)
    # Who sends is woken; a wake-up that another process takes would be lost to it.
    sends = not lines_send(settings)
    duties = [
        Duty(f"{name}-books", RELOAD_EVERY_S, books.refresh),
        *_unfinished(settings, database, books, orders, parts),
        *_reminders(settings, database, ledger, parts, woken=sends),
        *_core_news(settings, database, parts),
        *(_notices(settings, database, books, orders, parts) if sends else ()),
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
        _reconciling(settings, database, parts),
        _summing(settings, database, parts),
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


def _reconciling(settings: Settings, database: Database, parts: Parts) -> Duty:
    """The day that ended, beside the core's books: by a connection of its own, for minutes, and
    only once a day."""
    zone, stopping = ZoneInfo(settings.timezone), Event()

    def daily(database: Database) -> Daily:
        return Daily(Orders(database), core_of(database, parts), parts.now, zone, stopping.is_set)

    def run() -> int:
        if not daily(database).due():
            return 0
        with open_database(settings, patient=True) as patient:
            return daily(patient).run()

    name = f"{settings.cooperative}-reconciliation"
    return Duty(name, RECONCILE_DUTY_EVERY_S, run, stopping.set)


def _core_news(settings: Settings, database: Database, parts: Parts) -> tuple[Duty, ...]:
    """Looking at what the core's hooks hinted at, where there is a door for them."""
    core = newsroom(settings)
    if core is None:
        return ()
    zone = ZoneInfo(settings.timezone)
    looks = news.News(database, core, parts.now, lambda: parts.now().astimezone(zone).date())
    return (Duty(f"{settings.cooperative}-core-news", CORE_NEWS_EVERY_S, looks.run, looks.stop),)


def _summing(settings: Settings, database: Database, parts: Parts) -> Duty:
    """The programme's figures, summed by the day."""
    summing = Summing(
        database, lambda: open_database(settings, patient=True), settings.timezone, parts.now
    )
    return Duty(f"{settings.cooperative}-figures", ROLL_UP_EVERY_S, summing.run, summing.stop)


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
    parts = with_core(settings, parts)
    books = open_books(settings, database, parts)
    # To look at orders, not to give any.
    orders = instructions_of(database, ledger_of(settings, database, parts), parts)

    def offer(msisdn: Msisdn) -> bool:
        return service.push(msisdn, None, expects_answer=True)

    def sender(_: Database) -> Sender:
        routed = route(settings, UNWATCHED, service.senders) or service.senders[0]
        return ScreenFirst(routed, lambda sms: sms.offers, offer)

    own = replace(parts, sender=sender)
    return (
        Duty(f"{settings.cooperative}-books", RELOAD_EVERY_S, books.refresh),
        *_notices(settings, database, books, orders, own),
    )


def _notices(
    settings: Settings,
    database: Database,
    books: PublishedBooks,
    orders: Instructions,
    parts: Parts,
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
        ordered_since=orders.ordered_since,
        wanted=Consents(database).given,
    )
    quiet = read_quiet_hours(settings.quiet_hours, zone)
    wording = DaytimeWording(receipts, quiet, CAN_WAIT, parts.now) if quiet else receipts
    recorder = recorder_of(settings, database, parts)
    settled = witness_of(settings, recorder).settled
    drain = Drain(Outbox(database), wording, sender, parts.jitter, settled=settled)
    return (
        drains(f"{settings.cooperative}-notices", drain),
        Duty(f"{settings.cooperative}-events", EVENTS_FLUSH_EVERY_S, recorder.flush),
    )


def _sender(settings: Settings, database: Database, parts: Parts) -> Sender | None:
    """The way that messages go out by; in the demo they go into an inbox."""
    if parts.sender:
        return parts.sender(database)
    if settings.demo:
        return SimulatedNetwork(database, settings.sms_sender)
    return route(settings, UNWATCHED)


def _unfinished(
    settings: Settings,
    database: Database,
    books: PublishedBooks,
    orders: Instructions,
    parts: Parts,
) -> tuple[Duty, ...]:
    """Reminding those who lost the signal, where the cooperative wants to pay for it."""
    if not settings.go_on_sms:
        return ()
    sessions, _ = open_sessions(settings, parts)
    unfinished = Unfinished(
        sessions=sessions,
        library=library_of(settings, books),
        members=Members(database),
        orders=orders,
        outbox=Outbox(database),
        short_code=settings.short_code,
    )
    return (Duty(f"{settings.cooperative}-unfinished", GO_ON_SMS_SWEEP_S, unfinished.remind),)


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
