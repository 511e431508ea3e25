"""What `chaski ledger reconcile` offers: a day's orders beside the core's books."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import click

from gateway.cli.desk import DATA, JSON, application_database, plainly, print_table
from gateway.cli.ledger import core_of, settings_of
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.reconciliation.orders import Orders
from gateway.reconciliation.report import COLUMNS, for_a_spreadsheet, rows_of, stopped_row
from gateway.reconciliation.run import Reconciliation, StoppedError

_DIFFERENCES, _NOT_DONE = 1, 2

_Put = Callable[[dict[str, str]], object]


class _NotDoneError(click.ClickException):
    """What is wrong with a setting or a server is no difference."""

    exit_code = _NOT_DONE


@click.command(name="reconcile")
@click.option("--on", metavar="DATE", help="The business date: 2026-11-23. Without it: today.")
@click.option(
    "--csv", "csv_to", metavar="FILE", help="A file for a spreadsheet; - is the terminal."
)
@click.option(
    "--everybody", is_flag=True, help="Every member's accounts: after a backup was restored."
)
@JSON
@DATA
def reconcile(
    on: str | None,
    csv_to: str | None,
    everybody: bool,  # noqa: FBT001 - click's way
    as_json: bool,  # noqa: FBT001
    data: Path | None,
) -> None:
    """Compare a day's orders with the core's books. Mends nothing.

    Exit 0: no difference; 1: differences; 2: it could not be done to the end.
    """
    try:
        code = _reconciled(on, csv_to, everybody, as_json, data)
    except click.ClickException as error:
        raise _NotDoneError(error.format_message()) from error
    sys.exit(code)


def _reconciled(
    on: str | None,
    csv_to: str | None,
    everybody: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    data: Path | None,
) -> int:
    codes: list[int] = []

    @plainly
    def compare() -> None:
        day = _day(on, data)
        with application_database(data, patient=True) as database:
            ledger = core_of(data) or PostgresLedger(database)
            run = Reconciliation(Orders(database), ledger, lambda far: click.echo(far, err=True))
            with _printed(run, day, csv_to, as_json=as_json) as put:
                codes.append(_compare(run, day, put, everybody=everybody))

    compare()
    return codes[0]


def _compare(run: Reconciliation, day: dt.date, put: _Put, *, everybody: bool) -> int:
    try:
        for compared in run.run(day, everybody=everybody):
            for row in rows_of(compared, dt.datetime.now(dt.UTC)):
                put(row)
    except StoppedError as error:
        put(stopped_row(str(error)))
        click.echo(f"NOT FINISHED: {error}. Of the rest nothing is known.", err=True)
        return _NOT_DONE
    return _DIFFERENCES if run.differences else 0


@contextmanager
def _printed(
    run: Reconciliation, day: dt.date, csv_to: str | None, *, as_json: bool
) -> Iterator[_Put]:
    """Where the rows go: a spreadsheet's file takes each as it is found, the rest at the end."""
    rows: list[dict[str, str]] = []
    if csv_to is None:
        yield rows.append
    else:
        with _opened(csv_to) as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            yield lambda row: writer.writerow(for_a_spreadsheet(row))
    figures = {
        "on": day.isoformat(),
        "accounts": run.accounts,
        "orders": run.orders_compared,
        "differences": run.differences,
    }
    if as_json:
        click.echo(json.dumps({**figures, "rows": rows}), err=csv_to == "-")
        return
    if csv_to is None:
        print_table(rows, "no difference was found")
    click.echo("  ".join(f"{name}={value}" for name, value in figures.items()), err=csv_to == "-")


@contextmanager
def _opened(csv_to: str) -> Iterator[TextIO]:
    if csv_to == "-":
        yield sys.stdout
        return
    with Path(csv_to).open("w", newline="", encoding="utf-8") as file:
        yield file


def _day(on: str | None, data: Path | None) -> dt.date:
    today = dt.datetime.now(ZoneInfo(settings_of(data).timezone)).date()
    if on is None:
        return today
    try:
        day = dt.date.fromisoformat(on)
    except ValueError as error:
        raise click.BadParameter(f"{on} is no day like {today}") from error
    if day > today:
        raise click.BadParameter(f"{on} has not come yet")
    return day
