"""Asking a provider over HTTP: what certainly was not sent is told from what may have been.

A request that never left is made again in here, after a short wait. One that may have been read
is not: it may be an SMS on its way, and only the outbox knows how often it may be repeated.

No decorator of `stamina`: each retry is logged, and a decorated function's with its arguments, the
text of an SMS in them.
"""

from __future__ import annotations

import http.client
import io
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from gateway.bounds import OUTBOX_BACKOFF_MAX_S, SENDERS_AT_ONCE, SESSION_ID_CHARS_MAX
from gateway.notices.senders import Away, Misconfigured, TryLater

# Together below SEND_TIMEOUT_S: a try that fails within RETRY_WITHIN_S is made again after a wait.
CONNECT_TIMEOUT_S = 3.0  # a lost packet is sent again after 1 s; of each address of a name
ANSWER_TIMEOUT_S = 5.0  # from the request to the answer's last byte
RETRY_WITHIN_S = 1.0
RETRY_TRIES = 3
RETRY_WAIT_FIRST_S = 0.1
RETRY_WAIT_MAX_S = 0.5

ANSWER_BYTES_MAX = 64 * 1024  # of one message it is under 1 kB; an error page may be longer

MAYBE_SENT = "may have been sent"

_WHOLE = re.compile(r"[0-9]{1,6}")
_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_NAME = re.compile(rf"(?!None$)[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # `None`: it was not taken

_Said = TypeVar("_Said")


class UnansweredError(Exception):
    """There is no answer. `delivery` is what that means for a message."""

    def __init__(self, delivery: TryLater | Misconfigured | Away) -> None:
        super().__init__(delivery.reason)
        self.delivery = delivery


class _NotSentError(UnansweredError):
    """There was no connection that a request could have gone out by."""


def session(
    key: Mapping[str, str] | None = None,
    *,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> requests.Session:
    """One pool of connections for as many threads as send at once. Each request by it is bounded,
    whatever time-outs it says itself, and its answer is read when it is returned: at the most
    `ANSWER_BYTES_MAX` of it, and what is longer is cut off.

    Args:
        key: the headers that say who we are, where the request's own `auth` does not.
    """
    pool = _Session()
    if key is not None:
        pool.headers.update(key)
        pool.auth = _as_it_is  # else a .netrc of the machine would add its own
    adapter = _Bounded((connect_timeout_s, answer_timeout_s))
    for scheme in ("https://", "http://"):
        pool.mount(scheme, adapter)
    return pool


def ask(once: Callable[[], _Said]) -> _Said:
    """What `once` returns, which makes one request by a `session`. It is called again while nothing
    was sent, within `RETRY_WITHIN_S`.

    Raises:
        UnansweredError: nothing was sent, something may have been, or nothing ever can be.
        Exception: whatever else `once` raises, at once.
    """
    for attempt in stamina.retry_context(
        on=_NotSentError,
        attempts=RETRY_TRIES,
        timeout=RETRY_WITHIN_S,
        wait_initial=RETRY_WAIT_FIRST_S,
        wait_jitter=RETRY_WAIT_FIRST_S,
        wait_max=RETRY_WAIT_MAX_S,
    ):
        with attempt:
            said = _told(once)
    return said


def wait_s(answer: requests.Response) -> float:
    """`Retry-After` in seconds, up to the outbox's longest wait. 0 where there is none, and where
    it is a date (RFC 9110, 10.2.3): no provider is known to write one."""
    said = answer.headers.get("Retry-After", "")
    seconds = float(said) if said.isascii() and said.isdigit() else 0
    return min(seconds, OUTBOX_BACKOFF_MAX_S)


def whole(said: object) -> int:
    """A number below a million out of JSON, where anything may stand in its place; 0 then."""
    return int(str(said)) if _WHOLE.fullmatch(str(said)) else 0


def micros(said: object) -> int | None:
    """`0.0075` as 7500 millionths, more precise ones rounded down; None for what is no price."""
    return int(Decimal(str(said)) * 1_000_000) if _DECIMAL.fullmatch(str(said)) else None


def provider_id(said: object) -> str:
    """A message's name at a provider, as its reports use it; empty for what is none."""
    return str(said) if _NAME.fullmatch(str(said)) else ""


# --- What went wrong.

_UNUSABLE = (  # an address or a key that cannot even be put into a request
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
_UNREADABLE = (urllib3.exceptions.DecodeError, urllib3.exceptions.InvalidHeader)


def _told(once: Callable[[], _Said]) -> _Said:
    try:
        return once()
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        fault = _fault(error)
    except (OSError, UnicodeEncodeError) as error:  # no certificates, a key in other letters
        fault = UnansweredError(Misconfigured(f"no request: {type(error).__name__}"))
    raise fault  # out here it does not carry the error along, and the whole request in that


def _fault(error: requests.RequestException | urllib3.exceptions.HTTPError) -> UnansweredError:
    """Only what went wrong while connecting counts as not sent: see `_while_connecting`."""
    why = _why(error)
    if isinstance(why, urllib3.exceptions.NewConnectionError):
        insecure = isinstance(why.__cause__, ssl.SSLError | urllib3.exceptions.SSLError)
        return _NotSentError(Away("no secure connection" if insecure else "no connection"))
    if isinstance(why, _UNREADABLE):
        return UnansweredError(TryLater(f"unreadable answer: {MAYBE_SENT}"))
    if isinstance(error, _UNUSABLE):
        return UnansweredError(Misconfigured("the API's address or our key is none"))
    if isinstance(why, urllib3.exceptions.ReadTimeoutError):
        return UnansweredError(TryLater(f"no answer in time: {MAYBE_SENT}"))
    return UnansweredError(TryLater(f"the connection broke: {MAYBE_SENT}"))


def _why(error: Exception) -> object:
    """What is wrapped: by requests, by the client's own retries, by a proxy's name."""
    why = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    if isinstance(why, urllib3.exceptions.MaxRetryError):
        why = why.reason
    return why.original_error if isinstance(why, urllib3.exceptions.ProxyError) else why


# --- Connections that tell when they are made, and answers that end.


@contextmanager
def _while_connecting(connection: HTTPConnection) -> Iterator[None]:
    """Whatever fails in here, the name, the proxy's tunnel or the handshake of TLS included, is a
    `NewConnectionError`. Without it the client calls a handshake that times out an answer that
    does, and an answer that breaks off a proxy that is away."""
    try:
        yield
    except (OSError, urllib3.exceptions.HTTPError) as error:
        word = type(error).__name__
        raise urllib3.exceptions.NewConnectionError(connection, word) from error


class _Until(io.RawIOBase):
    """A socket's bytes until a moment of `time.monotonic`.

    A socket's own time-out is between two bytes: who trickles an answer is never late.
    """

    def __init__(self, raw: Any, sock: Any, ends_s: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_s = ends_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that has to be there whole, its status and headers too, within the time-out that
    its socket has when it is asked for."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        ends_s = time.monotonic() + (sock.gettimeout() or 0)
        self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, ends_s))

    def begin(self) -> None:
        super().begin()
        # The client would log what stands among the headers and is none: it may be anything.
        self.msg.set_payload("")
        self.msg.defects.clear()


class _Plain(HTTPConnection):
    response_class = _Answer

    def connect(self) -> None:
        with _while_connecting(self):
            super().connect()


class _Secure(HTTPSConnection):
    response_class = _Answer

    def connect(self) -> None:
        with _while_connecting(self):
            super().connect()


_TELLING: dict[type, type] = {HTTPConnection: _Plain, HTTPSConnection: _Secure}


class _Bounded(HTTPAdapter):
    """Makes such connections, and reads an answer before it gives it away."""

    def __init__(self, timeouts_s: tuple[float, float]) -> None:
        self._timeouts_s = timeouts_s  # to connect; of the answer
        super().__init__(pool_connections=1, pool_maxsize=SENDERS_AT_ONCE, max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _TELLING.get(pool.ConnectionCls, pool.ConnectionCls)
        return pool

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        options |= {"stream": True, "timeout": self._timeouts_s}
        answer = super().send(request, **options)
        try:
            body = answer.raw.read(ANSWER_BYTES_MAX, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error, request=request) from error
        finally:
            answer.close()  # of a whole one the connection is kept
        answer.raw = io.BytesIO(body)
        return answer


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """A redirect would carry our key elsewhere; and where it leads to may be no address, which
        the client reads even where it is not to follow."""


def _as_it_is(asked: requests.PreparedRequest) -> requests.PreparedRequest:
    return asked
