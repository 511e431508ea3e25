"""The twin's bad days."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.ledger.contract.cooperative import ROSA, ROSAS, SEGUNDOS, found
from gateway.ledger.contract.suite import posted, transfer
from gateway.ledger.memory import LATE_S, Fault, MemoryLedger
from gateway.ledger.port import (
    Done,
    LedgerUnavailableError,
    Outcome,
    PendingApproval,
    RetryLater,
    Unknown,
)
from gateway.values.money import Money


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_seconds(self, seconds: int) -> None:
        self.now += dt.timedelta(seconds=seconds)


def core(clock: Clock, *faults: Fault) -> MemoryLedger:
    ledger = MemoryLedger(clock, faults)
    found(ledger)
    return ledger


@pytest.mark.parametrize(
    ("fault", "answer", "moved"),
    [
        (Fault.NEVER_ARRIVED, Unknown(), False),
        (Fault.LATER, RetryLater(), False),
        (Fault.LATE, Unknown(), False),
        (Fault.APPROVAL, PendingApproval(), False),
        (Fault.ANSWER_LOST, Unknown(), True),
    ],
)
def test_a_fault_hides_what_happened_and_the_key_tells(
    fault: Fault, answer: Outcome, moved: bool
) -> None:
    ledger = core(Clock(), fault)
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    assert ledger.post(order) == answer
    assert (ledger.find(order) is not None) is moved
    # Asked again, it is done once in all.
    assert posted(ledger.post(order)).created is not moved
    assert ledger.accounts(ROSA)[0].balance == Money(1_200_50)


def test_a_late_write_arrives_and_is_done_once() -> None:
    clock = Clock()
    ledger = core(clock, Fault.LATE)
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    ledger.post(order)
    clock.pass_seconds(LATE_S - 1)
    assert ledger.find(order) is None
    clock.pass_seconds(1)
    assert isinstance(ledger.find(order), Done)
    assert not posted(ledger.post(order)).created


def test_a_late_write_that_was_overtaken_changes_nothing() -> None:
    clock = Clock()
    ledger = core(clock, Fault.LATE)
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    ledger.post(order)
    assert posted(ledger.post(order)).created
    clock.pass_seconds(LATE_S)
    assert ledger.accounts(ROSA)[0].balance == Money(1_200_50)


def test_what_waits_for_a_person_is_done_when_the_person_says_so() -> None:
    clock = Clock()
    ledger = core(clock, Fault.APPROVAL)
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    ledger.post(order)
    clock.pass_seconds(10 * LATE_S)
    assert ledger.find(order) is None
    ledger.approve()
    assert isinstance(ledger.find(order), Done)


def test_a_core_that_is_away_says_nothing_and_does_nothing() -> None:
    ledger = core(Clock())
    ledger.away = True
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    assert not ledger.health().well
    assert ledger.post(order) == RetryLater()
    for read in (
        lambda: ledger.accounts(ROSA),
        lambda: ledger.find(order),
        lambda: ledger.tax(order),
    ):
        with pytest.raises(LedgerUnavailableError):
            read()
    ledger.away = False
    assert ledger.find(order) is None
