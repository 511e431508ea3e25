"""Infobip SMS that goes out: one message a request, by its v3 messages API.

Source: infobip-api-python-client 2025-11, `POST {base}/sms/3/messages`; Infobip, "Response status
and error codes". HTTP 200 is not success: the status inside says what became of the message.

Our reference is the message's id at Infobip too, the same at each attempt. So a second attempt of a
message that was taken, where only the answer was lost, is refused as a duplicate: it counts as
sent, and its delivery report says how that ended.
"""

from __future__ import annotations

import http
from typing import Any

import msgspec
import requests

from gateway.channels import asking
from gateway.channels.infobip.sms import CODE_NAME, DUPLICATE_ID, REFUSED_BY_PERSON, Code
from gateway.notices.senders import (
    Delivery,
    Limits,
    Misconfigured,
    Never,
    OptedOut,
    Sent,
    Sms,
    TryLater,
)

NAME = "infobip"

FLOOD_WAIT_S = 600.0  # it counts messages to one phone by the hour
SEGMENTS_MAX = 25  # REJECTED_MESSAGE_TOO_LONG beyond
PER_SECOND = 20.0  # what a plain account may surely do; contracts say more

# What may never be written down: the text is a member's business, the header is our key.
SECRET_FIELDS = frozenset({"text", "to", "Authorization"})

_TAKEN = frozenset({0, 1, 3})  # the groups OK, PENDING, DELIVERED

# Statuses of a message that was not taken, by what helps. Unknown ones are tried again.
_NEVER = frozenset(
    {
        8,  # REJECTED_PREFIX_MISSING
        24,  # REJECTED_INVALID_UDH
        25,  # REJECTED_MESSAGE_TOO_LONG
        51,  # MISSING_TO
        52,  # REJECTED_DESTINATION: no operator has this number
        87,  # SIGNALS_BLOCKED: the anti-fraud's verdict on the number
    }
)
_MISCONFIGURED = frozenset(
    {
        6,  # REJECTED_NETWORK: the account does not reach this network
        11,  # REJECTED_SOURCE: the sender is not registered
        12,  # REJECTED_NOT_ENOUGH_CREDITS
        13,  # REJECTED_SENDER: the sender is blocklisted
        17,  # REJECTED_PREPAID_PACKAGE_EXPIRED
        18,  # REJECTED_DESTINATION_NOT_REGISTERED: a trial account, which sends to one number only
        19,  # REJECTED_ROUTE_NOT_AVAILABLE: the account may not send at all
    }
)
_FLOODED = 20  # REJECTED_FLOODING_FILTER
# Of the message itself, in a request that is refused with 400: another try is refused too.
_OF_THE_MESSAGE = ("destinations", "content.text")


class _Details(msgspec.Struct, rename="camel"):
    message_count: Any = 0


class _Answered(msgspec.Struct, rename="camel"):
    message_id: Any = ""
    status: Code | None = None
    details: _Details | None = None


class _Messages(msgspec.Struct):
    messages: list[_Answered]


class _Violation(msgspec.Struct):
    property: str = ""


class _Refusal(msgspec.Struct, rename="camel"):
    error_code: str = ""
    violations: list[_Violation] = []


