"""Money from one member to another, or between a member's own accounts."""

from __future__ import annotations

import uuid

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bank.orders import FUNDS, LIMITS, carried_out, order_key, over_limit
from gateway.instructions.orders import Instruction
from gateway.ledger.port import Transfer
from gateway.values.outcome import Done, Outcome, Refused

_NO_KEY = uuid.UUID(int=0)  # a quote is never posted
_SEND = "transfers.send"


def _quote(desk: Desk, request: Request) -> Outcome:
    """What it costs, and whether the limits allow it. Nothing here tells what the account holds:
    the PIN has not been asked for yet."""
    order = _transfer(desk, request, _NO_KEY)
    if order is None:
        return Refused("no_such_account")
    if order.source == order.target:
        return Refused("same_account")
    payee_ref = request.record("payee").text("member_ref")
    if payee_ref != request.member.ref:
        refused = over_limit(desk, request, _SEND, payee_ref, order.amount)
        if refused:
            return refused
    return Done({"tax": desk.ledger.tax(order)})


def _send(desk: Desk, request: Request) -> Outcome:
    order = _transfer(desk, request, order_key(request))
    if order is None:
        return Refused("no_such_account")
    instruction = Instruction(
        key=order.key,
        operation=_SEND,
        member_ref=request.member.ref,
        counterparty_ref=request.record("payee").text("member_ref"),
        order=order,
        again_ok=request.again_ok,
        origin=request.origin,
    )
    return carried_out(desk.instructions.carry_out(instruction), desk.here(request.now))


def _transfer(desk: Desk, request: Request, key: uuid.UUID) -> Transfer | None:
    """The order that the slots describe. A member is paid into their first savings account."""
    payee = request.record("payee")
    target = payee.text("account")
    if not target:
        accounts = desk.savings(payee.text("member_ref"))
        if not accounts:
            return None
        target = accounts[0].code
    return Transfer(
        key=key,
        source=request.record("source").text("code"),
        target=target,
        amount=request.money("amount"),
        business_date=request.today,
    )


_SLOTS = {"source": "savings_account", "payee": "payee", "amount": "money"}

OPERATIONS = (
    Operation(
        name="transfers.quote",
        before_money=True,
        perform=_quote,
        takes=_SLOTS,
        gives={"tax": "money"},
        refusals={"no_such_account": {}, "same_account": {}, **LIMITS},
    ),
    Operation(
        name=_SEND,
        perform=_send,
        takes=_SLOTS,
        gives={"reference": "reference", "tax": "money", "amount": "money"},
        refusals={
            **FUNDS,
            **LIMITS,
            "again": {},
            "no_such_account": {},
            "same_account": {},
        },
        moves_money=True,
        needs_pin=True,
    ),
)
