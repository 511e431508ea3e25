"""What the `chaski limits` command offers to staff: how much may be moved, since when, and who
decided it."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.bank.bank import CATALOGUE
from gateway.cli.desk import (
    JSON,
    OWNER_DATA,
    OWNER_URL,
    asked_by,
    opened,
    owner_url,
    plainly,
    print_json,
    print_table,
)
from gateway.db.pool import Row
from gateway.dialog import answers
from gateway.dialog.answers import NotUnderstoodError
from gateway.instructions.rules import (
    ANY_CHANNEL,
    Ceiling,
    Level,
    Made,
    Rule,
    RuleRefusedError,
    Rules,
)
from gateway.settings import Settings
from gateway.values.money import ZERO, Money

_NONE = "none"


class _Soles(click.ParamType[Money | None]):
    """An amount, or `none` for no limit of this kind."""

    name = "soles|none"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Money | None:
        """As members type amounts; nothing at all is an amount too."""
        text = str(value)
        if text == _NONE:
            return None
        if text == "0":
            return ZERO
        try:
            amount = answers.money(text)
        except NotUnderstoodError:
            self.fail(f"{text} is no amount in soles like 200 or 200.50", param, ctx)
        return amount


class _Uit(click.ParamType[Decimal | None]):
    """How many UIT, or `none`."""

    name = "uit|none"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal | None:
        """`0.6`."""
        if str(value) == _NONE:
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value} is no number of UIT like 0.6", param, ctx)


_DATE = click.DateTime(["%Y-%m-%d"])
_FROM = click.option(
    "--from", "effective_on", type=_DATE, help="The first day, 2027-01-01; without it today."
)
_TIMEZONE = click.option(
    "--timezone",
    envvar="CHASKI_TIMEZONE",
    default=Settings.model_fields["timezone"].default,
    show_default=True,
    help="Where the business day begins and ends.",
)
_BY = asked_by("Who decides it.")


@click.group()
def limits() -> None:
    """How much may be moved."""


@limits.command(name="show")
@click.option("--on", type=_DATE, help="A day, 2027-01-01; without it today.")
@_TIMEZONE
@OWNER_URL
@OWNER_DATA
@JSON
@plainly
def limits_show(
    on: dt.datetime | None,
    timezone: str,
    url: str | None,
    data: Path | None,
    as_json: bool,  # noqa: FBT001 - click's way
) -> None:
    """Every limit that holds on a day, the law's ceiling, and what waits to be approved."""
    day = _day(on, timezone)
    with opened(owner_url(url, data)) as database:
        rules = Rules(database, day, dt.datetime.now(dt.UTC), "")
        held, waiting = rules.in_effect(day), rules.waiting()
    if as_json:
        print_json(
            {**row, **{name: str(at) for name, at in row.items() if isinstance(at, dt.date)}}
            for row in held
        )
        return
    print_table(map(_shown, held), "no operation has a limit: nothing can be moved")
    for row in waiting:
        click.echo(
            f"waits for a second person: {row['number']} by {row['asked_by']},"
            f" from {row['effective_on']}: {row['what']} ({row['reason']})"
        )


@limits.command(name="set")
@click.argument("operation")
@click.option("--per-operation", type=_Soles(), required=True, help="The most in one order.")
@click.option("--per-day", type=_Soles(), required=True, help="The most in a day.")
@click.option("--per-month", type=_Soles(), required=True, help="The most in a month.")
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.NORMAL.value,
    show_default=True,
    help="careful: whose PIN or number is new; new_payee: money to somebody for the first day.",
)
@click.option(
    "--channel", default=ANY_CHANNEL, show_default=True, help="Orders of this network: infobip."
)
@click.option("--reason", required=True, help="Why.")
@_FROM
@_TIMEZONE
@_BY
@OWNER_URL
@OWNER_DATA
@plainly
def limits_set(
    operation: str,
    per_operation: Money | None,
    per_day: Money | None,
    per_month: Money | None,
    level: str,
    channel: str,
    reason: str,
    effective_on: dt.datetime | None,
    timezone: str,
    by: str,
    url: str | None,
    data: Path | None,
) -> None:
    """Set the limits of an operation, like transfers.send, in soles. What raises one waits until
    another person approves it."""
    bounds = (per_operation, per_day, per_month)
    if (channel, level) == (ANY_CHANNEL, Level.NORMAL) and None in bounds:
        raise click.UsageError("everybody's limits need all three amounts")
    if level == Level.NEW_PAYEE and per_month is not None:
        raise click.UsageError("a payee is new for a day: --per-month none")
    if operation not in _movers():
        raise click.UsageError(f"{operation} moves no money; these do: {', '.join(_movers())}")
    rule = Rule(operation, channel, Level(level), _day(effective_on, timezone), *bounds, reason)
    with _rules(url, data, timezone, by) as rules:
        _tell(rules.set(rule))


