"""Sending by Africa's Talking, against a stand-in: what goes wrong first."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.bounds import SENDERS_AT_ONCE
from gateway.channels import asking
from gateway.channels.africastalking import sender as africastalking
from gateway.channels.africastalking.sender import AfricasTalkingSender
from gateway.notices.senders import (
    Away,
    Cost,
    Delivery,
    Misconfigured,
    Never,
    OptedOut,
    Sender,
    Sent,
    Sms,
    TryLater,
)
from gateway.values.msisdn import Msisdn
from tests.channels.standin import Answer, StandIn, back_at_the_first_retry, stand_in
from tests.people import ROSA

RECEIPT = Sms(Msisdn(ROSA.msisdn), "Enviaste S/ 50.00 a Segundo C., op. 100009.", "n-1", 600)
READ_TIMEOUT_S = 0.3  # who waits for a silent provider in a test
TAKEN = {
    "statusCode": 101,
    "number": ROSA.msisdn,
    "status": "Success",
    "cost": "KES 0.8000",
    "messageId": "ATXid_1",
    "messageParts": 1,
}


def reply(
    *recipients: dict[str, object], message: str = "Sent to 1/1 Total Cost: KES 0.8000"
) -> str:
    return json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}})


def created(http_status: int = 201, /, **change: object) -> Answer:
    return Answer(http_status, reply({**TAKEN, **change}))


def nobody(message: str, status: int = 201) -> Answer:
    return Answer(status, reply(message=message))


def refused(code: int, name: str, status: int = 201) -> Answer:
    """As it refuses one: a 201, no cost, no name."""
    change = {"status": name, "cost": "0", "messageId": "None"}
    return created(status, statusCode=code, **change)


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with stand_in() as provider:
        provider.answers(created())
        yield provider


@pytest.fixture
def sender(provider: StandIn) -> Iterator[AfricasTalkingSender]:
    sender = sender_at(provider)
    yield sender
    sender.close()


def sender_at(provider: StandIn, **options: Any) -> AfricasTalkingSender:
    return AfricasTalkingSender(
        "norandino",
        "key-1",
        **{
            "from_": "NORANDINO",
            "api_url": provider.url,
            "read_timeout_s": READ_TIMEOUT_S,
            **options,
        },
    )


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [
        (refused(403, "InvalidPhoneNumber"), Never("403: InvalidPhoneNumber")),
        (refused(404, "UnsupportedNumberType"), Never("404: UnsupportedNumberType")),
        (refused(407, "CouldNotRoute"), Never("407: CouldNotRoute")),
        (refused(409, "DoNotDisturbRejection", 409), Never("409: DoNotDisturbRejection")),
        (refused(502, "RejectedByGateway"), Never("502: RejectedByGateway")),
        (refused(406, "UserInBlacklist"), OptedOut("406: UserInBlacklist", "africastalking")),
        (refused(0, "UserInBlackList"), OptedOut("406: UserInBlacklist", "africastalking")),
        (refused(401, "RiskHold"), Misconfigured("401: RiskHold")),
        (refused(402, "InvalidSenderId"), Misconfigured("402: InvalidSenderId")),
        (refused(405, "InsufficientBalance"), Misconfigured("405: InsufficientBalance")),
        (refused(500, "InternalServerError"), TryLater("500: InternalServerError")),
        (refused(501, "GatewayError"), TryLater("501: GatewayError")),
        (refused(410, "Exploded"), TryLater("status code 410")),
        (refused(410, "CouldNotRoute"), Never("407: CouldNotRoute")),
        (created(statusCode={}, status=[]), TryLater("status code 0")),
        (nobody("InvalidSenderId"), Misconfigured("402: InvalidSenderId")),
        (nobody(" insufficientbalance "), Misconfigured("405: InsufficientBalance")),
        (nobody("InvalidPhoneNumber"), Never("403: InvalidPhoneNumber")),
        (nobody("Sent to 0/1 Total Cost: 0"), TryLater("nobody was taken: no reason")),
        (nobody(f"{ROSA.msisdn} is odd"), TryLater("nobody was taken: no reason")),
        (nobody("TelcoIsAsleep"), TryLater("nobody was taken: TelcoIsAsleep")),
        (nobody("NotAllowed", 403), Misconfigured("HTTP 403")),
        (nobody("Broken", 500), TryLater("HTTP 500, unreadable: may have been sent")),
        (Answer(201, reply()), TryLater("nobody was taken: no reason")),
        (Answer(401, "The supplied authentication is invalid"), Misconfigured("HTTP 401")),
        (Answer(400, "Request is missing required form field"), Misconfigured("HTTP 400")),
        (Answer(404, "<html>"), Misconfigured("HTTP 404")),
        (Answer(302, "", {"Location": "/elsewhere"}), Misconfigured("HTTP 302")),
        (Answer(408, ""), TryLater("HTTP 408")),
        (Answer(429, ""), TryLater("sent too fast")),
        (Answer(429, "", {"Retry-After": "7"}), TryLater("sent too fast", 7)),
        (Answer(429, "", {"Retry-After": "999999"}), TryLater("sent too fast", 3600)),
        (Answer(429, "", {"Retry-After": "-1"}), TryLater("sent too fast")),
        (Answer(503, "<html>"), TryLater("HTTP 503, unreadable: may have been sent")),
        (Answer(201, ""), TryLater("HTTP 201, unreadable: may have been sent")),
        (Answer(201, "{"), TryLater("HTTP 201, unreadable: may have been sent")),
        (Answer(201, "{}"), TryLater("HTTP 201, unreadable: may have been sent")),
        (Answer(201, "null"), TryLater("HTTP 201, unreadable: may have been sent")),
        (Answer(201, b"\xff\xfe\x00"), TryLater("HTTP 201, unreadable: may have been sent")),
        (Answer(201, "[" * 100_000), TryLater("HTTP 201, unreadable: may have been sent")),
        (
            Answer(201, '{"SMSMessageData": {"Recipients": "none"}}'),
            TryLater("HTTP 201, unreadable: may have been sent"),
        ),
    ],
)
def test_what_an_answer_means(
    provider: StandIn, sender: AfricasTalkingSender, answer: Answer, delivery: Delivery
) -> None:
    """A 201 is no success, and what was asked once is never asked again in here."""
    provider.answers(answer)

    assert sender.send(RECEIPT) == delivery
    assert len(provider.heard) == 1


@pytest.mark.parametrize("code", sorted(africastalking.REFUSALS))
def test_every_code_of_a_refusal_has_its_meaning(
    provider: StandIn, sender: AfricasTalkingSender, code: int
) -> None:
    provider.answers(refused(code, "Whatever"))

    assert sender.send(RECEIPT) == africastalking.REFUSALS[code]


def test_a_provider_that_never_answers_is_left_in_time_and_not_asked_again(
    provider: StandIn, sender: AfricasTalkingSender
) -> None:
    """The message may be on its way."""
    provider.answers(Answer(silent=True))

    began = time.monotonic()
    delivery = sender.send(RECEIPT)

    assert time.monotonic() - began < READ_TIMEOUT_S + 2
    assert delivery == TryLater("no answer in time: may have been sent")
    assert len(provider.heard) == 1


def test_a_connection_that_breaks_after_the_question_is_not_asked_again(
    provider: StandIn, sender: AfricasTalkingSender
) -> None:
    provider.answers(Answer(breaks=True))

    assert sender.send(RECEIPT) == TryLater("the connection broke: may have been sent")
    assert len(provider.heard) == 1


def test_a_provider_that_is_away_is_asked_again_and_then_given_up() -> None:
    """Nothing can have been sent: but the outbox has more time than one call."""
    with stand_in(away=True) as provider, capture_logs() as logs:
        delivery = sender_at(provider).send(RECEIPT)

    assert delivery == Away("no connection")
    retries = [line for line in logs if line["event"] == "stamina.retry_scheduled"]
    assert len(retries) == asking.RETRY_TRIES - 1
    assert ROSA.msisdn not in str(logs)
    assert "Enviaste" not in str(logs)
    assert "key-1" not in str(logs)


def test_a_provider_that_was_away_for_a_moment_gets_the_message_once() -> None:
    with back_at_the_first_retry() as provider:
        provider.answers(created())
        sender = sender_at(provider)
        delivery = sender.send(RECEIPT)
        sender.close()

    assert isinstance(delivery, Sent)
    assert len(provider.heard) == 1


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("api.africastalking.com", "key"),
        ("gopher://api.africastalking.com", "key"),
        ("http://[::1", "key"),
        ("http://127.0.0.1:9", "key\nX-Injected: 1"),
        ("http://127.0.0.1:9", "key\r\n"),
    ],
)
def test_what_cannot_be_asked_is_for_a_person_to_mend(url: str, key: str) -> None:
    delivery = AfricasTalkingSender("norandino", key, api_url=url).send(RECEIPT)

    assert isinstance(delivery, Misconfigured)


def test_the_request_is_what_the_provider_takes(
    provider: StandIn, sender: AfricasTalkingSender
) -> None:
    sender.send(Sms(RECEIPT.to, "Año: ¿cuánto? €"))

    (heard,) = provider.heard
    assert (heard.method, heard.path) == ("POST", "/version1/messaging")
    assert heard.headers["apiKey"] == "key-1"
    assert heard.headers["Accept"] == "application/json"
    assert heard.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert heard.form == {
        "username": "norandino",
        "to": ROSA.msisdn,
        "message": "Año: ¿cuánto? €",
        "from": "NORANDINO",
        "bulkSMSMode": "1",
        "enqueue": "1",
    }


def test_without_a_sender_of_our_own_the_provider_puts_its_own(provider: StandIn) -> None:
    sender = sender_at(provider, from_="", api_url=provider.url + "/")
    sender.send(RECEIPT)
    sender.close()

    assert "from" not in provider.heard[0].form
    assert provider.heard[0].path == "/version1/messaging"


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({}, ("ATXid_1", 1, Cost(800_000, "KES"))),
        ({"statusCode": 100}, ("ATXid_1", 1, Cost(800_000, "KES"))),
        ({"statusCode": 102, "messageParts": 2}, ("ATXid_1", 2, Cost(800_000, "KES"))),
        ({"statusCode": "101", "messageParts": "2"}, ("ATXid_1", 2, Cost(800_000, "KES"))),
        ({"statusCode": None}, ("ATXid_1", 1, Cost(800_000, "KES"))),
        ({"messageId": None}, ("", 1, Cost(800_000, "KES"))),
        ({"messageId": "None"}, ("", 1, Cost(800_000, "KES"))),
        ({"messageId": ""}, ("", 1, Cost(800_000, "KES"))),
        ({"messageId": "x" * 129}, ("", 1, Cost(800_000, "KES"))),
        ({"messageId": {"a": 1}}, ("", 1, Cost(800_000, "KES"))),
        ({"messageParts": None}, ("ATXid_1", 0, Cost(800_000, "KES"))),
        ({"messageParts": "many"}, ("ATXid_1", 0, Cost(800_000, "KES"))),
        ({"cost": "UGX 25"}, ("ATXid_1", 1, Cost(25_000_000, "UGX"))),
        ({"cost": "KES 0.1234567"}, ("ATXid_1", 1, Cost(123_456, "KES"))),
        ({"cost": "0"}, ("ATXid_1", 1, None)),
        ({"cost": 0.8}, ("ATXid_1", 1, None)),
        ({"cost": None}, ("ATXid_1", 1, None)),
        ({"cost": "KES NaN"}, ("ATXid_1", 1, None)),
        ({"cost": "KES 1e400000000"}, ("ATXid_1", 1, None)),
        ({"cost": "KES -1"}, ("ATXid_1", 1, None)),
        ({"new": "field"}, ("ATXid_1", 1, Cost(800_000, "KES"))),
    ],
)
def test_what_was_taken_has_its_name_its_segments_and_its_cost(
    provider: StandIn,
    sender: AfricasTalkingSender,
    change: dict[str, object],
    sent: tuple[str, int, Cost | None],
) -> None:
    """Where the provider says them."""
    provider.answers(created(**change))
    provider_id, segments, cost = sent

    assert sender.send(RECEIPT) == Sent(provider_id, "africastalking", segments, cost)


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "text/html; charset=latin-1", ""],
)
def test_an_answer_is_read_whatever_its_content_type(
    provider: StandIn, sender: AfricasTalkingSender, content_type: str
) -> None:
    """The provider's own library reads one of these only."""
    provider.answers(Answer(201, reply(TAKEN), {"Content-Type": content_type}))

    assert isinstance(sender.send(RECEIPT), Sent)


