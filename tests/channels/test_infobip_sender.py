"""Sending by Infobip, against a stand-in on the loopback interface: what goes wrong first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.bounds import SEND_TIMEOUT_S, SENDERS_AT_ONCE
from gateway.channels import asking
from gateway.channels.infobip.sender import InfobipSender
from gateway.channels.infobip.sms import reports_url
from gateway.notices.senders import (
    Away,
    Delivery,
    Misconfigured,
    Never,
    OptedOut,
    Sent,
    Sms,
    TryLater,
)
from gateway.values.msisdn import Msisdn
from tests.channels.standin import Answer, StandIn, back_at_the_first_retry, stand_in
from tests.people import ROSA

KEY = "k3y-of-the-account"
TEXT = "Enviaste S/ 50.00 a Segundo C. el 23 nov, op. 100009."
RECEIPT = Sms(Msisdn(ROSA.msisdn), TEXT, reference="out-7f3a", valid_s=600)
SEND_ONE = """
import sys
from gateway.channels.infobip.sender import InfobipSender
from gateway.notices.senders import Sms
from gateway.values.msisdn import Msisdn
url, key = sys.argv[1:]
InfobipSender(url, key, "NORANDINO", "https://h/r").send(Sms(Msisdn("+51987000001"), "Hola"))
"""
MAYBE_SENT = "may have been sent"


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with stand_in() as provider:
        yield provider


def sender_to(url: str, **more: Any) -> InfobipSender:
    return InfobipSender(
        url, KEY, "NORANDINO", reports_url("https://ussd.norandino.pe", "s3cret"), **more
    )


def taken(
    group: object = 1, code: object = 26, name: str = "PENDING_ACCEPTED", **more: object
) -> Answer:
    message = {
        "messageId": "out-7f3a",
        "status": {"groupId": group, "groupName": "G", "id": code, "name": name},
        "destination": "51987000001",
        "details": {"messageCount": 1},
        **more,
    }
    return Answer(200, json.dumps({"bulkId": "b", "messages": [message]}))


def refused(*properties: str, code: str = "E400") -> str:
    violations = [{"property": each, "violation": "must be right"} for each in properties]
    return json.dumps({"errorCode": code, "description": "51987000001", "violations": violations})


def test_while_nobody_listens_nothing_was_sent_and_it_is_tried_again() -> None:
    """Within the time that a sender has. Each retry is in the log, and the message is not."""
    with stand_in(away=True) as provider, capture_logs() as logs:
        began = time.monotonic()
        answer = sender_to(provider.url).send(RECEIPT)

    assert answer == Away("no connection")
    assert time.monotonic() - began < SEND_TIMEOUT_S
    assert provider.heard == []
    retries = [line for line in logs if line["event"] == "stamina.retry_scheduled"]
    assert len(retries) == asking.RETRY_TRIES - 1
    for secret in (TEXT, ROSA.msisdn.removeprefix("+"), KEY, provider.url):
        assert secret not in str(logs)


def test_a_provider_that_is_back_at_the_second_try_gets_the_message_once() -> None:
    with back_at_the_first_retry() as provider:
        provider.answers(taken())

        assert sender_to(provider.url).send(RECEIPT) == Sent("out-7f3a", "infobip", 1)
    assert len(provider.heard) == 1


def test_a_name_that_leads_nowhere_is_no_connection() -> None:
    assert sender_to("http://infobip.invalid").send(RECEIPT) == Away("no connection")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(silent=True), "no answer in time"),
        (Answer(breaks=True), "the connection broke"),
        (Answer(200, " " * 10_000, trickles="body"), "no answer in time"),
    ],
)
def test_without_an_answer_it_may_have_been_sent_and_is_not_tried_again_in_here(
    provider: StandIn, answer: Answer, reason: str
) -> None:
    """The outbox comes again, under the same id."""
    provider.answers(answer)

    said = sender_to(provider.url, read_timeout_s=0.2).send(RECEIPT)

    assert said == TryLater(f"{reason}: {MAYBE_SENT}")
    assert len(provider.heard) == 1


def test_an_answer_that_breaks_off_may_have_been_a_yes(provider: StandIn) -> None:
    provider.answers(Answer(200, b"\x1f\x8b no gzip", {"Content-Encoding": "gzip"}))

    assert sender_to(provider.url).send(RECEIPT) == TryLater(f"unreadable answer: {MAYBE_SENT}")


@pytest.mark.parametrize(
    "url", ["", "api.infobip.com", "ftp://api.infobip.com", "https://", "https://a b.com"]
)
def test_an_address_that_is_none_is_ours_to_mend(url: str) -> None:
    assert isinstance(sender_to(url).send(RECEIPT), Misconfigured)


def test_a_key_that_is_none_is_ours_to_mend_and_not_repeated(provider: StandIn) -> None:
    sender = InfobipSender(provider.url, f"{KEY}\n", "NORANDINO", "https://h/r")

    said = sender.send(RECEIPT)

    assert isinstance(said, Misconfigured)
    assert KEY not in str(said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(400, "no JSON"), Misconfigured("HTTP 400")),
        (Answer(400, "[" * 10_000), Misconfigured("HTTP 400")),
        (Answer(400, b"\xff\xfe"), Misconfigured("HTTP 400")),
        (Answer(400, refused()), Misconfigured("HTTP 400 E400")),
        (Answer(400, refused("messages[0].sender")), Misconfigured("HTTP 400 E400")),
        (
            Answer(400, refused("messages[0].webhooks.contentType")),
            Misconfigured("HTTP 400 E400"),
        ),
        (
            Answer(400, refused("messages[0].sender", "messages[0].destinations[0].to")),
            Misconfigured("HTTP 400 E400"),
        ),
        (Answer(400, refused("messages[0].destinations[0].to")), Never("HTTP 400 E400")),
        (
            Answer(400, refused("messages[0].content.text", code="la persona")),
            Never("HTTP 400"),
        ),
        (Answer(401, '{"errorCode": "E401"}'), Misconfigured("HTTP 401")),
        (Answer(403), Misconfigured("HTTP 403")),
        (Answer(404), Misconfigured("HTTP 404")),
        (Answer(204), Misconfigured("HTTP 204")),
        (Answer(429), TryLater("HTTP 429")),
        (Answer(429, "", {"Retry-After": "7"}), TryLater("HTTP 429", 7)),
        (Answer(429, "", {"Retry-After": "-7"}), TryLater("HTTP 429")),
        (Answer(429, "", {"Retry-After": "9" * 400}), TryLater("HTTP 429", 3600)),
        (
            Answer(429, "", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
            TryLater("HTTP 429"),
        ),
        (Answer(408), TryLater("HTTP 408")),
        (Answer(500, "<html>"), TryLater("HTTP 500")),
        (Answer(503), TryLater("HTTP 503")),
    ],
)
def test_a_status_of_http_says_what_helps(
    provider: StandIn, answer: Answer, said: Delivery
) -> None:
    """Only what is surely the message's own fault is given up."""
    provider.answers(answer)

    assert sender_to(provider.url).send(RECEIPT) == said
    assert len(provider.heard) == 1


