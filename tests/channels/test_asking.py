"""Asking a provider: what was not sent is asked again, what may have been is not, and nobody is
waited for too long."""

from __future__ import annotations

import contextlib
import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.bounds import OUTBOX_BACKOFF_MAX_S, SEND_TIMEOUT_S
from gateway.channels import asking
from gateway.channels.africastalking.sender import AfricasTalkingSender
from gateway.channels.asking import UnansweredError
from gateway.channels.infobip.sender import InfobipSender
from gateway.channels.twilio.account import TwilioAccount
from gateway.channels.twilio.sender import TwilioSender
from gateway.notices.senders import Away, Delivery, Misconfigured, Sms, TryLater
from gateway.values.msisdn import Msisdn
from tests.channels.standin import Answer, StandIn, back_at_the_first_retry, stand_in
from tests.people import ROSA

ANSWER_S = 0.3  # who waits for a silent provider in a test
CONNECT_S = 0.2
SLACK_S = 2  # of a busy machine
LONG = " " * 10_000  # byte by byte it takes minutes
RECEIPT = Sms(Msisdn(ROSA.msisdn), "Enviaste S/ 50.00 a Segundo C., op. 100009.", "n-1", 600)
KEY = "k3y-of-the-account"
BOMB = gzip.compress(bytes(20_000_000))


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with stand_in() as provider:
        yield provider


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with asking.session(
        {"X-Key": KEY}, connect_timeout_s=CONNECT_S, answer_timeout_s=ANSWER_S
    ) as session:
        yield session


def ask(session: requests.Session, url: str) -> requests.Response:
    return asking.ask(lambda: session.post(url, data="a message"))


def unanswered(session: requests.Session, url: str) -> Delivery:
    with pytest.raises(UnansweredError) as caught:
        ask(session, url)
    return caught.value.delivery


@contextlib.contextmanager
def speaks_first(content: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A host that says `content` to whoever connects, and keeps what it hears in return."""
    heard: list[bytes] = []

    def speak(server: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                line, _ = server.accept()
                with line:
                    line.sendall(content)
                    heard.append(line.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as server:
        speaker = threading.Thread(target=speak, args=(server,))
        speaker.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", heard
        server.shutdown(socket.SHUT_RDWR)
        speaker.join()


# --- What certainly was not sent.


def test_nobody_there_is_asked_a_few_times(session: requests.Session) -> None:
    with stand_in(away=True) as provider, capture_logs() as logs:
        assert unanswered(session, provider.url) == Away("no connection")

    assert [line["retry_num"] for line in logs] == list(range(1, asking.RETRY_TRIES))


def test_who_was_away_for_a_moment_is_asked_once(session: requests.Session) -> None:
    with back_at_the_first_retry() as provider:
        provider.answers(Answer(201, "yes"))

        assert ask(session, provider.url).text == "yes"
    assert len(provider.heard) == 1


def test_a_name_that_leads_nowhere_is_no_connection(session: requests.Session) -> None:
    assert unanswered(session, "http://provider.invalid") == Away("no connection")


def test_what_fails_in_the_handshake_of_tls_was_not_sent(session: requests.Session) -> None:
    with speaks_first(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (host, heard):
        said = unanswered(session, f"https://{host}")

    assert said == Away("no secure connection")
    assert len(heard) == asking.RETRY_TRIES
    assert not any(b"a message" in each for each in heard)


def test_a_handshake_that_nobody_answers_was_not_sent(session: requests.Session) -> None:
    """To the client it is an answer that does not come in time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"

        assert unanswered(session, f"https://{host}") == Away("no connection")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_without_its_proxy_nothing_was_sent(session: requests.Session, scheme: str) -> None:
    with stand_in(away=True) as proxy:
        session.proxies = {scheme: proxy.url}

        assert unanswered(session, f"{scheme}://provider.invalid") == Away("no connection")


def test_a_proxy_that_lets_nobody_through_has_sent_nothing(
    provider: StandIn, session: requests.Session
) -> None:
    """The stand-in knows no CONNECT."""
    session.proxies = {"https": provider.url}

    assert unanswered(session, "https://provider.invalid") == Away("no connection")
    assert provider.connections == asking.RETRY_TRIES
    assert provider.heard == []


# --- What may have been sent.


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(silent=True), "no answer in time"),
        (Answer(200, LONG, trickles="body"), "no answer in time"),
        (Answer(200, LONG, trickles="head"), "no answer in time"),
        (Answer(200, "", {"X-Long": LONG}, trickles="head"), "no answer in time"),
        (Answer(raw=b"HTTP/1.1 100 Go on\r\n\r\n" * 500, trickles="head"), "no answer in time"),
        (
            Answer(200, "1\r\nx\r\n" * 2000, {"Transfer-Encoding": "chunked"}, trickles="body"),
            "no answer in time",
        ),
        (Answer(breaks=True), "the connection broke"),
        (Answer(raw=b"\x15\x03\x01"), "the connection broke"),
        (Answer(raw=b"HTTP/1.1 2"), "the connection broke"),
        (Answer(raw=b"HTTP/1.1 200 -\r\nContent-Length: 9\r\n\r\n{}"), "the connection broke"),
        (Answer(raw=b"HTTP/1.1 200 -\r\n" + b"X: y\r\n" * 200), "the connection broke"),
        (Answer(raw=b"HTTP/1.1 200 -\r\nX: " + b"y" * 100_000), "the connection broke"),
        (
            Answer(raw=b"HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "the connection broke",
        ),
        (Answer(200, "no gzip", {"Content-Encoding": "gzip"}), "unreadable answer"),
        (Answer(200, BOMB, {"Content-Encoding": "deflate"}), "unreadable answer"),
        (Answer(200, "{}", {"Content-Length": "2, 3"}), "unreadable answer"),
    ],
)
def test_without_a_whole_answer_it_may_have_been_sent(
    provider: StandIn, session: requests.Session, answer: Answer, reason: str
) -> None:
    """So it is not asked again, and nobody is waited for longer than an answer may take."""
    provider.answers(answer)

    began = time.monotonic()
    said = unanswered(session, provider.url)

    assert time.monotonic() - began < ANSWER_S + SLACK_S
    assert said == TryLater(f"{reason}: may have been sent")
    assert len(provider.heard) == 1


