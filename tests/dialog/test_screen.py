"""Screens fit, whatever stands on them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounds import PAGES_PER_ANSWER
from gateway.dialog.screen import Keys, fit
from gateway.values.gsm import plain, septets

KEYS = Keys(more="9 Mas", foot="0 Volver  00 Inicio")
LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=200)


def test_a_short_screen_is_one_page_with_its_keys_at_the_foot() -> None:
    """Text, options, keys."""
    pages = fit("¿Cuánto?", ["1. Si", "2. No"], KEYS, 160)

    assert pages == ("¿Cuanto?\n1. Si\n2. No\n0 Volver  00 Inicio",)


def test_a_last_screen_has_no_foot() -> None:
    """There is nothing to press."""
    assert fit("Gracias", [], Keys(more="9 Mas", foot=""), 160) == ("Gracias",)


def test_a_long_list_goes_on_behind_nine_and_keeps_its_numbers() -> None:
    """An option is never cut in two."""
    options = [f"{key}. {'Nombre largo ' * 3}" for key in range(1, 9)]

    pages = fit("Elige:", options, KEYS, 160)

    shown = [line for page in pages for line in page.split("\n") if line[0] in "12345678"]
    assert shown == options
    assert all("9 Mas" in page for page in pages[:-1])
    assert "9 Mas" not in pages[-1]


@given(LETTERS, st.lists(LETTERS, max_size=8), st.integers(70, 182))
def test_no_page_is_longer_than_the_screen(body: str, options: list[str], limit: int) -> None:
    """Whatever names, amounts and languages stand in it."""
    pages = fit(body, options, KEYS, limit)

    assert 1 <= len(pages) <= PAGES_PER_ANSWER
    assert all(0 < septets(page) <= limit for page in pages)


@given(st.text("abc ñé", min_size=1, max_size=400))
def test_nothing_of_a_long_text_is_lost_but_spaces_between_pages(text: str) -> None:
    """A page ends at a space, or inside a word that is longer than the page."""
    pages = fit(text, [], Keys(more="9 Mas", foot=""), 100)

    shown = "".join(page.removesuffix("9 Mas") for page in pages)
    assert shown.replace("\n", "").replace(" ", "") == plain(text).replace(" ", "")


def test_keys_that_fill_the_screen_are_refused() -> None:
    """Instead of looking for room for ever."""
    with pytest.raises(ValueError, match="no room"):
        fit("Hola", ["1. Saldo"] * 20, Keys(more="9 Mas", foot="0 " * 80), 160)
