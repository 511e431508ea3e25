"""A statement that is sent by hand is answered as psycopg would: refusals, values, silence."""

from __future__ import annotations

import datetime as dt
import decimal
import signal
import uuid
import weakref
from collections.abc import Iterator, Sequence
from types import FrameType

import psycopg
import pytest
from psycopg.types.json import Jsonb

from gateway.bounds import PREPARED_STATEMENTS_MAX
from gateway.db.connection import Connection, NoAnswerError, PatientConnection, Row
from gateway.embedded.patience import came_true

LIMA = dt.timezone(dt.timedelta(hours=-5))
LARGE = "ñ" * 10_000_000  # more than any socket takes at once, there and back
END_MAX_S = 5  # of a backend whose statement was stopped


@pytest.fixture
def app_url(database_urls: tuple[str, str]) -> str:
    return database_urls[1]


@pytest.fixture
def connection(app_url: str) -> Iterator[Connection]:
    with Connection.connect(app_url, autocommit=True) as connection:
        yield connection


# --- What it refuses, and what goes wrong


@pytest.mark.parametrize(
    ("sql", "params", "error"),
    [
        ("select 1 % 2", (), ValueError),
        ("select %s", (), ValueError),
        ("select %s %% 2", (1,), ValueError),
        ("select %(a)s", (1,), ValueError),
        ("selec 1", (), psycopg.errors.SyntaxError),
        ("select 1; select 2", (), psycopg.errors.SyntaxError),
        ("select 1 / %s", (0,), psycopg.errors.DivisionByZero),
        ("select %s, %s", (1,), ValueError),
        ("select %s", (1, 2), ValueError),
        ("select %s", (object(),), psycopg.ProgrammingError),
        ("select %s", ("\0",), psycopg.DataError),
        ("select * from ledger.balance", (), psycopg.errors.InsufficientPrivilege),
    ],
)
def test_what_cannot_be_asked_is_refused_and_the_connection_goes_on(
    connection: Connection, sql: str, params: Sequence[object], error: type[Exception]
) -> None:
    for _ in range(2):  # the second one finds it prepared, or not
        with pytest.raises(error):
            connection.ask(sql, params)
        assert connection.ask("select %s as n", (7,)) == [{"n": 7}]


def test_a_refusal_says_what_was_refused(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.ask("select %s::ledger.moved_centimos", (0,))
    assert refused.value.diag.datatype_name == "moved_centimos"


def test_a_server_that_went_away_is_an_operational_error(connection: Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.ask("select pg_terminate_backend(pg_backend_pid())", ())
    with pytest.raises(psycopg.OperationalError):
        connection.ask("select 1", ())
    assert connection.closed


def test_a_server_that_says_nothing_is_given_up(app_url: str) -> None:
    class HastyConnection(Connection):
        answer_s = 0.2

    with HastyConnection.connect(app_url, autocommit=True) as connection:
        with pytest.raises(NoAnswerError):
            connection.ask("select pg_sleep(60)", ())
        assert connection.closed, "its answer may still come"


def test_ctrl_c_stops_the_statement_at_the_server(app_url: str) -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with PatientConnection.connect(app_url, autocommit=True) as connection:
            pid = connection.ask("select pg_backend_pid() as pid", ())[0]["pid"]
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                connection.ask("select pg_sleep(%s)", (600,))
            assert connection.closed
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended(app_url, pid)


# --- What it answers


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("select 1 as a where false", ()),
        ("set local work_mem = '4MB'", ()),
        ("select %s as a, %s as b, %s as c", (None, True, False)),
        ("select %s as a, %s as b, %s as c", (1, 40_000, 9_007_199_254_740_993)),
        ("select %s as a, %s as b", (10**30, decimal.Decimal("-0.10"))),
        ("select %s as a, %s as b", (uuid.UUID(int=7), "Ñandú\n\t'")),
        ("select %s as a, %s as b", (dt.date(2026, 2, 28), dt.timedelta(days=-1, seconds=3))),
        ("select %s as a", (dt.datetime(2026, 11, 23, 8, 30, tzinfo=LIMA),)),
        ("select %s as a, %s as b", ([1, 2, None], ["a", "b,c"])),
        ("select %s as a, %s::text[] as b", ([uuid.UUID(int=1)], [])),
        ("select %s as a, %s as b", (Jsonb({"centimos": [1, None]}), b"\x00\xff")),
        ("select n, n::text as t from generate_series(1, %s) as n", (1000,)),
        ("select (%s::ledger.answer).*", ("(posted,,100001,0,0,,t)",)),
        ("select array['part', 'late']::ledger.purpose[] as a where %s", (False,)),
    ],
)
def test_values_go_and_come_as_psycopg_itself_has_them(
    connection: Connection, sql: str, params: Sequence[object]
) -> None:
    cursor = connection.execute(sql, params)
    wanted: list[Row] = cursor.fetchall() if cursor.description else []
    assert connection.ask(sql, params) == wanted
    assert connection.ask(sql, params) == wanted


