"""Fineract keeps the contract, new and old."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from gateway.ledger.contract.suite import LedgerContract
from gateway.ledger.fineract.standin.server import StandIn


class _Fineract(LedgerContract):
    @pytest.fixture
    def turn_to(self, standin: StandIn) -> Callable[[dt.date], None]:
        """Its business date is its own."""

        def turn(day: dt.date) -> None:
            standin.world.business_date = day

        return turn


class TestFineract(_Fineract):
    """Newer than 1.14: it undoes transfers."""


class TestFineract19(_Fineract):
    """1.9 to 1.14."""

    @pytest.fixture
    def newer(self) -> bool:
        return False
