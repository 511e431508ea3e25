"""The console in a real browser: coming in with a code, unlocking, and four eyes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gateway.demo.staff import STAFF_KEY, STAFF_PASSWORD
from gateway.signin.passwords import code_at
from tests.browser.conftest import SMARTPHONE, overflow_px, serious_faults
from tests.cooperative import listening
from tests.house import CODE_LIFE, House
from tests.people import ELMER, ROSA

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = (
    "/",
    "/socios",
    f"/socios/{ROSA.ref}",
    "/pendientes",
    "/ordenes",
    "/reclamos",
    "/llamadas",
    "/mensajes",
    "/ahora",
    "/rastro",
    "/sellos",
    "/permisos",
    "/clave",
)


@pytest.fixture
def url(house: House) -> Iterator[str]:
    """Where the gateway with its console listens."""
    with listening(house.app) as url:
        yield url


def _enter(page: Page, url: str, house: House, login: str) -> None:
    """By keyboard alone, as a clerk does."""
    house.cooperative.clock.at += CODE_LIFE
    page.goto(f"{url}/console")
    page.locator("input[autofocus]:focus").wait_for()  # letters typed sooner would be lost
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(STAFF_PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(code_at(STAFF_KEY, house.cooperative.clock.now()))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Inicio").wait_for()


def test_ana_comes_in_finds_elmer_and_unlocks_his_pin(page: Page, url: str, house: House) -> None:
    phone = house.cooperative.phone(ELMER.msisdn)
    phone.dial("1")
    phone.press("0000", "0000", "0000")
    _enter(page, url, house, "ana")

    page.get_by_role("navigation").get_by_role("link", name="Socios").click()
    page.get_by_label("Celular, DNI o nombre").fill("987000003")
    page.get_by_role("button", name="Buscar").click()
    page.get_by_text("bloqueado hasta").wait_for()
    page.get_by_role("button", name="Desbloquear el PIN").click()

    page.get_by_text("El PIN está desbloqueado.").wait_for()
    assert ("pin.unlocked", ELMER.ref) in house.deeds("ana")


def test_luis_may_not_approve_what_he_asked_for_and_marta_may(
    page: Page, url: str, house: House
) -> None:
    """He sees no button; who forges one is refused; she gets the code."""
    _enter(page, url, house, "luis")
    page.goto(f"{url}/console/socios/{ROSA.ref}")
    page.get_by_label("DNI, leído del documento").fill(ROSA.dni)
    page.get_by_role("button", name="Pedir un PIN nuevo").click()
    page.get_by_text("lo aprueba otra persona").wait_for()
    page.get_by_role("navigation").get_by_role("link", name="Pendientes").click()
    page.get_by_text("otra persona decide").wait_for()
    assert page.get_by_role("button", name="Aprobar 1").count() == 0

    page.get_by_role("button", name="Salir").click()
    _enter(page, url, house, "marta")
    page.get_by_role("navigation").get_by_role("link", name="Pendientes").click()
    page.get_by_role("button", name="Aprobar 1").click()

    page.get_by_role("heading", name="Código de activación").wait_for()
    assert ("request.approved", ROSA.ref) in house.deeds("marta")
    assert ("request.approved", ROSA.ref) not in house.deeds("luis")


def test_nobody_is_kept_out_of_any_page(page: Page, url: str, house: House) -> None:
    """axe finds nothing serious, on a laptop and on a smartphone, where nothing overflows."""
    page.goto(f"{url}/console/entrar")
    assert serious_faults(page) == []
    _enter(page, url, house, "luis")

    for path in PAGES:
        page.goto(f"{url}/console{path}")
        assert serious_faults(page) == [], path
    page.set_viewport_size(SMARTPHONE)
    for path in PAGES:
        page.goto(f"{url}/console{path}")
        assert overflow_px(page) <= 0, path


def test_somebody_new_reads_the_square_and_is_in(page: Page, url: str, house: House) -> None:
    """From an administrator's first password to the recovery codes."""
    _enter(page, url, house, "carmen")
    page.get_by_role("navigation").get_by_role("link", name="Personal").click()
    assert serious_faults(page) == []
    page.get_by_label("Usuario").fill("nueva")
    page.get_by_role("button", name="Agregar").click()
    first = page.locator("code.once").inner_text()
    page.get_by_role("button", name="Salir").click()

    page.get_by_label("Usuario").fill("nueva")
    page.get_by_label("Clave", exact=True).fill(first)
    page.get_by_role("button", name="Entrar").click()
    key = page.locator("code.key").inner_text()
    assert page.locator(".qr svg path").count() == 1
    assert serious_faults(page) == []
    page.get_by_label("Código de 6 dígitos que muestra").fill(
        code_at(key, house.cooperative.clock.now())
    )
    page.get_by_label("Clave nueva").fill("tres burros flacos")
    page.get_by_label("La misma otra vez").fill("tres burros flacos")
    page.get_by_role("button", name="Terminar").click()

    page.get_by_role("heading", name="Sus códigos de reserva").wait_for()
    assert page.locator(".codes li").count() == 8
    page.get_by_role("link", name="Ya los guardé").click()
    page.get_by_role("heading", name="Inicio").wait_for()
