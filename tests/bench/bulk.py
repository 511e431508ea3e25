"""Filling tables first and their indexes afterwards, so that a run that was stopped can go on.

Other functions depend on the keys' indexes, so that they cannot be dropped. They are told not to
follow what is written, and are built anew at the end, which proves that the keys are unique. What
was not built yet is known by the catalogue itself: no note of ours can be lost.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import psycopg

from tests.bench.models import Owner

_AT_ONCE = 2  # connections that build indexes

_ASIDE = """
update pg_index set indisready = false, indisvalid = false
where indrelid = any(%s::text[]::regclass[])
"""
_BEHIND = """
select indexrelid::regclass::text from pg_index where not indisready
order by pg_relation_size(indrelid) desc
"""
# Foreign keys would be asked row by row, and the doors' triggers: a test compares what is written.
_UNASKED = "set session_replication_role = replica"
_ASKED = "reset session_replication_role"
_VACUUM = "vacuum (freeze, analyze)"


def begin(owner: Owner, tables: Sequence[str]) -> None:
    """From now on these tables' indexes are left behind, and nothing but copies may be written."""
    owner.execute(_ASIDE, (list(tables),))
    owner.execute(_UNASKED)


def end(owner_url: str, owner: Owner) -> None:
    """Vacuum, so that none of it is left to do while somebody measures; build the indexes."""
    owner.execute(_ASKED)
    owner.execute(_VACUUM)
    catch_up(owner_url, owner)


def catch_up(owner_url: str, owner: Owner) -> None:
    """Build the indexes that were left behind, by this run or one that was stopped."""
    behind = [name for (name,) in owner.execute(_BEHIND).fetchall()]
    failed: list[psycopg.Error] = []

    def build() -> None:
        try:
            with psycopg.connect(owner_url, autocommit=True) as builder:
                while behind and not failed:
                    builder.execute(f"reindex index {behind.pop(0)}".encode())
        except psycopg.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=build) for _ in range(min(_AT_ONCE, len(behind)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
