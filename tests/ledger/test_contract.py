"""Every ledger of ours keeps the one contract."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.ledger.contract.suite import LedgerContract
from gateway.ledger.memory import MemoryLedger


class TestPostgresLedger(LedgerContract):
    """With the fixtures `ledger` and `office` of this folder."""


class TestMemoryLedger(LedgerContract):
    """The twin, on a day without faults."""

    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger(lambda: dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC))

    @pytest.fixture
    def office(self, ledger: MemoryLedger) -> MemoryLedger:
        return ledger
