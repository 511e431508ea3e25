"""One pool of connections a process, and one way to call a function in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.bounds import (
    PATIENT_STATEMENT_MS,
    RECONNECT_S,
    SILENCE_MS,
    STATEMENT_TIMEOUT_MS,
    STORE_TIMEOUT_MS,
)
from gateway.db.connection import Connection, NoAnswerError, PatientConnection, Row

__all__ = ["Database", "DatabaseUnavailableError", "NotAllowedError", "Row"]

# What a function of ours, or a table's own check, refuses to write: its `diag` says why.
NotAllowedError = psycopg.errors.CheckViolation


class DatabaseUnavailableError(Exception):
    """PostgreSQL did not answer. What a write did is unknown; its key tells, once it answers
    again."""


class Database:
    """A pool in autocommit: every call is one statement, one round trip, one transaction.

    Args:
        dsn: a libpq connection string or URL.
        size_max: the most connections that this process may hold.
        patient: statements may take minutes, not a moment: never where a member waits.
        options: more of the server's options, `-c name=value`.
    """

    def __init__(
        self, dsn: str, size_max: int, *, patient: bool = False, options: str = ""
    ) -> None:
        statement_ms = PATIENT_STATEMENT_MS if patient else STATEMENT_TIMEOUT_MS
        # No statement of a millisecond is worth compiling, which takes fifty. Servers before 18 do
        # it wherever `enable_seqscan = off` meets a table that has no index.
        compiled = "" if patient else "-c jit=off"
        self._away_until = 0.0
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            dsn,
            connection_class=PatientConnection if patient else Connection,
            min_size=1,
            max_size=size_max,
            timeout=STORE_TIMEOUT_MS / 1000,
            # Waits between tries double until then, and begin anew with the next caller: an
            # outage of minutes heals within seconds.
            reconnect_timeout=RECONNECT_S,
            kwargs={
                "autocommit": True,
                "connect_timeout": 2,  # seconds; libpq takes no less
                "options": f"-c statement_timeout={statement_ms} {compiled} {options}",
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
        sent once more. That is safe because whatever moves money carries its key. A server that
        says nothing is not asked again for a moment, so that its callers fail at once.

        Raises:
            DatabaseUnavailableError: no connection, or lost twice, or out of time.
            psycopg.Error: the statement itself is refused.
        """
        if time.monotonic() < self._away_until:
            raise DatabaseUnavailableError("PostgreSQL said nothing a moment ago")
        try:
            return self._once(sql, params)
        except (NoAnswerError, psycopg.errors.QueryCanceled, PoolTimeout) as error:
            raise self._unavailable(error) from error
        except psycopg.OperationalError:
            self._pool.check()
        try:
            return self._once(sql, params)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> DatabaseUnavailableError:
        if isinstance(error, NoAnswerError):
            self._away_until = time.monotonic() + SILENCE_MS / 1000
        return DatabaseUnavailableError(str(error))

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
        # Not the pool's own `with`: it commits, and here every statement has done so itself.
        connection = self._pool.getconn()
        try:
            return connection.ask(sql, params)
        finally:
            self._pool.putconn(connection)
