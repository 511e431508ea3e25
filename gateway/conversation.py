"""One hop of a conversation, as a generator of effects.

`take` decides what happens and in which order; it touches nothing itself. Whoever drives it
carries each effect out and sends the answer in: the gateway for real, a simulator with faults
between any two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.bounds import DEEP_DIAL_ANSWERS_MAX, OVERLAP_POLL_MS, REPLY_HARD_STOP_MS
from gateway.dialog import state as states
from gateway.dialog.book import Book
from gateway.dialog.machine import Machine
from gateway.dialog.state import Left, State
from gateway.dialog.steps import Call, Show, Step, Visit, Why
from gateway.library.port import Books
from gateway.sessions.port import Claim, Closed, Kept, New, Next, Opened, Repeat, UnderWay
from gateway.values.member import MemberView
from gateway.values.outcome import Done, Outcome, Pending, Refused, Remembered
from gateway.values.turn import Origin, Reply, Turn


class Open(msgspec.Struct, frozen=True):
    """Claim the hop. Answer: `Opened`."""

    turn: Turn


class Wait(msgspec.Struct, frozen=True):
    """Let some time pass. Answer: how long this hop has taken by now, ms."""

    ms: int


class Identify(msgspec.Struct, frozen=True):
    """Whose phone is this? Answer: `MemberView` or None."""

    origin: Origin


class Recall(msgspec.Struct, frozen=True):
    """What became of the last money order of this very session? Answer: `Remembered` or None."""

    origin: Origin


class Became(msgspec.Struct, frozen=True):
    """What became of an order? Answer: `Remembered`, or None where nobody gave it."""

    member: MemberView
    key: str


class Newest(msgspec.Struct, frozen=True):
    """What became of the member's last order of the last minutes? Answer: `Remembered` or None."""

    member: MemberView


class Forgo(msgspec.Struct, frozen=True):
    """Make sure that the order of a confirm screen that was left never moves money, or learn what
    became of it. Answer: `Remembered`, or None: it was never given, and never will be."""

    member: MemberView
    key: str


class Perform(msgspec.Struct, frozen=True):
    """Ask the bank. `hop` names this hop, the same for all its copies; `language` and `book` (its
    digest) are what the member has read, `doing` the screen of a journey that they left last,
    `journey` the one that this carries out, or empty. Answer: `Outcome`."""

    call: Call
    member: MemberView | None
    origin: Origin
    hop: str
    language: str
    book: str
    doing: str = ""
    journey: str = ""


class Close(msgspec.Struct, frozen=True):
    """Keep what the hop came to. Answer: the bytes of the reply that the member must see."""

    turn: Turn
    claim: Claim
    kept: Kept


class LeaveDraft(msgspec.Struct, frozen=True):
    """Leave a draft for the caller's next dial, from outside a session. Answer: None."""

    origin: Origin
    draft: bytes


class FindDraft(msgspec.Struct, frozen=True):
    """What did the caller leave? Answer: its bytes, or None where nothing is known of them."""

    origin: Origin


Effect = (
    Open
    | Wait
    | Identify
    | Recall
    | Became
    | Newest
    | Forgo
    | Perform
    | Close
    | LeaveDraft
    | FindDraft
)
MintKey = Callable[[], str]
Effects = Generator[Effect, Any, Reply]
Shown = Generator[Effect, Any, tuple[State, Show]]


@dataclass(frozen=True, slots=True)
class Library:
    """The books that sessions may be reading, and how wide this channel's screens are."""

    books: Books
    screen_septets: int
    default_language: str

    @property
    def current(self) -> Book:
        """The book that new sessions begin with. It may be another one from hop to hop."""
        return self.books.current

    def machine(self, digest: str | None, mint_key: MintKey) -> Machine | None:
        """The machine for a session's book: the one that it began with. None where that is gone.

        Raises:
            DatabaseUnavailableError: this process has not read the book yet, and cannot now.
        """
        book = self.current if digest is None else self.books.find(digest)
        return Machine(book, mint_key, self.screen_septets) if book else None

    def apology(self, sentence: str, outcome: str) -> Reply:
        """A last screen in nobody's language in particular."""
        words = self.current.words.say(sentence, self.default_language)
        return Reply(words, ends=True, screen=sentence, outcome=outcome)


def take(turn: Turn, library: Library, mint_key: MintKey) -> Effects:
    """One hop: open the session, run the dialog, perform what it requests, close the session.

    Args:
        turn: what the network says.
        library: the books.
        mint_key: a fresh instruction key; asked for where a confirm screen is built for the first
            time.
    """
    opened: Opened = yield Open(turn)
    taken_ms: float = 0
    while isinstance(opened, UnderWay) and taken_ms < REPLY_HARD_STOP_MS:
        taken_ms = yield Wait(OVERLAP_POLL_MS)
        opened = yield Open(turn)
    match opened:
        case Repeat(reply):
            return msgspec.structs.replace(decode(reply), outcome="repeat")
        case New():
            return (yield from _begin(turn, library, mint_key, opened))
        case Next(claim, state, answer):
            return (yield from _go_on(turn, library, mint_key, claim, state, answer))
        case Closed("too_fast" | "crowded" as why):
            return library.apology("busy", why)
        case Closed(why):
            return library.apology("restart", why)
        case UnderWay():
            return library.apology("still_working", "still_under_way")


