"""Africa's Talking's SMS callbacks: the bad ones first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.bounds import BODY_BYTES_MAX
from gateway.channels.africastalking.sms import LATE_S, routes, written_at
from gateway.channels.doors import Doors
from gateway.values.delivery import DeliveryState, Report
from gateway.values.turn import Reply, Text, Turn
from tests.people import ROSA

SMS = "/sms/africastalking/long-secret"
REPORTS = f"{SMS}/reports"

MESSAGE = {
    "linkId": "03090445075804249226",
    "text": "SALDO",
    "to": "21512",
    "id": "ec9adc86-51d5-4bc9-b6d8-ef83ecf7e2a1",
    "date": "2026-10-01T06:04:45Z",
    "from": ROSA.msisdn,
}
REPORT = {
    "id": "ATXid_1",
    "status": "Failed",
    "phoneNumber": ROSA.msisdn,
    "networkCode": "71606",
    "failureReason": "UserDoesNotExist",
    "retryCount": "0",
}
SENT_AT = dt.datetime(2026, 10, 1, 6, 4, 45, tzinfo=dt.UTC)


@dataclass
class Desk:
    """A gateway that only remembers what a channel tells it."""

    cooperative: str = "norandino"
    webhook_secrets: tuple[str, ...] = ("long-secret", "next-secret")
    takes: bool = True
    texts: list[Text] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    misread: list[tuple[str, str]] = field(default_factory=list)

    def receive(self, text: Text) -> bool:
        self.texts.append(text)
        return self.takes

    def reported(self, report: Report) -> bool:
        self.reports.append(report)
        return self.takes

    def misunderstood(self, channel: str, field: str) -> Reply:
        self.misread.append((channel, field))
        return Reply("", ends=True, screen="", outcome="not_a_hop")

    def take(self, turn: Turn) -> Reply:
        raise AssertionError("an SMS is no hop")

    def session_ended(self, *_: object) -> None:
        raise AssertionError("an SMS has no session")

    @property
    def heard(self) -> int:
        return len(self.texts) + len(self.reports) + len(self.misread)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=BODY_BYTES_MAX, MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX)
    app.register_blueprint(routes(Doors([desk]), now=lambda: SENT_AT + dt.timedelta(seconds=3)))
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sms/africastalking/wrong", 404),
        ("/sms/africastalking/wrong/reports", 404),
        ("/sms/africastalking/LONG-SECRET", 404),
        ("/sms/africastalking/long-secret2", 404),
        ("/sms/africastalking/d%C3%A9mo", 404),
        ("/sms/africastalking/" + "x" * 5_000, 404),
        ("/sms/africastalking/", 404),
        ("/sms/africastalking", 404),
        (f"{SMS}/other", 404),
    ],
)
def test_behind_a_wrong_secret_there_is_nothing(
    client: FlaskClient, desk: Desk, path: str, status: int
) -> None:
    assert client.post(path, data=MESSAGE).status_code == status
    assert desk.heard == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"id": "a\x00b"}, "id"),
        ({"text": None}, "text"),
    ],
)
def test_a_form_that_is_no_message_says_which_field(
    client: FlaskClient, desk: Desk, change: dict[str, str | None], field: str
) -> None:
    """And is not brought again for twelve hours: it would be no better."""
    form = {name: value for name, value in {**MESSAGE, **change}.items() if value is not None}

    assert client.post(SMS, data=form).status_code == 200
    assert desk.misread == [("africastalking", field)]
    assert desk.texts == []


@pytest.mark.parametrize(
    "sender", ["", "NORANDINO", "21512", "+51", "+5144123456", "Rosa", "9" * 10_000, "7f1c…hash"]
)
def test_who_has_no_mobile_is_heard_by_nobody(client: FlaskClient, desk: Desk, sender: str) -> None:
    """A landline, a short code, an advertiser's name, a number that the network hides."""
    with capture_logs() as logs:
        response = client.post(SMS, data={**MESSAGE, "from": sender, "text": "PIN 4826"})

    assert response.status_code == 200
    assert desk.heard == 0
    assert [line["event"] for line in logs] == ["sms_not_from_a_mobile"]
    assert "4826" not in str(logs)
    assert not sender or sender not in str(logs)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\xfd", "application/x-www-form-urlencoded"),
        (b"%", "application/x-www-form-urlencoded"),
        (b"&" * 5_000, "application/x-www-form-urlencoded"),
        (b"text=" + b"1" * 10_000, "application/x-www-form-urlencoded"),
        (b"id=1&from=%2B51987000001&text=%FF%FE", "application/x-www-form-urlencoded"),
        (b'{"id": 1', "application/json"),
        (b"SALDO", "text/plain"),
        (b"--x--", "multipart/form-data; boundary=x"),
        (b"", ""),
    ],
)
@pytest.mark.parametrize("path", [SMS, REPORTS])
def test_another_kind_of_body_is_no_fault_of_ours(
    client: FlaskClient, path: str, body: bytes, content_type: str
) -> None:
    with capture_logs():
        assert client.post(path, data=body, content_type=content_type).status_code == 200


