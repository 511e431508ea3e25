"""What an operation has at hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.bank.register import Members
from gateway.instructions.orders import Instructions
from gateway.ledger.port import Account, AccountKind, Ledger

if TYPE_CHECKING:
    from gateway.bank.calls import Calls
    from gateway.bank.claims import Claims
    from gateway.bank.consents import Consents
    from gateway.bank.doors import Doors
    from gateway.bank.new_pins import NewPins
    from gateway.bank.sims import Sims


@dataclass(frozen=True, slots=True)
class Desk:
    """The registers, the core ledger, and the money orders.

    `region` (ISO 3166) is where a number without a country code belongs.
    """

    members: Members
    consents: Consents
    new_pins: NewPins
    ledger: Ledger
    instructions: Instructions
    region: str
    doors: Doors
    claims: Claims
    calls: Calls
    sims: Sims

    def here(self, now: dt.datetime) -> dt.datetime:
        """A time as the cooperative's clocks show it."""
        return now.astimezone(self.claims.timezone)

    def savings(self, member_ref: str) -> tuple[Account, ...]:
        """A member's savings accounts, in the core's order."""
        accounts = self.ledger.accounts(member_ref)
        return tuple(account for account in accounts if account.kind is AccountKind.SAVINGS)
