"""Schedules add up to the céntimo."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.schedule import french, months_after, single
from gateway.values.money import Money

DAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(("principal", "instalments"), [(0, 12), (-1, 12), (100_00, 0)])
def test_a_schedule_of_nothing_is_refused(principal: int, instalments: int) -> None:
    with pytest.raises(ValueError, match="principal"):
        french(Money(principal), 360_000, DAY, instalments)


@pytest.mark.parametrize(("principal", "days"), [(0, 180), (100_00, 0), (100_00, -1)])
def test_a_single_payment_is_due_after_it_is_disbursed(principal: int, days: int) -> None:
    with pytest.raises(ValueError, match="principal"):
        single(Money(principal), 300_000, DAY, DAY + dt.timedelta(days))


def test_a_french_schedule_repays_the_principal_in_constant_instalments() -> None:
    schedule = french(Money(1_000_00), 240_000, dt.date(2026, 1, 31), 6)
    assert [one.total.centimos for one in schedule] == [177_38] * 5 + [177_36]
    assert [one.interest.centimos for one in schedule] == [18_09, 15_21, 12_27, 9_29, 6_25, 3_15]
    assert sum(one.principal.centimos for one in schedule) == 1_000_00
    assert [one.due_on.isoformat() for one in schedule] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
        "2026-06-30",
    ]


def test_without_interest_the_last_instalment_takes_the_rest() -> None:
    schedule = french(Money(100_00), 0, DAY, 3)
    assert [one.total.centimos for one in schedule] == [33_33, 33_33, 33_34]


def test_a_campaign_loan_asks_all_at_once() -> None:
    (whole,) = single(Money(1_000_00), 440_000, DAY, DAY + dt.timedelta(180))
    assert (whole.principal, whole.interest) == (Money(1_000_00), Money(200_00))  # 1.44 ** 0.5


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-11-23", 2, "2027-01-23"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-01-15", 0, "2026-01-15"),
    ],
)
def test_months_are_counted_on_the_calendar(day: str, months: int, expected: str) -> None:
    assert months_after(dt.date.fromisoformat(day), months).isoformat() == expected


@given(
    principal=st.integers(1_00, 100_000_00),
    tea_ppm=st.integers(0, 1_200_000),
    instalments=st.integers(1, 60),
)
def test_every_french_schedule_adds_up_and_falls(
    principal: int, tea_ppm: int, instalments: int
) -> None:
    schedule = french(Money(principal), tea_ppm, DAY, instalments)
    assert sum(one.principal.centimos for one in schedule) == principal
    assert all(one.principal.centimos >= 0 and one.interest.centimos >= 0 for one in schedule)
    interests = [one.interest.centimos for one in schedule]
    assert interests == sorted(interests, reverse=True)
    # Only the last one makes up for rounding.
    assert all(one.total <= schedule[0].total for one in schedule[:-1])
