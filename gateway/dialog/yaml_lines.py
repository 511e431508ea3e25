"""YAML whose sections remember their lines, so that a fault can be shown where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import yaml


class Section(dict[str, object]):
    """A mapping, the line it begins on, and the line of each of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in a menu file, as the checker prints it."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


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
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FaultyFileError(Fault(file, line, f"not YAML: {error.problem}")) from error
    except yaml.YAMLError as error:
        raise FaultyFileError(Fault(file, 1, f"not YAML: {error}")) from error
    if not isinstance(node, yaml.MappingNode):
        raise FaultyFileError(Fault(file, 1, "a menu file is a list of `name: value` lines"))
    return _section(file, node)


def _section(file: str, node: yaml.MappingNode) -> Section:
    section = Section(node.start_mark.line + 1)
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in section:
            raise FaultyFileError(Fault(file, line, f"`{key}` stands twice"))
        section[key] = _value(file, value_node)
        section.lines[key] = line
    return section


def _value(file: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return _section(file, node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(file, item) for item in node.value]
    return str(node.value)
