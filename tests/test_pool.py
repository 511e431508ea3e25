"""How the application's connections are set up, shared out and ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gateway.bounds import STORE_TIMEOUT_MS
from gateway.db.connection import Connection
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.embedded.patience import came_true

OPEN_MAX_S = 5  # two connections
BACKEND = "select pg_backend_pid() as pid"


@pytest.fixture
def app_url(database_urls: tuple[str, str]) -> str:
    return database_urls[1]


@pytest.fixture
def two(app_url: str) -> Iterator[Database]:
    """Two connections, both open."""
    with Database(app_url, 2) as database:
        database.open()
        _at_once(database, 2)
        yield database


def _at_once(database: Database, threads: int, seconds: float = 0.1) -> list[object]:
    """Which backends are asked by so many at once; or the error that one ran into."""
    asked: list[object] = []

    def ask() -> None:
        try:
            asked.append(database.row("select pg_backend_pid() as pid, pg_sleep(%s)", (seconds,)))
        except DatabaseUnavailableError as error:
            asked.append(error)

    callers = [threading.Thread(target=ask) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return [one["pid"] if isinstance(one, dict) else one for one in asked]


def _backends(owner_url: str) -> int:
    """How many connections the application has."""
    with Connection.connect(owner_url, autocommit=True) as owner:
        (row,) = owner.ask(
            "select count(*) as open from pg_stat_activity"
            " where usename = 'chaski_app' and datname = current_database()",
            (),
        )
    return int(row["open"])


def test_no_statement_is_compiled_which_would_take_longer_than_an_order(app_url: str) -> None:
    with Database(app_url, 1) as database:
        database.open()
        assert database.row("show jit") == {"jit": "off"}


def test_who_waits_longer_than_a_member_can_is_told_so(app_url: str) -> None:
    """Twice as long as anybody waits is what each of two statements takes, one after the other."""
    with Database(app_url, 1) as database:
        database.open()
        database.row(BACKEND)
        answers = _at_once(database, 2, STORE_TIMEOUT_MS / 1000 * 1.5)

    assert sum(isinstance(answer, DatabaseUnavailableError) for answer in answers) == 1


def test_whoever_waits_gets_the_one_that_is_given_back(two: Database) -> None:
    """Nobody is left waiting beside a connection that is free."""
    asked = _at_once(two, 12, 0.02)

    assert len(asked) == 12
    assert all(isinstance(pid, int) for pid in asked)
    assert len(set(asked)) == 2


def test_after_all_broke_the_next_caller_is_served(
    two: Database, database_urls: tuple[str, str]
) -> None:
    """A server that was started anew, or a standby that took over."""
    with Connection.connect(database_urls[0], autocommit=True) as owner:
        owner.ask(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where usename = 'chaski_app' and datname = current_database()",
            (),
        )

    assert two.row("select 1 as one") == {"one": 1}


def test_none_is_left_open_at_the_end(app_url: str, database_urls: tuple[str, str]) -> None:
    """Not even one that was in use when the end came."""
    before = _backends(database_urls[0])
    database = Database(app_url, 2)
    database.open()
    slow = threading.Thread(target=_at_once, args=(database, 2, 0.5))
    slow.start()
    assert came_true(lambda: _backends(database_urls[0]) == before + 2, OPEN_MAX_S)
    database.close()
    slow.join()

    assert _backends(database_urls[0]) == before
