"""Money that a member sent to the wrong person, and wants looked into.

Staff decide, and give back by the ledger's `reverse`. What may be done at once, where the
cooperative's policy says so, is to hold what is still there at the other side.
"""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bounds import CLAIM_HOLD_S, CLAIM_WITHIN_S, CLAIMABLE_OFFERED, LONGEST_NAME_CHARS
from gateway.db.pool import Database
from gateway.ledger.port import Done as Posted
from gateway.ledger.port import Ledger, LedgerUnavailableError
from gateway.values.money import Money
from gateway.values.outcome import Day, Done, Outcome, Record, Refused
from gateway.values.turn import Origin


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim. `created` is false where the transfer was claimed before."""

    number: int
    created: bool
    payee_ref: str
    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Claims:
    """The register of claims.

    Args:
        database: where it is.
        holds: whether a claim holds the money at once, or staff decide.
        timezone: of the days that a member reads.
    """

    database: Database
    holds: bool
    timezone: ZoneInfo

    def open(
        self, member_ref: str, key: uuid.UUID, origin: Origin, now: dt.datetime
    ) -> Claim | None:
        """Claim a transfer, once; None where the member sent none such lately."""
        since = now - dt.timedelta(seconds=CLAIM_WITHIN_S)
        rows = self.database.call(
            "select * from bank.open_claim(%s, %s, %s, %s, %s)",
            (member_ref, key, origin.channel, since, now),
        )
        if not rows:
            return None
        (row,) = rows
        return Claim(
            number=row["claim"],
            created=row["created"],
            payee_ref=row["payee_ref"],
            account=row["account"],
            amount=Money(row["amount_centimos"]),
        )

    def hold(self, claim: Claim, ledger: Ledger, now: dt.datetime) -> bool:
        """Hold what is still there of a claim's money; False where that is nothing, or the core
        does not say yes now. Staff can try again."""
        until = now + dt.timedelta(seconds=CLAIM_HOLD_S)
        held = hold_what_is_there(claim, ledger, until)
        if held is None:
            return False
        row = self.database.row(
            "select bank.note_hold_by_policy(%s, %s, %s, %s, %s) as noted",
            (claim.number, *held, until, now),
        )
        if not row["noted"]:
            with suppress(LedgerUnavailableError):  # else it runs out by itself
                ledger.void_hold(held[0])  # staff were faster
        return bool(row["noted"])

    def forget_holds(self, now: dt.datetime, limit: int) -> int:
        """Note of up to `limit` claims that their holds ran out; answers of how many."""
        row = self.database.row("select bank.forget_holds(%s, %s) as gone", (now, limit))
        return int(row["gone"])


def hold_what_is_there(
    claim: Claim, ledger: Ledger, until: dt.datetime
) -> tuple[uuid.UUID, int] | None:
    """Place a hold at the other side: its key, and how much; None where there is nothing to hold,
    or the core has no holds."""
    if not ledger.capabilities().holds:
        return None
    try:
        accounts = ledger.accounts(claim.payee_ref)
    except LedgerUnavailableError:
        return None
    there = next((each.available for each in accounts if each.code == claim.account), Money(0))
    amount, key = min(claim.amount, there), uuid.uuid4()
    if amount <= Money(0):
        return None
    outcome = ledger.hold(key, claim.account, amount, until)
    return (key, amount.centimos) if isinstance(outcome, Posted) else None


def _sent(desk: Desk, request: Request) -> Outcome:
    """What was sent to others lately. The list says to whom and when; how much is on the screen
    that confirms."""
    since = request.now - dt.timedelta(seconds=CLAIM_WITHIN_S)
    sent = desk.instructions.sent_since(request.member.ref, since, CLAIMABLE_OFFERED)
    names = desk.members.short_names([each.payee_ref for each in sent])
    rows = []
    for each in sent:
        day, name = each.at.astimezone(desk.claims.timezone).date(), names.get(each.payee_ref, "")
        label = f"{day:%d/%m} {name}"[:LONGEST_NAME_CHARS].strip()
        fields = {"key": str(each.key), "name": label, "party": name}
        rows.append(Record({**fields, "day": Day(day), "amount": each.amount}))
    return Done(rows=tuple(rows))


def _open(desk: Desk, request: Request) -> Outcome:
    """The payee hears nothing of it, neither that there is a claim nor whose."""
    key = uuid.UUID(request.record("transfer").text("key"))
    claim = desk.claims.open(request.member.ref, key, request.origin, request.now)
    if claim is None:
        return Refused("nothing_to_claim")
    number = str(claim.number)
    if not claim.created:
        return Refused("claimed_before", {"number": number})
    held = desk.claims.holds and desk.claims.hold(claim, desk.ledger, request.now)
    return Done({"number": number, "held": held})


_SENT = {"key": "ref", "name": "payee_name", "party": "person", "day": "date", "amount": "money"}

OPERATIONS = (
    Operation(name="claims.sent", perform=_sent, rows=_SENT),
    Operation(
        name="claims.open",
        perform=_open,
        takes={"transfer": "sent_transfer"},
        gives={"number": "reference", "held": "flag"},
        refusals={"nothing_to_claim": {}, "claimed_before": {"number": "reference"}},
        needs_pin=True,
    ),
)
