"""Infobip's USSD calls: the bad ones first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.channels.doors import Doors
from gateway.channels.infobip.ussd import END_STATUSES, SECRET_FIELDS, routes
from gateway.values.delivery import Report
from gateway.values.turn import Answer, Reply, Text, Turn
from tests.people import ROSA

SECRET = "right-secret"
FOUR_FIELDS = {"shouldClose", "ussdMenu", "responseExitCode", "responseMessage"}
HOPS_OF_A_CONVERSATION = 5

START = {
    "msisdn": ROSA.msisdn.removeprefix("+"),
    "imsi": "716061234567890",
    "shortCode": "*775#",
    "ussdNodeId": "live1",
    "networkName": "Claro",
    "countryName": "PE",
}
RESPONSE = {"msisdn": START["msisdn"], "shortCode": "*775#", "ussdNodeId": "live1", "text": "2"}


@dataclass
class Desk:
    """A cooperative that shows numbered screens, and ends after five."""

    cooperative: str = "norandino"
    webhook_secrets: tuple[str, ...] = (SECRET,)
    short_code: str = "*775#"
    turns: list[Turn] = field(default_factory=list)
    misread: list[tuple[str, str]] = field(default_factory=list)
    ended: list[tuple[str, str, str, str, int]] = field(default_factory=list)
    broken: bool = False

    def take(self, turn: Turn) -> Reply:
        if self.broken:
            raise RuntimeError("out of paper")
        self.turns.append(turn)
        hop = len(self.turns)
        return Reply(f"Año {hop}\n1. Saldo", hop >= HOPS_OF_A_CONVERSATION, f"screen-{hop}", "ok")

    def misunderstood(self, channel: str, field: str) -> Reply:
        self.misread.append((channel, field))
        return Reply("Marca otra vez", ends=True, screen="restart", outcome="not_a_hop")

    def session_ended(
        self, channel: str, account: str, session_id: str, status: str, hops: int
    ) -> None:
        self.ended.append((channel, account, session_id, status, hops))

    def receive(self, text: Text) -> bool:
        raise AssertionError("no SMS comes by USSD")

    def reported(self, report: Report) -> bool:
        raise AssertionError("no report comes by USSD")

    @property
    def typed(self) -> list[str]:
        return [turn.said.answer.text for turn in self.turns if isinstance(turn.said, Answer)]


def client_of(desk: Desk) -> FlaskClient:
    app = Flask("infobip")
    app.register_blueprint(routes(Doors([desk])))
    return app.test_client()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return client_of(desk)


def path(event: str, session: str = "3b2f", secret: str = SECRET) -> str:
    return f"/ussd/infobip/{secret}/session/{session}/{event}"


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def raw(row: object) -> bytes:
    return json.dumps(row).encode()


@pytest.mark.parametrize("event", ["start", "response"])
@pytest.mark.parametrize(
    ("session", "body", "field"),
    [
        ("3b2f", b"", "body"),
        ("3b2f", b"msisdn=51987000001&text=2", "body"),
        ("3b2f", b'{"msisdn": "51987000001"', "body"),
        ("3b2f", b'{"msisdn": "51987000001", "text": "\xff\xfe"}', "body"),
        ("3b2f", b'{"msisdn": "51987000001", "text": "\\ud800"}', "body"),
        ("3b2f", b"[" * 10_000, "body"),
        ("3b2f", b'{"text":' * 5_000 + b"1" + b"}" * 5_000, "body"),
        ("3b2f", b"null", "body"),
        ("3b2f", b"[]", "body"),
        ("3b2f", raw({**RESPONSE, "text": {"value": "2"}}), "body"),
        ("3b2f", raw({**START, "msisdn": True}), "body"),
        ("3b2f", raw(without(START, "msisdn")), "msisdn"),
        ("3b2f", raw({**START, "msisdn": None}), "msisdn"),
        ("3b2f", raw({**START, "msisdn": ""}), "msisdn"),
        ("3b2f", raw({**START, "msisdn": "Rosa"}), "msisdn"),
        ("3b2f", raw({**START, "msisdn": "21512"}), "msisdn"),
        ("3b2f", raw({**START, "msisdn": "5" * 10_000}), "msisdn"),
        ("x" * 129, raw(START), "sessionId"),
        ("a%20b", raw(START), "sessionId"),
        ("%00", raw(START), "sessionId"),
        ("ñ", raw(START), "sessionId"),
    ],
)
def test_a_request_that_is_no_hop_gets_a_last_screen_and_says_which_field(
    client: FlaskClient, desk: Desk, event: str, session: str, body: bytes, field: str
) -> None:
    """In HTTP 200: any other status would be an operator's error on the member's phone."""
    answer = client.post(path(event, session), data=body)

    assert answer.status_code == 200
    assert answer.json == {
        "shouldClose": True,
        "ussdMenu": "Marca otra vez",
        "responseExitCode": 400,
        "responseMessage": field,
    }
    assert desk.misread == [("infobip", field)]
    assert desk.turns == []


@pytest.mark.parametrize("event", ["start", "response", "end"])
@pytest.mark.parametrize("secret", ["wrong", SECRET[:-1], SECRET + "x", "s%C3%A9cret"])
def test_who_does_not_know_the_secret_finds_nothing(
    client: FlaskClient, desk: Desk, event: str, secret: str
) -> None:
    assert client.post(path(event, secret=secret), json=START).status_code == 404
    assert desk == Desk()


@pytest.mark.parametrize(
    ("method", "event", "status"),
    [("GET", "start", 405), ("DELETE", "end", 405), ("POST", "status", 404), ("POST", "", 404)],
)
def test_other_methods_and_events_are_none(
    client: FlaskClient, method: str, event: str, status: int
) -> None:
    assert client.open(path(event), method=method, json=START).status_code == status


def test_a_failure_inside_is_infobips_own_code_and_still_a_screen(
    client: FlaskClient, desk: Desk
) -> None:
    """Never a 500 of HTTP, and nothing that was typed in the log."""
    desk.broken = True

    with capture_logs() as logs:
        answer = client.put(path("response"), json={**RESPONSE, "text": ROSA.pin})

    assert answer.status_code == 200
    assert answer.json == {
        "shouldClose": True,
        "ussdMenu": "Marca otra vez",
        "responseExitCode": 500,
        "responseMessage": "internal",
    }
    assert [line["event"] for line in logs] == ["hop_failed"]
    assert str(ROSA.pin) not in str(logs)


@pytest.mark.parametrize(
    ("short_code", "answers"),
    [
        (None, ""),
        ("", ""),
        ("*775#", ""),
        ("775", ""),
        ("*775*#", ""),
        ("*7751*2#", ""),  # another code
        ("*776*2*987654321*50#", ""),
        ("*1*775*2#", ""),
        ("*775*2*987654321*50#", "2*987654321*50"),
        ("*775*2*987654321*50", "2*987654321*50"),
        ("775*1#", "1"),
        (" *775*1# ", "1"),
        ("*775**5#", "*5"),
    ],
)
def test_what_was_dialled_behind_the_code_are_answers(
    client: FlaskClient, desk: Desk, short_code: str | None, answers: str
) -> None:
    """It all stands in `shortCode`; a `text` in a start is no answer."""
    client.post(path("start"), json={**START, "shortCode": short_code, "text": "*775#"})

    assert desk.typed == [answers]
    assert desk.turns[0].service_code == "*775#"


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        (None, ""),  # nobody knows how an empty answer looks: it is one
        ("", ""),
        (2, "2"),
        ("2", "2"),
        ("*", "*"),
        ("1*2", "1*2"),
        ("María", "María"),
        ("x" * 10_000, "x" * 10_000),
    ],
)
def test_a_response_is_the_last_answer(
    client: FlaskClient, desk: Desk, text: object, typed: str
) -> None:
    client.put(path("response"), json={**RESPONSE, "text": text})

    assert desk.typed == [typed]


def test_a_response_without_text_is_an_empty_answer(client: FlaskClient, desk: Desk) -> None:
    client.put(path("response"), json=without(RESPONSE, "text", "shortCode", "ussdNodeId"))

    assert desk.typed == [""]


@pytest.mark.parametrize("msisdn", ["51987000001", "+51987000001", 51987000001, " 51987000001"])
def test_a_hop_is_a_turn_of_this_channel(client: FlaskClient, desk: Desk, msisdn: object) -> None:
    """Without a number of its own: a repeat is inferred. The IMSI is not in it."""
    client.post(path("start"), json={**START, "msisdn": msisdn, "new": {"field": [1]}})

    (turn,) = desk.turns
    assert turn.origin.msisdn.e164 == ROSA.msisdn
    assert turn.origin.channel == "infobip"
    assert turn.origin.account == "norandino"
    assert turn.origin.session_id == "3b2f"
    assert isinstance(turn.said, Answer)
    assert turn.said.sequence is None
    assert START["imsi"] not in repr(turn)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_conversation_of_five_hops_by_either_method(
    client: FlaskClient, desk: Desk, method: str
) -> None:
    """Every field in every reply; the last one closes; then Infobip says that it is over."""
    replies = [client.open(path("start"), method=method, json=START)]
    for text in ("2", "987000002", "50", ROSA.pin):
        hop = {**RESPONSE, "text": text}
        replies.append(client.open(path("response"), method=method, json=hop))
    over = client.open(path("end"), method=method, json={"reason": "", "exitCode": "200"})

    assert all(reply.content_type == "application/json" for reply in replies)
    assert all((reply.json or {}).keys() == FOUR_FIELDS for reply in replies)
    assert [(reply.json or {})["shouldClose"] for reply in replies] == [False] * 4 + [True]
    assert replies[0].json == {
        "shouldClose": False,
        "ussdMenu": "Año 1\n1. Saldo",
        "responseExitCode": 200,
        "responseMessage": "",
    }
    assert desk.typed == ["", "2", "987000002", "50", ROSA.pin]
    assert {turn.origin.session_id for turn in desk.turns} == {"3b2f"}
    assert over.json == {"responseExitCode": 200, "responseMessage": ""}
    assert desk.ended == [("infobip", "norandino", "3b2f", "Success", -1)]
    assert str(ROSA.pin) not in repr(desk.turns)


@pytest.mark.parametrize(
    ("exit_code", "status"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("999", "unknown"),
        ("finished", "unknown"),
        ("9" * 10_000, "unknown"),
        ("200", "Success"),
        (200, "Success"),
        ("500", "NetworkAborted"),
        (510, "AppAborted"),
        ("520", "UserAborted"),
        ("600", "TimedOut"),
        (" 600 ", "TimedOut"),
    ],
)
def test_an_end_says_how(client: FlaskClient, desk: Desk, exit_code: object, status: str) -> None:
    """As text or as a number, without the phone; unknown ones do not make new figures."""
    answer = client.put(path("end"), json={"reason": "x", "exitCode": exit_code, "extra": []})

    assert answer.json == {"responseExitCode": 200, "responseMessage": ""}
    assert desk.ended == [("infobip", "norandino", "3b2f", status, -1)]


@pytest.mark.parametrize(
    ("session", "body", "field"),
    [
        ("3b2f", b"", "body"),
        ("3b2f", b"exitCode=600", "body"),
        ("3b2f", b'{"exitCode": [600]}', "body"),
        ("3b2f", b"\xff" * 10_000, "body"),
        ("x" * 129, b"{}", "sessionId"),
    ],
)
def test_an_end_that_is_none_ends_nothing(
    client: FlaskClient, desk: Desk, session: str, body: bytes, field: str
) -> None:
    answer = client.put(path("end", session), data=body)

    assert answer.status_code == 200
    assert answer.json == {"responseExitCode": 400, "responseMessage": field}
    assert desk.ended == []
    assert desk.misread == [("infobip", field)]


def test_what_is_secret_is_named() -> None:
    """Of everything that the two sides send each other."""
    assert {"text", "shortCode", "imsi", "ussdMenu"} == SECRET_FIELDS


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=50))
BODIES = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        SCALARS, lambda within: st.lists(within) | st.dictionaries(st.text(max_size=8), within)
    ).map(raw),
    st.fixed_dictionaries(
        {},
        optional={
            "msisdn": SCALARS | st.just(START["msisdn"]),
            "shortCode": SCALARS | st.from_regex(r"\*775(\*[0-9*]*)?#", fullmatch=True),
            "text": SCALARS,
            "exitCode": SCALARS | st.sampled_from(sorted(END_STATUSES)),
        },
    ).map(raw),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["start", "response"]), st.sampled_from(["POST", "PUT"]), BODIES)
def test_any_request_gets_a_whole_screen(event: str, method: str, body: bytes) -> None:
    """No body makes a fault."""
    desk = Desk()

    answer = client_of(desk).open(path(event), method=method, data=body)

    assert answer.status_code == 200
    assert (answer.json or {}).keys() == FOUR_FIELDS
    assert len(desk.turns) + len(desk.misread) == 1


@settings(max_examples=200, deadline=None)
@given(BODIES)
def test_any_end_is_acknowledged(body: bytes) -> None:
    desk = Desk()

    answer = client_of(desk).put(path("end"), data=body)

    assert answer.status_code == 200
    assert (answer.json or {}).keys() == {"responseExitCode", "responseMessage"}
    assert {status for *_, status, _ in desk.ended} <= {*END_STATUSES.values(), "unknown"}
