"""The arithmetic behind the measurements."""

from __future__ import annotations

import pytest

from tests.bench.figures import Spread, percentile, ratio, short, spread, table


@pytest.mark.parametrize("values", [[], [1.0]])
def test_rounds_that_do_not_match_have_no_ratio(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        ratio(values, [1.0, 2.0])


def test_a_ratio_is_taken_round_by_round_so_that_a_slow_round_disturbs_neither() -> None:
    ours, theirs = [10.0, 20.0, 1000.0], [10.0, 10.0, 500.0]
    assert ratio(ours, theirs) == Spread(2.0, 1.0, 2.0)


def test_the_spread_of_rounds_is_their_middle_and_their_ends() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.001, 1)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, 0), (1234.5, 1234), (0.0012345, 0.00123), (12.345, 12.3), (-0.12345, -0.123)],
)
def test_three_digits_are_as_many_as_mean_anything(value: float, said: float) -> None:
    assert short(value) == said


def test_a_table_has_the_columns_of_all_its_rows() -> None:
    assert table({"one": {"a": 1}, "three": {"b": 2}}) == "       a  b\none    1  -\nthree  -  2"
