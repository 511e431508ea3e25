"""One pool of connections a process, and one way to call a function in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.bounds import RECONNECT_S, STATEMENT_TIMEOUT_MS, STORE_TIMEOUT_MS

Row = dict[str, Any]


class DatabaseUnavailableError(Exception):
    """PostgreSQL did not answer. What a write did is unknown; its key tells, once it answers
    again."""


class Database:
    """A pool in autocommit: every call is one statement, one round trip, one transaction.

    Args:
        dsn: a libpq connection string or URL.
        size_max: the most connections that this process may hold.
    """

    def __init__(self, dsn: str, size_max: int) -> None:
        self._pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            dsn,
            min_size=1,
            max_size=size_max,
            timeout=STORE_TIMEOUT_MS / 1000,
            # Waits between tries double until then, and begin anew with the next caller: an
            # outage of minutes heals within seconds.
            reconnect_timeout=RECONNECT_S,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": 2,  # seconds; libpq takes no less
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
                "application_name": "chaski",
            },
            open=False,
        )

    def open(self) -> None:
        """Begin to connect. Does not wait: a server that is away is found out by the first call."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Give all connections back; calls under way finish first."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def call(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Run one statement and fetch its rows.

        A connection that the server dropped while it lay in the pool is replaced and the statement
        sent once more. That is safe because whatever moves money carries its key.

        Raises:
            DatabaseUnavailableError: no connection, or lost twice, or out of time.
            psycopg.Error: the statement itself is refused.
        """
        try:
            return self._once(sql, params)
        except (psycopg.OperationalError, PoolTimeout) as first:
            if isinstance(first, psycopg.errors.QueryCanceled | PoolTimeout):
                raise DatabaseUnavailableError(str(first)) from first
        self._pool.check()
        try:
            return self._once(sql, params)
        except (psycopg.OperationalError, PoolTimeout) as second:
            raise DatabaseUnavailableError(str(second)) from second

    def row(self, sql: str, params: Sequence[object] = ()) -> Row:
        """Run one statement that answers exactly one row."""
        (row,) = self.call(sql, params)
        return row

    def healthy(self) -> bool:
        """Whether the server answers now."""
        try:
            return self.call("select true as up") == [{"up": True}]
        except DatabaseUnavailableError:
            return False

    def _once(self, sql: str, params: Sequence[object]) -> list[Row]:
        with self._pool.connection() as connection:
            cursor = connection.execute(sql, params)
            return cursor.fetchall() if cursor.description else []
