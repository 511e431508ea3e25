"""What a member has, and what happened to it lately."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bounds import MOVEMENTS_SHOWN
from gateway.instructions.orders import SpokenFor
from gateway.ledger.port import MOVEMENT_KINDS, Account, LedgerUnavailableError
from gateway.values.money import ZERO
from gateway.values.outcome import Day, Done, Moment, Outcome, Record, Refused, Scalar


def _savings(desk: Desk, request: Request) -> Outcome:
    accounts = desk.savings(request.member.ref)
    return Done(rows=tuple(Record({"code": a.code, "name": a.name}) for a in accounts))


def _balance(desk: Desk, request: Request) -> Outcome:
    """What can be used, and of what time that is where the core does not answer; what is on its
    way stands below its account, and is taken off it."""
    try:
        accounts = desk.savings(request.member.ref)
    except LedgerUnavailableError:
        return Refused("no_balance")  # none was ever seen: nothing is guessed
    as_of = min((one.as_of for one in accounts if one.as_of), default=None)
    spoken_for = desk.instructions.spoken_for(request.member.ref, as_of)
    rows: list[Record] = []
    for account in accounts:
        rows += _rows(account, spoken_for.get(account.code), desk.here(request.now))
    return Done(rows=tuple(rows))


def _rows(account: Account, spoken_for: SpokenFor | None, here: dt.datetime) -> Iterator[Record]:
    taken, on_the_way = ZERO, ZERO
    if spoken_for:
        taken, on_the_way = spoken_for.taken, spoken_for.on_the_way
    fields: dict[str, Scalar] = {
        "name": account.name,
        # Never less than nothing for what we take off it; less than nothing is what the core says.
        "available": min(account.available, max(ZERO, account.available - taken)),
        "balance": account.balance,
        "amount": on_the_way,
        "as_of": Moment.seen(account.as_of or here, here),
    }
    yield Record({"kind": "last_known" if account.as_of else "account", **fields})
    if on_the_way > ZERO:
        yield Record({"kind": "on_the_way", **fields})


def _movements(desk: Desk, request: Request) -> Outcome:
    movements = desk.ledger.movements(request.record("source").text("code"), MOVEMENTS_SHOWN)
    return Done(
        rows=tuple(
            Record(
                {
                    "kind": movement.kind,
                    "day": Day(movement.business_date),
                    "party": movement.party,
                    "amount": movement.amount,
                }
            )
            for movement in movements
        )
    )


OPERATIONS = (
    Operation(name="accounts.savings", perform=_savings, rows={"code": "ref", "name": "product"}),
    Operation(
        name="accounts.balance",
        perform=_balance,
        rows={
            "kind": "account|last_known|on_the_way",
            "name": "product",
            "available": "signed_money",
            "balance": "signed_money",
            "amount": "money",
            "as_of": "moment",
        },
        refusals={"no_balance": {}},
        needs_pin=True,
    ),
    Operation(
        name="accounts.movements",
        perform=_movements,
        takes={"source": "savings_account"},
        rows={
            "kind": "|".join(MOVEMENT_KINDS),
            "day": "date",
            "party": "person",
            "amount": "signed_money",
        },
        needs_pin=True,
    ),
)
