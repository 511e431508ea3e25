"""Sending by Twilio's own client, against a stand-in: what goes wrong first."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.bounds import OUTBOX_BACKOFF_MAX_S, SENDERS_AT_ONCE
from gateway.channels import asking
from gateway.channels.twilio import sender as twilio
from gateway.channels.twilio.account import TwilioAccount
from gateway.channels.twilio.sender import TwilioSender
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

SID = "AC" + "1" * 32
ACCOUNT = TwilioAccount(SID, ("first-token", "second-token"), "https://sms.norandino.pe/")
OURS = "+51900000001"
SERVICE = "MG" + "3" * 32
RECEIPT = Sms(Msisdn(ROSA.msisdn), "Enviaste S/ 50.00 a Segundo C., op. 100009.", "n-1", 600)

Refusal = Never | TryLater | Misconfigured

READ_TIMEOUT_S = 0.3  # who waits for a silent provider in a test

CREATED = {
    "sid": "SM" + "a" * 32,
    "account_sid": SID,
    "status": "queued",
    "num_segments": "1",
    "price": None,
    "price_unit": "USD",
    "error_code": None,
    "error_message": None,
}


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with stand_in() as provider:
        provider.answers(created())
        yield provider


@pytest.fixture
def sender(provider: StandIn) -> Iterator[TwilioSender]:
    sender = twilio_at(provider)
    yield sender
    sender.close()


def twilio_at(provider: StandIn, **options: Any) -> TwilioSender:
    return TwilioSender(
        ACCOUNT,
        **{
            "from_": OURS,
            "api_url": provider.url,
            "read_timeout_s": READ_TIMEOUT_S,
            **options,
        },
    )


def created(**change: object) -> Answer:
    return Answer(201, json.dumps({**CREATED, **change}))


def error(status: int, code: int) -> Answer:
    """As Twilio writes one: the message holds the number."""
    body = {
        "code": code,
        "message": f"The number {ROSA.msisdn} …",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Answer(status, json.dumps(body))


def problem(status: object, code: object) -> Answer:
    """The newer kind (RFC 9457)."""
    body = {"type": "about:blank", "title": ROSA.msisdn, "status": status, "code": code}
    return Answer(400, json.dumps(body))


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [
        (error(400, 21211), Never("21211: no such number")),
        (error(400, 21614), Never("21614: not a mobile")),
        (error(400, 21602), Never("21602: no text")),
        (error(400, 21610), OptedOut("21610: opted out", "twilio")),
        (problem(400, 21610), OptedOut("21610: opted out", "twilio")),
        (error(401, 20003), Misconfigured("20003: wrong account or token")),
        (error(404, 20404), Misconfigured("20404: no such account")),
        (error(400, 21606), Misconfigured("21606: not a sender of ours for that number")),
        (error(400, 29999), Misconfigured("refused with code 29999")),
        (problem(400, "21606"), Misconfigured("21606: not a sender of ours for that number")),
        (problem("many", {"a": 1}), Misconfigured("refused with code 0")),
        (Answer(400, "no JSON at all"), Misconfigured("refused with code 400")),
        (Answer(401, ""), Misconfigured("refused with code 401")),
        (Answer(302, "", {"Location": "/elsewhere"}), Misconfigured("refused with code 302")),
        (error(400, 21611), TryLater("21611: the sender's queue is full")),
        (error(429, 20429), TryLater("sent too fast")),
        (Answer(429, "", {"Retry-After": "7"}), TryLater("sent too fast", 7)),
        (Answer(429, "", {"Retry-After": "9" * 6}), TryLater("sent too fast", 3600)),
        (Answer(429, "", {"Retry-After": "9" * 60}), TryLater("sent too fast", 3600)),
        (
            Answer(429, "", {"Retry-After": "Mon, 05 Oct 2026 06:04:45 GMT"}),
            TryLater("sent too fast"),
        ),
        (Answer(408, ""), TryLater("HTTP 408: may have been sent")),
        (Answer(500, "<html>"), TryLater("HTTP 500: may have been sent")),
        (error(503, 20503), TryLater("HTTP 503: may have been sent")),
        (Answer(201, "{"), TryLater("unreadable answer: may have been sent")),
        (Answer(201, "[]"), TryLater("unreadable answer: may have been sent")),
        (Answer(201, "null"), TryLater("unreadable answer: may have been sent")),
        (Answer(201, b"\xff\xfe\x00"), TryLater("unreadable answer: may have been sent")),
        (Answer(201, "[" * 100_000), TryLater("unreadable answer: may have been sent")),
        (Answer(201, ""), TryLater("an answer without a sid: may have been sent")),
        (Answer(200, "{}"), TryLater("an answer without a sid: may have been sent")),
        (created(sid=None), TryLater("an answer without a sid: may have been sent")),
        (created(sid="None"), TryLater("an answer without a sid: may have been sent")),
        (created(sid={"a": 1}), TryLater("an answer without a sid: may have been sent")),
        (created(status="failed", error_code=21610), OptedOut("21610: opted out", "twilio")),
        (created(status="failed", error_code="30005"), Never("30005: unknown phone")),
        (created(status="failed"), Misconfigured("refused with code 0")),
        (created(error_code=30005), Sent(str(CREATED["sid"]), "twilio", 1)),
        (created(status={}), Sent(str(CREATED["sid"]), "twilio", 1)),
    ],
)
def test_what_an_answer_means(
    provider: StandIn, sender: TwilioSender, answer: Answer, delivery: Delivery
) -> None:
    """Once it was asked, it is never asked again in here; and its words are not repeated."""
    provider.answers(answer)

    assert sender.send(RECEIPT) == delivery
    assert len(provider.heard) == 1


@pytest.mark.parametrize(
    ("table", "kind"),
    [(twilio.NEVER, Never), (twilio.TRY_LATER, TryLater), (twilio.MISCONFIGURED, Misconfigured)],
)
def test_each_code_has_one_meaning(
    provider: StandIn, sender: TwilioSender, table: dict[int, str], kind: type[Refusal]
) -> None:
    for code, said in table.items():
        provider.answers(error(400, code))
        assert sender.send(RECEIPT) == kind(f"{code}: {said}")


def test_no_code_is_in_two_tables() -> None:
    tables = (twilio.OPTED_OUT, twilio.NEVER, twilio.TRY_LATER, twilio.MISCONFIGURED)

    for one, other in itertools.combinations(tables, 2):
        assert set(one) & set(other) == set()


def test_a_provider_that_never_answers_is_left_in_time_and_not_asked_again(
    provider: StandIn, sender: TwilioSender
) -> None:
    """The message may be on its way."""
    provider.answers(Answer(silent=True))

    began = time.monotonic()
    delivery = sender.send(RECEIPT)

    assert time.monotonic() - began < READ_TIMEOUT_S + 2
    assert delivery == TryLater("no answer in time: may have been sent")
    assert len(provider.heard) == 1


def test_a_connection_that_breaks_after_the_question_is_not_asked_again(
    provider: StandIn, sender: TwilioSender
) -> None:
    provider.answers(Answer(breaks=True))

    assert sender.send(RECEIPT) == TryLater("the connection broke: may have been sent")
    assert len(provider.heard) == 1


def test_a_provider_that_is_away_is_asked_again_and_then_given_up() -> None:
    """Nothing can have been sent: but the outbox has more time than one call."""
    with stand_in(away=True) as provider, capture_logs() as logs:
        delivery = twilio_at(provider).send(RECEIPT)

    assert delivery == Away("no connection")
    retries = [line for line in logs if line["event"] == "stamina.retry_scheduled"]
    assert len(retries) == asking.RETRY_TRIES - 1
    assert ROSA.msisdn not in str(logs)
    assert "Enviaste" not in str(logs)


def test_a_provider_that_was_away_for_a_moment_gets_the_message_once() -> None:
    with back_at_the_first_retry() as provider:
        provider.answers(created())
        sender = twilio_at(provider)
        delivery = sender.send(RECEIPT)
        sender.close()

    assert isinstance(delivery, Sent)
    assert len(provider.heard) == 1


@pytest.mark.parametrize("where", ["head", "body"])
def test_an_answer_that_trickles_is_left_in_time(
    provider: StandIn, sender: TwilioSender, where: Literal["head", "body"]
) -> None:
    provider.answers(Answer(201, " " * 10_000, {"X-Long": "x" * 10_000}, trickles=where))

    began = time.monotonic()
    delivery = sender.send(RECEIPT)

    assert time.monotonic() - began < READ_TIMEOUT_S + 2
    assert delivery == TryLater("no answer in time: may have been sent")
    assert len(provider.heard) == 1


@pytest.mark.parametrize("url", ["api.twilio.com", "gopher://api.twilio.com", "http://[::1"])
def test_an_api_that_has_no_address_is_for_a_person_to_mend(url: str) -> None:
    delivery = TwilioSender(ACCOUNT, from_=OURS, api_url=url).send(RECEIPT)

    assert isinstance(delivery, Misconfigured)


def test_the_request_is_what_twilio_takes(provider: StandIn, sender: TwilioSender) -> None:
    sender.send(RECEIPT)

    (heard,) = provider.heard
    assert (heard.method, heard.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    basic = base64.b64encode(f"{SID}:first-token".encode()).decode()
    assert heard.headers["Authorization"] == f"Basic {basic}"
    assert heard.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert heard.form == {
        "To": ROSA.msisdn,
        "From": OURS,
        "Body": "Enviaste S/ 50.00 a Segundo C., op. 100009.",
        "StatusCallback": "https://sms.norandino.pe/sms/twilio/status",
        "ValidityPeriod": "600",
        "SmartEncoded": "false",
    }


@pytest.mark.parametrize(
    ("options", "valid_s", "fields"),
    [
        ({"from_": "", "messaging_service_sid": SERVICE}, 0, {"MessagingServiceSid": SERVICE}),
        (
            {"messaging_service_sid": SERVICE},
            0,
            {"From": OURS, "MessagingServiceSid": SERVICE},
        ),
        ({"from_": "NORANDINO"}, 0, {"From": "NORANDINO"}),
        ({}, 1, {"From": OURS, "ValidityPeriod": "1"}),
        ({}, 36_001, {"From": OURS, "ValidityPeriod": "36000"}),
        ({}, -5, {"From": OURS}),
        ({"discard_content": True}, 0, {"From": OURS, "ContentRetention": "discard"}),
    ],
)
def test_who_sends_and_for_how_long(
    provider: StandIn, options: dict[str, Any], valid_s: int, fields: dict[str, str]
) -> None:
    sender = twilio_at(provider, **options)
    sender.send(Sms(RECEIPT.to, "Año: ¿cuánto? €", valid_s=valid_s))
    sender.close()

    form = provider.heard[0].form
    assert form["Body"] == "Año: ¿cuánto? €"
    for always in ("To", "Body", "StatusCallback", "SmartEncoded"):
        del form[always]
    assert form == fields


@pytest.mark.parametrize(
    ("change", "segments", "cost"),
    [
        ({}, 1, None),
        ({"num_segments": "0"}, 0, None),
        ({"num_segments": None}, 0, None),
        ({"num_segments": "many"}, 0, None),
        ({"num_segments": 2}, 2, None),
        ({"price": "-0.00750"}, 1, Cost(7_500, "USD")),
        ({"price": "-0.0075", "price_unit": "usd"}, 1, Cost(7_500, "USD")),
        ({"price": "1.1", "price_unit": "EUR"}, 1, Cost(1_100_000, "EUR")),
        ({"price": "-0.1234567"}, 1, Cost(123_456, "USD")),
        ({"price": "0.0"}, 1, Cost(0, "USD")),
        ({"price": "-0.0075", "price_unit": None}, 1, None),
        ({"price": "free"}, 1, None),
        ({"price": "NaN"}, 1, None),
        ({"price": "1e400000000"}, 1, None),
        ({"price": ["-0.0075"]}, 1, None),
        ({"new": "field", "date_created": "yesterday"}, 1, None),
    ],
)
def test_what_was_taken_has_its_name_its_segments_and_its_cost(
    provider: StandIn,
    sender: TwilioSender,
    change: dict[str, object],
    segments: int,
    cost: Cost | None,
) -> None:
    """Where Twilio says them."""
    provider.answers(created(**change))

    assert sender.send(RECEIPT) == Sent(str(CREATED["sid"]), "twilio", segments, cost)


def test_the_environment_of_the_process_does_not_choose_the_host(provider: StandIn) -> None:
    """TWILIO_EDGE and TWILIO_REGION would rewrite it, and TWILIO_… the account."""
    script = (
        "import sys\n"
        "from gateway.channels.twilio.account import TwilioAccount\n"
        "from gateway.channels.twilio.sender import TwilioSender\n"
        "from gateway.notices.senders import Sms\n"
        "from gateway.values.msisdn import Msisdn\n"
        f"account = TwilioAccount('{SID}', ('token',), 'https://sms.norandino.pe')\n"
        "sender = TwilioSender(account, from_='+51900000001', api_url=sys.argv[1])\n"
        "print(sender.send(Sms(Msisdn('+51987000001'), 'Hola')))\n"
    )
    environment = {
        **os.environ,
        "TWILIO_EDGE": "sydney",
        "TWILIO_REGION": "au1",
        "TWILIO_ACCOUNT_SID": "AC-other",
        "TWILIO_AUTH_TOKEN": "other",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, provider.url],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.startswith("Sent(")
    assert provider.heard[0].path == f"/2010-04-01/Accounts/{SID}/Messages.json"


def test_many_threads_share_a_sender(provider: StandIn, sender: TwilioSender) -> None:
    """As the outbox uses it: as many connections, each kept for the next message."""
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


def test_nothing_private_is_logged(
    provider: StandIn, sender: TwilioSender, caplog: pytest.LogCaptureFixture
) -> None:
    """The library's own log is kept down to warnings."""
    caplog.set_level("INFO")
    sender.send(RECEIPT)
    provider.answers(error(400, 21211))
    sender.send(RECEIPT)

    assert [record for record in caplog.records if "twilio" in record.name] == []
    assert ROSA.msisdn not in caplog.text


