"""What a text asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bank.bank import CATALOGUE
from gateway.dialog.keywords import Command, Maybe, TextOrder, read_text
from gateway.menus import prove, read_folder

BOOK = prove(read_folder(Path(__file__).parents[2] / "menus"), CATALOGUE)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "...", "hola", "50", "987000002 50", "\x00", "ENVI AR 5"),
        *("ENVIARLE50", "no quiero", "sal", "pago", "gracias", "saldar cuentas"),
    ],
)
def test_a_text_that_begins_nothing_is_not_guessed(text: str) -> None:
    """A helpful answer is better than a wrong one."""
    assert read_text(BOOK, text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ENVIR 987000002 50", "ENVIAR"),
        ("enbiar 987000002 50", "ENVIAR"),
        ("ENVAIR 987000002 50", "ENVIAR"),
        ("PAGA 50", "PAGAR"),
        ("BLOQUEA", "BLOQUEAR"),
        ("VAJA", "BAJA"),
    ],
)
def test_where_a_wrong_guess_would_do_something_it_is_asked(text: str, word: str) -> None:
    """Never a wrong guess for money."""
    assert read_text(BOOK, text) == Maybe(word)


@pytest.mark.parametrize(
    ("text", "journey"),
    [("SLDO", "balance"), ("saldoo", "balance"), ("Zaldo", "balance"), ("MOVIMENTOS", "movements")],
)
def test_a_typing_error_is_forgiven_where_it_only_reads(text: str, journey: str) -> None:
    """One letter: missing, doubled, wrong or swapped."""
    order = read_text(BOOK, text)

    assert isinstance(order, TextOrder)
    assert order.journey.name == journey


@pytest.mark.parametrize(
    ("text", "journey", "answers"),
    [
        ("ENVIAR 987000002 50", "send", ("987000002", "50")),
        ("enviar 987000002 50", "send", ("987000002", "50")),
        ("  ¡Enviár!  987 000 002   S/ 50,50.  ", "send", ("987000002", "S/50,50")),
        ("Transferir 987-000-002 50", "send", ("987000002", "50")),
        ("ENVIAR +51 987 000 002 50", "send", ("987000002", "50")),
        ("ENVIAR +51987000002 50", "send", ("987000002", "50")),
        ("ENVIAR 50 987000002", "send", ("987000002", "50")),
        ("send 987000002", "send", ("987000002",)),
        ("PAGAR", "pay", ()),
        ("saldo.", "balance", ()),
        ("IDIOMA english", "language", ("english",)),
        ("ENVIAR " + "1 " * 100, "send", ("1",) * 8),
    ],
)
def test_a_text_is_read_however_it_is_written(
    text: str, journey: str, answers: tuple[str, ...]
) -> None:
    """Case, accents, spaces, punctuation, and the order of a number and an amount do not matter."""
    order = read_text(BOOK, text)

    assert isinstance(order, TextOrder)
    assert (order.journey.name, order.answers) == (journey, answers)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("AYUDA", Command.HELP),
        ("ayuda por favor", Command.HELP),
        ("AYUDAA", Command.HELP),
        ("Baja", Command.STOP),
        ("ALTO", Command.STOP),
        ("stop", Command.STOP),
        ("ALTA", Command.START),
        ("bloquear!", Command.BLOCK),
    ],
)
def test_some_words_are_obeyed_whatever_the_menus_say(text: str, command: Command) -> None:
    """ALTO and ALTA are one letter apart, and never guessed from one another."""
    assert read_text(BOOK, text) is command


@given(st.text(max_size=1_000))
def test_any_text_is_something_or_nothing(text: str) -> None:
    """Nothing is raised."""
    read = read_text(BOOK, text)

    assert read is None or isinstance(read, TextOrder | Command | Maybe)
