"""Every page: its headers, its weight, where it leads, what it keeps; and the live page."""

from __future__ import annotations

import re

import pytest

from gateway import bootstrap
from gateway.bank.hashing import CHEAPEST_FOR_TESTS
from gateway.bootstrap import Parts
from gateway.bounds import STAFF_IDLE_S
from gateway.console.access import DOORS, Needs
from gateway.db.pool import Database
from gateway.signin.register import Role
from tests.console.test_access import WHO, _path
from tests.cooperative import Cooperative
from tests.house import House
from tests.people import ROSA

PAGES = [door for door in DOORS if door.method == "GET" and door.needs is Needs.ALL]
PAGE_BYTES_MAX = 200_000
_INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE
)
_FIELD = re.compile(r'<(?:input|select)(?![^>]*type="(?:hidden|checkbox)")[^>]*\sid="([^"]+)"')
_ELSEWHERE = re.compile(r"(?:src|href|action)=\"(?:[a-z]+:)?//", re.IGNORECASE)


def test_each_page_is_light_keeps_to_itself_and_is_not_kept(house: House) -> None:
    """Style and page together; nothing inline, nothing from elsewhere; labels and captions."""
    browsers = {role: house.signed_in(WHO[role]) for role in (Role.SUPERVISOR, Role.ADMINISTRATOR)}
    style = len(browsers[Role.SUPERVISOR].see("/static/console.css").data)

    for door in PAGES:
        role = Role.SUPERVISOR if Role.SUPERVISOR in door.who else Role.ADMINISTRATOR
        answer = browsers[role].see(_path(door))
        page = answer.text
        assert len(answer.data) + style < PAGE_BYTES_MAX, door
        assert not _INLINE.search(page), door
        assert not _ELSEWHERE.search(page), door
        assert answer.headers["Cache-Control"] == "no-store", door
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), door
        fields = re.findall(
            r'<(?:input|select)(?![^>]*type="(?:hidden|checkbox)")[^>]*\sid="([^"]+)"', page
        )
        assert all(f'for="{field}"' in page for field in fields), door
        assert page.count("<table") == page.count("<caption"), door
        assert page.count("<h1") == 1, door


def test_the_cookie_is_for_the_console_alone_and_no_script_reads_it(house: House) -> None:
    """In the demo, which has no https, it is not `Secure`; see test_outside_the_demo."""
    browser = house.browser()
    browser.see("/entrar")

    answer = browser.enter("ana")

    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if "chaski_console" in each)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/console" in cookie
    assert "Secure" not in cookie


def test_the_webhooks_know_nothing_of_the_console(house: House) -> None:
    """No token is asked of a network, and no cookie is given to it."""
    phone = house.cooperative.phone(ROSA.msisdn)
    answer = house.app.test_client().post(
        "/ussd/africastalking/demo",
        data={"sessionId": "s", "serviceCode": "*775#", "phoneNumber": phone.msisdn, "text": ""},
    )

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Content-Security-Policy" not in answer.headers


def test_what_is_not_here_is_said_in_a_page(house: House) -> None:
    ana = house.signed_in("ana")

    assert ana.see("/nothing").status_code == 404
    assert "Esta página no existe." in ana.see("/nothing").text
    assert ana.see("/salir").status_code == 405
    assert ana.see("/static/../access.py").status_code == 404
    assert ana.see("/static/%2e%2e/access.py").status_code == 404


def test_the_live_page_loads_itself_and_keeps_nobody_signed_in(house: House) -> None:
    """What a phone does is on it; a desk that is left with it open is shut like any other."""
    phone = house.cooperative.phone(ROSA.msisdn)
    phone.dial()
    ana = house.signed_in("ana")
    house.cooperative.clock.pass_time(seconds=6)
    phone.press("9")

    page = ana.see("/ahora")
    assert 'src="/console/static/live.js"' in page.text
    assert "africastalking" in page.text
    assert "responde" in page.text
    assert "no responde" not in page.text
    assert re.search(r"Sesiones ahora</dt><dd>1<", page.text)
    house.cooperative.clock.pass_time(seconds=STAFF_IDLE_S - 60)
    assert ana.see("/ahora").status_code == 200
    house.cooperative.clock.pass_time(seconds=120)
    assert ana.see("/ahora").status_code == 302


