"""From the menu files' texts to a book, or to every fault that stands in them.

The grammar is described for its writers in `menus/README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.bounds import INPUTS_MAX, OPTIONS_PER_LIST
from gateway.dialog.book import (
    Book,
    Catalogue,
    Choice,
    Condition,
    Journey,
    Menu,
    Option,
    Refusal,
    RowSay,
    Say,
    Slot,
    Variant,
    Words,
    parts,
)
from gateway.dialog.phrase import placeholders
from gateway.dialog.yaml_lines import Fault, FaultyFileError, Section, Text, read

_T = TypeVar("_T")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_BACKSLASH = re.compile(r"\\[a-z]")
_LIKE_AN_OPTION = re.compile(r"^\d{1,2}\. ", re.MULTILINE)
_NUMBER_DIGITS_MAX = 3
CONDITION = re.compile(r"([a-z_]+(?:\.[a-z_]+)?)(?: is ([a-z_]+))?")


class FaultyBookError(Exception):
    """The menus cannot be served. `faults` says why, each with its file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))


def read_book(
    files: Mapping[str, str],
    catalogues: Mapping[str, Catalogue],
    home: str = "home",
    digest: str = "",
) -> Book:
    """The book that is written in `files` (a name such as `send.yaml` and its text).

    Args:
        files: every menu file.
        catalogues: for each language but Spanish, its translations.
        home: the menu that a dial opens.
        digest: what sessions know the book by; whoever keeps the files makes it.

    Raises:
        FaultyBookError: with every fault that reading finds.
    """
    reading = _Reading()
    for file, text in sorted(files.items()):
        reading.file(file, text)
    first = f"{home}.yaml"
    if home not in reading.menus and first not in {fault.file for fault in reading.faults}:
        reading.faults.append(Fault(first, 1, f"there is no menu `{home}`"))
    if home in reading.menus and reading.menus[home].data:
        what = "a dial must not depend on `data:`: 0 and 00 would lead nowhere if it is refused"
        reading.faults.append(Fault(first, 1, what))
    if reading.faults:
        raise FaultyBookError(reading.faults)
    return Book(
        digest=digest,
        home=home,
        menus=reading.menus,
        journeys=reading.journeys,
        words=Words(reading.sentences, catalogues),
        receipts=reading.receipts,
        lines=reading.lines,
    ).as_served()


def read_sentences(file: str, text: str) -> tuple[Variant, ...]:
    """Every sentence of one menu file, for translators; one that stands twice is there twice.

    Raises:
        FaultyBookError: with every fault of the file.
    """
    reading = _Reading()
    reading.file(file, text)
    if reading.faults:
        raise FaultyBookError(reading.faults)
    read = (reading.menus, reading.journeys, reading.sentences, reading.receipts)
    return tuple(parts(read, Variant))


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    menus: dict[str, Menu] = field(default_factory=dict)
    journeys: dict[str, Journey] = field(default_factory=dict)
    sentences: dict[str, Say] = field(default_factory=dict)
    receipts: dict[str, Say] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def file(self, file: str, text: str) -> None:
        try:
            section = read(file, text)
        except FaultyFileError as error:
            self.faults.append(error.fault)
            return
        part = Part(file, section, self.faults)
        if "menu" in section:
            menu = read_menu(part)
            self._add(part, self.menus, menu.name, menu)
        elif "journey" in section:
            journey = read_journey(part)
            self._add(part, self.journeys, journey.name, journey)
        elif "words" in section:
            self._more(part, self.sentences, "words")
            part.finish()
        elif "receipts" in section:
            self._more(part, self.receipts, "receipts")
            part.finish()
        else:
            part.fault("a file begins with `menu:`, `journey:`, `words:` or `receipts:`")

    def _more(self, part: Part, names: dict[str, Say], key: str) -> None:
        for name, say in self._named(part, key).items():
            if name in names:
                part.fault(f"`{name}` is said in another file already", key)
            names[name] = say

    def _named(self, part: Part, key: str) -> dict[str, Say]:
        """A file of named sentences."""
        self.lines.setdefault(key, part.at(key))
        self.lines |= {f"{key}/{name}": at for name, at in part.part(key).lines().items()}
        return part.says(key)

    def _add(self, part: Part, names: dict[str, _T], name: str, thing: _T) -> None:
        part.finish()
        if not _NAME.fullmatch(name):
            part.fault(f"`{name}` is no name: small letters, digits and _")
        if name in self.menus or name in self.journeys:
            part.fault(f"`{name}` is there already: menus and journeys share their names")
        names[name] = thing