def test_what_breaks_off_behind_a_proxy_may_have_been_sent(
    provider: StandIn, session: requests.Session
) -> None:
    """The client says that it cannot connect to the proxy."""
    provider.answers(Answer(breaks=True))
    session.proxies = {"http": provider.url}

    said = unanswered(session, "http://provider.invalid")

    assert said == TryLater("the connection broke: may have been sent")
    assert len(provider.heard) == 1


def test_a_request_has_no_time_of_its_own(provider: StandIn, session: requests.Session) -> None:
    provider.answers(Answer(silent=True))

    began = time.monotonic()
    with pytest.raises(UnansweredError):
        asking.ask(lambda: session.post(provider.url, timeout=60))

    assert time.monotonic() - began < ANSWER_S + SLACK_S


def test_what_went_wrong_does_not_carry_the_request_along(
    provider: StandIn, session: requests.Session
) -> None:
    """The client's errors do, and there is a message in it."""
    provider.answers(Answer(breaks=True))

    with pytest.raises(UnansweredError) as caught:
        ask(session, provider.url)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_all_patience_together_is_within_what_a_sender_has() -> None:
    """The last try begins after the longest wait."""
    begins_s = asking.RETRY_WITHIN_S + asking.RETRY_WAIT_MAX_S

    assert begins_s + asking.CONNECT_TIMEOUT_S + asking.ANSWER_TIMEOUT_S < SEND_TIMEOUT_S


