"""Fineract's doors: what a hook says is hardly believed, and nothing is read before the proof."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.bounds import BODY_BYTES_MAX, GUESSES_PER_MINUTE
from gateway.channels.addresses import read_networks
from gateway.channels.fineract import hooks, messages
from gateway.channels.walls import Walls
from gateway.observing import Metrics
from gateway.values.core_news import CoreMessage, Fate, Hint, MessageFate, Subject
from gateway.web import create_app

SECRET, KEY, TENANT = "a-secret-of-the-cores-hooks", "an-app-key-of-the-tenant", "default"
DEPOSIT = {"savingsId": 7, "resourceId": 345, "clientId": 12, "changes": {"paymentTypeId": 3}}


def _headers(entity: str, action: str, tenant: str = TENANT) -> dict[str, str]:
    return {
        "X-Fineract-Entity": entity,
        "X-Fineract-Action": action,
        "Fineract-Platform-TenantId": tenant,
        "Content-Type": "application/json",
    }


def _body(entity: str, action: str, response: Mapping[str, Any] | None) -> bytes:
    said = {"entityName": entity, "actionName": action, "createdByName": "teller1"}
    return json.dumps({**said, **({"response": response} if response else {})}).encode()


@pytest.mark.parametrize(
    ("entity", "action", "response"),
    [
        ("SAVINGSACCOUNT", "DEPOSIT", None),  # it failed
        ("SAVINGSACCOUNT", "DEPOSIT", {"savingsId": 7}),
        ("SAVINGSACCOUNT", "DEPOSIT", {"resourceId": 345}),
        ("SAVINGSACCOUNT", "DEPOSIT", {**DEPOSIT, "rollbackTransaction": True}),
        ("SAVINGSACCOUNT", "UNDOTRANSACTION", DEPOSIT),
        ("LOAN", "DISBURSE", DEPOSIT),  # of no loan
        ("LOAN", "REPAYMENT", {"loanId": 5, "resourceId": 22}),
        ("CLIENT", "UPDATE", {"resourceId": 12}),
        ("", "", DEPOSIT),
    ],
)
def test_what_is_no_news_is_nothing(entity: str, action: str, response: Any) -> None:
    assert hooks.parse(_headers(entity, action), _body(entity, action, response)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 5_000,
        _body("SAVINGSACCOUNT", "WITHDRAWAL", DEPOSIT),  # its headers say another thing
        _body("SAVINGSACCOUNT", "DEPOSIT", {**DEPOSIT, "resourceId": "345"}),
        _body("SAVINGSACCOUNT", "DEPOSIT", {**DEPOSIT, "resourceId": 345.5}),
        _body("SAVINGSACCOUNT", "DEPOSIT", {**DEPOSIT, "resourceId": -1}),
        _body("SAVINGSACCOUNT", "DEPOSIT", {**DEPOSIT, "savingsId": 2**63}),
        _body("SAVINGSACCOUNT", "DEPOSIT", {**DEPOSIT, "savingsId": True}),
    ],
)
def test_what_is_no_hook_is_an_error(body: bytes) -> None:
    with pytest.raises(hooks.NotAHookError):
        hooks.parse(_headers("SAVINGSACCOUNT", "DEPOSIT"), body)


@pytest.mark.parametrize(
    ("entity", "action", "response", "hint"),
    [
        ("SAVINGSACCOUNT", "DEPOSIT", DEPOSIT, Hint(Subject.SAVINGS, 7, 345)),
        ("SAVINGSACCOUNT", "WITHDRAWAL", DEPOSIT, Hint(Subject.SAVINGS, 7, 345)),
        ("LOAN", "DISBURSE", {"loanId": 5, "resourceId": 5}, Hint(Subject.LOAN, 5, 5)),
        ("LOAN", "DISBURSETOSAVINGS", {"loanId": 5}, Hint(Subject.LOAN, 5, 5)),
        (
            "ACCOUNTTRANSFER",
            "CREATE",
            {"savingsId": 7, "resourceId": 88},
            Hint(Subject.TRANSFER, 7, 88),
        ),
    ],
)
def test_a_hook_says_where_to_look(entity: str, action: str, response: Any, hint: Hint) -> None:
    assert hooks.parse(_headers(entity, action), _body(entity, action, response)) == hint


class Watched(io.BytesIO):
    """A body that notes whether it was read."""

    reads = 0

    def readinto(self, buffer: Any) -> int:
        self.reads += 1
        return super().readinto(buffer)

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


class Desk:
    """Takes what comes through the doors."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.messages: list[CoreMessage] = []
        self.away = False

    def hear(self, hint: Hint) -> bool:
        self.hints.append(hint)
        return not self.away

    def take(self, rows: Any) -> bool:
        self.messages.extend(rows)
        return not self.away

    def fates(self, ids: Any) -> list[MessageFate] | None:
        return None if self.away else [MessageFate(one, "9", Fate.FAILED, None) for one in ids]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def build(desk: Desk) -> Callable[..., FlaskClient]:
    """The web application with both doors, for callers of these networks."""

    def made(*networks: str) -> FlaskClient:
        metrics = Metrics()
        allowed = {hooks.CHANNEL: read_networks(networks)} if networks else {}
        walls = Walls(allowed, (), metrics, body_seats=1)
        heard = hooks.Hooks((SECRET, f"{SECRET}-of-tomorrow"), TENANT, desk.hear)
        sent = messages.MessageGateway(KEY, TENANT, "NORANDINO", desk.take, desk.fates)
        doors = [hooks.routes([heard]), messages.routes([sent])]
        app: Flask = create_app(
            [], [walls.around(door, hooks.CHANNEL) for door in doors], metrics.registry
        )
        return app.test_client()

    return made


