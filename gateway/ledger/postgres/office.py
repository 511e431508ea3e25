"""The desk that opens accounts: persons, savings and loans, signed in as the owner.

The gateway never does this; a seed, a migration from other books and the tests do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import scalar_row

from gateway.bounds import MONEY_MAX_CENTIMOS
from gateway.ledger.schedule import Instalment
from gateway.values.money import ZERO, Money


class LedgerOffice:
    """Opens what the ledger then only moves. Repeating a call changes nothing that is there.

    Args:
        owner: signed in as the role that owns the schemas, not as the application's.
    """

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self._owner = owner

    def enrol_person(
        self, member_ref: str, dni: str, first_names: str, last_names: str, birth_date: dt.date
    ) -> bool:
        """A member of the cooperative. False: the member was there before.

        Raises:
            psycopg.errors.UniqueViolation: the DNI is another member's.
        """
        return self._opened(
            "select ledger.open_member(%s, %s, %s, %s, %s) as opened",
            (member_ref, dni, first_names, last_names, birth_date),
        )

    def open_savings(
        self,
        code: str,
        name: str,
        member_ref: str,
        opening: Money,
        business_date: dt.date,
        floor: Money = ZERO,
    ) -> bool:
        """A savings account with a balance from the books before. False: the code was taken.

        Args:
            floor: what the balance less its holds never goes below.
        """
        return self._opened(
            "select ledger.open_savings(%s, %s, %s, %s, %s, %s, %s) as opened",
            (
                code,
                name,
                member_ref,
                opening.centimos,
                floor.centimos,
                MONEY_MAX_CENTIMOS,
                business_date,
            ),
        )

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
        """A loan with its whole schedule. False: the code was taken.

        Args:
            product: decides the late rate and what a payment covers first.
            paid_instalments: how many of the first were paid in the books before.
            principal_to: the account that gets the principal: a member's savings or `cash` for a
                new loan, `opening` for one that comes from the books before.

        Raises:
            ValueError: nothing of the schedule is left to pay.
        """
        if not 0 <= paid_instalments < len(schedule):
            raise ValueError("a loan is opened with at least one instalment left to pay")
        return self._opened(
            "select ledger.open_loan(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) as opened",
            (
                code,
                name,
                member_ref,
                product,
                disbursed_on,
                [instalment.due_on for instalment in schedule],
                [instalment.principal.centimos for instalment in schedule],
                [instalment.interest.centimos for instalment in schedule],
                paid_instalments,
                principal_to,
                -MONEY_MAX_CENTIMOS,
                business_date,
            ),
        )

    def _opened(self, sql: str, params: Sequence[object]) -> bool:
        cursor = self._owner.cursor(row_factory=scalar_row)
        return bool(cursor.execute(sql, params).fetchone())
