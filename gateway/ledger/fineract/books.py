"""Looking things up in Fineract: who, what they hold, and which transaction was whose order."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from gateway.bounds import (
    FINERACT_CLIENT_KEPT_S,
    FINERACT_CLIENTS_KEPT,
    FINERACT_DAY_KEPT_S,
    FINERACT_PAGE_ROWS,
    FINERACT_PAGES_MAX,
)
from gateway.ledger.fineract import reading
from gateway.ledger.fineract.client import FineractClient, NoReplyError, NotSentError, Reply
from gateway.ledger.fineract.errors import faults
from gateway.ledger.fineract.names import Names
from gateway.ledger.fineract.reading import Client, Savings
from gateway.ledger.port import LedgerUnavailableError, SeveralMembersError
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn

# Every date that we send, in a query or a body, is written so.
DATES = {"locale": "en", "dateFormat": "yyyy-MM-dd"}

_FOUND, _MISSING = 200, 404
_REJECTED = 3  # of the results of a command


class Books:
    """Reads alone. Each raises `LedgerUnavailableError` where no answer came, or none of sense.

    Args:
        client: of the tenant.
        names: how members and accounts are called here.
        today: the day where the tenant is, for a core without a business date of its own.
        seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        client: FineractClient,
        names: Names,
        today: Callable[[], dt.date],
        seconds: Callable[[], int] = lambda: int(time.monotonic()),
    ) -> None:
        self._client = client
        self._names = names
        self._today = today
        self._seconds = seconds
        self._lock = threading.Lock()
        self._day: tuple[int, dt.date] | None = None
        self._clients: OrderedDict[str, tuple[int, Client]] = OrderedDict()

    def read(self, path: str, **query: str | int) -> Any | None:
        """An answer's body; None where there is no such thing."""
        return _body(_asked(lambda: self._client.get(path, **query)))

    def member(self, member_ref: str) -> Client | None:
        """A member by our reference, as of the last minutes."""
        with self._lock:
            kept = self._clients.get(member_ref)
        if kept and self._seconds() < kept[0] + FINERACT_CLIENT_KEPT_S:
            return kept[1]
        path = self._names.client(member_ref)
        row = self.read(path) if path else None
        if row is None:
            return None
        return self._keep(reading.client(row, member_ref))

    def client_of(self, account: Savings) -> Client:
        """Whose an account is. The path is theirs, so it need not have a name of ours."""
        row = self.read(f"/v1/clients/{account.client_id}")
        if row is None:
            raise LedgerUnavailableError("an account of nobody")
        return reading.client(row, self._names.member_ref(row))

    def ref_of(self, client_id: int) -> str:
        """Our reference of a client by Fineract's number; empty: it has none."""
        row = self.read(f"/v1/clients/{client_id}")
        return self._names.member_ref(row) if row else ""

    def by_dni(self, digits: str) -> Client | None:
        """The one member with this document."""
        found = [row for row in self._searched(digits) if self._has_document(row["id"], digits)]
        return self._only(found)

    def by_phone(self, msisdn: Msisdn) -> Client | None:
        """The one member with this number. The search also finds names and account numbers, and
        numbers are free text there, so each is compared by its digits."""
        national = msisdn.e164[-9:]
        rows = self.read("/v1/search", query=national, resource="clients", exactMatch="false")
        wanted = [
            {"id": row["entityId"]}
            for row in _rows(rows)
            if _digits(row.get("entityMobileNo")).endswith(national)
        ]
        return self._only(wanted)

    def overview(self, member_ref: str) -> Any | None:
        """A member's accounts, a row each."""
        client = self.member(member_ref)
        if client is None:
            return None
        path = f"/v1/clients/{client.id}/accounts"
        return self.read(path, fields="savingsAccounts,loanAccounts")

    def savings(self, code: str) -> Savings | None:
        """What a savings account is like now."""
        path = self._names.savings(code)
        row = self.read(path) if path else None
        return reading.savings(row) if row is not None else None

    def loan(self, code: str) -> Any | None:
        """A loan's row."""
        path = self._names.loan(code)
        return self.read(path) if path else None

    def schedule(self, loan_id: int) -> Any | None:
        """A loan's row with its schedule."""
        query = {"associations": "repaymentSchedule", "exclude": "guarantors"}
        return self.read(f"/v1/loans/{loan_id}", **query)

    def payoff(self, loan_id: int) -> Money:
        """What closes a loan on the core's day: not what its summary calls outstanding."""
        path = f"/v1/loans/{loan_id}/transactions/template"
        row = self.read(path, command="prepayLoan")
        return reading.money((row or {}).get("amount"))

    def transactions(self, account_id: int, **query: str | int) -> Iterator[Any]:
        """An account's transactions, newest first, page by page. `offset` counts pages there."""
        path = f"/v1/savingsaccounts/{account_id}/transactions/search"
        limit = int(query.pop("limit", FINERACT_PAGE_ROWS))
        for page in range(FINERACT_PAGES_MAX):
            found = self.read(path, offset=page, limit=limit, **DATES, **query)
            rows = _rows(found)
            yield from rows
            if len(rows) < limit:
                return
        raise LedgerUnavailableError("more transactions than are ever looked through")

    def rejected(self, mark: str, action: str, entity: str) -> bool:
        """Whether a checker said no to the command that bears an order's mark."""
        found = self.read(
            "/v1/audits",
            actionName=action,
            entityName=entity,
            processingResult=_REJECTED,
            includeJson="true",
        )
        return any(mark in str(row.get("commandAsJson", "")) for row in _rows(found))

    def business_date(self, *, afresh: bool = False) -> dt.date:
        """The core's day, as of the last minute."""
        with self._lock:
            kept = self._day
        if kept and not afresh and self._seconds() < kept[0] + FINERACT_DAY_KEPT_S:
            return kept[1]
        on = self._asked_day()
        with self._lock:
            self._day = (self._seconds(), on)
        return on

    def _asked_day(self) -> dt.date:
        """A stored date is told even where the feature is off: so that is asked first."""
        feature = self.read("/v1/configurations/name/enable-business-date")
        if not (feature and feature.get("enabled")):
            return self._today()
        told = self.read("/v1/businessdate/BUSINESS_DATE")
        return reading.day(told["date"]) if told else self._today()

    def _searched(self, text: str) -> list[Any]:
        body = {"request": {"text": text}, "page": 0, "size": 10}
        return _rows(_body(_asked(lambda: self._client.search("/v2/clients/search", body))))

    def _has_document(self, client_id: int, digits: str) -> bool:
        found = self.read(f"/v1/clients/{client_id}/identifiers")
        return any(str(row.get("documentKey")) == digits for row in _rows(found))

    def _only(self, rows: list[Any]) -> Client | None:
        if len(rows) > 1:
            raise SeveralMembersError(f"{len(rows)} members answer to this")
        for row in rows:
            client = self.read(f"/v1/clients/{row['id']}")
            ref = self._names.member_ref(client) if client else ""
            return reading.client(client, ref) if ref else None
        return None

    def _keep(self, client: Client) -> Client:
        with self._lock:
            self._clients[client.member_ref] = (self._seconds(), client)
            if len(self._clients) > FINERACT_CLIENTS_KEPT:
                self._clients.popitem(last=False)
        return client


def _asked(ask: Callable[[], Reply]) -> Reply:
    try:
        return ask()
    except (NotSentError, NoReplyError) as error:
        raise LedgerUnavailableError(str(error)) from None


def _body(reply: Reply) -> Any | None:
    if reply.status == _MISSING and isinstance(reply.body, dict):
        return None
    if reply.status != _FOUND or reply.body is None:
        raise LedgerUnavailableError(faults(reply))
    return reply.body


def _rows(body: Any) -> list[Any]:
    """The rows of an answer: a plain list, or a page of either shape."""
    if isinstance(body, dict):
        body = body.get("content", body.get("pageItems", []))
    return body if isinstance(body, list) else []


def _digits(text: Any) -> str:
    return "".join(letter for letter in str(text or "") if letter.isdigit())
