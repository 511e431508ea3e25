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
    RESUME = "resume"  # a draft was found: go on with it, or go home
    AGAIN = "again"  # "¿Otra vez?" after the bank refused a transfer like one a moment ago
    TOLD = "told"  # something was said, with nothing to choose
    OVER = "over"


class Draft(msgspec.Struct, frozen=True):
    """A journey that is being filled in.

    `asked` are the slots that the member answered, in order, so that back goes where they were.
    `unclear` are those whose answer came with a dial or an SMS and was not understood, with what
    was wrong: they are asked when all others are filled. `key` is the instruction's key (a UUID's
    text), where it moves money: minted when the confirm screen is first built, gone when a slot
    changes, the bank refused, or the caller dialled anew.
    """

    journey: str
    slots: dict[str, Value] = {}
    asked: tuple[str, ...] = ()
    unclear: dict[str, str] = {}
    quote: dict[str, Value] | None = None
    key: str | None = None
    again_ok: bool = False


class Left(msgspec.Struct, frozen=True):
    """What a caller leaves for the next dial: a draft, and the key of a money order whose outcome
    stood on a screen that may have been lost on its way. `member` is whose it is (their `ref`): the
    number may be somebody else's by then. `doing` is the screen of a journey that they left last.
    """

    draft: Draft | None = None
    given: str = ""
    member: str = ""
    doing: str = ""


class Offer(msgspec.Struct, frozen=True):
    """An option on the screen, and what choosing it means."""

    key: int
    value: Value


class State(msgspec.Struct, frozen=True):
    """One conversation between two keystrokes.

    `book` is the digest of the menus it began with. `trail` are the menus above `menu`. The screen
    is `problem` (what was wrong with the last answer), `body` and `options`, of which `page` is
    shown; `final` says that its last page closes the session. `screen` names it for the log: never
    what stands on it.

    `queue` are answers that came before they were asked for, with a dial or an SMS; `feeding` says
    that the current one is of them; `pin_shown` that what was left of them looks like a PIN.

    `given` is the key of an order whose outcome the member may not have read; `tells` that this
    screen tells it, so that the next answer shows that they have. `doing` is the last screen of a
    journey, for who asks for help from a menu.
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
    problem: str = ""
    body: str = ""
    options: tuple[str, ...] = ()
    page: int = 0
    final: bool = False
    queue: tuple[str, ...] = ()
    feeding: bool = False
    pin_shown: bool = False
    given: str = ""
    tells: bool = False
    doing: str = ""


def encode(state: State) -> bytes:
    """The state as bytes for the session store."""
    return _ENCODER.encode(state)


def decode(data: bytes) -> State:
    """The state from its bytes.

    Raises:
        msgspec.DecodeError: another version of Chaski wrote it; the conversation starts afresh.
    """
    return _DECODER.decode(data)


def encode_left(left: Left) -> bytes:
    """What a caller leaves, as bytes; empty for nothing."""
    return _ENCODER.encode(left) if left.draft or left.given or left.doing else b""


def decode_left(data: bytes, member_ref: str) -> Left:
    """What this member left; nothing where another version of Chaski wrote it, or where it is what
    the number's former owner left."""
    try:
        left = _LEFT_DECODER.decode(data) if data else Left()
    except msgspec.DecodeError:
        return Left()
    return left if left.member == member_ref else Left()


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)
_LEFT_DECODER = msgspec.msgpack.Decoder(Left)