def test_many_threads_share_a_sender(provider: StandIn, sender: AfricasTalkingSender) -> None:
    """As the outbox uses it."""
    answers: list[Delivery] = []

    def send_some() -> None:
        answers.extend(sender.send(RECEIPT) for _ in range(5))

    threads = [threading.Thread(target=send_some) for _ in range(SENDERS_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [type(answer) for answer in answers] == [Sent] * (5 * SENDERS_AT_ONCE)
    assert len(provider.heard) == 5 * SENDERS_AT_ONCE


def test_it_is_a_sender_and_says_what_it_carries(provider: StandIn) -> None:
    sender: Sender = sender_at(provider, per_second=1)

    assert (sender.name, sender.limits.per_second) == ("africastalking", 1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_REPLIES = st.fixed_dictionaries(
    {
        "SMSMessageData": st.fixed_dictionaries(
            {},
            optional={
                "Message": _JSON,
                "Recipients": _JSON
                | st.lists(st.dictionaries(st.sampled_from([*TAKEN]), _JSON), max_size=2),
            },
        )
    }
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(status=st.sampled_from([200, 201, 400, 409, 429, 503]), body=_REPLIES | _JSON)
def test_any_answer_is_understood_in_some_way(
    provider: StandIn, sender: AfricasTalkingSender, status: int, body: object
) -> None:
    """Nothing is raised, whatever JSON comes."""
    provider.answers(Answer(status, json.dumps(body)))

    assert isinstance(sender.send(RECEIPT), Sent | TryLater | Never | OptedOut | Misconfigured)
