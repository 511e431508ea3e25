"""What Fineract's answers say, in our words. Amounts may be left out where they are zero, dates may
be lists of numbers, and numbers have six decimals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from gateway.ledger.fineract.marks import described, key_of
from gateway.ledger.port import LoanStatus, Marked, Movement
from gateway.values.money import ZERO, Money

ACTIVE = 300
_SAVINGS = 100  # of the kinds of deposit: not fixed, recurring or current ones
_BLOCKED, _BLOCKED_CREDIT, _BLOCKED_DEBIT = 400, 500, 600
_NOON = dt.time(12, tzinfo=dt.UTC)  # Fineract keeps days, not hours

# A statement's kinds by the type of transaction; of the others (accruals, moves between offices,
# holds) a member sees nothing.
_KINDS = {
    1: "deposit",
    2: "withdrawal",
    3: "interest",
    4: "fee",
    5: "fee",
    7: "fee",
    17: "interest",
    18: "tax",
}


@dataclass(frozen=True, slots=True)
class Client:
    """A member, at Fineract."""

    id: int
    office_id: int
    member_ref: str
    short_name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Savings:
    """What is asked of a savings account before money moves."""

    id: int
    client_id: int
    open: bool
    pays_out: bool
    takes_in: bool
    fee_for_transfers: bool
    currency: str


def money(amount: Any) -> Money:
    """An amount, to the céntimo below. Missing is zero."""
    if amount is None:
        return ZERO
    return Money(int((Decimal(amount) * 100).to_integral_value(ROUND_DOWN)))


def day(value: Any) -> dt.date:
    """A date, as `[2026, 8, 20]` or `2026-08-20`."""
    if isinstance(value, list):
        return dt.date(*value[:3])
    return dt.date.fromisoformat(str(value)[:10])


def status(row: Any) -> int:
    """The number of a row's status."""
    return int((row.get("status") or {}).get("id", 0))


def client(row: Any, member_ref: str) -> Client:
    """A client. One of a group or a company has no first name."""
    names = str(row.get("firstname") or row.get("displayName") or "").split()
    last = str(row.get("lastname") or "")
    short = f"{names[0] if names else ''} {last[:1]}." if last else " ".join(names[:1])
    return Client(int(row["id"]), int(row["officeId"]), member_ref, short, status(row) == ACTIVE)


def savings(row: Any) -> Savings:
    """A savings account, as `GET /savingsaccounts/{id}` shows it."""
    blocked = int((row.get("subStatus") or {}).get("id", 0))
    return Savings(
        id=int(row["id"]),
        client_id=int(row.get("clientId") or 0),
        open=status(row) == ACTIVE,
        pays_out=blocked not in (_BLOCKED, _BLOCKED_DEBIT),
        takes_in=blocked not in (_BLOCKED, _BLOCKED_CREDIT),
        fee_for_transfers=bool(row.get("withdrawalFeeForTransfers")),
        currency=str((row.get("currency") or {}).get("code", "")),
    )


def is_ordinary(row: Any) -> bool:
    """Whether a row of the overview is an ordinary savings account that is open."""
    kind = int((row.get("depositType") or {}).get("id", _SAVINGS))
    return status(row) == ACTIVE and kind == _SAVINGS


def balance(row: Any) -> Money:
    """What is in a savings account."""
    return money((row.get("summary") or {}).get("accountBalance"))


def available(row: Any) -> Money:
    """What can be taken out: theirs forgets the least that has to stay, and the overdraft."""
    free = money((row.get("summary") or {}).get("availableBalance"))
    if row.get("enforceMinRequiredBalance"):
        free -= money(row.get("minRequiredBalance"))
    if row.get("allowOverdraft"):
        free += money(row.get("overdraftLimit"))
    return free


def movement(row: Any) -> Movement | None:
    """A line of a statement; None where a member sees none."""
    kind = _KINDS.get(type_of(row))
    if kind is None or row.get("reversed"):
        return None
    credit = paid_in(row)
    amount = money(row.get("amount"))
    on = day(row["date"])
    party, reference = "", str(row["id"])
    transfer = row.get("transfer") or {}
    if transfer:
        kind, party, reference = _of_transfer(transfer, paid_in=credit)
    elif receipt := (row.get("paymentDetailData") or {}).get("receiptNumber"):
        reference = str(receipt).split()[0]
    return Movement(
        at=dt.datetime.combine(on, _NOON),
        business_date=on,
        kind=kind,
        amount=amount if credit else -amount,
        party=party,
        reference=reference,
    )


def said(row: Any) -> str:
    """Where a transaction bears the mark of who made it."""
    transfer, payment = row.get("transfer") or {}, row.get("paymentDetailData") or {}
    return str(transfer.get("transferDescription") or payment.get("receiptNumber") or "")


def marked(row: Any) -> Marked | None:
    """A transaction that an order of ours made; None of another. A fee, or a tax that the core
    takes itself, has no mark."""
    key = key_of(said(row))
    if key is None or _KINDS.get(type_of(row)) not in ("deposit", "withdrawal"):
        return None
    amount = money(row.get("amount"))
    return Marked(
        key=key,
        line=str(row["id"]),
        amount=amount if paid_in(row) else -amount,
        business_date=day(row["date"]),
        reversed=bool(row.get("reversed")),
    )


def type_of(row: Any) -> int:
    """The number of a transaction's type."""
    return int((row.get("transactionType") or {}).get("id", 0))


def paid_in(row: Any) -> bool:
    """Whether a transaction is to the account's good."""
    return str(row.get("entryType", "")).upper() == "CREDIT"


def _of_transfer(transfer: Any, *, paid_in: bool) -> tuple[str, str, str]:
    """Kind, party and reference. Of a transfer that others made only the direction is known."""
    ours = described(str(transfer.get("transferDescription", "")))
    if ours is None:
        return "received" if paid_in else "sent", "", str(transfer.get("id", ""))
    reference, what, source, target = ours
    if what == "send":
        return ("received", source, reference) if paid_in else ("sent", target, reference)
    return "own" if what == "own" else "loan_payment", "", reference


def loan_status(row: Any, code: str, payoff: Money, on: dt.date) -> LoanStatus | None:
    """A loan on a day, by its schedule; None where nothing of it is left."""
    opened = [period for period in _periods(row) if _left(period) > ZERO]
    if not opened:
        return None
    due = _sum([_left(period) for period in opened if day(period["dueDate"]) <= on])
    late = _sum([money(period.get("penaltyChargesOutstanding")) for period in opened])
    oldest = day(opened[0]["dueDate"])
    return LoanStatus(
        code=code,
        name=str(row.get("loanProductName", "")),
        owed=_sum([_left(period) for period in opened]) - late,
        due=due,
        late_charge=late,
        days_late=max(0, (on - oldest).days),
        instalment=due if due > ZERO else _left(opened[0]),
        instalment_due_on=oldest,
        instalments_left=len(opened),
        payoff=payoff,
    )


def _periods(row: Any) -> list[Any]:
    """Instalments: what has no number is a disbursement."""
    periods = (row.get("repaymentSchedule") or {}).get("periods") or []
    return [period for period in periods if period.get("period")]


def _left(period: Any) -> Money:
    return ZERO if period.get("complete") else money(period.get("totalOutstandingForPeriod"))


def _sum(amounts: Sequence[Money]) -> Money:
    return sum(amounts, ZERO)
