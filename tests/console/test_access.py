"""Who may do what: every door, for every role and for nobody, as the table has it.

The rows come from the table. That its own content is right stands at the end, by hand.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.console.access import DOORS, EVERYBODY, MENU, Door, Needs, UnlistedDoorError, listed
from gateway.console.app import refuse_unlisted
from gateway.demo.staff import STAFF
from gateway.signin.register import Role
from tests.house import Browser, House
from tests.people import ROSA

WHO = {role: login for login, role in reversed(STAFF)}
INSIDE = [door for door in DOORS if door.needs is not Needs.NOTHING]
OPEN = (200, 302, 303, 400, 404, 409)  # let in; what was asked may still be wrong


def _path(door: Door) -> str:
    """The door's path with something in its places that exists, or might."""
    return (
        door.path.replace("<ref>", ROSA.ref)
        .replace("<login>", "somebody")
        .replace("<int:number>", "999999")
        .replace("<uuid:key>", str(uuid.UUID(int=7)))
        .replace("<path:filename>", "console.css")
    )


def _open(browser: Browser, door: Door, token: str | None = None) -> TestResponse:
    if door.method == "GET":
        return browser.see(_path(door))
    return browser.send(_path(door), token)


def test_nobody_comes_in_without_signing_in(house: House) -> None:
    """Pages lead to the entrance, deeds are refused, and nothing is done or shown."""
    with house.cooperative.owner() as owner:
        before = owner.execute("select count(*) from audit.entry").fetchone()
        for door in INSIDE:
            answer = _open(house.browser(), door)
            if door.method == "GET":
                assert answer.status_code == 302, door
                assert answer.location == "/console/entrar", door
            else:
                assert answer.status_code == 401, door
            assert ROSA.msisdn not in answer.text
        assert owner.execute("select count(*) from audit.entry").fetchone() == before


@pytest.mark.parametrize("role", Role)
def test_each_role_opens_its_own_doors_and_no_other(house: House, role: Role) -> None:
    """A door that is shut to somebody is not in their menu either."""
    browser = house.signed_in(WHO[role])

    for door in INSIDE:
        if door.name == "signin.leave":
            continue  # the last thing that one does
        answer = _open(browser, door)
        allowed = answer.status_code in OPEN
        assert allowed == (role in door.who), (door, answer.status_code)
        if not allowed:
            assert answer.status_code == 403, door
        browser.see("/")
    for name, _ in MENU:
        door = next(door for door in DOORS if door.name == name)
        link = f'href="/console{door.path}"'
        assert (link in browser.see("/").text) == (role in door.who), name


def test_without_a_token_no_deed_is_done(house: House) -> None:
    """Nor with the token of somebody else's page."""
    ana, luis = house.signed_in("ana"), house.signed_in("luis")
    carmen = house.signed_in("carmen")
    others = luis.token

    for door in (door for door in INSIDE if door.method == "POST"):
        browser = carmen if Role.ADMINISTRATOR in door.who else luis
        stolen = ana.token if browser is not ana else others
        for token in ("", "forged", stolen):
            answer = _open(browser, door, token)
            assert answer.status_code == 400, (door, token)
    assert house.deeds("luis")[-1] == ("session.began", None)
    assert house.deeds("carmen")[-1] == ("session.began", None)


def test_with_the_first_password_there_is_nothing_but_setting_up(house: House) -> None:
    """Whatever the role is."""
    carmen = house.signed_in("carmen")
    shown = carmen.send("/personal", login="nueva", role="auditor").text
    first = shown.split('class="once">')[1].split("<")[0]
    nueva = house.browser()
    assert nueva.enter("nueva", first, code="").status_code == 303

    for door in INSIDE:
        if door.needs is Needs.ALL:
            answer = _open(nueva, door, nueva.token or None)
            assert answer.status_code in (302, 400), door
            if answer.status_code == 302:
                assert answer.location == "/console/alta", door


def test_a_page_that_is_in_no_table_stops_the_boot() -> None:
    """And a line of the table without a page, and a route that came in by another way."""
    views = {door.name: lambda: "" for door in DOORS}
    with pytest.raises(UnlistedDoorError):
        listed(DOORS, {**views, "members.secret": lambda: ""})
    with pytest.raises(UnlistedDoorError):
        listed((*DOORS, replace(DOORS[0], name="members.secret")), views)
    with pytest.raises(UnlistedDoorError):
        listed((*DOORS, DOORS[0]), views)
    app = Flask("stray", static_folder=None)
    app.add_url_rule("/stray", "home", lambda: "", methods=["GET"])
    with pytest.raises(UnlistedDoorError):
        refuse_unlisted(app, DOORS)


def test_the_page_of_who_may_what_is_the_table(house: House) -> None:
    """A row for each door, a column for each role."""
    page = house.signed_in("jorge").see("/permisos").text

    for door in DOORS:
        if door.needs is Needs.ALL:
            row = page.split(f'<th scope="row">{door.says}</th>')[1].split("</tr>")[0]
            said = [cell.split("</td>")[0] for cell in row.split("<td>")[1:]]
            assert said == ["sí" if role in door.who else "no" for role in Role], door


def test_no_two_doors_are_told_by_the_same_words() -> None:
    """Else the page of who may what says nothing."""
    said = [door.says for door in DOORS if door.needs is Needs.ALL]
    assert len(said) == len(set(said))


def test_the_table_keeps_duties_apart() -> None:
    """Who lets people in touches no member; who audits changes nothing; deeds are never open."""
    for door in DOORS:
        if door.method == "POST" and door.needs is Needs.ALL and door.who != EVERYBODY:
            assert Role.AUDITOR not in door.who or door.name == "members.found", door
        if door.name.startswith(("members.", "orders.", "claims.", "waiting.", "messages.")):
            assert Role.ADMINISTRATOR not in door.who, door
        if door.name.startswith("people."):
            assert door.who == {Role.ADMINISTRATOR}, door
        if door.name in ("waiting.approve", "members.move", "members.unfreeze"):
            assert Role.SUPPORT not in door.who, door
