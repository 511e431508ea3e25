"""The menu files as texts, and the book that is written in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gateway.bank.operations import Operation
from gateway.bounds import BOOK_CHARS_MAX, BOOK_FILES_MAX
from gateway.dialog.book import Book
from gateway.dialog.checker import check
from gateway.dialog.reader import FaultyBookError, read_book
from gateway.dialog.yaml_lines import Fault
from gateway.translations import read_catalogue

_DIGEST_CHARS = 16  # of 64: in every session's state; no two books will ever share them by chance


@dataclass(frozen=True, slots=True)
class Pages:
    """A book as it was written: what is published, and read again elsewhere.

    `texts` are the files by their name below the folder: `send.yaml`, `locale/en/menus.po`.
    """

    texts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Names these pages for ever: how it is made may never change."""
        hashed = hashlib.sha256()
        for name, text in sorted(self.texts.items()):
            hashed.update(f"{name}\0{text}\0".encode())
        return hashed.hexdigest()[:_DIGEST_CHARS]

    def changes(self, before: Pages) -> Iterator[tuple[str, str]]:
        """What became of each file that is not as it was: its name and `added`, `removed` or
        `changed`."""
        for name in sorted(self.texts.keys() | before.texts.keys()):
            if name not in before.texts:
                yield name, "added"
            elif name not in self.texts:
                yield name, "removed"
            elif self.texts[name] != before.texts[name]:
                yield name, "changed"


def load_book(folder: Path) -> Book:
    """The book in a folder, read but not checked.

    Raises:
        FaultyBookError: with every fault, or that there is no such folder.
    """
    return open_book(read_folder(folder))


def read_folder(folder: Path) -> Pages:
    """The menu files of a folder, and the catalogues below its `locale/`.

    Raises:
        FaultyBookError: there are none, too many, or they are no text.
    """
    menus = sorted(folder.glob("*.yaml"))
    if strays := sorted(folder.glob("*.[yY][mM][lL]")):
        raise FaultyBookError(
            Fault(stray.name, 1, "is not read", mend="rename it to .yaml") for stray in strays
        )
    if not menus:
        raise FaultyBookError([Fault(str(folder), 1, "there are no menu files (*.yaml) here")])
    files = [*menus, *sorted(folder.glob("locale/*/menus.po"))]
    pages = Pages({file.relative_to(folder).as_posix(): _text(file) for file in files})
    chars = sum(map(len, pages.texts.values()))
    if len(files) > BOOK_FILES_MAX or chars > BOOK_CHARS_MAX:
        held = f"{len(files)} files of {chars} letters"
        most = f"{BOOK_FILES_MAX} files of {BOOK_CHARS_MAX}"
        raise FaultyBookError([Fault(str(folder), 1, f"{held} are no menus: at most {most}")])
    return pages


def open_book(pages: Pages) -> Book:
    """The book that is written on these pages, under their digest.

    Raises:
        FaultyBookError: with every fault that reading finds.
    """
    files = {name: text for name, text in pages.texts.items() if name.endswith(".yaml")}
    catalogues = {
        language: read_catalogue(language, text)
        for name, text in pages.texts.items()
        if name.endswith(".po") and (language := PurePosixPath(name).parent.name)
    }
    # The shelf finds a book by its pages alone, whichever version of Chaski reads them.
    return read_book(files, catalogues, digest=pages.digest)


def prove(pages: Pages, operations: Mapping[str, Operation]) -> Book:
    """The book on these pages, read and checked: no other is ever served or published.

    Args:
        operations: what the bank can do, by name.

    Raises:
        FaultyBookError: with every fault.
    """
    book = open_book(pages)
    faults = check(book, operations)
    if faults:
        raise FaultyBookError(faults)
    money = frozenset(name for name, operation in operations.items() if operation.moves_money)
    return replace(book, money=money)


def _text(file: Path) -> str:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        mend = "save it as UTF-8"
        raise FaultyBookError([Fault(file.name, 1, "is no text in UTF-8", mend=mend)]) from error
    except OSError as error:
        raise FaultyBookError([Fault(file.name, 1, f"cannot be read: {error.strerror}")]) from error
    if "\0" in text:
        raise FaultyBookError([Fault(file.name, 1, "holds a letter that is none (NUL)")])
    return text
