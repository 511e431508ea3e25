"""What waits at a Fineract that is well does not make it look ill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from gateway.bounds import CORE_BUDGET_MS, CORE_FAILURES_MAX
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import InTurn
from gateway.core.known import KnownAccounts
from gateway.core.patience import Patience
from gateway.core.patient import Care, PatientLedger
from gateway.db.pool import Database
from gateway.ledger.contract.cooperative import ROSAS, ROSAS_LOAN, SEGUNDOS, found
from gateway.ledger.contract.suite import repayment, transfer
from gateway.ledger.fineract.adapter import FineractLedger
from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import World
from gateway.ledger.port import PendingApproval, RetryLater, Unknown


@pytest.fixture
def patient(
    ledger: FineractLedger, office: World, database_urls: tuple[str, str]
) -> Iterator[PatientLedger]:
    found(office)
    database = Database(database_urls[1], 1)
    database.open()
    care = Care(InTurn(), InTurn(), Patience(CORE_BUDGET_MS), CoreBreaker())
    yield PatientLedger(ledger, care, KnownAccounts(database), lambda: dt.datetime.now(dt.UTC))
    database.close()


def test_orders_that_wait_for_a_checker_do_not_shut_the_core_out(
    standin: StandIn, patient: PatientLedger
) -> None:
    orders = [transfer(ROSAS, SEGUNDOS, 1_00) for _ in range(CORE_FAILURES_MAX)]
    standin.plan.plan([Fault.APPROVAL] * len(orders))
    assert [patient.post(order) for order in orders] == [PendingApproval()] * len(orders)
    assert [patient.post(order) for order in orders] == [Unknown()] * len(orders)
    assert patient.ready()


def test_loans_at_the_close_of_business_do_not_shut_the_core_out(
    standin: StandIn, patient: PatientLedger
) -> None:
    standin.plan.plan([Fault.LOAN_LOCKED] * CORE_FAILURES_MAX)
    for _ in range(CORE_FAILURES_MAX):
        assert patient.post(repayment(ROSAS, ROSAS_LOAN, 1_00)) == RetryLater()
    assert patient.ready()
