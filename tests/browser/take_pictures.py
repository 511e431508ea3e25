"""The pictures of the README, taken by scripts/screenshots. As tests, so that a picture that can no
longer be taken fails; the ordinary run leaves them out by this file's name."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.test_phone_page import PIN, Phones, phones
from tests.cooperative import Cooperative
from tests.people import ROSA, SEGUNDO

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["phones"]

FOLDER = Path(__file__).with_name("pictures")
BYTES_MAX = 100_000  # whoever reads a README on a weak line pays for each
_QUALITY = 82


def take(page: Page, name: str) -> None:
    """What is in the window now, as `name`.webp, which a third of a PNG's bytes are enough for."""
    asked = {"format": "webp", "quality": _QUALITY}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    picture = base64.b64decode(shot["data"])
    assert len(picture) < BYTES_MAX
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.webp").write_bytes(picture)


def test_two_phones(page: Page, phones: Phones, cooperative: Cooperative) -> None:
    """Rosa's last screen, which she read after her signal was lost, and what Segundo received."""
    page.set_viewport_size({"width": 1280, "height": 735})
    rosa, segundo = phones(ROSA), phones(SEGUNDO)
    rosa.to_the_pin()
    rosa.card.locator(".radio").evaluate("radio => { radio.open = true }")
    rosa.next_one("answer_lost")
    rosa.answer(PIN, "Problema de conexión")
    rosa.card.locator(".radio").evaluate("radio => { radio.open = false }")
    cooperative.deliver()
    rosa.dial()
    rosa.says("SI se hizo")
    segundo.messages.get_by_role("button", name="NORANDINO").click()
    rosa.messages.get_by_role("button", name="NORANDINO").wait_for()
    segundo.card.locator(".text").wait_for()
    page.mouse.move(0, 0)

    take(page, "phones")
