"""An SMS as the beginning of a journey: `ENVIAR 987654321 50`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.bounds import DEEP_DIAL_ANSWERS_MAX
from gateway.dialog.book import Book, Journey
from gateway.values.gsm import plain

_EDGES = " .,;:!¡?¿\"'()"
_SPACED_CURRENCY = re.compile(r"\b(S/\.?)\s+(?=\d)", re.IGNORECASE)
_SPACED_NUMBER = re.compile(r"\b(9\d{2})[ -](\d{3})[ -](\d{3})\b")


@dataclass(frozen=True, slots=True)
class TextOrder:
    """What a text asks for: a journey, and the values that it names, in the order of its slots."""

    journey: Journey
    answers: tuple[str, ...]


def read_text(book: Book, text: str) -> TextOrder | None:
    """The journey that a text begins; None where its first word is no journey's.

    Case, accents and punctuation do not matter. A number or an amount that was written with spaces
    is one value.
    """
    joined = _SPACED_NUMBER.sub(r"\1\2\3", _SPACED_CURRENCY.sub(r"\1", plain(text)))
    words = [word.strip(_EDGES) for word in joined.split()]
    first, *values = [word for word in words if word] or [""]
    for journey in book.journeys.values():
        if keyword(first) in map(keyword, journey.sms):
            return TextOrder(journey, tuple(values[:DEEP_DIAL_ANSWERS_MAX]))
    return None


def keyword(word: str) -> str:
    """A word as keywords are compared: without case, without any accent."""
    return plain(word).upper().replace("É", "E").replace("Ñ", "N").replace("Ü", "U")
