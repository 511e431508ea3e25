"""The JSON Schema for editors: it knows what the reader knows, because it watched it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.bank.bank import CATALOGUE
from gateway.dialog.kinds import KINDS
from gateway.dialog.schema import schema

MENUS = sorted((Path(__file__).parents[2] / "menus").glob("*.yaml"))
SCHEMA: Any = schema(CATALOGUE)
HOME = "menu: home\nsay: Hola\noptions:\n  1: {label: Saldo, go: balance}\n"
BALANCE = "journey: balance\ndo: accounts.balance\ndone: Listo\n"


def valid(text: str) -> bool:
    """Whether an editor that follows the schema leaves a file alone."""
    return _fits(json.loads(json.dumps(yaml.safe_load(text))), SCHEMA)


def _fits(value: Any, shape: Any) -> bool:
    """As much of JSON Schema 2020-12 as the schema uses."""
    return all(_holds(value, keyword, rule, shape) for keyword, rule in shape.items())


def _holds(value: Any, keyword: str, rule: Any, shape: Any) -> bool:
    match keyword:
        case "$ref":
            return _fits(value, SCHEMA["$defs"][rule.rpartition("/")[2]])
        case "oneOf":
            return sum(_fits(value, each) for each in rule) == 1
        case "anyOf":
            return any(_fits(value, each) for each in rule)
        case "type":
            types = {"object": dict, "array": list, "string": str, "integer": int}
            return isinstance(value, types[rule])
    if isinstance(value, dict):
        return _section_holds(value, keyword, rule, shape)
    if isinstance(value, list):
        return keyword != "items" or all(_fits(each, rule) for each in value)
    return _scalar_holds(value, keyword, rule)


def _scalar_holds(value: Any, keyword: str, rule: Any) -> bool:
    match keyword:
        case "enum":
            return value in rule
        case "const":
            return bool(value == rule)
        case "pattern":
            return re.search(rule, value) is not None
        case "minLength":
            return len(value) >= rule
        case "minimum":
            return bool(value >= rule)
        case "maximum":
            return bool(value <= rule)
    return True


def _section_holds(value: dict[str, Any], keyword: str, rule: Any, shape: Any) -> bool:
    match keyword:
        case "required":
            return set(rule) <= value.keys()
        case "properties":
            return all(_fits(value[name], rule[name]) for name in rule.keys() & value.keys())
        case "propertyNames":
            return all(_fits(name, rule) for name in value)
        case "additionalProperties":
            others = value.keys() - shape.get("properties", {}).keys()
            return all(rule is not False and _fits(value[name], rule) for name in others)
    assert keyword in {"$schema", "$defs", "title", "description"}, keyword
    return True


@pytest.mark.parametrize(
    "text",
    [
        "hello: you\n",
        "menu: x\n",
        f"{HOME}colour: red\n",
        HOME.replace("1:", "9:"),
        HOME.replace("go: balance", "goto: balance"),
        HOME.replace("say: Hola", "say: {text: Hola}"),
        f"{BALANCE}authorise: dni\n",
        f"{BALANCE}inputs_max: 9\n",
        f"{BALANCE}sms: [DOS PALABRAS]\n",
        f"{BALANCE}slots: {{a: {{type: soles, ask: b}}}}\n",
        f"{BALANCE}slots: {{a: {{type: money, ask: b, only_when: a = b}}}}\n",
        f"{BALANCE}refused: {{too_dear: a}}\n",
        f"{BALANCE}refused: {{over_limit: {{ask: a}}}}\n",
        BALANCE.replace("accounts.balance", "accounts.balances"),
        "words: {adios: Bye}\n",
        "receipts: {unheard_of: Hola}\n",
    ],
)
def test_an_editor_underlines(text: str) -> None:
    """What the reader or the checker would not take."""
    assert not valid(text)


@pytest.mark.parametrize(
    "text",
    [
        HOME,
        BALANCE,
        f"{BALANCE}sms: SALDO\nauthorise: pin\ninputs_max: 2\n",
        f"{BALANCE}rows: {{sent: a, tax: [{{when: b, say: c}}, d]}}\nnone: e\n",
        f"{BALANCE}rows: a\nrefused: {{over_limit: b, again: {{say: c, again: yes}}}}\n",
        f"{BALANCE}slots: {{a: {{type: choice, ask: b, choices: {{c: d}}, only_when: e is f}}}}\n",
    ],
)
def test_an_editor_leaves_alone(text: str) -> None:
    """Everything that the grammar has."""
    assert valid(text)


@pytest.mark.parametrize("file", MENUS, ids=lambda file: file.name)
def test_the_shipped_menus_follow_it(file: Path) -> None:
    """Nobody works with an editor that underlines what is right."""
    assert valid(file.read_text("utf-8"))


def test_it_names_what_this_bank_can_do() -> None:
    """Operations, kinds and refusals come from the code; another bank has another schema."""
    names = set(_enums(SCHEMA))

    assert CATALOGUE.keys() | KINDS.keys() <= names
    assert {code for each in CATALOGUE.values() for code in each.refusals} <= names
    assert "transfers.send" not in set(_enums(schema({})))


def test_every_key_is_explained() -> None:
    """What an editor shows beside the key that it completes."""
    unexplained = {
        name
        for shape in SCHEMA["oneOf"][:2]
        for name, below in _keys(shape)
        if "description" not in below
    }

    assert unexplained == set()


def _enums(shape: Any) -> Iterator[str]:
    if isinstance(shape, dict):
        yield from (each for each in shape.get("enum", ()) if isinstance(each, str))
        for below in shape.values():
            yield from _enums(below)
    elif isinstance(shape, list):
        for below in shape:
            yield from _enums(below)


def _keys(shape: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(shape, dict):
        yield from shape.get("properties", {}).items()
        for below in shape.values():
            yield from _keys(below)
    elif isinstance(shape, list):
        for below in shape:
            yield from _keys(below)
