"""What a tax or a loan comes to on a day, in whole céntimos: the rules as pure functions.

The own ledger has the same rules in SQL, next to its rows and locks. The in-memory twin uses these,
and the contract suite holds both to the same figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.ledger.schedule import PPM, YEAR_DAYS, Instalment

ITF_PPM = 50  # 0.005 %, since 2011-04-01 (Ley 29667)
ITF_STEP_CENTIMOS = 5  # rounded down to a multiple of S/ 0.05
LATE_PPM = 150_000  # 15 % a year of 360 days, simple, on overdue principal
ALLOCATION_ORDER = ("late", "interest", "principal")


def itf_centimos(amount_centimos: int) -> int:
    """ITF on one debit or credit of a savings account."""
    return amount_centimos * ITF_PPM // (PPM * ITF_STEP_CENTIMOS) * ITF_STEP_CENTIMOS


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a payment paid of one instalment. Negative: a payment that was undone.

    `component` is one of `ALLOCATION_ORDER`, or `rebate`: interest given up by an early payoff.
    """

    number: int
    component: str
    centimos: int
    business_date: dt.date


@dataclass(frozen=True, slots=True)
class OpenInstalment:
    """An instalment on a day, and what closes it, in céntimos.

    `accrued` is interest earned by that day and not paid, `unaccrued` what the schedule still has.
    """

    number: int
    due_on: dt.date
    late: int
    accrued: int
    unaccrued: int
    principal: int

    @property
    def scheduled(self) -> int:
        """Everything but the late charge."""
        return self.accrued + self.unaccrued + self.principal

    @property
    def payoff(self) -> int:
        """What closes it today, with the interest of the days to come given up."""
        return self.late + self.accrued + self.principal


def open_instalments(
    schedule: Sequence[Instalment],
    disbursed_on: dt.date,
    allocations: Iterable[Allocation],
    on: dt.date,
) -> list[OpenInstalment]:
    """The instalments that are open on a day, oldest first."""
    paid = list(allocations)
    standing = []
    begins_on = disbursed_on
    for number, instalment in enumerate(schedule, start=1):
        own = [allocation for allocation in paid if allocation.number == number]
        one = _standing(number, instalment, begins_on, own, on)
        if one.late or one.scheduled:
            standing.append(one)
        begins_on = instalment.due_on
    return standing


def allocate(
    opened: Sequence[OpenInstalment],
    amount_centimos: int,
    business_date: dt.date,
    *,
    pays_off: bool,
) -> list[Allocation]:
    """Share a payment out: the oldest instalment first, within it in `ALLOCATION_ORDER`."""
    shared = []
    left = amount_centimos
    for one in opened:
        wanted = {
            "late": one.late,
            "interest": one.accrued + (0 if pays_off else one.unaccrued),
            "principal": one.principal,
        }
        for component in ALLOCATION_ORDER:
            share = min(left, wanted[component])
            shared.append(Allocation(one.number, component, share, business_date))
            left -= share
        if pays_off:
            shared.append(Allocation(one.number, "rebate", one.unaccrued, business_date))
    return [allocation for allocation in shared if allocation.centimos]


def _standing(
    number: int,
    instalment: Instalment,
    begins_on: dt.date,
    paid: Sequence[Allocation],
    on: dt.date,
) -> OpenInstalment:
    interest = instalment.interest.centimos
    interest_left = interest - _sum(paid, "interest") - _sum(paid, "rebate")
    days, period = (on - begins_on).days, (instalment.due_on - begins_on).days
    earned = interest * min(max(days, 0), period) // period
    accrued = max(0, earned - (interest - interest_left))
    return OpenInstalment(
        number=number,
        due_on=instalment.due_on,
        late=max(0, _late_centimos(instalment, paid, on) - _sum(paid, "late")),
        accrued=accrued,
        unaccrued=interest_left - accrued,
        principal=instalment.principal.centimos - _sum(paid, "principal"),
    )


def _late_centimos(instalment: Instalment, paid: Sequence[Allocation], on: dt.date) -> int:
    """The charge of all days so far. Principal carries it until the day on which it is paid."""
    centimo_days = instalment.principal.centimos * _days(instalment.due_on, on)
    for allocation in paid:
        if allocation.component == "principal":
            since = max(allocation.business_date, instalment.due_on)
            centimo_days -= allocation.centimos * _days(since, on)
    return centimo_days * LATE_PPM // (PPM * YEAR_DAYS)


def _days(since: dt.date, until: dt.date) -> int:
    return max(0, (until - since).days)


def _sum(paid: Sequence[Allocation], component: str) -> int:
    return sum(allocation.centimos for allocation in paid if allocation.component == component)
