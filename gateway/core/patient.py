"""A remote core that answers in time, or not at all."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from gateway.bounds import CORE_BUDGET_MS
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import CrowdedError, Hands
from gateway.core.known import KnownAccounts
from gateway.core.patience import Patience
from gateway.ledger.port import (
    Account,
    AnyOrder,
    Capabilities,
    Done,
    Health,
    HoldState,
    Ledger,
    LedgerUnavailableError,
    LoanStatus,
    Marked,
    Movement,
    Outcome,
    Person,
    Refused,
    RetryLater,
    Transfer,
    Unknown,
)
from gateway.values.dni import Dni
from gateway.values.money import ZERO, Money
from gateway.values.msisdn import Msisdn

log = structlog.stdlib.get_logger(__name__)

_T = TypeVar("_T")
_SENSELESS = (KeyError, TypeError, AttributeError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class NotAsked(RetryLater):
    """The core is left alone now: nobody even tried."""


@dataclass(frozen=True, slots=True)
class Care:
    """How a core is asked.

    Args:
        reading, writing: who looks something up for a hop, and who gives it orders. Two crews, so
            that one slow kind of question does not stop the other.
        patience: how long a hop waits.
        breaker: when it is left alone.
    """

    reading: Hands
    writing: Hands
    patience: Patience
    breaker: CoreBreaker


class PatientLedger:
    """A core behind a network, as hops and duties ask it. Implements `gateway.ledger.port.Ledger`.

    Args:
        core: itself.
        care: how it is asked.
        known: what it last said of members' accounts.
        now: the clock, aware.
    """

    def __init__(
        self, core: Ledger, care: Care, known: KnownAccounts, now: Callable[[], dt.datetime]
    ) -> None:
        self._core = core
        self._care = care
        self._known = known
        self._now = now

    @property
    def care(self) -> Care:
        """How it is asked."""
        return self._care

    def ready(self) -> bool:
        """Whether it may be asked now, or is left alone."""
        return not self._care.breaker.shut

    def hop(self) -> AbstractContextManager[None]:
        """A member's hop in this thread: what it asks waits no longer than its budget."""
        return self._care.patience.hop()

    def close(self, within_ms: int) -> None:
        """Begin nothing more, and wait so long for what is under way."""
        for hands in (self._care.reading, self._care.writing):
            hands.shut(within_ms)

    def capabilities(self) -> Capabilities:
        """See `Ledger.capabilities`."""
        return self._core.capabilities()

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        """See `Ledger.find_member`."""
        return self._asked(lambda: self._core.find_member(who))

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """See `Ledger.accounts`. Where no answer comes in time they are as they were last known,
        and say of when."""
        asked_at = self._now()
        try:
            found = self._asked(lambda: self._core.accounts(member_ref))
        except LedgerUnavailableError:
            known = self._known.of(member_ref)
            if known is None:
                raise
            return known
        self._known.remember(member_ref, found, asked_at)
        return found

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """See `Ledger.movements`."""
        return self._asked(lambda: self._core.movements(account, limit))

    def marked(self, account: str, since: dt.date, until: dt.date) -> Iterator[Marked]:
        """See `Ledger.marked`. Page by page, for as long as it takes: no hop asks it."""
        return self._core.marked(account, since, until)

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """See `Ledger.loans`. Never from memory: what is owed changes by the day, and who pays has
        to see it as it is. So while the core says nothing no repayment is begun, neither of all nor
        of a part: it could be more than is owed, of a loan that is closed."""
        return self._asked(lambda: self._core.loans(member_ref, business_date))

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """See `Ledger.borrowers`."""
        return self._asked(lambda: self._core.borrowers(due_on, after, limit))

    def tax(self, order: AnyOrder) -> Money:
        """See `Ledger.tax`. A core that withholds none need not be asked."""
        if not self._core.capabilities().itf:
            return ZERO
        return self._asked(lambda: self._core.tax(order))

    def post(self, order: AnyOrder) -> Outcome:
        """See `Ledger.post`. Takes as long as the core does: who has a member waiting lends it to
        other hands."""
        return self._written(lambda: self._core.post(order))

    def find(self, order: AnyOrder) -> Done | Refused | None:
        """See `Ledger.find`."""
        return self._asked(lambda: self._core.find(order))

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """See `Ledger.hold`."""
        return self._written(lambda: self._core.hold(key, account, amount, expires_at))

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """See `Ledger.post_hold`."""
        return self._written(lambda: self._core.post_hold(key, order))

    def void_hold(self, key: uuid.UUID) -> HoldState:
        """See `Ledger.void_hold`."""
        return self._asked(lambda: self._core.void_hold(key))

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        """See `Ledger.reverse`."""
        return self._written(lambda: self._core.reverse(key, original, business_date))

    def health(self) -> Health:
        """See `Ledger.health`. Asks nobody: readiness is asked every few seconds, and may not wait
        for a core. What is left alone is being probed."""
        if self._care.breaker.shut:
            return Health(well=False, reason="the core is left alone after too many failures")
        return Health(well=True)

    def probe(self) -> bool:
        """Find out whether it is well again, where it is left alone; answers whether it is asked
        now. Takes no longer than a hop would: a process that is to end waits for it."""
        return self._care.breaker.probe(self._health_in_time)

    def _health_in_time(self) -> Health:
        task = self._care.reading.lend(self._core.health)
        try:
            return task.within(CORE_BUDGET_MS) if task else Health(well=False, reason="too many")
        except TimeoutError:
            return Health(well=False, reason="no answer in time")

    def late(self) -> None:
        """A hop could wait no longer for an order."""
        self._care.breaker.failed()

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """What the core says, within what a hop has left; a worker waits for as long as it takes.

        Raises:
            LedgerUnavailableError: nothing, or not in time, or nothing of sense; or it is left
                alone, or too many ask it already.
        """
        breaker, left_ms = self._care.breaker, self._care.patience.left_ms()
        if breaker.shut:
            raise LedgerUnavailableError("left alone")
        began_ms = breaker.clock_ms()
        try:
            answer = ask() if left_ms is None else self._within(left_ms, ask)
        except CrowdedError:
            raise LedgerUnavailableError("too many ask it already") from None
        except (LedgerUnavailableError, TimeoutError) as error:
            breaker.failed()
            raise LedgerUnavailableError(str(error) or "no answer in time") from error
        except _SENSELESS as error:
            # A proxy's page in place of an answer, or a fault of the adapter. Its words may name
            # somebody, so they are not told.
            log.error("core_makes_no_sense", why=type(error).__name__)  # noqa: TRY400
            breaker.failed()
            raise LedgerUnavailableError("an answer that makes no sense") from None
        breaker.answered(breaker.clock_ms() - began_ms)
        return answer

    def _within(self, left_ms: int, ask: Callable[[], _T]) -> _T:
        task = self._care.reading.lend(ask) if left_ms else None
        if task is None:
            raise CrowdedError
        return task.within(left_ms)

    def _written(self, write: Callable[[], _T]) -> _T | NotAsked:
        breaker = self._care.breaker
        if breaker.shut:
            return NotAsked()
        began_ms = breaker.clock_ms()
        outcome = write()
        if isinstance(outcome, Unknown | RetryLater) and not outcome.answered:
            breaker.failed()
        else:
            breaker.answered(breaker.clock_ms() - began_ms)
        return outcome
