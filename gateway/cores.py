"""A cooperative's own core banking system, as its settings name it. Without one the books are ours,
in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from flask import Blueprint
from requests.auth import AuthBase

from gateway.bounds import (
    CORE_BUDGET_MS,
    CORE_ORDERS_AT_ONCE,
    CORE_READS_AT_ONCE,
    CORE_WAITING_SHARE,
)
from gateway.channels.fineract import hooks, messages
from gateway.channels.walls import Walls
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import Threads
from gateway.core.patience import Patience
from gateway.core.patient import Care
from gateway.core_news.messages import CoreMessages
from gateway.core_news.news import Hints
from gateway.db.pool import Database
from gateway.ledger.fineract.adapter import FineractLedger, Options
from gateway.ledger.fineract.auth import Basic, Bearer, ClientCredentials
from gateway.ledger.fineract.books import Books
from gateway.ledger.fineract.client import FineractClient
from gateway.ledger.fineract.names import ByExternalId, ById, Names
from gateway.ledger.fineract.news import FineractNews
from gateway.ledger.news import Newsroom
from gateway.observing import Metrics
from gateway.settings import Settings


def fineract(settings: Settings) -> FineractLedger | None:
    """The Fineract that is named; None where there is none."""
    if not settings.fineract_url:
        return None
    return FineractLedger(
        fineract_client(settings),
        _names(settings),
        _today(settings),
        Options(
            payment_type_id=settings.fineract_payment_type,
            currency=settings.fineract_currency,
            transfer_undo=settings.fineract_transfer_undo,
        ),
    )


def with_care(settings: Settings) -> Care:
    """How any core behind a network is asked, by one process."""
    waiting = threading.BoundedSemaphore(max(1, settings.web_threads // CORE_WAITING_SHARE))
    return Care(
        reading=Threads("core-reading", CORE_READS_AT_ONCE, waiting),
        writing=Threads("core-orders", CORE_ORDERS_AT_ONCE, waiting),
        patience=Patience(CORE_BUDGET_MS),
        breaker=CoreBreaker(),
    )


def fineract_client(settings: Settings) -> FineractClient:
    """The way to it."""
    verify = str(settings.fineract_ca) if settings.fineract_ca else True
    auth = _auth(settings, verify)
    return FineractClient(settings.fineract_url, settings.fineract_tenant, auth, verify=verify)


def newsroom(settings: Settings) -> Newsroom | None:
    """Where its hooks' hints are looked up; None where nobody may give any."""
    if not settings.fineract_hooks_secret.get_secret_value():
        return None
    books = Books(fineract_client(settings), _names(settings), _today(settings))
    return FineractNews(books, settings.fineract_currency)


def core_doors(
    tenants: Sequence[Settings],
    database: Callable[[Settings], Database],
    metrics: Metrics,
    now: Callable[[], dt.datetime],
) -> list[Blueprint]:
    """What the cores call: their web hooks, and the service that sends their campaigns. Each is
    there only where it has a secret of its own, which no network has."""
    heard: list[hooks.Hooks] = []
    sent: list[messages.MessageGateway] = []
    for settings in tenants:
        secrets = settings.fineract_hooks_secrets
        key = settings.fineract_messages_key.get_secret_value()
        if not (secrets or key):
            continue
        ours, tenant = database(settings), settings.fineract_tenant
        if secrets:
            heard.append(hooks.Hooks(secrets, tenant, Hints(ours, now).hear))
        if key:
            campaigns = CoreMessages(ours, settings.region, now)
            sent.append(
                messages.MessageGateway(
                    key, tenant, settings.sms_sender, campaigns.take, campaigns.fates
                )
            )
    walls = Walls(tenants[0].networks, tenants[0].proxies, metrics, 1)
    doors = [hooks.routes(heard)] if heard else []
    doors += [messages.routes(sent)] if sent else []
    return [walls.around(door, hooks.CHANNEL) for door in doors]


def _names(settings: Settings) -> Names:
    return ById() if settings.fineract_names == "id" else ByExternalId()


def _today(settings: Settings) -> Callable[[], dt.date]:
    zone = ZoneInfo(settings.fineract_timezone or settings.timezone)
    return lambda: dt.datetime.now(zone).date()


def _auth(settings: Settings, verify: bool | str) -> AuthBase:  # noqa: FBT001 - as requests has it
    if settings.fineract_token_url:
        secret = settings.fineract_client_secret.get_secret_value()
        tokens = ClientCredentials(
            settings.fineract_token_url, settings.fineract_client_id, secret, verify=verify
        )
        return Bearer(tokens)
    if token := settings.fineract_token.get_secret_value():
        return Bearer(lambda: token)
    return Basic(settings.fineract_user, settings.fineract_password.get_secret_value())