def test_the_auditor_reads_who_did_what_and_the_seals(house: House) -> None:
    """By actor, by member, by deed, page by page."""
    ana = house.signed_in("ana")
    ana.see(f"/socios/{ROSA.ref}")
    for duty in house.cooperative.duties:
        if duty.name.endswith("-seals"):
            duty.run()
    jorge = house.signed_in("jorge")

    page = jorge.see(f"/rastro?quien=ana&socio={ROSA.ref}&que=member.viewed").text
    assert page.count("<code>member.viewed</code>") == 1
    assert "Nada." in jorge.see("/rastro?quien=nobody").text
    assert jorge.see("/rastro?antes=999999999999999999999").status_code == 200
    first = jorge.see("/rastro?antes=2").text
    assert '<th scope="row">1</th>' in first
    seals = jorge.see("/sellos").text
    assert "<td>sí</td>" in seals
    assert "NO" not in re.sub(r"<code>.*?</code>", "", seals.split("<tbody>")[1])


@pytest.mark.parametrize(
    "at", ["", "ayer", "0001-01-01", "9999-12-31T23:59:59", "2026-11-23T15:00:00+00:00"]
)
def test_a_timeline_begins_wherever_it_is_asked_to(house: House, at: str) -> None:
    jorge = house.signed_in("jorge")

    answer = jorge.client.get(f"/console/socios/{ROSA.ref}", query_string={"antes": at})

    assert answer.status_code == 200


def test_outside_the_demo_the_cookie_goes_over_https_alone(
    cooperative: Cooperative, database_urls: tuple[str, str]
) -> None:
    """And the browser is told to stay there; nothing says that data are made up."""
    settings = cooperative.settings.model_copy(update={"demo": False})
    with Database(database_urls[1].replace("chaski_app", "chaski_staff"), 1) as staff:
        staff.open()
        parts = Parts(now=cooperative.clock.now, often=cooperative.clock.often)
        console = bootstrap.console(settings, staff, cooperative.gateway, parts, CHEAPEST_FOR_TESTS)
        answer = console.test_client().get("/entrar", base_url="https://chaski.example")

    assert "; Secure;" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Demostración" not in answer.text


def test_with_the_database_away_every_page_says_so(house: House) -> None:
    """Also to who is signed in: whether they are, nobody knows just then."""
    ana = house.signed_in("ana")
    token = ana.token
    house.staff.close()

    for answer in (
        ana.see("/"),
        ana.see("/socios"),
        ana.send("/socios", token, who="rosa"),
        house.browser().enter("luis"),
    ):
        assert answer.status_code == 503
        assert "La base de datos no responde." in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_that_breaks_is_a_page(house: House) -> None:
    """Whatever it is that breaks."""
    ana = house.signed_in("ana")
    with house.cooperative.owner() as owner:
        owner.execute("alter function staff.visit rename to visit_nothing")

    answer = ana.see("/")

    assert answer.status_code == 500
    assert "No se pudo mostrar esta página." in answer.text


def test_an_empty_cell_stays_empty_in_every_language(house: House) -> None:
    """gettext's answer to nothing is the head of its catalogue."""
    ana = house.signed_in("ana")
    ana.send(f"/socios/{ROSA.ref}/cierre")
    ana.send("/idioma", language="en")

    page = ana.see(f"/socios/{ROSA.ref}").text

    assert "Their access was shut" in page
    assert "Project-Id-Version" not in page


@pytest.mark.parametrize(
    ("came_from", "to"),
    [
        ("https://elsewhere.example/console/socios", "/console/"),
        ("//elsewhere.example/console/socios", "/console/"),
        ("http://localhost/phone", "/console/"),
        ("http://localhost/console/pendientes/7/si", "/console/"),
        ("http://localhost/consolex", "/console/"),
        ("", "/console/"),
        (
            "http://localhost/console/programa?desde=2026-11-01",
            "/console/programa?desde=2026-11-01",
        ),
    ],
)
def test_who_chooses_a_language_stays_on_a_page_of_ours(
    house: House, came_from: str, to: str
) -> None:
    """Not on another site's, and not at an address that only takes forms."""
    ana = house.signed_in("ana")

    answer = ana.client.post(
        "/console/idioma",
        data={"language": "es", "csrf_token": ana.token},
        headers={"Referer": came_from},
    )

    assert (answer.status_code, answer.location) == (303, to)
