"""What members saw of a slow core, and what both sides' books say. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.orders import What
from tests.chaos.screens import tellings
from tests.chaos.verdict import Sms
from tests.slow_core.dialling import Hop

HOP_P95_MAX_S = 5.0  # some operators give up by then
WITHOUT_CORE_P95_MAX_S = 0.3


@dataclass(frozen=True, slots=True)
class Order:
    """As the gateway has it. `turn` counts orders as they were accepted; `accounts` are those that
    it touches; `pending`: somebody was told that it was under way."""

    key: str
    turn: int
    msisdn: str
    accounts: tuple[str, str]
    centimos: int
    state: str
    code: str
    reference: str
    pending: bool


@dataclass(frozen=True, slots=True)
class Phase:
    """One mood of the core, and all that came of it.

    Args:
        name: of the mood.
        hops: that were dialled in it.
        orders: that were given in it.
        posted: keys, in the order in which the core made its transfers.
        inboxes: by phone, the SMS that it received.
        left: orders without an end when the core was well again.
        drained_s: from the core's return to the last order's end and the last SMS; None: never.
    """

    name: str
    hops: Sequence[Hop]
    orders: Sequence[Order]
    posted: Sequence[str]
    inboxes: Mapping[str, Sequence[Sms]]
    left: int
    drained_s: float | None


def percentile(values: Sequence[float], share: float) -> float:
    """Of these; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def faults(phase: Phase) -> list[str]:
    """Every line that was not kept."""
    checks = (_slow, _without_a_screen, _books_differ, _untold, _out_of_order, _not_drained)
    return [line for check in checks for line in check(phase)]


def took_s(phase: Phase, *, needs_core: bool) -> list[float]:
    """How long hops took that need the core, or need none."""
    return [hop.took_s for hop in phase.hops if hop.needs_core is needs_core]


def _slow(phase: Phase) -> Iterator[str]:
    every = percentile([hop.took_s for hop in phase.hops], 0.95)
    if every >= HOP_P95_MAX_S or not phase.hops:
        yield f"p95 of {len(phase.hops)} hops is {every:.2f} s"
    without = percentile(took_s(phase, needs_core=False), 0.95)
    if without >= WITHOUT_CORE_P95_MAX_S:
        yield f"p95 of hops that need no core is {without * 1000:.0f} ms"


def _without_a_screen(phase: Phase) -> Iterator[str]:
    missing = sum(not hop.text.startswith(("CON ", "END ")) for hop in phase.hops)
    if missing:
        yield f"{missing} hops of {len(phase.hops)} got no screen"


def _books_differ(phase: Phase) -> Iterator[str]:
    ours = {order.key for order in phase.orders if order.state == "posted"}
    known = {order.key for order in phase.orders}
    theirs = Counter(key for key in phase.posted if key in known)
    for key in sorted(ours ^ set(theirs)):
        where = "here and not at the core" if key in ours else "at the core and not here"
        yield f"order {key} is posted {where}"
    yield from (
        f"order {key} was posted {times} times" for key, times in theirs.items() if times > 1
    )


def _untold(phase: Phase) -> Iterator[str]:
    for order in phase.orders:
        if order.state not in {"posted", "refused", "closed"}:
            yield f"order {order.key} has no end: {order.state}"
        elif not _told(order, phase.inboxes.get(order.msisdn, ())):
            yield f"order {order.key} ({order.state} {order.code}) was told by no SMS"


def _told(order: Order, inbox: Sequence[Sms]) -> bool:
    """Who read a no on the very screen is told no more."""
    said = [one for sms in inbox for one in tellings(sms.text) if one.centimos == order.centimos]
    if order.state == "posted":
        return any(one.what is What.SENT and one.reference == order.reference for one in said)
    return not order.pending or any(one.what is What.NOT_DONE for one in said)


def _out_of_order(phase: Phase) -> Iterator[str]:
    orders = {order.key: order for order in phase.orders}
    last: dict[str, int] = defaultdict(int)
    for key in phase.posted:
        order = orders.get(key)
        if order is None:
            continue
        for account in order.accounts:
            if order.turn < last[account]:
                yield f"order {key} was posted after a later one of {account}"
            last[account] = max(last[account], order.turn)


def _not_drained(phase: Phase) -> Iterator[str]:
    if phase.drained_s is None:
        yield "the queue did not drain by itself"
