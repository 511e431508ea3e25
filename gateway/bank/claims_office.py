"""What staff do with a claim: hold what is still there, give it free again, settle it."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass

from gateway.bank.claims import Claim, hold_what_is_there
from gateway.bounds import CLAIM_HOLD_S
from gateway.db.pool import Database, Row
from gateway.ledger.port import (
    Ledger,
    LedgerUnavailableError,
    NoSuchHoldError,
    NotOfferedError,
)
from gateway.values.money import Money

_FOUND = "select * from bank.claim_to_hold(%s)"
_HELD = "select bank.note_hold(%s, %s, %s, %s, 'staff', %s, %s) as noted"
_RELEASED = "select bank.note_release(%s, %s, %s) as noted"
_SETTLED = "select bank.resolve_claim(%s, %s, %s, %s) as settled"


@dataclass(frozen=True, slots=True)
class ClaimsOffice:
    """The desk for claims.

    Args:
        database: signed in as staff.
        ledger: the core that has the money.
        now: the time, aware.
    """

    database: Database
    ledger: Ledger
    now: dt.datetime

    def hold(self, number: int, by: str) -> str:
        """`held`, `none` (no such claim), `settled` (or held already), `nothing` (nothing is left,
        or the core has no holds)."""
        row = self._found(number)
        if row is None:
            return "none"
        if row["state"] != "open" or row["hold_key"]:
            return "settled"
        claim = Claim(
            number=number,
            created=False,
            payee_ref=row["payee_ref"],
            account=row["account"],
            amount=Money(row["amount_centimos"]),
        )
        until = self.now + dt.timedelta(seconds=CLAIM_HOLD_S)
        held = hold_what_is_there(claim, self.ledger, until)
        if held is None:
            return "nothing"
        noted = self.database.row(_HELD, (number, *held, until, by, self.now))["noted"]
        if not noted:
            with suppress(LedgerUnavailableError):  # else it runs out by itself
                self.ledger.void_hold(held[0])  # somebody was faster
        return "held" if noted else "settled"

    def release(self, number: int, by: str) -> str:
        """`released`, `none`, `nothing` (nothing is held) or `elsewhere` (the hold is in a core
        that is not this one)."""
        row = self._found(number)
        if row is None:
            return "none"
        if row["hold_key"] is None:
            return "nothing"
        try:
            self.ledger.void_hold(row["hold_key"])
        except (NoSuchHoldError, NotOfferedError):
            return "elsewhere"
        noted = self.database.row(_RELEASED, (number, by, self.now))["noted"]
        return "released" if noted else "nothing"

    def settle(self, number: int, how: str, by: str) -> str:
        """`settled`, `none`, `before` (it was settled) or `elsewhere`. What is held is released
        first."""
        released = self.release(number, by)
        if released in {"none", "elsewhere"}:
            return released
        settled = self.database.row(_SETTLED, (number, how, by, self.now))["settled"]
        return "settled" if settled else "before"

    def _found(self, number: int) -> Row | None:
        rows = self.database.call(_FOUND, (number,))
        return rows[0] if rows else None