def _begin(turn: Turn, library: Library, mint_key: MintKey, opened: New) -> Effects:
    """A session that nobody has seen: somebody dialled, or Redis forgot.

    With text in it, it may be the PIN's hop of a session that was lost: then what became of its
    order is all that is said, and the session is over. Otherwise the text fills slots up to the
    screen that confirms, and the rest is dropped: an unseen session never authorises anything.
    """
    book = library.current  # once: it may change while we talk
    machine = Machine(book, mint_key, library.screen_septets)
    member: MemberView | None = yield Identify(turn.origin)
    language = member.language if member else library.default_language
    lost: Remembered | None = (yield Recall(turn.origin)) if opened.answers else None
    if lost and not lost.newest:
        # A late copy of a session that Redis forgot: its member is further on.
        return library.apology("restart", "stale")
    if lost:
        step = machine.tell(Visit(member, language, became(book, language, lost), given=lost.key))
    else:
        step = machine.dial((yield from _visit(book, member, language, opened)))
    state, shown = yield from run(machine, step, turn.origin, opened.claim.hop)
    return (yield from _finish(machine, state, shown, turn, opened.claim))


def _visit(
    book: Book, member: MemberView | None, language: str, opened: New
) -> Generator[Effect, Any, Visit]:
    """A dial. What became of an order that the caller had left is said first."""
    order: Remembered | None = None
    left = Left()
    if member:
        order, left = yield from left_order(member, opened.left, dialled=bool(opened.answers))
    notice = became(book, language, order) if order else ""
    early = () if order else opened.answers[:DEEP_DIAL_ANSWERS_MAX]
    return Visit(member, language, notice, early, left.draft, left.given, left.doing)


def left_order(
    member: MemberView, found: bytes | None, *, dialled: bool
) -> Generator[Effect, Any, tuple[Remembered | None, Left]]:
    """What became of the order that the caller left, None where there is nothing to tell; and what
    they leave now.

    A draft that is offered again says that it was not done: that is made sure of first. An answer
    that went out and may have been lost is told again, but not to who dials on behind the code.

    Args:
        member: the caller.
        found: what they had left; None where Redis knows nothing of them, and may have forgotten.
        dialled: they dialled more than the short code.
    """
    left = states.decode_left(found or b"", member.ref)
    if left.draft and left.draft.key:
        order: Remembered | None = yield Forgo(member, left.draft.key)
        if order:
            return order, msgspec.structs.replace(left, draft=None, given=order.key)
    if dialled or not (left.given or found is None):
        return None, left
    order = yield Became(member, left.given) if left.given else Newest(member)
    return order, msgspec.structs.replace(left, given=order.key if order else left.given)


def _go_on(
    turn: Turn, library: Library, mint_key: MintKey, claim: Claim, data: bytes, answer: str
) -> Effects:
    """The next answer of a session that is under way."""
    state = _read(data)
    machine = library.machine(state.book, mint_key) if state else None
    if state is None or machine is None or machine.ended(state):
        sorry = library.apology("restart", "cannot_go_on")
        left = states.encode_left(machine.left(state)) if state and machine else b""
        return decode((yield Close(turn, claim, Kept(data, left, encode(sorry)))))
    step = machine.press(state, answer)
    state, shown = yield from run(machine, step, turn.origin, claim.hop)
    return (yield from _finish(machine, state, shown, turn, claim))


def _read(data: bytes) -> State | None:
    """The state, unless another version of Chaski wrote it."""
    try:
        return states.decode(data)
    except msgspec.DecodeError:
        return None


def run(machine: Machine, step: Step, origin: Origin, hop: str) -> Shown:
    """Perform what the dialog requests, until it has a screen to show."""
    state, request = step
    while isinstance(request, Call):
        journey = state.draft.journey if state.draft and request.why is Why.DO else ""
        outcome: Outcome = yield Perform(
            request, state.member, origin, hop, state.language, state.book, state.doing, journey
        )
        state, request = machine.answered(state, request, outcome)
    return state, request


def _finish(machine: Machine, state: State, shown: Show, turn: Turn, claim: Claim) -> Effects:
    """Keep the state, the money order's key with it, and only then let the screen go out."""
    reply = Reply(
        shown.text,
        shown.ends,
        screen=state.screen,
        outcome=state.place.value,
        misread=bool(state.problem),
    )
    left = states.encode_left(machine.left(state))
    remind = state.member.ref if state.member and machine.gives_order(state) else ""
    kept = Kept(states.encode(state), left, encode(reply), remind, tells=state.tells)
    return decode((yield Close(turn, claim, kept)))


def became(book: Book, language: str, order: Remembered) -> str:
    """In words: what became of an order whose screen may have been lost."""
    match order.outcome:
        case Done(values):
            name, results = "was_posted", values
        case Refused("again", values):
            name, results = "was_again", values  # one like it was done, so no mere "no"
        case Refused(_, values):
            name, results = "was_refused", values
        case Pending(values):
            name, results = "was_pending", values
    what = book.order(order.operation, order.values, language)
    return book.words.say(name, language, {**results, "what": what})


def encode(reply: Reply) -> bytes:
    """A reply as bytes, so that a repeat gets the same ones."""
    return _ENCODER.encode(reply)


def decode(data: bytes) -> Reply:
    """A reply from its bytes."""
    return _DECODER.decode(data)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reply)
