"""Events as files: CSV for a spreadsheet, Parquet for a notebook. Rows stream through, so that ten
million take no more memory than ten."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from gateway.db.reading import Snapshot
from gateway.events.kinds import columns
from gateway.values.spreadsheet import never_a_formula

_ALWAYS: dict[str, type] = {"day": dt.date, "at": dt.datetime, "kind": str}
COLUMNS: dict[str, type] = {**_ALWAYS, **columns()}

_NOTHING = "\\N"  # in the pipe: an empty text is something else
_PARQUET = {
    dt.date: "date",
    dt.datetime: "timestamptz",
    str: "varchar",
    int: "bigint",
    bool: "bool",
}


class NoParquetError(Exception):
    """What writes Parquet is not installed."""


def rows(snapshot: Snapshot, first: dt.date, last: dt.date) -> Iterator[tuple[Any, ...]]:
    """The events of these days, both included, in their order."""
    names = ", ".join(COLUMNS)
    return snapshot.rows(
        f"select {names} from events.event"  # noqa: S608 # nosec B608 - names of ours
        " where day between %s and %s order by day, at, source, number",
        (first, last),
    )


def write_csv(events: Iterator[tuple[Any, ...]], file: IO[str]) -> int:
    """With a line of names; answers how many events were written."""
    return write_table(list(COLUMNS), events, file)


def write_table(names: Sequence[str], lines: Iterator[Sequence[Any]], file: IO[str]) -> int:
    """A table that a spreadsheet opens and runs nothing of; answers how many lines it has."""
    writer = csv.writer(file)
    writer.writerow(names)
    written = 0
    for line in lines:
        writer.writerow([cell(value) for value in line])
        written += 1
    return written


def cell(value: object) -> object:
    """A value as a spreadsheet may have it: a text that looks like a formula is quoted."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    return never_a_formula(value) if isinstance(value, str) else value


def write_parquet(events: Iterator[tuple[Any, ...]], file: Path) -> int:
    """Compressed, a column a field; answers how many events were written.

    Raises:
        NoParquetError: duckdb is not there.
    """
    if importlib.util.find_spec("duckdb") is None:
        raise NoParquetError("Parquet needs duckdb: pip install 'chaski[parquet]'")
    with tempfile.TemporaryDirectory() as folder:
        pipe = Path(folder) / "events"
        os.mkfifo(pipe)
        feeder = _Feeder(events, pipe)
        feeder.start()
        try:
            written = _copy(pipe, file)
        finally:
            feeder.finish()
    return written


def _copy(pipe: Path, file: Path) -> int:
    """DuckDB reads the pipe once, in order, and writes a group of rows at a time."""
    import duckdb

    kinds = ", ".join(f"'{name}': '{_PARQUET[kind]}'" for name, kind in COLUMNS.items())
    with duckdb.connect(config={"memory_limit": "256MB", "threads": 1}) as connection:
        copied = connection.execute(
            "copy (select * from read_csv($pipe, auto_detect=false, header=false, delim=',',"  # noqa: S608 # nosec B608 - names of ours
            f" quote='\"', escape='\"', nullstr='{_NOTHING}', columns={{{kinds}}}))"
            " to $file (format parquet, compression zstd)",
            {"pipe": str(pipe), "file": str(file)},
        ).fetchone()
    return int(copied[0]) if copied else 0


class _Feeder(threading.Thread):
    """Writes events into a pipe, while somebody reads it."""

    def __init__(self, events: Iterator[tuple[Any, ...]], pipe: Path) -> None:
        super().__init__(name="events-feeder", daemon=True)
        self._events, self._pipe = events, pipe
        self._failed: BaseException | None = None

    def run(self) -> None:
        try:
            with self._pipe.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerows([_plain(value) for value in event] for event in self._events)
        except BaseException as error:
            self._failed = error

    def finish(self) -> None:
        """Wait for the end; what went wrong here is raised there."""
        if self.is_alive():  # nobody reads any more: open it, so that a writer does not wait
            os.close(os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK))
        self.join()
        if self._failed is not None and not isinstance(self._failed, BrokenPipeError):
            raise self._failed


def _plain(value: object) -> object:
    if value is None:
        return _NOTHING
    return value.isoformat() if isinstance(value, dt.datetime) else value
