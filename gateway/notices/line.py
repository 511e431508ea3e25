"""The way to one provider: how fast it may go, and when it is better not gone at all."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, replace

import structlog
from pybreaker import (
    STATE_CLOSED,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitBreakerListener,
    CircuitBreakerState,
    CircuitMemoryStorage,
)

from gateway.bounds import (
    LINE_FAILURES_MAX,
    LINE_SHUT_S,
    PACE_WAIT_S,
    SEND_TIMEOUT_S,
)
from gateway.breaking import OneTries
from gateway.notices.pace import Pace
from gateway.notices.segments import segments
from gateway.notices.senders import (
    Away,
    Delivery,
    Limits,
    Misconfigured,
    Never,
    NotNow,
    OptedOut,
    Sender,
    Sent,
    Sms,
    TryLater,
)
from gateway.notices.watching import UNWATCHED, Watch

log = structlog.stdlib.get_logger(__name__)

_NAMES: dict[type[Delivery], str] = {
    Sent: "sent",
    TryLater: "later",
    NotNow: "later",
    Never: "never",
    OptedOut: "opted_out",
    Misconfigured: "misconfigured",
    Away: "away",
}


@dataclass(frozen=True, slots=True)
class Shut:
    """The provider was not asked: it is away, or refuses us. In `wait_s` seconds it may be."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class LineBounds:
    """When a line is shut, and for how long. What is away, late, broken or misconfigured counts as
    a failure; an answer about the message, even a no, ends a row of them."""

    failures_max: int = LINE_FAILURES_MAX
    shut_s: float = LINE_SHUT_S
    pace_wait_s: float = PACE_WAIT_S


USUAL = LineBounds()


class Line:
    """A provider behind its pace and its breaker. Used by several threads at once.

    After `failures_max` failures in a row it is shut. Then one message at a time tries whether the
    provider is well again, every `shut_s` seconds.
    """

    def __init__(
        self, sender: Sender, watch: Watch = UNWATCHED, bounds: LineBounds = USUAL
    ) -> None:
        self._sender = sender
        self._watch = watch
        self._bounds = bounds
        self._pace = Pace(sender.limits.per_second, bounds.pace_wait_s)
        self._health = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(
            fail_max=bounds.failures_max,
            reset_timeout=bounds.shut_s,
            state_storage=self._health,
            listeners=[_Teller(sender.name, watch, bounds.shut_s)],
            # What fails is answered as it is, also at the failure that shuts the line: then
            # CircuitBreakerError says one thing alone, that nobody was asked.
            throw_new_error_on_trip=False,
        )
        # Whoever comes second waits in the outbox, not here.
        self._one_tries = OneTries(lambda: self._health.state)

    @property
    def name(self) -> str:
        """The provider's."""
        return self._sender.name

    @property
    def limits(self) -> Limits:
        """The provider's."""
        return self._sender.limits

    def send(self, sms: Sms) -> Delivery | Shut:
        """Hand one message over, if the line is open.

        Raises:
            Exception: whatever the sender raises; the message may have been taken.
        """
        if wait_s := self._shut_s():
            return Shut(wait_s)
        try:
            with self._one_tries.turn():
                return self._in_turn(sms)
        except CircuitBreakerError:
            return Shut(self._shut_s() or SEND_TIMEOUT_S)

    def _shut_s(self) -> float:
        """How long nobody is asked; 0 when somebody may be."""
        opened_at = self._health.opened_at
        if self._health.state != STATE_OPEN or opened_at is None:
            return 0
        ends = opened_at + dt.timedelta(seconds=self._bounds.shut_s)
        return max(0, (ends - dt.datetime.now(dt.UTC)).total_seconds())

    def _in_turn(self, sms: Sms) -> Delivery:
        if late_s := self._pace.late_s():
            self._watch.paced(self.name)
            return NotNow(f"{self.name} carries no more a second", late_s)
        return self._signed(self._weighed(sms), sms)

    def _weighed(self, sms: Sms) -> Delivery:
        """The provider's answer, which the breaker hears of.

        `calling`, because `call` would hold the breaker's lock while the provider thinks: one
        message at a time for ever.
        """
        try:
            with self._breaker.calling():
                return _weigh(self._ask(sms))
        except _AnsweredError as answered:
            return answered.delivery

    def _ask(self, sms: Sms) -> Delivery:
        answer, began = "failed", time.monotonic()
        try:
            delivery = self._sender.send(sms)
            answer = _NAMES[type(delivery)]
        finally:
            seconds = time.monotonic() - began
            self._watch.answered(self.name, answer, segments(sms.text), seconds)
        return delivery

    def _signed(self, delivery: Delivery, sms: Sms) -> Delivery:
        if isinstance(delivery, Sent):
            count = delivery.segments or segments(sms.text)
            return replace(delivery, sender=delivery.sender or self.name, segments=count)
        if isinstance(delivery, OptedOut):
            return replace(delivery, sender=delivery.sender or self.name)
        return delivery


class _Teller(CircuitBreakerListener):
    """Says when a line is shut, and when it is open again: not each try in between."""

    def __init__(self, sender: str, watch: Watch, shut_s: float) -> None:
        self._sender, self._watch, self._shut_s = sender, watch, shut_s

    def state_change(
        self,
        cb: CircuitBreaker,
        old_state: CircuitBreakerState | None,
        new_state: CircuitBreakerState,
    ) -> None:
        if new_state.name == STATE_CLOSED:
            log.info("sms_line_open", sender=self._sender)
            self._watch.line(self._sender, open_=True)
        elif old_state and old_state.name == STATE_CLOSED:
            log.warning("sms_line_shut", sender=self._sender, tried_again_in_s=self._shut_s)
            self._watch.line(self._sender, open_=False)


class _AnsweredError(Exception):
    """Carries an answer past the breaker, which counts exceptions."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__()
        self.delivery = delivery


def _weigh(delivery: Delivery) -> Delivery:
    """Raises what speaks against the line. A provider that says when to come back is well, and
    may mean this phone alone: no other message waits for it."""
    late = isinstance(delivery, TryLater) and not delivery.wait_s
    if late or isinstance(delivery, Misconfigured | Away):
        raise _AnsweredError(delivery)
    return delivery
