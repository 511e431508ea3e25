"""The web application of a deployment: webhooks, the core's doors, staff's API and console."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import argon2
from flask import Blueprint, Flask

from gateway.bank.hashing import OWASP_2026, KeyedHashes
from gateway.bank.office import Office
from gateway.bootstrap.gateways import build
from gateway.bootstrap.parts import (
    ORDINARY,
    Parts,
    open_database,
    right_now,
)
from gateway.bounds import (
    CONSOLE_SAMPLE_S,
    STAFF_CONNECTIONS,
)
from gateway.console.app import MOUNTED_AT
from gateway.consoles import Watched, console_of
from gateway.cores import core_doors
from gateway.db.pool import Database
from gateway.driver import Gateway
from gateway.notices.simulated import SimulatedNetwork
from gateway.notices.wakeup import WakeUps, connect
from gateway.observing import Metrics, configure_logging, hop_lines
from gateway.providers import webhooks
from gateway.settings import Settings
from gateway.staff.api import StaffDesk
from gateway.staff.api import routes as staff_routes
from gateway.tenants import load_all
from gateway.values.msisdn import Msisdn
from gateway.web import create_app


def wsgi(parts: Parts = ORDINARY) -> Flask:
    """The web application of this process's environment, for a WSGI server.

    Raises:
        SettingsError: the environment is not usable.
    """
    tenants = load_all()
    level = tenants[0].log_level
    configure_logging(level)
    app, _ = application(tenants, replace(parts, note_hop=hop_lines(level)))
    # What is there now stays as long as the process: it need not be looked through again.
    gc.collect()
    gc.freeze()
    return app


def application(
    tenants: Sequence[Settings], parts: Parts = ORDINARY
) -> tuple[Flask, tuple[Gateway, ...]]:
    """The web application of these cooperatives, and the gateways behind it."""
    process = tenants[0]  # of what is the process's all of them say the same
    metrics = Metrics()
    gateways = tuple(build(settings, metrics, parts) for settings in tenants)
    inbox = _inbox(tenants) if process.demo else None
    core = core_doors(tenants, open_database, metrics, parts.now)
    desks = {settings.cooperative: _staff_database(settings) for settings in tenants}
    doors = [*webhooks(process, gateways, metrics, tenants), *core, *_staff(tenants, desks)]
    consoles = {}
    for settings, gateway in zip(tenants, gateways, strict=True):
        if staff := desks[settings.cooperative]:
            # Each cooperative's pages have cookies of their own: nobody is signed in at two.
            at = MOUNTED_AT if len(tenants) == 1 else f"{MOUNTED_AT}/{settings.cooperative}"
            consoles[at] = console(settings, staff, gateway, parts, at=at)
    return create_app(gateways, doors, metrics.registry, inbox, consoles), gateways


def console(
    settings: Settings,
    staff: Database,
    gateway: Gateway,
    parts: Parts,
    price: argon2.Parameters = OWASP_2026,
    *,
    at: str = MOUNTED_AT,
) -> Flask:
    """Staff's console, to be mounted at that path. `staff`: signed in as chaski_staff; `price`: of
    a password's hash."""
    wake_ups = WakeUps(connect(settings.queue_url.get_secret_value()))
    checks = {**gateway.checks, **gateway.beside}
    watched = Watched(gateway.metrics.registry, checks, gateway.sessions.under_way, wake_ups.depth)
    # The gateway's own way to the core: it is what finds out when a core is well again.
    application, live = console_of(
        settings, staff, gateway.bank.core, watched, gateway.wake, parts.now, price, at
    )
    parts.often(CONSOLE_SAMPLE_S, live.sample)
    return application


def _staff_database(settings: Settings) -> Database | None:
    """Where staff's functions may be called; None: there are no pages and no API for staff."""
    url = settings.staff_database_url.get_secret_value()
    if not url:
        return None
    database = Database(url, STAFF_CONNECTIONS)
    database.open()
    return database


def _staff(
    tenants: Sequence[Settings], databases: Mapping[str, Database | None]
) -> list[Blueprint]:
    """What branches and agents call, where there are keys for them."""
    desks = [
        StaffDesk(_office(settings, database), settings.staff)
        for settings in tenants
        if settings.staff and (database := databases[settings.cooperative])
    ]
    return [staff_routes(desks)] if desks else []


def _office(settings: Settings, database: Database) -> Callable[[], Office]:
    keyed = KeyedHashes(settings.peppers)
    return lambda: Office(database, keyed, settings.code_hours, right_now())


def _inbox(tenants: Sequence[Settings]) -> Callable[[str], list[object]]:
    networks = [SimulatedNetwork(open_database(one), one.sms_sender) for one in tenants]
    return lambda e164: [sms for network in networks for sms in network.inbox(Msisdn(e164))]
