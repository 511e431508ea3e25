"""The configurable channel: profiles that are none, requests that are none, and then one
conversation in each dialect that is shipped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from gateway.channels.dialled import behind
from gateway.channels.doors import Doors
from gateway.channels.http import fields as http_fields
from gateway.channels.http import reading
from gateway.channels.http.profile import Profile
from gateway.channels.http.reading import check_profile, load_profile, load_profiles
from gateway.channels.http.ussd import routes, secret_fields
from gateway.channels.sheets import FaultySheetError
from gateway.values.delivery import Report
from gateway.values.turn import Answer, Cumulative, Reply, Text, Turn
from tests.people import ROSA

SECRET = "right-secret"
NUMBER = ROSA.msisdn.removeprefix("+")
SHIPPED = load_profiles()
PIN = str(ROSA.pin)
ANSWERS = ("2", "987000002", "50", PIN)  # after dialling: five hops in all

Fields = dict[str, Any]

# A complete profile, of nobody: what the tests break and change.
PLAIN = """\
source: docs.example.com/ussd
unconfirmed: [all of it]
request:
  methods: [POST]
  body: json
  session: id
  msisdn: phone
  input: typed
  service_code: code
  sequence: hop
  answers: last
  start: {field: kind, is: [begin]}
  goes_on: {field: kind, is: [answer]}
  end: {field: kind, is: [stop, lost]}
  dialled: {field: code, holds: everything}
reply:
  json:
    id: "{session}"
    screen: "{text}"
    more: {goes_on: true, ends: false}
