"""Builds staff's console from the settings."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import argon2
from flask import Flask, request
from prometheus_client import CollectorRegistry

from gateway.bank.claims_office import ClaimsOffice
from gateway.bank.hashing import KeyedHashes
from gateway.bank.office import Office
from gateway.bank.reversals import Reversals
from gateway.channels.addresses import sender
from gateway.console.app import Cookies, create_console
from gateway.console.at_hand import AtHand
from gateway.console.live import Live
from gateway.console.reading import Reading
from gateway.console.screens import Screens
from gateway.db.pool import Database
from gateway.events.recorder import NOWHERE
from gateway.events.witness import Witness
from gateway.instructions.rules import Rules
from gateway.ledger.port import Ledger
from gateway.notices.dead_letters import DeadLetters
from gateway.programme.figures import Figures
from gateway.programme.plans import Plans
from gateway.settings import Settings
from gateway.signin.passwords import Passwords
from gateway.signin.register import Register


@dataclass(frozen=True, slots=True)
class Watched:
    """What the live page looks at.

    Args:
        registry: this process's figures.
        checks: what it depends on.
        sessions_now: how many people are in a session.
        wake_ups: how many wait for a worker.
    """

    registry: CollectorRegistry
    checks: Mapping[str, Callable[[], bool]]
    sessions_now: Callable[[], int | None]
    wake_ups: Callable[[], int | None]


def console_of(
    settings: Settings,
    staff: Database,
    ledger: Ledger,
    watched: Watched,
    wake: Callable[[], object],
    now: Callable[[], dt.datetime],
    price: argon2.Parameters,
    at: str,
) -> tuple[Flask, Live]:
    """The console, and its memory of this process's figures, which somebody has to `sample`.

    Args:
        settings: the deployment's.
        staff: signed in as chaski_staff.
        ledger: the core.
        watched: for the live page.
        wake: rings the worker's bell.
        now: the clock, aware.
        price: of a password's hash.
        at: the path that it is mounted at.
    """
    keyed, zone = KeyedHashes(settings.peppers), ZoneInfo(settings.timezone)
    live = Live(
        *(watched.registry, settings.cooperative, watched.checks),
        *(watched.sessions_now, watched.wake_ups),
    )
    at_hand = AtHand(
        cooperative=settings.cooperative,
        timezone=zone,
        region=settings.region,
        now=now,
        register=Register(staff, Passwords(settings.peppers, price), now),
        reading=Reading(staff),
        screens=Screens(staff, Witness(NOWHERE, _session_secret(settings)).member),
        office=lambda: Office(staff, keyed, settings.code_hours, now()),
        claims=lambda: ClaimsOffice(staff, ledger, now()),
        reversals=lambda: Reversals(staff, ledger, now(), now().astimezone(zone).date()),
        limits=lambda by: Rules(staff, now().astimezone(zone).date(), now(), by),
        ledger=ledger,
        letters=DeadLetters(staff),
        figures=Figures(staff),
        plans=lambda: Plans(staff, now()),
        live=live,
        wake=wake,
        address_of=lambda: _address(settings),
        demo=settings.demo,
    )
    return create_console(at_hand, Cookies(_cookie_key(settings), not settings.demo, at)), live


def _cookie_key(settings: Settings) -> bytes:
    """A key of its own, made of the sessions' secret."""
    return hmac.digest(_session_secret(settings), b"chaski console cookie", hashlib.sha256)


def _session_secret(settings: Settings) -> bytes:
    return settings.session_secret.get_secret_value().encode()


def _address(settings: Settings) -> str:
    """Whose address a request comes from; what cannot be read is one address, too."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return str(sender(request.remote_addr or "", forwarded, settings.proxies))
