"""Who works here: setting up, and what administrators do, alone and by two."""

from __future__ import annotations

import re

import pytest

from gateway.bounds import RECOVERY_CODES
from gateway.demo.staff import STAFF_PASSWORD
from gateway.signin.passwords import code_at
from tests.house import CODE_LIFE, Browser, House

OWN = "tres burros flacos"


def _first(page: str) -> str:
    return page.split('class="once">')[1].split("<")[0]


def _key(page: str) -> str:
    return page.split('class="key">')[1].split("<")[0]


def _added(house: House, login: str = "nueva", role: str = "support") -> str:
    """An administrator lets somebody in; the first password."""
    carmen = house.signed_in("carmen")
    carmen.see("/personal")
    return _first(carmen.send("/personal", login=login, role=role).text)


def _sets_up(house: House, browser: Browser, first: str, login: str = "nueva") -> list[str]:
    """With the first password, to the end; the recovery codes."""
    assert browser.enter(login, first, code="").status_code == 303
    key = _key(browser.see("/alta").text)
    code = code_at(key, house.cooperative.clock.now())
    done = browser.send("/alta", code=code, password=OWN, again=OWN)
    return re.findall(r"<li><code>([^<]+)</code>", done.text)


def test_somebody_new_sets_up_and_is_in(house: House) -> None:
    """The square holds the key; nothing of it comes from elsewhere."""
    browser, first = house.browser(), _added(house)

    codes = _sets_up(house, browser, first)

    assert len(set(codes)) == RECOVERY_CODES
    assert browser.see("/socios").status_code == 200
    assert house.browser().enter("nueva", first, code="").status_code == 403
    assert [action for action, _ in house.deeds("nueva")] == [
        "session.began",
        "person.enrolled",
    ]


@pytest.mark.parametrize(
    ("password", "again", "code", "said"),
    [
        (OWN, "otra frase larga", None, "no son iguales"),
        ("corta", "corta", None, "al menos 12 letras"),
        ("a" * 30, "a" * 30, None, "letras más variadas"),
        ("x1y2z3 " * 30, "x1y2z3 " * 30, None, "como máximo 128"),
        ("soy nueva y guapa", "soy nueva y guapa", None, "no va dentro de la clave"),
        (OWN, OWN, "123", "El código no es correcto"),
    ],
)
def test_a_weak_password_or_a_wrong_code_goes_no_further(
    house: House, password: str, again: str, code: str | None, said: str
) -> None:
    """And the square stays the same: the phone has read it."""
    browser, first = house.browser(), _added(house)
    browser.enter("nueva", first, code="")
    key = _key(browser.see("/alta").text)

    answer = browser.send(
        "/alta",
        code=code or code_at(key, house.cooperative.clock.now()),
        password=password,
        again=again,
    )

    assert said in answer.text
    assert _key(answer.text) == key
    assert browser.see("/socios").location == "/console/alta"


def test_a_recovery_code_is_good_once(house: House) -> None:
    """In the place of the phone; not for somebody else."""
    codes = _sets_up(house, house.browser(), _added(house))

    assert house.browser().enter("ana", code=codes[0]).status_code == 403
    assert house.browser().enter("nueva", OWN, code=codes[0].upper()).status_code == 303
    assert house.browser().enter("nueva", OWN, code=codes[0]).status_code == 403
    assert ("recovery_code.used", None) in house.deeds("nueva")


def test_a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions(house: House) -> None:
    ana, elsewhere = house.signed_in("ana"), house.signed_in("ana")
    ana.see("/clave")
    assert "La clave de ahora no es correcta" in (
        ana.send("/clave", old="wrong", password=OWN, again=OWN).text
    )

    ana.see("/clave")
    assert ana.send("/clave", old=STAFF_PASSWORD, password=OWN, again=OWN).status_code == 303

    assert ana.see("/").status_code == 200
    assert elsewhere.see("/").status_code == 302
    assert house.browser().enter("ana").status_code == 403
    assert house.browser().enter("ana", OWN).status_code == 303
    assert ("password.changed", None) in house.deeds("ana")


@pytest.mark.parametrize("login", ["", "A", "ana torres", "-ana", "añа", "x" * 40, "1ana"])
def test_a_login_is_plain(house: House, login: str) -> None:
    carmen = house.signed_in("carmen")
    carmen.see("/personal")

    assert carmen.send("/personal", login=login, role="support").status_code == 400
    assert carmen.send("/personal", login="good", role="owner").status_code == 400