"""


@dataclass
class Desk:
    """A cooperative that shows numbered screens, ends at the fifth, and shows a hop that comes
    again the screen that it had."""

    cooperative: str = "norandino"
    webhook_secrets: tuple[str, ...] = (SECRET,)
    short_code: str = "*775#"
    turns: list[Turn] = field(default_factory=list)
    misread: list[tuple[str, str]] = field(default_factory=list)
    ended: list[tuple[str, str, str, str, int]] = field(default_factory=list)

    def take(self, turn: Turn) -> Reply:
        hops = [identity(each) for each in self.turns]
        known = identity(turn) in hops
        hop = hops.index(identity(turn)) + 1 if known else len(hops) + 1
        if not known:
            self.turns.append(turn)
        return Reply(f"Año {hop}\n1. Saldo", hop > len(ANSWERS), f"screen-{hop}", "ok")

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
        return [typed(turn) for turn in self.turns]


def typed(turn: Turn) -> str:
    return (turn.said.history if isinstance(turn.said, Cumulative) else turn.said.answer).text


def identity(turn: Turn) -> object:
    """What tells a hop from a repeat: its number, or all that was typed. Else each is new."""
    sequence = turn.said.sequence if isinstance(turn.said, Answer) else -1
    return object() if sequence is None else (turn.origin, sequence, typed(turn))


def client_of(desk: Desk, profiles: dict[str, Profile] | None = None) -> FlaskClient:
    app = Flask("http")
    app.register_blueprint(routes(Doors([desk]), SHIPPED if profiles is None else profiles))
    return app.test_client()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return client_of(desk)


def changed(*changes: tuple[str, str]) -> str:
    """The plain profile with something else in it."""
    text = PLAIN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def profile_of(folder: Path, text: str, name: str = "plain") -> Profile:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return load_profile(path)


def send(
    client: FlaskClient, profile: Profile, fields: Fields, secret: str = SECRET
) -> TestResponse:
    """A request as this aggregator makes it."""
    url, method = f"/ussd/http/{profile.name}/{secret}", profile.request.methods[0]
    match profile.request.body:
        case "json":
            return client.open(url, method=method, json=fields)
        case "query":
            return client.open(url, method=method, query_string=fields)
    return client.open(url, method=method, data=fields)


# --- Profiles that are none.


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("source: docs.example.com/ussd\n", "", 1, "source: is missing"),
        ("docs.example.com/ussd", '""', 1, "source: Expected `str` of length >= 1"),
        ("  session: id\n", "", 3, "request.session: is missing"),
        ("  input: typed\n", "", 3, "request.input: is missing"),
        ("  methods: [POST]", "  methods: []", 4, "request.methods: Expected `array` of length"),
        ("[POST]", "[PUT]", 4, "request.methods: Invalid enum value 'PUT': one of GET, POST"),
        ("[POST]", "[GET, POST]", 5, "request.body: GET has no body of `json`: `query`"),
        ("body: json", "body: xml", 5, "'xml': one of json, form, query, declared"),
        ("session: id", "session: 7", 6, "request.session: Expected `str`, got `int`"),
        (
            "  service_code",
            "  colour: red\n  service_code",
            9,
            "request.colour: there is no such key",
        ),
        ("session: id", "session: id\n  session: sid", 7, "request.session: stands twice"),
        ("answers: last", "answers: most", 11, "'most': one of last, all"),
        ("hop\n", "hop\n  separator: '||'\n", 11, "request.separator: Expected `str` of length"),
        ("hop\n", "hop\n  msisdn_region: Peru\n", 11, "request.msisdn_region: Expected `str`"),
        ("  start: {field: kind, is: [begin]}\n", "", 11, '`start: {field: typed, is: [""]}`'),
        ("is: [begin]", "is: []", 12, "request.start.is: Expected `array` of length >= 1"),
        ("is: [begin]", "was: [begin]", 12, "request.start.was: there is no such key"),
        ("is: [answer]", "is: [STOP]", 13, "request.goes_on.is: `STOP` is `end` already"),
        ("answers: last", "answers: all", 12, "request.start: not used where `answers` is `all`"),
        ("everything", "something", 15, "'something': one of everything, extension, rest"),
        ("reply:\n", "answer:\n", 16, "answer: there is no such key"),
        ("  json:\n", "  jason:\n", 17, "reply.jason: there is no such key"),
        ("  json:\n", "  text: Hola\n  json:\n", 16, "reply: one of `text` and `json`"),
        ("{text}", "{texto}", 19, "there is no `{texto}`: {text}, {session}, {msisdn}, {service"),
        ("{text}", "{network}", 19, "reply.json.screen: there is no `{network}`"),
        ('"{text}"', "Hola", 17, "reply.json: `{text}`, the screen, is not in it"),
        ('"{text}"', '{goes_on: "{text}", ends: Adios}', 17, "the screen, is not in it"),
        ('"{text}"', '["{text}"]', 19, "reply.json.screen: a list cannot be filled in"),
        ("{goes_on: true, ends: false}", "true", 17, "nothing says whether the session goes on"),
        ("ends: false", "end: false", 20, "`goes_on` and `ends` stand together, and alone"),
        ("{session}", "{request.typed}", 18, "`{request.typed}` would send back what the member"),
        ("{session}", "{request.TYPED}", 18, "`{request.TYPED}` would send back what the member"),
        ("{session}", "{service_code}", 18, "`{service_code}` would send back what the member"),
        (
            "reply:\n",
            "reply:\n  end_event: '{request.typed}'\n",
            17,
            "reply.end_event: `{request.ty",
        ),
        ("reply:\n", "reply:\n  content_type: json\n", 17, "reply.content_type: Expected `str`"),
        ("reply:\n", "reply:\n  newline: ''\n", 17, "reply.newline: Expected `str` of length >= 1"),
        ("reply:\n", "reply:\n\tx: 1\n", 17, "not YAML: found character '\\t'"),
        ("session: id", "session: *id", 6, "not YAML: `*` refers to another place"),
        ("[all of it]", "!!python/none", 2, "not YAML: a `!` names a type"),
        ("[all of it]", "[{all: of}]", 2, "unconfirmed: Expected `str`, got `object`"),
    ],
)
def test_a_broken_profile_is_told_by_line_key_and_reason(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    """To the engineer who connects an aggregator, before a member finds out."""
    path = tmp_path / "plain.yaml"
    path.write_text(changed((old, new)))

    faults = [str(fault) for fault in check_profile(path)]

    assert any(said in fault for fault in faults), faults
    assert any(fault.startswith(f"{path}:{line}: ") for fault in faults), faults
    with pytest.raises(FaultySheetError, match=re.escape(said)):
        load_profile(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("code: code", "code: code\n  network: net"), "where `answers` is `all` it is the input"),
        (("{field: code, holds: everything}", "{field: typed, holds: rest}"), "`rest` is for"),
        (
            ("  service_code: code\n", ""),
            "`extension` needs `service_code`: what it stands behind",
        ),
    ],
)
def test_what_cannot_be_found_in_every_answer_so_far(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    """Where the input holds all of them, what was dialled is before them, in each request."""
    whole = "  start: {field: kind, is: [begin]}\n  goes_on: {field: kind, is: [answer]}\n"
    path = tmp_path / "plain.yaml"
    text = changed(("answers: last", "answers: all"), (whole, ""), change)
    path.write_text(text if "rest" in change[1] else text.replace("everything", "extension"))

    assert any(said in str(fault) for fault in check_profile(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a sheet is a list of `name: value` lines"),
        (b"- source\n- request\n", "a sheet is a list of `name: value` lines"),
        (b"just words", "a sheet is a list of `name: value` lines"),
        (b"\xff\xfe\x00", "cannot be read: not in UTF-8"),
        (b"source: \x07", "not YAML: a letter that no file has"),
        (b"[" * 10_000, "not YAML: "),
        (b"#" * 20_001, "longer than 20000 characters"),
    ],
)
def test_a_file_that_is_no_profile(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "plain.yaml"
    path.write_bytes(content)

    (fault,) = check_profile(path)

    assert said in str(fault)


@pytest.mark.parametrize("name", ["Plain.yaml", "plain.yml", "mi perfil.yaml", "7.yaml", "a/b.txt"])
def test_a_profiles_name_can_stand_in_a_url(tmp_path: Path, name: str) -> None:
    (fault,) = check_profile(tmp_path / name)

    assert "a profile is called like `hubtel.yaml`" in str(fault)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    (fault,) = check_profile(tmp_path / "plain.yaml")

    assert str(fault) == f"{tmp_path}/plain.yaml:1: cannot be read: No such file or directory"


def test_the_cooperatives_own_folder_comes_on_top_of_what_is_shipped(tmp_path: Path) -> None:
    """Of two of one name its own is served."""
    (tmp_path / "plain.yaml").write_text(PLAIN)
    (tmp_path / "nalo.yaml").write_text(PLAIN)

    profiles = load_profiles(tmp_path)

    assert profiles.keys() == {*SHIPPED, "plain"}
    assert profiles["nalo"].source == "docs.example.com/ussd"
    assert profiles["hubtel"] == SHIPPED["hubtel"]


def test_all_faults_of_all_files_stop_the_boot_at_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(changed(("{text}", "{a}"), ("{session}", "{b}")))

    with pytest.raises(FaultySheetError) as refused:
        load_profiles(tmp_path)

    assert [(Path(fault.file).stem, fault.line) for fault in refused.value.faults] == [
        ("one", 18),
        ("one", 19),
        ("two", 18),
        ("two", 19),
    ]
    assert str(refused.value).count("\n") == 3


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(FaultySheetError, match="there is no such folder"):
        load_profiles(tmp_path / "nowhere")
    (tmp_path / "mine.YML").write_text(PLAIN)
    with pytest.raises(FaultySheetError, match=r"rename it to \.yaml"):
        load_profiles(tmp_path)
    (tmp_path / "mine.YML").unlink()
    for number in range(reading.PROFILES_MAX + 1):
        (tmp_path / f"p{number}.yaml").touch()
    with pytest.raises(FaultySheetError, match="more than 100 profiles"):
        load_profiles(tmp_path)


def test_what_is_shipped_says_where_its_facts_are_from() -> None:
    assert SHIPPED.keys() == {
        *("arkesel", "crossgate", "hellio", "hubtel", "jazaafrica", "moolre", "nalo"),
    }
    assert all(profile.source and profile.unconfirmed is not None for profile in SHIPPED.values())


def test_the_example_for_who_writes_one_is_a_profile(tmp_path: Path) -> None:
    readme = (Path(reading.__file__).parent / "README.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert example

    profile = profile_of(tmp_path, example[1], "example")

    assert profile.channel == "http-example"
    assert profile.request.msisdn_region == "GH"


# --- What was dialled.


@pytest.mark.parametrize(
    ("dialled", "short_code", "answers"),
    [
        ("", "*775#", None),
        ("*7751#", "*775#", None),
        ("*1*775#", "*775#", None),
        ("*775", "", None),
        ("*775#", "*775*1#", None),
        ("*775#", "*775#", ""),
        ("775", "*775#", ""),
        ("*775*#", "*775#", ""),
        ("*775*1*5#", "*775*1#", "5"),
        ("*775*2*987654321*50#", "*775#", "2*987654321*50"),
        ("775*775*1", "*775#", "775*1"),
        ("*775*1##", "*775#", "1#"),
    ],
)
def test_what_stands_behind_the_code(dialled: str, short_code: str, answers: str | None) -> None:
    """None where the string begins with another code."""
    assert behind(dialled, short_code) == answers


# --- The dialects that are shipped: requests as their aggregators make them.


def hubtel(answers: list[str]) -> Fields:
    return {
        "Type": "Response" if answers else "Initiation",
        "Mobile": NUMBER,
        "SessionId": "s1",
        "ServiceCode": "775",
        "Message": answers[-1] if answers else "*775#",
        "Operator": "mtn",
        "Sequence": len(answers) + 1,
        "ClientState": "",
        "Platform": "USSD",
    }


def arkesel(answers: list[str]) -> Fields:
    return {
        "sessionID": "s1",
        "userID": "U7",
        "newSession": not answers,
        "msisdn": NUMBER,
        "userData": answers[-1] if answers else "*775#",
        "network": "MTN",
    }


def nalo(answers: list[str]) -> Fields:
    return {
        "USERID": "NALOTest",
        "MSISDN": NUMBER,
        "USERDATA": answers[-1] if answers else "*775#",
        "MSGTYPE": not answers,
        "NETWORK": "MTN",
        "SESSIONID": "s1",
    }


def moolre(answers: list[str]) -> Fields:
    return {
        "sessionid": "s1",
        "new": not answers,
        "msisdn": NUMBER,
        "network": 3,
        "message": answers[-1] if answers else "",
        "extension": "775",
        "data": "",
    }


def hellio(answers: list[str]) -> Fields:
    return {
        "sessionId": "s1",
        "serviceCode": "*775#",
        "phoneNumber": ROSA.msisdn,
        "networkCode": "62001",
        "text": "*".join(answers),
    }


def crossgate(answers: list[str]) -> Fields:
    return {
        "network_code": "2541",
        "msisdn": NUMBER,
        "service_code": "775",
        "session_id": "s1",
        "ussd_string": "*".join(answers),
    }


def jazaafrica(answers: list[str]) -> Fields:
    return {
        "SESSIONID": "s1",
        "USSDCODE": "*415#",
        "MSISDN": NUMBER,
        "INPUT": "*".join(["33", *answers]),
    }


DIALECTS: dict[str, Callable[[list[str]], Fields]] = {
    "arkesel": arkesel,
    "crossgate": crossgate,
    "hellio": hellio,
    "hubtel": hubtel,
    "jazaafrica": jazaafrica,
    "moolre": moolre,
    "nalo": nalo,
}
SHORT_CODES = {"jazaafrica": "*415*33#"}


def screen_in(name: str, fields: Fields, text: str, goes_on: bool) -> object:
    """The reply that each aggregator wants, whole."""
    match name:
        case "hubtel":
            return {
                "SessionId": "s1",
                "Type": "response" if goes_on else "release",
                "Message": text,
                "Label": "Menu",
                "DataType": "input" if goes_on else "display",
                "FieldType": "text",
                "ClientState": "",
                "Sequence": fields["Sequence"],
            }
        case "arkesel":
            return {
                "sessionID": "s1",
                "userID": "U7",
                "msisdn": NUMBER,
                "message": text,
                "continueSession": goes_on,
            }
        case "nalo":
            return {
                "USERID": "NALOTest",
                "MSISDN": NUMBER,
                "MSG": text,
                "MSGTYPE": goes_on,
                "SESSIONID": "s1",
            }
        case "moolre":
            return {"message": text, "reply": goes_on}
    return f"{'CON' if goes_on else 'END'} {text}"


def body_of(answer: TestResponse) -> object:
    return answer.json if answer.content_type == "application/json" else answer.text


def desk_for(name: str) -> Desk:
    return Desk(short_code=SHORT_CODES.get(name, "*775#"))


def test_every_dialect_that_is_shipped_is_spoken_here() -> None:
    assert DIALECTS.keys() == SHIPPED.keys()


def bad_requests() -> list[Any]:
    rows: list[Any] = []
    for name, request_of in DIALECTS.items():
        shape = SHIPPED[name].request
        for key, values in (
            (shape.session, (None, "", " ", "a b", "\x00", "ñ", "x" * 129, "x" * 10_000)),
            (shape.msisdn, (None, "", "Rosa", "21512", "+51987000001;", "9" * 10_000)),
        ):
            rows += [(name, request_of(["1"]), key, value, key) for value in values]
        if shape.body == "json":
            rows.append((name, request_of(["1"]), shape.session, {"id": "s1"}, shape.session))
            rows.append((name, request_of(["1"]), shape.msisdn, [NUMBER], shape.msisdn))
            rows.append((name, request_of(["1"]), shape.msisdn, 5.1987e10, shape.msisdn))
        if shape.goes_on:
            kind = shape.goes_on.field
            rows += [(name, request_of(["1"]), kind, each, kind) for each in (None, "", "Other", 7)]
        if shape.answers == "all":
            rows.append((name, request_of(["1"]), shape.input, None, shape.input))
    rows += [("jazaafrica", jazaafrica([]), "INPUT", each, "INPUT") for each in ("", "34", "330*1")]
    rows += [("jazaafrica", jazaafrica([]), "USSDCODE", each, "INPUT") for each in (None, "*416#")]
    return rows


@pytest.mark.parametrize(("name", "fields", "key", "value", "told"), bad_requests())
def test_a_request_that_is_no_hop_gets_a_last_screen_of_its_dialect(
    name: str, fields: Fields, key: str, value: object, told: str
) -> None:
    """In HTTP 200, and the field's name is for the engineer who connects them."""
    desk = desk_for(name)
    fields = {**fields, key: value} if value is not None else without(fields, key)

    answer = send(client_of(desk), SHIPPED[name], fields)

    assert answer.status_code == 200
    assert "Marca otra vez" in answer.text
    assert desk.turns == []
    assert desk.misread == [(f"http-{name}", told)]
    assert len(answer.data) < 1_000, "what is too long is not sent back"