class InfobipSender:
    """A `Sender` that hands messages to Infobip.

    Args:
        base_url: the account's own: `https://xxxxx.api.infobip.com`.
        api_key: of that account, with the right to send SMS.
        sender: whom a message is from: a registered name, or a number of the account.
        reports_url: where it shall say what became of a message: `sms.reports_url(…)`.
        per_second: how many messages the contract lets through.
        connect_timeout_s, read_timeout_s: to connect, and for the whole answer.
    """

    name = NAME

    def __init__(
        self,
        base_url: str,
        api_key: str,
        sender: str,
        reports_url: str,
        *,
        per_second: float = PER_SECOND,
        connect_timeout_s: float = asking.CONNECT_TIMEOUT_S,
        read_timeout_s: float = asking.ANSWER_TIMEOUT_S,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/sms/3/messages"
        self._sender = sender
        self._reports_url = reports_url
        self._http = asking.session(
            {"Authorization": f"App {api_key}"},
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=read_timeout_s,
        )
        self.limits = Limits(per_second=per_second, segments_max=SEGMENTS_MAX)

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over. Never raises for what a network or a provider does."""
        body = msgspec.json.encode(self._message(sms))
        try:
            answer = asking.ask(lambda: self._post(body))
        except asking.UnansweredError as unanswered:
            # The same id at the next attempt keeps it from going out twice.
            return unanswered.delivery
        if answer.status_code == http.HTTPStatus.OK:
            return _outcome(answer.content, sms.reference)
        return _refusal(answer)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _message(self, sms: Sms) -> dict[str, object]:
        destination = {"to": sms.to.e164.removeprefix("+")}
        if sms.reference:
            destination["messageId"] = sms.reference
        message: dict[str, object] = {
            "sender": self._sender,
            "destinations": [destination],
            "content": {"text": sms.text},
            "webhooks": {
                "delivery": {"url": self._reports_url, "intermediateReport": False, "notify": True},
                "contentType": "application/json",
            },
        }
        if sms.valid_s:
            validity = {"amount": sms.valid_s, "timeUnit": "SECONDS"}
            message["options"] = {"validityPeriod": validity}
        return {"messages": [message], "options": {"includeSmsCountInResponse": True}}

    def _post(self, body: bytes) -> requests.Response:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self._http.post(self._url, data=body, headers=headers)


def _outcome(body: bytes, reference: str) -> Delivery:
    """What HTTP 200 says of our message."""
    try:
        (answered,) = msgspec.json.decode(body, type=_Messages, strict=False).messages
    except (ValueError, RecursionError):
        # If it was taken, the next attempt is refused as a duplicate.
        return TryLater(f"unreadable answer: {asking.MAYBE_SENT}")
    status = answered.status
    if status is None:
        return TryLater(f"no status: {asking.MAYBE_SENT}")
    if status.group_id in _TAKEN or status.id == DUPLICATE_ID:
        segments = asking.whole(answered.details.message_count) if answered.details else 0
        return Sent(asking.provider_id(answered.message_id) or reference, NAME, segments)
    return _not_taken(status)


def _not_taken(status: Code) -> Delivery:
    reason = f"{status.id}: {status.word}"
    if status.id in REFUSED_BY_PERSON:
        return OptedOut(reason, NAME)
    if status.id in _NEVER:
        return Never(reason)
    if status.id in _MISCONFIGURED:
        return Misconfigured(reason)
    return TryLater(reason, FLOOD_WAIT_S if status.id == _FLOODED else 0)


def _refusal(answer: requests.Response) -> Delivery:
    """What a status of HTTP other than 200 says."""
    status = answer.status_code
    if status == http.HTTPStatus.TOO_MANY_REQUESTS:
        return TryLater("HTTP 429", asking.wait_s(answer))
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status == http.HTTPStatus.REQUEST_TIMEOUT:
        return TryLater(f"HTTP {status}")
    if status == http.HTTPStatus.BAD_REQUEST:
        return _bad_request(answer.content)
    return Misconfigured(f"HTTP {status}")


def _bad_request(body: bytes) -> Delivery:
    """Is the message wrong, or are we? Only what is surely the message's is given up."""
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except (ValueError, RecursionError):
        return Misconfigured("HTTP 400")
    properties = [violation.property for violation in refusal.violations]
    code = refusal.error_code if CODE_NAME.fullmatch(refusal.error_code) else ""
    reason = f"HTTP 400 {code}".strip()
    if properties and all(any(of in named for of in _OF_THE_MESSAGE) for named in properties):
        return Never(reason)
    return Misconfigured(reason)
