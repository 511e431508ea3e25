"""The adapter over the loopback Fineract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.ledger.contract.cooperative import TODAY
from gateway.ledger.fineract.adapter import FineractLedger, Options
from gateway.ledger.fineract.auth import Basic
from gateway.ledger.fineract.client import FineractClient
from gateway.ledger.fineract.names import ByExternalId, Names
from gateway.ledger.fineract.standin.app import PASSWORD, PAYMENT_TYPE_ID, TENANT, USER
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import World


def connected(standin: StandIn, names: Names | None = None, *, write_s: int = 15) -> FineractLedger:
    """The adapter, signed in at a stand-in."""
    client = FineractClient(standin.url, TENANT, Basic(USER, PASSWORD), write_s=write_s)
    undo = standin.world.newer_than_1_14
    options = Options(payment_type_id=PAYMENT_TYPE_ID, transfer_undo=undo)
    return FineractLedger(client, names or ByExternalId(), lambda: TODAY, options)


@pytest.fixture
def newer() -> bool:
    """Whether the stand-in is newer than 1.14, and undoes transfers."""
    return True


@pytest.fixture
def standin(newer: bool) -> Iterator[StandIn]:
    with StandIn(TODAY, newer_than_1_14=newer) as standin:
        yield standin


@pytest.fixture
def office(standin: StandIn) -> World:
    return standin.world


@pytest.fixture
def ledger(standin: StandIn) -> Iterator[FineractLedger]:
    ledger = connected(standin)
    yield ledger
    ledger.close()