def without(fields: Fields, key: str) -> Fields:
    return {name: value for name, value in fields.items() if name != key}


@pytest.mark.parametrize("name", [name for name, p in SHIPPED.items() if p.request.body == "json"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"SessionId=s1",
        b'{"SessionId": "s1"',
        b"\xff\xfe" * 5_000,
        b'{"SessionId": "\\ud800"}',
        b"[" * 10_000,
        b"null",
        b'["SessionId"]',
        b"9" * 10_000,
    ],
)
def test_a_body_that_is_no_json_gets_a_last_screen(
    client: FlaskClient, desk: Desk, name: str, body: bytes
) -> None:
    """Nothing is known of the request, so nothing of it is sent back."""
    answer = client.post(f"/ussd/http/{name}/{SECRET}", data=body)

    assert answer.status_code == 200
    assert "Marca otra vez" in (answer.json or {}).values()
    assert not {"s1", "SessionId"} & {str(value) for value in (answer.json or {}).values()}
    assert desk.misread == [(f"http-{name}", "body")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/ussd/http/hubtel/wrong", 404),
        ("POST", f"/ussd/http/hubtel/{SECRET}x", 404),
        ("POST", "/ussd/http/hubtel/s%C3%A9cret", 404),
        ("POST", f"/ussd/http/nobody/{SECRET}", 404),
        ("POST", f"/ussd/http/Hubtel/{SECRET}", 404),
        ("POST", "/ussd/http/hubtel/", 404),
        ("GET", "/ussd/http/hubtel/wrong", 404),
        ("GET", f"/ussd/http/hubtel/{SECRET}", 405),
        ("POST", f"/ussd/http/crossgate/{SECRET}", 405),
        ("HEAD", f"/ussd/http/crossgate/{SECRET}", 405),
        ("DELETE", f"/ussd/http/hubtel/{SECRET}", 405),
    ],
)
def test_wrong_doors_are_shut(
    client: FlaskClient, desk: Desk, method: str, path: str, status: int
) -> None:
    """A wrong secret and a wrong name look the same."""
    query = crossgate(["1"])

    assert client.open(path, method=method, query_string=query).status_code == status
    assert desk == Desk()


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_conversation_of_five_hops(name: str) -> None:
    """Dialled, four answers the last of which is the PIN, and the reply of each as it is wanted.
    What comes again is recognised wherever the dialect lets us."""
    desk, profile = desk_for(name), SHIPPED[name]
    client = client_of(desk)

    for hop in range(len(ANSWERS) + 1):
        fields = DIALECTS[name](list(ANSWERS[:hop]))
        answer = send(client, profile, fields)
        goes_on = hop < len(ANSWERS)
        assert answer.status_code == 200
        assert body_of(answer) == screen_in(name, fields, f"Año {hop + 1}\n1. Saldo", goes_on)
        if profile.request.sequence or profile.request.answers == "all":
            assert send(client, profile, fields).data == answer.data

    assert len(desk.turns) == len(ANSWERS) + 1
    assert desk.misread == []
    assert {turn.origin for turn in desk.turns} == {desk.turns[0].origin}
    origin = desk.turns[0].origin
    assert (origin.channel, origin.account) == (f"http-{name}", "norandino")
    assert (origin.session_id, origin.msisdn.e164) == ("s1", ROSA.msisdn)
    assert PIN not in repr(desk.turns)
    if profile.request.answers == "last":
        assert desk.typed == ["", *ANSWERS]
    else:
        assert desk.typed == ["*".join(ANSWERS[:hop]) for hop in range(len(ANSWERS) + 1)]


