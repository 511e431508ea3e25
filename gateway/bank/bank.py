"""The counter: everything a conversation asks of the bank passes here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from gateway.bank import (
    accounts,
    calls,
    claims,
    consents,
    doors,
    enrolment,
    language,
    limits,
    loans,
    payees,
    transfers,
)
from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bank.orders import carried_out
from gateway.bank.pins import Pins
from gateway.bounds import REMEMBERED_S
from gateway.instructions.orders import Result
from gateway.ledger.port import Ledger, LedgerUnavailableError
from gateway.values.consent import Consent, Purpose
from gateway.values.member import MemberView
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Outcome, Record, Refused, Remembered, Value, Values
from gateway.values.pin import Pin
from gateway.values.secret import Secret
from gateway.values.turn import Origin

CATALOGUE: Mapping[str, Operation] = {
    operation.name: operation
    for module in (
        *(accounts, calls, claims, consents, doors, enrolment),
        *(language, limits, loans, payees, transfers),
    )
    for operation in module.OPERATIONS
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a conversation asks for: an operation's name, and everything it needs.

    `hop` names the hop that asks, the same for all its copies; `language` and `book` (its digest)
    are what the member has read, `doing` the screen of a journey that they left last. `secret` is
    what was typed for a secret slot.
    """

    operation: str
    values: Values
    key: str | None
    pin: Pin | None
    again_ok: bool
    origin: Origin
    hop: str
    language: str
    book: str
    secret: Secret | None = None
    doing: str = ""


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

    @property
    def core(self) -> Ledger:
        """Where the money is, as members' hops ask it."""
        return self._desk.ledger

    def identify(self, msisdn: Msisdn) -> tuple[MemberView | None, bool]:
        """Whose phone this is, and whether they gave an order a moment ago: what `newest` tells."""
        now = self._now()
        since = now - dt.timedelta(seconds=REMEMBERED_S)
        member, has_ordered = self._desk.members.caller(msisdn, since)
        if member and not member.enrolled:
            invited = self._desk.new_pins.invited(member.ref, msisdn, now)
            member = msgspec.structs.replace(member, invited=invited)
        return member, has_ordered

    def recall(self, origin: Origin) -> Remembered | None:
        """What became of the last money order of this very session, if there was one. A number
        that has come to somebody else since remembers nothing."""
        result = self._desk.instructions.recent(origin)
        if result is None or not self._theirs(result.member_ref, origin):
            return None
        return self._remembered(result)

    def newest(self, member: MemberView) -> Remembered | None:
        """What became of the last money order of a member, if it was a moment ago."""
        within = dt.timedelta(seconds=REMEMBERED_S)
        return self._remembered(self._desk.instructions.newest(member.ref, within))

    def became(self, member: MemberView, key: str) -> Remembered | None:
        """What became of a member's order; None where nobody gave it."""
        return self._remembered(self._desk.instructions.became(uuid.UUID(key), member.ref))

    def forgo(self, member: MemberView, key: str) -> Remembered | None:
        """Close the key of a confirm screen that the member left, or learn what its order came to.
        None: nobody gave it, and from now on nobody can."""
        result = self._desk.instructions.close(uuid.UUID(key))
        return self._remembered(result) if result.member_ref == member.ref else None

    def _remembered(self, result: Result | None) -> Remembered | None:
        if result is None:
            return None
        values: dict[str, Value] = {"amount": result.amount}
        party = result.counterparty_ref
        if party and party != result.member_ref:
            name = self._desk.members.short_names([party]).get(party, "")
            values["payee"] = Record({"name": name})
        return Remembered(
            key=str(result.key),
            operation=result.operation,
            values=values,
            outcome=carried_out(result, self._now().astimezone(self._timezone)),
            newest=result.created,
        )

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
        if not self._theirs(member.ref, order.origin):
            return Refused("stranger")
        if operation.moves_money or operation.before_money:
            self._desk.sims.look(member, order.origin.msisdn, now)
        if operation.before_money and (barred := self._desk.sims.barred(member, now)):
            return Refused(barred)
        if operation.needs_pin:
            if order.pin is None:
                return Refused("no_pin")
            denied = self._pins.verify(member.ref, order.pin, order.hop, order.key, now)
            if denied is not None:
                return denied
        return self._performed(operation, member, order, now)

    def read_out(self, member: MemberView, order: Order) -> Outcome:
        """What a member reads by SMS, without a PIN: only what moves nothing, and only if they
        asked for that with their PIN once.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
            ValueError: the operation moves money.
        """
        operation = self._operations[order.operation]
        if operation.moves_money:
            raise ValueError(f"an SMS may not ask for {operation.name}")
        if self._desk.doors.frozen(member.ref):
            return Refused("frozen")
        if not self._desk.consents.given(member.ref, Purpose.READING):
            return Refused("not_opted_in")
        return self._performed(operation, member, order, self._now())

    def agree(self, member: MemberView, consent: Consent) -> None:
        """Keep what a member agreed to, or no longer does."""
        self._desk.consents.keep(member.ref, consent, self._now())

    def freeze(self, member: MemberView, origin: Origin) -> None:
        """Shut a member's door: they have asked for it."""
        self._desk.doors.freeze(member.ref, origin, self._now())

    def _theirs(self, member_ref: str, origin: Origin) -> bool:
        """Whether the phone is still the member's: staff may have moved the number since the
        session began."""
        owner = self._desk.members.by_msisdn(origin.msisdn)
        return owner is not None and owner.ref == member_ref

    def _performed(
        self, operation: Operation, member: MemberView, order: Order, now: dt.datetime
    ) -> Outcome:
        request = Request(
            member=member,
            values=order.values,
            key=uuid.UUID(order.key) if order.key else None,
            again_ok=order.again_ok,
            origin=order.origin,
            now=now,
            today=now.astimezone(self._timezone).date(),
            language=order.language,
            book=order.book,
            hop=order.hop,
            secret=order.secret,
            pin=order.pin if operation.repeats_pin else None,
            doing=order.doing,
        )
        try:
            return operation.perform(self._desk, request)
        except LedgerUnavailableError:
            if request.key is None:
                return Refused("unavailable")
            # Another copy may have come further: "no" is said of a closed key alone.
            closed = self._desk.instructions.close(request.key)
            return carried_out(closed, self._desk.here(now))
