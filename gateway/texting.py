"""One SMS of a member as a generator of effects: it reads and prepares, and never moves money.

A sender of SMS can be forged, and a text stays in the phone. So what only reads is answered to the
member's own number if they asked for that with their PIN once; an order's values are checked and
kept, and the answer says what to dial, where the confirm screen waits for the PIN.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from gateway.bounds import TEXT_CHARS_MAX
from gateway.conversation import (
    Effect,
    FindDraft,
    Identify,
    LeaveDraft,
    Library,
    Perform,
    became,
    left_order,
    run,
)
from gateway.dialog import state as states
from gateway.dialog.book import Book
from gateway.dialog.drafts import without_key
from gateway.dialog.keywords import Command, Maybe, TextOrder, read_text
from gateway.dialog.machine import Machine, like_a_pin
from gateway.dialog.state import Place, State
from gateway.dialog.steps import Call, Why
from gateway.values.consent import BY_TEXT, Consent, Purpose
from gateway.values.gsm import plain
from gateway.values.member import MemberView
from gateway.values.outcome import Outcome, Refused
from gateway.values.turn import Origin, Reply, Text


class Heard(StrEnum):
    """What a text is, before it is read."""

    FRESH = "fresh"
    REPEAT = "repeat"  # it was answered before
    TOO_MANY = "too_many"  # this phone has had its answers for the hour


@dataclass(frozen=True, slots=True)
class Hear:
    """Was this text heard before, and may it be answered? Answer: `Heard`."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class ReadOut:
    """Ask the bank for what a member may read by SMS, without their PIN. Answer: `Outcome`."""

    asked: Perform


@dataclass(frozen=True, slots=True)
class Agree:
    """Keep what a member agreed to, or no longer does. Answer: None."""

    member: MemberView
    consent: Consent


@dataclass(frozen=True, slots=True)
class Freeze:
    """Let nobody use a member's PIN until staff have seen them. Answer: None."""

    member: MemberView
    origin: Origin


@dataclass(frozen=True, slots=True)
class Tell:
    """Have the answer sent, once for this text. Answer: None."""

    origin: Origin
    member: MemberView | None
    text: str


TextEffect = Effect | Hear | ReadOut | Agree | Freeze | Tell
Replying = Generator[TextEffect, Any, Reply]

NOT_OPTED_IN = "not_opted_in"


def answer(text: Text, library: Library, mint_key: Callable[[], str], code: str) -> Replying:
    """Read a text, do what it may do, and have its answer sent.

    Args:
        text: from the member's phone, or so its network says.
        library: the books.
        mint_key: a fresh instruction key; no text uses it.
        code: the short code to dial.
    """
    heard: Heard = yield Hear(text.origin)
    if heard is not Heard.FRESH:
        return Reply("", ends=True, screen="sms", outcome=heard.value)
    member: MemberView | None = yield Identify(text.origin)
    language = member.language if member else library.default_language
    answers = _Answers(library.current, language, code)
    if member is None or not member.enrolled:
        reply = answers("stranger" if member is None else "not_enrolled", "not_a_member")
    else:
        machine = Machine(library.current, mint_key, library.screen_septets)
        reply = yield from _Letter(text, member, machine, answers).answered()
    yield Tell(text.origin, member, reply.text)
    return reply