def test_a_redirect_is_not_followed(provider: StandIn) -> None:
    """It would carry our key to another host."""
    provider.answers(Answer(307, "", {"Location": f"{provider.url}/elsewhere"}), taken())

    assert sender_to(provider.url).send(RECEIPT) == Misconfigured("HTTP 307")
    assert len(provider.heard) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "OK",
        "[]",
        "{}",
        '{"messages": []}',
        '{"messages": [{}, {}]}',
        '{"messages": [1]}',
        '{"messages": [{"status": "PENDING"}]}',
        b"\xff\xfe",
        "[" * 10_000,
        '{"messages": "' + "x" * 1_000_000 + '"}',
    ],
)
def test_an_answer_that_says_nothing_may_have_been_a_yes(
    provider: StandIn, body: str | bytes
) -> None:
    provider.answers(Answer(200, body))

    assert sender_to(provider.url).send(RECEIPT) == TryLater(f"unreadable answer: {MAYBE_SENT}")


def test_a_message_without_a_status_may_have_been_taken(provider: StandIn) -> None:
    provider.answers(Answer(200, '{"messages": [{"messageId": "m"}]}'))

    assert sender_to(provider.url).send(RECEIPT) == TryLater(f"no status: {MAYBE_SENT}")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (taken(5, 8, "REJECTED_PREFIX_MISSING"), Never("8: REJECTED_PREFIX_MISSING")),
        (taken(5, 52, "REJECTED_DESTINATION"), Never("52: REJECTED_DESTINATION")),
        (taken(5, 25, "REJECTED_MESSAGE_TOO_LONG"), Never("25: REJECTED_MESSAGE_TOO_LONG")),
        (taken(5, 10, "REJECTED_DND"), OptedOut("10: REJECTED_DND", "infobip")),
        (taken(5, 14, "al 51987000001 no"), OptedOut("14: 14", "infobip")),
        (taken(5, 6, "REJECTED_NETWORK"), Misconfigured("6: REJECTED_NETWORK")),
        (taken(5, 11, "REJECTED_SOURCE"), Misconfigured("11: REJECTED_SOURCE")),
        (
            taken(5, 12, "REJECTED_NOT_ENOUGH_CREDITS"),
            Misconfigured("12: REJECTED_NOT_ENOUGH_CREDITS"),
        ),
        (taken(5, 19, "X"), Misconfigured("19: 19")),
        (taken(5, 20, "REJECTED_FLOODING_FILTER"), TryLater("20: REJECTED_FLOODING_FILTER", 600)),
        (taken(5, 21, "REJECTED_SYSTEM_ERROR"), TryLater("21: REJECTED_SYSTEM_ERROR")),
        (taken(5, 777, "REJECTED_NEW"), TryLater("777: REJECTED_NEW")),
        (taken(2, 31, "UNDELIVERABLE_NOT_SENT"), TryLater("31: UNDELIVERABLE_NOT_SENT")),
        (taken(9, 1, "UNHEARD_OF"), TryLater("1: UNHEARD_OF")),
        (taken(None, None), TryLater("None: PENDING_ACCEPTED")),
    ],
)
def test_http_200_is_not_success(provider: StandIn, answer: Answer, said: Delivery) -> None:
    """The status inside says what became of the message; a name only if it is a code."""
    provider.answers(answer)

    assert sender_to(provider.url).send(RECEIPT) == said


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (taken(), Sent("out-7f3a", "infobip", 1)),
        (taken("1", "26"), Sent("out-7f3a", "infobip", 1)),
        (taken(0, 0, "OK"), Sent("out-7f3a", "infobip", 1)),
        (taken(3, 5, "DELIVERED_TO_HANDSET"), Sent("out-7f3a", "infobip", 1)),
        (taken(details={"messageCount": 3}), Sent("out-7f3a", "infobip", 3)),
        (taken(details=None), Sent("out-7f3a", "infobip", 0)),
        (taken(messageId="theirs"), Sent("theirs", "infobip", 1)),
        (taken(messageId=""), Sent("out-7f3a", "infobip", 1)),
        (taken(messageId={"a": 1}), Sent("out-7f3a", "infobip", 1)),
        (taken(messageId="x\0y"), Sent("out-7f3a", "infobip", 1)),
        (taken(messageId="x" * 129), Sent("out-7f3a", "infobip", 1)),
        (taken(details={"messageCount": 10**20}), Sent("out-7f3a", "infobip", 0)),
        (taken(details={"messageCount": "many"}), Sent("out-7f3a", "infobip", 0)),
        (taken(details={"messageCount": -1}), Sent("out-7f3a", "infobip", 0)),
        (taken(5, 23, "REJECTED_DUPLICATE_MESSAGE_ID"), Sent("out-7f3a", "infobip", 1)),
    ],
)
def test_what_was_taken_is_sent(provider: StandIn, answer: Answer, sent: Sent) -> None:
    """A duplicate too: then an earlier attempt was taken, and only its answer was lost."""
    provider.answers(answer)

    assert sender_to(provider.url).send(RECEIPT) == sent


