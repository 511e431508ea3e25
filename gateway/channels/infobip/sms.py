"""Infobip SMS that comes in, and what became of those that went out.

Source: infobip-api-python-client 2025-11 (`MO_JSON_2`, delivery reports); Infobip, "Response status
and error codes".

Both webhooks bring several messages in one request. One that cannot be read does not hold up the
others; if one could not be taken now, the whole request is answered 503 and comes again, and what
was taken is not done twice. Repeats come after 1, 2, 5, 10 … minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import structlog
from flask import Blueprint, Response, abort, request

from gateway.bounds import SESSION_ID_CHARS_MAX
from gateway.channels.doors import Counter, Doors
from gateway.values.delivery import DeliveryState, Report
from gateway.values.msisdn import Msisdn, NotAMobileError, mobile
from gateway.values.turn import Keystrokes, Origin, Text

CHANNEL = "infobip"  # and the name of the sender, which reports are tied to

RESULTS_BYTES_MAX = 256 * 1024  # up to 100 reports a request, of 0.7 to 1 kB each

_MESSAGE_ID = re.compile(rf"[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # printable, without spaces
CODE_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,63}")  # `EC_ABSENT_SUBSCRIBER`; other text may be private
_TO_CHARS_MAX = 64  # a short code, a number, or the name of a sender
_NO_REGION = "ZZ"  # numbers come with their country code

# What may never be written down.
SECRET_FIELDS = frozenset({"text", "cleanText", "from", "keyword", "callbackData"})

# The groups of a status, and those in group 3 that do reach the phone.
_GROUPS = {
    0: DeliveryState.ACCEPTED,
    1: DeliveryState.ACCEPTED,
    2: DeliveryState.FAILED,  # UNDELIVERABLE
    3: DeliveryState.SENT,  # DELIVERED, and perhaps to the operator only
    4: DeliveryState.FAILED,  # EXPIRED
    5: DeliveryState.FAILED,  # REJECTED
}
_TO_OPERATOR = frozenset({3, 7})  # in group 1: PENDING_WAITING_DELIVERY, PENDING_ENROUTE
_TO_HANDSET = 5  # in group 3; 2 is DELIVERED_TO_OPERATOR

# Words of the status codes that the sender reads too.
REFUSED_BY_PERSON = frozenset({10, 14})  # REJECTED_DND, REJECTED_DESTINATION_BLOCKLISTED
DUPLICATE_ID = 23  # REJECTED_DUPLICATE_MESSAGE_ID: the first attempt was taken

log = structlog.stdlib.get_logger(__name__)


class NotResultsError(ValueError):
    """The body has no list of results."""


class NotAMessageError(ValueError):
    """A result is no message or no report: `field` is missing, or cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Code(msgspec.Struct, rename="camel"):
    """A status or an error, as Infobip names it everywhere. Of an error, `id` 0 is none."""

    group_id: int | None = None
    id: int | None = None
    name: str | None = None

    @property
    def word(self) -> str:
        """What may be written down of it: its name, or else its number."""
        if self.name and CODE_NAME.fullmatch(self.name):
            return self.name
        return f"group {self.group_id}" if self.id is None else str(self.id)


class _Message(msgspec.Struct, rename="camel"):
    message_id: str | int | None = None
    from_: str | int | None = msgspec.field(name="from", default=None)
    to: str | int | None = None
    text: str | int | None = None


class _Outcome(msgspec.Struct, rename="camel"):
    message_id: str | int | None = None
    status: Code | None = None
    error: Code | None = None


_Shape = TypeVar("_Shape", _Message, _Outcome)


class _Results(msgspec.Struct):
    results: list[msgspec.Raw]


def results(body: bytes) -> list[bytes]:
    """The single results of a request, each to be read on its own.

    Raises:
        NotResultsError: it is no JSON with a list of `results`.
    """
    try:
        return [bytes(each) for each in msgspec.json.decode(body, type=_Results).results]
    except (ValueError, RecursionError) as error:
        raise NotResultsError from error


