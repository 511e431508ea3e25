"""SMS by Twilio's Messages resource, through the official client.

Source: twilio.com/docs: "Message resource", "Error and warning dictionary", "Message redaction";
twilio-python 9.13.

Messages have no idempotency key there: what may have been taken is never tried again in here. It
is answered `TryLater`, and the outbox, which bounds its attempts, says so.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import requests
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from gateway.channels import asking
from gateway.channels.twilio.account import CHANNEL, STATUS_PATH, TwilioAccount
from gateway.channels.twilio.sms import STATES
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
from gateway.values.delivery import DeliveryState

API_URL = "https://api.twilio.com"
PER_SECOND = 10  # what Twilio passes on for a sender's name or a number outside North America
SEGMENTS_MAX = 10  # a body of 1,600 letters is the longest that is taken: 10 parts of 153
VALIDITY_MAX_S = 36_000  # ten hours: the longest that a message may wait in Twilio's queue

_CURRENCY = re.compile(r"[A-Z]{3}")

# What a code says. All other codes of a refusal (4xx) are ours to mend: nothing was sent, and a
# person has to read up the code.
OPTED_OUT = frozenset({21610})
NEVER = {
    21211: "no such number",
    21214: "the number cannot be reached",
    21612: "no route to the number",
    21614: "not a mobile",
    21635: "a landline",
    21602: "no text",
    21617: "the text is too long",
    30004: "blocked",
    30005: "unknown phone",
    30006: "a landline, or its network cannot be reached",
    30007: "the network took it for spam",
}
TRY_LATER = {
    14107: "sent too fast",
    20429: "sent too fast",
    21611: "the sender's queue is full",
    30001: "the queue is full",
    30003: "the phone cannot be reached",
    30008: "unknown error",
    30009: "a part got lost",
    30017: "the network is congested",
    63038: "the account's messages of the day are used up",
}
MISCONFIGURED = {
    20003: "wrong account or token",
    20404: "no such account",
    21408: "the country is not enabled",
    21604: "no number was given",
    21606: "not a sender of ours for that number",
    21608: "a trial account sends to verified numbers only",
    21609: "the status callback is no address that Twilio calls",
    21703: "no sender in the Messaging Service",
    30002: "the account is suspended",
    30024: "the network does not know our sender yet",
    30029: "message redaction is not enabled for the account",
    30032: "our sender is not verified",
}


class _AskedToWaitError(Exception):
    """HTTP 429: the request was not processed, and another is welcome after `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


class TwilioSender:
    """A `Sender`. One pool of connections, used by several threads at once.

    Args:
        account: has a SID and a token; reports come to its public base URL.
        from_: a number of ours, a short code or a sender's name. Empty where the service chooses.
        messaging_service_sid: `MG…`. Empty where `from_` says it all.
        discard_content: ask Twilio to keep no text once it is sent. A message holds somebody's
            money matters, so it is better on; but only an account with Message Redaction may ask
            it, and Twilio refuses every message (30029) of another.
        per_second: what Twilio passes on for this sender.
        api_url: Twilio's address; of another region, or of a stand-in.
        connect_timeout_s, read_timeout_s: to connect, and for the whole answer.

    Raises:
        ValueError: there is no account SID, or nobody to send as.
    """

    name = CHANNEL

    def __init__(
        self,
        account: TwilioAccount,
        *,
        from_: str = "",
        messaging_service_sid: str = "",
        discard_content: bool = False,
        per_second: float = PER_SECOND,
        api_url: str = API_URL,
        connect_timeout_s: float = asking.CONNECT_TIMEOUT_S,
        read_timeout_s: float = asking.ANSWER_TIMEOUT_S,
    ) -> None:
        if not account.account_sid:
            raise ValueError("account_sid: an account that sends has one")
        if not from_ and not messaging_service_sid:
            raise ValueError("from_, messaging_service_sid: one of them")
        self.limits = Limits(per_second=per_second, segments_max=SEGMENTS_MAX)
        self._http = _http(connect_timeout_s, read_timeout_s)
        self._messages = _client(account, api_url, self._http).messages
        self._fields: dict[str, Any] = {
            "status_callback": account.address(STATUS_PATH),
            "smart_encoded": False,  # our texts are plain already, and counted as they are
        }
        if from_:
            self._fields["from_"] = from_
        if messaging_service_sid:
            self._fields["messaging_service_sid"] = messaging_service_sid
        if discard_content:
            self._fields["content_retention"] = "discard"

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over."""
        fields = {**self._fields, "to": sms.to.e164, "body": sms.text}
        if sms.valid_s > 0:
            fields["validity_period"] = min(sms.valid_s, VALIDITY_MAX_S)
        try:
            return _taken(asking.ask(lambda: self._messages.create(**fields)))
        except _AskedToWaitError as asked:
            return TryLater("sent too fast", asked.wait_s)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refused(error.status, error.code)
        except asking.UnansweredError as unanswered:
            return unanswered.delivery
        except (ValueError, TypeError, AttributeError, RecursionError):
            # The client reads a reply without looking: of JSON that is none, or is no message.
            return TryLater(f"unreadable answer: {asking.MAYBE_SENT}")

    def close(self) -> None:
        """Give the connections back."""
        self._http.session.close()


def _client(account: TwilioAccount, api_url: str, http: TwilioHttpClient) -> Client:
    client = Client(
        account.account_sid,
        account.auth_tokens[0],
        http_client=http,
        # Else the process' TWILIO_EDGE and TWILIO_REGION would rewrite the host of `api_url`. An
        # empty mapping would not do: the client takes it for none.
        environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
    )
    client.api.base_url = api_url
    return client


def _http(connect_timeout_s: float, read_timeout_s: float) -> TwilioHttpClient:
    """The library's own client, asking by a session that has bounds: its own waits for ever."""
    quiet = logging.getLogger(f"{__name__}.http")
    quiet.setLevel(logging.WARNING)  # it tells every header of every request otherwise
    http = TwilioHttpClient(logger=quiet, request_hooks={"response": _look_for_429})
    http.session = asking.session(
        connect_timeout_s=connect_timeout_s, answer_timeout_s=read_timeout_s
    )
    return http


def _look_for_429(response: requests.Response, **_: object) -> None:
    """The client's errors have no headers, so Retry-After is read before they are made."""
    if response.status_code == requests.codes.too_many_requests:
        raise _AskedToWaitError(asking.wait_s(response))


def _taken(message: Any) -> Delivery:
    """A reply of 2xx."""
    if STATES.get(str(message.status)) is DeliveryState.FAILED:
        return _refused(requests.codes.bad_request, message.error_code)
    sid = asking.provider_id(message.sid)
    if not sid:
        return TryLater(f"an answer without a sid: {asking.MAYBE_SENT}")
    return Sent(
        sid,
        sender=CHANNEL,
        segments=asking.whole(message.num_segments),  # 0 while a service has not chosen the sender
        cost=_cost(message.price, message.price_unit),
    )


def _cost(price: object, unit: object) -> Cost | None:
    """Mostly none: Twilio knows it a while after."""
    micros = asking.micros(str(price).removeprefix("-"))  # what is charged comes with a minus
    currency = str(unit).upper()
    if micros is None or not _CURRENCY.fullmatch(currency):
        return None
    return Cost(micros, currency)


def _refused(said_status: object, said_code: object) -> Delivery:
    """What an error's HTTP status and Twilio's code mean. Its words may hold the number, so they
    are not repeated."""
    status, code = asking.whole(said_status), asking.whole(said_code)
    if code in OPTED_OUT:
        return OptedOut(f"{code}: opted out", CHANNEL)
    for meaning, table in ((Never, NEVER), (TryLater, TRY_LATER), (Misconfigured, MISCONFIGURED)):
        if code in table:
            return meaning(f"{code}: {table[code]}")
    if status >= requests.codes.server_error or status == requests.codes.request_timeout:
        return TryLater(f"HTTP {status}: {asking.MAYBE_SENT}")
    return Misconfigured(f"refused with code {code}")
