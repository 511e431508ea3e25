"""What a bank operation answers, and what an operation says of itself before it is called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.values.money import Money

Scalar = Money | dt.date | str | int | bool
Record = dict[str, Scalar]
Values = Mapping[str, "Scalar | Record | tuple[Record, ...]"]


@dataclass(frozen=True, slots=True)
class Done:
    """It happened. `values` are the results that the operation declares."""

    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not happen and will not, for the reason `code`, which the operation declares."""

    code: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """It may still happen: the member learns the end by SMS."""

    values: Values = field(default_factory=dict)


Outcome = Done | Refused | Pending


class Kind(msgspec.Struct, frozen=True):
    """What a placeholder may name: a scalar's type, a record's fields, or rows of a record."""

    scalar: str = ""
    fields: dict[str, str] = {}
    rows: bool = False
