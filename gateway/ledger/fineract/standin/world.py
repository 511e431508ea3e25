"""The books of the loopback Fineract, in memory, in whole céntimos."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.ledger.arithmetic import Allocation, OpenInstalment, allocate, open_instalments
from gateway.ledger.schedule import Instalment
from gateway.values.money import ZERO, Money

ACTIVE, CLOSED_SAVINGS, CLOSED_LOAN, OVERPAID = 300, 600, 600, 700
NOTHING, BLOCKED, BLOCKED_CREDIT, BLOCKED_DEBIT = 0, 400, 500, 600
DEPOSIT, WITHDRAWAL = 1, 2

_INSUFFICIENT = "error.msg.savingsaccount.transaction.insufficient.account.balance"


class DomainError(Exception):
    """A rule says no. `status` is the HTTP status that this rule is answered with."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(slots=True)
class Client:
    """A person."""

    id: int
    external_id: str
    first_names: str
    last_names: str
    dni: str
    mobile_no: str = ""
    office_id: int = 1
    status: int = ACTIVE


@dataclass(slots=True)
class Transaction:
    """A line in a savings account."""

    id: int
    account_id: int
    kind: int
    centimos: int
    on: dt.date
    receipt: str = ""
    transfer: Transfer | None = None
    reversed: bool = False


@dataclass(slots=True)
class Savings:
    """A savings account. `floor` is the least that has to stay."""

    id: int
    external_id: str
    name: str
    client_id: int
    floor: int
    activated_on: dt.date
    status: int = ACTIVE
    sub_status: int = NOTHING
    currency: str = "PEN"
    fee_for_transfers: bool = False
    on_hold: int = 0
    lines: list[Transaction] = field(default_factory=list)

    @property
    def balance(self) -> int:
        """What its lines come to."""
        return sum(
            line.centimos if line.kind == DEPOSIT else -line.centimos
            for line in self.lines
            if not line.reversed
        )


@dataclass(slots=True)
class Loan:
    """A loan with its schedule."""

    id: int
    external_id: str
    name: str
    client_id: int
    schedule: tuple[Instalment, ...]
    disbursed_on: dt.date
    allocations: list[Allocation] = field(default_factory=list)
    overpaid: int = 0
    locked: bool = False

    def opened(self, on: dt.date) -> list[OpenInstalment]:
        """What is left, oldest first."""
        return open_instalments(self.schedule, self.disbursed_on, self.allocations, on)

    def status(self, on: dt.date) -> int:
        """Its status's number."""
        if self.overpaid:
            return OVERPAID
        return ACTIVE if self.opened(on) else CLOSED_LOAN


@dataclass(slots=True)
class Transfer:
    """From savings to savings or to a loan. Its details have another number."""

    id: int
    details_id: int
    source: int
    target: int
    to_loan: bool
    centimos: int
    on: dt.date
    description: str
    allocations: Sequence[Allocation] = ()
    overpaid: int = 0
    reversed: bool = False
    made_at_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)


