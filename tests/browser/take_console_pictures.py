"""The README's pictures of the console, taken by scripts/screenshots like `take_pictures.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.take_pictures import take
from tests.browser.test_console import _enter
from tests.browser.test_programme import url
from tests.house import House
from tests.people import ROSA, SEGUNDO

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["url"]


@pytest.fixture
def window(page: Page, url: str, house: House) -> Page:
    """A supervisor's, signed in."""
    page.set_viewport_size({"width": 1100, "height": 900})
    _enter(page, url, house, "marta")
    return page


def test_a_member(window: Page, url: str, house: House) -> None:
    """Rosa, who has sent Segundo money: what support sees when she calls."""
    phone = house.cooperative.phone(ROSA.msisdn)
    phone.dial(f"2*{SEGUNDO.msisdn.removeprefix('+51')}*50")
    phone.press(str(ROSA.pin))
    house.cooperative.deliver()

    window.goto(f"{url}/console/socios/{ROSA.ref}")
    window.get_by_role("heading", name="Línea de tiempo").scroll_into_view_if_needed()
    take(window, "member")


def test_the_programme(window: Page, url: str) -> None:
    """How many members are active, and where they live."""
    window.goto(f"{url}/console/programa")
    window.locator("#activos").scroll_into_view_if_needed()
    window.evaluate("document.querySelector('#activos').scrollIntoView()")
    take(window, "programme")
