"""What a cooperative's core lets us know, and what it asks us to send."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum


class Subject(StrEnum):
    """What a hint is about."""

    SAVINGS = "savings"  # a line of a savings account
    LOAN = "loan"  # a loan that was paid out
    TRANSFER = "transfer"  # from one account to another


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may have happened at the core. It is believed only when it is read back there.

    Args:
        account_id: the core's own number of the account or loan.
        line_id: of the transaction, or of the transfer's details; of a loan, the loan's again.
    """

    subject: Subject
    account_id: int
    line_id: int


@dataclass(frozen=True, slots=True)
class CoreMessage:
    """A message that the core wants to be sent. Whose number it is decides whether it is.

    Args:
        id: the core's; it comes again with the same until we have taken it.
        number: as somebody typed it at the core.
        advertises: it is no service to its reader, who has to have asked for such.
    """

    id: int
    number: str = field(repr=False)
    text: str = field(repr=False)
    advertises: bool


class Fate(StrEnum):
    """How far a message got."""

    UNDER_WAY = "under_way"
    SENT = "sent"  # a network took it long ago, and says no more of it
    DELIVERED = "delivered"
    FAILED = "failed"  # or it was for nobody whom we may write to


@dataclass(frozen=True, slots=True)
class MessageFate:
    """What became of the message of this id. `ours` is how we call it; `at`, since when."""

    id: int
    ours: str
    fate: Fate
    at: dt.datetime | None
