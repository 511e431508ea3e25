"""Profiles out of their files, each fault with its line."""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.channels.http.checks import Key, faults
from gateway.channels.http.profile import Dialled, Incoming, Profile, Sheet

SHIPPED = Path(__file__).parent / "profiles"

PROFILE_CHARS_MAX = 20_000  # the longest that is shipped has 2,000
PROFILES_MAX = 100  # a cooperative has contracts with two or three aggregators

# It stands in the webhook's path, in each log line and in each figure.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
# What msgspec says, and where: ``Expected `str`, got `int` - at `$.request.body` ``.
_SAID = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_KEY_SAID = re.compile(r"Object (?:contains unknown|missing required) field `(?P<key>.*)`")

Lines = dict[Key, int]


@dataclass(frozen=True, slots=True)
class ProfileFault:
    """Something wrong in a profile, as it is printed. `key` is empty for the file as a whole."""

    file: str
    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {': '.join(filter(None, (self.key, self.reason)))}"


class FaultyProfileError(Exception):
    """Profiles that cannot be served, with every fault that was found."""

    def __init__(self, found: tuple[ProfileFault, ...]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.faults = found


def load_profile(path: Path) -> Profile:
    """The profile of a file, checked.

    Raises:
        FaultyProfileError: there is no such file, it is none, or it would not work.
    """
    if not _NAME.fullmatch(path.stem) or path.suffix != ".yaml":
        raise _faulty(path, 1, (), "a profile is called like `hubtel.yaml`: a-z, 0-9 and -")
    data, lines = _read(path)
    try:
        sheet = msgspec.convert(data, Sheet)
    except msgspec.ValidationError as error:
        key, reason = _explained(str(error))
        raise _faulty(path, _line(lines, key), key, reason) from error
    if found := list(faults(sheet)):
        raise FaultyProfileError(
            tuple(_fault(path, _line(lines, key), key, reason) for key, reason in found)
        )
    return Profile(path.stem, sheet.source, tuple(sheet.unconfirmed), sheet.request, sheet.reply)


def check_profile(path: Path) -> tuple[ProfileFault, ...]:
    """Every fault of a file that shall be a profile; none: it can be served."""
    try:
        load_profile(path)
    except FaultyProfileError as error:
        return error.faults
    return ()


def load_profiles(folder: Path | None = None) -> dict[str, Profile]:
    """The profiles that are shipped and those of a folder, by name. Of two of one name the folder's
    is served.

    Raises:
        FaultyProfileError: with the faults of all of them, or that there is no such folder.
    """
    paths = {path.stem: path for path in (*_files(SHIPPED), *(_files(folder) if folder else ()))}
    found = tuple(fault for path in paths.values() for fault in check_profile(path))
    if found:
        raise FaultyProfileError(found)
    return {name: load_profile(path) for name, path in sorted(paths.items())}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise _faulty(folder, 1, (), "there is no such folder")
    if strays := sorted(folder.glob("*.[yY][mM][lL]")):
        raise _faulty(strays[0], 1, (), "is not read: rename it to .yaml")
    files = sorted(folder.glob("*.yaml"))
    if len(files) > PROFILES_MAX:
        raise _faulty(folder, 1, (), f"more than {PROFILES_MAX} profiles")
    return files


def _read(path: Path) -> tuple[Any, Lines]:
    """What stands in the file, and on which line each key."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not in UTF-8"
        raise _faulty(path, 1, (), f"cannot be read: {reason}") from error
    if len(text) > PROFILE_CHARS_MAX:
        raise _faulty(path, 1, (), f"longer than {PROFILE_CHARS_MAX} characters")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise _faulty(path, 1, (), "a profile is a list of `name: value` lines")
        return loader.construct_document(node), _lines(path, node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _faulty(path, line, (), f"not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _faulty(path, 1, (), f"not YAML: {type(error).__name__}") from error


class _Loader(yaml.SafeLoader):
    """YAML whose bare words are those of JSON: `true`, `null`, `12`. All other words are text, so
    that `no` is the word no and 01 is not 1. What stands in a file stands where it is read."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - how PyYAML wants it

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="`*` refers to another place", problem_mark=mark)
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile("^-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:~|null|)$"), ["~", "n", ""])


def _lines(path: Path, node: yaml.MappingNode) -> Lines:
    lines: Lines = {}

    def walk(section: yaml.MappingNode, above: Key) -> None:
        for key_node, value_node in section.value:
            key, line = (*above, str(key_node.value)), key_node.start_mark.line + 1
            if key in lines:
                raise _faulty(path, line, key, "stands twice")
            lines[key] = line
            if isinstance(value_node, yaml.MappingNode):
                walk(value_node, key)

    walk(node, ())
    return lines


def _explained(said: str) -> tuple[Key, str]:
    """msgspec's message as a key and a reason."""
    found = _SAID.fullmatch(said)
    what, path = (found["what"], found["path"] or "") if found else (said, "")
    above = tuple(re.sub(r"\[[^]]*\]", "", path).split(".")) if path else ()
    if what.startswith("Invalid enum value"):
        return above, f"{what}: one of {', '.join(_CHOICES[above[-1]])}"
    missing = _KEY_SAID.fullmatch(what)
    if missing is None:
        return above, what
    reason = "is missing" if "missing" in what else "there is no such key"
    return (*above, missing["key"]), reason


def _words(kind: object) -> tuple[str, ...]:
    """The words that a type allows, if it lists them."""
    within = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return within
    return tuple(word for each in within for word in _words(each))


_CHOICES = {
    field.encode_name: _words(field.type)
    for section in (Incoming, Dialled)
    for field in msgspec.structs.fields(section)
}


def _line(lines: Lines, key: Key) -> int:
    """The line of a key, or of the nearest one above it."""
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)


def _faulty(path: Path, line: int, key: Key, reason: str) -> FaultyProfileError:
    return FaultyProfileError((_fault(path, line, key, reason),))


def _fault(path: Path, line: int, key: Key, reason: str) -> ProfileFault:
    return ProfileFault(str(path), line, ".".join(key), reason)
