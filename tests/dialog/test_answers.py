"""What people type, and what it means: the wrong ones first."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounds import AMOUNT_MAX_CENTIMOS
from gateway.dialog.answers import NotUnderstoodError, day, money
from gateway.values.money import Money
from gateway.values.outcome import Day


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "not_an_amount"),
        ("cincuenta", "not_an_amount"),
        ("-50", "not_an_amount"),
        ("50.505", "amount_ambiguous"),
        ("1,250", "amount_ambiguous"),
        ("1.250", "amount_ambiguous"),
        ("1,250,000", "amount_ambiguous"),
        ("12,50.00", "not_an_amount"),
        ("1.250,50", "not_an_amount"),
        ("50.", "not_an_amount"),
        ("5 0", "not_an_amount"),
        ("50*", "not_an_amount"),
        ("٥٠", "not_an_amount"),
        ("0.00", "amount_zero"),
        ("00", "amount_zero"),
        ("1000000", "amount_too_big"),
        ("9" * 5_000, "not_an_amount"),
    ],
)
def test_an_amount_that_is_not_clear_is_asked_again(typed: str, code: str) -> None:
    """Nobody guesses with money."""
    with pytest.raises(NotUnderstoodError) as refused:
        money(typed)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("typed", "centimos"),
    [
        ("50", 50_00),
        ("50.5", 50_50),
        ("50,50", 50_50),
        ("S/50", 50_00),
        ("S/. 50.50", 50_50),
        ("s/ 50", 50_00),
        ("50 soles", 50_00),
        ("0.05", 5),
        ("1250", 1_250_00),
        ("1,250.50", 1_250_50),
        ("999,999.99", AMOUNT_MAX_CENTIMOS),
    ],
)
def test_an_amount_is_understood_as_farmers_type_it(typed: str, centimos: int) -> None:
    """With point or comma, with or without the currency."""
    assert money(typed) == Money(centimos)


@given(st.integers(1, AMOUNT_MAX_CENTIMOS))
def test_an_amount_that_we_wrote_is_understood(centimos: int) -> None:
    """Who copies an amount from a screen is understood."""
    assert money(str(Money(centimos))) == Money(centimos)


@given(st.text(max_size=30))
def test_no_answer_raises_anything_else(typed: str) -> None:
    """Whatever is typed is a value or is asked again."""
    for understand in (money, day):
        with contextlib.suppress(NotUnderstoodError):
            understand(typed)


@pytest.mark.parametrize("typed", ["", "hoy", "32/1/26", "29/02/26", "2512", "25/12", "1/13/2026"])
def test_a_date_that_is_none_is_asked_again(typed: str) -> None:
    """The day comes first, and it must exist."""
    with pytest.raises(NotUnderstoodError):
        day(typed)


@pytest.mark.parametrize("typed", ["25/12/2026", "25 12 26", "25-12-26", "251226", "25122026"])
def test_a_date_is_understood_with_the_day_first(typed: str) -> None:
    """On a keypad a stroke is far away."""
    assert day(typed) == Day(dt.date(2026, 12, 25))
