"""A connection that asks in few steps, and gives a silent server up.

psycopg's cursor takes as long for a statement as PostgreSQL does: it waits twice, and keeps a state
that somebody may look at afterwards. So here a statement is prepared once, then sent, awaited and
read, for half the CPU: `scripts/bench money` tells what an order costs from here. The protocol, the
types and the errors are psycopg's own (psycopg.org, "pq - libpq wrapper module"; postgresql.org,
"Asynchronous Command Processing").
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import select
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import dict_row

from gateway.bounds import (
    ANSWER_SLACK_MS,
    CANCEL_MS,
    PATIENT_STATEMENT_MS,
    PREPARED_STATEMENTS_MAX,
    STATEMENT_TIMEOUT_MS,
)

Row = dict[str, Any]

# Of one statement: its text, and the types of what it is given now. A small number and a large one
# are of two types to PostgreSQL, and so are two statements.
_Kind = tuple[str, tuple[int, ...] | None]

# A statement that was prepared before its tables or functions changed ("cached plan must not change
# result type"), or before a pooler in between forgot it.
_OUTLIVED = (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName)

_WELL = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}


class NoAnswerError(psycopg.OperationalError):
    """The server has the statement and says nothing."""


class Connection(psycopg.Connection[Row]):
    """One in autocommit: every statement is one transaction.

    The server's own `statement_timeout` cannot help where the server itself is frozen, and no
    thread may wait for one: a few of them, and nobody is served at all.
    """

    answer_s: float = (STATEMENT_TIMEOUT_MS + ANSWER_SLACK_MS) / 1000

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn, dict_row)
        self._statements: dict[_Kind, bytes] = {}
        self._numbers = itertools.count()  # no name twice, whatever became of the statement
        self._adapting = Transformer(self)
        self._readable, self._either = select.poll(), select.poll()
        self._readable.register(pgconn.socket, select.POLLIN)
        self._either.register(pgconn.socket, select.POLLIN | select.POLLOUT)

    def ask(self, sql: str, params: Sequence[object]) -> list[Row]:
        """Run one statement and fetch its rows. `%s` stands for a parameter, and `%` for nothing
        else. What it was given and what it answered is not kept.

        Raises:
            NoAnswerError: the server said nothing for `answer_s`. The connection is closed.
            ValueError: the statement has other places than there are parameters.
            psycopg.Error: the statement is refused, or the connection broke.
        """
        try:
            return self._ask_once(sql, params)
        except _OUTLIVED:  # what was refused has done nothing
            self._forget()
            return self._ask_once(sql, params)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, for what it asks by itself, no longer than `answer_s`."""
        began = time.monotonic()
        try:
            return super().wait(gen, interval, timeout or self.answer_s)
        except psycopg.OperationalError as error:
            if time.monotonic() - began < self.answer_s:
                raise
            raise self._given_up() from error

    def _ask_once(self, sql: str, params: Sequence[object]) -> list[Row]:
        types = self._adapting
        values = types.dump_sequence(params, [PyFormat.AUTO] * len(params))
        kind = (sql, types.types)
        name = self._statements.get(kind) or self._prepare(kind)
        self.pgconn.send_query_prepared(name, values, types.formats)
        result = self._answer()
        columns = [(result.fname(place) or b"").decode() for place in range(result.nfields)]
        types.set_pgresult(result)
        try:
            return types.load_rows(
                0, result.ntuples, lambda row: dict(zip(columns, row, strict=True))
            )
        finally:
            types.set_pgresult(None)

    def _prepare(self, kind: _Kind) -> bytes:
        if len(self._statements) >= PREPARED_STATEMENTS_MAX:
            self._forget()
        sql, types = kind
        text, places = _numbered(sql)
        if places != len(types or ()):
            raise ValueError(f"{len(types or ())} parameters for {places}: {sql}")
        name = f"chaski-{next(self._numbers)}".encode()
        self.pgconn.send_prepare(name, text, types)
        self._answer()
        self._statements[kind] = name
        return name

    def _forget(self) -> None:
        self.execute("deallocate all", prepare=False)
        self._statements.clear()

    def _answer(self) -> PGresult:
        """What the server says to what was sent."""
        try:
            result = self._last_result(time.monotonic() + self.answer_s)
        except BaseException:  # Ctrl-C is none of the errors, and stops the statement too
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                with contextlib.suppress(psycopg.Error):
                    self.cancel_safe(timeout=CANCEL_MS / 1000)
                self.pgconn.finish()
            raise
        if result is None:
            raise psycopg.OperationalError("the server answered nothing")
        if result.status not in _WELL:
            raise error_from_result(result)
        return result

    def _last_result(self, until: float) -> PGresult | None:
        pgconn, last = self.pgconn, None
        while pgconn.flush():  # more than the socket takes at once
            self._await(self._either, until)
            pgconn.consume_input()  # or each would wait for the other to read
        while True:
            while pgconn.is_busy():  # what came while it was sent is not announced again
                self._await(self._readable, until)
                pgconn.consume_input()
            if (result := pgconn.get_result()) is None:
                return last
            last = result

    def _await(self, ready: select.poll, until: float) -> None:
        if not ready.poll(max(until - time.monotonic(), 0) * 1000):
            raise self._given_up()

    def _given_up(self) -> NoAnswerError:
        self.pgconn.finish()  # its answer may still come: nobody may take it for another's
        return NoAnswerError(f"no answer within {self.answer_s} s")


class PatientConnection(Connection):
    """For a person who waits at a terminal for a sum over everything."""

    answer_s = (PATIENT_STATEMENT_MS + ANSWER_SLACK_MS) / 1000


@functools.lru_cache(PREPARED_STATEMENTS_MAX)
def _numbered(sql: str) -> tuple[bytes, int]:
    """The statement as PostgreSQL reads it, `$1` for the first `%s`, and how many there are.

    Raises:
        ValueError: a `%` that stands for no parameter.
    """
    first, *others = sql.split("%s")
    text = first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))
    if "%" in text:
        raise ValueError(f"only %s stands for a parameter: {sql}")
    return text.encode(), len(others)
