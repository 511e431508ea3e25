"""Other languages than Spanish: gettext catalogues (`.po`), each sentence under its Spanish one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_string
from io import BytesIO, StringIO
from typing import IO

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, PoFileParser, normalize, write_po

from gateway.dialog.book import Book, Catalogue, Variant, parts
from gateway.dialog.reader import FaultyBookError, read_sentences
from gateway.dialog.yaml_lines import Fault
from gateway.values.gsm import plain

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# A comment, or a text in quotes, with or without the word before it. Contexts and plurals are not
# used.
_PO_LINE = re.compile(r'(?:#.*|(?:(?:msgid|msgstr)\s+)?"(?:[^"\\]|\\.)*")?')
_WIDTH = 100  # letters a line of a catalogue, as in the rest of the house

# Of a new catalogue: what is empty waits to be filled in, by hand or in Poedit's properties.
_HEADERS = {
    "Project-Id-Version": "Chaski menus",
    "Language": "",
    "X-Language-Name": "",
    "X-Letters": "",
    "X-Reviewed-By": "",
    "X-Reviewed-On": "",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
}
_REVIEW = ("X-Reviewed-By", "X-Reviewed-On")

# ---- Reading ---------------------------------------------------------------------------------


class PoFile(Catalog):
    """A gettext catalogue with all of its headers: Babel keeps only those that it knows."""

    def __init__(self, language: str | None = None) -> None:
        super().__init__(locale=language, header_comment="", fuzzy=False)
        self.headers: dict[str, str] = {}
        self.comments: list[str] = []

    def __setitem__(self, id: object, message: Message) -> None:  # noqa: A002 - Babel's name
        if id == "" and isinstance(message.string, str):
            self.headers = dict(message_from_string(message.string).items())
            self.comments = list(message.user_comments)
        super().__setitem__(id, message)  # type: ignore[index]


def read_po(text: str, file: str) -> PoFile:
    """The catalogue that is written in a `.po` file.

    Raises:
        FaultyBookError: it is no gettext file. `file` is its name in the fault.
    """
    if faults := [
        Fault(file, number, f"{line!r} is no line of a catalogue", mend="close its quotes")
        for number, line in enumerate(text.splitlines(), start=1)
        if not _PO_LINE.fullmatch(line.strip())
    ]:
        raise FaultyBookError(faults)
    catalogue = PoFile()
    try:
        PoFileParser(catalogue, abort_invalid=True).parse(StringIO(text))
    except PoFileError as error:
        raise FaultyBookError([Fault(file, 1, f"not a gettext file: {error}")]) from error
    return catalogue


def read_catalogue(language: str, text: str) -> Catalogue:
    """What the book needs of `locale/LANGUAGE/menus.po`.

    Raises:
        FaultyBookError: it is no gettext file, of another language, or has headers that cannot be.
    """
    reading = _Reading(language, read_po(text, _file(language)))
    catalogue = reading.catalogue()
    if reading.faults:
        raise FaultyBookError(reading.faults)
    return catalogue


@dataclass(slots=True)
class _Reading:
    """A catalogue being read, and what is wrong with it."""

    language: str
    po: PoFile
    faults: list[Fault] = field(default_factory=list)

    def catalogue(self) -> Catalogue:
        if not _LANGUAGE.fullmatch(self.language):
            self._fault(f"`{self.language}` is no language code: use en, or qvc (ISO 639-3)")
        if self.po.headers.get("Language", self.language) != self.language:
            self._fault(f"`Language:` is not {self.language}, as its folder is")
        messages = [
            message
            for message in self.po
            if isinstance(message.id, str) and isinstance(message.string, str) and message.id
        ]
        return Catalogue(
            language=self.language,
            name=self.po.headers.get("X-Language-Name", "").strip(),
            texts={
                str(message.id): str(message.string)
                for message in messages
                if message.string and not message.fuzzy
            },
            lines={str(message.id): message.lineno or 1 for message in messages},
            reviewed=self._reviewed(),
            letters=self._letters(),
        )

    def _reviewed(self) -> bool:
        """A review has a name and a date, or it is none."""
        by = self.po.headers.get("X-Reviewed-By", "").strip()
        on = self.po.headers.get("X-Reviewed-On", "").strip()
        if on and not _DATE.fullmatch(on):
            self._fault(f"`X-Reviewed-On:` is a day such as 2026-11-23, not `{on}`")
        return bool(by and on)

    def _letters(self) -> Mapping[str, str]:
        """`X-Letters: ʼ=' č=ch`."""
        letters: dict[str, str] = {}
        for pair in unicodedata.normalize("NFC", self.po.headers.get("X-Letters", "")).split():
            letter, sign, written = pair.partition("=")
            # A letter that phones have could stand in a placeholder's name.
            if not sign or plain(letter) == letter or plain(written) != written:
                self._fault(f"`X-Letters: {pair}` is no foreign letter = letters of a plain phone")
            letters[letter] = written
        return letters

    def _fault(self, what: str) -> None:
        self.faults.append(Fault(_file(self.language), 1, what))


def _file(language: str) -> str:
    return f"locale/{language}/menus.po"


# ---- Extracting and merging ------------------------------------------------------------------


def extract(
    fileobj: IO[bytes],
    keywords: object,
    comment_tags: Collection[str],
    options: Mapping[str, str],
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Babel's way into a menu file, for `pybabel extract -F menus/babel.cfg`: the line, no
    function, the sentence and no comments.

    Raises:
        FaultyBookError: with every fault of the file.
    """
    text = fileobj.read().decode("utf-8")
    for variant in read_sentences("", text):
        yield _line(variant), "", variant.text, []


