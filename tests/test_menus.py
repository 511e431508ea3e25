"""The shipped menus have no fault; and a folder that is none of menus says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.bank.bank import CATALOGUE
from gateway.dialog.checker import check, listings
from gateway.dialog.phrase import fill
from gateway.dialog.reader import FaultyBookError
from gateway.menus import Pages, load_book
from gateway.values.outcome import Record

BOOK = load_book(Path(__file__).parents[1] / "menus")


def test_the_shipped_menus_have_no_fault() -> None:
    """What the checker proves of them is in `tests/dialog/test_checker.py`."""
    assert [str(fault) for fault in check(BOOK, CATALOGUE)] == []


def test_no_list_takes_more_than_two_pages() -> None:
    """With five accounts or movements of the longest names."""
    assert {listing.pages for listing in listings(BOOK, CATALOGUE)} == {2}


def test_the_home_menu_has_what_members_look_for() -> None:
    """Labels that training material and outside checks rely on."""
    labels = " ".join(
        option.label.text({}, "es", BOOK.words) for option in BOOK.menus[BOOK.home].options
    )

    assert re.search("Saldo.*Enviar.*Credito", labels)


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


def test_the_digest_changes_with_any_letter() -> None:
    """A session under way ends on the book that it began with."""
    files = {"home.yaml": "menu: home\nsay: Hola\n"}
    pages = [
        Pages(files),
        Pages({**files, "home.yaml": files["home.yaml"].replace("Hola", "Hole")}),
        Pages({**files, "locale/en/menus.po": 'msgid "Hola"\nmsgstr "Hello"\n'}),
    ]

    assert len({each.digest for each in pages}) == 3
