"""What a text asks for: `ENVIAR 987654321 50`, `SALDO`, `BAJA`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from gateway.bounds import DEEP_DIAL_ANSWERS_MAX, TYPOS_MAX, WORD_TO_GUESS_CHARS_MIN
from gateway.dialog.book import Book, Journey
from gateway.values.gsm import plain

_EDGES = " .,;:!¡?¿\"'()"
_SPACED_CURRENCY = re.compile(r"\b(S/\.?)\s+(?=\d)", re.IGNORECASE)
_SPACED_NUMBER = re.compile(r"(?<!\d)(?:\+?51[ -]?)?(9\d{2})[ -]?(\d{3})[ -]?(\d{3})(?!\d)")
_MOBILE = re.compile(r"9\d{8}")


class Command(Enum):
    """What a text may say that is no journey's. Its words, the first one to teach."""

    HELP = ("AYUDA", "HELP", "INFO")
    STOP = ("BAJA", "ALTO", "STOP", "PARAR")
    START = ("ALTA", "START")
    BLOCK = ("BLOQUEAR", "BLOCK")

    @property
    def harmless(self) -> bool:
        """Whether it may be done for who has only nearly said it."""
        return self is Command.HELP


@dataclass(frozen=True, slots=True)
class TextOrder:
    """A journey, and the values that the text names, in the order of its slots."""

    journey: Journey
    answers: tuple[str, ...] = field(repr=False)  # there may be a PIN in it


@dataclass(frozen=True, slots=True)
class Maybe:
    """A word that may be meant, where a wrong guess would do something."""

    word: str


def read_text(book: Book, text: str) -> TextOrder | Command | Maybe | None:
    """What a text asks for; None where nothing is like it.

    Case, accents and punctuation do not matter. A number or an amount that was written with spaces
    is one value, and a phone number is found on either side of an amount. A typing error is
    forgiven where what is meant only reads.
    """
    first, *values = _words(text) or [""]
    means = _meanings(book)
    word = keyword(first)
    if word in means:
        return _meant(means[word], values)
    guess = _guessed(word, means)
    if guess is None:
        return None
    meaning = means[guess]
    harmless = meaning.harmless if isinstance(meaning, Command) else meaning.do not in book.money
    return _meant(meaning, values) if harmless else Maybe(guess)


def keyword(word: str) -> str:
    """A word as keywords are compared: without case, without any accent."""
    return plain(word).upper().replace("É", "E").replace("Ñ", "N").replace("Ü", "U")


def _words(text: str) -> list[str]:
    joined = _SPACED_NUMBER.sub(r"\1\2\3", _SPACED_CURRENCY.sub(r"\1", plain(text)))
    words = (word.strip(_EDGES) for word in joined.split())
    return [word for word in words if word]


def _meanings(book: Book) -> Mapping[str, Journey | Command]:
    """Every word that begins something."""
    commands: dict[str, Journey | Command] = {
        word: command for command in Command for word in command.value
    }
    journeys = {
        keyword(word): journey for journey in book.journeys.values() for word in journey.sms
    }
    return {**journeys, **commands}


def _meant(meaning: Journey | Command, values: list[str]) -> TextOrder | Command:
    if isinstance(meaning, Command):
        return meaning
    if len(values) == 2 and _MOBILE.fullmatch(values[1]) and not _MOBILE.fullmatch(values[0]):
        values.reverse()  # `ENVIAR 50 987654321`
    return TextOrder(meaning, tuple(values[:DEEP_DIAL_ANSWERS_MAX]))


def _guessed(word: str, means: Mapping[str, Journey | Command]) -> str | None:
    """The one word that this is nearly; None where it is too short, or nearly two of them that mean
    different things."""
    if len(word) < WORD_TO_GUESS_CHARS_MIN:
        return None
    near = process.extract(
        word, means.keys(), scorer=OSA.distance, score_cutoff=TYPOS_MAX, limit=len(means)
    )
    best = [found for found, typos, _ in near if typos == near[0][1]]
    meant = {id(means[found]) for found in best}
    return best[0] if len(meant) == 1 else None
