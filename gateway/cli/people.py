"""What staff do with a member's data: show all of it to its owner, forget it, and say for how long
each kind is kept."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.desk import (
    JSON,
    OWNER_DATA,
    OWNER_URL,
    PHONE,
    asked_by,
    member_of,
    opened,
    owner_url,
    phone_number,
    plainly,
    print_json,
    print_table,
)
from gateway.retention import KINDS

_BECAME = {
    "forgotten": "the books keep the reference alone",
    "holds_money": "the books keep the person, who still holds or owes money there",
    "nobody": "the core is not ours: ask it to forget the person",
}


@click.command(name="export")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who has the member before them.")
@plainly
def members_export(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """All that is held of a member, as JSON: what each part is for, and for how long it is kept."""
    with opened(owner_url(url, data), patient=True) as database:
        ref = member_of(database, phone_number(msisdn)).ref
        held = database.row(
            "select bank.export_member(%s, %s, %s) as held", (ref, by, dt.datetime.now(dt.UTC))
        )["held"]
    click.echo(json.dumps(explained(held), indent=2, ensure_ascii=False))


@click.command(name="erase")
@PHONE
@OWNER_URL
@OWNER_DATA
@click.option("--by", required=True, help="Who asks for it.")
@click.option("--approved-by", required=True, help="Who has looked at it: somebody else.")
@plainly
def members_erase(
    msisdn: str, url: str | None, data: Path | None, by: str, approved_by: str
) -> None:
    """Forget a member. What the books and the law require stays under an opaque reference."""
    with opened(owner_url(url, data), patient=True) as database:
        one = database.row("select audit.same_person(%s, %s) as one", (by, approved_by))["one"]
        if one:
            raise click.UsageError("it takes two of staff: --by and --approved-by are one")
        ref = member_of(database, phone_number(msisdn)).ref
        row = database.row(
            "select * from bank.erase_member(%s, %s, %s, %s)",
            (ref, by, approved_by, dt.datetime.now(dt.UTC)),
        )
    if row["became"] != "erased":
        raise click.ClickException("an order of theirs is still under way: wait for its end")
    click.echo(f"forgotten: {ref}; {_BECAME[row['person']]}")


@click.group()
def retention() -> None:
    """For how long what is kept."""


@retention.command(name="show")
@JSON
@plainly
def retention_show(as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Every kind of data: what for, for how long, and what an erasure leaves of it."""
    rows = [
        {"kind": kind.name, "kept": kind.kept, "for": kind.purpose, "erased": kind.erased}
        for kind in KINDS
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, "")


def explained(held: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An export's parts, each under its kind."""
    return [
        {
            "kind": kind.name,
            "for": kind.purpose,
            "kept": kind.kept,
            "part": part,
            "rows": held[part],
        }
        for kind in KINDS
        for part in kind.parts
    ]