_LINES = st.lists(
    st.sampled_from(
        [
            *(b"Content-Length: 2", b"Content-Length: -1", b"Content-Length: 9999999999"),
            *(b"Content-Encoding: gzip", b"Content-Encoding: gzip, deflate, br"),
            *(b"Transfer-Encoding: chunked", b"Connection: close", b"Retry-After: x"),
            *(b"Location: http://[::1", b"Location: \xff", b"Set-Cookie: a", b" folded", b"none"),
        ]
    )
    | st.binary(max_size=30),
    max_size=4,
)
_ANSWERS = st.binary(min_size=1, max_size=100) | st.builds(
    lambda status, lines, body: b"\r\n".join([b"HTTP/1.1 %d -" % status, *lines, b"", body]),
    st.sampled_from([100, 200, 201, 204, 302, 304, 400, 429, 500, 999]),
    _LINES,
    st.sampled_from([b"{}", b"2\r\n{}\r\n0\r\n\r\n", b"5\r\n", gzip.compress(b"{}")])
    | st.binary(max_size=30),
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(raw=_ANSWERS)
def test_any_bytes_are_an_answer_or_none(provider: StandIn, raw: bytes) -> None:
    """Nothing else is raised, and once it was heard it counts as heard."""
    provider.answers(Answer(raw=raw))
    before = len(provider.heard)

    said: requests.Response | Delivery
    with asking.session(answer_timeout_s=ANSWER_S) as session:
        try:
            said = ask(session, provider.url)
        except UnansweredError as error:
            said = error.delivery

    assert isinstance(said, requests.Response) or said.reason.endswith("may have been sent")
    assert len(provider.heard) == before + 1


# --- What cannot be asked.


@pytest.mark.parametrize(
    "url",
    ["", "api.provider.com", "gopher://api.provider.com", "http://", "http://[::1", "http://a b"],
)
def test_an_address_that_is_none_is_ours_to_mend(session: requests.Session, url: str) -> None:
    assert isinstance(unanswered(session, url), Misconfigured)


@pytest.mark.parametrize("key", ["s3cret\n", "s3cret\r\nX-Injected: 1", " s3cret", "ключ"])
def test_a_key_that_is_none_is_ours_to_mend(provider: StandIn, key: str) -> None:
    with asking.session({"X-Key": key}) as session:
        said = unanswered(session, provider.url)

    assert isinstance(said, Misconfigured)
    assert key.strip() not in said.reason
    assert provider.heard == []


def test_missing_certificates_are_ours_to_mend(session: requests.Session) -> None:
    with pytest.raises(UnansweredError, match="no request: OSError") as caught:
        asking.ask(lambda: session.post("https://provider.invalid", verify="/nowhere.pem"))

    assert isinstance(caught.value.delivery, Misconfigured)


def test_what_else_is_raised_is_not_ours_to_explain() -> None:
    def once() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        asking.ask(once)


# --- An answer.


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "x" * 1_000_000),
        Answer(200, bytes(asking.ANSWER_BYTES_MAX + 1)),
        Answer(200, BOMB, {"Content-Encoding": "gzip"}),
        Answer(raw=b"HTTP/1.1 200 -\r\n\r\n" + b"x" * 1_000_000),
    ],
)
def test_what_is_too_long_is_cut_off(
    provider: StandIn, session: requests.Session, answer: Answer
) -> None:
    """Of what was unpacked too. The rest is not taken for the next answer."""
    provider.answers(answer, Answer(201, "next"))

    assert len(ask(session, provider.url).content) == asking.ANSWER_BYTES_MAX
    assert ask(session, provider.url).text == "next"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "{}"),
        Answer(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"}),
        Answer(200, "{}", trickles="body"),
        Answer(raw=b"HTTP/1.0 200 OK\r\n\r\n{}"),
        Answer(raw=b"HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        Answer(raw=b"HTTP/1.1 100 -\r\n\r\nHTTP/1.1 200 -\r\nContent-Length: 2\r\n\r\n{}"),
    ],
)
def test_an_answer_comes_in_many_forms(
    provider: StandIn, session: requests.Session, answer: Answer
) -> None:
    provider.answers(answer)

    said = ask(session, provider.url)

    assert (said.status_code, said.json()) == (200, {})


def test_a_connection_is_kept_and_its_time_begins_anew(
    provider: StandIn, session: requests.Session
) -> None:
    provider.answers(Answer(200, "x" * asking.ANSWER_BYTES_MAX))

    for pause_s in (0, ANSWER_S + 0.1, 0):
        time.sleep(pause_s)
        assert len(ask(session, provider.url).content) == asking.ANSWER_BYTES_MAX
    assert provider.connections == 1


@pytest.mark.parametrize("to", ["/elsewhere", "http://[::1", "http://a b", "\xff", "//"])
def test_a_redirect_is_an_answer_and_not_followed(
    provider: StandIn, session: requests.Session, to: str
) -> None:
    provider.answers(Answer(raw=f"HTTP/1.1 307 -\r\nLocation: {to}\r\n\r\n".encode("latin-1")))

    assert ask(session, provider.url).status_code == 307
    assert len(provider.heard) == 1


