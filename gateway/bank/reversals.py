"""Giving back what an order moved: one of staff asks, another agrees, the core reverses."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from gateway.db.pool import Database, Row
from gateway.ledger.port import (
    Done,
    Ledger,
    NotOfferedError,
    Order,
    Refused,
    Repayment,
    RepaymentMode,
    Transfer,
)
from gateway.values.money import Money

REASONS = ("wrong_person", "twice", "fraud", "our_fault")

_ASK = "select bank.ask_reversal(%s, %s, %s, %s, %s) as request"
_APPROVE = "select * from bank.approve_reversal(%s, %s, %s)"
_NOTE = "select bank.note_reversal(%s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Reversals:
    """The desk for reversals.

    Args:
        database: signed in as staff.
        ledger: the core.
        now: the time, aware.
        today: the business day that a reversal is of.
    """

    database: Database
    ledger: Ledger
    now: dt.datetime
    today: dt.date

    @property
    def offered(self) -> bool:
        """Whether the core can reverse at all."""
        return self.ledger.capabilities().reversal

    def ask(self, key: uuid.UUID, reason: str, claim: int | None, by: str) -> int | None:
        """Ask for it. None: the order moved nothing, or it was asked for before."""
        row = self.database.row(_ASK, (key, reason, claim, by, self.now))
        request: int | None = row["request"]
        return request

    def approve(self, request: int, by: str) -> str:
        """Agree, and have the core reverse it: `posted`, a refusal's code, `later` (the core gave
        no last word: do it again), `not_offered`, or why it could not be decided: `none`,
        `decided`, `same_person`.

        The core is asked under a key of the request's own, so that asking again does it once.
        """
        if not self.offered:
            return "not_offered"
        row = self.database.row(_APPROVE, (request, by, self.now))
        if row["verdict"] != "done":
            return str(row["verdict"])
        try:
            outcome = self.ledger.reverse(row["key"], _order(row), self.today)
        except NotOfferedError:
            return "not_offered"
        match outcome:
            case Done(reference):
                self._note(request, by, posted=True, code=None, reference=reference)
                return "posted"
            case Refused(code):
                self._note(request, by, posted=False, code=code, reference=None)
                return code
            case _:
                return "later"

    def _note(
        self, request: int, by: str, *, posted: bool, code: str | None, reference: str | None
    ) -> None:
        self.database.call(_NOTE, (request, posted, code, reference, by, self.now))


def _order(row: Row) -> Order:
    amount = Money(row["amount_centimos"])
    key, source, target = row["instruction_key"], row["source"], row["target"]
    day, owner = row["business_date"], row["member_ref"]
    if row["mode"] is None:
        return Transfer(key, source, target, amount, day, owner)
    return Repayment(key, source, target, amount, RepaymentMode(row["mode"]), day, owner)
