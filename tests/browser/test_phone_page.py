"""The page of phones, as people use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import SMARTPHONE, overflow_px, serious_faults
from tests.cooperative import Cooperative
from tests.people import ELMER, PEOPLE, ROSA, SEGUNDO, Person

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright has no package for this machine"
)
expect = sync_api.expect
if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PIN = str(ROSA.pin)
HOME = "1. Saldo"


@dataclass(frozen=True)
class Shown:
    """One phone of the page."""

    card: Locator

    def says(self, words: str) -> None:
        """Wait until its screen does."""
        expect(self.card.locator(".screen")).to_contain_text(words)

    def dial(self, number: str = "*775#") -> None:
        """The keys, then the green one."""
        for key in number:
            self.card.locator(f".key[data-key='{key}']").click()
        self.card.get_by_role("button", name="Llamar").click()

    def answer(self, keys: str, then: str) -> None:
        """Answer a screen, and see the next."""
        for key in keys:
            self.card.locator(f".key[data-key='{key}']").click()
        self.card.get_by_role("button", name="Enviar", exact=True).click()
        self.says(then)

    def next_one(self, fate: str) -> None:
        """Turn the knob: what happens to the next request."""
        radio = self.card.locator(".radio")
        if radio.get_attribute("open") is None:
            radio.locator("summary").click()
        radio.locator(".fate").select_option(fate)

    def to_the_pin(self, amount: str = "20") -> None:
        """Rosa's way to the screen that asks for it."""
        self.dial()
        self.says(HOME)
        self.answer("2", "¿A quien?")
        self.answer("987000002", "¿Cuanto a Segundo C.?")
        self.answer(amount, "Marca tu PIN")

    @property
    def log(self) -> Locator:
        """What happened on the air."""
        return self.card.locator(".log")

    @property
    def messages(self) -> Locator:
        """Its inbox."""
        return self.card.locator(".inbox")


Phones = Callable[[Person], Shown]


@pytest.fixture
def phones(page: Page, url: str) -> Phones:
    """The page, open, and its phones by their people."""
    page.goto(f"{url}/phone")

    def of(person: Person) -> Shown:
        name = f"{person.called} {person.last_names.split()[0]}"
        return Shown(page.get_by_role("region", name=f"Teléfono de {name}"))

    of(SEGUNDO).says("*775#")
    return of


def test_rosa_sends_twenty_soles_and_segundo_reads_of_it(
    phones: Phones, cooperative: Cooperative
) -> None:
    """On her phone the outcome, on his the SMS, marked until he opens it."""
    rosa, segundo = phones(ROSA), phones(SEGUNDO)
    rosa.to_the_pin()
    rosa.answer(PIN, "Listo: enviaste S/ 20.00 a Segundo C.")
    cooperative.deliver()

    expect(segundo.messages.locator(".unread")).to_have_text("1 nuevo")
    expect(segundo.card.locator(".rang")).to_have_text(
        "Segundo Chinchay recibió un mensaje de NORANDINO."
    )
    segundo.messages.get_by_role("button", name="NORANDINO").click()
    expect(segundo.messages).to_contain_text("Recibiste S/ 20.00 de Rosa Q.")
    expect(segundo.messages.locator(".unread")).to_have_text("")
    expect(segundo.card.locator(".envelope")).to_be_hidden()
    expect(rosa.card.locator(".envelope")).to_be_visible()
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 330_00


def test_the_answer_to_the_pin_is_lost_and_the_next_dial_tells(
    phones: Phones, cooperative: Cooperative
) -> None:
    """The money moved once, and she learns it. Nobody can read her PIN off the log."""
    rosa = phones(ROSA)
    rosa.to_the_pin()
    rosa.next_one("answer_lost")
    rosa.answer(PIN, "Problema de conexión")
    expect(rosa.card.locator(".fate")).to_have_value("")

    rosa.dial()

    rosa.says("SI se hizo")
    rosa.says(HOME)
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_230_50
    expect(rosa.log).to_contain_text("se perdió la respuesta")
    expect(rosa.log).to_contain_text("2*987000002*20*••••")
    expect(rosa.log).not_to_contain_text(PIN)