@dataclass(frozen=True, slots=True)
class _Letter:
    """One text of a member, under the eye."""

    text: Text
    member: MemberView
    machine: Machine
    answers: _Answers

    @property
    def book(self) -> Book:
        return self.machine.book

    def answered(self) -> Replying:
        said = self.text.said.text[:TEXT_CHARS_MAX]
        match read_text(self.book, said):
            case TextOrder() as order if order.journey.do in self.book.money:
                return (yield from self._prepared(order))
            case _ if any(map(like_a_pin, said.split())):
                return self.answers("never_send_pin", "pin_shown")
            case TextOrder() as order:
                return (yield from self._read_out(order))
            case Command() as command:
                return (yield from self._obeyed(command))
            case Maybe(word):
                return self.answers("did_you_mean", "not_sure", word=word)
            case None:
                return self.answers("no_such_order", "not_understood")

    def _prepared(self, order: TextOrder) -> Replying:
        """Check an order's values, keep the draft, and say what to dial."""
        state = yield from self._filled(order)
        if state.pin_shown:
            return self.answers("never_send_pin", "pin_shown")
        if state.draft is None:
            return self.answers.plainly(state.body, "refused")
        return (yield from self._left(state, "prepared"))

    def _read_out(self, order: TextOrder) -> Replying:
        """What only reads is answered to who wished so; to others it is prepared. What neither is
        private nor moves money is done."""
        state = yield from self._filled(order)
        if state.draft is None:
            return self.answers.plainly(state.body, "done")
        if state.place is Place.CONFIRM:
            call = Call(Why.DO, order.journey.do, state.draft.slots)
            origin, book = self.text.origin, self.book.digest
            journey = order.journey.name
            asked = Perform(call, self.member, origin, "", state.language, book, journey=journey)
            outcome: Outcome = yield ReadOut(asked)
            if not (isinstance(outcome, Refused) and outcome.code == NOT_OPTED_IN):
                state, _ = self.machine.answered(state, call, outcome)
                return self.answers.plainly(state.body, "read_out")
        return (yield from self._left(state, "prepared_read"))

    def _filled(self, order: TextOrder) -> Generator[TextEffect, Any, State]:
        step = self.machine.order(self.member, self.member.language, order)
        state, _ = yield from run(self.machine, step, self.text.origin, hop="")
        return state

    def _left(self, state: State, sentence: str) -> Replying:
        """Keep a draft for the next dial, and say so. What became of the order that it takes the
        place of is said first, and at the next dial again: the answer to this SMS may be lost."""
        draft, what = state.draft, self.machine.named(state)
        if draft is None or not what:  # a journey without a name: nothing to come back to
            word, options = self._choices(state)
            return self.answers("sms_choose", "incomplete", word=word, options=options)
        found: bytes | None = yield FindDraft(self.text.origin)
        before, left = yield from left_order(self.member, found, dialled=False)
        said = became(self.book, self.member.language, before) if before else ""
        answers = replace(self.answers, earlier=said)
        # Its confirm screen was never shown, so nobody can have authorised it: it needs no key yet.
        kept = msgspec.structs.replace(left, draft=without_key(draft), member=self.member.ref)
        yield LeaveDraft(self.text.origin, states.encode_left(kept))
        if state.place is Place.CONFIRM:
            return answers(sentence, "prepared", what=what)
        return answers("prepared_partly", "incomplete", what=what, problem=state.problem)

    def _choices(self, state: State) -> tuple[str, str]:
        """The word that began a journey, and what may stand behind it."""
        journey = self.book.journeys[state.draft.journey] if state.draft else None
        return journey.sms[0] if journey else "", ", ".join(state.options)

    def _obeyed(self, command: Command) -> Replying:
        does: Mapping[Command, Callable[[], Replying]] = {
            Command.HELP: self._helped,
            Command.STOP: self._stopped,
            Command.START: self._started,
            Command.BLOCK: self._blocked,
        }
        return (yield from does[command]())

    def _helped(self) -> Replying:
        yield from ()
        return self.answers("sms_help", "help")

    def _stopped(self) -> Replying:
        """The receipts of their money go on: a forged text may not silence an alarm."""
        for purpose in BY_TEXT:
            yield Agree(self.member, self._consent(purpose, given=False))
        return self.answers("sms_off", "stopped")

    def _started(self) -> Replying:
        """Reminders alone: to read a balance by SMS has to be asked for with the PIN."""
        yield Agree(self.member, self._consent(Purpose.REMINDERS, given=True))
        return self.answers("sms_on", "started")

    def _blocked(self) -> Replying:
        yield Freeze(self.member, self.text.origin)
        return self.answers("sms_blocked", "blocked")

    def _consent(self, purpose: Purpose, *, given: bool) -> Consent:
        return Consent(
            purpose=purpose,
            given=given,
            channel=self.text.origin.channel,
            text_version=self.book.digest,
            language=self.member.language,
        )


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers by SMS, in the member's language and in letters that a plain phone has."""

    book: Book
    language: str
    code: str
    earlier: str = ""  # what became of another order comes first

    def __call__(self, sentence: str, outcome: str, **values: str) -> Reply:
        said = self.book.words.say(sentence, self.language, {"code": self.code, **values})
        return self.plainly(said, outcome)

    def plainly(self, text: str, outcome: str) -> Reply:
        lines = filter(None, map(str.strip, plain(f"{self.earlier}\n{text}").split("\n")))
        return Reply(" ".join(lines), ends=True, screen="sms", outcome=outcome)