def test_a_second_attempt_after_a_lost_answer_does_not_go_out_twice(provider: StandIn) -> None:
    provider.answers(Answer(breaks=True), taken(5, 23, "REJECTED_DUPLICATE_MESSAGE_ID"))
    sender = sender_to(provider.url)

    first, second = sender.send(RECEIPT), sender.send(RECEIPT)

    assert isinstance(first, TryLater)
    assert isinstance(second, Sent)
    ids = [json.loads(heard.body)["messages"][0]["destinations"] for heard in provider.heard]
    assert ids == [[{"to": "51987000001", "messageId": "out-7f3a"}]] * 2


def test_a_message_says_all_that_the_api_wants(provider: StandIn) -> None:
    """One destination, our id, how long it is of use, and where to say what became of it."""
    provider.answers(taken())

    sender_to(f"{provider.url}/").send(RECEIPT)

    (heard,) = provider.heard
    assert (heard.method, heard.path) == ("POST", "/sms/3/messages")
    assert heard.headers["Authorization"] == f"App {KEY}"
    assert heard.headers["Content-Type"] == "application/json"
    assert json.loads(heard.body) == {
        "messages": [
            {
                "sender": "NORANDINO",
                "destinations": [{"to": "51987000001", "messageId": "out-7f3a"}],
                "content": {"text": TEXT},
                "options": {"validityPeriod": {"amount": 600, "timeUnit": "SECONDS"}},
                "webhooks": {
                    "delivery": {
                        "url": "https://ussd.norandino.pe/sms/infobip/s3cret/reports",
                        "intermediateReport": False,
                        "notify": True,
                    },
                    "contentType": "application/json",
                },
            }
        ],
        "options": {"includeSmsCountInResponse": True},
    }


