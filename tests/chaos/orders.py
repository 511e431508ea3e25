"""What the members mean to do, and everything that is needed to judge it afterwards."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.values.money import Money
from tests.chaos.members import Member

AGAIN_SHARE = 0.12  # of the orders are meant twice
LOAN_SHARE = 0.3  # of those of a member who has a loan
DEEP_DIAL_SHARE = 0.3
TAXED_CENTIMOS = 1_000_00  # from here on ITF is due; once a member, for the day's limit
TAXED_AT = 3  # which of a member's orders that is
FIRST_CENTIMOS = 1_00


class Way(StrEnum):
    """How somebody gets to the screen that asks for the PIN."""

    MENUS = "menus"
    DEEP_DIAL = "deep dial"


class What(StrEnum):
    """What somebody was told about an order."""

    SENT = "sent"  # with its reference
    NOT_DONE = "not done"
    REFUSED = "refused"  # the answer to the PIN
    UNDER_WAY = "under way"
    SENT_BEFORE = "sent before"  # "¿Otra vez?": one like it was done, or is under way
    NOT_AGAIN = "not done again"  # one like it was done before; this one was not
    UNFINISHED = "unfinished"  # "Quedo sin terminar: 1. Seguir": it was not done


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that a screen or an SMS told about an order. `at`: seconds since the epoch."""

    what: What
    at: float
    reference: str = ""


@dataclass(slots=True)
class Attempt:
    """The PIN was typed on a screen that showed this order.

    `sent`: it left the phone. `denied`: the answer was that this attempt came to nothing. `agreed`:
    "¿Otra vez?" had been answered with yes.
    """

    at: float
    agreed: bool
    sent: bool = True
    denied: bool = False


@dataclass(slots=True)
class Order:
    """So much to so and so, `wanted` times. No other order of this member has this amount.

    `payee` is None where a loan is paid. `meant_at`: when somebody began to mean it, each time.
    """

    sender: Member
    payee: Member | None
    centimos: int
    wanted: int = 1
    meant_at: list[float] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def amount(self) -> Money:
        """As the screens write it."""
        return Money(self.centimos)

    @property
    def typed(self) -> str:
        """As the member types it."""
        return f"{self.centimos // 100}.{self.centimos % 100:02d}"

    @property
    def references(self) -> frozenset[str]:
        """Of the movements that the member was told of."""
        return frozenset(heard.reference for heard in self.heard if heard.reference)

    def __str__(self) -> str:
        to = self.payee.ref if self.payee else "a loan"
        return f"{self.sender.ref} to {to}, {self.amount}"


@dataclass(frozen=True, slots=True)
class Intent:
    """An order, to be done for the `turn`th time (from 1), and how."""

    order: Order
    way: Way
    turn: int = 1

    @property
    def dialled(self) -> str:
        """What stands behind the short code."""
        if self.way is Way.MENUS or self.order.payee is None:
            return ""
        return f"2*{self.order.payee.dialled}*{self.order.typed}"


class OrderBook:
    """Every order that was ever meant, by member and amount. Used by all phones at once."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, int], Order] = {}
        self._lock = threading.Lock()

    def add(self, order: Order) -> None:
        """Take one in.

        Raises:
            ValueError: the member has one of this amount.
        """
        with self._lock:
            if (order.sender.ref, order.centimos) in self._orders:
                raise ValueError(f"two orders cannot be told apart: {order}")
            self._orders[order.sender.ref, order.centimos] = order

    def find(self, sender_ref: str, centimos: int) -> Order | None:
        """The one order of a member with this amount."""
        with self._lock:
            return self._orders.get((sender_ref, centimos))

    def all(self) -> list[Order]:
        """All of them."""
        with self._lock:
            return list(self._orders.values())


def plan(
    mine: Sequence[Member], everybody: Sequence[Member], book: OrderBook, chance: random.Random
) -> Iterator[Intent]:
    """What the people of one phone do, one after the other, without end.

    Args:
        mine: whose phones these are. They take turns.
        everybody: who may be paid.
        book: takes each order in when it is meant for the first time.
    """
    for number in itertools.count():
        for member in mine:
            order = _order(member, everybody, number, chance)
            book.add(order)
            way = Way.DEEP_DIAL if chance.random() < DEEP_DIAL_SHARE else Way.MENUS
            again = chance.random() < AGAIN_SHARE
            yield Intent(order, way)
            if again:
                yield Intent(order, Way.MENUS, turn=2)


def _order(
    member: Member, everybody: Sequence[Member], number: int, chance: random.Random
) -> Order:
    centimos = (TAXED_CENTIMOS if number == TAXED_AT else 0) + FIRST_CENTIMOS + number
    if member.has_loan and chance.random() < LOAN_SHARE:
        return Order(member, None, centimos)
    payee = chance.choice([other for other in everybody if other.ref != member.ref])
    return Order(member, payee, centimos)
