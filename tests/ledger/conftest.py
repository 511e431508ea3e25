"""The own ledger on a real PostgreSQL, and the desk that opens its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from gateway.db.pool import Database
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """Signed in as the owner of the schemas."""
    with psycopg.connect(database_urls[0], autocommit=True) as connection:
        yield connection


@pytest.fixture
def office(owner: psycopg.Connection[Any]) -> LedgerOffice:
    return LedgerOffice(owner)


@pytest.fixture
def database(database_urls: tuple[str, str]) -> Iterator[Database]:
    """Signed in as the application."""
    database = Database(database_urls[1], 8)
    database.open()
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database)