def test_a_request_is_lost_on_the_way_and_the_journey_goes_on(
    phones: Phones, cooperative: Cooperative
) -> None:
    """Nothing of what she typed before has to be typed again."""
    rosa = phones(ROSA)
    rosa.dial()
    rosa.says(HOME)
    rosa.answer("2", "¿A quien?")
    rosa.answer("987000002", "¿Cuanto a Segundo C.?")
    rosa.next_one("request_lost")
    rosa.answer("20", "Problema de conexión")

    rosa.dial()

    rosa.says("1. Seguir")
    rosa.answer("1", "¿Cuanto a Segundo C.?")
    rosa.answer("20", "Marca tu PIN")
    rosa.answer(PIN, "Listo")
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 330_00


@pytest.mark.parametrize(
    ("fate", "noted"), [("twice", "otra vez, una copia"), ("overtaken", "tarde, una copia")]
)
def test_copies_of_the_pin_move_money_once(
    phones: Phones, cooperative: Cooperative, fate: str, noted: str
) -> None:
    """A copy at once; and one that comes when she is already in her next call."""
    rosa = phones(ROSA)
    rosa.to_the_pin()
    rosa.next_one(fate)
    rosa.answer(PIN, "Listo")

    rosa.dial()

    rosa.says(HOME)
    expect(rosa.log).to_contain_text(noted)
    expect(rosa.log.locator(".answered")).to_have_count(8)  # six hops, the event, the copy
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_230_50
    assert cooperative.books_are_right()


def test_rosa_texts_and_reads_the_answer(
    page: Page, phones: Phones, cooperative: Cooperative
) -> None:
    """Through the real webhook; a lost one is said, and never arrived."""
    rosa = phones(ROSA)
    rosa.next_one("request_lost")
    for text, became in (("SALDO 4826", "No se pudo enviar."), ("SALDO", "Enviado.")):
        rosa.messages.get_by_label("Escribir un SMS al 775").fill(text)
        rosa.messages.get_by_role("button", name="Enviar SMS").click()
        expect(rosa.messages.locator(".sent")).to_have_text(became)
    cooperative.deliver()

    rosa.messages.get_by_role("button", name="NORANDINO").click()

    expect(rosa.messages).to_contain_text("1,250.50")
    expect(rosa.messages.locator(".sms")).to_have_count(1)
    expect(rosa.log).not_to_contain_text(PIN)


def test_by_keyboard_alone(page: Page, phones: Phones) -> None:
    """Past the page's head by the skip link; digits, Enter, Backspace, Escape."""
    rosa = phones(ROSA)
    keyboard = page.keyboard
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ir a los teléfonos")).to_be_focused()
    keyboard.press("Enter")
    for _ in range(3):  # takes the phone away, its screen, its field
        keyboard.press("Tab")
    expect(rosa.card.locator(".typed")).to_be_focused()
    keyboard.type("*775#")
    keyboard.press("Enter")
    rosa.says(HOME)

    keyboard.press("Shift+Tab")  # wherever on the phone they are typed
    keyboard.type("29")
    keyboard.press("Backspace")
    expect(rosa.card.locator(".typed")).to_have_value("2")
    keyboard.press("Enter")
    rosa.says("¿A quien?")
    keyboard.press("Escape")

    rosa.says("Marca *775#")
    expect(rosa.log).to_contain_text("la red avisa el fin: Incomplete")
    expect(rosa.card.locator(".typed")).to_be_focused()


def test_the_network_hangs_up_on_who_does_not_answer(page: Page, url: str, phones: Phones) -> None:
    """As long as a network waits; and never, for who has to read in peace."""
    rosa = phones(ROSA)
    page.clock.install()
    page.goto(f"{url}/phone")
    rosa.dial()
    rosa.says(HOME)
    page.clock.fast_forward(61_000)
    rosa.says("Tiempo agotado")

    page.get_by_text("Radio de todos los teléfonos").click()
    page.get_by_label("La red corta").select_option("none")
    rosa.dial()
    rosa.says(HOME)
    page.clock.fast_forward(600_000)
    rosa.says(HOME)


def test_the_radio_of_all_phones_spares_one_that_has_its_own(page: Page, phones: Phones) -> None:
    """Everything is lost, but for Segundo; then the radio is cleared."""
    rosa, segundo = phones(ROSA), phones(SEGUNDO)
    page.get_by_text("Radio de todos los teléfonos").click()
    everywhere = page.locator("#radio")
    everywhere.get_by_label("Se pierde el envío").fill("100")
    segundo.next_one("")
    segundo.card.get_by_label("Este teléfono tiene su propia radio").check()

    rosa.dial()
    segundo.dial()

    rosa.says("Problema de conexión")
    segundo.says(HOME)
    everywhere.get_by_role("button", name="Radio limpia").click()
    rosa.dial()
    rosa.says(HOME)


