"""Staff over HTTP: who may not, what cannot be done, and what is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.bank.hashing import KeyedHashes
from gateway.bank.office import Office
from gateway.db.pool import Database
from gateway.staff.api import StaffDesk, routes
from tests.cooperative import Cooperative
from tests.people import ELMER, ROSA, STRANGER, WILMER

ANA, LUIS = "ana-key-of-32-octets-or-so", "luis-key-of-32-octets-or-so"
KEYS = {
    name: hashlib.sha256(key.encode()).hexdigest() for name, key in (("ana", ANA), ("luis", LUIS))
}
INVITATION = {"phone": WILMER.msisdn, "dni": WILMER.dni}

Call = Callable[..., TestResponse]


@pytest.fixture
def client(cooperative: Cooperative) -> Iterator[FlaskClient]:
    """The API of the demo cooperative, with Ana's and Luis' keys."""
    url = cooperative.settings.database_url.get_secret_value()
    keyed = KeyedHashes(cooperative.settings.peppers)
    with Database(url.replace("chaski_app", "chaski_staff"), 2) as database:
        database.open()
        app = Flask("staff")
        desk = lambda: Office(database, keyed, 72, cooperative.clock.now())  # noqa: E731
        app.register_blueprint(routes([StaffDesk(desk, KEYS)]))
        yield app.test_client()


@pytest.fixture
def call(client: FlaskClient) -> Call:
    """Somebody calls a path with a body, as Ana unless another key is given."""

    def post(path: str, body: object = None, key: str = ANA) -> TestResponse:
        headers = {"Authorization": f"Bearer {key}"}
        return client.post(f"/staff/v1{path}", json=body, headers=headers)

    return post


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {ANA}"},
        {"Authorization": ANA},
        {"Authorization": f"Bearer {KEYS['ana']}"},  # what the settings hold is no key
        {"Authorization": "Bearer ñandú"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/codes", "/resets", "/resets/1/approval", "/unlocks", "/freezes"]
)
def test_without_a_key_nothing_is_done(
    client: FlaskClient, cooperative: Cooperative, path: str, headers: dict[str, str]
) -> None:
    """And nothing is said of whether there is such a member."""
    response = client.post(f"/staff/v1{path}", json=INVITATION, headers=headers)

    assert response.status_code == 401
    assert response.json
    assert response.json["error"] == "key"
    assert "Bearer" in response.json["do"]
    with cooperative.owner() as owner:
        deeds = owner.execute("select from audit.entry where actor_kind = 'staff'").fetchall()
    assert deeds == []


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/codes", None, 400, "not_json"),
        ("/codes", [], 400, "not_json"),
        ("/codes", {}, 400, "phone"),
        ("/codes", {**INVITATION, "phone": 987000006}, 400, "phone"),
        ("/codes", {**INVITATION, "phone": "wilmer"}, 400, "phone"),
        ("/codes", {**INVITATION, "dni": "4000000"}, 400, "dni"),
        ("/codes", {"phone": WILMER.msisdn}, 400, "dni"),
        ("/codes", {**INVITATION, "born": "17/07/1990"}, 400, "born"),
        ("/codes", {**INVITATION, "phone": STRANGER}, 404, "no_member"),
        ("/codes", {**INVITATION, "phone": ROSA.msisdn}, 409, "has_pin"),
        ("/resets", INVITATION, 409, "no_pin"),
        ("/resets", {"phone": ROSA.msisdn}, 400, "dni"),
        ("/resets/99/approval", {}, 404, "no_request"),
        ("/resets/999999999999999999/approval", {}, 404, "no_request"),
        ("/unlocks", {"phone": STRANGER}, 404, "no_member"),
        ("/freezes", {}, 400, "phone"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(
    call: Call, path: str, body: object, status: int, error: str
) -> None:
    """In one shape."""
    response = call(path, body)

    assert response.status_code == status
    assert response.json
    assert response.json["error"] == error
    assert len(response.json["do"]) > 15


@pytest.mark.parametrize("number", ["-1", "x", "9" * 19, "9" * 5_000])
def test_what_is_no_number_of_a_request_is_not_there(call: Call, number: str) -> None:
    """Also more digits than anybody reads."""
    assert call(f"/resets/{number}/approval", {}).status_code == 404


def test_who_asks_for_a_reset_does_not_approve_it(call: Call) -> None:
    """Another person's key does, once."""
    asked = call("/resets", {"phone": ROSA.msisdn, "dni": ROSA.dni})
    assert asked.status_code == 201
    assert asked.json
    path = f"/resets/{asked.json['request']}/approval"

    assert call(path, {}).status_code == 409
    approved = call(path, {}, key=LUIS)
    assert approved.status_code == 201
    assert approved.json
    assert len(approved.json["code"]) == 8
    assert call(path, {}, key=LUIS).status_code == 409


def test_a_code_is_shown_once_and_opens_what_it_should(
    call: Call, cooperative: Cooperative
) -> None:
    """Wilmer enrols with it; nobody keeps it on the way."""
    response = call("/codes", INVITATION)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json

    phone = cooperative.phone(WILMER.msisdn)
    phone.dial()
    last = phone.press(WILMER.dni, response.json["code"], "1", "5938", "5938")

    assert last.ends
    assert last.text.startswith("Listo")


def test_the_trail_says_whose_key_it_was(call: Call, cooperative: Cooperative) -> None:
    """Staff, by the name of their key."""
    phone = cooperative.phone(ELMER.msisdn)
    phone.dial("1")
    phone.press("0000", "0000", "0000")

    assert call("/unlocks", {"phone": ELMER.msisdn}, key=LUIS).json == {"done": True}
    assert call("/unlocks", {"phone": ELMER.msisdn}).json == {"done": False}
    assert call("/freezes", {"phone": ELMER.msisdn}).json == {"done": True}

    with cooperative.owner() as owner:
        deeds = owner.execute(
            "select actor, action from audit.entry where actor_kind = 'staff' order by id"
        ).fetchall()
    assert deeds == [("luis", "pin.unlocked"), ("ana", "member.frozen")]
