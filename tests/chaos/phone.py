"""One phone that some members share: it dials until what they mean to do is done, or known not to
be."""

from __future__ import annotations

import random
import threading
import time
import traceback
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.orders import Attempt, Heard, Intent, Order, OrderBook, What
from tests.chaos.radio import Network, Traffic
from tests.chaos.screens import (
    Agree,
    Apology,
    Authorise,
    Disbelieved,
    Finished,
    Locked,
    Lost,
    Move,
    Pending,
    Press,
    Refused,
    Screen,
    move,
    tellings,
)

TYPING_S = (0.002, 0.01)  # between a screen and its answer
REST_S = (0.1, 0.5)  # between two orders: below the gateway's bound of hops a minute
REDIAL_S = (0.1, 0.8)
HOPS_A_CALL_MAX = 15  # the longest way has six; a screen more for each detour
DIALS_AN_ORDER_MAX = 300  # some minutes: then the gateway does not heal
SMS_LOOK_S = 0.5
DOUBT_MAX_S = 5  # an SMS that decides a doubt is there by then, or the order is left as it is
PENDING_MAX_S = 90  # above the lease of a worker that was killed while it sent the SMS

MASKED_PIN = "(PIN)"


class Notes:
    """What a phone saw and typed, in a file. Never a PIN, never a whole number of a phone."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, who: str, what: str) -> None:
        """One line."""
        line = what.replace("\n", " / ")
        self._file.write(f"{time.time():.3f} {who} {line}\n")

    def close(self) -> None:
        """No more lines."""
        self._file.close()


@dataclass(slots=True)
class _Call:
    """A session: what was typed in it. `attempt`: the PIN was the last of that."""

    intent: Intent
    session: str
    typed: str
    over: bool = False
    agreed: bool = False
    attempt: Attempt | None = None


class Phone:
    """Carries out a plan, until it is told that the storm is over.

    Args:
        name: for the transcript and the threads.
        intents: the plan.
        network: radio and aggregator.
        book: where what was told about earlier orders is kept.
        traffic: the figures.
        notes: the transcript.
        chance: this phone's own.
        over: begin nothing new.
    """

    def __init__(
        self,
        name: str,
        intents: Iterator[Intent],
        network: Network,
        book: OrderBook,
        traffic: Traffic,
        notes: Notes,
        chance: random.Random,
        over: threading.Event,
    ) -> None:
        self._intents = intents
        self._network = network
        self._book = book
        self._traffic = traffic
        self._notes = notes
        self._chance = chance
        self._over = over
        self._in_doubt: Order | None = None  # its PIN was typed, and no screen came back
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            for intent in self._intents:
                if self._over.is_set():
                    return
                if intent.turn > len(intent.order.references) + 1:
                    continue  # the first one was left in doubt, or refused: nothing to do again
                self._notes.write(intent.order.sender.ref, f"means {intent.order}, {intent.way}")
                end = self._carry_out(intent)
                self._notes.write(intent.order.sender.ref, f"ends: {end}")
                self._traffic.count(f"orders {end}")
                self._rest(REST_S)
        except Exception:
            self._traffic.puzzle(f"a phone broke:\n{traceback.format_exc()}")
        finally:
            self._notes.close()

    def _carry_out(self, intent: Intent) -> str:
        """Dial until it has come to an end, and answer which."""
        intent.order.meant_at.append(time.time())
        for _ in range(DIALS_AN_ORDER_MAX):
            self._traffic.count("dials")
            session = f"chaos-{uuid.UUID(int=self._chance.getrandbits(128))}"
            call = _Call(intent, session, intent.dialled)
            end = self._called(call)
            self._network.ended(intent.order.sender.msisdn, session, seen_to_its_end=call.over)
            if end:
                return end
            self._rest(REDIAL_S)
        self._traffic.puzzle(f"{intent.order}: no end after {DIALS_AN_ORDER_MAX} dials")
        return "given up"

    def _called(self, call: _Call) -> str:
        """One session. Empty: dial again."""
        intent = call.intent
        how = "dials on" if intent.dialled else "dials"
        self._notes.write(intent.order.sender.ref, f"{how} ({call.session})")
        for _ in range(HOPS_A_CALL_MAX):
            screen = self._hop(call)
            if screen is None:
                return ""
            call.over = screen.ends
            self._listen(intent.order.sender.ref, screen.text)
            self._count_doubts(call, screen)
            end, keys = self._next(call, screen)
            if end or not keys:
                return end
            call.typed = f"{call.typed}*{keys}" if call.typed else keys
            self._rest(TYPING_S)
        self._traffic.puzzle(f"{intent.order}: no end after {HOPS_A_CALL_MAX} screens of a call")
        return ""

    def _hop(self, call: _Call) -> Screen | None:
        sender = call.intent.order.sender
        hop = self._network.hop(sender.msisdn, call.session, call.typed)
        if call.attempt:
            call.attempt.sent = hop.sent
            self._in_doubt = call.intent.order if hop.sent and not hop.screen else None
        seen = hop.screen.text if hop.screen else "nothing" if hop.sent else "nothing: never sent"
        self._notes.write(sender.ref, f"< {seen}")
        return hop.screen

    # ---- What a screen means for this order --------------------------------------------------

    def _next(self, call: _Call, screen: Screen) -> tuple[str, str]:
        """How the order ended, if it did; else what to press; neither: hang up and dial again."""
        attempt, call.attempt = call.attempt, None
        then = move(screen, call.intent)
        if attempt and isinstance(then, Apology):
            self._in_doubt = call.intent.order
        if attempt and isinstance(then, Agree | Refused | Locked | Disbelieved):
            attempt.denied = True
        if isinstance(then, Refused) and attempt:
            call.intent.order.heard.append(Heard(What.REFUSED, time.time()))
        if self._is_done(call.intent):
            return "done", ""
        if call.intent.turn == 1 and self._was_done_before(call.intent.order, screen):
            return "done before", ""
        if isinstance(then, Press) and self._is_under_way(call.intent.order, screen):
            return self._by_sms(call.intent, PENDING_MAX_S), ""
        return self._answered(call, then, screen)

    def _answered(self, call: _Call, then: Move, screen: Screen) -> tuple[str, str]:
        match then:
            case Press(keys):
                self._notes.write(call.intent.order.sender.ref, f"> {self._shown(call, keys)}")
                return "", keys
            case Authorise():
                return "", self._authorise(call)
            case Agree():
                return self._asked_again(call)
            case Pending():
                return self._by_sms(call.intent, PENDING_MAX_S), ""
            case Refused():
                return "refused", ""
            case Locked():
                return "locked out", ""
            case Apology() | Finished():
                self._traffic.count("apologies" if isinstance(then, Apology) else "last screens")
                return "", ""
            case Disbelieved() | Lost():
                # Nobody types a wrong PIN here, and every screen has something to do.
                self._traffic.puzzle(f"{call.intent.order}: {type(then).__name__}: {screen.text!r}")
                return "", ""

    def _authorise(self, call: _Call) -> str:
        order = call.intent.order
        call.attempt = Attempt(time.time(), call.agreed)
        order.attempts.append(call.attempt)
        self._notes.write(order.sender.ref, f"> {MASKED_PIN}")
        return order.sender.pin

    def _asked_again(self, call: _Call) -> tuple[str, str]:
        """One like it was done moments ago. Who means it once has what they wanted; who means it
        twice says yes, unless it may be their own second one that is meant."""
        intent = call.intent
        if intent.turn == 1:
            return "done before", ""
        if any(one.agreed and one.sent and not one.denied for one in intent.order.attempts):
            return self._by_sms(intent, DOUBT_MAX_S), ""
        intent.order.wanted = intent.turn
        call.agreed = True
        self._notes.write(intent.order.sender.ref, "> 1 (yes, again)")
        return "", "1"

    def _by_sms(self, intent: Intent, patience_s: float) -> str:
        """Wait for the SMS that tells."""
        sender, ends = intent.order.sender, time.monotonic() + patience_s
        while time.monotonic() < ends:
            for text in self._network.inbox(sender.msisdn):
                self._read_receipt(sender.ref, text)
            if self._is_done(intent):
                return "done"
            time.sleep(SMS_LOOK_S)
        return "left in doubt"

    def _was_done_before(self, order: Order, screen: Screen) -> bool:
        """Whether a dial says that one like it was done, and that it was not repeated."""
        return any(
            told.what is What.NOT_AGAIN and told.centimos == order.centimos
            for told in tellings(screen.text)
        )

    def _is_under_way(self, order: Order, screen: Screen) -> bool:
        """Whether a dial says that this very order is with the core, and to wait for the SMS."""
        return any(
            told.what is What.UNDER_WAY and told.centimos == order.centimos
            for told in tellings(screen.text)
        )

    def _is_done(self, intent: Intent) -> bool:
        return len(intent.order.references) >= intent.turn

    # ---- What is told about any order --------------------------------------------------------

    def _listen(self, sender_ref: str, text: str) -> None:
        """Keep what a text tells about this member's orders."""
        for told in tellings(text):
            order = self._book.find(sender_ref, told.centimos)
            if order is None:
                self._traffic.puzzle(f"{sender_ref} was told of an order that nobody gave: {told}")
            elif told.reference not in order.references:
                order.heard.append(Heard(told.what, time.time(), told.reference))

    def _read_receipt(self, sender_ref: str, text: str) -> None:
        """Of the SMS only what was done is heard here: what was not was true when it was sent, and
        the verdict knows when that was."""
        if all(told.what is What.SENT for told in tellings(text)):
            self._listen(sender_ref, text)

    def _count_doubts(self, call: _Call, screen: Screen) -> None:
        """Whether a plain dial says what became of an order whose PIN's answer was lost."""
        order = call.intent.order
        if (
            call.typed
            or self._in_doubt is not order
            or isinstance(move(screen, call.intent), Apology)
        ):
            return
        self._in_doubt = None
        told = any(told.centimos == order.centimos for told in tellings(screen.text))
        self._traffic.count(
            f"PINs in doubt of which the next dial {'told' if told else 'said nothing'}"
        )
        if not told:
            self._notes.write(order.sender.ref, "in doubt, and the dial said nothing")

    def _shown(self, call: _Call, keys: str) -> str:
        payee = call.intent.order.payee
        return f"(phone of {payee.ref})" if payee and keys == payee.dialled else keys

    def _rest(self, between_s: tuple[float, float]) -> None:
        time.sleep(self._chance.uniform(*between_s))