@pytest.mark.parametrize(
    ("name", "change", "answers"),
    [
        ("hubtel", {"Message": "*775*2*987000002*50#"}, "2*987000002*50"),
        ("hubtel", {"Message": "*7751#"}, ""),
        ("hubtel", {"Message": "", "ServiceCode": "n383he9jioe923232347423"}, ""),  # in its app
        ("arkesel", {"userData": "*775*2*987000002*50#"}, "2*987000002*50"),
        ("arkesel", {"userData": None}, ""),
        ("nalo", {"USERDATA": "*775*2#"}, "2"),
        ("moolre", {"data": "2*987000002*50"}, "2*987000002*50"),
        ("moolre", {"data": "2*987000002#", "message": "203"}, "2*987000002"),
        ("moolre", {"data": None}, ""),
        ("hellio", {"text": "2*987000002*50"}, "2*987000002*50"),
        ("crossgate", {"ussd_string": "2*50"}, "2*50"),
        ("jazaafrica", {"INPUT": "33*2*50"}, "2*50"),
        ("jazaafrica", {"USSDCODE": "*415*33#", "INPUT": ""}, ""),
        ("jazaafrica", {"USSDCODE": "415", "INPUT": "33"}, ""),
    ],
)
def test_a_deep_dial_brings_its_answers(name: str, change: Fields, answers: str) -> None:
    """Wherever its network puts them."""
    desk = desk_for(name)

    send(client_of(desk), SHIPPED[name], {**DIALECTS[name]([]), **change})

    assert desk.typed == [answers]