def template(files: Mapping[str, str]) -> PoFile:
    """Every sentence of the menu files, untranslated: what `menus.pot` holds.

    Args:
        files: texts by their names, `send.yaml`; what is no menu file is left out.

    Raises:
        FaultyBookError: with every fault of a file.
    """
    catalogue = PoFile()
    catalogue.headers = {name: value for name, value in _HEADERS.items() if name not in _REVIEW}
    for file, text in sorted(files.items()):
        for variant in read_sentences(file, text) if file.endswith(".yaml") else ():
            catalogue.add(variant.text, locations=[(file, _line(variant))])
    return catalogue


@dataclass(frozen=True, slots=True)
class Merged:
    """A catalogue brought up to date with the Spanish menus.

    Args:
        text: the new `.po` file.
        added: sentences without any translation yet.
        changed: sentences whose old translation was kept, marked fuzzy, since the Spanish changed.
        gone: sentences that no menu has any more; they stay at the end of the file, commented out.
        review_dropped: whether a review was taken back, since it covers not all of this.
    """

    text: str
    added: int
    changed: int
    gone: int
    review_dropped: bool


def merge(language: str, files: Mapping[str, str], old: str | None) -> Merged:
    """The language's catalogue with what the menu files say now.

    Args:
        language: its code.
        files: the menu files' texts by their names.
        old: the catalogue so far; None begins one.

    Raises:
        FaultyBookError: a menu file or the catalogue cannot be read, or there is no such code.
    """
    if not _LANGUAGE.fullmatch(language):
        raise FaultyBookError([Fault(_file(language), 1, f"`{language}` is no language code")])
    po = read_po(old, _file(language)) if old else PoFile(language)
    known, lost = _ids(po), len(po.obsolete)
    po.update(template(files))
    fuzzy = {message.id for message in po if message.id and message.fuzzy}
    new = _ids(po) - known
    po.headers = {**_HEADERS, "Language": language} | po.headers
    drops = bool(new) and any(po.headers[name] for name in _REVIEW)
    if drops:
        po.headers |= dict.fromkeys(_REVIEW, "")
    changed, gone = len(new & fuzzy), len(po.obsolete) - lost
    return Merged(write(po), len(new) - changed, changed, gone, drops)


def write(po: PoFile) -> str:
    """The catalogue as a file, in the order of the menu files, with all of its headers."""
    body = BytesIO()
    write_po(body, po, width=_WIDTH, omit_header=True, sort_by_file=True)
    headers = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in po.headers.items())
    comments = "".join(f"# {comment}".rstrip() + "\n" for comment in po.comments)
    head = f'msgid ""\nmsgstr {normalize(headers, width=_WIDTH)}\n\n'
    return comments + head + body.getvalue().decode("utf-8")


def _ids(po: PoFile) -> set[object]:
    return {message.id for message in po if message.id}


def _line(variant: Variant) -> int:
    return int(variant.at.rpartition(":")[2])


# ---- How far it is ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a language is.

    Args:
        language: its code; `name`: what it calls itself.
        sentences: how many the menus have, `translated`: of these.
        offered: whether members may choose it.
        lacks: what keeps it from that, in words; empty where it is offered.
    """

    language: str
    name: str
    sentences: int
    translated: int
    reviewed: bool
    offered: bool
    lacks: tuple[str, ...]


def progress(book: Book) -> tuple[Progress, ...]:
    """How far each language of the book is, Spanish first."""
    return tuple(_progress(book, language) for language in book.languages)


def _progress(book: Book, language: str) -> Progress:
    sentences = len({variant.text for variant in parts(book, Variant)})
    offered = dict(book.offered)
    catalogue = book.words.catalogues.get(language)
    missing = len(book.untranslated(language)) if catalogue else 0
    lacks = {
        f"{missing} sentences are not translated": missing > 0,
        "nobody has reviewed it (X-Reviewed-By, X-Reviewed-On)": not _has_review(catalogue),
        "it has no name (X-Language-Name)": catalogue is not None and not catalogue.name,
    }
    return Progress(
        language=language,
        name=catalogue.name if catalogue else offered[language],
        sentences=sentences,
        translated=sentences - missing,
        reviewed=_has_review(catalogue),
        offered=language in offered,
        lacks=tuple(words for words, so in lacks.items() if so),
    )


def _has_review(catalogue: Catalogue | None) -> bool:
    """Spanish, which has no catalogue, is what the authors wrote."""
    return catalogue is None or catalogue.reviewed
