"""Rows as Fineract shows them: dates as lists, six decimals, zeros left out where it does so."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from gateway.ledger.fineract.standin.world import (
    ACTIVE,
    DEPOSIT,
    Client,
    Loan,
    Savings,
    Transaction,
    Transfer,
    World,
)

_CURRENCY = {"decimalPlaces": 2, "displaySymbol": "S/"}


def amount(centimos: int) -> Decimal:
    """`1500.000000`."""
    return (Decimal(centimos) / 100).quantize(Decimal("1.000000"))


def day(on: dt.date) -> list[int]:
    """`[2026, 8, 20]`, whatever the specification says."""
    return [on.year, on.month, on.day]


def client(one: Client) -> dict[str, Any]:
    """`GET /clients/{id}`."""
    return {
        "id": one.id,
        "accountNo": f"{one.id:09d}",
        "externalId": one.external_id,
        "firstname": one.first_names,
        "lastname": one.last_names,
        "displayName": f"{one.first_names} {one.last_names}",
        "mobileNo": one.mobile_no or None,
        "officeId": one.office_id,
        "officeName": "Head Office",
        "active": one.status == ACTIVE,
        "status": {"id": one.status, "code": "clientStatusType.active"},
    }


def found_client(one: Client) -> dict[str, Any]:
    """A row of `GET /search`."""
    return {
        "entityType": "CLIENT",
        "entityId": one.id,
        "entityName": f"{one.first_names} {one.last_names}",
        "entityAccountNo": f"{one.id:09d}",
        "entityExternalId": one.external_id,
        "entityMobileNo": one.mobile_no or None,
        "parentId": one.office_id,
        "parentName": "Head Office",
    }


def overview(world: World, one: Client) -> dict[str, Any]:
    """`GET /clients/{id}/accounts`: a balance of zero is not there."""
    on = world.business_date
    savings = [account for account in world.savings.values() if account.client_id == one.id]
    loans = [loan for loan in world.loans.values() if loan.client_id == one.id]
    return {
        "savingsAccounts": [
            {
                "id": account.id,
                "accountNo": f"{account.id:09d}",
                "externalId": account.external_id,
                "productName": account.name,
                "status": {"id": account.status, "active": account.status == ACTIVE},
                "subStatus": {"id": account.sub_status},
                "currency": {"code": account.currency, **_CURRENCY},
                "depositType": {"id": 100, "value": "Savings"},
                **_unless_zero("accountBalance", account.balance),
            }
            for account in savings
        ],
        "loanAccounts": [
            {
                "id": loan.id,
                "accountNo": f"{loan.id:09d}",
                "externalId": loan.external_id,
                "productName": loan.name,
                "status": {"id": loan.status(on), "active": loan.status(on) == ACTIVE},
                **_unless_zero("loanBalance", sum(o.late + o.scheduled for o in loan.opened(on))),
            }
            for loan in loans
        ],
    }


def savings(world: World, account: Savings) -> dict[str, Any]:
    """`GET /savingsaccounts/{id}`. Available forgets the least that has to stay."""
    owner = world.clients[account.client_id]
    return {
        "id": account.id,
        "accountNo": f"{account.id:09d}",
        "externalId": account.external_id,
        "clientId": account.client_id,
        "clientName": f"{owner.first_names} {owner.last_names}",
        "savingsProductName": account.name,
        "status": {"id": account.status, "active": account.status == ACTIVE},
        "subStatus": {"id": account.sub_status},
        "currency": {"code": account.currency, **_CURRENCY},
        "enforceMinRequiredBalance": bool(account.floor),
        **_unless_zero("minRequiredBalance", account.floor),
        "allowOverdraft": False,
        "withdrawalFeeForTransfers": account.fee_for_transfers,
        "summary": {
            "accountBalance": amount(account.balance),
            "availableBalance": amount(account.balance - account.on_hold),
        },
    }


def line(one: Transaction, running: int) -> dict[str, Any]:
    """A row of a savings account's transactions."""
    deposit = one.kind == DEPOSIT
    shown = {
        "id": one.id,
        "transactionType": {"id": one.kind, "deposit": deposit, "withdrawal": not deposit},
        "entryType": "CREDIT" if deposit else "DEBIT",
        "accountId": one.account_id,
        "date": day(one.on),
        "submittedOnDate": day(one.on),
        "amount": amount(one.centimos),
        "runningBalance": amount(running),
        "reversed": one.reversed,
        "isReversal": False,
    }
    if one.receipt:
        shown["paymentDetailData"] = {"id": 9, "receiptNumber": one.receipt}
    if one.transfer:
        shown["transfer"] = {
            "id": one.transfer.id,
            "transferAmount": amount(one.transfer.centimos),
            "transferDate": day(one.transfer.on),
            "transferDescription": one.transfer.description,
            "reversed": one.transfer.reversed,
        }
    return shown


def transfer(one: Transfer) -> dict[str, Any]:
    """A row of `GET /accounttransfers`: its id is not the one that a command answered with."""
    return {
        "id": one.id,
        "reversed": one.reversed,
        "transferAmount": amount(one.centimos),
        "transferDate": day(one.on),
        "transferDescription": one.description,
        "fromAccountType": {"id": 2},
        "fromAccount": {"id": one.source},
        "toAccountType": {"id": 1 if one.to_loan else 2},
        "toAccount": {"id": one.target},
    }


def loan(world: World, one: Loan, *, schedule: bool) -> dict[str, Any]:
    """`GET /loans/{id}`."""
    on = world.business_date
    opened = {part.number: part for part in one.opened(on)}
    shown: dict[str, Any] = {
        "id": one.id,
        "accountNo": f"{one.id:09d}",
        "externalId": one.external_id,
        "clientId": one.client_id,
        "loanProductName": one.name,
        "status": {"id": one.status(on), "active": one.status(on) == ACTIVE},
        "currency": {"code": "PEN", **_CURRENCY},
        "timeline": {"actualDisbursementDate": day(one.disbursed_on)},
        "summary": {
            "principalDisbursed": amount(sum(row.principal.centimos for row in one.schedule)),
            "totalOutstanding": amount(sum(o.late + o.scheduled for o in opened.values())),
            "penaltyChargesOutstanding": amount(sum(o.late for o in opened.values())),
        },
    }
    if schedule:
        disbursed = {"dueDate": day(one.disbursed_on), "principalDisbursed": amount(0)}
        rows = [
            {
                "period": number,
                "dueDate": day(instalment.due_on),
                "complete": number not in opened,
                "totalDueForPeriod": amount(instalment.total.centimos),
                **_left(opened.get(number)),
            }
            for number, instalment in enumerate(one.schedule, start=1)
        ]
        shown["repaymentSchedule"] = {"periods": [disbursed, *rows]}
    return shown


def _left(part: Any) -> dict[str, Any]:
    if part is None:
        return {"totalOutstandingForPeriod": 0}
    return {
        "totalOutstandingForPeriod": amount(part.late + part.scheduled),
        **_unless_zero("penaltyChargesOutstanding", part.late),
    }


def _unless_zero(name: str, centimos: int) -> dict[str, Decimal]:
    return {name: amount(centimos)} if centimos else {}
