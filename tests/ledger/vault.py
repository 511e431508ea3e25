"""A core that is not ours, for the example: members, savings accounts, and money that moves."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.ledger.schedule import Instalment
from gateway.values.money import ZERO, Money

CASH = "cash"


class VaultError(Exception):
    """The core says no. The text is its own code."""


@dataclass
class Line:
    """A line in the core's books."""

    reference: str
    source: str
    target: str
    centimos: int
    on: dt.date


@dataclass
class Vault:
    """The core. Yours is somewhere else."""

    owners: dict[str, str] = field(default_factory=dict)  # account: member
    names: dict[str, str] = field(default_factory=dict)  # member: short name
    products: dict[str, str] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def by_reference(self, reference: str) -> Line | None:
        """What became of a reference."""
        return next((line for line in self.lines if line.reference == reference), None)

    def move(self, line: Line) -> bool:
        """Move money, once for its reference; answers whether this call did."""
        with self.lock:
            if self.by_reference(line.reference):
                return False
            if line.source != CASH and self.balances[line.source] < line.centimos:
                raise VaultError("NSF")
            for account, change in ((line.source, -line.centimos), (line.target, line.centimos)):
                if account != CASH:
                    self.balances[account] += change
            self.lines.append(line)
            return True

    # What its staff do.

    def enrol_person(
        self, member_ref: str, dni: str, first_names: str, last_names: str, birth_date: dt.date
    ) -> bool:
        """A member."""
        self.names[member_ref] = f"{first_names.split()[0]} {last_names[0]}."
        return True

    def open_savings(
        self,
        code: str,
        name: str,
        member_ref: str,
        opening: Money,
        business_date: dt.date,
        floor: Money = ZERO,
    ) -> bool:
        """An account with a first deposit."""
        self.owners[code], self.products[code], self.balances[code] = member_ref, name, 0
        return self.move(Line(f"opening-{code}", CASH, code, opening.centimos, business_date))

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
        """It lends nothing."""
        return False
