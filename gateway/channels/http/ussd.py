"""USSD over HTTP in the dialect that a profile describes: JSON, form or query in, JSON or text out.

Source: of each dialect, the `source` of its profile in `profiles/`.

Nothing signs a request: the secret in the path is the caller's proof, and behind it the phone's
number is believed. A request that is no hop is still answered as a last screen of the dialect, in
HTTP 200: another status would be an error of the network on the member's phone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Blueprint, Response, abort, request

from gateway.bounds import SESSION_ID_CHARS_MAX
from gateway.channels.dialled import behind
from gateway.channels.doors import Counter, Doors
from gateway.channels.http.fields import Fields, Scalar, as_text
from gateway.channels.http.profile import Dialled, Incoming, Profile
from gateway.channels.http.template import State, fill
from gateway.values.msisdn import Msisdn, NotAMobileError, caller, mobile
from gateway.values.turn import Answer, Cumulative, Keystrokes, Origin, Reply, Turn

_SESSION_ID = re.compile(rf"[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # printable, without spaces
_SEQUENCE = re.compile(r"[0-9]{1,9}")
_CODE_CHARS_MAX = 32


class NotAHopError(ValueError):
    """The request is no USSD hop: `field` is missing, or cannot be read; `body`: all of it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """What an end event says. `hops` is -1 where it did not say a number."""

    session_id: str
    status: str
    hops: int


def secret_fields(profile: Profile) -> frozenset[str]:
    """What of a dialect may never be written down: what was typed or dialled may hold a PIN, and
    the reply a balance. A profile that would send it back is refused."""
    return profile.request.secret_fields


def read_body(body: str) -> Fields:
    """The fields of the request that is being answered.

    Raises:
        NotAHopError: it is no JSON object.
    """
    if body == "query":
        return Fields(request.args)
    if body == "form" or (body == "declared" and not request.is_json):
        return Fields(request.form)
    try:
        return Fields(msgspec.json.decode(request.get_data(), type=dict[str, Any]))
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, or no object
        raise NotAHopError("body") from error


def parse(profile: Profile, fields: Fields, account: str, short_code: str) -> Turn | SessionEnd:
    """A request as a turn, or as the end of its session.

    Args:
        short_code: ours: what was dialled behind it are answers.

    Raises:
        NotAHopError: a field is missing or cannot be read, or the request is no event of the
            profile.
    """
    shape = profile.request
    session_id = fields.text(shape.session).strip()
    if not _SESSION_ID.fullmatch(session_id):
        raise NotAHopError(shape.session)
    sequence = _sequence(fields.text(shape.sequence))
    status = shape.end.said(fields) if shape.end else None
    if status is not None:
        return SessionEnd(session_id, status, -1 if sequence is None else sequence)
    said = (
        Cumulative(_history(shape, fields, short_code))
        if shape.answers == "all"
        else Answer(_answer(shape, fields, short_code), sequence)
    )
    return Turn(
        origin=Origin(profile.channel, account, session_id, _msisdn(shape, fields)),
        service_code=_service_code(shape, fields, short_code),
        said=said,
    )


def render(profile: Profile, reply: Reply, fields: Fields) -> Response:
    """A reply as the network wants it."""
    screen = reply.text.replace("\n", profile.reply.newline)
    state: State = "ends" if reply.ends else "goes_on"
    mapped = profile.request.mapped
    return _body(profile, fill(profile.reply.template, state, screen, mapped, fields))


def render_end(profile: Profile, fields: Fields) -> Response:
    """The acknowledgement of an end event."""
    mapped = profile.request.mapped
    return _body(profile, fill(profile.reply.end_event, "ends", "", mapped, fields))


def routes(doors: Doors, profiles: Mapping[str, Profile]) -> Blueprint:
    """One callback a profile: `/ussd/http/<profile>/<secret>`."""
    blueprint = Blueprint("http_ussd", __name__, url_prefix="/ussd/http")

    @blueprint.route("/<name>/<secret>", methods=("GET", "POST"))
    def hop(name: str, secret: str) -> Response:
        gateway, profile = doors.behind(secret), profiles.get(name)
        if gateway is None or profile is None:
            abort(404)
        if request.method not in profile.request.methods:
            abort(405)
        return _answered(doors, gateway, profile)

    return blueprint


def _answered(doors: Doors, gateway: Counter, profile: Profile) -> Response:
    fields = Fields({})
    try:
        fields = read_body(profile.request.body)
        heard = parse(profile, fields, gateway.cooperative, gateway.short_code)
    except NotAHopError as error:
        return render(profile, gateway.misunderstood(profile.channel, error.field), fields)
    if isinstance(heard, Turn):
        return render(profile, doors.take(gateway, heard), fields)
    gateway.session_ended(
        profile.channel, gateway.cooperative, heard.session_id, heard.status, heard.hops
    )
    return render_end(profile, fields)


def _answer(shape: Incoming, fields: Fields, short_code: str) -> Keystrokes:
    """The last answer; of a dial, what was dialled behind the code."""
    if shape.start is None or shape.start.said(fields) is None:
        if shape.goes_on and shape.goes_on.said(fields) is None:
            raise NotAHopError(shape.goes_on.field)
        return Keystrokes(fields.text(shape.input))
    if shape.dialled is None:
        return Keystrokes("")  # what stands in the input is the code, or nothing
    return Keystrokes(_behind(shape, shape.dialled, fields, short_code) or "")


def _history(shape: Incoming, fields: Fields, short_code: str) -> Keystrokes:
    """Every answer so far, joined by `*`, without what was dialled before them."""
    if fields.value(shape.input) is None:
        raise NotAHopError(shape.input)
    if shape.dialled is None:
        return Keystrokes(fields.text(shape.input).replace(shape.separator, "*"))
    answers = _behind(shape, shape.dialled, fields, short_code)
    if answers is None:
        raise NotAHopError(shape.dialled.field)
    return Keystrokes(answers)


def _behind(shape: Incoming, dialled: Dialled, fields: Fields, short_code: str) -> str | None:
    """What was dialled behind our code; None: it was not our code."""
    text = fields.text(dialled.field).replace(shape.separator, "*")
    if dialled.holds == "rest":
        return text.strip().removesuffix("#")
    if dialled.holds == "extension":
        text = f"{fields.text(shape.service_code).strip().removesuffix('#')}*{text}"
    return behind(text, short_code)


def _msisdn(shape: Incoming, fields: Fields) -> Msisdn:
    text = fields.text(shape.msisdn)
    try:
        return mobile(text, shape.msisdn_region) if shape.msisdn_region else caller(text)
    except NotAMobileError as error:
        raise NotAHopError(shape.msisdn) from error


def _service_code(shape: Incoming, fields: Fields, short_code: str) -> str:
    """What the network calls it, unless answers stand behind it."""
    secret = {field.casefold() for field in shape.secret_fields}
    if shape.service_code is None or shape.service_code.casefold() in secret:
        return short_code
    return fields.text(shape.service_code)[:_CODE_CHARS_MAX]


def _sequence(text: str) -> int | None:
    return int(text) if _SEQUENCE.fullmatch(text) else None


def _body(profile: Profile, filled: dict[str, Any] | Scalar) -> Response:
    """A text as it is, what the profile has in JSON as JSON."""
    if isinstance(filled, dict):
        body, usual = msgspec.json.encode(filled), "application/json"
    else:
        body, usual = as_text(filled).encode(), "text/plain; charset=utf-8"
    return Response(body, content_type=profile.reply.content_type or usual)
