"""One account on one day: what our orders say beside what the core's books say. Does no IO."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.ledger.port import Marked
from gateway.values.money import ZERO, Money


class Kind(StrEnum):
    """What differs, the worst first. What staff do about each: README.md."""

    UNKNOWN_ORDER = "unknown_order"  # it bears our mark, and we know no such order
    NOT_POSTED_HERE = "not_posted_here"  # the member was told that it did not happen
    POSTED_TWICE = "posted_twice"
    MISSING_AT_CORE = "missing_at_core"  # the member was told that it happened
    REVERSED_AT_CORE = "reversed_at_core"
    OTHER_AMOUNT = "other_amount"
    OTHER_ACCOUNT = "other_account"
    OTHER_DAY = "other_day"
    STILL_OPEN = "still_open"


@dataclass(frozen=True, slots=True)
class Side:
    """What an order does to one account.

    Args:
        change: signed as the account's owner sees it.
        gives: the account is the order's source.
        ended: nothing more comes of it.
        reference: empty where it was never posted.
    """

    key: uuid.UUID
    account: str
    change: Money
    gives: bool
    state: str
    ended: bool
    business_date: dt.date
    accepted_at: dt.datetime
    reference: str

    @property
    def posted(self) -> bool:
        """Its member was told that the money moved."""
        return self.state == "posted"


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a key that the core has. `sides` are those of its order, which is at most a
    source and a target; a key that was closed before any order came has none."""

    state: str
    ended: bool
    business_date: dt.date | None
    reference: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One order that an account has otherwise than we do.

    Args:
        ours, core: what moved, as each says; None where it says that nothing did.
        our_day, core_day: when.
        state: of our order; empty where there is none.
        accepted_at: when our order was taken; None where there is none.
    """

    kind: Kind
    account: str
    key: uuid.UUID
    reference: str
    ours: Money | None
    core: Money | None
    our_day: dt.date | None
    core_day: dt.date | None
    state: str
    accepted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Compared:
    """An account on a day: what our posted orders come to, what the core's lines with our marks
    come to, and what differs. The two sums may agree though orders differ."""

    account: str
    orders: int
    ours: Money
    core: Money
    differences: tuple[Difference, ...]


def compare(
    account: str,
    on: dt.date,
    sides: Sequence[Side],
    lines: Sequence[Marked],
    known: Mapping[uuid.UUID, Known],
) -> Compared:
    """What differs.

    Args:
        sides: what our orders of that day do to the account.
        lines: what the core has with our marks, of the days around it too.
        known: what we know of the keys that are in `lines` and not in `sides`.
    """
    by_key: dict[uuid.UUID, list[Marked]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    found = [one for side in sides for one in _judged(side, by_key.pop(side.key, []))]
    for key, of_key in by_key.items():
        found.extend(_of_no_side(account, on, key, of_key, known.get(key)))
    posted = [side.change for side in sides if side.posted]
    live = [line.amount for line in lines if not line.reversed and line.business_date == on]
    order = list(Kind)
    return Compared(
        account=account,
        orders=len(sides),
        ours=sum(posted, ZERO),
        core=sum(live, ZERO),
        differences=tuple(sorted(found, key=lambda one: order.index(one.kind))),
    )


def _judged(side: Side, lines: Sequence[Marked]) -> Iterator[Difference]:
    """An order of that day, and all that the account has under its key."""
    live = [line for line in lines if not line.reversed]
    if not side.ended:
        if side.gives:
            yield _difference(Kind.STILL_OPEN, side, live)
    elif not side.posted:
        if live:
            yield _difference(Kind.NOT_POSTED_HERE, side, live)
    elif not live:
        kind = Kind.REVERSED_AT_CORE if lines else Kind.MISSING_AT_CORE
        yield _difference(kind, side, lines)
    elif len(live) > 1:
        yield _difference(Kind.POSTED_TWICE, side, live)
    else:
        if live[0].amount != side.change:
            yield _difference(Kind.OTHER_AMOUNT, side, live)
        if live[0].business_date != side.business_date:
            yield _difference(Kind.OTHER_DAY, side, live)


def _of_no_side(
    account: str, on: dt.date, key: uuid.UUID, lines: Sequence[Marked], known: Known | None
) -> Iterator[Difference]:
    """Lines with our mark that no order of that day explains."""
    live = [line for line in lines if not line.reversed and line.business_date == on]
    if not live:
        return
    side = next((one for one in known.sides if one.account == account), None) if known else None
    if side and side.business_date == on:  # it was taken since the orders were read
        yield from _judged(side, lines)
        return
    if known is None:
        kind = Kind.UNKNOWN_ORDER
    elif known.ended and known.state != "posted":
        kind = Kind.NOT_POSTED_HERE
    else:
        kind = Kind.OTHER_DAY if side else Kind.OTHER_ACCOUNT
    one = side or (next(iter(known.sides), None) if known else None)
    yield Difference(
        kind=kind,
        account=account,
        key=key,
        reference=known.reference if known else "",
        ours=one.change if one and known and known.state == "posted" else None,
        core=sum((line.amount for line in live), ZERO),
        our_day=known.business_date if known else None,
        core_day=on,
        state=known.state if known else "",
        accepted_at=one.accepted_at if one else None,
    )


def _difference(kind: Kind, side: Side, lines: Sequence[Marked]) -> Difference:
    return Difference(
        kind=kind,
        account=side.account,
        key=side.key,
        reference=side.reference,
        ours=None if side.ended and not side.posted else side.change,
        core=sum((line.amount for line in lines if not line.reversed), ZERO) if lines else None,
        our_day=side.business_date,
        core_day=lines[0].business_date if lines else None,
        state=side.state,
        accepted_at=side.accepted_at,
    )