def test_the_key_goes_with_each_request(provider: StandIn, session: requests.Session) -> None:
    ask(session, provider.url)

    assert provider.heard[0].headers["X-Key"] == KEY
    assert provider.heard[0].body == b"a message"


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("-7", 0),
        ("7.5", 0),
        ("٧", 0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0),
        ("0", 0),
        ("7", 7),
        ("3601", OUTBOX_BACKOFF_MAX_S),
        ("9" * 5000, OUTBOX_BACKOFF_MAX_S),
    ],
)
def test_how_long_it_asks_to_be_left_alone(said: str | None, wait_s: float) -> None:
    answer = requests.Response()
    if said is not None:
        answer.headers["retry-after"] = said

    assert asking.wait_s(answer) == wait_s


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        *((None, 0), ("", 0), (-1, 0), (1.5, 0), ("1e3", 0), ([3], 0), (True, 0), ("٧", 0)),
        *(("3\n", 0), (10**6, 0), ("9" * 5000, 0), (0, 0), ("007", 7), (3, 3), ("999999", 999_999)),
    ],
)
def test_a_number_where_anything_may_stand(said: object, whole: int) -> None:
    assert asking.whole(said) == whole


@pytest.mark.parametrize(
    ("said", "micros"),
    [
        *(
            (None, None),
            ("", None),
            ("NaN", None),
            ("1e400000000", None),
            ("-1", None),
            ([1], None),
        ),
        *(("1.", None), (".5", None), ("1.2.3", None), ("٧", None), ("9" * 10, None)),
        *(("0", 0), ("0.0075", 7_500), (1.1, 1_100_000), (25, 25_000_000), ("0.1234567", 123_456)),
    ],
)
def test_a_price_where_anything_may_stand(said: object, micros: int | None) -> None:
    assert asking.micros(said) == micros


@pytest.mark.parametrize(
    ("said", "name"),
    [
        *((None, ""), ("None", ""), ("", ""), ("a b", ""), ("a\0", ""), ("a\n", ""), ("ñ", "")),
        *(("x" * 129, ""), ("x" * 128, "x" * 128), ("Nonesuch", "Nonesuch"), (17, "17")),
    ],
)
def test_a_name_where_anything_may_stand(said: object, name: str) -> None:
    assert asking.provider_id(said) == name


# --- The three who ask.


class Closable(Protocol):
    def send(self, sms: Sms) -> Delivery: ...

    def close(self) -> None: ...


def africastalking(url: str, **options: Any) -> Closable:
    return AfricasTalkingSender("norandino", KEY, api_url=url, **options)


def infobip(url: str, **options: Any) -> Closable:
    return InfobipSender(url, KEY, "NORANDINO", "https://ussd.norandino.pe/reports", **options)


def twilio(url: str, **options: Any) -> Closable:
    account = TwilioAccount("AC" + "1" * 32, (KEY,), "https://ussd.norandino.pe")
    return TwilioSender(account, from_="+51900000001", api_url=url, **options)


SENDERS = [africastalking, infobip, twilio]
Make = Callable[..., Closable]


@pytest.mark.parametrize("make", SENDERS)
def test_a_retry_tells_nothing_of_the_message(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does any library's log, at its most talkative."""
    caplog.set_level(logging.DEBUG)
    with stand_in(away=True) as provider, capture_logs() as logs:
        sender = make(provider.url)
        delivery = sender.send(RECEIPT)
        sender.close()

    assert delivery == Away("no connection")
    assert [line["event"] for line in logs] == ["stamina.retry_scheduled"] * 2
    assert_nothing_private(f"{logs} {caplog.text}")


@pytest.mark.parametrize("make", SENDERS)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(silent=True),
        Answer(200, LONG, trickles="body"),
        Answer(500, ROSA.msisdn),
        Answer(raw=b"HTTP/1.1 200 -\r\nno header " + ROSA.msisdn.encode() + b"\r\n\r\n"),
    ],
)
def test_what_may_have_been_sent_is_asked_once_and_tells_nothing(
    provider: StandIn, make: Make, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.answers(answer)

    with capture_logs() as logs:
        sender = make(provider.url, read_timeout_s=ANSWER_S)
        delivery = sender.send(RECEIPT)
        sender.close()

    assert isinstance(delivery, TryLater)
    assert len(provider.heard) == 1
    assert_nothing_private(f"{logs} {caplog.text} {delivery}")


def assert_nothing_private(written: str) -> None:
    assert "Enviaste" not in written
    assert ROSA.msisdn.removeprefix("+") not in written
    assert KEY not in written
