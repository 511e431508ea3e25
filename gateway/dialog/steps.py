"""What goes in and out of the machine: a visit, a screen to show, an operation to call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

import msgspec

from gateway.dialog.state import Draft, State
from gateway.values.member import MemberView
from gateway.values.outcome import Value
from gateway.values.pin import Pin
from gateway.values.secret import Secret


class Why(Enum):
    """What an operation was called for."""

    MENU = auto()
    OFFERS = auto()
    RESOLVE = auto()
    CHECK = auto()
    QUOTE = auto()
    DO = auto()


class Show(msgspec.Struct, frozen=True):
    """A screen. `ends` closes the session."""

    text: str
    ends: bool


class Call(msgspec.Struct, frozen=True):
    """An operation to perform now. `key`, `pin` and `again_ok` are set only for a journey's own
    operation, `secret` only for one that checks what was typed."""

    why: Why
    operation: str
    values: Mapping[str, Value]
    key: str | None = None
    pin: Pin | None = None
    again_ok: bool = False
    secret: Secret | None = None


Step = tuple[State, Show | Call]


@dataclass(frozen=True, slots=True)
class Visit:
    """A dial.

    Args:
        member: whose phone it is; None for a stranger.
        language: what to speak, of the member or of the house.
        notice: what stands above the home menu's options.
        answers: what was dialled behind the short code.
        draft: what the caller left unfinished moments ago.
        given: the key of an order whose outcome the caller may not have read: the notice tells
            it, if there is one.
        doing: the screen of a journey that the caller left last.
    """

    member: MemberView | None
    language: str
    notice: str = ""
    answers: tuple[str, ...] = field(default=(), repr=False)  # there may be a PIN in it
    draft: Draft | None = None
    given: str = ""
    doing: str = ""
