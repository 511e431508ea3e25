"""The menus and journeys of a cooperative, as the machine walks them."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TypeVar

from gateway.dialog.phrase import NoSuchValueError, fill, find
from gateway.values.money import Money
from gateway.values.outcome import Value

_T = TypeVar("_T")

SPANISH = ("es", "Español")  # every book is written in it


@dataclass(frozen=True, slots=True)
class Condition:
    """`name`, or `name is value`: whether a value is there and not zero, or what it is.

    `at` is where it stands: `send.yaml:12`.
    """

    name: str
    value: str | None = None
    at: str = field(default="", compare=False)

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is so for these values. A name that is not there is not so."""
        try:
            value = find(self.name, values)
        except NoSuchValueError:
            return False
        if self.value is not None:
            return str(value) == self.value
        return value.centimos != 0 if isinstance(value, Money) else bool(value)


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording, and when to use it. `at` is where it stands: `send.yaml:12`."""

    text: str
    at: str
    only_when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """What a screen says: the first of its variants whose condition holds."""

    variants: tuple[Variant, ...]

    def text(self, values: Mapping[str, Value], language: str, words: Words) -> str:
        """The wording for these values, in this language; in Spanish where it is not offered.
        Empty where no variant applies."""
        spoken = words.spoken(language)
        for variant in self.variants:
            if variant.only_when is None or variant.only_when.holds(values):
                return fill(words.translate(variant.text, spoken), values, spoken)
        return ""

    def as_far_as_known(self, values: Mapping[str, Value], language: str, words: Words) -> str:
        """The first wording of which every name is known already: for what is not finished yet."""
        spoken = words.spoken(language)
        for variant in self.variants:
            with contextlib.suppress(NoSuchValueError):
                return fill(words.translate(variant.text, spoken), values, spoken)
        return ""


@dataclass(frozen=True, slots=True)
class Option:
    """A numbered line of a menu: the key never moves, so it is written down.

    `only_when` hides it from whom it is not for; the keys of the others stay. `lines` is where each
    of its keys stands.
    """

    key: int
    label: Say
    go: str
    at: str
    given: Mapping[str, str] = field(default_factory=dict)
    only_when: Condition | None = None
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to say when an operation refuses, and where to go on.

    `ask` names the slot to ask again; `again` makes the member's yes part of the next try; neither
    ends the journey. `lines` is where each of its keys stands.
    """

    say: Say
    at: str
    ask: str | None = None
    again: bool = False
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Menu:
    """Options below a text. `data` is an operation whose results the text may name; `lines` is
    where each of its keys stands."""

    name: str
    at: str
    say: Say
    options: tuple[Option, ...]
    data: str | None = None
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a slot's own options."""

    value: str
    label: Say


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that a journey must know.

    Args:
        check: of a `secret`: the operation that what is typed goes to.
        ends: choices that end the journey, each with what is said.
        lines: where each of its keys stands.
    """

    name: str
    at: str
    type: str
    ask: Say
    only_when: Condition | None = None
    choices: tuple[Choice, ...] = ()
    check: str | None = None
    ends: Mapping[str, Say] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowSay:
    """How to write each row of a result: by the row's `kind`, or one way for all (kind empty)."""

    ways: Mapping[str, Say]

    def text(self, row: Mapping[str, Value], language: str, words: Words) -> str:
        """One line for one row."""
        way = self.ways.get(str(row.get("kind", ""))) or self.ways.get("")
        return way.text(row, language, words) if way else ""


