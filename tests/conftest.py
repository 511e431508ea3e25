"""A real PostgreSQL and a real Valkey for the tests: started once a run, emptied for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from gateway.db.migrations import migrate
from gateway.embedded import Embedded, Endpoints
from tests.cluster.nodes import Nodes, six_nodes

pytest_plugins = ["tests.cooperative", "tests.house"]

_TEMPLATE = "template_migrated"
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record` writes the golden dialogs anew."""
    parser.addoption("--record", action="store_true", help="write tests/dialogs anew")


@pytest.fixture(scope="session")
def embedded_data() -> Iterator[Path]:
    """A folder that the servers' account can enter when root runs the tests: pytest's is shut."""
    folder = Path(tempfile.mkdtemp(prefix="chaski-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def endpoints(embedded_data: Path) -> Iterator[Endpoints]:
    """The servers of this run, with nothing in them."""
    with Embedded(embedded_data, lambda line: None) as endpoints:
        # The tests kill processes, not machines, and need not wait for the disk.
        settings = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")
        _administer(endpoints, *(f"alter system set {setting}" for setting in settings))
        _administer(endpoints, "select pg_reload_conf()")
        yield endpoints


@pytest.fixture(scope="session")
def _migrated(endpoints: Endpoints) -> Endpoints:
    """The same, with a migrated database to copy."""
    _administer(endpoints, f"create database {_TEMPLATE}")
    migrate(_of_database(endpoints.owner_url, _TEMPLATE))
    # Only a database that nobody is connected to can be copied.
    _administer(
        endpoints,
        f"alter database {_TEMPLATE} allow_connections false",
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{_TEMPLATE}'",  # noqa: S608 - a constant of ours
    )
    return endpoints


@pytest.fixture
def database_urls(_migrated: Endpoints) -> Iterator[tuple[str, str]]:
    """The owner's and the application's URL of a fresh, migrated database."""
    yield from _fresh_database(_migrated)


@pytest.fixture
def other_database_urls(_migrated: Endpoints) -> Iterator[tuple[str, str]]:
    """The same of another one, for another cooperative."""
    yield from _fresh_database(_migrated)


def _fresh_database(_migrated: Endpoints) -> Iterator[tuple[str, str]]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _administer(_migrated, f"create database {name} template {_TEMPLATE} strategy file_copy")
    yield _of_database(_migrated.owner_url, name), _of_database(_migrated.app_url, name)
    _administer(_migrated, f"drop database {name} with (force)")


@pytest.fixture
def redis_urls(endpoints: Endpoints) -> tuple[str, str]:
    """The sessions' and the queues' URL, both empty."""
    with redis.Redis.from_url(endpoints.sessions_url) as connection:
        connection.flushall()
    return endpoints.sessions_url, endpoints.queue_url


@pytest.fixture(scope="session")
def cluster(embedded_data: Path) -> Iterator[Nodes]:
    """A Redis Cluster of six nodes."""
    folder = embedded_data / "cluster"
    folder.mkdir()
    with six_nodes(folder) as nodes:
        yield nodes


def _of_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _administer(endpoints: Endpoints, *statements: str) -> None:
    url = _of_database(endpoints.owner_url, "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
