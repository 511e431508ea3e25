"""Reading a whole database in one snapshot, without a right to write."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

_ROWS_AT_ONCE = 2_000  # of a stream, in memory


class Snapshot:
    """What was committed at one moment, for as long as it is read.

    Any role that may read will do. Names are looked up in `pg_catalog` alone, and moments are UTC.
    """

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection
        self._names = (f"stream_{number}" for number in itertools.count(1))

    def rows(self, sql: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The statement's rows, a few at a time: there may be millions."""
        with self._connection.cursor(name=next(self._names)) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(sql, params)
            yield from cursor


@contextlib.contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Look at the database as it is now.

    Raises:
        psycopg.OperationalError: it does not answer.
    """
    options = "-c search_path=pg_catalog -c timezone=UTC"
    with psycopg.connect(url, options=options, application_name="chaski audit") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield Snapshot(connection)
