"""An SMS as the beginning of a journey."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialog.keywords import read_text
from gateway.menus import load_book

BOOK = load_book(Path(__file__).parents[2] / "menus")


@pytest.mark.parametrize(
    "text",
    ["", " ", "...", "hola", "50", "987000002 50", "ENVIARLE 50", "STOP", "\x00", "ENVI AR 5"],
)
def test_a_text_that_begins_no_journey_is_not_guessed(text: str) -> None:
    """Never a wrong guess for money."""
    assert read_text(BOOK, text) is None


@pytest.mark.parametrize(
    ("text", "journey", "answers"),
    [
        ("ENVIAR 987000002 50", "send", ("987000002", "50")),
        ("enviar 987000002 50", "send", ("987000002", "50")),
        ("  ¡Enviár!  987 000 002   S/ 50,50.  ", "send", ("987000002", "S/50,50")),
        ("Transferir 987-000-002 50", "send", ("987000002", "50")),
        ("send 987000002", "send", ("987000002",)),
        ("PAGAR", "pay", ()),
        ("saldo.", "balance", ()),
        ("ENVIAR " + "1 " * 100, "send", ("1",) * 8),
    ],
)
def test_a_text_is_read_however_it_is_written(
    text: str, journey: str, answers: tuple[str, ...]
) -> None:
    """Case, accents, spaces and punctuation do not matter."""
    order = read_text(BOOK, text)

    assert order is not None
    assert (order.journey.name, order.answers) == (journey, answers)


@given(st.text(max_size=1_000))
def test_any_text_is_an_order_or_none(text: str) -> None:
    """Nothing is raised."""
    order = read_text(BOOK, text)

    assert order is None or order.journey.sms