@pytest.mark.parametrize("kind", ["Initiation", "initiation", "INITIATION", " Initiation "])
def test_hubtel_does_not_mind_its_letter_case(client: FlaskClient, desk: Desk, kind: str) -> None:
    """Its own documents write `Type` and its values one way, and it sends them another."""
    fields = {name.lower(): value for name, value in {**hubtel([]), "Type": kind}.items()}

    send(client, SHIPPED["hubtel"], {**fields, "sequence": "1"})

    (turn,) = desk.turns
    assert isinstance(turn.said, Answer)
    assert (turn.said.answer.text, turn.said.sequence) == ("", 1)
    assert turn.service_code == "775"


@pytest.mark.parametrize(
    ("kind", "status"), [("Release", "Release"), ("timeout", "Timeout"), ("TIMEOUT", "Timeout")]
)
def test_hubtels_end_of_a_session_is_acknowledged(
    client: FlaskClient, desk: Desk, kind: str, status: str
) -> None:
    """It comes where answers come; the figures know it under one name."""
    answer = send(client, SHIPPED["hubtel"], {**hubtel(["1", "2"]), "Type": kind})

    assert (answer.status_code, answer.data) == (200, b"")
    assert desk.ended == [("http-hubtel", "norandino", "s1", status, 3)]
    assert desk.turns == []