def test_more_than_a_socket_takes_goes_there_and_back(connection: Connection) -> None:
    assert connection.ask("select %s as large", (LARGE,)) == [{"large": LARGE}]


def test_an_answer_that_comes_while_the_last_is_sent_is_not_waited_for(
    connection: Connection,
) -> None:
    """It is read on the way, and the socket does not announce it again."""
    for size in range(200_000, 800_000, 2_000):
        (row,) = connection.ask("select length(%s) as n", ("x" * size,))
        assert row == {"n": size}


def test_every_statement_is_a_transaction(connection: Connection) -> None:
    sql = "select pg_current_xact_id()::text as id"
    assert connection.ask(sql, ()) != connection.ask(sql, ())


def test_a_statement_is_prepared_once_for_each_kind_of_value(connection: Connection) -> None:
    for number in (1, 2, 40_000, 50_000, 3):
        assert connection.ask("select %s + 1 as n", (number,)) == [{"n": number + 1}]
    assert len(prepared(connection)) == 2


def test_the_server_keeps_no_more_statements_than_the_bound(connection: Connection) -> None:
    for number in (*range(PREPARED_STATEMENTS_MAX + 5), 3):
        assert connection.ask(f"select {number} as n", ()) == [{"n": number}]
    assert len(prepared(connection)) <= PREPARED_STATEMENTS_MAX


def test_a_statement_outlives_a_change_of_what_it_reads(database_urls: tuple[str, str]) -> None:
    """A migration may run while gateways serve."""
    with Connection.connect(database_urls[0], autocommit=True) as owner:
        owner.execute("create table public.grows as select 1 as a")
        assert owner.ask("select * from public.grows", ()) == [{"a": 1}]
        owner.execute("alter table public.grows add b integer default 2")
        assert owner.ask("select * from public.grows", ()) == [{"a": 1, "b": 2}]


def test_a_statement_that_the_server_forgot_is_prepared_again(connection: Connection) -> None:
    """As a pooler in between does."""
    assert connection.ask("select %s as n", (1,)) == [{"n": 1}]
    connection.execute("deallocate all", prepare=False)
    assert connection.ask("select %s as n", (2,)) == [{"n": 2}]


def test_a_refusal_of_what_a_statement_does_is_told_once(connection: Connection) -> None:
    """Though it looks like an outlived plan."""
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        connection.ask("do $$ begin raise feature_not_supported; end $$", ())
    assert connection.ask("select 1 as n", ()) == [{"n": 1}]


def test_what_it_was_given_is_not_kept(connection: Connection) -> None:
    class Secret(str):
        """Can be looked after: a plain `str` cannot."""

        __slots__ = ("__weakref__",)

    secret = Secret("1234")
    kept = weakref.ref(secret)
    assert connection.ask("select %s as pin", (secret,)) == [{"pin": "1234"}]
    del secret
    assert kept() is None


def prepared(connection: Connection) -> list[Row]:
    return connection.execute("select name from pg_prepared_statements", prepare=False).fetchall()


def ended(url: str, pid: int) -> bool:
    """Whether that backend is gone, or will be within some seconds."""
    sql = "select 1 from pg_stat_activity where pid = %s"
    with psycopg.connect(url, autocommit=True) as other:
        return came_true(lambda: other.execute(sql, (pid,)).fetchone() is None, END_MAX_S)
