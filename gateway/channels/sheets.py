"""A sheet: a YAML file that an engineer writes, read strictly, each fault with its line."""

from __future__ import annotations

import enum
import re
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import msgspec
import yaml

SHEET_CHARS_MAX = 20_000  # the longest that is shipped has 2,000

Key = tuple[str, ...]  # from the top of the file: ("ussd", "session", "mask")
Wrong = tuple[Key, str]  # a key, and what is wrong with it
Lines = dict[Key, int]

# What msgspec says, and where: ``Expected `str`, got `int` - at `$.ussd.mask` ``.
_SAID = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_KEY_SAID = re.compile(r"Object (?:contains unknown|missing required) field `(?P<key>.*)`")

_Shape = TypeVar("_Shape")


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a sheet. A key that nobody knows is a fault."""


@dataclass(frozen=True, slots=True)
class SheetFault:
    """Something wrong in a sheet, as it is printed. `key` is empty for the file as a whole."""

    file: str
    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {': '.join(filter(None, (self.key, self.reason)))}"


class FaultySheetError(Exception):
    """Sheets that cannot be used, with every fault that was found."""

    def __init__(self, faults: Iterable[SheetFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Sheet(Generic[_Shape]):
    """A file that has been read, and where in it everything stands."""

    path: Path
    data: _Shape
    lines: Lines

    def refuse(self, wrong: Iterable[Wrong]) -> None:
        """Raises `FaultySheetError` with everything that is wrong, if anything is."""
        faults = [
            SheetFault(str(self.path), self._line(key), ".".join(key), reason)
            for key, reason in wrong
        ]
        if faults:
            raise FaultySheetError(faults)

    def _line(self, key: Key) -> int:
        return _line(self.lines, key)


def read(path: Path, shape: type[_Shape]) -> Sheet[_Shape]:
    """A file as a sheet of that shape.

    Raises:
        FaultySheetError: it cannot be read, or is of another shape.
    """
    node, loader = _composed(path)
    try:
        lines = _lines(path, node)
        data = loader.construct_document(node)
        return Sheet(path, msgspec.convert(data, shape), lines)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(path, error) from error
    except msgspec.ValidationError as error:
        key, reason = _explained(str(error), shape)
        fault = SheetFault(str(path), _line(lines, key), ".".join(key), reason)
        raise FaultySheetError([fault]) from error
    except (ValueError, RecursionError) as error:  # half a letter, a thousand brackets
        raise faulty(path, f"not YAML: {type(error).__name__}") from error
    finally:
        loader.dispose()


def keys(path: Path) -> frozenset[str]:
    """The keys at the top of a file: they tell what it is.

    Raises:
        FaultySheetError: it cannot be read.
    """
    node, loader = _composed(path)
    loader.dispose()
    return frozenset(str(key.value) for key, _ in node.value)


def faulty(path: Path, reason: str, line: int = 1) -> FaultySheetError:
    """A file that is wrong as a whole."""
    return FaultySheetError([SheetFault(str(path), line, "", reason)])


def all_faults(reads: Iterable[Callable[[], object]]) -> list[SheetFault]:
    """The faults of several files."""
    faults: list[SheetFault] = []
    for each in reads:
        try:
            each()
        except FaultySheetError as error:
            faults += error.faults
    return faults


def _composed(path: Path) -> tuple[yaml.MappingNode, _Loader]:
    text = _text(path)
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise faulty(path, "not YAML: a letter that no file has") from error
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        loader.dispose()
        raise _not_yaml(path, error) from error
    except (yaml.YAMLError, RecursionError) as error:
        loader.dispose()
        raise faulty(path, f"not YAML: {type(error).__name__}") from error
    if not isinstance(node, yaml.MappingNode):
        loader.dispose()
        raise faulty(path, "a sheet is a list of `name: value` lines")
    return node, loader


def _not_yaml(path: Path, error: yaml.MarkedYAMLError) -> FaultySheetError:
    line = error.problem_mark.line + 1 if error.problem_mark else 1
    return faulty(path, f"not YAML: {error.problem}", line)


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not in UTF-8"
        raise faulty(path, f"cannot be read: {reason}") from error
    if len(text) > SHEET_CHARS_MAX:
        raise faulty(path, f"longer than {SHEET_CHARS_MAX} characters")
    return text


class _Loader(yaml.SafeLoader):
    """YAML whose bare words are `true`, `null`, `12`, `-1`, `1.5` and `0x1383`. All others are
    text, so that `no` is the word no and 01 is not 1. What stands in a file stands where it is
    read, and is what it looks like: there are no references and no `!!tags`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - how PyYAML wants it

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self._refuse("`*` refers to another place", event)
        if event.tag is not None:
            self._refuse("a `!` names a type", event)
        return super().compose_node(parent, index)

    def _refuse(self, problem: str, event: yaml.Event) -> NoReturn:
        mark: Any = event.start_mark
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile("^(?:-?(?:0|[1-9][0-9]{0,17})|0x[0-9a-fA-F]{1,8})$"),
    list("-0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[0-9]{1,9}\.[0-9]{1,9}$"), list("0123456789")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:~|null|)$"), ["~", "n", ""])


def _lines(path: Path, node: yaml.MappingNode) -> Lines:
    lines: Lines = {}

    def walk(section: yaml.MappingNode, above: Key) -> None:
        for key_node, value_node in section.value:
            key, line = (*above, str(key_node.value)), key_node.start_mark.line + 1
            if key in lines:
                reason = "stands twice"
                raise FaultySheetError([SheetFault(str(path), line, ".".join(key), reason)])
            lines[key] = line
            if isinstance(value_node, yaml.MappingNode):
                walk(value_node, key)

    walk(node, ())
    return lines


def _explained(said: str, shape: type) -> Wrong:
    """msgspec's message as a key and a reason."""
    found = _SAID.fullmatch(said)
    what, path = (found["what"], found["path"] or "") if found else (said, "")
    above = tuple(re.sub(r"\[[^]]*\]", "", path).split(".")) if path else ()
    if what.startswith("Invalid enum value"):
        return above, f"{what}: one of {', '.join(_words(_kind(shape, above)))}"
    missing = _KEY_SAID.fullmatch(what)
    if missing is None:
        return above, what
    reason = "is missing" if "missing" in what else "there is no such key"
    return (*above, missing["key"]), reason


def _kind(shape: object, key: Key) -> object:
    """The type that a key's value must have; the sections above it may be optional, or one of
    several."""
    for name in key:
        sections = [each for each in (shape, *typing.get_args(shape)) if _is_section(each)]
        kinds = {
            field.encode_name: field.type
            for section in sections
            for field in msgspec.structs.fields(section)
        }
        shape = kinds.get(name)
    return shape


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _words(kind: object) -> tuple[str, ...]:
    """The words that a type allows, if it lists them."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(str(word.value) for word in kind)
    within = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return within
    return tuple(word for each in within for word in _words(each))


def _line(lines: Lines, key: Key) -> int:
    """The line of a key, or of the nearest one above it."""
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)
