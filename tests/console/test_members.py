"""Members on the console: finding one, what is seen, what is done, and that all of it is traced."""

from __future__ import annotations

import re

import pytest

from tests.house import Browser, House
from tests.people import ELMER, MARIA, ROSA, SEGUNDO, STRANGER, WILMER


def _page(browser: Browser, ref: str) -> str:
    return browser.see(f"/socios/{ref}").text


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("", "Escriba un celular"),
        (STRANGER, "no es de ningún socio"),
        ("99999999", "Ese DNI no es de ningún socio"),
        ("123", "No es un celular"),
        ("7" * 60, "No es un celular"),
        ("Zoila", "No hay socios con ese nombre"),
        ("%", "No hay socios con ese nombre"),
        ("_osa", "No hay socios con ese nombre"),
        ("' or ''='", "No hay socios con ese nombre"),
        ("\\", "No hay socios con ese nombre"),
    ],
)
def test_nobody_is_found_where_nobody_is(house: House, who: str, said: str) -> None:
    ana = house.signed_in("ana")
    ana.see("/socios")

    assert said in ana.send("/socios", who=who).text


@pytest.mark.parametrize(
    "who", [ROSA.msisdn, "987000001", "987 000 001", ROSA.dni, "Rosa Q", "rosa", ROSA.ref]
)
def test_rosa_is_found_by_phone_document_and_name(house: House, who: str) -> None:
    """And no document stands in an address afterwards."""
    ana = house.signed_in("ana")
    ana.see("/socios")

    answer = ana.send("/socios", who=who)

    assert (answer.status_code, answer.location) == (303, f"/console/socios/{ROSA.ref}")
    assert ROSA.dni not in answer.text


def test_her_page_says_how_it_stands_and_that_it_was_looked_at(house: House) -> None:
    """Her order, the message about it and her PIN that was right; never the PIN, nor a hash."""
    phone = house.cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "20")
    assert "Listo" in phone.press(str(ROSA.pin)).text
    house.cooperative.deliver()
    jorge = house.signed_in("jorge")

    page = _page(jorge, ROSA.ref)

    assert ROSA.msisdn in page
    assert "Envío S/ 20.00" in page
    assert "Marcó su PIN" in page
    assert "envío hecho" in page
    assert str(ROSA.pin) not in re.sub(r"<code>.*?</code>|/\d{4}|\d{2}:\d{2}", "", page)
    assert ROSA.dni not in page
    assert "<button>Desbloquear" not in page
    assert house.deeds("jorge")[-1] == ("member.viewed", ROSA.ref)


def test_who_is_nobody_has_no_page(house: House) -> None:
    ana = house.signed_in("ana")

    assert ana.see("/socios/nobody").status_code == 404
    assert ana.see("/socios/a%00b").status_code == 404
    assert ("member.viewed", "nobody") not in house.deeds("ana")


def test_ana_unlocks_a_pin_that_wrong_tries_have_locked(house: House) -> None:
    """What she did stands in the trail under her name."""
    phone = house.cooperative.phone(ELMER.msisdn)
    phone.dial("1")
    phone.press("0000", "0000", "0000")
    ana = house.signed_in("ana")
    assert "bloqueado hasta" in _page(ana, ELMER.ref)

    ana.send(f"/socios/{ELMER.ref}/desbloqueo")

    page = _page(ana, ELMER.ref)
    assert "El PIN está desbloqueado." in page
    assert "bloqueado hasta" not in page
    assert ("pin.unlocked", ELMER.ref) in house.deeds("ana")


def test_what_is_shut_by_one_is_opened_by_a_supervisor(house: House) -> None:
    ana, luis = house.signed_in("ana"), house.signed_in("luis")
    _page(ana, ROSA.ref)

    ana.send(f"/socios/{ROSA.ref}/cierre")
    assert "cerrado" in _page(ana, ROSA.ref)
    assert ana.send(f"/socios/{ROSA.ref}/apertura").status_code == 403
    _page(luis, ROSA.ref)
    luis.send(f"/socios/{ROSA.ref}/apertura")

    assert "El acceso está abierto." in _page(luis, ROSA.ref)
    assert ("member.frozen", ROSA.ref) in house.deeds("ana")
    assert ("member.unfrozen", ROSA.ref) in house.deeds("luis")


