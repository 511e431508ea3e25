"""Infobip's inbound SMS and delivery reports: the bad ones first."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.bounds import BODY_BYTES_MAX
from gateway.channels.doors import Doors
from gateway.channels.infobip.sms import RESULTS_BYTES_MAX, SECRET_FIELDS, reports_url, routes
from gateway.values.delivery import DeliveryState, Report
from gateway.values.turn import Reply, Text, Turn
from tests.people import ROSA, SEGUNDO

SECRET = "right-secret"
INBOUND = f"/sms/infobip/{SECRET}"
REPORTS = f"/sms/infobip/{SECRET}/reports"

SMS = {
    "messageId": "817790313235066447",
    "from": ROSA.msisdn.removeprefix("+"),
    "to": "21512",
    "text": "SALDO 1",
    "cleanText": "1",
    "keyword": "SALDO",
    "receivedAt": "2026-10-01T12:00:00.000+0000",
    "smsCount": 1,
    "price": {"pricePerMessage": 0, "currency": "EUR"},
    "callbackData": None,
}
REPORT = {
    "bulkId": "b-1",
    "messageId": "out-7f3a",
    "to": ROSA.msisdn.removeprefix("+"),
    "sentAt": "2026-10-01T12:00:00.000+0000",
    "doneAt": "2026-10-01T12:00:05.000+0000",
    "messageCount": 1,
    "price": {"pricePerMessage": 0.01, "currency": "EUR"},
    "status": {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET"},
    "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False},
}
DELIVERED = Report("infobip", "out-7f3a", DeliveryState.DELIVERED)


@dataclass
class Desk:
    """A cooperative that takes every message, except those that it cannot take now."""

    cooperative: str = "norandino"
    webhook_secrets: tuple[str, ...] = (SECRET,)
    short_code: str = "*775#"
    texts: list[Text] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    cannot_take: set[str] = field(default_factory=set)

    def receive(self, text: Text) -> bool:
        self.texts.append(text)
        return text.origin.session_id not in self.cannot_take

    def reported(self, report: Report) -> bool:
        self.reports.append(report)
        return report.provider_id not in self.cannot_take

    def take(self, turn: Turn) -> Reply:
        raise AssertionError("no hop comes by SMS")

    def misunderstood(self, channel: str, field: str) -> Reply:
        raise AssertionError("there is no screen to say it on")

    def session_ended(
        self, channel: str, account: str, session_id: str, status: str, hops: int
    ) -> None:
        raise AssertionError("no session ends by SMS")


def client_of(desk: Desk) -> FlaskClient:
    app = Flask("infobip")
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.register_blueprint(routes(Doors([desk])))
    return app.test_client()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return client_of(desk)


def results(*rows: object) -> bytes:
    return json.dumps({"results": rows, "messageCount": len(rows)}).encode()


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def with_status(
    group: object, code: object = 0, name: str = "STATUS", **more: object
) -> dict[str, Any]:
    return {**REPORT, "status": {"groupId": group, "id": code, "name": name}, **more}


NO_RESULTS = [
    b"",
    b"text=SALDO",
    b'{"results": [',
    b'{"results": null}',
    b'{"results": {"messageId": "1"}}',
    b"[]",
    b"\xff\xfe" * 5_000,
    b"[" * 10_000,
    b'{"results": []}',
    b'{"messageCount": 0}',
]


@pytest.mark.parametrize("path", [INBOUND, REPORTS])
@pytest.mark.parametrize("body", NO_RESULTS)
def test_a_body_without_results_is_taken_and_nothing_comes_of_it(
    client: FlaskClient, desk: Desk, path: str, body: bytes
) -> None:
    """Brought again it would be the same."""
    answer = client.post(path, data=body)

    assert (answer.status_code, answer.data) == (200, b"")
    assert desk == Desk()


@pytest.mark.parametrize("path", ["/sms/infobip/{}", "/sms/infobip/{}/reports"])
@pytest.mark.parametrize("secret", ["wrong", SECRET + "x", "%00"])
def test_who_does_not_know_the_secret_finds_nothing(
    client: FlaskClient, desk: Desk, path: str, secret: str
) -> None:
    assert client.post(path.format(secret), data=results(SMS)).status_code == 404
    assert desk == Desk()


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (17, "result"),
        (None, "result"),
        ([], "result"),
        ({**SMS, "text": ["SALDO"]}, "result"),
        ({**SMS, "from": {"number": "51987000001"}}, "result"),
        (without(SMS, "text"), "text"),
        ({**SMS, "text": None}, "text"),
        (without(SMS, "messageId"), "messageId"),
        ({**SMS, "messageId": ""}, "messageId"),
        ({**SMS, "messageId": "m" * 129}, "messageId"),
        ({**SMS, "messageId": "817 790"}, "messageId"),
        (without(SMS, "from"), "from"),
        ({**SMS, "from": ""}, "from"),
        ({**SMS, "from": "BCP"}, "from"),  # a name
        ({**SMS, "from": "21512"}, "from"),  # a short code
        ({**SMS, "from": "5173204050"}, "from"),  # a landline
        ({**SMS, "from": "73204050"}, "from"),  # a DNI
        ({**SMS, "from": "9" * 10_000}, "from"),
    ],
)
def test_what_is_no_message_of_a_mobile_does_not_hold_up_the_others(
    client: FlaskClient,
    desk: Desk,
    message: object,
    why: str,
) -> None:
    """It is in the log by its field, without number or text."""
    with capture_logs() as logs:
        answer = client.post(INBOUND, data=results(message, {**SMS, "messageId": "next"}))

    assert answer.status_code == 200
    assert [text.origin.session_id for text in desk.texts] == ["next"]
    assert logs == [
        {"event": "not_an_sms", "log_level": "warning", "channel": "infobip", "field": why}
    ]


@pytest.mark.parametrize(
    ("change", "to", "said"),
    [
        ({}, "21512", "SALDO 1"),
        ({"from": ROSA.msisdn, "to": 21512}, "21512", "SALDO 1"),
        ({"from": 51987000001, "to": None}, "", "SALDO 1"),
        ({"text": ""}, "21512", ""),
        ({"text": 4826}, "21512", "4826"),
        ({"text": "Envía ñandú €"}, "21512", "Envía ñandú €"),
        ({"text": "x" * 10_000}, "21512", "x" * 10_000),
        ({"receivedAt": "yesterday", "new": [1]}, "21512", "SALDO 1"),
        ({"to": "9" * 500}, "9" * 64, "SALDO 1"),
    ],
)
def test_an_sms_is_a_text_of_this_channel(
    client: FlaskClient, desk: Desk, change: dict[str, Any], to: str, said: str
) -> None:
    """All of what they wrote: `cleanText` has lost its first word."""
    answer = client.post(INBOUND, data=results({**SMS, **change}))

    assert (answer.status_code, answer.data) == (200, b"")
    (text,) = desk.texts
    assert text.said.text == said
    assert text.to == to
    assert text.origin.msisdn.e164 == ROSA.msisdn
    assert text.origin.channel == "infobip"
    assert text.origin.account == "norandino"
    assert text.origin.session_id == "817790313235066447"
    assert not said or said not in repr(text)


def test_several_messages_come_in_one_request(client: FlaskClient, desk: Desk) -> None:
    client.post(
        INBOUND,
        data=results(SMS, {**SMS, "messageId": "2", "from": SEGUNDO.msisdn, "text": "AYUDA"}),
    )

    assert [(text.origin.msisdn.e164, text.said.text) for text in desk.texts] == [
        (ROSA.msisdn, "SALDO 1"),
        (SEGUNDO.msisdn, "AYUDA"),
    ]


@pytest.mark.parametrize("path", [INBOUND, REPORTS])
def test_one_that_cannot_be_taken_brings_all_of_them_again(
    client: FlaskClient, desk: Desk, path: str
) -> None:
    """Each is still tried; under the same names, so that none is done twice."""
    rows = [{**SMS, **REPORT, "messageId": name} for name in ("a", "b", "c")]
    desk.cannot_take = {"a"}

    first = client.post(path, data=results(*rows))
    desk.cannot_take = set()
    second = client.post(path, data=results(*rows))

    assert (first.status_code, second.status_code) == (503, 200)
    names = [text.origin.session_id for text in desk.texts]
    names += [report.provider_id for report in desk.reports]
    assert names == ["a", "b", "c", "a", "b", "c"]


@pytest.mark.parametrize(
    "report",
    [
        17,
        None,
        without(REPORT, "messageId"),
        {**REPORT, "messageId": ""},
        {**REPORT, "messageId": "a b"},
        without(REPORT, "status"),
        {**REPORT, "status": None},
        {**REPORT, "status": "DELIVERED"},
        {**REPORT, "status": {}},
        with_status(None),
        with_status("many"),
        with_status(6, 1, "SEEN"),
        with_status(-1),
        with_status(10**30),
        with_status(3, 5, error="NO_ERROR"),
    ],
)
def test_a_report_that_says_nothing_we_know_does_not_hold_up_the_others(
    client: FlaskClient, desk: Desk, report: object
) -> None:
    """Infobip would repeat it for hours if it were refused."""
    with capture_logs() as logs:
        answer = client.post(REPORTS, data=results(report, REPORT))

    assert (answer.status_code, answer.data) == (200, b"")
    assert desk.reports == [DELIVERED]
    assert [line["event"] for line in logs] == ["not_a_report"]


@pytest.mark.parametrize(
    ("report", "state", "reason", "opted_out"),
    [
        (with_status(0), DeliveryState.ACCEPTED, "", False),
        (with_status(1, 26, "PENDING_ACCEPTED"), DeliveryState.ACCEPTED, "", False),
        (with_status(1, 3, "PENDING_WAITING_DELIVERY"), DeliveryState.SENT, "", False),
        (with_status(1, 7, "PENDING_ENROUTE"), DeliveryState.SENT, "", False),
        (with_status(3, 2, "DELIVERED_TO_OPERATOR"), DeliveryState.SENT, "", False),
        (with_status(3, 77, "DELIVERED_TO_SOMEBODY"), DeliveryState.SENT, "", False),
        (with_status(3, 5), DeliveryState.DELIVERED, "", False),
        (with_status("3", "5"), DeliveryState.DELIVERED, "", False),
        (with_status(2, 9, "UNDELIVERABLE_NOT_DELIVERED"), DeliveryState.FAILED, None, False),
        (with_status(4, 15, "EXPIRED_EXPIRED"), DeliveryState.FAILED, None, False),
        (with_status(5, 12, "REJECTED_NOT_ENOUGH_CREDITS"), DeliveryState.FAILED, None, False),
        (with_status(5, 10, "REJECTED_DND"), DeliveryState.FAILED, None, True),
        (with_status(5, 14, "REJECTED_DESTINATION_BLOCKLISTED"), DeliveryState.FAILED, None, True),
        (with_status(1, 10, "PENDING_X"), DeliveryState.ACCEPTED, "", False),
        (with_status(2, 9, "no lo quiso 51987000001"), DeliveryState.FAILED, "9", False),
        (with_status(2, None, ""), DeliveryState.FAILED, "group 2", False),
        (with_status(2, 9, error=None), DeliveryState.FAILED, "STATUS", False),
        (
            with_status(2, 9, error={"groupId": 1, "id": 27, "name": "EC_ABSENT_SUBSCRIBER"}),
            DeliveryState.FAILED,
            "EC_ABSENT_SUBSCRIBER",
            False,
        ),
        (with_status(2, 9, error={"id": 4321}), DeliveryState.FAILED, "4321", False),
    ],
)
def test_a_report_says_how_far_the_message_got(
    client: FlaskClient,
    desk: Desk,
    report: dict[str, Any],
    state: DeliveryState,
    reason: str | None,
    opted_out: bool,
) -> None:
    """Delivered is what reached the phone; why it failed is a code, never a sentence."""
    client.post(REPORTS, data=results(report))

    reason = report["status"]["name"] if reason is None else reason
    assert desk.reports == [Report("infobip", "out-7f3a", state, reason, opted_out)]


def test_a_duplicate_says_nothing_of_the_message_that_was_taken(
    client: FlaskClient, desk: Desk
) -> None:
    """The second attempt was refused under the same id: the first may have arrived."""
    duplicate = with_status(5, 23, "REJECTED_DUPLICATE_MESSAGE_ID")

    assert client.post(REPORTS, data=results(duplicate)).status_code == 200
    assert desk.reports == []


def test_reports_come_in_any_order_and_more_than_once(client: FlaskClient, desk: Desk) -> None:
    """Each is handed on: which of them counts is decided by rank, elsewhere."""
    sent = with_status(1, 7, "PENDING_ENROUTE")

    client.post(REPORTS, data=results(REPORT, sent))
    client.post(REPORTS, data=results(REPORT))

    states = [report.state for report in desk.reports]
    assert states == [DeliveryState.DELIVERED, DeliveryState.SENT, DeliveryState.DELIVERED]


def test_a_hundred_reports_fit_in_a_request(client: FlaskClient, desk: Desk) -> None:
    """As many as Infobip brings at once: more than any other webhook may be."""
    body = results(*({**REPORT, "description": "x" * 500} for _ in range(100)))

    assert len(body) > BODY_BYTES_MAX
    assert client.post(REPORTS, data=body).status_code == 200
    assert len(desk.reports) == 100


def test_more_than_that_is_refused_before_it_is_read(client: FlaskClient, desk: Desk) -> None:
    assert client.post(REPORTS, data=b" " * (RESULTS_BYTES_MAX + 1)).status_code == 413
    assert desk == Desk()


def test_the_reports_address_is_the_one_that_is_served(client: FlaskClient, desk: Desk) -> None:
    """The sender tells it to Infobip with each message."""
    url = reports_url("https://ussd.norandino.pe/", SECRET)

    assert url == f"https://ussd.norandino.pe{REPORTS}"
    client.post(url.removeprefix("https://ussd.norandino.pe"), data=results(REPORT))
    assert desk.reports == [DELIVERED]


def test_what_is_secret_is_named() -> None:
    """A PIN, in an SMS, would stand in two of them and begin a third."""
    assert {"text", "cleanText", "keyword"} < SECRET_FIELDS


ANYTHING: Callable[[], st.SearchStrategy[Any]] = lambda: st.recursive(  # noqa: E731
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda within: st.lists(within) | st.dictionaries(st.text(max_size=8), within),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    path=st.sampled_from([INBOUND, REPORTS]),
    body=st.one_of(
        st.binary(max_size=300),
        ANYTHING().map(lambda row: json.dumps(row).encode()),
        st.lists(
            ANYTHING()
            | st.fixed_dictionaries(
                {},
                optional={
                    "messageId": ANYTHING() | st.just("m"),
                    "from": ANYTHING() | st.just(ROSA.msisdn),
                    "text": ANYTHING(),
                    "status": ANYTHING()
                    | st.fixed_dictionaries(
                        {"groupId": st.integers(0, 6), "id": st.integers(0, 100)}
                    ),
                    "error": ANYTHING(),
                },
            ),
            max_size=4,
        ).map(lambda rows: results(*rows)),
    ),
)
def test_any_request_is_taken(path: str, body: bytes) -> None:
    """No body makes a fault."""
    answer = client_of(Desk()).post(path, data=body)

    assert (answer.status_code, answer.data) == (200, b"")
