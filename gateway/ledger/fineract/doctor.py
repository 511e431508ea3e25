"""Is this Fineract fit to be reached by phone? Everything that is missing, by its name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.ledger.fineract.books import DATES
from gateway.ledger.fineract.client import FineractClient, NoReplyError, NotSentError, Reply
from gateway.ledger.fineract.errors import faults

HEAD_OFFICE = 1
# What a service account needs, and no more.
PERMISSIONS = (
    "READ_CLIENT",
    "READ_CLIENTIDENTIFIER",
    "READ_SAVINGSACCOUNT",
    "DEPOSIT_SAVINGSACCOUNT",
    "WITHDRAWAL_SAVINGSACCOUNT",
    "READ_LOAN",
    "READ_ACCOUNTTRANSFER",
    "CREATE_ACCOUNTTRANSFER",
    "READ_PAYMENTTYPE",
    "READ_BUSINESS_DATE",
    "READ_CONFIGURATION",
    "READ_AUDIT",
)
_TRY_AGAIN = "could not be tried: try again"
_SERVER_ERRORS = 500
_NOT_NOW = frozenset({409, 425, 429})
_ALL, _ALL_READING = "ALL_FUNCTIONS", "ALL_FUNCTIONS_READ"


class State(StrEnum):
    """How one thing is, as it is printed."""

    OK = "ok"
    LOOK = "look at"  # it works, and may not be what was meant
    MISSING = "MISSING"
    AWAY = "AWAY"  # it did not answer: nothing can be said


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice`: what to do; empty where all is well."""

    what: str
    advice: str = ""
    otherwise: State = State.MISSING

    @property
    def state(self) -> State:
        """How it is."""
        return self.otherwise if self.advice else State.OK


def examine(
    client: FineractClient, payment_type_id: int, user: str, password: str
) -> Iterator[Finding]:
    """Look at everything in turn; what the rest depends on ends it. Nothing is moved or left.

    Args:
        payment_type_id: of cash through us.
        user, password: where it signs in so; else empty, and its rights cannot be listed.
    """
    reached = _reached(client)
    yield reached
    if reached.state is not State.OK:
        return
    if user:
        yield from _rights(client, user, password)
    yield _payment_type(client, payment_type_id)
    yield _business_date(client)
    yield _makers(client)
    yield _keys_remembered(client)


def _reached(client: FineractClient) -> Finding:
    what = "address, tenant and account"
    asked = _asked(lambda: client.get("/v1/configurations/name/enable-business-date"))
    if isinstance(asked, str):
        advice = f"cannot be reached ({asked}): CHASKI_FINERACT_URL, _CA, the network"
        return Finding(what, advice, State.AWAY)
    match asked.status:
        case 200:
            return Finding(what)
        case 400 if asked.body is None:
            return Finding(what, "no such tenant: CHASKI_FINERACT_TENANT")
        case 401:
            return Finding(what, "not signed in: CHASKI_FINERACT_USER and _PASSWORD, or the token")
        case 404 if asked.body is None:
            return Finding(what, "no Fineract there: CHASKI_FINERACT_URL ends in /api")
        case _:
            said = faults(asked)
            return Finding(what, f"{said}: READ_CONFIGURATION; no 2FA, password never expires")


def _rights(client: FineractClient, user: str, password: str) -> Iterator[Finding]:
    """Each missing one by its name; and rights over everything are too many."""
    body = {"username": user, "password": password}
    asked = _asked(lambda: client.search("/v1/authentication", body))
    said = {} if isinstance(asked, str) or not isinstance(asked.body, dict) else asked.body
    held = {str(name) for name in said.get("permissions", [])}
    if not held:
        yield Finding("rights", "cannot be listed: look at the account's role", State.LOOK)
        return
    for name in PERMISSIONS:
        reading = name.startswith("READ_") and _ALL_READING in held
        if name not in held and _ALL not in held and not reading:
            yield Finding(f"right {name}", f"missing: give the account's role {name}")
    if _ALL in held:
        yield Finding("rights", f"{_ALL} is too much: name them one by one", State.LOOK)
    else:
        yield Finding("rights")
    office = said.get("officeId")
    advice = "" if office == HEAD_OFFICE else f"office {office}: other branches' members are unseen"
    yield Finding("head office", advice, State.LOOK)


def _payment_type(client: FineractClient, payment_type_id: int) -> Finding:
    what = f"payment type {payment_type_id}"
    asked = _asked(lambda: client.get("/v1/paymenttypes"))
    if isinstance(asked, str):
        return Finding(what, f"{_TRY_AGAIN} ({asked})", State.AWAY)
    rows = asked.body if isinstance(asked.body, list) else []
    if any(row.get("id") == payment_type_id for row in rows):
        return Finding(what)
    known = ", ".join(f"{row.get('id')} {row.get('name')}" for row in rows) or "none to be seen"
    return Finding(what, f"not there ({known}): CHASKI_FINERACT_PAYMENT_TYPE")


def _business_date(client: FineractClient) -> Finding:
    what = "business date"
    if not _enabled(client, "enable-business-date"):
        return Finding(what)  # then it is the tenant's calendar, by CHASKI_FINERACT_TIMEZONE
    asked = _asked(lambda: client.get("/v1/businessdate/BUSINESS_DATE"))
    if isinstance(asked, str):
        return Finding(what, f"{_TRY_AGAIN} ({asked})", State.AWAY)
    told = asked.status == 200
    return Finding(what, "" if told else "enabled, and cannot be read: READ_BUSINESS_DATE")


def _makers(client: FineractClient) -> Finding:
    """Whether a right of ours is under it cannot be read; that it is on at all can."""
    advice = "on: exempt CREATE_ACCOUNTTRANSFER, DEPOSIT_ and WITHDRAWAL_SAVINGSACCOUNT"
    on = _enabled(client, "maker-checker")
    return Finding("maker-checker", advice if on else "", State.LOOK)


def _keys_remembered(client: FineractClient) -> Finding:
    """An order for nothing, twice under one key: refused, and refused from memory. A server before
    1.9, or a proxy that drops the header, has no memory, and then no money may move through it."""
    what = "idempotency keys"
    key, body = f"{uuid.uuid4().hex}-0", {"transferAmount": "0", **DATES}
    first = _asked(lambda: client.command("/v1/accounttransfers", body, key))
    again = _asked(lambda: client.command("/v1/accounttransfers", body, key))
    if isinstance(first, str) or isinstance(again, str):
        return Finding(what, _TRY_AGAIN, State.AWAY)
    if first.status == 405:
        return Finding(what, "this server only reads (fineract.mode.write-enabled)")
    if first.status != 400 or again.status != 400:
        return Finding(what, f"an order for nothing was not refused as invalid: {faults(again)}")
    advice = "not remembered: Fineract is older than 1.9, or a proxy drops Idempotency-Key"
    return Finding(what, "" if again.from_cache else advice)


def _enabled(client: FineractClient, name: str) -> bool:
    asked = _asked(lambda: client.get(f"/v1/configurations/name/{name}"))
    body: Any = None if isinstance(asked, str) else asked.body
    return isinstance(body, dict) and body.get("enabled") is True


def _asked(ask: Callable[[], Reply]) -> Reply | str:
    """An answer, or why there is none: a server in trouble says nothing of how it is set up, and a
    restart of ours in that moment must not fail for it."""
    try:
        reply = ask()
    except (NotSentError, NoReplyError) as error:
        return str(error)
    in_trouble = reply.status >= _SERVER_ERRORS or reply.status in _NOT_NOW
    return f"HTTP {reply.status}" if in_trouble else reply
