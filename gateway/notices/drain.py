"""Empties the outbox: claims what is due, finds its words, has it sent, marks what became of it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol

import structlog

from gateway.bounds import (
    OUTBOX_ATTEMPTS_MAX,
    OUTBOX_BACKOFF_FIRST_S,
    OUTBOX_BACKOFF_GROWTH,
    OUTBOX_BACKOFF_MAX_S,
    OUTBOX_LEASE_S,
    SENDERS_AT_ONCE,
    SWEEP_EVERY_S,
)
from gateway.db.pool import DatabaseUnavailableError
from gateway.notices.outbox import Fact, Notice, Outbox
from gateway.notices.senders import (
    Away,
    Delivery,
    Misconfigured,
    Never,
    NotNow,
    OptedOut,
    Sender,
    Sent,
    Sms,
    TryLater,
)

log = structlog.stdlib.get_logger(__name__)

# How a notice ends. What comes back later has not; one that wears out its tries is counted dead in
# PostgreSQL alone.
_ENDS = {Sent: "sent", type(None): "quiet", OptedOut: "opted_out", Never: "dead"}

_MARK_AGAIN_S = 0.5  # PostgreSQL away: how often a mark is tried until the lease ends


Settled = Callable[[str, str, int], object]


def _untold(_notice: str, _outcome: str, _segments: int) -> None:
    pass


class Wording(Protocol):
    """Chooses a fact's words at the moment it is told. Called by several threads at once."""

    def compose(self, fact: Fact) -> Sms | NotNow | Never | None:
        """The message in the member's language, to the member's phone of today.

        None: this fact is told to nobody; the row ends `quiet`, which is no fault.
        NotNow: it is night there; the row comes back, and loses no try.
        Never: somebody should know and cannot be reached; the row ends `dead` and is counted.
        Whatever is raised: it is tried again after a while, and loses no try either.
        """


