"""The letters that a feature phone has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.values.gsm import foreign, plain, septets


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Envío de café, año 2026", "Envio de café, año 2026"),
        ("ÁÍÓÚ áíóú", "AIOU aiou"),
        ("¿Cuánto? ¡Ñandú, güiro!", "¿Cuanto? ¡Ñandu, güiro!"),
        ("n\u0303 e\u0301 o\u0301", "ñ é o"),
        ("«comillas» – y guion…", '"comillas" - y guion...'),
        ("N.º 1ª", "N.o 1a"),
        ("emoji 🎉 y ≠", "emoji ? y ?"),
        ("ŷ", "y"),
    ],
)
def test_a_text_is_written_with_the_letters_that_there_are(written: str, shown: str) -> None:
    """ñ, ü and é stay: they are in the alphabet, and año is another word than ano."""
    assert plain(written) == shown


@pytest.mark.parametrize(
    ("text", "cost"), [("", 0), ("a", 1), ("ñ", 1), ("\n", 1), ("€", 2), ("[{~}]", 10)]
)
def test_a_letter_of_the_extension_table_costs_two(text: str, cost: int) -> None:
    """3GPP TS 23.038, 6.2.1.1."""
    assert septets(text) == cost


def test_a_letter_outside_the_alphabet_cannot_be_counted() -> None:
    """It would turn the whole message into UCS-2."""
    with pytest.raises(KeyError):
        septets("ó")


@given(st.text())
def test_any_text_becomes_one_that_can_be_counted(text: str) -> None:
    """And writing it plain twice changes nothing."""
    assert septets(plain(text)) >= 0
    assert plain(plain(text)) == plain(text)


def test_the_checker_is_told_which_letters_would_be_lost() -> None:
    """Those without a near letter, not those that are mapped."""
    assert foreign("año, envío, 🎉 漢") == {"🎉", "漢"}
