"""Texts with placeholders, and how values are written in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from string import Formatter

from gateway.values.money import Money
from gateway.values.outcome import Day, Moment, Record, Value

_MONTHS = {
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "set", "oct", "nov", "dic"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}

_TODAY_YESTERDAY = {"es": ("hoy", "ayer"), "en": ("today", "yesterday")}

_PARSER = Formatter()


class NoSuchValueError(LookupError):
    """A placeholder names what no slot, member or result supplies."""


def placeholders(template: str) -> list[str]:
    """The names in a text, in order: `["amount", "payee.name"]`.

    Raises:
        ValueError: a brace is not closed, or a placeholder says more than a name.
    """
    names = []
    for _, name, spec, conversion in _PARSER.parse(template):
        if name is None:
            continue
        if not name or spec or conversion:
            raise ValueError(f"{{{name}}}: a placeholder is a name in braces and nothing else")
        names.append(name)
    return names


def fill(template: str, values: Mapping[str, Value], language: str) -> str:
    """The text with every placeholder written out.

    Raises:
        NoSuchValueError: a placeholder names nothing that is there.
    """
    return "".join(
        literal + ("" if name is None else written(find(name, values), language))
        for literal, name, _, _ in _PARSER.parse(template)
    )


def find(name: str, values: Mapping[str, Value]) -> Value:
    """The value of `name` or of `record.field`."""
    first, _, rest = name.partition(".")
    value = values.get(first)
    if rest and isinstance(value, Record):
        value = value.fields.get(rest)
    elif rest:
        value = None
    if value is None:
        raise NoSuchValueError(name)
    return value


def written(value: Value, language: str) -> str:
    """A value as members read it: `S/ 50.00`, `23 nov`."""
    match value:
        case Day(date):
            return _day(date, language)
        case Moment(at, today):
            return _moment(at, today, language)
        case Money() | str() | int():
            return str(value)
        case Record():
            raise NoSuchValueError("a record is no text: name one of its fields")


def _day(date: dt.date, language: str) -> str:
    return f"{date.day} {_MONTHS.get(language, _MONTHS['es'])[date.month - 1]}"


def _moment(at: dt.datetime, today: dt.date, language: str) -> str:
    """`hoy 9:05`, `ayer 18:40`; of earlier days the hour helps nobody: `21 nov`."""
    days = (today - at.date()).days
    if days not in {0, 1}:
        return _day(at.date(), language)
    called = _TODAY_YESTERDAY.get(language, _TODAY_YESTERDAY["es"])[days]
    return f"{called} {at.hour}:{at.minute:02d}"
