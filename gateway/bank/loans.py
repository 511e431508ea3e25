"""What a member owes, and paying it."""

from __future__ import annotations

import uuid

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bank.orders import FUNDS, LIMITS, carried_out, order_key, over_limit
from gateway.instructions.orders import Instruction
from gateway.ledger.port import LoanStatus, Repayment, RepaymentMode
from gateway.values.money import ZERO, Money
from gateway.values.outcome import Day, Done, Outcome, Record, Refused, Value

_NO_KEY = uuid.UUID(int=0)  # a quote is never posted
_PAY = "loans.pay"


def _open(desk: Desk, request: Request) -> Outcome:
    loans = desk.ledger.loans(request.member.ref, request.today)
    return Done(rows=tuple(Record({"code": loan.code, "name": loan.name}) for loan in loans))


def _status(desk: Desk, request: Request) -> Outcome:
    """The loan that is most urgent: the latest one, else the one that is due first."""
    loans = desk.ledger.loans(request.member.ref, request.today)
    if not loans:
        return Refused("no_loan")
    loan = min(loans, key=lambda loan: (-loan.days_late, loan.instalment_due_on))
    return Done(_known(loan))


def _owed(desk: Desk, request: Request) -> Outcome:
    loan = _chosen(desk, request)
    return Done(_known(loan)) if loan else Refused("nothing_owed")


def _quote(desk: Desk, request: Request) -> Outcome:
    """How much will be paid, what it costs, and whether it may be."""
    loan = _chosen(desk, request)
    if loan is None:
        return Refused("nothing_owed")
    to_pay = _to_pay(loan, request)
    if to_pay > loan.payoff:
        return Refused("over_payoff", {"payoff": loan.payoff})
    refused = over_limit(desk, request, _PAY, "", to_pay)
    if refused:
        return refused
    return Done({"to_pay": to_pay, "tax": desk.ledger.tax(_repayment(request, to_pay, _NO_KEY))})


def _pay(desk: Desk, request: Request) -> Outcome:
    order = _repayment(request, request.money("to_pay"), order_key(request))
    instruction = Instruction(
        key=order.key,
        operation=_PAY,
        member_ref=request.member.ref,
        counterparty_ref="",
        order=order,
        again_ok=request.again_ok,
        origin=request.origin,
    )
    outcome = carried_out(desk.instructions.carry_out(instruction), desk.here(request.now))
    if isinstance(outcome, Done) and outcome.values.get("owed") == ZERO:
        return Done({**outcome.values, "closed": True})
    return outcome


def _chosen(desk: Desk, request: Request) -> LoanStatus | None:
    code = request.record("loan").text("code")
    loans = desk.ledger.loans(request.member.ref, request.today)
    return next((loan for loan in loans if loan.code == code), None)


def _to_pay(loan: LoanStatus, request: Request) -> Money:
    how = request.text("how")
    match how:
        case "instalment":
            return loan.instalment
        case "payoff":
            return loan.payoff
        case "part":
            return request.money("amount")
        case _:
            raise ValueError(f"a loan is not paid by {how}")


def _repayment(request: Request, to_pay: Money, key: uuid.UUID) -> Repayment:
    payoff = request.text("how") == "payoff"
    return Repayment(
        key=key,
        source=request.record("source").text("code"),
        loan=request.record("loan").text("code"),
        amount=to_pay,
        mode=RepaymentMode.PAYOFF if payoff else RepaymentMode.PART,
        business_date=request.today,
    )


def _known(loan: LoanStatus) -> dict[str, Value]:
    return {
        "name": loan.name,
        "owed": loan.owed,
        "instalment": loan.instalment,
        "due_on": Day(loan.instalment_due_on),
        "late": loan.days_late > 0,
        "days_late": loan.days_late,
        "late_charge": loan.late_charge,
        "left": loan.instalments_left,
        "payoff": loan.payoff,
    }


_STATUS = {
    "name": "product",
    "owed": "money",
    "instalment": "money",
    "due_on": "date",
    "late": "flag",
    "days_late": "number",
    "late_charge": "money",
    "left": "number",
    "payoff": "money",
}
_SLOTS = {
    "how": "instalment|part|payoff",
    "loan": "loan",
    "source": "savings_account",
    "amount": "money?",  # only a part has one
}

OPERATIONS = (
    Operation(name="loans.open", perform=_open, rows={"code": "ref", "name": "product"}),
    Operation(name="loans.status", perform=_status, gives=_STATUS, refusals={"no_loan": {}}),
    Operation(
        name="loans.owed",
        perform=_owed,
        takes={"loan": "loan"},
        gives=_STATUS,
        refusals={"nothing_owed": {}},
        needs_pin=True,
    ),
    Operation(
        name="loans.quote",
        before_money=True,
        perform=_quote,
        takes=_SLOTS,
        gives={"to_pay": "money", "tax": "money"},
        refusals={
            "nothing_owed": {},
            "over_payoff": {"payoff": "money"},
            **LIMITS,
        },
    ),
    Operation(
        name=_PAY,
        perform=_pay,
        takes={**_SLOTS, "to_pay": "money"},
        gives={
            "reference": "reference",
            "tax": "money",
            "amount": "money",
            "owed": "money?",  # a remote core does not say it
            "closed": "flag?",
        },
        refusals={
            "nothing_owed": {},
            "over_payoff": {},  # somebody paid meanwhile: what is owed now, the core does not say
            **LIMITS,
            **FUNDS,
            "payoff_changed": {},
            "again": {},
            "no_such_account": {},
        },
        moves_money=True,
        needs_pin=True,
    ),
)
