"""How a fault is told: where, what, and what would help."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gateway.dialog.book import Book, Variant
from gateway.dialog.yaml_lines import Fault

SPANISH = "es"


def fault(at: str, what: str, *, screen: str = "", language: str = "", mend: str = "") -> Fault:
    """A fault at `send.yaml:12`. Spanish needs no naming: it is what the file is written in."""
    file, _, line = at.rpartition(":")
    return Fault(file, int(line), what, screen, "" if language == SPANISH else language, mend)


def unknown(
    at: str, name: str, what: str, known: Iterable[str], *, screen: str = "", language: str = ""
) -> Fault:
    """A name that nothing has, with the one that may be meant, or all that there are."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    mend = f"is it `{close[0]}`?" if close else ""
    if not close and names:
        mend = f"known are {', '.join(names)}"
    return fault(at, f"there is no {what} `{name}`", screen=screen, language=language, mend=mend)


def place(book: Book, variant: Variant, language: str) -> str:
    """Where a wording stands in that language: in its menu file, or in the catalogue."""
    catalogue = book.words.catalogues.get(language)
    if catalogue is None or variant.text not in catalogue.texts:
        return variant.at
    return f"{catalogue_file(language)}:{catalogue.lines.get(variant.text, 1)}"


def catalogue_file(language: str) -> str:
    """Where the translations into a language stand, below the folder of the menus."""
    return f"locale/{language}/menus.po"


def served(book: Book) -> tuple[str, ...]:
    """The languages that members are meant to be served: Spanish, and each that a speaker has
    reviewed."""
    catalogues = sorted(book.words.catalogues.items())
    return (SPANISH, *(language for language, catalogue in catalogues if catalogue.reviewed))
