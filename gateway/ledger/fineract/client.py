"""Fineract over HTTP: one pool of connections, time-outs, its headers, and no rule of a bank."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from gateway.bounds import (
    FINERACT_CONNECT_S,
    FINERACT_CONNECTIONS,
    FINERACT_READ_S,
    FINERACT_WRITE_S,
)

TENANT = "Fineract-Platform-TenantId"
KEY = "Idempotency-Key"
FROM_CACHE = "x-served-from-cache"

# Amounts leave as plain numbers, every digit as it is counted here: no binary fraction in between.
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode

Body = Mapping[str, "str | int | Decimal | bool"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What Fineract (or something on the way to it) answered. `body` is None where it was no JSON
    of an object or a list: a proxy's page, half of an answer."""

    status: int
    body: Any
    from_cache: bool


class NotSentError(Exception):
    """Nobody was reached: certainly nothing happened."""


class NoReplyError(Exception):
    """It was sent, and no whole answer came: whatever was asked may have happened."""


class FineractClient:
    """One tenant of one server, for one service account.

    Args:
        base_url: up to `/api`: `https://core.example:8443/fineract-provider/api`.
        tenant: whose database.
        auth: how to sign in.
        verify: whom to trust: True, or the file of a certificate authority.
        connect_s, read_s, write_s: to connect, for what a look-up answers, and a command.
        transport: what carries requests, in place of connections that are kept.
    """

    def __init__(
        self,
        base_url: str,
        tenant: str,
        auth: AuthBase,
        *,
        verify: bool | str = True,
        connect_s: int = FINERACT_CONNECT_S,
        read_s: int = FINERACT_READ_S,
        write_s: int = FINERACT_WRITE_S,
        transport: BaseAdapter | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._read_timeout = (connect_s, read_s)
        self._write_timeout = (connect_s, write_s)
        self._http = requests.Session()
        self._http.auth = auth
        self._http.verify = verify
        self._http.trust_env = False  # no proxy and no .netrc that nobody named here
        self._http.headers.update({TENANT: tenant, "Accept": "application/json"})
        pool = transport or HTTPAdapter(pool_maxsize=FINERACT_CONNECTIONS, max_retries=0)
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, pool)

    def get(self, path: str, **query: str | int) -> Reply:
        """Look something up: `get("/v1/clients/12")`.

        Raises:
            NotSentError, NoReplyError: no answer, or none in time.
        """
        return self._send("GET", path, query, None, {}, self._read_timeout)

    def search(self, path: str, body: Any) -> Reply:
        """Look something up by a POST that changes nothing.

        Raises:
            NotSentError, NoReplyError: no answer, or none in time.
        """
        return self._send("POST", path, {}, body, {}, self._read_timeout)

    def command(self, path: str, body: Body, key: str, **query: str) -> Reply:
        """Ask for something to be done, once for its key.

        Raises:
            NotSentError: certainly nothing was done.
            NoReplyError: it may have been done.
        """
        return self._send("POST", path, query, body, {KEY: key}, self._write_timeout)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Any,
        headers: Mapping[str, str],
        timeout: tuple[int, int],
    ) -> Reply:
        try:
            response = self._http.request(
                method,
                self._base_url + path,
                params=query,
                data=None if body is None else _ENCODE(body),
                headers={
                    "Content-Type": "application/json",
                    "X-Correlation-ID": str(uuid.uuid4()),
                    **headers,
                },
                timeout=timeout,
                allow_redirects=False,
            )
        except OSError as error:  # those of requests, and of a certificate's file that went away
            # Only the kind of error is told: its words have the address, and that has members.
            if _never_left(error):
                raise NotSentError(type(error).__name__) from None
            raise NoReplyError(type(error).__name__) from None
        from_cache = response.headers.get(FROM_CACHE, "").lower() == "true"
        return Reply(response.status_code, _json(response.content), from_cache)


def _never_left(error: OSError) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason: object = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _json(content: bytes) -> Any:
    """By what it is, not by what it says it is: some answers have no content type."""
    try:
        body = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict | list) else None
