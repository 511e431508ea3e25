"""Each line of the verdict fails on made-up figures that break it, and on those alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.verdict import Sms
from tests.slow_core.dialling import Hop
from tests.slow_core.verdict import Order, Phase, faults, percentile

ROSA, SEGUNDO = "+51987000001", "+51987000002"
FIRST = Order("k1", 1, ROSA, ("100-1", "100-2"), 50_00, "posted", "", "AB12CD34", pending=True)
SECOND = Order("k2", 2, SEGUNDO, ("100-2", "100-3"), 60_00, "closed", "expired", "", pending=True)
SENT = Sms(1.0, "Enviaste S/ 50.00 a Segundo C. el 24 nov, op. AB12CD34. Si no fuiste tu, llama.")
NOT_DONE = Sms(2.0, "Tu pedido de S/ 60.00 NO se hizo. No se movio tu dinero.")
QUICK = Hop(needs_core=False, last=False, took_s=0.02, text="CON 1. Saldo")
SLOW = Hop(needs_core=True, last=True, took_s=3.1, text="END En proceso.")


def good() -> Phase:
    """Two orders while the core was slow: one was posted, one expired, and both were told."""
    return Phase(
        "slow",
        hops=[*[QUICK] * 60, *[SLOW] * 40],
        orders=[FIRST, SECOND],
        posted=["k1"],
        inboxes={ROSA: [SENT], SEGUNDO: [NOT_DONE]},
        left=2,
        drained_s=12.0,
    )


BROKEN: tuple[tuple[str, Callable[[Phase], Phase]], ...] = (
    ("p95 of 100 hops", lambda p: replace(p, hops=[*p.hops[:90], *[replace(SLOW, took_s=5)] * 10])),
    ("need no core", lambda p: replace(p, hops=[*[replace(QUICK, took_s=0.3)] * 10, *p.hops[10:]])),
    ("p95 of 0 hops", lambda p: replace(p, hops=[])),
    ("no screen", lambda p: replace(p, hops=[*p.hops, replace(QUICK, text="")])),
    ("here and not at the core", lambda p: replace(p, posted=[])),
    ("at the core and not here", lambda p: replace(p, posted=["k1", "k2"])),
    ("posted 2 times", lambda p: replace(p, posted=["k1", "k1"])),
    ("told by no SMS", lambda p: replace(p, inboxes={ROSA: [SENT]})),
    ("told by no SMS", lambda p: replace(p, inboxes={SEGUNDO: [NOT_DONE]})),
    ("no end", lambda p: replace(p, orders=[FIRST, replace(SECOND, state="unknown")])),
    ("did not drain", lambda p: replace(p, drained_s=None)),
)


@pytest.mark.parametrize(("words", "spoil"), BROKEN, ids=[words for words, _ in BROKEN])
def test_what_is_wrong_is_said_once(words: str, spoil: Callable[[Phase], Phase]) -> None:
    (fault,) = faults(spoil(good()))
    assert words in fault


def test_nothing_is_wrong_with_orders_that_ended_and_were_told() -> None:
    assert faults(good()) == []


def test_an_order_that_passes_an_earlier_one_of_its_account_is_a_fault() -> None:
    later = replace(SECOND, state="posted", code="", reference="EF56GH78")
    sent = Sms(2.0, "Enviaste S/ 60.00 a Elmer T. el 24 nov, op. EF56GH78. Si no fuiste tu, llama.")
    phase = replace(
        good(), orders=[FIRST, later], inboxes={ROSA: [SENT], SEGUNDO: [sent]}, posted=["k1", "k2"]
    )
    assert faults(phase) == []

    (fault,) = faults(replace(phase, posted=["k2", "k1"]))

    assert "after a later one of 100-2" in fault


def test_who_read_the_no_on_the_screen_needs_no_message() -> None:
    read = replace(SECOND, state="refused", code="over_limit", pending=False)
    assert faults(replace(good(), orders=[FIRST, read], inboxes={ROSA: [SENT]})) == []


def test_a_percentile_of_nothing_is_nothing() -> None:
    assert percentile([], 0.95) == 0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
