"""The shipped menus: they name what exists, say every refusal, fit, and are translated."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.bank.bank import CATALOGUE
from gateway.bounds import SMS_SEGMENT_SEPTETS
from gateway.dialog.book import Journey, Say
from gateway.dialog.gsm import foreign, plain, septets
from gateway.dialog.kinds import KINDS
from gateway.dialog.phrase import fill, placeholders
from gateway.dialog.reader import FaultyBookError
from gateway.menus import load_book
from gateway.values.money import Money
from gateway.values.outcome import Day, Record, Value

MENUS = Path(__file__).parents[1] / "menus"
BOOK = load_book(MENUS)

# What a text may have to hold at the most.
LONGEST_NAME = "Maximiliano W."
LONGEST: Mapping[str, Value] = {
    "amount": Money(99_999_999),
    "tax": Money(50_00),
    "reference": "123456789",
    "party": LONGEST_NAME,
    "day": Day(dt.date(2026, 11, 23)),
    "owed": Money(99_999_999),
}
COMMON_REFUSALS = {"wrong_pin", "pin_locked", "no_pin"}


def sentences() -> Iterator[tuple[str, str]]:
    """Every Spanish sentence, and where it stands."""
    for menu in BOOK.menus.values():
        yield from _variants(menu.say, *(option.label for option in menu.options))
        yield from _variants(*(refusal.say for refusal in menu.refused.values()))
    for journey in BOOK.journeys.values():
        yield from _variants(journey.done, journey.confirm, journey.none)
        yield from _variants(*(journey.rows.ways.values() if journey.rows else ()))
        yield from _variants(*(refusal.say for refusal in journey.refused.values()))
        for slot in journey.slots:
            yield from _variants(slot.ask, *(choice.label for choice in slot.choices))
    yield from _variants(*BOOK.words.sentences.values(), *BOOK.receipts.values())


def _variants(*says: Say | None) -> Iterator[tuple[str, str]]:
    for say in says:
        for variant in say.variants if say else ():
            yield variant.text, variant.at


@pytest.mark.parametrize("journey", BOOK.journeys.values(), ids=lambda journey: journey.name)
def test_a_journey_names_operations_that_exist_and_says_their_refusals(journey: Journey) -> None:
    """And confirms with the PIN what moves money or needs it."""
    operations = [CATALOGUE[name] for name in (journey.do, journey.quote) if name]
    refusals = frozenset[str]().union(*(operation.refusals for operation in operations))

    assert set(journey.refused) == refusals
    assert journey.authorise == CATALOGUE[journey.do].needs_pin
    assert not CATALOGUE[journey.do].moves_money or (journey.confirm and journey.authorise)
    assert {slot.type for slot in journey.slots} <= set(KINDS)


def test_a_menu_leads_somewhere() -> None:
    """Every option to a menu or a journey; every one of those from somewhere."""
    targets = {option.go for menu in BOOK.menus.values() for option in menu.options}

    assert targets | {BOOK.home} == set(BOOK.menus) | set(BOOK.journeys)
    for menu in BOOK.menus.values():
        assert menu.data is None or menu.data in CATALOGUE
        keys = [option.key for option in menu.options]
        assert keys == sorted(set(keys))


def test_every_sentence_is_translated_with_the_same_placeholders() -> None:
    """A placeholder that a translator lost is a number that a member does not see."""
    english = BOOK.words.catalogues["en"].texts
    missing = [(at, text) for text, at in sentences() if text not in english]
    differing = [
        at
        for text, at in sentences()
        if text in english and sorted(placeholders(text)) != sorted(placeholders(english[text]))
    ]

    assert missing == []
    assert differing == []


def test_every_letter_can_be_shown_in_every_language() -> None:
    """Accents are mapped; nothing becomes a question mark."""
    for language in BOOK.languages:
        for text, at in sentences():
            assert foreign(BOOK.words.translate(text, language)) == set(), at


@pytest.mark.parametrize("language", BOOK.languages)
@pytest.mark.parametrize("name", BOOK.receipts)
def test_a_receipt_is_one_sms_with_the_longest_values(name: str, language: str) -> None:
    """A second segment costs the cooperative as much as the first."""
    for variant in BOOK.receipts[name].variants:
        text = fill(BOOK.words.translate(variant.text, language), LONGEST, language)

        assert septets(plain(text)) <= SMS_SEGMENT_SEPTETS


def test_the_home_menu_has_what_members_look_for() -> None:
    """Labels that training material and outside checks rely on."""
    labels = " ".join(
        option.label.text({}, "es", BOOK.words) for option in BOOK.menus[BOOK.home].options
    )

    assert re.search("Saldo.*Enviar.*Credito", labels)


def test_a_placeholder_names_something_that_is_there() -> None:
    """Of the member, a slot, a quote or a result."""
    for journey in BOOK.journeys.values():
        known: set[str] = {"member.first_name", "member.short_name", "offers"}
        for slot in journey.slots:
            fields = KINDS[slot.type].fields
            known |= {f"{slot.name}.{field}" for field in fields} or {slot.name}
        if journey.quote:
            known |= set(CATALOGUE[journey.quote].gives)
        for say in (*(slot.ask for slot in journey.slots), journey.confirm):
            assert _named(say) <= known, journey.name
        assert _named(journey.done) <= known | set(CATALOGUE[journey.do].gives), journey.name


def _named(say: Say | None) -> set[str]:
    return {name for text, _ in _variants(say) for name in placeholders(text)}


def test_a_folder_without_menus_says_so(tmp_path: Path) -> None:
    """A wrong CHASKI_MENUS is found at boot."""
    with pytest.raises(FaultyBookError, match="no menu files"):
        load_book(tmp_path)


def test_a_broken_catalogue_is_named(tmp_path: Path) -> None:
    """With its file."""
    (tmp_path / "home.yaml").write_text("menu: home\nsay: Hola\n")
    (tmp_path / "locale" / "en").mkdir(parents=True)
    (tmp_path / "locale" / "en" / "menus.po").write_text("this is no catalogue\n")

    with pytest.raises(FaultyBookError, match=r"menus\.po"):
        load_book(tmp_path)


def test_a_record_without_a_field_is_no_text() -> None:
    """`{payee}` would print a record's insides."""
    with pytest.raises(LookupError):
        fill("{payee}", {"payee": Record({"name": "Rosa"})}, "es")
