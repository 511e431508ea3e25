"""An example: a core of your own behind the port, in one file.

`Vault` stands for what you have (a vendor's API, a SOAP service, a database with procedures): it
knows members and savings accounts, moves money once for a reference, and tells what became of one.
This one has no loans, holds or reversals, and says so: the contract skips what is not offered.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from gateway.ledger.port import (
    Account,
    AccountKind,
    AnyOrder,
    Capabilities,
    Deposit,
    Done,
    Health,
    HoldState,
    KeyReusedError,
    LoanStatus,
    Marked,
    Movement,
    NotOfferedError,
    Outcome,
    Person,
    Refused,
    Repayment,
    Transfer,
    Unknown,
    Withdrawal,
)
from gateway.values.dni import Dni
from gateway.values.money import ZERO, Money
from gateway.values.msisdn import Msisdn
from tests.ledger.vault import CASH, Line, Vault, VaultError

NOON = dt.time(12, tzinfo=dt.UTC)  # the core keeps days, not hours


class VaultLedger:
    """The adapter. Implements `gateway.ledger.port.Ledger`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def capabilities(self) -> Capabilities:
        """Only what it really does."""
        return Capabilities(
            holds=False,
            reversal=False,
            loans=False,
            payoff_quote=False,
            late_charges=False,
            itf=False,
            floors=False,
            remembers_refusals=False,
            borrowers=False,
            by_dni=False,
            by_phone=False,
            own_business_date=False,
            pending_shown=False,
        )

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        """By our reference alone."""
        if not isinstance(who, str):
            raise NotOfferedError("it knows no documents and no phones")
        name = self._vault.names.get(who)
        return Person(who, name, active=True) if name else None

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """All savings accounts of a member."""
        vault = self._vault
        return tuple(
            Account(
                code,
                AccountKind.SAVINGS,
                vault.products[code],
                Money(vault.balances[code]),
                Money(vault.balances[code]),
            )
            for code, owner in vault.owners.items()
            if owner == member_ref
        )

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """The last lines, newest first."""
        mine = [line for line in self._vault.lines if account in (line.source, line.target)]
        return tuple(self._movement(line, account) for line in mine[::-1][:limit])

    def marked(self, account: str, since: dt.date, until: dt.date) -> Iterator[Marked]:
        """By our key, which is the core's reference. It reverses nothing."""
        for line in self._vault.lines:
            sides, ours = (
                (line.source, line.target),
                len(line.reference) == len(uuid.UUID(int=0).hex),
            )
            if account in sides and ours and since <= line.on <= until:
                change = Money(line.centimos if line.target == account else -line.centimos)
                yield Marked(uuid.UUID(line.reference), line.reference, change, line.on, False)

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """It lends nothing."""
        return ()

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        raise NotOfferedError("no loans")

    def tax(self, order: AnyOrder) -> Money:
        return ZERO

    def post(self, order: AnyOrder) -> Outcome:
        """At most once for the key: that is the core's reference. A core without such a thing must
        be looked at by `find` before each try, and must never be tried twice at a time."""
        sides = self._sides(order)
        if isinstance(sides, Refused):
            return sides
        line = Line(order.key.hex, *sides, order.amount.centimos, order.business_date)
        try:
            created = self._vault.move(line)
        except VaultError as error:
            return Refused({"NSF": "insufficient_funds"}.get(str(error), "not_allowed"))
        except OSError:
            return Unknown()  # a lost answer is no refusal: it may have been done
        if not created and self._content(self._vault.by_reference(line.reference)) != (
            *sides,
            order.amount.centimos,
        ):
            raise KeyReusedError
        return Done(line.reference[:8].upper(), ZERO, created=created)

    def find(self, order: AnyOrder) -> Done | Refused | None:
        """By the core's reference."""
        line = self._vault.by_reference(order.key.hex)
        return Done(line.reference[:8].upper(), ZERO, created=False) if line else None

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        raise NotOfferedError("no holds")

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        raise NotOfferedError("no holds")

    def void_hold(self, key: uuid.UUID) -> HoldState:
        raise NotOfferedError("no holds")

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        raise NotOfferedError("no reversals")

    def health(self) -> Health:
        return Health(well=True)

    def _sides(self, order: AnyOrder) -> tuple[str, str] | Refused:
        """Whose account it is, is asked before every write: a core behind a network does not."""
        match order:
            case Transfer():
                source, target = order.source, order.target
            case Deposit():
                source, target = CASH, order.account
            case Withdrawal():
                source, target = order.account, CASH
            case Repayment():
                return Refused("no_such_account")
        if source == target:
            return Refused("same_account")
        known = {CASH, *self._vault.owners}
        mine = target if source == CASH else source
        if not {source, target} <= known or self._vault.owners.get(mine) != order.owner:
            return Refused("no_such_account")
        return source, target

    def _movement(self, line: Line, account: str) -> Movement:
        vault, paid_in = self._vault, line.target == account
        other = line.source if paid_in else line.target
        own = vault.owners.get(other) == vault.owners[account]
        if other == CASH:
            kind = "deposit" if paid_in else "withdrawal"
        else:
            kind = "own" if own else "received" if paid_in else "sent"
        return Movement(
            at=dt.datetime.combine(line.on, NOON),
            business_date=line.on,
            kind=kind,
            amount=Money(line.centimos if paid_in else -line.centimos),
            party="" if own or other == CASH else vault.names[vault.owners[other]],
            reference=line.reference[:8].upper(),
        )

    def _content(self, line: Line | None) -> tuple[str, str, int] | None:
        return (line.source, line.target, line.centimos) if line else None
