"""What an operation says of itself, and how kinds are written (see `gateway.dialog.kinds`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.bounds import (
    AMOUNT_MAX_CENTIMOS,
    LONGEST_FIRST_NAME_CHARS,
    LONGEST_NAME_CHARS,
    LONGEST_NUMBER_DIGITS,
    LONGEST_PRODUCT_CHARS,
    LONGEST_REFERENCE_CHARS,
    LONGEST_SHORT_CODE_CHARS,
    LONGEST_TEXT_CHARS,
)
from gateway.dialog.book import Condition
from gateway.dialog.kinds import KINDS
from gateway.values.money import Money
from gateway.values.outcome import Day, Moment, Record, Scalar, Value


class Declared(Protocol):
    """An operation as far as menus have to do with it. The bank's `Operation` is one."""

    @property
    def name(self) -> str: ...

    @property
    def takes(self) -> Mapping[str, str]: ...

    @property
    def gives(self) -> Mapping[str, str]: ...

    @property
    def rows(self) -> Mapping[str, str] | None: ...

    @property
    def refusals(self) -> Mapping[str, Mapping[str, str]]: ...

    @property
    def moves_money(self) -> bool: ...

    @property
    def needs_pin(self) -> bool: ...

    @property
    def secret(self) -> bool: ...

    @property
    def repeats_pin(self) -> bool: ...


# The longest value of each kind that a text may show.
_LONGEST: Mapping[str, Scalar] = {
    "money": Money(AMOUNT_MAX_CENTIMOS),
    "signed_money": Money(-AMOUNT_MAX_CENTIMOS),
    "date": Day(dt.date(2026, 11, 23)),
    "moment": Moment(dt.datetime(2026, 11, 22, 18, 40), dt.date(2026, 11, 23)),  # noqa: DTZ001
    "number": 10**LONGEST_NUMBER_DIGITS - 1,
    "first_name": "W" * LONGEST_FIRST_NAME_CHARS,
    "person": "W" * LONGEST_NAME_CHARS,
    "product": "W" * LONGEST_PRODUCT_CHARS,
    "payee_name": "W" * max(LONGEST_NAME_CHARS, LONGEST_PRODUCT_CHARS),
    "reference": "9" * LONGEST_REFERENCE_CHARS,
    "text": "W" * LONGEST_TEXT_CHARS,
    "short_code": "*" * LONGEST_SHORT_CODE_CHARS,
    "sentence": "W",  # another text of the book: it is measured with it
}
MONEY = frozenset({"money", "signed_money"})

# What a text may name by its fields only.
_RECORDS: Mapping[str, Mapping[str, str]] = {
    "member": {"first_name": "first_name", "short_name": "person"},
    **{name: kind.fields for name, kind in KINDS.items() if kind.fields},
}


@dataclass(frozen=True, slots=True)
class Supply:
    """A value that a text may name.

    Args:
        kind: without the `?`.
        optional: it is not always there.
        only_when: it is there when this holds.
    """

    kind: str
    optional: bool = False
    only_when: Condition | None = None

    @property
    def fields(self) -> Mapping[str, str]:
        """Of a record; empty for a scalar."""
        return _RECORDS.get(self.kind, {})

    @property
    def known(self) -> bool:
        """Whether it is a kind at all."""
        other = {"flag", "ref", "language", *KINDS, *_RECORDS}
        return self.kind in other or "|" in self.kind or shown(self.kind)

    def longest(self) -> Value:
        """The value that takes most room."""
        if self.fields:
            return Record({name: _scalar(kind) for name, kind in self.fields.items()})
        return _scalar(self.kind)


Scope = Mapping[str, Supply]


def scope(kinds: Mapping[str, str]) -> dict[str, Supply]:
    """What these declarations supply."""
    return {
        name: Supply(kind.removesuffix("?"), kind.endswith("?")) for name, kind in kinds.items()
    }


def values(known: Scope) -> dict[str, Value]:
    """The longest value of everything that is known."""
    return {name: supply.longest() for name, supply in known.items()}


def shown(kind: str) -> bool:
    """Whether members may read a value of this kind."""
    return kind in _LONGEST


def known_values(kind: str) -> tuple[str, ...]:
    """The values of `instalment|part|payoff`; none for other kinds."""
    return tuple(filter(None, kind.split("|"))) if "|" in kind else ()


def _scalar(kind: str) -> Scalar:
    if kind == "flag":
        return True
    return _LONGEST.get(kind) or kind.partition("|")[0]
