"""Where a conversation stands: plain data, small enough to keep for every caller."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.values.member import MemberView
from gateway.values.outcome import Value


class Place(StrEnum):
    """What kind of screen the member is looking at."""

    MENU = "menu"
    SLOT = "slot"
    CONFIRM = "confirm"
    AGAIN = "again"  # "¿Otra vez?" after the bank refused a transfer like one a moment ago
    TOLD = "told"  # something was said, with nothing to choose
    OVER = "over"


class Draft(msgspec.Struct, frozen=True):
    """A journey that is being filled in.

    `key` is the instruction's key (a UUID's text): minted when the confirm screen is first built,
    gone when a slot changes or the bank refused. `asked` are the slots that the member answered,
    in order, so that back goes where they were.
    """

    journey: str
    slots: dict[str, Value] = {}
    asked: tuple[str, ...] = ()
    quote: dict[str, Value] | None = None
    key: str | None = None
    again_ok: bool = False


class Offer(msgspec.Struct, frozen=True):
    """An option on the screen, and what choosing it means."""

    key: int
    value: Value


class State(msgspec.Struct, frozen=True):
    """One conversation between two keystrokes.

    `book` is the digest of the menus it began with. `trail` are the menus above `menu`. The screen
    is `body`, then `options`, of which `page` is shown; `final` says that its last page closes the
    session. `screen` names it for the log: never what stands on it.
    """

    book: str
    language: str
    member: MemberView | None = None
    place: Place = Place.OVER
    screen: str = ""
    menu: str = ""
    trail: tuple[str, ...] = ()
    draft: Draft | None = None
    slot: str = ""
    offers: tuple[Offer, ...] = ()
    body: str = ""
    options: tuple[str, ...] = ()
    page: int = 0
    final: bool = False


def encode(state: State) -> bytes:
    """The state as bytes for the session store."""
    return _ENCODER.encode(state)


def decode(data: bytes) -> State:
    """The state from its bytes.

    Raises:
        msgspec.DecodeError: another version of Chaski wrote it; the conversation starts afresh.
    """
    return _DECODER.decode(data)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)