def _hook(client: FlaskClient, secret: str = SECRET, slash: str = "/", **more: Any) -> int:
    said = ("SAVINGSACCOUNT", "DEPOSIT")
    request = {"headers": _headers(*said), "data": _body(*said, DEPOSIT), **more}
    return client.post(f"/core/fineract/{secret}/hooks{slash}", **request).status_code


def test_a_wrong_secret_is_told_nothing_and_slowed(
    build: Callable[..., FlaskClient], desk: Desk
) -> None:
    client = build()
    statuses = [_hook(client, "wrong") for _ in range(GUESSES_PER_MINUTE + 1)]
    assert statuses == [*[404] * GUESSES_PER_MINUTE, 429]
    assert client.get("/core/fineract/wrong/hooks/").status_code == 429
    assert _hook(client) == 204  # who has it is never locked out
    assert len(desk.hints) == 1


def test_a_body_is_not_read_before_the_proof(build: Callable[..., FlaskClient], desk: Desk) -> None:
    for path, status in (("wrong/hooks/", 404), ("messages/sms", 403)):
        body = Watched(b"0123456789")
        answer = build().post(f"/core/fineract/{path}", input_stream=body)
        assert (answer.status_code, body.reads) == (status, 0)
    body = Watched(b"0123456789")
    proven = build().post(
        f"/core/fineract/{SECRET}/hooks/",
        input_stream=body,
        headers=_headers("SAVINGSACCOUNT", "DEPOSIT"),
    )
    assert proven.status_code == 400
    assert body.reads > 0


def test_a_caller_from_elsewhere_is_turned_away(build: Callable[..., FlaskClient]) -> None:
    assert _hook(build("10.0.0.0/8")) == 403
    assert _hook(build("127.0.0.0/8")) == 204


def test_another_tenants_hook_is_refused(build: Callable[..., FlaskClient], desk: Desk) -> None:
    assert _hook(build(), headers=_headers("SAVINGSACCOUNT", "DEPOSIT", "other")) == 400
    assert desk.hints == []


def test_a_hook_without_end_is_refused(build: Callable[..., FlaskClient], desk: Desk) -> None:
    assert _hook(build(), data=b" " * (BODY_BYTES_MAX + 1)) == 413
    assert desk.hints == []


def test_a_hook_that_cannot_be_kept_is_said_so(
    build: Callable[..., FlaskClient], desk: Desk
) -> None:
    desk.away = True
    assert _hook(build()) == 503


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_hook_is_heard_with_and_without_the_slash_that_its_library_wants(
    build: Callable[..., FlaskClient], desk: Desk, slash: str
) -> None:
    assert _hook(build(), slash=slash) == 204
    assert _hook(build(), f"{SECRET}-of-tomorrow", slash) == 204
    assert desk.hints == [Hint(Subject.SAVINGS, 7, 345)] * 2


def test_creating_a_hook_asks_whether_somebody_is_there(build: Callable[..., FlaskClient]) -> None:
    assert build().get(f"/core/fineract/{SECRET}/hooks/").status_code == 204


def test_a_batch_that_cannot_be_kept_shall_come_again(
    build: Callable[..., FlaskClient], desk: Desk
) -> None:
    desk.away = True
    proof = {"Fineract-Tenant-App-Key": KEY, "Fineract-Platform-TenantId": TENANT}
    for path, body in (("sms", b"[]"), ("sms/report", b"[41]")):
        answer = build().post(f"/core/fineract/messages/{path}", data=body, headers=proof)
        assert answer.status_code == 503


def test_a_batch_of_two_hundred_long_messages_fits(
    build: Callable[..., FlaskClient], desk: Desk
) -> None:
    """It is more than any other webhook may bring."""
    row = {"mobileNumber": "+51987000001", "message": "ñ" * 600, "providerId": 1}
    body = json.dumps([{"internalId": n + 1, **row} for n in range(200)]).encode()
    assert len(body) > BODY_BYTES_MAX
    proof = {"Fineract-Tenant-App-Key": KEY, "Fineract-Platform-TenantId": TENANT}
    answer = build().post("/core/fineract/messages/sms", data=body, headers=proof)
    assert (answer.status_code, len(desk.messages)) == (202, 200)


def test_a_report_lacks_no_field_that_fineract_unboxes(build: Callable[..., FlaskClient]) -> None:
    """A missing `hasError` breaks its whole job."""
    proof = {"Fineract-Tenant-App-Key": KEY, "Fineract-Platform-TenantId": TENANT}
    answer = build().post("/core/fineract/messages/sms/report", data=b"[41]", headers=proof)
    (row,) = answer.json or []
    assert (row["id"], row["deliveryStatus"], row["hasError"]) == (41, 400, False)