@pytest.mark.parametrize(
    ("sequence", "number"),
    [(None, None), ("", None), ("two", None), (-2, None), ("2" * 40, None), (2, 2), ("2", 2)],
)
def test_a_hop_that_cannot_be_counted_is_one_all_the_same(
    client: FlaskClient, desk: Desk, sequence: object, number: int | None
) -> None:
    """Then its repeat is inferred, as of networks that do not count."""
    send(client, SHIPPED["hubtel"], {**hubtel(["1"]), "Sequence": sequence})

    (turn,) = desk.turns
    assert isinstance(turn.said, Answer)
    assert turn.said.sequence == number


@pytest.mark.parametrize(
    ("first", "told"),
    [(True, "dial"), ("true", "dial"), ("True", "dial"), (False, "answer"), ("false", "answer")],
)
def test_nalos_flag_means_the_first_request_in_and_that_it_goes_on_out(
    client: FlaskClient, desk: Desk, first: object, told: str
) -> None:
    """The same name in both directions, and nothing to do with each other."""
    fields = {**nalo(["1"]), "MSGTYPE": first, "USERDATA": "*775*2#"}

    answer = send(client, SHIPPED["nalo"], fields)

    assert desk.typed == ["2" if told == "dial" else "*775*2#"]
    assert (answer.json or {})["MSGTYPE"] is True


@pytest.mark.parametrize("content_type", ["form", "json"])
def test_hellio_may_send_a_form_or_json(client: FlaskClient, desk: Desk, content_type: str) -> None:
    """Its documents show both."""
    url, fields = f"/ussd/http/hellio/{SECRET}", hellio(["1", "2"])

    answer = (
        client.post(url, json=fields) if content_type == "json" else client.post(url, data=fields)
    )

    assert answer.text.startswith("CON ")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert desk.typed == ["1*2"]


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("typed_text", ["", "*", "#", "María", "x" * 10_000, "%s{text}"])
def test_a_strange_answer_comes_through_as_it_was_typed(name: str, typed_text: str) -> None:
    desk = desk_for(name)

    send(client_of(desk), SHIPPED[name], DIALECTS[name](["1", typed_text]))

    (typed_,) = desk.typed
    if name == "jazaafrica":  # what ends a string that was dialled cannot be told from its end
        typed_text = typed_text.removesuffix("#")
    assert typed_.removeprefix("1*") == typed_text


