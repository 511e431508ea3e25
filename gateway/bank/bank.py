"""The counter: everything a conversation asks of the bank passes here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.bank import accounts, language, loans, payees, transfers
from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bank.orders import carried_out
from gateway.bank.pins import Pins
from gateway.ledger.port import LedgerUnavailableError
from gateway.values.member import MemberView
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Outcome, Refused, Values
from gateway.values.pin import Pin
from gateway.values.turn import Origin

CATALOGUE: Mapping[str, Operation] = {
    operation.name: operation
    for module in (accounts, language, loans, payees, transfers)
    for operation in module.OPERATIONS
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a conversation asks for: an operation's name, and everything it needs.

    `hop` names the hop that asks, the same for all its copies.
    """

    operation: str
    values: Values
    key: str | None
    pin: Pin | None
    again_ok: bool
    origin: Origin
    hop: str


class Bank:
    """One cooperative's operations.

    Args:
        desk: the register, the ledger, the money orders.
        pins: verifies who is typing.
        operations: what can be asked for, by name.
        now: the clock, aware, UTC.
        timezone: where the cooperative's business day begins and ends.
    """

    def __init__(
        self,
        desk: Desk,
        pins: Pins,
        operations: Mapping[str, Operation],
        now: Callable[[], dt.datetime],
        timezone: ZoneInfo,
    ) -> None:
        self._desk = desk
        self._pins = pins
        self._operations = operations
        self._now = now
        self._timezone = timezone

    def identify(self, msisdn: Msisdn) -> MemberView | None:
        """Whose phone this is."""
        return self._desk.members.by_msisdn(msisdn)

    def recall(self, origin: Origin) -> Outcome | None:
        """What became of the last money order of this very session, if there was one."""
        result = self._desk.instructions.recent(origin)
        return carried_out(result) if result else None

    def became(self, member: MemberView, key: str) -> Outcome | None:
        """What became of the order of a confirm screen, if the member gave it."""
        result = self._desk.instructions.became(uuid.UUID(key), member.ref)
        return carried_out(result) if result else None

    def moves_money(self, operation: str) -> bool:
        """Whether this operation's failure leaves a member in doubt about money."""
        return self._operations[operation].moves_money

    def perform(self, member: MemberView, order: Order) -> Outcome:
        """Perform an operation for a member, after their PIN where it needs one.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; what a money order did is unknown until
                its key is asked again.
        """
        operation = self._operations[order.operation]
        now = self._now()
        if operation.needs_pin:
            if order.pin is None:
                return Refused("no_pin")
            denied = self._pins.verify(member.ref, order.pin, order.hop, now)
            if denied is not None:
                return denied
        request = Request(
            member=member,
            values=order.values,
            key=uuid.UUID(order.key) if order.key else None,
            again_ok=order.again_ok,
            origin=order.origin,
            today=now.astimezone(self._timezone).date(),
        )
        try:
            return operation.perform(self._desk, request)
        except LedgerUnavailableError:
            return Refused("unavailable")
