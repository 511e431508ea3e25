"""Infobip USSD: it calls us as a "third party application", in JSON, three times a session.

Source: Infobip, "USSD Gateway REST/JSON API" 1.4: `…/session/{id}/start`, `response`, `end`. The
document calls them by POST and PUT; older deployments use POST throughout: each takes both.

`text` is the last answer alone and no request has a number, so a repeat is inferred. Who dials
`*775*2*987654321*50#` sends all of it as `shortCode`: what stands behind our code are answers.
Nothing signs a request: the secret in the path is the caller's proof.

Errors have their own code inside a reply of HTTP 200, so that a member never reads an operator's
error: `responseExitCode` 400 for what is no hop, 500 where we have failed without a screen. An
apology is a screen like any other, and its code is 200.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec
import structlog
from flask import Blueprint, Response, abort, request

from gateway.bounds import SESSION_ID_CHARS_MAX
from gateway.channels.dialled import behind
from gateway.channels.doors import Counter, Doors
from gateway.values.msisdn import NotAMobileError, caller
from gateway.values.turn import Answer, Keystrokes, Origin, Reply, Turn

CHANNEL = "infobip"

Event = Literal["start", "response"]

_SESSION_ID = re.compile(rf"[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # printable, without spaces
_METHODS = ("POST", "PUT")

# What may never be written down: keystrokes hold PINs (`shortCode` those of a deep dial), the menu
# holds balances, and the IMSI names the SIM card.
SECRET_FIELDS = frozenset({"text", "shortCode", "ussdMenu", "imsi"})

# `exitCode` of the end of a session. `Success` says that it was closed, not that money moved.
END_STATUSES = {
    "200": "Success",
    "500": "NetworkAborted",
    "510": "AppAborted",
    "520": "UserAborted",
    "600": "TimedOut",
}

_OK = 200
_BAD_REQUEST = 400
_FAILED = 500

log = structlog.stdlib.get_logger(__name__)


class NotAHopError(ValueError):
    """The request is no USSD hop: `field` is missing, or cannot be read; `body`: it is no JSON."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """What the end of a session says. The phone's number is not in it."""

    session_id: str
    status: str


class _Hop(msgspec.Struct, rename="camel"):
    """`start` and `response`, as far as they are read; other fields are ignored."""

    msisdn: str | int | None = None
    short_code: str | None = None
    text: str | int | None = None


class _End(msgspec.Struct, rename="camel"):
    exit_code: str | int | None = None


_Shape = TypeVar("_Shape", _Hop, _End)


def parse(event: Event, session_id: str, body: bytes, account: str, short_code: str) -> Turn:
    """A request as a turn. `short_code` is ours: what was dialled behind it are answers.

    Raises:
        NotAHopError: the body is no JSON, or a field is missing or cannot be read.
    """
    hop = _decoded(body, _Hop)
    try:
        msisdn = caller(str(hop.msisdn or ""))
    except NotAMobileError as error:
        raise NotAHopError("msisdn") from error
    if event == "start":
        typed = behind(hop.short_code or "", short_code) or ""
    else:
        typed = "" if hop.text is None else str(hop.text)
    return Turn(
        origin=Origin(CHANNEL, account, _session_id(session_id), msisdn),
        service_code=short_code,
        said=Answer(Keystrokes(typed)),
    )


def parse_end(session_id: str, body: bytes) -> SessionEnd:
    """The end of a session, of which only what is not secret is read.

    Raises:
        NotAHopError: the body is no JSON, or the session's id cannot be one.
    """
    end = _decoded(body, _End)
    status = END_STATUSES.get(str(end.exit_code).strip(), "unknown")
    return SessionEnd(_session_id(session_id), status)


def render(reply: Reply, exit_code: int = _OK, message: str = "") -> bytes:
    """A reply as the screen that Infobip shows: all four fields, always.

    Args:
        reply: the screen.
        exit_code: 200, 400 for what is no hop, 500 where we have failed.
        message: why, in a word, for the engineer at the other end.
    """
    return msgspec.json.encode(
        {
            "shouldClose": reply.ends,
            "ussdMenu": reply.text,
            "responseExitCode": exit_code,
            "responseMessage": message,
        }
    )


def render_end(exit_code: int = _OK, message: str = "") -> bytes:
    """The acknowledgement of an end."""
    return msgspec.json.encode({"responseExitCode": exit_code, "responseMessage": message})


def routes(doors: Doors) -> Blueprint:
    """The base URL that is registered at Infobip is `…/ussd/infobip/<secret>`."""
    blueprint = Blueprint(
        "infobip_ussd", __name__, url_prefix="/ussd/infobip/<secret>/session/<session_id>"
    )

    @blueprint.route("/start", methods=_METHODS)
    def start(secret: str, session_id: str) -> Response:
        return _hop(doors, _behind(doors, secret), "start", session_id)

    @blueprint.route("/response", methods=_METHODS)
    def response(secret: str, session_id: str) -> Response:
        return _hop(doors, _behind(doors, secret), "response", session_id)

    @blueprint.route("/end", methods=_METHODS)
    def end(secret: str, session_id: str) -> Response:
        gateway = _behind(doors, secret)
        try:
            over = parse_end(session_id, request.get_data())
        except NotAHopError as error:
            gateway.misunderstood(CHANNEL, error.field)
            return _json(render_end(_BAD_REQUEST, error.field))
        gateway.session_ended(CHANNEL, gateway.cooperative, over.session_id, over.status, hops=-1)
        return _json(render_end())

    return blueprint


def _hop(doors: Doors, gateway: Counter, event: Event, session_id: str) -> Response:
    try:
        body = request.get_data()
        turn = parse(event, session_id, body, gateway.cooperative, gateway.short_code)
    except NotAHopError as error:
        reply = gateway.misunderstood(CHANNEL, error.field)
        return _json(render(reply, _BAD_REQUEST, error.field))
    try:
        return _json(render(doors.take(gateway, turn)))
    except Exception:
        # `take` never raises; if it ever does, Infobip's own code for it is better than a 500.
        log.exception("hop_failed", channel=CHANNEL, session=session_id)
        return _json(render(gateway.misunderstood(CHANNEL, "internal"), _FAILED, "internal"))


def _behind(doors: Doors, secret: str) -> Counter:
    gateway = doors.behind(secret)
    if gateway is None:
        abort(404)
    return gateway


def _session_id(session_id: str) -> str:
    if not _SESSION_ID.fullmatch(session_id):
        raise NotAHopError("sessionId")
    return session_id


def _decoded(body: bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, or of another shape
        raise NotAHopError("body") from error


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")
