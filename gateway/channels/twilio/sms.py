"""Twilio SMS: a signed form comes in, an empty TwiML document goes out; the answer is sent later.

Source: twilio.com/docs: "Messaging webhooks", "Webhooks security", "Message resource", and the
request validator of the official library.

There is no secret in the path: `AccountSid` says whose message it claims to be, and the signature
over the configured address and the whole form proves it. The answer never rides on the response:
a webhook that Twilio brings twice would answer twice.

Twilio repeats a webhook only if its address says so: register `…/sms/twilio#rc=3&rp=5xx,ct,rt`. The
part behind `#` is neither sent nor signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

import structlog
from flask import Blueprint, Response, abort, request
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from werkzeug.datastructures import MultiDict

from gateway.bounds import SESSION_ID_CHARS_MAX
from gateway.channels.doors import Counter
from gateway.channels.twilio.account import CHANNEL, INBOUND_PATH, STATUS_PATH, TwilioAccount
from gateway.values.delivery import DeliveryState, Report
from gateway.values.msisdn import NotAMobileError, caller, mobile
from gateway.values.turn import Keystrokes, Origin, Text

log = structlog.stdlib.get_logger(__name__)

_FORM = "application/x-www-form-urlencoded"
_BODY_HASH = "bodysha256"  # what Twilio adds to the query of a webhook with a JSON body
_TO_CHARS_MAX = 64  # a short code, a number, or the name of a sender
_SID = re.compile(rf"[!-~]{{1,{SESSION_ID_CHARS_MAX}}}")  # `SM…`, 34 letters today
_ERROR_CODE = re.compile(r"[0-9]{1,6}")
_STATUS = re.compile(r"[A-Za-z_-]{1,30}")  # what may be written down of one that nobody knows
_ANY_REGION = "ZZ"  # numbers come with their country code

OPTED_OUT_CODE = "21610"

# What may never be written down: a text may hold a PIN, and the numbers are a member's.
SECRET_FIELDS = frozenset({"Body", "From", "To"})

# How far a message got. Partly delivered is not delivered: some part may still arrive.
STATES = {
    "accepted": DeliveryState.ACCEPTED,
    "scheduled": DeliveryState.ACCEPTED,
    "queued": DeliveryState.ACCEPTED,
    "sending": DeliveryState.ACCEPTED,
    "sent": DeliveryState.SENT,
    "partially_delivered": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
    "canceled": DeliveryState.FAILED,
}
# Statuses of messages to us: they say nothing of one that we sent.
INBOUND_STATUSES = frozenset({"receiving", "received"})

_EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class NotAMessageError(ValueError):
    """The form is no message or no report: `field` is missing, or cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def parse(form: Mapping[str, str], account: str) -> Text:
    """A webhook's form as a text.

    Raises:
        NotAMessageError: a field is missing or cannot be read.
        NotAMobileError: it is not from a member's kind of number: a short code, a landline, a
            name, another network's (`whatsapp:+51…`).
    """
    sid = _sid(form)
    if "Body" not in form:
        raise NotAMessageError("Body")
    return Text(
        origin=Origin(
            CHANNEL, account, sid, mobile(caller(form.get("From", "")).e164, _ANY_REGION)
        ),
        to=form.get("To", "")[:_TO_CHARS_MAX],
        said=Keystrokes(form["Body"]),
    )


def parse_report(form: Mapping[str, str]) -> Report:
    """A status callback's form as a report.

    Raises:
        NotAMessageError: the message has no name, or its status is none that we know.
    """
    sid, status = _sid(form), form.get("MessageStatus", "")
    if status not in STATES:
        raise NotAMessageError("MessageStatus")
    code = form.get("ErrorCode", "")
    code = code if _ERROR_CODE.fullmatch(code) else ""
    state = STATES[status]
    return Report(
        sender=CHANNEL,
        provider_id=sid,
        state=state,
        reason=(code or status) if state is DeliveryState.FAILED else "",
        opted_out=code == OPTED_OUT_CODE,
    )


