"""What the `chaski calls` command offers: whom to call back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.cli.desk import (
    JSON,
    OWNER_DATA,
    OWNER_URL,
    asked_by,
    iso,
    opened,
    owner_url,
    plainly,
    print_json,
    print_table,
)

_OPEN = """
    select c.id, m.short_name, m.msisdn, m.language, c.doing, c.channel, c.asked_at
    from bank.call as c left join bank.member as m on m.member_ref = c.member_ref
    where c.done_at is null order by c.id
"""


@click.group()
def calls() -> None:
    """Members who asked to be called."""


@calls.command(name="list")
@OWNER_URL
@OWNER_DATA
@JSON
@plainly
def calls_list(url: str | None, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Who waits for a call, the longest first, and the screen that they left."""
    with opened(owner_url(url, data)) as database:
        rows = database.call(_OPEN)
    lines = [
        {
            "call": row["id"],
            "phone": row["msisdn"] or "",
            "name": row["short_name"] or "",
            "language": row["language"] or "",
            "doing": row["doing"],
            "by": row["channel"],
            "asked_at": iso(row["asked_at"]),
        }
        for row in rows
    ]
    if as_json:
        print_json(lines)
    else:
        print_table(lines, otherwise="nobody waits for a call")


@calls.command(name="done")
@click.argument("number", type=int)
@OWNER_URL
@OWNER_DATA
@asked_by("Who has called.")
@plainly
def calls_done(number: int, url: str | None, data: Path | None, by: str) -> None:
    """Take a call off the list: chaski calls done 12"""
    with opened(owner_url(url, data)) as database:
        row = database.row(
            "select bank.call_done(%s, %s, %s) as done", (number, by, dt.datetime.now(dt.UTC))
        )
    if not row["done"]:
        raise click.ClickException(f"no open call has the number {number}")
    click.echo("done")
