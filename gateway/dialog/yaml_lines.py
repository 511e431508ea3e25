"""YAML whose sections remember their lines, so that a fault can be shown where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import yaml


class Text(str):
    """A text that knows its line."""

    line: int

    def __new__(cls, text: str, line: int) -> Text:
        """The text as it stands on that line."""
        written = super().__new__(cls, text)
        written.line = line
        return written


class Section(dict[str, object]):
    """A mapping, the line of its own key (or its first line), and the line of each of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in a menu file, as the checker prints it.

    Args:
        file: below the folder of the menus: `send.yaml`, `locale/en/menus.po`.
        line: from 1.
        what: what is wrong there.
        screen: whose fault it is, where a screen has one: `home`, `send/amount`.
        language: in which language, where it is a fault of one.
        mend: what would help, where that is known.
    """

    file: str
    line: int
    what: str
    screen: str = ""
    language: str = ""
    mend: str = ""

    def __str__(self) -> str:
        where = " in ".join(filter(None, (self.screen, self.language)))
        said = ": ".join(filter(None, (where, self.what)))
        return f"{self.file}:{self.line}: {'; '.join(filter(None, (said, self.mend)))}"


class FaultyFileError(Exception):
    """The file cannot be read as YAML of sections."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def read(file: str, text: str) -> Section:
    """The file as sections. Keys are text, also those that YAML reads as numbers.

    Raises:
        FaultyFileError: no YAML, a key that stands twice, or no mapping at the top.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = str(error.problem)
        what = said if said == _REFERENCE else f"not YAML: {said}"
        raise FaultyFileError(Fault(file, line, what, mend=_mend(said))) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise FaultyFileError(Fault(file, 1, f"not YAML: {type(error).__name__}")) from error
    if not isinstance(node, yaml.MappingNode):
        raise FaultyFileError(Fault(file, 1, "a menu file is a list of `name: value` lines"))
    return _section(file, node, node.start_mark.line + 1)


class _Loader(yaml.SafeLoader):
    """YAML without references: what stands in a file stands where it is read."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=_REFERENCE, problem_mark=mark)
        return super().compose_node(parent, index)


_REFERENCE = "`*` refers to another place"
_QUOTE = "put the text in double quotes"
_MENDS = {
    _REFERENCE: _QUOTE,
    "mapping values are not allowed": f"{_QUOTE}: there is a colon in it",
    "expected <block end>": "begin this line as far in as the one above it",
    "expected alphabetic": f"{_QUOTE}: it begins with & or *",
    "cannot start any token": "use spaces, not tabs; or " + _QUOTE,
    "found unexpected end of stream": "a quote is opened and not closed",
    "expected ',' or '}'": f"{_QUOTE}: there is a comma, a colon or a brace in it",
}


def _mend(problem: str) -> str:
    return next((mend for begins, mend in _MENDS.items() if begins in problem), "")


def _section(file: str, node: yaml.MappingNode, line_of_section: int) -> Section:
    section = Section(line_of_section)
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in section:
            raise FaultyFileError(Fault(file, line, f"`{key}` stands twice"))
        section[key] = _value(file, value_node, line)
        section.lines[key] = line
    return section


def _value(file: str, node: yaml.Node, line: int) -> object:
    """What stands there: `line` is that of the key, or of the item of a list."""
    if isinstance(node, yaml.MappingNode):
        return _section(file, node, line)
    if isinstance(node, yaml.SequenceNode):
        return [_value(file, item, item.start_mark.line + 1) for item in node.value]
    if node.tag == "tag:yaml.org,2002:null":
        return None
    return Text(str(node.value), line)
