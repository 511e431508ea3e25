"""What a loan asks, and when: schedules in whole céntimos. Pure arithmetic, no dates of today."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from gateway.values.money import Money

PPM = 1_000_000
YEAR_DAYS = 360  # the year of Peruvian interest rates (TEA)
DIGITS = 40  # of intermediate results: rounding happens once, to the céntimo


@dataclass(frozen=True, slots=True)
class Instalment:
    """One payment that a loan asks. Interest is earned day by day since the instalment before."""

    due_on: dt.date
    principal: Money
    interest: Money

    @property
    def total(self) -> Money:
        """What its payment costs on the day it is due."""
        return self.principal + self.interest


def french(
    principal: Money, tea_ppm: int, first_due_on: dt.date, instalments: int
) -> tuple[Instalment, ...]:
    """Constant monthly instalments; the last one takes what rounding left.

    Args:
        tea_ppm: the effective annual rate in parts per million (36 % is 360_000).
        first_due_on: the others are due on the same day of the months that follow, or on the last
            day of a month that is too short.

    Raises:
        ValueError: no instalment, or no principal.
    """
    if instalments < 1 or principal.centimos < 1:
        raise ValueError("a schedule has a principal and at least one instalment")
    with localcontext(prec=DIGITS):
        month = (1 + Decimal(tea_ppm) / PPM) ** (Decimal(1) / 12) - 1
        constant = _constant_centimos(principal.centimos, month, instalments)
        rows: list[Instalment] = []
        left = principal.centimos
        for number in range(instalments):
            interest = _whole_centimos(left * month)
            last = number == instalments - 1
            paid = left if last else min(left, constant - interest)
            due_on = months_after(first_due_on, number)
            rows.append(Instalment(due_on, Money(paid), Money(interest)))
            left -= paid
    return tuple(rows)


def single(
    principal: Money, tea_ppm: int, disbursed_on: dt.date, due_on: dt.date
) -> tuple[Instalment, ...]:
    """All of it at once, with interest for the days in between: a loan for one harvest.

    Raises:
        ValueError: due before it is disbursed, or no principal.
    """
    days = (due_on - disbursed_on).days
    if days < 1 or principal.centimos < 1:
        raise ValueError("a loan is due after it is disbursed, and has a principal")
    with localcontext(prec=DIGITS):
        growth = (1 + Decimal(tea_ppm) / PPM) ** (Decimal(days) / YEAR_DAYS) - 1
        interest = _whole_centimos(principal.centimos * growth)
    return (Instalment(due_on, principal, Money(interest)),)


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day of a later (or earlier) month, or its last day where it is shorter."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month0 + 1)[1]
    return dt.date(year, month0 + 1, min(day.day, length))


def _constant_centimos(principal_centimos: int, month: Decimal, instalments: int) -> int:
    if month == 0:
        return _whole_centimos(Decimal(principal_centimos) / instalments)
    return _whole_centimos(principal_centimos * month / (1 - (1 + month) ** -instalments))


def _whole_centimos(centimos: Decimal) -> int:
    return int(centimos.to_integral_value(rounding=ROUND_HALF_UP))