@limits.command(name="ceiling")
@click.argument("operation")
@click.option("--per-operation", type=_Uit(), default=_NONE, help="In UIT.")
@click.option("--per-day", type=_Uit(), default=_NONE, help="In UIT.")
@click.option("--per-month", type=_Uit(), default=_NONE, help="In UIT.")
@click.option("--off", is_flag=True, help="It does not bind this cooperative.")
@click.option("--source", required=True, help="Which rule says so.")
@_FROM
@_TIMEZONE
@_BY
@OWNER_URL
@OWNER_DATA
@plainly
def limits_ceiling(
    operation: str,
    per_operation: Decimal | None,
    per_day: Decimal | None,
    per_month: Decimal | None,
    off: bool,  # noqa: FBT001 - click's way
    source: str,
    effective_on: dt.datetime | None,
    timezone: str,
    by: str,
    url: str | None,
    data: Path | None,
) -> None:
    """Write down the law's ceiling for an operation. A higher one, or none, waits until another
    person approves it."""
    bounds = (per_operation, per_day, per_month)
    if not off and bounds == (None, None, None):
        raise click.UsageError("say how many UIT, or --off")
    ceiling = Ceiling(operation, _day(effective_on, timezone), *bounds, not off, source)
    with _rules(url, data, timezone, by) as rules:
        _tell(rules.set_ceiling(ceiling))


@limits.command(name="uit")
@click.argument("soles", type=_Soles())
@click.option("--source", required=True, help="Which decree says so.")
@_FROM
@_TIMEZONE
@_BY
@OWNER_URL
@OWNER_DATA
@plainly
def limits_uit(
    soles: Money | None,
    source: str,
    effective_on: dt.datetime | None,
    timezone: str,
    by: str,
    url: str | None,
    data: Path | None,
) -> None:
    """Write down what a UIT is worth. More than before waits until another person approves it."""
    if not soles:
        raise click.UsageError("say what it is worth in soles")
    with _rules(url, data, timezone, by) as rules:
        _tell(rules.set_uit(_day(effective_on, timezone), soles, source))


@limits.command(name="approve")
@click.argument("number", type=int)
@_TIMEZONE
@_BY
@OWNER_URL
@OWNER_DATA
@plainly
def limits_approve(number: int, timezone: str, by: str, url: str | None, data: Path | None) -> None:
    """Agree to what another person asked for; `chaski limits show` says what waits."""
    with _rules(url, data, timezone, by) as rules:
        approved = rules.approve(number)
    if not approved:
        raise click.ClickException(f"nothing waits under {number}")
    click.echo(f"{number} is approved")


@limits.command(name="check")
@_TIMEZONE
@OWNER_URL
@OWNER_DATA
@plainly
def limits_check(timezone: str, url: str | None, data: Path | None) -> None:
    """Recompute what was used from the orders, and hold the rules against the law. Exit 1 on any
    fault."""
    with opened(owner_url(url, data), patient=True) as database:
        today = _day(None, timezone)
        faults = Rules(database, today, dt.datetime.now(dt.UTC), "").faults(_movers())
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"{len(faults)} faults" if faults else "every limit is as it should be")
    sys.exit(1 if faults else 0)


def _movers() -> list[str]:
    return [name for name, operation in CATALOGUE.items() if operation.moves_money]


def _day(chosen: dt.datetime | None, timezone: str) -> dt.date:
    return chosen.date() if chosen else dt.datetime.now(ZoneInfo(timezone)).date()


@contextmanager
def _rules(url: str | None, data: Path | None, timezone: str, by: str) -> Iterator[Rules]:
    """For somebody who decides now."""
    with opened(owner_url(url, data)) as database:
        try:
            yield Rules(database, _day(None, timezone), dt.datetime.now(dt.UTC), by)
        except RuleRefusedError as error:
            raise click.ClickException(str(error)) from error


def _tell(made: Made) -> None:
    if made.holds:
        click.echo(f"{made.number} is set")
    else:
        click.echo(f"{made.number} waits: another person runs chaski limits approve {made.number}")


def _shown(row: Row) -> Row:
    """A rule as people read it: amounts in soles, what is not limited as a dash."""
    amounts = {
        name.removesuffix("_centimos"): "-" if value is None else str(Money(value))
        for name, value in row.items()
        if name.endswith("_centimos")
    }
    names = {name: row[name] for name in ("operation", "channel", "level", "since")}
    return {**names, **amounts, "reason": row["reason"]}