class Part:
    """A section being read: every key that is taken is known, what is left over is a fault.

    Whatever the grammar has goes through these methods: so `schema.py` learns it by watching them.
    """

    def __init__(self, file: str, section: Section, faults: list[Fault]) -> None:
        self._file, self._section, self._faults = file, section, faults
        self._known: set[str] = set()

    def fault(self, what: str, key: str = "") -> None:
        self._faults.append(Fault(self._file, self.line(key), what))

    def at(self, key: str = "") -> str:
        return f"{self._file}:{self.line(key)}"

    def text(self, key: str) -> str:
        """A text that must be there."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            self.fault(f"`{key}:` is missing, or is not a text", key)
            return ""
        return str(value)

    def maybe(self, key: str) -> str | None:
        """A text that may be left out."""
        return self.text(key) if key in self._section else None

    def say(self, key: str) -> Say:
        """A sentence: one text, or a list of `{when: …, say: …}` of which the first that is so is
        said."""
        value = self._take(key)
        items = value if isinstance(value, list) and value else [value]
        return Say(tuple(variant for item in items for variant in self._variant(key, item)))

    def maybe_say(self, key: str) -> Say | None:
        return self.say(key) if key in self._section else None

    def condition(self, key: str) -> Condition | None:
        """`name` or `name is value`."""
        text = self.maybe(key)
        if text is None:
            return None
        match = CONDITION.fullmatch(text)
        if match is None:
            self.fault(f"`{text}` is no condition: write `name` or `name is value`", key)
            return None
        return Condition(match[1], match[2], self.at(key))

    def part(self, key: str) -> Part:
        """A section below this one; an empty one where it is left out."""
        value = self._take(key)
        if value is None:
            return Part(self._file, Section(self.line(key)), self._faults)
        if not isinstance(value, Section):
            self.fault(f"`{key}:` is a list of `name: value` lines", key)
            return Part(self._file, Section(self.line(key)), self._faults)
        return Part(self._file, value, self._faults)

    def parts(self, key: str) -> dict[str, Part]:
        below = self.part(key)
        return {name: below.part(name) for name in below.names()}

    def says(self, key: str) -> dict[str, Say]:
        below = self.part(key)
        return {name: below.say(name) for name in below.names()}

    def texts(self, key: str) -> dict[str, str]:
        below = self.part(key)
        return {name: below.text(name) for name in below.names()}

    def flag(self, key: str) -> bool:
        text = self.maybe(key)
        if text not in {None, "yes", "true", "no", "false"}:
            self.fault(f"`{key}:` is `yes`, or is left out, and not `{text}`", key)
        return text in {"yes", "true"}

    def number(self, key: str, otherwise: int) -> int:
        text = self.maybe(key)
        if text is None:
            return otherwise
        if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX):
            self.fault(f"`{key}:` is a number, not `{text}`", key)
            return otherwise
        return int(text)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of single words, or one."""
        value = self._take(key)
        items = value if isinstance(value, list) else [value] if value is not None else []
        found = tuple(
            str(item) for item in items if isinstance(item, str) and len(item.split()) == 1
        )
        if len(found) != len(items):
            self.fault(f"`{key}:` is a list of single words", key)
        return found

    def has(self, key: str) -> bool:
        return key in self._section

    def is_section(self, key: str) -> bool:
        return isinstance(self._section.get(key), Section)

    def lines(self) -> dict[str, str]:
        """Where each of its keys stands."""
        return {name: self.at(name) for name in self.names()}

    def names(self) -> list[str]:
        return list(self._section)

    def finish(self) -> None:
        """Everything that belongs here has been taken."""
        for key in self._section:
            if key not in self._known:
                known = ", ".join(sorted(self._known))
                self.fault(f"`{key}:` means nothing here; known are {known}", key)

    def _variant(self, key: str, item: object) -> list[Variant]:
        if isinstance(item, Section):
            part = Part(self._file, item, self._faults)
            condition, text, line = part.condition("when"), part.text("say"), part.line("say")
            part.finish()
        elif isinstance(item, Text):
            condition, text, line = None, str(item), item.line
        else:
            self.fault(f"`{key}:` is missing", key)
            return []
        if what := _wrong_in(text):
            self._faults.append(Fault(self._file, line, what))
        return [Variant(text, f"{self._file}:{line}", condition)]

    def _take(self, key: str) -> object:
        self._known.add(key)
        return self._section.get(key)

    def line(self, key: str) -> int:
        """Of that key; of the section where it has no such key."""
        return self._section.lines.get(key, self._section.line)


