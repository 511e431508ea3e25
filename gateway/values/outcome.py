"""What a bank operation takes and answers.

A *value* is what a slot holds, what a result is, and what a placeholder in a text may name. Values
are plain data: they go into a session as bytes and come back equal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from gateway.values.money import Money


class Day(msgspec.Struct, frozen=True, order=True, tag="day"):
    """A business date in the cooperative's own time zone."""

    date: dt.date


class Moment(msgspec.Struct, frozen=True, tag="moment"):
    """A moment as the cooperative's clocks showed it, and the day of who reads of it."""

    at: dt.datetime
    today: dt.date

    @classmethod
    def seen(cls, at: dt.datetime, now: dt.datetime) -> Moment:
        """A moment of before, as of now. `now` says by its time zone where."""
        return cls(at.astimezone(now.tzinfo).replace(tzinfo=None), now.date())


Scalar = Money | Day | Moment | str | int | bool


class Record(msgspec.Struct, frozen=True, tag="record"):
    """Some named scalars that belong together: an account, a payee, one movement."""

    fields: dict[str, Scalar]

    def text(self, name: str) -> str:
        """The field `name`, which is known to be text."""
        value = self.fields[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is {type(value).__name__}, not text")
        return value


Value = Scalar | Record
Values = Mapping[str, Value]
Rows = tuple[Record, ...]


class Done(msgspec.Struct, frozen=True):
    """It happened. `values` are the results that the operation declares, `rows` its list, if it
    has one."""

    values: Values = msgspec.field(default_factory=dict)
    rows: Rows = ()


class Refused(msgspec.Struct, frozen=True):
    """It did not happen and will not, for the reason `code`, which the operation declares."""

    code: str
    values: Values = msgspec.field(default_factory=dict)


class Pending(msgspec.Struct, frozen=True):
    """It may still happen: the member learns the end by SMS."""

    values: Values = msgspec.field(default_factory=dict)


Outcome = Done | Refused | Pending


class Remembered(msgspec.Struct, frozen=True):
    """A money order of some time ago, and what became of it.

    Args:
        key: of the screen that confirmed it.
        operation: what was asked for.
        values: by which a journey names it: `amount`, and `payee` where somebody was paid.
        outcome: of now: one that is pending may have another later.
        newest: whether the member has given none since.
    """

    key: str
    operation: str
    values: Values
    outcome: Outcome
    newest: bool = True
