"""What a member has, and what happened to it lately."""

from __future__ import annotations

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bounds import MOVEMENTS_SHOWN
from gateway.ledger.port import MOVEMENT_KINDS
from gateway.values.outcome import Day, Done, Outcome, Record


def _savings(desk: Desk, request: Request) -> Outcome:
    accounts = desk.savings(request.member.ref)
    return Done(rows=tuple(Record({"code": a.code, "name": a.name}) for a in accounts))


def _balance(desk: Desk, request: Request) -> Outcome:
    accounts = desk.savings(request.member.ref)
    return Done(
        rows=tuple(
            Record({"name": a.name, "available": a.available, "balance": a.balance})
            for a in accounts
        )
    )


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
        rows={"name": "product", "available": "signed_money", "balance": "signed_money"},
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