class World:
    """One tenant. Whoever reads or writes holds `lock`."""

    def __init__(self, today: dt.date, *, newer_than_1_14: bool = False) -> None:
        self.lock = threading.RLock()
        self.business_date = today
        self.has_business_date = True
        self.newer_than_1_14 = newer_than_1_14
        self.clients: dict[int, Client] = {}
        self.savings: dict[int, Savings] = {}
        self.loans: dict[int, Loan] = {}
        self.transfers: list[Transfer] = []
        self._client_ids = itertools.count(11)
        self._savings_ids = itertools.count(501)
        self._loan_ids = itertools.count(501)  # savings and loans have numbers of their own
        self._line_ids = itertools.count(301)
        self._transfer_ids = itertools.count(1)
        self._details_ids = itertools.count(1000)

    # What members do.

    def deposit(self, account: Savings, centimos: int, on: dt.date, receipt: str) -> Transaction:
        """Cash in."""
        self._judge(account, on, gives=False)
        return self._line(account, DEPOSIT, centimos, on, receipt)

    def withdraw(self, account: Savings, centimos: int, on: dt.date, receipt: str) -> Transaction:
        """Cash out."""
        self._judge(account, on, gives=True)
        self._judge_funds(account, centimos)
        return self._line(account, WITHDRAWAL, centimos, on, receipt)

    def send(
        self, source: Savings, target: Savings, centimos: int, on: dt.date, description: str
    ) -> Transfer:
        """Savings to savings. Whose they are is nobody's question."""
        self._judge(source, on, gives=True)
        self._judge(target, on, gives=False)
        if source.currency != target.currency:
            raise DomainError(403, "error.msg.accounttransfer.different.currencies")
        self._judge_funds(source, centimos)
        transfer = self._transfer(source.id, target.id, centimos, on, description, to_loan=False)
        self._line(source, WITHDRAWAL, centimos, on, transfer=transfer)
        self._line(target, DEPOSIT, centimos, on, transfer=transfer)
        return transfer

    def repay(
        self, source: Savings, loan: Loan, centimos: int, on: dt.date, description: str
    ) -> Transfer:
        """Savings to a loan. More than is owed is taken."""
        self._judge(source, on, gives=True)
        if loan.status(on) != ACTIVE:
            raise DomainError(400, "error.msg.loan.repayment.or.waiver.account.is.not.active")
        self._judge_funds(source, centimos)
        opened = loan.opened(on)
        payoff = sum(one.payoff for one in opened)
        shares = allocate(opened, min(centimos, payoff), on, pays_off=centimos >= payoff)
        transfer = self._transfer(source.id, loan.id, centimos, on, description, to_loan=True)
        transfer.allocations, transfer.overpaid = shares, max(0, centimos - payoff)
        loan.allocations.extend(shares)
        loan.overpaid += transfer.overpaid
        self._line(source, WITHDRAWAL, centimos, on, transfer=transfer)
        return transfer

    def undo_transfer(self, transfer: Transfer) -> None:
        """All of a transfer, once."""
        if transfer.reversed:
            raise DomainError(403, "error.msg.account.transfer.already.reversed")
        lines = [
            line
            for account in self.savings.values()
            for line in account.lines
            if line.transfer is transfer
        ]
        for line in lines:
            self._judge_undo(line)
        if transfer.to_loan:
            loan = self.loans[transfer.target]
            loan.overpaid -= transfer.overpaid
            loan.allocations.extend(
                Allocation(one.number, one.component, -one.centimos, self.business_date)
                for one in transfer.allocations
            )
        for line in lines:
            line.reversed = True
        transfer.reversed = True

    def undo_line(self, line: Transaction) -> None:
        """Cash that was not. A leg of a transfer is not undone alone."""
        if line.transfer:
            raise DomainError(
                503, "error.msg.saving.account.transfer.transaction.update.not.allowed"
            )
        if line.reversed:
            raise DomainError(503, "error.msg.saving.account.transaction.update.not.allowed")
        self._judge_undo(line)
        line.reversed = True

    # What the rules say.

    def _judge(self, account: Savings, on: dt.date, *, gives: bool) -> None:
        if account.status != ACTIVE:
            raise DomainError(400, "error.msg.savingsaccount.transaction.account.is.not.active")
        if self.clients[account.client_id].status != ACTIVE:
            raise DomainError(403, "error.msg.client.not.active.exception")
        if account.sub_status == BLOCKED:
            raise DomainError(403, "error.msg.saving.account.blocked.transaction.not.allowed")
        if account.sub_status == (BLOCKED_DEBIT if gives else BLOCKED_CREDIT):
            way = "debit" if gives else "credit"
            raise DomainError(403, f"error.msg.savings.account.{way}.transaction.not.allowed")
        if on > self.business_date:
            raise DomainError(400, "error.msg.savingsaccount.transaction.in.the.future")
        if on < account.activated_on:
            raise DomainError(400, "error.msg.savingsaccount.transaction.before.activation.date")

    def _judge_funds(self, account: Savings, centimos: int) -> None:
        if account.balance - account.on_hold - centimos < account.floor:
            raise DomainError(403, _INSUFFICIENT)

    def _judge_undo(self, line: Transaction) -> None:
        account = self.savings[line.account_id]
        left = account.balance - account.on_hold - line.centimos
        if line.kind == DEPOSIT and left < account.floor:
            raise DomainError(
                400, "error.msg.savingsaccount.transaction.results.in.balance.going.negative"
            )

    def _line(
        self,
        account: Savings,
        kind: int,
        centimos: int,
        on: dt.date,
        receipt: str = "",
        transfer: Transfer | None = None,
    ) -> Transaction:
        line = Transaction(next(self._line_ids), account.id, kind, centimos, on, receipt, transfer)
        account.lines.append(line)
        return line

    def _transfer(
        self,
        source: int,
        target: int,
        centimos: int,
        on: dt.date,
        description: str,
        *,
        to_loan: bool,
    ) -> Transfer:
        transfer = Transfer(
            id=next(self._transfer_ids),
            details_id=next(self._details_ids),
            source=source,
            target=target,
            to_loan=to_loan,
            centimos=centimos,
            on=on,
            description=description,
        )
        self.transfers.append(transfer)
        return transfer

    # Opening, as `contract.cooperative.Office` wants it: what staff do in a browser.

    def enrol_person(
        self, member_ref: str, dni: str, first_names: str, last_names: str, birth_date: dt.date
    ) -> bool:
        """A client. False: they were there before."""
        del birth_date
        with self.lock:
            if self._client(member_ref):
                return False
            number = next(self._client_ids)
            self.clients[number] = Client(number, member_ref, first_names, last_names, dni)
            return True

    def open_savings(
        self,
        code: str,
        name: str,
        member_ref: str,
        opening: Money,
        business_date: dt.date,
        floor: Money = ZERO,
    ) -> bool:
        """An active account with a first deposit. False: the code was taken."""
        with self.lock:
            owner = self._client(member_ref)
            taken = any(one.external_id == code for one in self.savings.values())
            if owner is None or taken:
                return False
            began = business_date - dt.timedelta(days=400)
            number = next(self._savings_ids)
            account = Savings(number, code, name, owner.id, floor.centimos, began)
            self.savings[number] = account
            if opening > ZERO:
                self._line(account, DEPOSIT, opening.centimos, business_date)
            return True

    def open_loan(
        self,
        code: str,
        name: str,
        member_ref: str,
        schedule: Sequence[Instalment],
        disbursed_on: dt.date,
        business_date: dt.date,
        product: str = "personal",
        paid_instalments: int = 0,
        principal_to: str = "opening",
    ) -> bool:
        """A disbursed loan. False: the code was taken."""
        del product, principal_to, business_date
        with self.lock:
            owner = self._client(member_ref)
            if owner is None or any(one.external_id == code for one in self.loans.values()):
                return False
            number = next(self._loan_ids)
            loan = Loan(number, code, name, owner.id, tuple(schedule), disbursed_on)
            for place, row in enumerate(schedule[:paid_instalments], start=1):
                for part, amount in (("principal", row.principal), ("interest", row.interest)):
                    loan.allocations.append(Allocation(place, part, amount.centimos, row.due_on))
            self.loans[number] = loan
            return True

    def _client(self, external_id: str) -> Client | None:
        return next((c for c in self.clients.values() if c.external_id == external_id), None)