def parse(result: bytes, account: str) -> Text:
    """One inbound SMS.

    Raises:
        NotAMessageError: `from` is no mobile number (a name, a short code, a landline), or a field
            is missing or cannot be read.
    """
    message = _decoded(result, _Message)
    if message.text is None:
        raise NotAMessageError("text")  # a picture, or binary
    return Text(
        origin=Origin(CHANNEL, account, _message_id(message.message_id), _sender(message.from_)),
        to="" if message.to is None else str(message.to)[:_TO_CHARS_MAX],
        said=Keystrokes(str(message.text)),
    )


def parse_report(result: bytes) -> Report | None:
    """One delivery report. None where it says nothing of the message that we know by this id.

    Raises:
        NotAMessageError: a field is missing or cannot be read, or the status is in an unknown
            group.
    """
    outcome = _decoded(result, _Outcome)
    provider_id = _message_id(outcome.message_id)
    status = outcome.status
    if status is None or status.group_id not in _GROUPS:
        raise NotAMessageError("status")
    if status.id == DUPLICATE_ID:
        return None  # of a second attempt; the first one, of the same id, has its own report
    state = _state(status.group_id, status.id)
    failed = state is DeliveryState.FAILED
    return Report(
        sender=CHANNEL,
        provider_id=provider_id,
        state=state,
        reason=_reason(status, outcome.error) if failed else "",
        opted_out=failed and status.id in REFUSED_BY_PERSON,
    )


def routes(doors: Doors) -> Blueprint:
    """The webhooks that are registered at Infobip: for inbound SMS and for delivery reports."""
    blueprint = Blueprint("infobip_sms", __name__, url_prefix="/sms/infobip")

    @blueprint.post("/<secret>")
    def inbound(secret: str) -> Response:
        gateway = _behind(doors, secret)
        taken = [gateway.receive(text) for text in _texts(gateway.cooperative)]
        return _answer(taken)

    @blueprint.post("/<secret>/reports")
    def reports(secret: str) -> Response:
        gateway = _behind(doors, secret)
        kept = [gateway.reported(report) for report in _reports()]
        return _answer(kept)

    return blueprint


def reports_url(public_base_url: str, secret: str) -> str:
    """Where Infobip shall say what became of a message: for the sender."""
    return f"{public_base_url.rstrip('/')}/sms/infobip/{secret}/reports"


def _texts(account: str) -> Iterator[Text]:
    for result in _brought("sms"):
        try:
            yield parse(result, account)
        except NotAMessageError as error:
            log.warning("not_an_sms", channel=CHANNEL, field=error.field)


def _reports() -> Iterator[Report]:
    for result in _brought("reports"):
        try:
            report = parse_report(result)
        except NotAMessageError as error:
            log.warning("not_a_report", channel=CHANNEL, field=error.field)
            continue
        if report:
            yield report


def _brought(what: str) -> list[bytes]:
    request.max_content_length = RESULTS_BYTES_MAX
    try:
        return results(request.get_data())
    except NotResultsError:
        # A repeat would be the same: it is answered like a request without results.
        log.warning("no_results", channel=CHANNEL, what=what)
        return []


def _answer(taken: list[bool]) -> Response:
    """All were taken, or all come again."""
    return Response(status=200 if all(taken) else 503)


def _behind(doors: Doors, secret: str) -> Counter:
    gateway = doors.behind(secret)
    if gateway is None:
        abort(404)
    return gateway


def _state(group_id: int, id: int | None) -> DeliveryState:  # noqa: A002 - Infobip's word
    if group_id == 3 and id == _TO_HANDSET:
        return DeliveryState.DELIVERED
    if group_id == 1 and id in _TO_OPERATOR:
        return DeliveryState.SENT
    return _GROUPS[group_id]


def _reason(status: Code, error: Code | None) -> str:
    """Why, in Infobip's code: the error's where there is one, else the status's own."""
    return error.word if error and error.id else status.word


def _message_id(message_id: str | int | None) -> str:
    text = "" if message_id is None else str(message_id)
    if not _MESSAGE_ID.fullmatch(text):
        raise NotAMessageError("messageId")
    return text


def _sender(number: str | int | None) -> Msisdn:
    digits = str(number or "").strip().removeprefix("+")
    try:
        return mobile(f"+{digits}", _NO_REGION)
    except NotAMobileError as error:
        raise NotAMessageError("from") from error


def _decoded(result: bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(result, type=shape, strict=False)
    except (ValueError, RecursionError) as error:
        raise NotAMessageError("result") from error
