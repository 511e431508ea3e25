"""What the `chaski events` command offers: what is recorded, and all of it as a file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.cli.desk import OWNER_DATA, OWNER_URL, owner_url, plainly
from gateway.db.reading import snapshot
from gateway.events.export import NoParquetError, rows, write_csv, write_parquet
from gateway.events.kinds import catalogue

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def events() -> None:
    """What happened, for the programme's figures: no names, no numbers."""


@events.command(name="catalogue")
def events_catalogue() -> None:
    """Every kind of event, and what each of them says."""
    click.echo(catalogue())


@events.command(name="export")
@click.option("--from", "first", type=_DAY, required=True, help="The first day, 2026-11-01.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day.")
@click.option("--format", "kind", type=click.Choice(["csv", "parquet"]), default="csv")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file; - is the terminal, for CSV.",
)
@OWNER_URL
@OWNER_DATA
@plainly
def events_export(
    first: dt.datetime,
    last: dt.datetime,
    kind: str,
    output: Path,
    url: str | None,
    data: Path | None,
) -> None:
    """Write the events of some days into a file: chaski events export --from … --to … --output …"""
    with snapshot(owner_url(url, data)) as evidence:
        found = rows(evidence, first.date(), last.date())
        try:
            if kind == "parquet":
                written = write_parquet(found, output)
            else:
                with click.open_file(str(output), "w") as file:
                    written = write_csv(found, file)
        except NoParquetError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{written} events", err=True)
