"""Carry a conversation's effects out for real."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.bank.bank import Bank, Order
from gateway.bank.pins import REFUSALS as PIN_REFUSALS
from gateway.conversation import (
    Became,
    Close,
    Effects,
    FindDraft,
    Forgo,
    Identify,
    LeaveDraft,
    Library,
    Newest,
    Open,
    Perform,
    Recall,
    Wait,
    take,
)
from gateway.db.pool import DatabaseUnavailableError
from gateway.events.witness import UNSEEN, Witness
from gateway.notices.answers import Answers
from gateway.notices.reports import Reports
from gateway.observing import HopLine, Log, Metrics, NoteHop, log_hop
from gateway.sessions.port import (
    Claim,
    New,
    Next,
    Opened,
    Sessions,
    SessionsUnavailableError,
)
from gateway.texting import (
    Agree,
    Freeze,
    Hear,
    Heard,
    ReadOut,
    Replying,
    Tell,
    TextEffect,
    answer,
)
from gateway.values.delivery import Report
from gateway.values.member import MemberView
from gateway.values.outcome import Outcome, Refused
from gateway.values.turn import Origin, Reply, Text, Turn


@dataclass(frozen=True, slots=True)
class Gateway:
    """One cooperative's gateway: what a channel hands its turns to.

    Args:
        cooperative: its short name.
        webhook_secrets: what opens it.
        short_code: what a member dials.
        library: its menus.
        sessions: its short memory.
        bank: its operations.
        mint_key: a fresh instruction key (a UUID's text).
        wake: tells the worker that the outbox has something to send. Never raises; what is lost
            the sweep finds.
        pause: lets so many seconds pass, for a copy that waits for the first one's reply.
        log: what is out of the ordinary.
        metrics: the figures.
        answers: to SMS, each once.
        reports: of what became of ours.
        checks: what readiness asks, by name.
        close: give the connections back.
        beside: what readiness names too, though members are served without it: by name.
        hop: within it the core is waited for no longer than a hop may.
        note_hop: the log's line of each hop.
        witness: takes note of what happens, for the programme's figures.
    """

    cooperative: str
    webhook_secrets: tuple[str, ...]
    short_code: str
    library: Library
    sessions: Sessions
    bank: Bank
    mint_key: Callable[[], str]
    wake: Callable[[], object]
    pause: Callable[[float], None]
    log: Log
    metrics: Metrics
    answers: Answers
    reports: Reports
    checks: Mapping[str, Callable[[], bool]]
    close: Callable[[], None]
    beside: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    hop: Callable[[], AbstractContextManager[None]] = nullcontext
    note_hop: NoteHop = log_hop
    witness: Witness = UNSEEN

    def take(self, turn: Turn) -> Reply:
        """One hop. Whatever breaks inside, the member gets a valid last screen."""
        began = time.perf_counter()
        with self.hop():
            reply = self._driven(take(turn, self.library, self.mint_key), turn)
        self._record(turn.origin, reply, began)
        return reply

    def receive(self, text: Text) -> bool:
        """An SMS. Its answer is on its way when this says True. Nothing moves. Never raises."""
        began = time.perf_counter()
        with self.hop():
            reply, taken = self._answered(text)
        self._record(text.origin, reply, began)
        if taken:
            self.wake()
        return taken

    def reported(self, report: Report) -> bool:
        """A provider says what became of a message. Never raises."""
        try:
            return self.reports.apply(report)
        except Exception:
            self.log.exception("report_failed", sender=report.sender)
            return True  # it would fail again

    def busy(self, channel: str) -> Reply:
        """A hop that nobody has a hand free for. Counted without a line in the log: a crowd would
        be a flood of them."""
        self.metrics.shed(self.cooperative, channel)
        return self.library.apology("busy", "shed")

    def misunderstood(self, channel: str, field: str) -> Reply:
        """A request that is no hop."""
        self.log.warning("not_a_hop", channel=channel, field=field)
        self.metrics.hop(self.cooperative, channel, "not_a_hop", 0)
        return self.library.apology("restart", "not_a_hop")

    def session_ended(
        self, channel: str, account: str, session_id: str, status: str, hops: int
    ) -> None:
        """The network says that a session is over. Where it does not, our own timer finds out."""
        self.metrics.session_end(self.cooperative, channel, status)
        self.witness.hung_up(channel, account, session_id, status)
        self.log.info("session_end", channel=channel, session=session_id, status=status, hops=hops)
        with suppress(SessionsUnavailableError):
            self.sessions.ended(channel, account, session_id)

    def _driven(self, effects: Effects, turn: Turn) -> Reply:
        drive, origin = _Drive(self, effects, turn.network), turn.origin
        try:
            return drive.run()
        except (SessionsUnavailableError, DatabaseUnavailableError) as error:
            self.log.warning("store_unavailable", session=origin.session_id, why=str(error))
            drive.give_up()
            return self.library.apology(drive.apology, type(error).__name__)
        except Exception:
            # No request may end without a screen. The traceback has no local variables in it.
            self.log.exception("hop_failed", session=origin.session_id)
            drive.give_up()
            drive.forget_draft()
            return self.library.apology(drive.apology, "fault")

    def _answered(self, text: Text) -> tuple[Reply, bool]:
        """What a text came to, and whether it is done with."""
        session = text.origin.session_id
        drive = _Drive(self, answer(text, self.library, self.mint_key, self.short_code))
        try:
            return drive.run(), True
        except (SessionsUnavailableError, DatabaseUnavailableError) as error:
            self.log.warning("store_unavailable", session=session, why=str(error))
            return self.library.apology("out_of_order", type(error).__name__), False
        except Exception:
            # It would fail at each delivery: the provider need not bring it again.
            self.log.exception("text_failed", session=session)
            return self.library.apology("out_of_order", "fault"), True

    def _record(self, origin: Origin, reply: Reply, began_s: float) -> None:
        """One log line and one observation a hop, however it ended."""
        seconds = time.perf_counter() - began_s
        self.metrics.hop(self.cooperative, origin.channel, reply.outcome, seconds)
        self.witness.answered(origin, reply)
        self.note_hop(
            HopLine(
                cooperative=self.cooperative,
                channel=origin.channel,
                session=origin.session_id,
                screen=reply.screen,
                outcome=reply.outcome,
                ends=reply.ends,
                ms=round(seconds * 1000, 1),
            )
        )


class _Drive:
    """One hop being driven."""

    def __init__(self, gateway: Gateway, effects: Effects | Replying, network: str = "") -> None:
        self._gateway = gateway
        self._network = network
        self._effects = effects
        # What to say if a store goes away now. It changes while money is in doubt.
        self.apology = "out_of_order"
        self._began = time.monotonic()
        self._waited_ms = 0
        self._decided = False
        self._has_ordered = True  # unless Identify found that there is none to ask for
        self._claimed: tuple[Turn, Claim] | None = None
        self._found_draft: Origin | None = None

    def run(self) -> Reply:
        answer: Any = None
        while True:
            try:
                effect = self._effects.send(answer)
            except StopIteration as end:
                reply: Reply = end.value
                return reply
            answer = self._carry_out(effect)

    def give_up(self) -> None:
        """Let a repeat of this hop try again at once: everything it does carries its key."""
        if self._claimed:
            with suppress(SessionsUnavailableError):
                self._gateway.sessions.abandon(*self._claimed)

    def forget_draft(self) -> None:
        """A dial that failed on what it found would fail at every redial. Only a dial: in a session
        the draft may hold the key of an order that is in doubt."""
        if self._found_draft:
            with suppress(SessionsUnavailableError):
                self._gateway.sessions.leave_draft(self._found_draft, b"")

    def _open(self, turn: Turn) -> Opened:
        opened = self._gateway.sessions.open(turn)
        if isinstance(opened, New | Next):
            self._claimed = turn, opened.claim
        if isinstance(opened, New) and opened.left:
            self._found_draft = turn.origin
        return opened

    def _carry_out(self, effect: TextEffect) -> Any:
        """What is asked of the bank; of the sessions, and of what concerns SMS, below."""
        bank = self._gateway.bank
        match effect:
            case Identify(origin):
                member, self._has_ordered = bank.identify(origin.msisdn)
                self._gateway.witness.began(origin, self._network, member)
                return member
            case Recall(origin):
                return bank.recall(origin)
            case Became(member, key):
                return bank.became(member, key)
            case Newest(member):
                return bank.newest(member) if self._has_ordered else None
            case Forgo(member, key):
                return bank.forgo(member, key)
            case Perform():
                return self._perform(effect)
            case Hear() | ReadOut() | Agree() | Freeze() | Tell():
                return self._text(effect)
            case _:
                return self._remember(effect)

    def _text(self, effect: Hear | ReadOut | Agree | Freeze | Tell) -> Any:
        bank, answers = self._gateway.bank, self._gateway.answers
        match effect:
            case Hear(origin):
                return Heard(answers.heard(origin))
            case ReadOut(asked):
                return self._read_out(asked, asked.member) if asked.member else None
            case Agree(member, consent):
                return bank.agree(member, consent)
            case Freeze(member, origin):
                return bank.freeze(member, origin)
            case Tell(origin, addressee, text):
                return answers.answer(origin, addressee.ref if addressee else "", text)

    def _read_out(self, asked: Perform, member: MemberView) -> Outcome:
        outcome = self._gateway.bank.read_out(member, _order(asked))
        self._witness(asked, _code(outcome))
        return outcome

    def _witness(self, asked: Perform, code: str) -> None:
        """Take note of what the bank answered."""
        witness, call = self._gateway.witness, asked.call
        witness.operated(asked.origin, call.operation, code, asked.journey, call.values)
        if asked.member:
            witness.activated(asked.origin, call.operation, code, asked.member)

    def _remember(self, effect: Open | Wait | Close | FindDraft | LeaveDraft) -> Any:
        sessions = self._gateway.sessions
        match effect:
            case Open(turn):
                return self._open(turn)
            case Wait(ms):
                self._gateway.pause(ms / 1000)
                self._waited_ms += ms
                return max(self._waited_ms, (time.monotonic() - self._began) * 1000)
            case Close():
                return self._close(effect)
            case FindDraft(origin):
                return sessions.find_draft(origin)
            case LeaveDraft(origin, draft):
                return sessions.leave_draft(origin, draft)

    def _perform(self, effect: Perform) -> Outcome:
        gateway, call = self._gateway, effect.call
        if effect.member is None:
            return Refused("stranger")
        moves_money = gateway.bank.moves_money(call.operation)
        if moves_money:
            self.apology = "unsure"
        outcome = gateway.bank.perform(effect.member, _order(effect))
        code = _code(outcome)
        self._witness(effect, code)
        gateway.metrics.operation(gateway.cooperative, call.operation, code)
        if moves_money and code not in PIN_REFUSALS:
            self._decided = True
            gateway.wake()
        return outcome

    def _close(self, effect: Close) -> bytes:
        """Where the bank has decided, its word goes out, even if the session could not be kept, or
        a copy of this hop overtook us that knew less: the instruction remembers it. A confirm
        screen whose key was not kept may not go out."""
        try:
            reply = self._gateway.sessions.close(effect.turn, effect.claim, effect.kept)
        except SessionsUnavailableError:
            if not self._decided:
                raise
            reply = effect.kept.reply
        return effect.kept.reply if self._decided else reply


def _code(outcome: Outcome) -> str:
    return outcome.code if isinstance(outcome, Refused) else type(outcome).__name__.lower()


def _order(asked: Perform) -> Order:
    """What the bank is asked, in its own words."""
    call = asked.call
    return Order(
        operation=call.operation,
        values=call.values,
        key=call.key,
        pin=call.pin,
        again_ok=call.again_ok,
        origin=asked.origin,
        hop=asked.hop,
        language=asked.language,
        book=asked.book,
        secret=call.secret,
        doing=asked.doing,
    )
