"""The words that begin a journey by SMS: each means one thing, and none is taken by the network."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.dialog.book import Book
from gateway.dialog.checker.supplied import STOP_WORDS
from gateway.dialog.checker.told import fault
from gateway.dialog.keywords import keyword
from gateway.dialog.yaml_lines import Fault


def faults(book: Book) -> Iterator[Fault]:
    """What is wrong with the words of `sms:`."""
    begun = [(keyword(word), journey) for journey in book.journeys.values() for word in journey.sms]
    for journey in book.journeys.values():
        at, screen = journey.lines.get("sms", journey.at), journey.name
        for word in journey.sms:
            key = keyword(word)
            if key in STOP_WORDS:
                what = f"`{word}` is a word that networks keep for themselves"
                yield fault(at, what, screen=screen, mend="take another word")
            if not (key.isascii() and key.isalpha()):
                what = f"`{word}` cannot begin an SMS"
                yield fault(at, what, screen=screen, mend="use letters alone")
            others = sorted({other.name for same, other in begun if same == key} - {journey.name})
            if others:
                what = f"`{word}` begins `{others[0]}`, too"
                yield fault(at, what, screen=screen, mend="take another word")
