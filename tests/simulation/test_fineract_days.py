"""A few simulated days over the Fineract adapter and its double: the promises hold there too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.campaign import KINDS_OF_FINERACT, Tally, shown, tried
from tests.simulation.fineract import FAULTS, key_of
from tests.simulation.house import House, own_house
from tests.simulation.run import simulate

# Days whose core fails in most of its commands. A longer proof, of all kinds of days, is
# `scripts/simulate --core fineract --minutes 30`.
SEEDS = (2, 19, 22, 31, 35, 57, 71, 76, 80, 87, 91, 113)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Real stores, and a Fineract in every run."""
    with own_house(fineract=True) as house:
        yield house


def test_a_dozen_days_break_no_promise(house: House) -> None:
    """A failing seed prints its script, and how to play it again."""
    tally = Tally()

    for seed in SEEDS:
        tally.add(tried(house, seed))

    scripts = "\n".join(line for outcome in tally.failed for line in shown(outcome))
    assert not tally.failed, scripts
    assert tally.counts["Fineract"] == len(SEEDS)
    assert tally.counts["posting"] > len(SEEDS)
    assert sum(tally.counts[f"core {fault}"] for fault in FAULTS) > len(SEEDS)
    assert tally.counts["core timed out"] > 0


def test_a_seed_is_always_the_same_day(house: House) -> None:
    """Whatever was simulated before, what a breaker or a cache remembers included."""
    first = simulate(house, 2)
    tried(house, 19)

    again = simulate(house, 2)

    assert [*map(str, again.events)] == [*map(str, first.events)]
    assert len(first.events) > 20


def test_every_fault_of_the_double_is_one_of_the_kinds() -> None:
    assert {f"core {fault}" for fault in FAULTS} <= set(KINDS_OF_FINERACT)


@pytest.mark.parametrize(
    ("description", "key"),
    [
        ("", ""),
        ("a transfer by staff", ""),
        ("AB12CD34 00000000000000000000000000000001 other", ""),
        (
            "AB12CD34 00000000000000000000000000000001 send: Rosa Q. > Elmer T.",
            "00000000-0000-0000-0000-000000000001",
        ),
    ],
)
def test_only_our_own_transfers_bear_a_key(description: str, key: str) -> None:
    assert key_of(description) == key
