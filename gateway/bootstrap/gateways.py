"""A cooperative's gateway: what takes turns."""

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from gateway.bank.bank import Bank
from gateway.bank.calls import Calls
from gateway.bank.consents import Consents
from gateway.bank.desk import Desk
from gateway.bank.doors import Doors
from gateway.bank.hashing import OWASP_2026, KeyedHashes, PepperedArgon2
from gateway.bank.new_pins import NewPins
from gateway.bank.pins import Pins
from gateway.bank.register import Members
from gateway.bank.sims import Sims
from gateway.bootstrap.parts import (
    ORDINARY,
    Parts,
    claims_of,
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
    CORE_FAREWELL_MS,
    CORE_PROBE_S,
    EVENTS_FLUSH_EVERY_S,
    RELOAD_EVERY_S,
    STANDBY_LOOK_S,
)
from gateway.core.patient import PatientLedger
from gateway.core_news import news
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.db.standby import Nearest, Reads
from gateway.driver import Gateway
from gateway.events.recorder import Recorder
from gateway.instructions.orders import Instructions
from gateway.ledger.port import Ledger
from gateway.library.lookout import Stop
from gateway.notices.answers import Answers
from gateway.notices.outbox import Outbox
from gateway.notices.reports import Reports
from gateway.notices.wakeup import WakeUps, connect
from gateway.observing import Metrics, logger
from gateway.providers import sim_swap
from gateway.reconciliation.daily import FIGURES, figures
from gateway.reconciliation.orders import Orders
from gateway.settings import Settings
from gateway.sim.null import NullSimSwap
from gateway.sim.remembered import RememberedSimSwap


def build(settings: Settings, metrics: Metrics, parts: Parts = ORDINARY) -> Gateway:
    """One cooperative's gateway, connected, ready to take turns.

    Raises:
        FaultyBookError: nothing was published, and the folder's menus cannot be served.
    """
    parts = with_core(settings, parts)
    database = (parts.database or open_database)(settings)
    books = open_books(settings, database, parts)
    reads, stop_reading = _reads(settings, database, parts)
    ledger = ledger_of(settings, database, parts, reads)
    sessions, hang_up = open_sessions(settings, parts)
    queue_client = connect(settings.queue_url.get_secret_value())
    wake_ups = WakeUps(queue_client)
    _watch(metrics, settings.cooperative, Outbox(database), wake_ups)
    metrics.watch(FIGURES, lambda: figures(Orders(database)), settings.cooperative)
    hints = news.Hints(database, parts.now)
    metrics.watch(news.FIGURES, hints.figures, settings.cooperative)

    recorder = recorder_of(settings, database, parts)
    _watch_events(metrics, settings.cooperative, recorder)
    stops = [
        parts.often(RELOAD_EVERY_S, books.refresh),
        parts.often(EVENTS_FLUSH_EVERY_S, recorder.flush),
    ]
    checks = {"database": database.healthy, "sessions": sessions.healthy}
    if isinstance(ledger, PatientLedger):
        stops.append(parts.often(CORE_PROBE_S, ledger.probe))
        orders = instructions_of(database, ledger, parts)
        _watch_core(metrics, settings.cooperative, ledger, orders)
    else:
        checks["ledger"] = lambda: ledger.health().well

    def close() -> None:
        for stop in stops:
            stop()
        stop_reading()
        if isinstance(ledger, PatientLedger):
            ledger.close(CORE_FAREWELL_MS)
        with suppress(DatabaseUnavailableError):
            recorder.flush()
        database.close()
        hang_up()
        queue_client.close()

    return Gateway(
        cooperative=settings.cooperative,
        webhook_secrets=settings.secrets,
        short_code=settings.short_code,
        library=library_of(settings, books),
        sessions=sessions,
        bank=_bank(settings, parts, database, ledger),
        mint_key=parts.mint_key,
        wake=parts.wake or wake_ups.wake,
        pause=parts.pause,
        log=logger().bind(cooperative=settings.cooperative),
        metrics=metrics,
        answers=Answers(database, parts.now),
        reports=Reports(database, metrics),
        checks=checks,
        close=close,
        note_hop=parts.note_hop,
        witness=witness_of(settings, recorder),
        **_slow_core(ledger),
    )


def _slow_core(ledger: Ledger) -> dict[str, Any]:
    """What a gateway does beside where its core is behind a network."""
    if not isinstance(ledger, PatientLedger):
        return {}
    return {"beside": {"core": lambda: ledger.health().well}, "hop": ledger.hop}


def _reads(settings: Settings, primary: Database, parts: Parts) -> tuple[Reads, Stop]:
    """Where balances and movements are read, and how to stop looking how near that is."""
    url = settings.read_database_url.get_secret_value()
    if not url:
        return primary, lambda: None
    standby = Database(url, settings.database_connections)
    standby.open()
    nearest = Nearest(primary, standby)
    stop_looking = parts.often(STANDBY_LOOK_S, nearest.look)

    def stop() -> None:
        stop_looking()
        standby.close()

    return nearest, stop


def _bank(settings: Settings, parts: Parts, database: Database, ledger: Ledger) -> Bank:
    hasher = parts.hasher or PepperedArgon2(settings.peppers, OWASP_2026)
    pins = Pins(database, hasher)
    digits = (settings.pin_digits_min, settings.pin_digits_max)
    desk = Desk(
        members=Members(database),
        consents=Consents(database),
        new_pins=NewPins(database, hasher, KeyedHashes(settings.peppers), pins, digits),
        ledger=ledger,
        instructions=instructions_of(database, ledger, parts),
        region=settings.region,
        doors=Doors(database),
        claims=claims_of(settings, database),
        calls=Calls(database),
        sims=_sims(settings, database, parts),
    )
    zone = ZoneInfo(settings.timezone)
    return Bank(desk, pins, parts.operations, parts.now, zone)


def _sims(settings: Settings, database: Database, parts: Parts) -> Sims:
    """Whom to ask about SIM cards. Nobody's answers need no memory."""
    asked = parts.sim_swap or sim_swap(settings)
    swaps = RememberedSimSwap(database, asked, parts.now) if asked else NullSimSwap()
    return Sims(database, swaps, settings.sim_swap_hours, settings.sim_swap_unknown)


def _watch(metrics: Metrics, cooperative: str, outbox: Outbox, wake_ups: WakeUps) -> None:
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
        cooperative,
    )
    metrics.watch({"chaski_queue_depth": "Wake-ups that wait for a worker."}, queue_figures)


def _watch_core(
    metrics: Metrics, cooperative: str, ledger: PatientLedger, orders: Instructions
) -> None:
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
        cooperative,
    )


def _watch_events(metrics: Metrics, cooperative: str, recorder: Recorder) -> None:
    metrics.watch(
        {
            "chaski_events_waiting": "Events that are not written yet.",
            "chaski_events_dropped": "Events lost since this process began: too many waited.",
        },
        lambda: {
            "chaski_events_waiting": recorder.waiting,
            "chaski_events_dropped": recorder.dropped,
        },
        cooperative,
    )