@pytest.mark.parametrize(
    ("account", "options", "said"),
    [
        (
            TwilioAccount("", ("demo-token",), "http://127.0.0.1:8080"),
            {"from_": OURS},
            "account_sid",
        ),
        (ACCOUNT, {}, "from_, messaging_service_sid"),
    ],
)
def test_a_sender_that_could_not_send_is_refused_at_once(
    account: TwilioAccount, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        TwilioSender(account, **options)


def test_it_is_a_sender_and_says_what_it_carries(provider: StandIn) -> None:
    sender: Sender = twilio_at(provider, per_second=1)

    assert (sender.name, sender.limits.per_second) == ("twilio", 1)
    assert sender.limits.segments_max * 153 <= 1_600
    assert OUTBOX_BACKOFF_MAX_S == 3600, "the longest Retry-After above"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_MESSAGES = st.dictionaries(
    st.sampled_from([*CREATED, "code", "type", "title", "message", "errors"]), _JSON
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(status=st.sampled_from([200, 201, 400, 404, 429, 503]), body=_MESSAGES | _JSON)
def test_any_answer_is_understood_in_some_way(
    provider: StandIn, sender: TwilioSender, status: int, body: object
) -> None:
    """Nothing is raised, whatever JSON comes, and no refusal counts as sent."""
    provider.answers(Answer(status, json.dumps(body)))

    delivery = sender.send(RECEIPT)

    assert isinstance(delivery, Sent | TryLater | Never | OptedOut | Misconfigured)
    assert not isinstance(delivery, Sent) or status in {200, 201}