def test_a_body_larger_than_any_callbacks_is_refused(client: FlaskClient) -> None:
    """Before it is read into memory."""
    form = {**MESSAGE, "text": "1" * 100_000}

    assert client.post(SMS, data=form).status_code == 413


def test_what_cannot_be_taken_now_is_brought_again(client: FlaskClient, desk: Desk) -> None:
    desk.takes = False

    assert client.post(SMS, data=MESSAGE).status_code == 503
    assert client.post(REPORTS, data=REPORT).status_code == 503


@pytest.mark.parametrize("path", [SMS, "/sms/africastalking/next-secret"])
def test_rosas_text_is_taken(client: FlaskClient, desk: Desk, path: str) -> None:
    """By either of two secrets, while one is being replaced."""
    response = client.post(path, data=MESSAGE)

    assert (response.status_code, response.text) == (200, "")
    (text,) = desk.texts
    assert (text.origin.channel, text.origin.account) == ("africastalking", "norandino")
    assert text.origin.session_id == MESSAGE["id"]
    assert text.origin.msisdn.e164 == ROSA.msisdn
    assert (text.to, text.said.text) == ("21512", "SALDO")
    assert "SALDO" not in repr(text)


@pytest.mark.parametrize(
    "change",
    [
        {"linkId": ""},
        {"networkCode": "71606", "cost": "KES 1.0000", "new": "field"},
        {"from": " 51987000001"},
        {"from": "51987000001"},
        {"id": " 15071 "},
        {"text": ""},
        {"text": "¿Cuánto tengo? ñ 🌽"},
        {"text": "x" * 10_000},
        {"date": ""},
        {"date": "yesterday"},
        {"to": ""},
    ],
)
def test_what_is_missing_strange_or_new_loses_no_message(
    client: FlaskClient, desk: Desk, change: dict[str, str]
) -> None:
    form = {**MESSAGE, **change}

    assert client.post(SMS, data=form).status_code == 200
    assert desk.texts[0].said.text == form["text"]
    assert desk.texts[0].origin.msisdn.e164 == ROSA.msisdn
    assert desk.texts[0].origin.session_id == form["id"].strip()


@pytest.mark.parametrize("missing", ["linkId", "date", "to"])
def test_these_fields_may_be_missing(client: FlaskClient, desk: Desk, missing: str) -> None:
    form = {name: value for name, value in MESSAGE.items() if name != missing}

    assert client.post(SMS, data=form).status_code == 200
    assert len(desk.texts) == 1


def test_a_message_that_comes_again_has_the_same_name(client: FlaskClient, desk: Desk) -> None:
    """By which the gateway answers it once."""
    for _ in range(3):
        client.post(SMS, data=MESSAGE)

    assert len({text.origin for text in desk.texts}) == 1


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("2026-10-01T06:04:45Z", SENT_AT),
        ("2026-10-01 06:04:45", SENT_AT),
        ("2026-10-01T06:04:45.000Z", SENT_AT),
        ("2026-10-01T01:04:45-05:00", SENT_AT),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-13-01 00:00:00", None),
        ("9" * 10_000, None),
    ],
)
def test_both_ways_of_writing_a_date_are_utc(date: str, at: dt.datetime | None) -> None:
    assert written_at({"date": date}) == at


