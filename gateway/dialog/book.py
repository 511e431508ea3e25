"""The menus and journeys of a cooperative, as the machine walks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.dialog.phrase import NoSuchValueError, fill, find
from gateway.values.money import Money
from gateway.values.outcome import Value


@dataclass(frozen=True, slots=True)
class Condition:
    """`name`, or `name is value`: whether a value is there and not zero, or what it is."""

    name: str
    value: str | None = None

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
        """The wording for these values, in this language. Empty where no variant applies."""
        for variant in self.variants:
            if variant.only_when is None or variant.only_when.holds(values):
                return fill(words.translate(variant.text, language), values, language)
        return ""


@dataclass(frozen=True, slots=True)
class Option:
    """A numbered line of a menu: the key never moves, so it is written down.

    `only_when` hides it from whom it is not for; the keys of the others stay.
    """

    key: int
    label: Say
    go: str
    at: str
    given: Mapping[str, str] = field(default_factory=dict)
    only_when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to say when an operation refuses, and where to go on.

    `ask` names the slot to ask again; `again` makes the member's yes part of the next try; neither
    ends the journey.
    """

    say: Say
    at: str
    ask: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """Options below a text. `data` is an operation whose results the text may name."""

    name: str
    at: str
    say: Say
    options: tuple[Option, ...]
    data: str | None = None
    refused: Mapping[str, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a slot's own options."""

    value: str
    label: Say


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that a journey must know."""

    name: str
    at: str
    type: str
    ask: Say
    only_when: Condition | None = None
    choices: tuple[Choice, ...] = ()


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
        draft: how an unfinished one is called: `enviar {amount} a {payee.name}`.
        help: what it is for, in a sentence.
        inputs_max: the most that a member has to type after dialling, the PIN included.
        quote: an operation that is asked before the confirmation: what it costs, whether it may be.
        none: what to say where the operation's list is empty.
    """

    name: str
    at: str
    lines: Mapping[str, str]
    sms: tuple[str, ...]
    draft: Say | None
    help: Say | None
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
class Words:
    """The sentences that belong to no journey, and the other languages of all sentences.

    `catalogues` maps a language to its translations of the Spanish text.
    """

    sentences: Mapping[str, Say]
    catalogues: Mapping[str, Mapping[str, str]]

    def translate(self, text: str, language: str) -> str:
        """The text in a language; Spanish where there is no translation."""
        return self.catalogues.get(language, {}).get(text) or text

    def say(self, name: str, language: str, values: Mapping[str, Value] | None = None) -> str:
        """The sentence of that name."""
        return self.sentences[name].text(values or {}, language, self)


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that members see, under the digest of its files."""

    digest: str
    home: str
    menus: Mapping[str, Menu]
    journeys: Mapping[str, Journey]
    words: Words
    receipts: Mapping[str, Say]

    @property
    def languages(self) -> tuple[str, ...]:
        """Spanish first, then those that have a catalogue."""
        return ("es", *sorted(self.words.catalogues))