def _wrong_in(text: str) -> str:
    """What would make a screen of this text lie, or empty."""
    shown = text.replace("\n", "\\n")
    try:
        placeholders(text)
    except ValueError as error:
        return f"`{shown}`: {error}"
    if not text.strip():
        return "the text is empty"
    if "{{" in text or "}}" in text or "${" in text:
        return f"`{shown}`: one pair of braces around a name, and nothing else"
    if _BACKSLASH.search(text):
        return f"`{shown}`: put it in double quotes, where \\n is a new line"
    if _LIKE_AN_OPTION.search(text):
        return f"`{shown}`: a line that begins like an option and is none"
    return ""


def read_menu(part: Part) -> Menu:
    """The menu in a file that begins with `menu:`."""
    return Menu(
        name=part.text("menu"),
        at=part.at("menu"),
        say=part.say("say"),
        data=part.maybe("data"),
        options=tuple(
            option
            for key, below in part.parts("options").items()
            for option in _option(part, key, below)
        ),
        refused=_refusals(part),
        lines=part.lines(),
    )


def _option(menu: Part, key: str, part: Part) -> list[Option]:
    if not (key.isascii() and key.isdigit() and 1 <= int(key) <= OPTIONS_PER_LIST):
        menu.part("options").fault(f"an option's key is 1 to {OPTIONS_PER_LIST}, not `{key}`", key)
        return []
    option = Option(
        key=int(key),
        label=part.say("label"),
        go=part.text("go"),
        at=part.at("go"),
        given=part.texts("given"),
        only_when=part.condition("only_when"),
        lines=part.lines(),
    )
    part.finish()
    return [option]


def read_journey(part: Part) -> Journey:
    """The journey in a file that begins with `journey:`."""
    return Journey(
        name=part.text("journey"),
        at=part.at("journey"),
        lines=part.lines(),
        sms=part.words("sms"),
        sms_alone=part.texts("sms_alone"),
        sms_values=part.texts("sms_values"),
        draft=part.maybe_say("draft"),
        help=part.maybe_say("help"),
        newcomers=part.flag("newcomers"),
        inputs_max=part.number("inputs_max", INPUTS_MAX),
        slots=tuple(_slot(name, below) for name, below in part.parts("slots").items()),
        quote=part.maybe("quote"),
        confirm=part.maybe_say("confirm"),
        authorise=_authorise(part),
        do=part.text("do"),
        done=part.say("done"),
        rows=_rows(part),
        none=part.maybe_say("none"),
        refused=_refusals(part),
    )


def _slot(name: str, part: Part) -> Slot:
    slot = Slot(
        name=name,
        at=part.at(),
        type=part.text("type"),
        ask=part.say("ask"),
        only_when=part.condition("only_when"),
        choices=tuple(Choice(value, say) for value, say in part.says("choices").items()),
        check=part.maybe("check"),
        ends=part.says("ends"),
        lines=part.lines(),
    )
    part.finish()
    return slot


def _authorise(part: Part) -> bool:
    how = part.maybe("authorise")
    if how not in {None, "pin"}:
        part.fault("`authorise:` is `pin`, or is left out", "authorise")
    return how == "pin"


def _rows(part: Part) -> RowSay | None:
    if not part.has("rows"):
        return None
    return RowSay(part.says("rows") if part.is_section("rows") else {"": part.say("rows")})


def _refusals(part: Part) -> dict[str, Refusal]:
    return _each(part.part("refused"), _refusal)


def _each(part: Part, read_one: Callable[[Part, str], _T]) -> dict[str, _T]:
    return {name: read_one(part, name) for name in part.names()}


def _refusal(refused: Part, code: str) -> Refusal:
    """`code: text`, or `code: {say: text, ask: slot}`."""
    if not refused.is_section(code):
        return Refusal(refused.say(code), refused.at(code))
    part = refused.part(code)
    refusal = Refusal(
        say=part.say("say"),
        at=refused.at(code),
        ask=part.maybe("ask"),
        again=part.flag("again"),
        lines=part.lines(),
    )
    part.finish()
    return refusal
