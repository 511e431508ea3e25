"""What is filled is what the doors write, and the books are right."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from gateway.values.pin import Pin
from tests.bench.fill import SLOW, Say, fill, open_by_the_doors
from tests.bench.flows import PIN
from tests.bench.history import fill_up
from tests.bench.models import Owner, copy, written
from tests.bench.stage import of_this_sql

TODAY = dt.date(2026, 11, 23)
KNOWN = 3  # members whose PIN we know
# Each PIN has a salt, each decision a key; and it was not written at the same moment.
NEVER_THE_SAME = {"key", "xact", "decided_at", "hash"}

_TABLES = """
select schemaname || '.' || quote_ident(tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema', 'public')
"""
_BEHIND = "select count(*) from pg_index where not (indisready and indisvalid)"
_FOREIGN = "select conrelid::regclass::text, conname from pg_constraint where contype = 'f'"


class _StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


def _silent(line: str) -> None:
    pass


def _stops_after(lines: int) -> Callable[[str], None]:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if len(said) == lines:
            raise _StoppedError

    return say


def _rows(owner: Owner) -> Mapping[str, list[dict[str, object]]]:
    """All rows of all tables, but for what is never the same."""
    found = {}
    for (table,) in owner.execute(_TABLES).fetchall():
        rows = owner.execute(f"select to_jsonb(t) from {table} as t".encode()).fetchall()  # noqa: S608
        kept = [{k: v for k, v in row.items() if k not in NEVER_THE_SAME} for (row,) in rows]
        found[table] = sorted(kept, key=str)
    return found


def _prove(owner: Owner) -> None:
    """The books, every foreign key, and that no index was left behind."""
    assert owner.execute("select ok, differing from ledger.verify()").fetchone() == (True, [])
    assert owner.execute(_BEHIND).fetchone() == (0,)
    owner.execute("update pg_constraint set convalidated = false where contype = 'f'")
    for table, name in owner.execute(_FOREIGN).fetchall():
        owner.execute(f'alter table {table} validate constraint "{name}"'.encode())


def _fill(url: str, members: int, say: Say = _silent) -> None:
    fill(url, members, TODAY, say, known=KNOWN, chunk=2)


def _hashed(owner: Owner, member_ref: str) -> str:
    statement = "select hash from bank.pin_credential where member_ref = %s"
    return str(owner.execute(statement, (member_ref,)).fetchall()[0][0])


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[Owner]:
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        yield owner


@pytest.fixture
def other(other_database_urls: tuple[str, str]) -> Iterator[Owner]:
    with psycopg.connect(other_database_urls[0], autocommit=True) as owner:
        yield owner


def test_who_is_filled_is_as_if_the_doors_had_opened_them(
    owner: Owner, database_urls: tuple[str, str], other: Owner
) -> None:
    _fill(database_urls[0], 5)

    # Ids that were taken and given up, as by the model.
    written(other, lambda: open_by_the_doors(other, 9, TODAY, "hash"))
    for number in range(1, 6):
        open_by_the_doors(other, number, TODAY, "hash")

    assert _rows(owner) == _rows(other)
    _prove(owner)


def test_their_pins_are_ours_or_nobodys(owner: Owner, database_urls: tuple[str, str]) -> None:
    _fill(database_urls[0], 5)

    right = [SLOW.verify(f"b-{n}", Pin(PIN), _hashed(owner, f"b-{n}"), 1) for n in range(1, 6)]

    assert right == [True] * KNOWN + [False] * (5 - KNOWN)


def test_filling_goes_on_where_it_was_stopped(
    owner: Owner, database_urls: tuple[str, str], other: Owner, other_database_urls: tuple[str, str]
) -> None:
    with pytest.raises(_StoppedError):
        _fill(database_urls[0], 7, _stops_after(2))
    [(behind,)] = owner.execute(_BEHIND).fetchall()
    assert behind > 0

    _fill(database_urls[0], 7)
    _fill(other_database_urls[0], 7)

    _prove(owner)
    assert {name: len(rows) for name, rows in _rows(owner).items()} == {
        name: len(rows) for name, rows in _rows(other).items()
    }


def test_whoever_is_there_is_left_and_members_open_as_before(
    owner: Owner, database_urls: tuple[str, str]
) -> None:
    _fill(database_urls[0], 2)
    before = _rows(owner)

    _fill(database_urls[0], 2)
    assert _rows(owner) == before

    open_by_the_doors(owner, 3, TODAY, "hash")
    _fill(database_urls[0], 4)
    _prove(owner)


def test_a_table_that_nobody_knows_is_not_forgotten(owner: Owner) -> None:
    model = written(owner, lambda: open_by_the_doors(owner, 9, TODAY, "hash"))
    each = "generate_series(1, 1) as n"

    with pytest.raises(RuntimeError, match=re.escape("ledger.instalment")):
        copy(owner, model, {table: {} for table in model if table != "ledger.instalment"}, each, {})


def test_a_transfer_of_the_past_is_as_the_ledger_posts_it(
    owner: Owner, database_urls: tuple[str, str], other: Owner, other_database_urls: tuple[str, str]
) -> None:
    """Four members, six transfers: a ring of four, and one of two."""
    _fill(database_urls[0], 4)
    _fill(other_database_urls[0], 4)
    entries = 2 * (3 * 4 + 6)  # three transfers opened each member

    fill_up(database_urls[0], entries, _silent)

    post = "select ledger.post(gen_random_uuid(), %s, %s, 100, null, %s)"
    written(other, lambda: other.execute(post, ("s-1", "s-2", TODAY)))
    ring = [(1, 2), (2, 3), (3, 4), (4, 1), (1, 2), (2, 1)]
    for payer, payee in ring:
        other.execute(post, (f"s-{payer}", f"s-{payee}", TODAY))
    assert _undated(_rows(owner)) == _undated(_rows(other))
    _prove(owner)


def test_the_past_goes_on_where_it_was_stopped_and_the_books_are_right(
    owner: Owner, database_urls: tuple[str, str]
) -> None:
    _fill(database_urls[0], 5)
    with pytest.raises(_StoppedError):
        fill_up(database_urls[0], 50, _stops_after(1), chunk=3)

    _fill(database_urls[0], 5)
    fill_up(database_urls[0], 50, _silent, chunk=3)

    _prove(owner)
    assert owner.execute("select count(*) from ledger.entry").fetchone() == (50,)


def test_a_folder_that_other_sql_filled_is_not_measured(tmp_path: Path) -> None:
    of_this_sql(tmp_path)
    of_this_sql(tmp_path)
    (tmp_path / "sql.sha256").write_text("another")

    with pytest.raises(RuntimeError, match="other SQL"):
        of_this_sql(tmp_path)


def _undated(rows: Mapping[str, list[dict[str, object]]]) -> object:
    """Orders of the past are of the past."""
    dated = [{**row, "business_date": None} for row in rows["ledger.decision"]]
    return {**rows, "ledger.decision": dated}
