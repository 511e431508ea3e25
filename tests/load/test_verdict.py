"""A verdict that cannot fail is worth nothing: each of these counts must be found faulty."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.load.provider import Provider
from tests.load.verdict import RSS_GROWTH_MAX_KB_PER_MIN, Load, faults

TOLD = {f"Op. {number}": float(number) for number in range(100)}
GOOD = Load(
    told=TOLD,
    taken=dict.fromkeys(TOLD, 1) | {"Op. 7": 2},
    unheard={"Op. 7": 1},
    refused={"Op. 8": 3},
    first_at={text: at + 1 for text, at in TOLD.items()},
    sent=100,
    dead=0,
    unsettled=0,
    rss_kb=[(float(second), 70_000) for second in range(300)],
    connections_max=5,
    waiting_max=20,
    at_once_max=12,
)


def growing(kb_per_min: int) -> list[tuple[float, int]]:
    return [(float(second), 70_000 + second * kb_per_min // 60) for second in range(300)]


def test_counts_that_are_right_are_found_right():
    assert faults(GOOD) == []
    assert GOOD.repeated == 1
    assert faults(replace(GOOD, rss_kb=growing(RSS_GROWTH_MAX_KB_PER_MIN // 2))) == []
    warming_up = growing(2 * RSS_GROWTH_MAX_KB_PER_MIN)[:120]
    assert faults(replace(GOOD, rss_kb=warming_up)) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"told": {}, "taken": {}, "first_at": {}, "sent": 0}, "nothing is proven"),
        ({"taken": dict.fromkeys(list(TOLD)[1:], 1)}, "1 messages are lost: ['Op. 0']"),
        ({"taken": GOOD.taken | {"Op. 9": 2}}, "more often than lost answers explain: ['Op. 9']"),
        ({"taken": GOOD.taken | {"Op. 7": 3}}, "more often than lost answers explain: ['Op. 7']"),
        ({"taken": GOOD.taken | {"Op. 777": 1}}, "nobody told: ['Op. 777']"),
        ({"unheard": {}, "taken": dict.fromkeys(TOLD, 1)}, "the bound was not tried"),
        ({"first_at": {text: at + 9 for text, at in TOLD.items()}}, "waited longer"),
        ({"dead": 1}, "1 messages were given up"),
        ({"unsettled": 2}, "2 rows of the outbox have no end"),
        ({"sent": 99}, "99 rows are marked as sent, of 100 told"),
        ({"rss_kb": growing(2 * RSS_GROWTH_MAX_KB_PER_MIN)}, "the worker grows by"),
    ],
)
def test_counts_that_are_wrong_are_found_faulty(wrong, named):
    (fault,) = faults(replace(GOOD, **wrong))
    assert named in fault


def test_the_provider_fails_as_often_as_it_should_and_takes_half_of_that():
    with Provider(think_s=0, failing=0.1, seed=1) as provider:
        answers = Counter(type(provider.answer(f"Op. {number}")) for number in range(4_000))
    counts = provider.counts
    assert 0.04 < counts.unheard.total() / 4_000 < 0.06
    assert 0.04 < counts.refused.total() / 4_000 < 0.06
    assert counts.taken.total() == 4_000 - counts.refused.total()
    assert answers[type(None)] == counts.unheard.total()