def test_what_is_secret_is_named() -> None:
    """Wherever a PIN could stand."""
    named = {name: set(secret_fields(profile)) for name, profile in SHIPPED.items()}

    assert named == {
        "arkesel": {"userData"},
        "crossgate": {"ussd_string"},
        "hellio": {"text"},
        "hubtel": {"Message"},
        "jazaafrica": {"INPUT"},
        "moolre": {"message", "data"},
        "nalo": {"USERDATA"},
    }


# --- What else a profile can say.

HOP: Fields = {
    "id": "s1",
    "phone": NUMBER,
    "code": "*775#",
    "kind": "answer",
    "typed": "1",
    "hop": 2,
}


def ask(folder: Path, desk: Desk, profile_text: str, fields: Fields) -> TestResponse:
    profile = profile_of(folder, profile_text)
    return send(client_of(desk, {profile.name: profile}), profile, fields)


def test_an_echo_keeps_its_type_and_is_left_out_where_there_is_none(
    tmp_path: Path, desk: Desk
) -> None:
    text = changed(
        (
            '"{session}"',
            '"{session}"\n    to: {network: "{request.net}", n: null, of: "<{sequence}>"}',
        )
    )

    answers = [
        ask(tmp_path, desk, text, {**HOP, **more}).json
        for more in ({"net": 7}, {"net": True}, {"net": None}, {"net": "x" * 201}, {"hop": None})
    ]

    assert [(answer or {})["to"] for answer in answers] == [
        {"network": 7, "n": None, "of": "<2>"},
        {"network": True, "n": None, "of": "<2>"},
        {"n": None, "of": "<2>"},
        {"n": None, "of": "<2>"},
        {"n": None, "of": "<>"},
    ]


def test_lines_end_as_the_network_wants_them(tmp_path: Path, desk: Desk) -> None:
    text = changed(("reply:\n", 'reply:\n  newline: "\\r\\n"\n  content_type: text/json\n'))

    answer = ask(tmp_path, desk, text, HOP)

    assert json.loads(answer.data)["screen"] == "Año 1\r\n1. Saldo"
    assert answer.content_type == "text/json"


@pytest.mark.parametrize(
    ("end_event", "body"),
    [("{status: ok, id: '{session}'}", b'{"status":"ok","id":"s1"}'), ("OK {session}", b"OK s1")],
)
def test_an_end_is_acknowledged_as_the_profile_says(
    tmp_path: Path, desk: Desk, end_event: str, body: bytes
) -> None:
    text = changed(("reply:\n", f"reply:\n  end_event: {end_event}\n"))

    answer = ask(tmp_path, desk, text, {"id": "s1", "kind": "LOST"})

    assert answer.data == body
    assert desk.ended == [("http-plain", "norandino", "s1", "lost", -1)]


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("0241234567", "+233241234567"),
        ("233241234567", "+233241234567"),
        ("+233 24 123 4567", "+233241234567"),
        ("0302123456", None),  # a landline
        ("12", None),
    ],
)
def test_numbers_may_come_as_they_are_dialled_at_home(
    tmp_path: Path, desk: Desk, phone: str, number: str | None
) -> None:
    text = changed(("  answers", "  msisdn_region: GH\n  answers"))

    ask(tmp_path, desk, text, {**HOP, "phone": phone})

    assert [turn.origin.msisdn.e164 for turn in desk.turns] == ([number] if number else [])
    assert desk.misread == ([] if number else [("http-plain", "phone")])


def test_any_one_character_may_separate_the_answers(tmp_path: Path, desk: Desk) -> None:
    text = SEPARATED.replace("dialled: {field: typed, holds: everything}", "")

    ask(tmp_path, desk, text, {"id": "s1", "phone": NUMBER, "typed": "1|987000002|50"})

    assert desk.typed == ["1*987000002*50"]


