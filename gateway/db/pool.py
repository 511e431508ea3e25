"""One pool of connections a process, and one way to call a function in it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Self

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.bounds import (
    CONNECTION_AGE_S,
    CONNECTIONS_AT_HAND,
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
        age_s: then a connection is ended, and another opened.
    """

    def __init__(
        self,
        dsn: str,
        size_max: int,
        *,
        patient: bool = False,
        options: str = "",
        age_s: float = CONNECTION_AGE_S,
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
            max_lifetime=age_s,
            configure=lambda connection: _grows_old(connection, age_s),
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
        self._at_hand = _AtHand(self._pool)

    def open(self) -> None:
        """Begin to connect. Does not wait: a server that is away is found out by the first call."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Give all connections back; calls under way finish first."""
        self._at_hand.close()
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
            self._at_hand.clear()
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
        connection = self._at_hand.take()
        try:
            return connection.ask(sql, params)
        finally:
            self._at_hand.give_back(connection)


def _grows_old(connection: Connection, age_s: float) -> None:
    connection.old_at = time.monotonic() + age_s


class _AtHand:
    """A few of a pool's connections, kept out of it: the one that was used last is used next.

    The pool hands its connections out in turn, always the one that nobody has used for longest, and
    of that neither we nor the server's process has much left in the processor's memory: a hop takes
    a twentieth more, and PostgreSQL a tenth. What is more than a few, or broken, or old, and
    whatever somebody waits for, is the pool's business.
    """

    def __init__(self, pool: ConnectionPool[Connection]) -> None:
        self._pool = pool
        self._free: list[Connection] = []  # its `append` and `pop` need no lock
        self._most = CONNECTIONS_AT_HAND
        self._counting = threading.Lock()
        self._seeking = 0  # who asks the pool, which may have none left

    def take(self) -> Connection:
        """One that nobody else has until it is given back.

        Raises:
            PoolTimeout: all are in use, or the server is away.
        """
        try:
            return self._free.pop()
        except IndexError:
            return self._from_pool()

    def give_back(self, connection: Connection) -> None:
        """Keep it at hand, or give it to the pool. Not by the pool's own `with`: that commits, and
        here every statement has done so itself."""
        well = connection.pgconn.transaction_status == TransactionStatus.IDLE
        old = time.monotonic() >= connection.old_at  # the pool ends it, and opens another
        if not well or old or len(self._free) >= self._most:
            self._pool.putconn(connection)
            return
        self._free.append(connection)
        # Whoever seeks from now on sees it there; whoever has begun to is seen here.
        if self._seeking:
            self._one_to_pool()

    def clear(self) -> None:
        """Give all that nobody uses back to the pool."""
        while self._free:
            self._one_to_pool()

    def close(self) -> None:
        """The same, also with what is in use now, when it comes back."""
        self._most = 0
        self.clear()

    def _from_pool(self) -> Connection:
        with self._counting:
            self._seeking += 1
        try:
            return self._free.pop()  # somebody gave it back a moment ago
        except IndexError:
            return self._pool.getconn()
        finally:
            with self._counting:
                self._seeking -= 1

    def _one_to_pool(self) -> None:
        with contextlib.suppress(IndexError):
            self._pool.putconn(self._free.pop())