@dataclass(frozen=True, slots=True)
class Journey:
    """A form: slots, a screen that confirms, one operation, and what to say afterwards.

    Args:
        lines: where each of its keys stands, by its name: `{"do": "send.yaml:20"}`.
        sms: the words that begin it by SMS; the first one is the one to teach.
        sms_alone: what such a word alone says of the slots: `PAGAR` is the instalment.
        sms_values: what it says with values behind it: `PAGAR 50` is another amount.
        draft: how an unfinished one is called, by the first wording of which every name is known:
            `enviar {amount} a {payee.name}`, else `enviar dinero`.
        help: what it is for, in a sentence.
        newcomers: it is what a dial of who has no PIN opens, and they reach nothing else.
        inputs_max: the most that a member has to type after dialling, the PIN included.
        quote: an operation that is asked before the confirmation: what it costs, whether it may be.
        none: what to say where the operation's list is empty.
    """

    name: str
    at: str
    lines: Mapping[str, str]
    sms: tuple[str, ...]
    sms_alone: Mapping[str, str]
    sms_values: Mapping[str, str]
    draft: Say | None
    help: Say | None
    newcomers: bool
    inputs_max: int
    slots: tuple[Slot, ...]
    quote: str | None
    confirm: Say | None
    authorise: bool
    do: str
    done: Say
    rows: RowSay | None
    none: Say | None
    refused: Mapping[str, Refusal]

    def slot(self, name: str) -> Slot:
        """The slot of that name, which is known to exist."""
        return next(slot for slot in self.slots if slot.name == name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences in one other language.

    Args:
        language: its code: ISO 639-1, or ISO 639-3 where that has none: `en`, `qvc`.
        name: what its speakers call it: `English`; empty where nobody has said.
        texts: the translation of each Spanish sentence; what is empty or fuzzy is not in it.
        lines: where each Spanish sentence stands in `locale/LANGUAGE/menus.po`, translated or not.
        reviewed: whether a speaker has signed for it.
        letters: how to write what a plain phone cannot show, one or more letters each: `č` as `ch`.
    """

    language: str
    name: str
    texts: Mapping[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)
    reviewed: bool = False
    letters: Mapping[str, str] = field(default_factory=dict)

    def translate(self, text: str) -> str | None:
        """The translation in letters that the language's readers write on a phone."""
        translated = self.texts.get(text)
        if not translated or not self.letters:
            return translated
        translated = unicodedata.normalize("NFC", translated)
        for letters in sorted(self.letters, key=len, reverse=True):
            translated = translated.replace(letters, self.letters[letters])
        return translated


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences that belong to no journey, and the other languages of all sentences.

    Args:
        catalogues: by language, also those that nobody is served yet.
        offered: code and own name of each language that members may choose, Spanish first.
    """

    sentences: Mapping[str, Say]
    catalogues: Mapping[str, Catalogue]
    offered: tuple[tuple[str, str], ...] = (SPANISH,)

    def spoken(self, language: str) -> str:
        """The language that a member is served who asked for this one."""
        return language if language in dict(self.offered) else SPANISH[0]

    def translate(self, text: str, language: str) -> str:
        """The text in a language, offered or not; Spanish where there is no translation."""
        catalogue = self.catalogues.get(language)
        return (catalogue.translate(text) if catalogue else None) or text

    def say(self, name: str, language: str, values: Mapping[str, Value] | None = None) -> str:
        """The sentence of that name."""
        return self.sentences[name].text(values or {}, language, self)


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that members see, under the digest of its files.

    `lines` is where its `words` and its `receipts` begin, and each of them: `words/bye`. `money`
    are the operations that move some: a journey that ends in one gives an order, under a key.
    """

    digest: str
    home: str
    menus: Mapping[str, Menu]
    journeys: Mapping[str, Journey]
    words: Words
    receipts: Mapping[str, Say]
    lines: Mapping[str, str] = field(default_factory=dict)
    money: frozenset[str] = frozenset()

    @property
    def enrolment(self) -> Journey | None:
        """What a dial of who has no PIN opens."""
        return next((each for each in self.journeys.values() if each.newcomers), None)

    def order(self, operation: str, values: Mapping[str, Value], language: str) -> str:
        """How an order is called of which only this is known: `enviar S/ 50.00 a Segundo C.`, and
        where no journey gives such orders any more, its amount."""
        for journey in self.journeys.values():
            if journey.do == operation and journey.draft is not None:
                return journey.draft.as_far_as_known(values, language, self.words)
        return str(values.get("amount", ""))

    @property
    def languages(self) -> tuple[str, ...]:
        """Spanish first, then those that have a catalogue, offered or not."""
        return (SPANISH[0], *sorted(self.words.catalogues))

    @property
    def offered(self) -> tuple[tuple[str, str], ...]:
        """Code and own name of each language that members may choose, Spanish first."""
        return self.words.offered

    def untranslated(self, language: str) -> tuple[Variant, ...]:
        """What the language's catalogue lacks, each Spanish sentence once, in the book's order."""
        known = self.words.catalogues[language].texts
        lacking: dict[str, Variant] = {}
        for variant in parts(self, Variant):
            if variant.text not in known:
                lacking.setdefault(variant.text, variant)
        return tuple(lacking.values())

    def in_every_language(self) -> Book:
        """The book as translators see it: also what is not offered to members yet."""
        others = sorted(self.words.catalogues.items())
        offered = (SPANISH, *((code, catalogue.name or code) for code, catalogue in others))
        return replace(self, words=replace(self.words, offered=offered))

    def as_served(self) -> Book:
        """The book that offers members each language that has a name, is complete and reviewed."""
        offered = tuple(
            (code, catalogue.name)
            for code, catalogue in sorted(self.words.catalogues.items())
            if catalogue.name and catalogue.reviewed and not self.untranslated(code)
        )
        return replace(self, words=replace(self.words, offered=(SPANISH, *offered)))


def parts(thing: object, kind: type[_T]) -> Iterator[_T]:
    """Every part of that kind in a book or below it, in the order they stand: `parts(book, Say)`.

    It walks whatever a book is made of, so that no new key of the grammar is forgotten.
    """
    if isinstance(thing, kind):
        yield thing
    elif isinstance(thing, Mapping):
        for below in thing.values():
            yield from parts(below, kind)
    elif isinstance(thing, tuple):
        for below in thing:
            yield from parts(below, kind)
    elif is_dataclass(thing):
        for name in fields(thing):
            yield from parts(getattr(thing, name.name), kind)
