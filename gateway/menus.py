"""Read a menus folder: YAML files, and a gettext catalogue for each other language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from babel.messages.pofile import PoFileError, read_po

from gateway.dialog.book import Book
from gateway.dialog.reader import FaultyBookError, read_book
from gateway.dialog.yaml_lines import Fault


def load_book(folder: Path) -> Book:
    """The book in a folder.

    Raises:
        FaultyBookError: with every fault, or that there is no such folder.
    """
    files = {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.yaml"))}
    if not files:
        raise FaultyBookError([Fault(str(folder), 1, "there are no menu files (*.yaml) here")])
    return read_book(files, _catalogues(folder / "locale"))


def _catalogues(locale: Path) -> Mapping[str, Mapping[str, str]]:
    """For each language folder, its translations. `fuzzy` entries are not served."""
    return {file.parent.name: _catalogue(file) for file in sorted(locale.glob("*/menus.po"))}


def _catalogue(file: Path) -> dict[str, str]:
    with file.open("rb") as lines:
        try:
            catalogue = read_po(lines, abort_invalid=True)
        except PoFileError as error:
            raise FaultyBookError([Fault(file.name, 1, f"not a gettext file: {error}")]) from error
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and isinstance(message.string, str)
        if message.id and message.string and not message.fuzzy
    }
