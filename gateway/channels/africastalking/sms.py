"""Africa's Talking SMS: forms come in, a message or a delivery report each.

Source: developers.africastalking.com, "SMS notifications": incoming messages, delivery reports.

Whatever is not answered 200 is brought again for up to twelve hours, so a form that we cannot use
is answered 200 too: it would be no better then. Nothing signs a request: the secret in the path is
the caller's proof.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping

import structlog
from flask import Blueprint, Response, abort, request

from gateway.bounds import SESSION_ID_CHARS_MAX
from gateway.channels.doors import Doors
from gateway.values.delivery import DeliveryState, Report
from gateway.values.msisdn import NotAMobileError, caller, mobile
from gateway.values.turn import Keystrokes, Origin, Text

log = structlog.stdlib.get_logger(__name__)

CHANNEL = "africastalking"

LATE_S = 300  # who texts waits for the answer with the phone in hand, not for longer

_TO_CHARS_MAX = 64  # a short code, a number, or the name of a sender
_ID = re.compile(rf"[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # printable, without spaces
_WORD = re.compile(r"[A-Za-z]{1,40}")  # a status or a reason: `UserInBlackList`
_ANY_REGION = "ZZ"  # numbers come with their country code

# What may never be written down: a text may hold a PIN, and the numbers are a member's.
SECRET_FIELDS = frozenset({"text", "from", "to", "phoneNumber"})

STATES = {
    "Sent": DeliveryState.SENT,
    "Submitted": DeliveryState.SENT,
    "Buffered": DeliveryState.SENT,
    "Success": DeliveryState.DELIVERED,
    "Rejected": DeliveryState.FAILED,
    "Failed": DeliveryState.FAILED,
    "Expired": DeliveryState.FAILED,
    "AbsentSubscriber": DeliveryState.FAILED,
}

# In lower case: it is written `UserInBlacklist` and `UserInBlackList`.
OPTED_OUT_REASON = "userinblacklist"


class NotAMessageError(ValueError):
    """The form is no message or no report: `field` is missing, or cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def parse(form: Mapping[str, str], account: str) -> Text:
    """A callback's form as a text.

    Raises:
        NotAMessageError: a field is missing or cannot be read.
        NotAMobileError: it is not from a member's kind of number: a short code, a landline, a name.
    """
    message_id = _id(form)
    if "text" not in form:
        raise NotAMessageError("text")
    sender = mobile(caller(form.get("from", "")).e164, _ANY_REGION)
    return Text(
        origin=Origin(CHANNEL, account, message_id, sender),
        to=form.get("to", "").strip()[:_TO_CHARS_MAX],
        said=Keystrokes(form["text"]),
    )


def written_at(form: Mapping[str, str]) -> dt.datetime | None:
    """When the member sent it, in UTC: `2026-10-01T06:04:45Z` or `2026-10-01 06:04:45`. None where
    that cannot be read."""
    try:
        at = dt.datetime.fromisoformat(form.get("date", "").strip())
        return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


def parse_report(form: Mapping[str, str]) -> Report:
    """A delivery report.

    Raises:
        NotAMessageError: the message has no name, or its status is none that we know.
    """
    message_id, status = _id(form), form.get("status", "")
    if status not in STATES:
        raise NotAMessageError("status")
    state, why = STATES[status], form.get("failureReason", "")
    why = why if _WORD.fullmatch(why) else ""
    return Report(
        sender=CHANNEL,
        provider_id=message_id,
        state=state,
        reason=(why or status) if state is DeliveryState.FAILED else "",
        opted_out=why.lower() == OPTED_OUT_REASON,
    )


def routes(
    doors: Doors, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
) -> Blueprint:
    """The two callbacks that are registered at the provider.

    Args:
        now: an instant with its zone, to tell how late a message is.
    """
    blueprint = Blueprint("africastalking_sms", __name__, url_prefix="/sms/africastalking")

    @blueprint.post("/<secret>")
    def inbound(secret: str) -> Response:
        gateway = doors.behind(secret) or abort(404)
        try:
            text = parse(request.form, gateway.cooperative)
        except NotAMessageError as error:
            gateway.misunderstood(CHANNEL, error.field)
            return _taken()
        except NotAMobileError as error:
            log.warning("sms_not_from_a_mobile", channel=CHANNEL, why=error.code)
            return _taken()
        _note_late(written_at(request.form), now())
        return _taken() if gateway.receive(text) else abort(503)

    @blueprint.post("/<secret>/reports")
    def report(secret: str) -> Response:
        gateway = doors.behind(secret) or abort(404)
        try:
            told = parse_report(request.form)
        except NotAMessageError as error:
            status = request.form.get("status", "")
            known = status if _WORD.fullmatch(status) else "unreadable"
            log.warning("report_not_understood", channel=CHANNEL, field=error.field, status=known)
            return _taken()
        return _taken() if gateway.reported(told) else abort(503)

    return blueprint


def _note_late(at: dt.datetime | None, now: dt.datetime) -> None:
    """An operator sees here that the provider had to bring messages again."""
    if at and (late_s := (now - at).total_seconds()) > LATE_S:
        log.warning("sms_late", channel=CHANNEL, late_s=round(late_s))


def _id(form: Mapping[str, str]) -> str:
    message_id = form.get("id", "").strip()
    if not _ID.fullmatch(message_id):
        raise NotAMessageError("id")
    return message_id


def _taken() -> Response:
    return Response("", content_type="text/plain; charset=utf-8")
