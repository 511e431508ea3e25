"""CAMARA SIM Swap 2.2.0: `POST /check`, and `POST /retrieve-date` where there was a change.

A member waits meanwhile. So all requests of a question share one budget, and a provider that fails
some times in a row is left alone for a while: its members are answered "unknown" at once.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests
import structlog
import urllib3
from pybreaker import CircuitBreaker, CircuitBreakerError

from gateway.bounds import (
    SIM_BUDGET_MS,
    SIM_FAILURES_MAX,
    SIM_HOURS_MAX,
    SIM_SHUT_S,
    SIM_TOKEN_EARLY_S,
    SIM_TOKEN_S,
)
from gateway.breaking import OneTries
from gateway.sim.port import Answer, Changed, NotChanged, Unknown
from gateway.values.msisdn import Msisdn

log = structlog.stdlib.get_logger(__name__)

_OK, _BAD_REQUEST, _UNAUTHORIZED = 200, 400, 401
# About the number and not about the provider: no such subscriber, not one of theirs, not agreed to.
_OF_THE_NUMBER = frozenset({403, 404, 422})


@dataclass(frozen=True, slots=True)
class Contract:
    """Who is asked, and as whom.

    Args:
        url: the API's root, with its version: `https://api.operator.example/sim-swap/v2`.
        token_url: where a token is given for the client's credentials (RFC 6749, 4.4).
        client_id: ours there.
        client_secret: its secret.
        scope: what is asked for; empty: what the client may.
    """

    url: str
    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""

    def __repr__(self) -> str:
        return f"Contract({self.url})"


class _FailedError(Exception):
    """The provider failed us. The text is our own: none of a provider's is in it."""


class _OutOfTimeError(_FailedError):
    """The budget is spent."""


