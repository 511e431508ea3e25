"""The prints: every screen there is, as the phone shows it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.bank.bank import CATALOGUE
from gateway.bounds import SCREEN_SEPTETS
from gateway.dialog.book import Variant, parts
from gateway.dialog.handout import Handout, as_html, as_text, handouts
from gateway.dialog.kinds import KINDS
from gateway.dialog.phrase import placeholders
from gateway.dialog.pretend import LONGEST, TYPICAL, Examples
from gateway.menus import load_book
from gateway.values.gsm import plain, septets

BOOK = load_book(Path(__file__).parents[2] / "menus")
EXAMPLES = pytest.mark.parametrize("examples", [TYPICAL, LONGEST], ids=["typical", "longest"])


def spanish(examples: Examples = TYPICAL) -> Handout:
    return handouts(BOOK, CATALOGUE, ["es"], examples)[0]


@EXAMPLES
@pytest.mark.parametrize("language", BOOK.languages)
def test_no_page_is_longer_than_a_screen(language: str, examples: Examples) -> None:
    """What is printed is what is sent."""
    (shown,) = handouts(BOOK, CATALOGUE, [language], examples)

    assert [screen for screen in shown.screens if screen.septets > SCREEN_SEPTETS] == []
    assert all(screen.septets == septets(plain(screen.text)) for screen in shown.screens)


def test_every_menu_and_journey_is_there_and_what_is_no_screen_of_its_own() -> None:
    """What is not printed is not translated with care, and not taught."""
    screens = spanish().screens
    names = {screen.name for screen in screens}

    assert {screen.part for screen in screens} >= {*BOOK.menus, *BOOK.journeys, "dial"}
    assert names >= {*BOOK.words.sentences, *BOOK.receipts}
    assert "Hola Rosa\n1. Saldo" in next(one.text for one in screens if one.name == "home/menu")


@pytest.mark.parametrize("name", sorted(BOOK.journeys))
def test_every_wording_of_a_journey_after_its_slots_is_printed(name: str) -> None:
    """Each condition both ways, with and without a cost, late and in time; each refusal; each kind
    of row; the empty list."""
    journey = BOOK.journeys[name]
    texts = [screen.text for screen in spanish().screens if screen.part == name]
    said = (journey.confirm, journey.done, journey.rows, journey.none, journey.refused)

    for variant in parts(said, Variant):
        literals = re.split(r"\{[^}]*\}|\n", plain(variant.text))
        assert any(all(literal in text for literal in literals) for text in texts), variant.at


def test_each_screen_is_printed_once_and_its_pages_in_order() -> None:
    """A hand-out of three hundred screens of which half are the same is not read."""
    screens = spanish(LONGEST).screens
    walked = [(screen.name, screen.text) for screen in screens if "/" in screen.name]
    paged = [screen for screen in screens if screen.pages > 1]

    assert len(walked) == len(set(walked))
    assert paged
    for before, after in pairwise(screens):
        assert after.page == before.page + 1 if before.page < before.pages else after.page == 1


def test_what_is_not_offered_to_members_is_printed_and_says_so() -> None:
    """Its translators need it most."""
    unsigned = BOOK.words.catalogues["en"]
    shown = handouts(BOOK, CATALOGUE, BOOK.languages)

    assert [one.language for one in shown] == list(BOOK.languages)
    assert unsigned.name in as_text(shown[1])
    assert "not offered" not in as_text(shown[1])
    hidden = Handout("agr", "Awajun", offered=False, screens=())
    assert "Awajun (agr, not offered to members yet)" in as_text(hidden)


def test_the_text_shows_each_screen_under_its_name_and_its_septets() -> None:
    """As the log names it, so that a complaint, a log line and a print are the same screen."""
    text = as_text(spanish())

    assert "balance/confirm, 47 of 160 septets\n    Ver tu saldo.\n    Marca tu PIN:\n" in text
    assert "send/again, no: again, " in text
    assert "page 1 of 3, " in as_text(spanish(LONGEST))


def test_the_page_for_the_printer_is_whole_and_names_each_language() -> None:
    """Every tag that is opened is closed; a sign of HTML in a text is text."""
    shown = handouts(BOOK, CATALOGUE, BOOK.languages)
    html = as_html(shown)
    tags = _Tags()
    tags.feed(html)

    assert tags.open == []
    assert tags.screens == sum(len(one.screens) for one in shown)
    assert '<section lang="en">' in html


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.screens = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in {"meta"}:
            self.open.append(tag)
        self.screens += tag == "figure"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@EXAMPLES
def test_whatever_can_be_typed_has_an_example(examples: Examples) -> None:
    """A new kind of slot would end the walk there, without a word."""
    typed = {name for name, kind in KINDS.items() if kind.parse or kind.resolve or kind.secret}

    assert typed == set(examples.typed)
    for name in typed:
        parse = KINDS[name].parse
        assert parse is None or parse(examples.typed[name]) is not None


def test_no_placeholder_is_left_in_a_print() -> None:
    """Nor the bare name of one: each value has an example of its kind."""
    names = {
        name
        for journey in BOOK.journeys.values()
        for variant in journey.done.variants
        for name in placeholders(variant.text)
    }

    for screen in spanish().screens:
        assert "{" not in screen.text
        assert not any(f"{name} 1" in screen.text for name in names)