def proves(
    account: TwilioAccount, url: str, form: MultiDict[str, str], signature: str, settings: str
) -> bool:
    """Whether this account's Twilio signed the request. Never raises.

    Args:
        url: the address that Twilio was given, with the query of this request.
        form: all of it, fields that nobody knows and empty values too: they are signed.
        signature: the `X-Twilio-Signature` header.
        settings: the `X-Twilio-Webhooks-Signature-Settings` header. It is the caller's word, so it
            may name one of two algorithms, each with a key of ours, and never a key.
    """
    algorithm = get_signature_algorithm(settings).upper()
    keys: dict[str, tuple[str, ...]] = {
        HMAC_SHA1: account.auth_tokens,
        HMAC_SHA256: (account.sha256_key,) if account.sha256_key else (),
    }
    try:
        return any(
            RequestValidator(key).validate(url, form, signature, algorithm)
            for key in keys.get(algorithm, ())
        )
    except Exception:
        # The validator falls over some of what a stranger may write. That is no proof either.
        return False


def routes(accounts: Sequence[tuple[TwilioAccount, Counter]]) -> Blueprint:
    """The two webhooks that are registered at Twilio.

    Args:
        accounts: each with the gateway whose account it is.

    Raises:
        ValueError: two gateways have the same account, so that a message could be either's. Give
            each a subaccount.
    """
    sids = [account.account_sid for account, _ in accounts]
    if len(set(sids)) < len(sids):
        raise ValueError("two cooperatives have the same Twilio account: give each a subaccount")
    blueprint = Blueprint("twilio_sms", __name__)

    @blueprint.post(INBOUND_PATH)
    def inbound() -> Response:
        account, gateway = _whose(accounts, INBOUND_PATH)
        try:
            text = parse(request.form, account.account_sid or gateway.cooperative)
        except NotAMessageError as error:
            gateway.misunderstood(CHANNEL, error.field)
            return _taken()
        except NotAMobileError as error:
            log.warning("sms_not_from_a_mobile", channel=CHANNEL, why=error.code)
            return _taken()
        return _taken() if gateway.receive(text) else abort(503)

    @blueprint.post(STATUS_PATH)
    def status() -> Response:
        _, gateway = _whose(accounts, STATUS_PATH)
        try:
            report = parse_report(request.form)
        except NotAMessageError as error:
            _note_unknown(error.field, request.form.get("MessageStatus", ""))
            return _taken()
        return _taken() if gateway.reported(report) else abort(503)

    return blueprint


def _whose(
    accounts: Sequence[tuple[TwilioAccount, Counter]], path: str
) -> tuple[TwilioAccount, Counter]:
    """The gateway whose Twilio sent this request; 403 if none did."""
    # A body that is no form would be signed by a hash in the query, and the form be empty: then
    # the validator would have looked at nothing but the address.
    if request.mimetype != _FORM or any(name.lower() == _BODY_HASH for name in request.args):
        return _refuse("not_a_form")
    query = request.query_string.decode("latin-1")
    for account, gateway in accounts:
        claimed = account.account_sid in {"", request.form.get("AccountSid", "")}
        url = account.address(path) + (f"?{query}" if query else "")
        if claimed and proves(
            account,
            url,
            request.form,
            request.headers.get(SIGNATURE_HEADER, ""),
            request.headers.get(SIGNATURE_SETTINGS_HEADER, ""),
        ):
            return account, gateway
    return _refuse("signature")


def _refuse(why: str) -> NoReturn:
    # To the engineer who connects Twilio: mostly the public base URL, or a token of another
    # account.
    log.warning("webhook_refused", channel=CHANNEL, why=why)
    abort(403)


def _note_unknown(field: str, status: str) -> None:
    if status not in INBOUND_STATUSES:
        known = status if _STATUS.fullmatch(status) else "unreadable"
        log.warning("report_not_understood", channel=CHANNEL, field=field, status=known)


def _sid(form: Mapping[str, str]) -> str:
    sid = form.get("MessageSid", "")
    if not _SID.fullmatch(sid):
        raise NotAMessageError("MessageSid")
    return sid


def _taken() -> Response:
    return Response(_EMPTY_TWIML, content_type="text/xml; charset=utf-8")