class Drain:
    """Tells what the outbox holds, `senders` messages at a time.

    How often can a member get one message twice? A row is claimed before it is sent and marked
    after, so a drain that dies between the provider's yes and the mark leaves a row that is sent
    again when its lease ends: `OUTBOX_ATTEMPTS_MAX` times at the most, if every drain dies there.
    The same holds if PostgreSQL stays away from the yes to the end of the lease, or if a provider
    takes a message and its answer is lost: `TryLater` without a time to wait, or an error. In no
    other way: the lease is longer than the slowest send, no more rows are claimed than there are
    senders free to begin, and a late mark of a drain whose row was taken over changes nothing.
    What certainly nobody took is tried for as long as `NOTICE_PATIENCE_S`.

    Args:
        jitter: answers a number from 0 to 1, so that rows that failed together come back apart.
        settled: is told of every notice that came to an end: what it told, how, in how many SMS.
        senders: messages under way at once. While the provider is asked, which is nearly all of the
            time, none of them holds a connection of `outbox`.
        lease_s: longer than `SEND_TIMEOUT_S` and what the wording takes.
    """

    def __init__(
        self,
        outbox: Outbox,
        wording: Wording,
        sender: Sender,
        jitter: Callable[[], float],
        *,
        settled: Settled = _untold,
        senders: int = SENDERS_AT_ONCE,
        lease_s: float = OUTBOX_LEASE_S,
    ) -> None:
        self._settled = settled
        self._outbox = outbox
        self._wording = wording
        self._sender = sender
        self._jitter = jitter
        self._senders = senders
        self._lease_s = lease_s
        self._stopping = threading.Event()

    def run(self) -> int:
        """Tell all that is due, and answer how many rows were worked on.

        Any number of drains may run at once, in this process and in others.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away. What was under way is finished first.
        """
        worked = 0
        under_way: set[Future[None]] = set()
        with ThreadPoolExecutor(self._senders, thread_name_prefix="sender") as pool:
            while True:
                for notice, lease_ends in self._claim(self._senders - len(under_way)):
                    under_way.add(pool.submit(self.tell, notice, lease_ends))
                if not under_way:
                    return worked
                # A time-out, because rows may fall due while the last senders wait for an answer.
                done, under_way = wait(under_way, SWEEP_EVERY_S, return_when=FIRST_COMPLETED)
                worked += len(done)
                for future in done:
                    future.result()

    def stop(self) -> None:
        """Let a run under way end early: it claims nothing more, and finishes what it has begun."""
        self._stopping.set()

    def _claim(self, rows: int) -> list[tuple[Notice, float]]:
        if self._stopping.is_set() or not rows:
            return []
        lease_ends = time.monotonic() + self._lease_s
        return [(notice, lease_ends) for notice in self._outbox.claim(rows, self._lease_s)]

    def tell(self, notice: Notice, lease_ends: float) -> None:
        """One row, from its words to its mark.

        Args:
            notice: claimed by us.
            lease_ends: until when the mark is tried, on `time.monotonic`'s clock.

        Raises:
            DatabaseUnavailableError: it could not be marked: it is due again when its lease ends.
        """
        delivery = self._deliver(notice)
        while True:
            try:
                counted = self._mark(notice, delivery)
                break
            except DatabaseUnavailableError:
                # A mark that is given up is a message that is sent again.
                if time.monotonic() >= lease_ends or self._stopping.wait(_MARK_AGAIN_S):
                    raise
        if not counted:
            log.warning("notice_taken_over", notice=notice.id, attempt=notice.attempt)
        elif outcome := _ENDS.get(type(delivery)):
            segments = delivery.segments if isinstance(delivery, Sent) else 0
            self._settled(notice.fact.name, outcome, segments)

    def _deliver(self, notice: Notice) -> Delivery | None:
        try:
            words = self._wording.compose(notice.fact)
        except Exception as error:
            return TryLater(_failed(notice, error), OUTBOX_BACKOFF_FIRST_S)
        if not isinstance(words, Sms):
            return words
        named = replace(words, reference=words.reference or notice.reference)
        try:
            return self._sender.send(named)
        except Exception as error:
            return TryLater(_failed(notice, error))

    def _mark(self, notice: Notice, delivery: Delivery | None) -> bool:
        match delivery:
            case Sent():
                return self._outbox.sent(notice, delivery)
            case None:
                return self._outbox.quiet(notice)
            case OptedOut(reason, sender):
                return self._outbox.opted_out(notice, sender, reason)
            case Never(reason):
                return self._outbox.dead(notice, reason)
            case _:
                return self._come_back(notice, delivery)

    def _come_back(
        self, notice: Notice, delivery: TryLater | NotNow | Misconfigured | Away
    ) -> bool:
        """What was not told now: `NotNow` says when, the rest backs off. Where certainly nobody
        took it, it loses no try."""
        reason = delivery.reason
        if isinstance(delivery, NotNow):
            return self._outbox.put_back(notice, delivery.wait_s, reason)
        wait_s = delivery.wait_s if isinstance(delivery, TryLater) else 0
        if wait_s or isinstance(delivery, Misconfigured | Away):
            pause_s = backoff_s(notice.put_back + 1, self._jitter())
            return self._outbox.put_back(notice, max(wait_s, pause_s), reason)
        if notice.tries >= OUTBOX_ATTEMPTS_MAX:
            return self._outbox.dead(notice, reason)
        return self._outbox.retry(notice, backoff_s(notice.tries, self._jitter()), reason)


def _failed(notice: Notice, error: Exception) -> str:
    """The error's own words may hold the message or the number: its type and place must do."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    kind = type(error).__name__
    at = f"{place.filename}:{place.lineno}"
    log.warning("notice_failed", notice=notice.id, error=kind, at=at)
    return kind


def backoff_s(failures: int, jitter: float) -> float:
    """Seconds from the failure of this number to the next try: 1 is the first.

    Grows by `OUTBOX_BACKOFF_GROWTH` up to a cap; `jitter`, from 0 to 1, takes away up to half.
    """
    growth: float = OUTBOX_BACKOFF_GROWTH ** min(failures - 1, OUTBOX_ATTEMPTS_MAX)
    return min(OUTBOX_BACKOFF_FIRST_S * growth, OUTBOX_BACKOFF_MAX_S) * (1 - jitter / 2)
