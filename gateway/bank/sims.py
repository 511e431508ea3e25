"""A SIM that was changed lately moves no money until staff have seen its member.

Asked when a member has said what to move, before the screen that confirms, and again with the order
itself, where the answer is a remembered one as a rule. Never at a dial: looking is free.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from gateway.bounds import SIM_UNKNOWN_S
from gateway.db.pool import Database
from gateway.sim.port import Changed, NotChanged, SimSwap, Unknown
from gateway.values.member import MemberView
from gateway.values.msisdn import Msisdn


class WhenUnknown(StrEnum):
    """What it means that nobody can say."""

    ALLOW = "allow"
    CAREFUL = "careful"
    LOOK_ONLY = "look_only"


@dataclass(frozen=True, slots=True)
class Sims:
    """The policy.

    Args:
        database: where cautions begin.
        swaps: who knows SIM cards.
        hours: for how long a change counts as recent.
        unknown: what "unknown" means.
    """

    database: Database
    swaps: SimSwap
    hours: int
    unknown: WhenUnknown

    def look(self, member: MemberView, msisdn: Msisdn, now: dt.datetime) -> None:
        """Be careful with a member whose SIM is new, from now on: the orders' own judgement reads
        it.

        Raises:
            DatabaseUnavailableError: nothing is known, and no order is taken either.
        """
        match self.swaps.changed_since(msisdn, self.hours):
            case Changed(at):
                self.database.call(
                    "select instructions.sim_changed(%s, %s, %s, %s)",
                    (member.ref, at, dt.timedelta(hours=self.hours), now),
                )
            case Unknown() if self.unknown is not WhenUnknown.ALLOW:
                until = now + dt.timedelta(seconds=SIM_UNKNOWN_S)
                self.database.call(
                    "select instructions.sim_unknown(%s, %s, %s, %s)",
                    (member.ref, self.unknown.value, until, now),
                )
            case NotChanged() | Unknown():
                pass

    def barred(self, member: MemberView, now: dt.datetime) -> str | None:
        """The code that an order of theirs would be refused with now; None where it would not."""
        row = self.database.row("select instructions.barred_now(%s, %s) as code", (member.ref, now))
        code: str | None = row["code"]
        return code
