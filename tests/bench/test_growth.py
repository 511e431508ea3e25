"""Sizes in turn, and how the largest stands to the smallest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.bench.figures import spread
from tests.bench.growth import GrowthFigures, Size, Window, in_turn, sizes


def test_the_entries_come_with_the_largest_once_more() -> None:
    assert sizes((40, 400), 5_000) == [Size(40), Size(400), Size(400, 5_000)]
    assert sizes((40, 400), 0) == [Size(40), Size(400)]


def test_each_size_has_a_folder_of_its_own() -> None:
    assert [size.folder for size in sizes((40, 400), 5_000)] == ["40", "400", "400-5000"]


def test_sizes_are_measured_there_and_back_again() -> None:
    order: list[str] = []

    def window(name: str) -> Window:
        def measured() -> Mapping[str, float]:
            order.append(name)
            return {"place": len(order)}

        return measured

    figures = in_turn([window("small"), window("large")], 3, lambda number: None)

    assert order == ["small", "large", "large", "small", "small", "large"]
    assert [list(found["place"]) for found in figures] == [[1, 4, 5], [2, 3, 6]]


SMALL = {
    "hop_cpu_us": [100.0, 200.0],
    "hop_postgres_cpu_us": [100.0, 200.0],
    "transfer_cpu_us": [300.0, 600.0],
    "transfers/s": [3000.0, 1500.0],
}
LARGE = {
    "hop_cpu_us": [100.0, 200.0],
    "hop_postgres_cpu_us": [120.0, 240.0],
    "transfer_cpu_us": [330.0, 660.0],
    "transfers/s": [2000.0, 1000.0],
}


def test_growth_is_the_largest_over_the_smallest_of_the_same_round() -> None:
    """And apart from it, what entries add to that."""
    between = {name: [9.0, 9.0] for name in SMALL}
    slow = {name: [1.0, 1.0] for name in SMALL}
    figures = {Size(40): SMALL, Size(400): between, Size(4_000): LARGE, Size(4_000, 50_000): slow}

    ratios = GrowthFigures(figures, {}).ratios()

    assert ratios["growth_of_hop_cost"] == spread([1.1, 1.1])
    assert ratios["growth_of_transfer_cost"].median == pytest.approx(1.1)
    assert ratios["growth_of_transfer_time"] == spread([1.5, 1.5])
    assert ratios["growth_of_transfer_time_with_entries"] == spread([3000.0, 1500.0])


def test_each_size_says_what_it_costs_over_the_smallest() -> None:
    rows = GrowthFigures({Size(40): SMALL, Size(4_000): LARGE}, {}).rows()

    assert rows["40 members"]["hop_cost"] == spread([1.0])
    assert rows["4,000 members"]["hop_cost"] == spread([1.1])
    assert rows["4,000 members"]["hop_cpu_us"] == spread([100.0, 200.0])
