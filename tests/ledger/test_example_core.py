"""The example of the README keeps the contract, and is as short as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.ledger.contract.suite import LedgerContract
from tests.ledger import example_core
from tests.ledger.example_core import VaultLedger
from tests.ledger.vault import Vault

LINES_MAX = 200


class TestVaultLedger(LedgerContract):
    """All that a core of your own needs beside its adapter."""

    @pytest.fixture
    def office(self) -> Vault:
        return Vault()

    @pytest.fixture
    def ledger(self, office: Vault) -> VaultLedger:
        return VaultLedger(office)


def test_it_is_as_short_as_it_says() -> None:
    assert len(Path(example_core.__file__).read_text().splitlines()) < LINES_MAX