def test_an_administrator_is_made_by_two(house: House) -> None:
    """Not by who asked, and not by one alone in two steps."""
    carmen, pedro = house.signed_in("carmen"), house.signed_in("pedro")
    carmen.see("/personal")
    asked = carmen.send("/personal", login="nueva", role="administrator")
    assert asked.status_code == 303
    assert "Pedido: lo aprueba otra persona" in carmen.see("/personal").text
    number = _request(house)

    carmen.send(f"/personal/pedido/{number}/si")
    assert "tiene que ser otra persona" in carmen.see("/personal").text
    pedro.see("/personal")
    first = _first(pedro.send(f"/personal/pedido/{number}/si").text)

    browser = house.browser()
    _sets_up(house, browser, first)
    assert browser.see("/personal").status_code == 200
    pedro.see("/personal")
    pedro.send(f"/personal/pedido/{number}/si")
    assert "Alguien ya lo decidió." in pedro.see("/personal").text


def test_nobody_rises_alone_nor_resets_an_administrator_alone(house: House) -> None:
    """Ana becomes one only when both agree; until then she is what she was."""
    carmen, pedro = house.signed_in("carmen"), house.signed_in("pedro")
    carmen.see("/personal")
    carmen.send("/personal/ana/puesto", role="administrator")
    assert house.signed_in("ana").see("/personal").status_code == 403
    carmen.see("/personal")
    carmen.send("/personal/pedro/clave")
    assert pedro.see("/personal").status_code == 200
    pedro.send(f"/personal/pedido/{_request(house)}/no")

    assert house.signed_in("ana").see("/personal").status_code == 403
    assert house.browser().enter("pedro").status_code == 303


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/personal", "supervisor"),
        ("/personal/ana/puesto", "supervisor"),
        ("/personal/luis/puesto", "support"),
        ("/personal/luis/clave", ""),
    ],
)
def test_one_administrator_alone_makes_and_changes_no_supervisor(
    house: House, path: str, role: str
) -> None:
    """Or they would ask as support and approve as supervision."""
    carmen, pedro = house.signed_in("carmen"), house.signed_in("pedro")
    carmen.see("/personal")

    carmen.send(path, login="nueva", role=role)
    assert "Pedido: lo aprueba otra persona" in carmen.see("/personal").text
    assert house.deeds("carmen")[-1] == ("staff_request.asked", None)
    carmen.send(f"/personal/pedido/{_request(house)}/si")
    assert "tiene que ser otra persona" in carmen.see("/personal").text
    pedro.see("/personal")
    pedro.send(f"/personal/pedido/{_request(house)}/si")

    assert house.deeds("pedro")[-1] == ("staff_request.approved", None)


@pytest.mark.parametrize("deed", ["puesto", "clave", "baja"])
def test_nobody_does_it_to_themselves(house: House, deed: str) -> None:
    carmen = house.signed_in("carmen")
    carmen.see("/personal")

    carmen.send(f"/personal/carmen/{deed}", role="support")

    assert "Nadie se hace esto a sí mismo" in carmen.see("/personal").text


def test_who_is_shut_out_is_out_at_once(house: House) -> None:
    """Also in the middle of a session."""
    carmen, ana = house.signed_in("carmen"), house.signed_in("ana")
    carmen.see("/personal")

    carmen.send("/personal/ana/baja")

    assert ana.see("/").status_code == 302
    assert house.browser().enter("ana").status_code == 403
    assert house.deeds("carmen")[-1] == ("person.disabled", None)


def test_who_lost_the_phone_begins_anew(house: House) -> None:
    """With another key: the old one opens nothing."""
    carmen = house.signed_in("carmen")
    carmen.see("/personal")

    first = _first(carmen.send("/personal/ana/clave").text)

    assert house.browser().enter("ana").status_code == 403
    house.cooperative.clock.at += CODE_LIFE
    assert len(_sets_up(house, house.browser(), first, "ana")) == RECOVERY_CODES


def test_another_role_is_another_sign_in(house: House) -> None:
    carmen, ana = house.signed_in("carmen"), house.signed_in("ana")
    carmen.see("/personal")

    carmen.send("/personal/ana/puesto", role="auditor")

    assert ana.see("/").status_code == 302
    assert house.signed_in("ana").see("/rastro").status_code == 200


def _request(house: House) -> int:
    with house.cooperative.owner() as owner:
        (number,) = owner.execute("select max(id) from staff.request").fetchone() or (0,)
    return int(number)


def test_who_was_shut_out_comes_back_by_a_reset(house: House) -> None:
    """The first password that is handed over opens."""
    carmen = house.signed_in("carmen")
    carmen.see("/personal")
    carmen.send("/personal/ana/baja")
    carmen.see("/personal")

    first = _first(carmen.send("/personal/ana/clave").text)

    assert len(_sets_up(house, house.browser(), first, "ana")) == RECOVERY_CODES
    assert ("person.reset", None) in house.deeds("carmen")


def test_a_request_is_told_in_the_readers_words(house: House) -> None:
    carmen = house.signed_in("carmen")
    carmen.see("/personal")

    carmen.send("/personal", login="nueva", role="administrator")

    assert "agregar a nueva (administración)" in carmen.see("/personal").text