def test_what_a_message_does_not_have_is_left_out(provider: StandIn) -> None:
    """Then Infobip gives it an id, and keeps it as long as it likes."""
    provider.answers(taken(messageId="theirs"))

    sent = sender_to(provider.url).send(Sms(Msisdn(ROSA.msisdn), "Año ñandú"))

    (message,) = json.loads(provider.heard[0].body)["messages"]
    assert sent == Sent("theirs", "infobip", 1)
    assert message["destinations"] == [{"to": "51987000001"}]
    assert "options" not in message
    assert message["content"] == {"text": "Año ñandú"}


def test_the_machines_own_passwords_do_not_take_our_keys_place(
    provider: StandIn, tmp_path: Path
) -> None:
    """The client reads .netrc if it is let."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login rosa password hers\n")
    provider.answers(taken())

    subprocess.run(
        [sys.executable, "-c", SEND_ONE, provider.url, KEY],
        env={**os.environ, "NETRC": str(netrc)},
        check=True,
        timeout=30,
    )

    assert provider.heard[0].headers["Authorization"] == f"App {KEY}"


def test_many_threads_send_at_once_by_connections_that_are_kept(provider: StandIn) -> None:
    provider.answers(taken())
    sender = sender_to(provider.url, per_second=50)

    with ThreadPoolExecutor(SENDERS_AT_ONCE) as pool:
        answers = list(pool.map(sender.send, [RECEIPT] * 64))
    sender.close()

    assert answers == [Sent("out-7f3a", "infobip", 1)] * 64
    assert len(provider.heard) == 64
    assert (sender.name, sender.limits.per_second) == ("infobip", 50)


def test_neither_key_nor_text_prints() -> None:
    assert KEY not in repr(sender_to("https://x.api.infobip.com"))
    assert TEXT not in repr(RECEIPT)
