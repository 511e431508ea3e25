"""One hop of a conversation, as a generator of effects.

`take` decides what happens and in which order; it touches nothing itself. Whoever drives it
carries each effect out and sends the answer in: the gateway for real, a simulator with faults
between any two steps.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from gateway.bounds import DEEP_DIAL_ANSWERS_MAX, OVERLAP_POLL_MS, REPLY_HARD_STOP_MS
from gateway.dialog import state as states
from gateway.dialog.book import Book
from gateway.dialog.machine import Call, Machine, Show, Step
from gateway.dialog.state import Place, State
from gateway.sessions.port import Claim, Closed, New, Next, Opened, Repeat, UnderWay
from gateway.values.member import MemberView
from gateway.values.outcome import Done, Outcome, Pending, Refused
from gateway.values.turn import Origin, Reply, Turn


@dataclass(frozen=True, slots=True)
class Open:
    """Claim the hop. Answer: `Opened`."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Wait:
    """Let some time pass. Answer: None."""

    ms: int


@dataclass(frozen=True, slots=True)
class Identify:
    """Whose phone is this? Answer: `MemberView` or None."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Recall:
    """What became of the last money order of this very session? Answer: `Outcome` or None."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Perform:
    """Ask the bank. `hop` names this hop, the same for all its copies. Answer: `Outcome`."""

    call: Call
    member: MemberView | None
    origin: Origin
    hop: str


@dataclass(frozen=True, slots=True)
class Close:
    """Keep the state and the reply. Answer: the bytes of the reply that the member must see."""

    turn: Turn
    claim: Claim
    state: bytes
    reply: bytes


Effect = Open | Wait | Identify | Recall | Perform | Close
Effects = Generator[Effect, Any, Reply]
Shown = Generator[Effect, Any, tuple[State, Show]]


@dataclass(frozen=True, slots=True)
class Library:
    """The books that sessions may be reading, and how wide this channel's screens are.

    `books` are by digest: a session ends on the book that it began with.
    """

    books: Mapping[str, Book]
    current: Book
    screen_septets: int
    default_language: str

    def machine(self, digest: str | None, spare_key: str) -> Machine | None:
        """The machine for a session's book; None where that book is gone."""
        book = self.current if digest is None else self.books.get(digest)
        return Machine(book, spare_key, self.screen_septets) if book else None

    def apology(self, sentence: str, outcome: str) -> Reply:
        """A last screen in nobody's language in particular."""
        words = self.current.words.say(sentence, self.default_language)
        return Reply(words, ends=True, screen=sentence, outcome=outcome)


def take(turn: Turn, library: Library, spare_key: str) -> Effects:
    """One hop: open the session, run the dialog, perform what it requests, close the session.

    Args:
        turn: what the network says.
        library: the books.
        spare_key: a fresh instruction key, used if a confirm screen is built for the first time.
    """
    opened: Opened = yield Open(turn)
    waited_ms = 0
    while isinstance(opened, UnderWay) and waited_ms < REPLY_HARD_STOP_MS:
        yield Wait(OVERLAP_POLL_MS)
        waited_ms += OVERLAP_POLL_MS
        opened = yield Open(turn)
    match opened:
        case Repeat(reply):
            return replace(decode(reply), outcome="repeat")
        case New(claim, answers):
            return (yield from _begin(turn, library, spare_key, claim, answers))
        case Next(claim, state, answer):
            return (yield from _go_on(turn, library, spare_key, claim, state, answer))
        case Closed("too_fast"):
            return library.apology("busy", "too_fast")
        case Closed(why):
            return library.apology("restart", why)
        case UnderWay():
            return library.apology("busy", "still_under_way")


def _begin(
    turn: Turn, library: Library, spare_key: str, claim: Claim, answers: tuple[str, ...]
) -> Effects:
    """A session that nobody has seen: somebody dialled, or Redis forgot.

    With text in it, it may be the PIN's hop of a session that was lost: then what became of that
    session's order is said. Otherwise the text fills slots up to the screen that confirms, and the
    rest is dropped: nothing is ever authorised from an unseen session.
    """
    machine = Machine(library.current, spare_key, library.screen_septets)
    member: MemberView | None = yield Identify(turn.origin)
    language = member.language if member else library.default_language
    notice = ""
    if answers:
        outcome: Outcome | None = yield Recall(turn.origin)
        if outcome is not None:
            answers = ()
            notice = _became(library.current, language, outcome)
    state, shown = yield from _run(machine, machine.dial(member, language, notice), turn, claim)
    for answer in answers[:DEEP_DIAL_ANSWERS_MAX]:
        if state.place in {Place.CONFIRM, Place.OVER}:
            break
        asked = state
        state, shown = yield from _run(machine, machine.press(state, answer), turn, claim)
        if state == asked:  # not understood: the member answers this one, and those after it
            break
    return (yield from _finish(state, shown, turn, claim))


def _go_on(
    turn: Turn, library: Library, spare_key: str, claim: Claim, data: bytes, answer: str
) -> Effects:
    """The next answer of a session that is under way."""
    state = _read(data)
    machine = library.machine(state.book, spare_key) if state else None
    if state is None or machine is None or state.place is Place.OVER:
        sorry = library.apology("restart", "cannot_go_on")
        return decode((yield Close(turn, claim, data, encode(sorry))))
    state, shown = yield from _run(machine, machine.press(state, answer), turn, claim)
    return (yield from _finish(state, shown, turn, claim))


def _read(data: bytes) -> State | None:
    """The state, unless another version of Chaski wrote it."""
    try:
        return states.decode(data)
    except msgspec.DecodeError:
        return None


def _run(machine: Machine, step: Step, turn: Turn, claim: Claim) -> Shown:
    """Perform what the dialog requests, until it has a screen to show."""
    state, request = step
    while isinstance(request, Call):
        outcome: Outcome = yield Perform(request, state.member, turn.origin, claim.hop)
        state, request = machine.answered(state, request, outcome)
    return state, request


def _finish(state: State, shown: Show, turn: Turn, claim: Claim) -> Effects:
    """Keep the state, the money order's key with it, and only then let the screen go out."""
    reply = Reply(shown.text, shown.ends, screen=state.screen, outcome=state.place.value)
    kept: bytes = yield Close(turn, claim, states.encode(state), encode(reply))
    return decode(kept)


def _became(book: Book, language: str, outcome: Outcome) -> str:
    """In words: what became of an order whose screen was lost."""
    match outcome:
        case Done(values):
            name, results = "was_posted", values
        case Refused(_, values):
            name, results = "was_refused", values
        case Pending(values):
            name, results = "was_pending", values
    return book.words.say(name, language, results)


def encode(reply: Reply) -> bytes:
    """A reply as bytes, so that a repeat gets the same ones."""
    return _ENCODER.encode(reply)


def decode(data: bytes) -> Reply:
    """A reply from its bytes."""
    return _DECODER.decode(data)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reply)
