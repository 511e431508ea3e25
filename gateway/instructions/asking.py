"""Asking a remote core about orders: whose turn it is, by whose hands, and what follows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from gateway.bounds import (
    CORE_LEASE_S,
    CORE_ORDERS_AT_ONCE,
    ORDER_AGAIN_FIRST_S,
    ORDER_AGAIN_MAX_S,
    ORDER_EXPIRES_S,
    ORDER_PARKED_AFTER,
)
from gateway.core.hands import CrowdedError, Hands, InTurn, Task
from gateway.core.patient import NotAsked
from gateway.db.pool import Database, DatabaseUnavailableError, Row
from gateway.ledger.port import (
    Done,
    KeyReusedError,
    Ledger,
    LedgerUnavailableError,
    Order,
    Outcome,
    PendingApproval,
    Refused,
    Repayment,
    RepaymentMode,
    RetryLater,
    Transfer,
    Unknown,
)
from gateway.values.money import Money

log = structlog.stdlib.get_logger(__name__)

_AGAIN = dt.timedelta(seconds=ORDER_AGAIN_FIRST_S), dt.timedelta(seconds=ORDER_AGAIN_MAX_S)
_LOOK_MS = 100  # at an order that is under way, before the next one is looked at


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Asking:
    """How a remote core is asked about orders.

    Args:
        hands: whose.
        ready: whether the core may be asked now; else orders wait without an attempt.
        left_ms: how long somebody who waits for an order may still wait; None: as long as it takes.
        late: hears that somebody could wait no longer.
    """

    hands: Hands
    ready: Callable[[], bool] = lambda: True
    left_ms: Callable[[], int | None] = lambda: None
    late: Callable[[], None] = _nothing


_OWN = InTurn()
PLAINLY = Asking(_OWN)  # by who wants to know, for as long as it takes


@dataclass(frozen=True, slots=True)
class _Handed:
    """An order whose turn it is. `in_flight`: requests that may have reached the core, the one to
    come among them."""

    order: Order
    asker: str
    in_flight: int

    @property
    def asked_before(self) -> bool:
        """A request of earlier may have reached the core."""
        return self.in_flight > 1


class Attempts:
    """One cooperative's orders on their way to a remote core.

    Args:
        database: signed in as the application's role.
        ledger: the core.
        now: the clock, aware.
        asking: how it is asked.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        now: Callable[[], dt.datetime],
        asking: Asking,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now
        self._asking = asking
        self._stopping = False

    def stop(self) -> None:
        """Wait for no answer of the core any more: whoever goes on later asks again."""
        self._stopping = True

    def begin(self, key: uuid.UUID) -> None:
        """Give an order to the core, if it is its turn, and wait as long as a hop may. Nothing
        begins where the core is left alone or all hands are full: then it is the worker's at once,
        and no attempt is counted."""
        if not self._asking.ready():
            return
        task = self._asking.hands.lend(lambda: self._begun(key))
        if task is None:
            return
        try:
            task.within(self._asking.left_ms())
        except CrowdedError:
            return
        except TimeoutError:
            self._asking.late()

    def expire(self, limit: int) -> int:
        """Close up to `limit` orders that the core was never asked about for too long; answer how
        many."""
        before = self._expired_before()
        overdue = self._database.call(
            "select key from instructions.overdue(%s, %s)", (before, limit)
        )
        return sum(self._expired(row["key"], before) for row in overdue)

    def go_on(self, limit: int) -> int:
        """Ask about the orders that nobody is asking about, several at once, one of an account,
        until no more are due; answer how many ended. A slow one keeps one hand busy and not the
        others, however long it takes: after each `limit` what expired meanwhile is closed. At the
        worker's end what is under way is left to its lease."""
        began = ended = 0
        under_way: deque[tuple[_Handed, Task[int]]] = deque()
        while not self._stopping:
            if began >= limit:
                began, ended = 0, ended + self.expire(limit)
            room = CORE_ORDERS_AT_ONCE - len(under_way)
            handed = self._taken(None, room) if room and self._asking.ready() else []
            began += len(handed)
            under_way += [(one, self._lent(one)) for one in handed]
            if not under_way:
                break
            ended += self._looked_after(under_way)
        return ended

    def _lent(self, handed: _Handed) -> Task[int]:
        work = partial(self._in_a_row, [handed])
        return self._asking.hands.lend(work) or _OWN.lend(work)

    def _looked_after(self, under_way: deque[tuple[_Handed, Task[int]]]) -> int:
        """Look once at each; those that are not done stay. Answers how many orders ended."""
        ended = 0
        for _ in range(len(under_way)):
            one, task = under_way.popleft()
            try:
                ended += task.within(_LOOK_MS)
            except TimeoutError:
                under_way.append((one, task))
            except DatabaseUnavailableError:
                raise
            except Exception:
                # One order's fault, for a person to look at; the others go on.
                log.exception("order_not_settled", key=str(one.order.key))
        return ended

    def _begun(self, key: uuid.UUID) -> int:
        asker = uuid.uuid4().hex
        now = self._now()
        rows = self._database.call(
            "select * from instructions.take_turn(%s, %s, %s, %s, %s)",
            (key, asker, self._lease_before(now), self._expired_before(), now),
        )
        return self._in_a_row([_handed(row, asker) for row in rows])

    def _in_a_row(self, handed: Sequence[_Handed]) -> int:
        """Settle these, and what waited behind each that makes way: nobody waits for the next
        sweep. Answers how many ended."""
        waiting, ended = deque(handed), 0
        while waiting:
            one = waiting.popleft()
            outcome = self._said(one)
            over = self._settled(one, outcome)
            ended += over
            makes_way = over or isinstance(outcome, PendingApproval)
            if makes_way and self._asking.ready():
                waiting += self._behind(one.order)
        return ended

    def _behind(self, order: Order) -> list[_Handed]:
        """What waited behind an order that made way: at each of its accounts one."""
        accounts = [order.source, _target(order)]
        first = self._taken(accounts, 1)
        return first + (self._taken(accounts, 1) if first else [])

    def _taken(self, accounts: list[str] | None, limit: int) -> list[_Handed]:
        asker, now = uuid.uuid4().hex, self._now()
        rows = self._database.call(
            "select * from instructions.take_unfinished(%s, %s, %s, %s, %s, %s)",
            (asker, accounts, self._lease_before(now), self._expired_before(), now, limit),
        )
        return [_handed(row, asker) for row in rows]

    def _said(self, handed: _Handed) -> Outcome:
        """What the core says of an order: what it knows of the key, and only where it never decided
        on it what comes of posting it."""
        try:
            found = self._ledger.find(handed.order) if handed.asked_before else None
            outcome = found or self._ledger.post(handed.order)
        except LedgerUnavailableError:
            return RetryLater() if self._asking.ready() else NotAsked()
        except KeyReusedError:
            log.exception("order_key_reused", key=str(handed.order.key))
            return PendingApproval()  # a person has to look at it: it may not stop the others
        except Exception:
            # An adapter stumbled, over an answer that makes no sense perhaps: it may have posted.
            log.exception("order_attempt_failed", key=str(handed.order.key))
            outcome = Unknown()
        if isinstance(outcome, Unknown) and handed.in_flight >= ORDER_PARKED_AFTER:
            # A key that is stuck at the core may be so for ever: its accounts may not.
            log.error("order_parked", key=str(handed.order.key), asked=handed.in_flight)
            return PendingApproval()
        return outcome

    def _settled(self, handed: _Handed, outcome: Outcome) -> bool:
        """Write down what the core said; answers whether the order has ended."""
        said = _OUTCOMES.get(type(outcome), "unknown")
        code = outcome.code if isinstance(outcome, Refused) else None
        posted = outcome if isinstance(outcome, Done) else None
        row = self._database.row(
            "select * from instructions.settle(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                handed.order.key,
                handed.asker,
                said,
                code,
                posted.reference if posted else None,
                posted.tax.centimos if posted else 0,
                *_AGAIN,
                self._now(),
            ),
        )
        return row["settled_at"] is not None

    def _expired(self, key: uuid.UUID, before: dt.datetime) -> bool:
        row = self._database.row(
            "select instructions.expire(%s, %s, %s) as expired", (key, before, self._now())
        )
        return bool(row["expired"])

    def _lease_before(self, now: dt.datetime) -> dt.datetime:
        return now - dt.timedelta(seconds=CORE_LEASE_S)

    def _expired_before(self) -> dt.datetime:
        return self._now() - dt.timedelta(seconds=ORDER_EXPIRES_S)


# How `instructions.settle` calls them; whatever else is said is no last word.
_OUTCOMES: dict[type[Outcome], str] = {
    Done: "posted",
    Refused: "refused",
    PendingApproval: "approval",
    RetryLater: "later",
    NotAsked: "unasked",
}


def _target(order: Order) -> str:
    return order.target if isinstance(order, Transfer) else order.loan


def _handed(row: Row, asker: str) -> _Handed:
    amount = Money(row["amount_centimos"])
    key, source, target, day = row["key"], row["source"], row["target"], row["business_date"]
    owner = row["member_ref"]
    order: Order
    if row["mode"] is None:
        order = Transfer(key, source, target, amount, day, owner)
    else:
        order = Repayment(key, source, target, amount, RepaymentMode(row["mode"]), day, owner)
    return _Handed(order, asker, row["in_flight"])
