"""A cooperative's own core banking system, as its settings name it. Without one the books are ours,
in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from zoneinfo import ZoneInfo

from requests.auth import AuthBase

from gateway.bounds import (
    CORE_BUDGET_MS,
    CORE_ORDERS_AT_ONCE,
    CORE_READS_AT_ONCE,
    CORE_WAITING_SHARE,
)
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import Threads
from gateway.core.patience import Patience
from gateway.core.patient import Care
from gateway.ledger.fineract.adapter import FineractLedger, Options
from gateway.ledger.fineract.auth import Basic, Bearer, ClientCredentials
from gateway.ledger.fineract.client import FineractClient
from gateway.ledger.fineract.names import ByExternalId, ById
from gateway.settings import Settings


def fineract(settings: Settings) -> FineractLedger | None:
    """The Fineract that is named; None where there is none."""
    if not settings.fineract_url:
        return None
    zone = ZoneInfo(settings.fineract_timezone or settings.timezone)
    return FineractLedger(
        fineract_client(settings),
        ById() if settings.fineract_names == "id" else ByExternalId(),
        lambda: dt.datetime.now(zone).date(),
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