class CamaraSimSwap:
    """Asks an operator, or an aggregator of operators. Used by several threads at once.

    Args:
        contract: whom to ask.
        session: makes requests, each of them bounded by half of the budget at the most, and never
            retried.
        budget_ms: for all requests of a question.
        clock: seconds that only grow.
        shut_s: how long a provider that fails is left alone.
    """

    def __init__(
        self,
        contract: Contract,
        session: requests.Session,
        budget_ms: int = SIM_BUDGET_MS,
        clock: Callable[[], float] = time.monotonic,
        shut_s: float = SIM_SHUT_S,
    ) -> None:
        self._contract = contract
        self._session = session
        self._budget_s = budget_ms / 1000
        self._clock = clock
        self._breaker = CircuitBreaker(
            fail_max=SIM_FAILURES_MAX,
            reset_timeout=shut_s,
            # The failure that shuts it is told as it is.
            throw_new_error_on_trip=False,
        )
        self._one_tries = OneTries(lambda: self._breaker.current_state)
        self._token = ""  # nosec B105
        self._token_until_s = 0.0
        self._lock = threading.Lock()

    def changed_since(self, msisdn: Msisdn, hours: int) -> Answer:
        """See `SimSwap.changed_since`."""
        ends_s = self._clock() + self._budget_s
        asked_hours = max(1, min(hours, SIM_HOURS_MAX))
        try:
            # `calling`, because `call` would hold the breaker's lock while the operator thinks: one
            # member at a time.
            with self._one_tries.turn(), self._breaker.calling():
                return self._asked(msisdn, asked_hours, ends_s)
        except CircuitBreakerError:
            return Unknown("left_alone")
        except _FailedError as failed:
            log.warning("sim_swap_failed", why=str(failed))
            return Unknown(str(failed))

    def _asked(self, msisdn: Msisdn, hours: int, ends_s: float) -> Answer:
        status, said = self._post("/check", {"phoneNumber": msisdn.e164, "maxAge": hours}, ends_s)
        if status == _BAD_REQUEST and said.get("code") == "OUT_OF_RANGE":
            return self._less(msisdn, hours, ends_s)
        if status == _BAD_REQUEST:
            raise _FailedError("bad_request")
        if status in _OF_THE_NUMBER:
            return Unknown(f"status_{status}")
        if said.get("swapped") is True:
            return Changed(self._when(msisdn, ends_s))
        if said.get("swapped") is False:
            return NotChanged()
        raise _FailedError("unreadable")

    def _less(self, msisdn: Msisdn, hours: int, ends_s: float) -> Answer:
        """The operator remembers less than was asked for. A change within what it does remember is
        one; that there was none says nothing of the time before."""
        if hours == 1:
            return Unknown("out_of_range")
        answer = self._asked(msisdn, max(1, hours // 3), ends_s)
        return Unknown("out_of_range") if isinstance(answer, NotChanged) else answer

    def _when(self, msisdn: Msisdn, ends_s: float) -> dt.datetime | None:
        """When it was; None where that is not said. That it was is known: nothing fails here."""
        try:
            status, said = self._post("/retrieve-date", {"phoneNumber": msisdn.e164}, ends_s)
        except _FailedError:
            return None
        return _date(said.get("latestSimChange")) if status == _OK else None

    def _post(
        self, path: str, asked: Mapping[str, object], ends_s: float
    ) -> tuple[int, Mapping[str, object]]:
        """The answer's status and content. A token that is no longer good is asked for anew,
        once."""
        answer = self._request(path, asked, self._bearer(ends_s), ends_s)
        if answer.status_code == _UNAUTHORIZED:
            self._forget_token()
            answer = self._request(path, asked, self._bearer(ends_s), ends_s)
        if answer.status_code not in {_OK, _BAD_REQUEST, *_OF_THE_NUMBER}:
            raise _FailedError(f"status_{answer.status_code}")
        return answer.status_code, _content(answer)

    def _request(
        self, path: str, asked: Mapping[str, object], token: str, ends_s: float
    ) -> requests.Response:
        return self._sent(
            lambda: self._session.post(
                self._contract.url.rstrip("/") + path,
                json=asked,
                headers={"Authorization": f"Bearer {token}"},
            ),
            ends_s,
        )

    def _bearer(self, ends_s: float) -> str:
        """A token that is good for a while yet."""
        with self._lock:
            if self._token and self._clock() < self._token_until_s:
                return self._token
        contract = self._contract
        form = {"grant_type": "client_credentials"} | (
            {"scope": contract.scope} if contract.scope else {}
        )
        answer = self._sent(
            lambda: self._session.post(
                contract.token_url, data=form, auth=(contract.client_id, contract.client_secret)
            ),
            ends_s,
        )
        said = _content(answer)
        token, lives_s = said.get("access_token"), said.get("expires_in")
        if answer.status_code != _OK or not isinstance(token, str) or not token.isascii():
            raise _FailedError("no_token")
        lives_s = lives_s if isinstance(lives_s, int) else SIM_TOKEN_S
        with self._lock:
            self._token = token
            self._token_until_s = self._clock() + lives_s - SIM_TOKEN_EARLY_S
        return token

    def _forget_token(self) -> None:
        with self._lock:
            self._token = ""  # nosec B105

    def _sent(self, request: Callable[[], requests.Response], ends_s: float) -> requests.Response:
        if self._clock() >= ends_s - self._budget_s / 2:
            # What is left might not be enough for a whole request, and the member waits.
            raise _OutOfTimeError("out_of_time")
        fault = ""
        try:
            return request()
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            fault = type(error).__name__
        except (UnicodeError, ValueError):
            fault = "no_request"
        raise _FailedError(fault)  # out here it carries no request along, with a number in it


def _content(answer: requests.Response) -> Mapping[str, object]:
    """What an answer says, where it is an object of JSON; else nothing."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _date(said: object) -> dt.datetime | None:
    """A time with its zone (RFC 3339); None for anything else."""
    try:
        at = dt.datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
