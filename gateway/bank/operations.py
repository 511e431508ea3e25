"""What an operation says of itself, and how one is called."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from gateway.values.member import MemberView
from gateway.values.money import Money
from gateway.values.outcome import Outcome, Record, Values
from gateway.values.pin import Pin
from gateway.values.secret import Secret
from gateway.values.turn import Origin

if TYPE_CHECKING:
    from gateway.bank.desk import Desk

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Request:
    """A member asks for an operation.

    Args:
        member: who asks; their PIN is verified already where the operation needs it.
        values: the slots, by name.
        key: the key of the screen that confirmed it; only an operation that moves money has one.
        again_ok: the member said yes to "¿Otra vez?".
        origin: the session it comes from.
        now: the time, aware.
        today: the business date.
        language: in which the member has read what it is about.
        book: the digest of the menus in which they have read it.
        hop: names the hop that asks, the same for all its copies.
        secret: what was typed for a secret slot, for the operation that checks it.
        pin: the second entry of a new PIN, for the operation that compares it.
        doing: the screen of a journey that they left last (`send/amount`), or empty.
    """

    member: MemberView
    values: Values
    key: uuid.UUID | None
    again_ok: bool
    origin: Origin
    now: dt.datetime
    today: dt.date
    language: str
    book: str
    hop: str
    doing: str = ""
    secret: Secret | None = None
    pin: Pin | None = None

    def typed(self) -> Secret:
        """What was typed for a secret slot."""
        return _typed(self.secret, Secret, "secret")

    def second_entry(self) -> Pin:
        """The new PIN, typed again."""
        return _typed(self.pin, Pin, "pin")

    def money(self, name: str) -> Money:
        """The slot `name`, an amount."""
        return _typed(self.values.get(name), Money, name)

    def record(self, name: str) -> Record:
        """The slot `name`, a record."""
        return _typed(self.values.get(name), Record, name)

    def text(self, name: str) -> str:
        """The slot `name`, a text."""
        return _typed(self.values.get(name), str, name)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the bank can do.

    Args:
        name: `transfers.send`; journeys name it in `do:`, `quote:` or `data:`.
        takes: its slots, each with its kind. How kinds are written is said in
            `gateway/dialog/kinds.py`.
        gives: its results, each with its kind; a text may name them.
        rows: the fields of each row of its list, each with its kind; None where it has none.
        refusals: every code that it can refuse with, beside those of the PIN, and the figures that
            come with it.
        moves_money: then it needs a key, and a screen that confirms with the PIN.
        needs_pin: whether it answers only to the member's PIN.
        secret: whether it checks what was typed for a secret slot; then its result is a `token`,
            which the draft keeps in the secret's place.
        repeats_pin: whether the PIN on its confirm screen is the second entry of a new one.
        before_money: it is asked right before the screen that confirms a money order.
    """

    name: str
    perform: Callable[[Desk, Request], Outcome]
    takes: Mapping[str, str] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, str] | None = None
    refusals: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    moves_money: bool = False
    needs_pin: bool = False
    secret: bool = False
    repeats_pin: bool = False
    before_money: bool = False


def _typed(value: object, kind: type[_T], name: str) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"slot {name} is {type(value).__name__}, not {kind.__name__}")
    return value
