"""No secret of staff's, and none that they see or type for a member, stays anywhere."""

from __future__ import annotations

import logging
import re

import pytest

from gateway.demo.staff import STAFF_KEY, STAFF_PASSWORD
from gateway.signin.passwords import code_at
from tests.house import Browser, House
from tests.people import ROSA, WILMER
from tests.searching import Search, kept_log

OWN = "tres burros flacos"
WRONG = "cuatro gatos gordos"
ALLOWED = {
    ("table ledger.member", "DNI"): "the core's register of persons, which here is our own ledger",
}


def _once(page: str) -> str:
    return page.split('class="once">')[1].split("<")[0]


def _wrong_fields(browser: Browser) -> None:
    """Secrets typed where they do not belong."""
    browser.enter(STAFF_PASSWORD, "ana")
    browser.enter(WRONG, WRONG, code=WRONG)


def _sets_up(house: House, first: str) -> dict[str, str]:
    """Somebody new; each secret on the way with what it is."""
    browser = house.browser()
    browser.enter("nueva", first, code="")
    key = browser.see("/alta").text.split('class="key">')[1].split("<")[0]
    code = code_at(key, house.cooperative.clock.now())
    browser.send("/alta", code="000000", password=WRONG, again=WRONG)
    done = browser.send("/alta", code=code, password=OWN, again=OWN)
    recovery = re.findall(r"<li><code>([^<]+)</code>", done.text)
    cookie = browser.client.get_cookie("chaski_console", path="/console")
    assert cookie is not None
    browser.see("/clave")
    browser.send("/clave", old=WRONG, password=OWN, again=OWN)
    return {
        key: "key of codes",
        code: "one-time code",
        cookie.value: "cookie",
        **dict.fromkeys(recovery, "recovery code"),
        **{each.replace("-", ""): "recovery code" for each in recovery},
    }


def test_no_secret_is_anywhere_after_staff_did_all_they_do(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Logs, Redis, PostgreSQL, figures; and no page has a document or another's code on it."""
    caplog.set_level(logging.DEBUG)
    secrets = {STAFF_PASSWORD: "password", OWN: "own password", WRONG: "wrong password"}
    secrets |= {STAFF_KEY: "key of codes", ROSA.dni: "DNI", WILMER.dni: "DNI"}
    with kept_log() as log:
        _wrong_fields(house.browser())
        carmen, luis = house.signed_in("carmen"), house.signed_in("luis")
        marta = house.signed_in("marta")
        carmen.see("/personal")
        first = _once(carmen.send("/personal", login="nueva", role="support").text)
        secrets |= {first: "first password", first.replace("-", ""): "first password"}
        secrets |= _sets_up(house, first)
        luis.see("/socios")
        luis.send("/socios", who=WILMER.dni)
        luis.see(f"/socios/{WILMER.ref}")
        code = _once(luis.send(f"/socios/{WILMER.ref}/codigo", dni=WILMER.dni).text)
        luis.see(f"/socios/{ROSA.ref}")
        luis.send(f"/socios/{ROSA.ref}/pin", dni=ROSA.dni)
        luis.send(f"/socios/{ROSA.ref}/pin", dni=f"{ROSA.dni}7")
        marta.see("/pendientes")
        reset = _once(marta.send("/pendientes/1/si").text)
        secrets |= {code: "activation code", reset: "activation code"}
        search = Search(secrets, ALLOWED)
        for path in (f"/socios/{ROSA.ref}", f"/socios/{WILMER.ref}", "/rastro", "/pendientes"):
            search.look(f"page {path}", marta.see(path).text)

    settings = house.cooperative.settings
    search.look_in_redis("sessions", settings.sessions_url.get_secret_value())
    search.look_in_redis("queues", settings.queue_url.get_secret_value())
    search.look_in_postgres(
        settings.database_url.get_secret_value().replace("chaski_app", "chaski_owner")
    )
    search.look("log", "\n".join([*log.lines, *log.errors]))
    search.look("logging", caplog.text)
    printed = capfd.readouterr()
    search.look("printed", printed.out + printed.err)
    search.look("figures", house.app.test_client().get("/metrics").text)
    assert search.found == []
    assert search.looked_at["table staff.person"] > 1_000
    assert search.looked_at["table audit.entry"] > 1_000


def test_code_that_breaks_tells_no_secret(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A page that fails says so in a line, and its traceback has no values in it."""
    with house.cooperative.owner() as owner:
        owner.execute("alter function staff.claim_try rename to claim_nothing")

    answer = house.browser().enter("ana", WRONG)

    assert answer.status_code == 500
    assert "No se pudo mostrar esta página." in answer.text
    assert "claim_try" in caplog.text
    assert WRONG not in caplog.text + answer.text
