"""Tables that staff load: where members live, and the districts' names. A faulty line is said by
its number, and then nothing is loaded."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.db.pool import Database

_DISTRICT = re.compile(r"[0-9]{6}")
_RURAL: dict[str, bool | None] = {
    **dict.fromkeys(("si", "sí", "yes", "rural", "1"), True),
    **dict.fromkeys(("no", "urbano", "urban", "0"), False),
    "": None,
}


class FaultyTableError(Exception):
    """A line cannot be read: its number, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member lives: the core's reference, a UBIGEO code, and whether in the country."""

    ref: str
    district: str
    rural: bool | None


@dataclass(frozen=True, slots=True)
class District:
    """A district, by INEI's names."""

    code: str
    name: str
    province: str
    department: str


def read_places(lines: Iterable[str]) -> list[Place]:
    """Of a CSV with the columns member, district and rural.

    Raises:
        FaultyTableError: a column or a line is wrong.
    """
    places = []
    for number, row in _rows(lines, ("member", "district", "rural")):
        rural = row["rural"].lower()
        if rural not in _RURAL:
            raise FaultyTableError(f"line {number}: rural is yes, no or empty")
        if not row["member"]:
            raise FaultyTableError(f"line {number}: no member")
        places.append(Place(row["member"], _code(number, row["district"]), _RURAL[rural]))
    return places


def read_districts(lines: Iterable[str]) -> list[District]:
    """Of a CSV with the columns district, name, province and department.

    Raises:
        FaultyTableError: a column or a line is wrong.
    """
    districts = []
    for number, row in _rows(lines, ("district", "name", "province", "department")):
        if not row["district"] or not row["name"]:
            raise FaultyTableError(f"line {number}: a district has a code and a name")
        code = _code(number, row["district"])
        districts.append(District(code, row["name"], row["province"], row["department"]))
    return districts


def place(database: Database, places: Sequence[Place], by: str, now: dt.datetime) -> int:
    """Put members where they live; answers how many were not there before. The figures are then
    summed anew."""
    given = (
        [one.ref for one in places],
        [one.district for one in places],
        [one.rural for one in places],
    )
    row = database.row(
        "select programme.place_members(%s, %s, %s, %s, %s) as changed", (*given, by, now)
    )
    return int(row["changed"])


def name(database: Database, districts: Sequence[District], by: str, now: dt.datetime) -> None:
    """Have these districts' names."""
    given = (
        [one.code for one in districts],
        [one.name for one in districts],
        [one.province for one in districts],
        [one.department for one in districts],
    )
    database.call("select programme.name_districts(%s, %s, %s, %s, %s, %s)", (*given, by, now))


def _rows(lines: Iterable[str], columns: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(lines)
    missing = set(columns) - set(reader.fieldnames or ())
    if missing:
        raise FaultyTableError(f"line 1: no column {', '.join(sorted(missing))}")
    for row in reader:
        yield reader.line_num, {column: (row[column] or "").strip() for column in columns}


def _code(number: int, text: str) -> str:
    """A spreadsheet takes the zero from the front of 060801."""
    code = text.zfill(6) if text else ""
    if code and not _DISTRICT.fullmatch(code):
        raise FaultyTableError(f"line {number}: {text} is no UBIGEO code of six digits")
    return code