@pytest.mark.parametrize(("seconds", "noted"), [(0, False), (LATE_S - 3, False), (LATE_S, True)])
def test_a_message_that_comes_late_is_noted(
    client: FlaskClient, desk: Desk, seconds: int, noted: bool
) -> None:
    """And taken all the same."""
    date = (SENT_AT - dt.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")

    with capture_logs() as logs:
        client.post(SMS, data={**MESSAGE, "date": date})

    assert [line["event"] for line in logs] == (["sms_late"] if noted else [])
    assert len(desk.texts) == 1


@pytest.mark.parametrize(
    "change",
    [{"status": "Exploded"}, {"status": ""}, {"status": "x" * 10_000}, {"status": ROSA.msisdn}]
    + [{"id": value} for value in ("", "a b", "x" * 129)],
)
def test_a_report_that_nobody_understands_is_noted_and_not_brought_again(
    client: FlaskClient, desk: Desk, change: dict[str, str]
) -> None:
    with capture_logs() as logs:
        response = client.post(REPORTS, data={**REPORT, **change})

    assert response.status_code == 200
    assert desk.heard == 0
    assert [line["event"] for line in logs] == ["report_not_understood"]
    assert len(str(logs)) < 500
    assert ROSA.msisdn not in str(logs)


@pytest.mark.parametrize(
    ("change", "state", "reason", "opted_out"),
    [
        ({}, DeliveryState.FAILED, "UserDoesNotExist", False),
        ({"failureReason": ""}, DeliveryState.FAILED, "Failed", False),
        ({"failureReason": "drop table 4826"}, DeliveryState.FAILED, "Failed", False),
        ({"failureReason": "x" * 4_000}, DeliveryState.FAILED, "Failed", False),
        ({"failureReason": "UserInBlackList"}, DeliveryState.FAILED, "UserInBlackList", True),
        ({"failureReason": "UserInBlacklist"}, DeliveryState.FAILED, "UserInBlacklist", True),
        ({"status": "Rejected", "failureReason": ""}, DeliveryState.FAILED, "Rejected", False),
        ({"status": "Expired", "failureReason": ""}, DeliveryState.FAILED, "Expired", False),
        (
            {"status": "AbsentSubscriber", "failureReason": ""},
            DeliveryState.FAILED,
            "AbsentSubscriber",
            False,
        ),
        ({"status": "Success"}, DeliveryState.DELIVERED, "", False),
        ({"status": "Sent"}, DeliveryState.SENT, "", False),
        ({"status": "Submitted"}, DeliveryState.SENT, "", False),
        ({"status": "Buffered", "phoneNumber": "x"}, DeliveryState.SENT, "", False),
    ],
)
def test_a_report_says_how_far_a_message_got(
    client: FlaskClient,
    desk: Desk,
    change: dict[str, str],
    state: DeliveryState,
    reason: str,
    opted_out: bool,
) -> None:
    assert client.post(REPORTS, data={**REPORT, **change}).status_code == 200

    assert desk.reports == [Report("africastalking", "ATXid_1", state, reason, opted_out)]


_ANY = st.dictionaries(
    st.sampled_from([*MESSAGE, *REPORT, "x", ""]),
    st.one_of(st.text(max_size=300), st.sampled_from([ROSA.msisdn, "Success", "1*4826"])),
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(form=_ANY, path=st.sampled_from([SMS, REPORTS]))
def test_no_form_makes_a_fault(client: FlaskClient, form: dict[str, str], path: str) -> None:
    with capture_logs():
        assert client.post(path, data=form).status_code == 200


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=2_000), path=st.sampled_from([SMS, REPORTS]))
def test_no_body_makes_a_fault(client: FlaskClient, body: bytes, path: str) -> None:
    with capture_logs():
        response = client.post(path, data=body, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200