@pytest.mark.parametrize("dni", ["", "4000000", "abcdefgh", "400000061"])
def test_without_a_document_no_code_is_issued(house: House, dni: str) -> None:
    ana = house.signed_in("ana")
    _page(ana, WILMER.ref)

    ana.send(f"/socios/{WILMER.ref}/codigo", dni=dni)

    assert "El DNI tiene ocho dígitos." in ana.see("/").text
    assert ("code.issued", WILMER.ref) not in house.deeds("ana")


def test_a_code_is_shown_once_and_opens_what_it_should(house: House) -> None:
    """It stands on the page that answers, which nobody keeps, and nowhere else."""
    ana = house.signed_in("ana")
    _page(ana, WILMER.ref)

    shown = ana.send(f"/socios/{WILMER.ref}/codigo", dni=WILMER.dni, born="1990-07-17")

    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    code = shown.text.split('class="once">')[1].split("<")[0]
    assert code not in _page(ana, WILMER.ref)
    phone = house.cooperative.phone(WILMER.msisdn)
    phone.dial()
    assert phone.press(WILMER.dni, code, "1", "5938", "5938").text.startswith("Listo")


def test_a_new_pin_takes_two_and_not_the_one_who_asked(house: House) -> None:
    """Luis may approve, but not his own; Marta does, and hands the code over."""
    luis, marta = house.signed_in("luis"), house.signed_in("marta")
    _page(luis, ROSA.ref)
    luis.send(f"/socios/{ROSA.ref}/pin", dni=ROSA.dni)
    assert "otra persona decide" in luis.see("/pendientes").text

    luis.send("/pendientes/1/si")
    assert "tiene que ser otra persona" in luis.see("/pendientes").text
    marta.see("/pendientes")
    shown = marta.send("/pendientes/1/si")

    assert 'class="once"' in shown.text
    assert "Nada espera." in marta.see("/pendientes").text
    assert ("request.approved", ROSA.ref) in house.deeds("marta")
    assert ("request.approved", ROSA.ref) not in house.deeds("luis")


def test_what_was_asked_may_be_declined_but_not_by_oneself(house: House) -> None:
    luis, marta = house.signed_in("luis"), house.signed_in("marta")
    _page(luis, ROSA.ref)
    luis.send(f"/socios/{ROSA.ref}/pin", dni=ROSA.dni)

    luis.send("/pendientes/1/no")
    assert "tiene que ser otra persona" in luis.see("/pendientes").text
    marta.see("/pendientes")
    marta.send("/pendientes/1/no")

    assert "El pedido quedó rechazado." in marta.see("/pendientes").text
    marta.send("/pendientes/1/si")
    assert "Alguien ya lo decidió." in marta.shown or marta.see("/").status_code == 200
    assert ("request.refused", ROSA.ref) in house.deeds("marta")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (SEGUNDO.msisdn, "El número nuevo ya es de un socio"),
        ("073204050", "No es un celular"),
        ("", "No es un celular"),
    ],
)
def test_a_number_that_cannot_be_is_refused(house: House, new: str, said: str) -> None:
    luis = house.signed_in("luis")
    _page(luis, ROSA.ref)

    answer = luis.send(f"/socios/{ROSA.ref}/numero", new=new)

    assert said in (answer.text if answer.status_code == 400 else _page(luis, ROSA.ref))
    assert ROSA.msisdn in _page(luis, ROSA.ref)


def test_a_member_moves_and_gives_a_number_back(house: House) -> None:
    """With the care that a new number asks for, until a supervisor lifts it."""
    luis = house.signed_in("luis")
    _page(luis, MARIA.ref)

    luis.send(f"/socios/{MARIA.ref}/numero", new="987000099")
    page = _page(luis, MARIA.ref)
    assert "+51987000099" in page
    assert "número nuevo (límites bajos" in page
    luis.send(f"/socios/{MARIA.ref}/confianza")
    assert "número nuevo (límites bajos" not in _page(luis, MARIA.ref)
    luis.send(f"/socios/{MARIA.ref}/baja")
    assert "sin número" in _page(luis, MARIA.ref)
    assert luis.send(f"/socios/{MARIA.ref}/desbloqueo").status_code == 409
    _page(luis, MARIA.ref)
    luis.send(f"/socios/{MARIA.ref}/numero", new="987000004")

    assert MARIA.msisdn in _page(luis, MARIA.ref)
    done = [action for action, ref in house.deeds("luis") if ref == MARIA.ref]
    assert {"number.moved", "caution.lifted", "number.released", "number.given"} <= set(done)
