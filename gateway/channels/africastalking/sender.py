"""SMS by Africa's Talking's messaging endpoint.

Source: developers.africastalking.com, "Send bulk SMS", and the provider's own client libraries.

A plain request, because the provider's Python library has one account a process and reads a reply
only if its Content-Type is to the letter what it expects. There is no idempotency key: what may
have been taken is never tried again in here. Nor is there a validity for such messages: a late one
arrives late.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import requests

from gateway.channels import asking
from gateway.channels.africastalking.sms import CHANNEL
from gateway.notices.senders import (
    Cost,
    Delivery,
    Limits,
    Misconfigured,
    Never,
    OptedOut,
    Sent,
    Sms,
    TryLater,
)

API_URL = "https://api.africastalking.com"
SANDBOX_URL = "https://api.sandbox.africastalking.com"  # with the user name `sandbox`
PER_SECOND = 10  # nothing is published: what any short code carries
SEGMENTS_MAX = 10  # nothing is published: longer than any text of ours

_PATH = "/version1/messaging"
_WORD = re.compile(r"[A-Za-z]{1,40}")  # a reason as the provider writes them, and nothing private
_PRICE = re.compile(r"([A-Z]{3}) ?([0-9.]+)")

TAKEN = frozenset({100, 101, 102})  # processed, sent, queued

# What became of a message that was not taken, by its `statusCode`. 402 and 405 are said in
# `Message` alone where nobody was taken at all.
REFUSALS: dict[int, Never | TryLater | OptedOut | Misconfigured] = {
    401: Misconfigured("401: RiskHold"),
    402: Misconfigured("402: InvalidSenderId"),
    403: Never("403: InvalidPhoneNumber"),
    404: Never("404: UnsupportedNumberType"),
    # Nothing was sent, a person has to pay, and until then another provider may carry it.
    405: Misconfigured("405: InsufficientBalance"),
    406: OptedOut("406: UserInBlacklist", CHANNEL),
    407: Never("407: CouldNotRoute"),
    409: Never("409: DoNotDisturbRejection"),
    500: TryLater("500: InternalServerError"),
    501: TryLater("501: GatewayError"),
    502: Never("502: RejectedByGateway"),
}
_BY_NAME = {refusal.reason.partition(": ")[2].lower(): refusal for refusal in REFUSALS.values()}


class _Recipient(msgspec.Struct, rename="camel"):
    status_code: Any = 0
    status: Any = ""
    message_id: Any = ""
    cost: Any = ""
    message_parts: Any = 0


class _Data(msgspec.Struct, rename="pascal"):
    message: Any = ""
    recipients: list[_Recipient] = []


class _Reply(msgspec.Struct):
    data: _Data = msgspec.field(name="SMSMessageData")


class AfricasTalkingSender:
    """A `Sender`. One pool of connections, used by several threads at once.

    Args:
        username: of the application there.
        api_key: its key.
        from_: a short code or a sender's name. Empty: the provider's own.
        per_second: what the provider passes on for us.
        api_url: the provider's address; `SANDBOX_URL`, or of a stand-in.
        connect_timeout_s, read_timeout_s: to connect, and for the whole answer.
    """

    name = CHANNEL

    def __init__(
        self,
        username: str,
        api_key: str,
        *,
        from_: str = "",
        per_second: float = PER_SECOND,
        api_url: str = API_URL,
        connect_timeout_s: float = asking.CONNECT_TIMEOUT_S,
        read_timeout_s: float = asking.ANSWER_TIMEOUT_S,
    ) -> None:
        self.limits = Limits(per_second=per_second, segments_max=SEGMENTS_MAX)
        self._url = api_url.rstrip("/") + _PATH
        self._fields = {
            "username": username,
            "bulkSMSMode": "1",  # who sends pays
            # Answered before the network was asked: a shorter wait, so that fewer answers get lost
            # and fewer messages are sent twice. What the network says comes as a report.
            "enqueue": "1",
        } | ({"from": from_} if from_ else {})
        self._http = asking.session(
            {"apiKey": api_key},
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=read_timeout_s,
        )

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over."""
        fields = {**self._fields, "to": sms.to.e164, "message": sms.text}
        try:
            return _read(asking.ask(lambda: self._post(fields)))
        except asking.UnansweredError as unanswered:
            return unanswered.delivery

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _post(self, fields: dict[str, str]) -> requests.Response:
        return self._http.post(self._url, data=fields, headers={"Accept": "application/json"})


def _read(response: requests.Response) -> Delivery:
    """What an answer says: of the message if it can be read, whatever its HTTP status, for a
    refusal comes with 201, 409 and others."""
    try:
        data = msgspec.json.decode(response.content, type=_Reply).data
    except (msgspec.MsgspecError, RecursionError):
        return _by_status(response)
    if data.recipients:
        return _of(data.recipients[0])
    said = str(data.message).strip()
    if refusal := _BY_NAME.get(said.lower()):
        return refusal
    if not response.ok:
        return _by_status(response)
    return TryLater(f"nobody was taken: {said if _WORD.fullmatch(said) else 'no reason'}")


def _of(recipient: _Recipient) -> Delivery:
    code, status = asking.whole(recipient.status_code), str(recipient.status).lower()
    if code in TAKEN or (not code and status == "success"):
        return Sent(
            asking.provider_id(recipient.message_id),
            sender=CHANNEL,
            segments=asking.whole(recipient.message_parts),
            cost=_cost(recipient.cost),
        )
    return REFUSALS.get(code) or _BY_NAME.get(status) or TryLater(f"status code {code}")


def _by_status(response: requests.Response) -> Delivery:
    """An answer that says nothing of the message but its HTTP status."""
    status = response.status_code
    if status == requests.codes.too_many_requests:
        return TryLater("sent too fast", asking.wait_s(response))
    if status == requests.codes.request_timeout:
        return TryLater(f"HTTP {status}")
    if requests.codes.multiple_choices <= status < requests.codes.server_error:
        return Misconfigured(f"HTTP {status}")
    return TryLater(f"HTTP {status}, unreadable: {asking.MAYBE_SENT}")


def _cost(said: object) -> Cost | None:
    """`KES 0.8000`; of a message that was not taken `0`."""
    price = _PRICE.fullmatch(str(said).strip())
    micros = asking.micros(price[2]) if price else None
    return Cost(micros, price[1]) if price and micros is not None else None