@pytest.mark.parametrize(
    ("typed_text", "history"), [("*775#", ""), ("*775*2*50#", "2*50"), ("*775|2|50", "2*50")]
)
def test_the_code_may_stand_before_every_answer_so_far(
    tmp_path: Path, desk: Desk, typed_text: str, history: str
) -> None:
    """As at Speedocom: `*415*33*1#`."""
    ask(tmp_path, desk, SEPARATED, {"id": "s1", "phone": NUMBER, "typed": typed_text})

    assert desk.typed == [history]


SEPARATED = """\
source: docs.example.com/ussd
request:
  methods: [GET, POST]
  body: query
  session: id
  msisdn: phone
  input: typed
  answers: all
  separator: "|"
  dialled: {field: typed, holds: everything}
reply:
  text: {goes_on: "1 {text}", ends: "0 {text}"}
"""


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_profile_may_take_both_methods(tmp_path: Path, desk: Desk, method: str) -> None:
    profile = profile_of(tmp_path, SEPARATED)
    client = client_of(desk, {"plain": profile})
    query = {"id": "s1", "phone": NUMBER, "typed": "*775#"}

    answer = client.open(f"/ussd/http/plain/{SECRET}", method=method, query_string=query)

    assert answer.text == "1 Año 1\n1. Saldo"


def test_where_only_an_empty_input_tells_a_dial(tmp_path: Path, desk: Desk) -> None:
    text = changed(
        ("{field: kind, is: [begin]}", '{field: typed, is: [""]}'),
        ("  goes_on: {field: kind, is: [answer]}\n", ""),
        ("  end: {field: kind, is: [stop, lost]}\n", ""),
    )

    for said in ({"typed": "", "code": "*775*1#"}, {"typed": "2", "hop": 3}, {"code": "*775*3#"}):
        ask(tmp_path, desk, text, {**without(HOP, "kind"), "typed": None, **said})

    assert desk.typed == ["1", "2", "3"]


def test_bare_words_of_a_profile_are_words(tmp_path: Path, desk: Desk) -> None:
    """`no` is not false, 01 is not 1, as they would be in other YAML."""
    text = changed(("[begin]", "[yes, 01]"), ("[answer]", "[no, 1, true]"))

    for hop, kind in enumerate(("yes", "01", "no", 1, "1", True)):
        ask(tmp_path, desk, text, {**HOP, "kind": kind, "hop": hop})

    assert desk.typed == ["", "", "1", "1", "1", "1"]
    assert desk.misread == []


def test_a_code_that_answers_stand_behind_is_not_told_further(tmp_path: Path, desk: Desk) -> None:
    """Somebody may have dialled their PIN."""
    ask(tmp_path, desk, PLAIN, {**HOP, "code": f"*775*1*{PIN}#", "kind": "begin"})

    (turn,) = desk.turns
    assert turn.service_code == "*775#"
    assert PIN not in repr(turn)


# --- Whatever comes.

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40))


def requests_in(name: str) -> st.SearchStrategy[tuple[str, Fields]]:
    """Requests of a dialect with anything in some of its fields."""
    usual = DIALECTS[name](["1", "2"])
    return st.fixed_dictionaries(
        {}, optional={key: SCALARS | st.just(value) for key, value in usual.items()}
    ).map(lambda fields: (name, fields))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(DIALECTS)).flatmap(requests_in))
def test_any_fields_get_a_screen_of_their_dialect(request_: tuple[str, Fields]) -> None:
    """No request makes a fault, and none is both a hop and none."""
    name, fields = request_
    desk, profile = desk_for(name), SHIPPED[name]
    if profile.request.body != "json":
        fields = {key: str(value) for key, value in fields.items() if value is not None}

    answer = send(client_of(desk), profile, fields)

    assert answer.status_code == 200
    assert len(desk.turns) + len(desk.misread) + len(desk.ended) == 1
    if not desk.ended:
        assert re.search("Marca otra vez|Año 1", str(body_of(answer)))


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(DIALECTS)),
    content_type=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "x/y", ""]
    ),
    body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode),
    query=st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=100),
)
def test_any_bytes_get_an_answer(name: str, content_type: str, body: bytes, query: str) -> None:
    """Of any kind, in any encoding."""
    method = SHIPPED[name].request.methods[0]

    answer = client_of(desk_for(name)).open(
        f"/ussd/http/{name}/{SECRET}",
        method=method,
        data=body,
        content_type=content_type,
        query_string=query,
    )

    assert answer.status_code == 200


def test_half_a_letter_is_never_sent_back() -> None:
    """No request brings one as it is, since what decodes them replaces it; nor shall any other
    way in."""
    fields = http_fields.Fields({"sessionID": "\ud800", "n": 1})

    assert fields.text("sessionID") == "?"
    assert fields.value("n") == 1