def test_phones_come_and_go_and_the_address_keeps_them(page: Page, phones: Phones) -> None:
    """A member of the list, any number, and one that is none."""
    page.get_by_text("Agregar un teléfono").click()
    member, number = page.get_by_label("Socio"), page.get_by_label("O cualquier número")
    add = page.get_by_role("button", name="Agregar", exact=True)
    number.fill("cafe")
    add.click()
    expect(page.locator("#add .said")).to_have_text("Escribe un celular, como +51987000001.")
    number.fill("")
    member.select_option(ELMER.msisdn)
    add.click()
    expect(phones(ELMER).card.locator(".typed")).to_be_focused()
    number.fill("999 999 999")
    add.click()
    stranger = Shown(page.get_by_role("region", name="Teléfono de +51999999999"))
    stranger.dial()
    stranger.says("no esta registrado")
    page.get_by_role("button", name="Quitar el teléfono de Rosa Quispe").click()

    page.reload()

    expect(page.locator(".card")).to_have_count(3)
    names = [card.get_attribute("aria-label") for card in page.locator(".card").all()]
    assert names == [
        "Teléfono de Segundo Chinchay",
        "Teléfono de Elmer Tantalean",
        "Teléfono de +51999999999",
    ]


def test_a_number_that_is_none_of_the_services(phones: Phones) -> None:
    """The phone says so by itself: nothing goes out."""
    rosa = phones(ROSA)
    rosa.dial("*100#")
    rosa.says("Código no válido")
    expect(rosa.log).to_have_text("Nada todavía.")
    rosa.dial("*775*2*987000002*50#")
    rosa.says("Enviar S/ 50.00 a Segundo C.")


def test_the_page_speaks_english_too(page: Page, url: str, phones: Phones) -> None:
    """At once, with what is on the screens; and by its address."""
    phones(ROSA).dial("*1#")
    page.get_by_role("button", name="English").click()

    expect(page.get_by_role("region", name="Rosa Quispe's phone")).to_contain_text(
        "Not a valid code. Dial *775#"
    )
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Phones to try")
    left = page.locator("body").inner_text()
    assert not re.search(r"[áíóúñ]", left.replace("Español", "")), left


def everything_open(page: Page, phones: Phones, cooperative: Cooperative) -> None:
    """Every panel, a screen, a message, a log."""
    rosa = phones(ROSA)
    rosa.to_the_pin("1234")
    rosa.card.get_by_role("button", name="Colgar").click()
    cooperative.text(ROSA.msisdn, "SALDO")
    page.locator("details").evaluate_all("panels => panels.forEach(each => { each.open = true })")
    for own in page.get_by_label("Este teléfono tiene su propia radio").all():
        own.check()
    rosa.messages.get_by_role("button", name="NORANDINO").click()
    rosa.dial()
    rosa.says("1. Seguir")


@pytest.mark.parametrize("window", [None, SMARTPHONE])
def test_it_keeps_nobody_out_and_fits(
    page: Page, phones: Phones, cooperative: Cooperative, window: Any
) -> None:
    """On a small laptop and on a smartphone."""
    if window:
        page.set_viewport_size(window)
    assert serious_faults(page) == []
    assert overflow_px(page) <= 0

    everything_open(page, phones, cooperative)

    assert serious_faults(page) == []
    assert overflow_px(page) <= 0
    inner = page.locator(".handset").first.bounding_box()
    assert inner
    assert inner["x"] >= 0
    assert inner["x"] + inner["width"] <= page.viewport_size["width"]


def test_nothing_moves_for_who_does_not_want_it(page: Page, phones: Phones) -> None:
    """The envelope calls out to everybody else."""
    envelope = phones(ROSA).card.locator(".envelope")
    name = "envelope => getComputedStyle(envelope).animationName"

    assert envelope.evaluate(name) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert envelope.evaluate(name) == "call-out"


def test_two_whole_phones_lie_on_a_small_laptop(page: Page, phones: Phones) -> None:
    """Side by side, down to the last row of keys, without scrolling."""
    for person in PEOPLE[:2]:
        expect(phones(person).card.locator(".key[data-key='0']")).to_be_in_viewport(ratio=1)
