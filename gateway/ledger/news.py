"""What happened at the core without us, read back there."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.values.core_news import Hint
from gateway.values.money import Money


class Happening(StrEnum):
    """What it is to its member. The names are those of the receipts."""

    CREDIT = "core_credit"
    DEBIT = "core_debit"
    LOAN = "core_loan"  # paid out


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that is in the core's books now.

    Args:
        key: of the order of ours that did it; None where somebody else did.
        member_ref: whose account it is; empty where the core has no name of ours for them.
        account: what kind of account, as its owner knows it.
        reference: what the core calls it.
    """

    key: uuid.UUID | None
    what: Happening
    member_ref: str
    account: str = field(repr=False)
    amount: Money
    on: dt.date
    reference: str


class Newsroom(Protocol):
    """A core that can be asked about a hint."""

    def look(self, hint: Hint) -> Happened | None:
        """What the hint is about; None where there is no such thing, or it was taken back.

        Raises:
            LedgerUnavailableError: it cannot be said now.
        """
