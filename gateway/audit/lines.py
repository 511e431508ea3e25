"""What is sealed, as SQL that reads it: out of our own file, not out of the database's views."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "sql" / "audit-0002-lines.sql"
_VIEW = re.compile(r"^create view audit\.line_(?P<kind>\w+) as\n(?P<select>.+?);$", re.M | re.S)


@cache
def line_queries() -> Mapping[str, str]:
    """By kind, in its order, the select that answers `xact` and `line` of every row."""
    found = {match["kind"]: match["select"] for match in _VIEW.finditer(_FILE.read_text("utf-8"))}
    return dict(sorted(found.items()))
