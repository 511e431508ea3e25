"""Coming in: what is wrong first, then what is right, and for how long it lasts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.bounds import (
    STAFF_ADDRESS_TRIES,
    STAFF_IDLE_S,
    STAFF_LOCK_S,
    STAFF_LOGIN_TRIES,
    STAFF_SESSION_S,
)
from gateway.demo.staff import STAFF_KEY, STAFF_PASSWORD
from gateway.signin.passwords import code_at
from tests.house import CODE_LIFE, Browser, House

WRONG = "No se pudo entrar"


@pytest.mark.parametrize(
    ("login", "password", "code"),
    [
        ("", "", ""),
        ("ana", "", None),
        ("ana", "papa-camote-yucA", None),
        ("ana", STAFF_PASSWORD, ""),
        ("ana", STAFF_PASSWORD, "000000"),
        ("ana", STAFF_PASSWORD, "ñandú"),
        ("luis", STAFF_PASSWORD + "\0", None),
        ("nobody", STAFF_PASSWORD, None),
        ("a" * 5000, STAFF_PASSWORD, None),
        ("' or 1=1 --", STAFF_PASSWORD, None),
        ("ana", "x" * 10_000, None),
    ],
)
def test_whatever_is_wrong_the_same_is_said(
    house: House, login: str, password: str, code: str | None
) -> None:
    """Not which of the three it was."""
    browser = house.browser()

    answer = browser.enter(login, password, code)

    assert answer.status_code == 403
    assert WRONG in answer.text
    assert password not in answer.text or not password
    assert browser.see("/").status_code == 302


def test_ana_comes_in_and_her_session_has_a_new_name(house: House) -> None:
    """Nothing that was set before she came in is good afterwards."""
    browser = house.browser()
    browser.see("/entrar")
    cookie, token = _cookie(browser), browser.token

    assert browser.enter("ana").status_code == 303
    browser.see("/")

    assert _cookie(browser) != cookie
    assert browser.send("/salir", token=token).status_code == 400
    assert house.deeds("ana")[-1] == ("session.began", None)


def test_a_code_is_good_once(house: House) -> None:
    """Whoever looked over her shoulder has nothing, in the same half minute or the next."""
    house.signed_in("ana")
    code = code_at(STAFF_KEY, house.cooperative.clock.now())

    assert house.browser().enter("ana", code=code).status_code == 403
    house.cooperative.clock.at += CODE_LIFE
    assert house.browser().enter("ana", code=code).status_code == 403


def test_of_two_who_come_with_one_code_at_once_one_is_in(house: House) -> None:
    """Whoever copied it as it was typed is no faster."""
    browsers = [house.browser() for _ in range(4)]
    for browser in browsers:
        browser.see("/entrar")
    code = code_at(STAFF_KEY, house.cooperative.clock.now())

    def enter(browser: Browser) -> int:
        fields = {"login": "ana", "password": STAFF_PASSWORD, "code": code}
        return browser.send("/entrar", **fields).status_code

    with ThreadPoolExecutor(len(browsers)) as desks:
        came = sorted(desks.map(enter, browsers))

    assert came == [303, 403, 403, 403]


def test_who_signs_out_is_out_also_with_a_cookie_that_was_kept(house: House) -> None:
    """The session ends where it is kept, not in the browser."""
    browser = house.signed_in("ana")
    kept = _cookie(browser)

    assert browser.send("/salir").status_code == 303
    browser.client.set_cookie("chaski_console", kept, path="/console", domain="localhost")

    assert browser.see("/").status_code == 302
    assert house.deeds("ana")[-1] == ("session.ended", None)


def test_a_desk_that_is_left_alone_is_shut(house: House) -> None:
    """A quarter of an hour; whoever works stays."""
    browser = house.signed_in("ana")

    house.cooperative.clock.pass_time(seconds=STAFF_IDLE_S - 1)
    assert browser.see("/").status_code == 200
    house.cooperative.clock.pass_time(seconds=STAFF_IDLE_S - 1)
    assert browser.see("/").status_code == 200
    house.cooperative.clock.pass_time(seconds=STAFF_IDLE_S)
    assert browser.see("/").status_code == 302


def test_a_day_ends_also_for_who_never_rests(house: House) -> None:
    """Ten hours, however busy."""
    browser = house.signed_in("ana")

    for _ in range(STAFF_SESSION_S // (STAFF_IDLE_S - 60)):
        house.cooperative.clock.pass_time(seconds=STAFF_IDLE_S - 60)
        browser.see("/")
    house.cooperative.clock.pass_time(seconds=60 * 14)

    assert browser.see("/").status_code == 302


def test_after_five_wrong_tries_the_right_one_waits_too(house: House) -> None:
    """From whatever address; then it is as before."""
    for number in range(STAFF_LOGIN_TRIES):
        house.browser(f"10.0.0.{number}").enter("ana", "wrong-wrong-wrong")

    assert house.browser("10.9.9.9").enter("ana").status_code == 403
    assert house.browser("10.9.9.9").enter("luis").status_code == 303
    house.cooperative.clock.pass_time(seconds=STAFF_LOCK_S)
    assert house.browser("10.9.9.9").enter("ana").status_code == 303


def test_an_address_that_guesses_at_names_is_shut_out(house: House) -> None:
    """Also when one of the names is its own."""
    for number in range(STAFF_ADDRESS_TRIES):
        house.browser("10.0.0.66").enter(f"somebody{number}", "wrong-wrong-wrong")

    assert house.browser("10.0.0.66").enter("ana").status_code == 403
    assert house.browser("10.0.0.67").enter("ana").status_code == 303


def test_locks_are_kept_where_nothing_is_lost(house: House) -> None:
    """And without a name or an address: somebody may have typed a password there."""
    house.browser().enter(STAFF_PASSWORD, "ana")

    with house.cooperative.owner() as owner:
        counted = owner.execute("select who from staff.failure").fetchall()
        (about,) = owner.execute(
            "select about from audit.entry where action = 'sign_in.failed'"
        ).fetchone() or ({},)
    assert len(counted) == 2
    assert all(len(who) == 64 for (who,) in counted)
    assert about == {}


def _cookie(browser: Browser) -> str:
    cookie = browser.client.get_cookie("chaski_console", path="/console")
    assert cookie is not None
    return str(cookie.value)
