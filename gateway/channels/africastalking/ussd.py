"""Africa's Talking USSD: a form comes in, `CON …` or `END …` goes out as plain text.

Source: developers.africastalking.com, "USSD: overview", "handle sessions", "notifications".

`text` holds every answer of the session so far, joined by `*`, so the PIN comes again in every
later request. Nothing signs a request: the secret in the path is the caller's proof, and behind it
the phone's number is believed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, abort, request

from gateway.bounds import SESSION_ID_CHARS_MAX
from gateway.channels.doors import Counter, Doors
from gateway.channels.express import ShortWay
from gateway.values.msisdn import NotAMobileError, caller
from gateway.values.turn import Cumulative, Keystrokes, Origin, Reply, Turn

CHANNEL = "africastalking"

_PREFIX = "/ussd/africastalking"
_HOPS_DIGITS_MAX = 5
_SESSION_ID = re.compile(rf"[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # printable, without spaces

# What may never be written down: keystrokes hold PINs, the last response holds balances.
SECRET_FIELDS = frozenset({"text", "input", "lastAppResponse"})

# The statuses of the end-of-session event. `Success` says that `END` was reached, not that money
# moved.
END_STATUSES = frozenset({"Success", "Incomplete", "Failed"})


class NotAHopError(ValueError):
    """The form is no USSD hop: `field` is missing, or cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """What the events callback says. `hops` is -1 where it did not say a number."""

    session_id: str
    status: str
    hops: int


def parse(form: Mapping[str, str], account: str) -> Turn:
    """A callback's form as a turn.

    Raises:
        NotAHopError: a field is missing or cannot be read.
    """
    session_id = form.get("sessionId", "").strip()
    if not _SESSION_ID.fullmatch(session_id):
        raise NotAHopError("sessionId")
    if "text" not in form:
        raise NotAHopError("text")
    try:
        msisdn = caller(form.get("phoneNumber", ""))
    except NotAMobileError as error:
        raise NotAHopError("phoneNumber") from error
    return Turn(
        origin=Origin(CHANNEL, account, session_id, msisdn),
        service_code=form.get("serviceCode", ""),
        said=Cumulative(Keystrokes(form["text"])),
        network=form.get("networkCode", ""),
    )


def parse_end(form: Mapping[str, str]) -> SessionEnd:
    """The end-of-session event, of which only what is not secret is read."""
    status = form.get("status", "")
    hops = form.get("hopsCount", "")
    return SessionEnd(
        session_id=form.get("sessionId", "")[:SESSION_ID_CHARS_MAX],
        status=status if status in END_STATUSES else "unknown",
        hops=int(hops)
        if hops.isascii() and hops.isdigit() and len(hops) <= _HOPS_DIGITS_MAX
        else -1,
    )


def render(reply: Reply) -> str:
    """A reply as the body that the network shows: `CON` keeps the session open, `END` closes it."""
    return f"{'END' if reply.ends else 'CON'} {reply.text}"


def routes(doors: Doors) -> Blueprint:
    """The two callbacks that are registered at the provider."""
    blueprint = Blueprint("africastalking_ussd", __name__, url_prefix=_PREFIX)

    @blueprint.post("/<secret>")
    def hop(secret: str) -> Response:
        gateway = doors.behind(secret)
        if gateway is None:
            abort(404)
        return _plain(_answer(doors, gateway, request.form))

    @blueprint.post("/<secret>/events")
    def event(secret: str) -> Response:
        gateway = doors.behind(secret)
        if gateway is None:
            abort(404)
        end = parse_end(request.form)
        account = gateway.cooperative
        gateway.session_ended(CHANNEL, account, end.session_id, end.status, end.hops)
        return _plain("")

    return blueprint


def short_way(doors: Doors) -> ShortWay:
    """To the one of them that comes at every hop."""
    at_once, answer = functools.partial(_at_once, doors), functools.partial(_answer, doors)
    return ShortWay(f"{_PREFIX}/", doors.behind, at_once, answer)


def _at_once(doors: Doors, gateway: Counter, form: str) -> str | None:
    """A last screen, if nobody can be let in now."""
    dials = "&text=&" in f"&{form}&"
    return render(gateway.busy(CHANNEL)) if doors.full(dials=dials) else None


def _answer(doors: Doors, gateway: Counter, form: Mapping[str, str]) -> str:
    try:
        turn = parse(form, account=gateway.cooperative)
    except NotAHopError as error:
        return render(gateway.misunderstood(CHANNEL, error.field))
    return render(doors.take(gateway, turn))


def _plain(body: str) -> Response:
    return Response(body, content_type="text/plain; charset=utf-8")
