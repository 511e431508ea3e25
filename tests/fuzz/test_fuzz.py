"""Each target has a moment of every run, and would notice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, prepared


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found_in_a_moment(target: str) -> None:
    """`scripts/fuzz` takes longer."""
    prepared(TARGETS[target], examples=15)()


def test_a_parser_that_breaks_is_found() -> None:
    """The engines' common way in, with a fault put in on purpose."""

    @given(text=st.text(max_size=4))
    def breaks_on_a_star(text: str) -> None:
        assert "*" not in text

    with pytest.raises(AssertionError):
        prepared(breaks_on_a_star, examples=2_000)()
