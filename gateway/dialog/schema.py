"""A JSON Schema of the menu files, for editors: they complete, underline and explain.

Nobody writes it: the reader itself is run over a section that answers everything and remembers what
it was asked for. The names come from the kinds of slot and from the operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.bounds import INPUTS_MAX, OPTIONS_PER_LIST
from gateway.dialog.book import Condition, Say
from gateway.dialog.checker.declared import Declared
from gateway.dialog.checker.names import sentence_names
from gateway.dialog.checker.supplied import ANYWHERE, FACTS
from gateway.dialog.kinds import KINDS
from gateway.dialog.reader import CONDITION, Part, read_journey, read_menu
from gateway.dialog.yaml_lines import Section

Json = dict[str, object]

_ANY = "1"  # the key of a section whose keys are names; an option's key, too
_SENTENCE: Json = {"$ref": "#/$defs/sentence"}
_TEXT: Json = {"type": "string", "minLength": 1}
_WORD: Json = {"type": "string", "pattern": r"^\S+$"}

_MEANS: Mapping[str, str] = {
    "menu": "The menu's name. `home` is what a dial opens.",
    "journey": "The journey's name.",
    "say": "What stands on the screen. Names in braces are filled in.",
    "options": "The numbered lines: their keys never move.",
    "label": "What the line says.",
    "go": "The menu or the journey that it leads to.",
    "given": "Slots of the journey that are filled by choosing this.",
    "only_when": "For whom it is: `name`, or `name is value`.",
    "data": "The operation whose results the text may name.",
    "refused": "What to say for each refusal.",
    "ask": "The question; in a refusal, the slot to ask again.",
    "again": "Whether the member may say yes and try the same again.",
    "sms": "The words that begin it by SMS; the first is the one to teach.",
    "sms_alone": "Slots that are filled when such a word stands alone.",
    "sms_values": "Slots that are filled when values follow such a word.",
    "check": "The operation that what is typed for a `secret` goes to, at once.",
    "ends": "Choices that end the journey, and what is said then.",
    "newcomers": "`yes`: it is what who has no PIN yet is asked, and all that they reach.",
    "draft": "How an unfinished one is called: the first wording of which all is known.",
    "help": "What it is for, in one sentence.",
    "inputs_max": "The most that a member types after dialling, the PIN included.",
    "slots": "What it must know, in the order in which it is asked.",
    "type": "What kind of answer it is.",
    "choices": "The answers of a `choice`: value and label.",
    "quote": "The operation that says beforehand what it costs, and whether it may be.",
    "confirm": "What will happen, on the screen that asks for the PIN.",
    "authorise": "`pin`: only the member's PIN makes it happen.",
    "do": "The operation of the bank.",
    "done": "What to say when it has happened.",
    "rows": "How each row of a list is written, by its kind if there are several.",
    "none": "What to say of an empty list.",
    "words": "The sentences that belong to no journey.",
    "receipts": "What is sent by SMS when something happened.",
}


def schema(operations: Mapping[str, Declared]) -> Json:
    """The JSON Schema (2020-12) of a menu file, for what this bank can do."""
    names = _names(operations)
    read: tuple[Callable[[Part], object], ...] = (read_menu, read_journey)
    files = [
        _merged(_watched(each, names, sections=False), _watched(each, names, sections=True))
        for each in read
    ]
    files.append(_named("words", sentence_names(operations)))
    files.append(_named("receipts", FACTS))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A menu file of Chaski",
        "oneOf": files,
        "$defs": {"sentence": _sentence()},
    }


def _sentence() -> Json:
    """A text, or a list of which the first that applies is said."""
    chosen = _object({"when": _condition(), "say": _TEXT}, ["say"])
    one: Json = {"anyOf": [_TEXT, chosen]}
    return {"anyOf": [_TEXT, chosen, {"type": "array", "items": one, "minItems": 1}]}


def _condition() -> Json:
    return {"type": "string", "pattern": f"^{CONDITION.pattern}$"}


def _names(operations: Mapping[str, Declared]) -> Mapping[str, Json]:
    """What a key may hold beside what the reader asks of it."""
    known: Json = {"enum": sorted(operations)}
    codes = {code for each in operations.values() for code in each.refusals} | ANYWHERE
    return {
        **dict.fromkeys(("do", "quote", "data", "check"), known),
        "type": {"enum": sorted(KINDS)},
        "authorise": {"const": "pin"},
        "inputs_max": {"minimum": 1, "maximum": INPUTS_MAX},
        "options": {"propertyNames": {"pattern": f"^[1-{OPTIONS_PER_LIST}]$"}},
        "refused": {"propertyNames": {"enum": sorted(codes)}},
    }


def _named(key: str, names: Mapping[str, object] | frozenset[str]) -> Json:
    """A file of named sentences."""
    sentences = _object(dict.fromkeys(sorted(names), _SENTENCE), [])
    return _object({key: {**sentences, "description": _MEANS[key]}}, [key])


def _object(properties: Mapping[str, object], required: list[str]) -> Json:
    asked: Json = {"required": required} if required else {}
    return {
        "type": "object",
        "properties": dict(properties),
        **asked,
        "additionalProperties": False,
    }


# ---- Watching the reader -------------------------------------------------------------------------


def _watched(read: Callable[[Part], object], names: Mapping[str, Json], *, sections: bool) -> Json:
    """What a reading function asks for. Where a thing may be a plain text or a section, it finds
    what `sections` says."""
    part = _Watched(sections=sections)
    read(part)
    return part.schema(names)


class _Watched(Part):
    """A section that answers everything and remembers what it was asked for."""

    def __init__(self, *, sections: bool) -> None:
        super().__init__("", Section(1), [])
        self._sections = sections
        self._asked: dict[str, Json | _Watched] = {}
        self._required: set[str] = set()
        self._optional: set[str] = set()

    def schema(self, names: Mapping[str, Json]) -> Json:
        """What it was asked for, as a JSON Schema."""
        found: dict[str, Json] = {}
        for key, asked in self._asked.items():
            shape = asked.schema(names) if isinstance(asked, _Watched) else asked
            means: Json = {"description": _MEANS[key]} if key in _MEANS else {}
            found[key] = {**shape, **names.get(key, {}), **means}
        if set(found) == {_ANY}:
            return {"type": "object", "additionalProperties": found[_ANY]}
        return _object(found, sorted(self._required - self._optional))

    def text(self, key: str) -> str:
        self._required.add(key)
        return self._note(key, _TEXT)

    def maybe(self, key: str) -> str | None:
        return self._note(key, _TEXT)

    def say(self, key: str) -> Say:
        self._required.add(key)
        self._note(key, _SENTENCE)
        return Say(())

    def maybe_say(self, key: str) -> Say | None:
        self._note(key, _SENTENCE)
        return None

    def condition(self, key: str) -> Condition | None:
        self._note(key, _condition())
        return None

    def flag(self, key: str) -> bool:
        self._note(key, {"enum": [True, False, "yes", "no", "true", "false"]})
        return False

    def number(self, key: str, otherwise: int) -> int:
        self._note(key, {"type": "integer"})
        return otherwise

    def words(self, key: str) -> tuple[str, ...]:
        self._note(key, {"anyOf": [_WORD, {"type": "array", "items": _WORD}]})
        return ()

    def part(self, key: str) -> Part:
        asked = self._asked.get(key)
        if isinstance(asked, _Watched):
            return asked
        below = self._asked[key] = _Watched(sections=self._sections)
        return below

    def has(self, key: str) -> bool:
        self._optional.add(key)
        return True

    def is_section(self, key: str) -> bool:
        return self._sections

    def names(self) -> list[str]:
        return [_ANY]

    def finish(self) -> None:
        """Nothing was written, so nothing is left over."""

    def fault(self, what: str, key: str = "") -> None:
        """Nothing was written, so nothing is wrong."""

    def _note(self, key: str, shape: Json) -> str:
        self._asked[key] = shape
        return _ANY


def _merged(one: Json, other: Json) -> Json:
    """What is right in either."""
    if one == other:
        return one
    if one.keys() == other.keys():
        return {key: _merged_value(one[key], other[key]) for key in one}
    means: Json = {"description": one["description"]} if "description" in one else {}
    return {"anyOf": [_bare(one), _bare(other)], **means}


def _merged_value(one: object, other: object) -> object:
    if isinstance(one, dict) and isinstance(other, dict):
        return _merged(one, other)
    return one


def _bare(shape: Json) -> Json:
    return {key: value for key, value in shape.items() if key != "description"}
