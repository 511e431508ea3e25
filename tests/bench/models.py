"""Rows that a door wrote once, copied by the thousand with other keys.

A door opens one account and everything around it in a millisecond; four million members are an hour
of that. So a deed is done once by its door, the rows that it wrote are read wherever they are, and
it is undone: what is copied is what the doors write, column by column, but for the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

Owner = psycopg.Connection[tuple[Any, ...]]
# The rows of each table.
Model = Mapping[str, list[dict[str, Any]]]
# Of each table: the columns that are not the model's own, as expressions. `t` is the model's row.
Keys = Mapping[str, Mapping[str, str]]

# The transaction that wrote a row is the one that copies it.
_BY_DEFAULT = "xact"

_TABLES = """
select schemaname, tablename from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1
"""
_WRITTEN = """
select coalesce(jsonb_agg(to_jsonb(t) order by t.ctid), '[]') from {} as t
where t.xmin = pg_current_xact_id()::xid
"""


def written(owner: Owner, deed: Callable[[], object]) -> Model:
    """The rows that a deed writes, in whatever table. The deed is undone."""
    with owner.transaction(force_rollback=True):
        deed()
        tables = owner.execute(_TABLES).fetchall()
        rows = {f"{schema}.{name}": _rows(owner, schema, name) for schema, name in tables}
    return {name: found for name, found in rows.items() if found}


def copy(owner: Owner, model: Model, keys: Keys, each: str, values: Mapping[str, object]) -> None:
    """Write the model's rows once for each row of `each`, which the keys' expressions may name.

    Raises:
        RuntimeError: the deed writes to a table whose keys nobody gave.
    """
    if strange := model.keys() - keys.keys():
        raise RuntimeError(f"a door writes to {sorted(strange)} too: what are the keys there?")
    for table, rows in model.items():
        columns = {name: f"t.{name}" for name in rows[0] if name != _BY_DEFAULT}
        columns |= keys[table]
        # A left join goes row by row of `each`: what is one member's lies side by side, as when a
        # door writes it.
        statement = (
            f"insert into {table} ({', '.join(columns)}) overriding system value"  # noqa: S608
            f" select {', '.join(columns.values())} from {each}"
            f" left join jsonb_populate_recordset(null::{table}, %(model)s) as t on true"
        )
        owner.execute(statement.encode(), {**values, "model": Jsonb(rows)})


def _rows(owner: Owner, schema: str, name: str) -> list[dict[str, Any]]:
    table = sql.Identifier(schema, name)
    row = owner.execute(sql.SQL(_WRITTEN).format(table)).fetchone()
    return list(row[0]) if row else []
