"""What the `chaski programme` command offers: what the figures assume, and what is aimed at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from gateway.cli.desk import OWNER_DATA, OWNER_URL, asked_by, opened, owner_url, plainly
from gateway.db.pool import Database
from gateway.programme import loading
from gateway.programme.loading import FaultyTableError
from gateway.programme.plans import INDICATORS, Plans

_DAY = click.DateTime(["%Y-%m-%d"])
_SINCE = click.option("--from", "since", type=_DAY, required=True, help="Since when: 2026-11-01")
_SOURCE = click.option("--source", required=True, help="Who says so; it stands beside the figure.")
_CSV = click.option(
    "--csv", "file", type=click.File(encoding="utf-8-sig"), required=True, help="- is the terminal."
)
_SETTER = asked_by("Who sets it.")
_MICROS = 1_000_000


class _Soles(click.ParamType[Decimal]):
    name = "soles"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """To a millionth: an airtime tariff is a fraction of a céntimo."""
        try:
            soles = Decimal(str(value))
        except InvalidOperation:
            soles = Decimal(-1)
        if not soles.is_finite() or not 0 <= soles <= _MICROS or (soles * _MICROS) % 1:
            self.fail(f"{value} is no amount of soles like 0.035", param, ctx)
        return soles


_SOLES = _Soles()


@click.group()
def programme() -> None:
    """What the programme's figures assume, and its targets."""


@contextmanager
def _database(url: str | None, data: Path | None) -> Iterator[Database]:
    """The owner's, patient: a register of 40,000 takes more than a moment."""
    with opened(owner_url(url, data), patient=True) as database:
        try:
            yield database
        except FaultyTableError as error:
            raise click.ClickException(str(error)) from error


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@programme.command(name="districts")
@_CSV
@OWNER_URL
@OWNER_DATA
@_SETTER
@plainly
def programme_districts(file: Iterator[str], url: str | None, data: Path | None, by: str) -> None:
    """Load the districts' names: district,name,province,department (UBIGEO codes)."""
    with _database(url, data) as database:
        districts = loading.read_districts(file)
        loading.name(database, districts, by, _now())
    click.echo(f"{len(districts)} districts")


@programme.command(name="travel")
@click.option("--district", default="", help="Its UBIGEO code; without one: everywhere else.")
@_SINCE
@click.option("--minutes", type=click.IntRange(0, 10_000), required=True, help="There and back.")
@click.option("--soles", type=_SOLES, required=True, help="There and back: 30.00")
@_SOURCE
@OWNER_URL
@OWNER_DATA
@_SETTER
@plainly
def programme_travel(
    *,
    district: str,
    since: dt.datetime,
    minutes: int,
    soles: Decimal,
    source: str,
    url: str | None,
    data: Path | None,
    by: str,
) -> None:
    """What a visit to the agency takes from a district."""
    with _database(url, data) as database:
        plans = Plans(database, _now())
        plans.set_travel(district, since.date(), minutes, int(soles * 100), source, by)
    click.echo("set")


@programme.command(name="tariff")
@click.argument("what", type=click.Choice(["ussd_session", "sms_segment"]))
@_SINCE
@click.option("--soles", type=_SOLES, required=True, help="A unit: 0.035")
@_SOURCE
@OWNER_URL
@OWNER_DATA
@_SETTER
@plainly
def programme_tariff(
    *,
    what: str,
    since: dt.datetime,
    soles: Decimal,
    source: str,
    url: str | None,
    data: Path | None,
    by: str,
) -> None:
    """What we pay for a session or an SMS."""
    with _database(url, data) as database:
        Plans(database, _now()).set_tariff(what, since.date(), int(soles * _MICROS), source, by)
    click.echo("set")


@programme.command(name="target")
@click.argument("indicator", type=click.Choice(INDICATORS))
@click.option("--until", "due_on", type=_DAY, required=True, help="2027-06-30")
@click.option("--value", type=click.IntRange(1), required=True, help="Shares: tenths of a percent.")
@OWNER_URL
@OWNER_DATA
@_SETTER
@plainly
def programme_target(
    indicator: str, due_on: dt.datetime, value: int, url: str | None, data: Path | None, by: str
) -> None:
    """What is to be reached, and until when."""
    with _database(url, data) as database:
        Plans(database, _now()).set_target(indicator, due_on.date(), value, by)
    click.echo("set")


@programme.command(name="recount")
@OWNER_URL
@OWNER_DATA
@plainly
def programme_recount(url: str | None, data: Path | None) -> None:
    """Have the worker sum every day anew. The figures stay meanwhile, and come out the same."""
    with _database(url, data) as database:
        database.call("select programme.recount()")
    click.echo("the worker sums it within a minute or so")


@click.command(name="districts")
@_CSV
@OWNER_URL
@OWNER_DATA
@_SETTER
@plainly
def members_districts(file: Iterator[str], url: str | None, data: Path | None, by: str) -> None:
    """Load where members live: member,district,rural (the core's reference, UBIGEO, yes or no)."""
    with _database(url, data) as database:
        places = loading.read_places(file)
        changed = loading.place(database, places, by, _now())
    click.echo(f"{changed} of {len(places)} members were placed anew")
