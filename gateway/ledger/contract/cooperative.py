"""The people of the contract suite, and the desk that opens their accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from gateway.ledger.schedule import Instalment, french, months_after, single
from gateway.values.money import ZERO, Money

TODAY = dt.date(2026, 11, 23)
BORN = dt.date(1980, 5, 17)

ROSA, SEGUNDO, ELMER = "m-rosa", "m-segundo", "m-elmer"
ROSAS, SEGUNDOS, ELMERS, ELMERS_HARVEST = "100-1", "100-2", "100-3", "100-13"
SEGUNDOS_SHARES = "100-9"  # opened where a test asks for it
ROSAS_LOAN, ELMERS_LOAN = "200-1", "200-3"

# Six instalments of S/ 85.40 are left, the first one is due today.
ROSAS_SCHEDULE = french(Money(870_96), 360_000, months_after(TODAY, -6), instalments=12)
ROSAS_LOAN_BEGAN = months_after(TODAY, -7)
# S/ 3,000.00 were due 12 days ago.
ELMERS_LOAN_BEGAN = TODAY - dt.timedelta(days=192)
ELMERS_SCHEDULE = single(Money(2_631_17), 300_000, ELMERS_LOAN_BEGAN, TODAY - dt.timedelta(days=12))


class Office(Protocol):
    """The part of a core that opens what the gateway only moves."""

    def enrol_person(
        self, member_ref: str, dni: str, first_names: str, last_names: str, birth_date: dt.date
    ) -> bool:
        """A member of the cooperative."""

    def open_savings(
        self,
        code: str,
        name: str,
        member_ref: str,
        opening: Money,
        business_date: dt.date,
        floor: Money = ZERO,
    ) -> bool:
        """A savings account with a balance from the books before."""

    def open_loan(
        self,
        code: str,
        name: str,
        member_ref: str,
        schedule: Sequence[Instalment],
        disbursed_on: dt.date,
        business_date: dt.date,
        product: str = "personal",
        paid_instalments: int = 0,
        principal_to: str = "opening",
    ) -> bool:
        """A loan with its whole schedule."""


def found(office: Office) -> None:
    """Three members: Rosa S/ 1,250.50, Segundo S/ 310.00, Elmer S/ 80.00 and S/ 5,000.00, and the
    loans of Rosa and Elmer. Doing it twice changes nothing."""
    office.enrol_person(ROSA, "40000001", "Rosa", "Quispe Huamán", BORN)
    office.enrol_person(SEGUNDO, "40000002", "Segundo", "Chinchay Neyra", BORN)
    office.enrol_person(ELMER, "40000003", "Elmer", "Tantalean Rojas", BORN)
    office.open_savings(ROSAS, "Ahorro", ROSA, Money(1_250_50), TODAY)
    office.open_savings(SEGUNDOS, "Ahorro", SEGUNDO, Money(310_00), TODAY)
    office.open_savings(ELMERS, "Ahorro", ELMER, Money(80_00), TODAY)
    office.open_savings(ELMERS_HARVEST, "Ahorro cosecha", ELMER, Money(5_000_00), TODAY)
    office.open_loan(
        ROSAS_LOAN,
        "Campaña café",
        ROSA,
        ROSAS_SCHEDULE,
        disbursed_on=ROSAS_LOAN_BEGAN,
        business_date=TODAY,
        paid_instalments=6,
    )
    office.open_loan(
        ELMERS_LOAN,
        "Campaña",
        ELMER,
        ELMERS_SCHEDULE,
        disbursed_on=ELMERS_LOAN_BEGAN,
        business_date=TODAY,
        product="campaign",
    )
