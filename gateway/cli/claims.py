"""What the `chaski claims` command offers to staff: money that went to the wrong person.

Holds are placed in the core that the settings name. One that has none (Fineract) freezes nothing by
these commands, and they say so: staff block the money there. What is given back is reversed in the
core, by staff: no command does it here.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from gateway.bank.claims_office import ClaimsOffice
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
    print_lines,
    print_table,
)
from gateway.cli.ledger import core_of
from gateway.db.pool import Database
from gateway.ledger.port import Ledger, LedgerUnavailableError
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.settings import PREFIX
from gateway.values.money import Money

_CLAIMS = """
    select c.*, m.short_name as name, m.msisdn as phone, p.short_name as payee,
        p.msisdn as payee_phone
    from bank.claim as c
    left join bank.member as m on m.member_ref = c.member_ref
    left join bank.member as p on p.member_ref = c.payee_ref
"""
_NO_HOLDS = (
    "the core has no holds that Chaski can place, so nothing is frozen by this claim:"
    " block the amount in the core itself, and close the claim here once it is settled"
)
_NO_CLAIM = "there is no claim of that number: see claims list --all"
_ELSEWHERE = "the hold is in another core: release it there"
# What the desk says, and what was wanted of it.
_WHY_NOT = {
    ("none", "held"): _NO_CLAIM,
    ("none", "released"): _NO_CLAIM,
    ("none", "settled"): _NO_CLAIM,
    ("settled", "held"): "it is settled, or held already",
    ("nothing", "held"): "there is nothing left to hold",
    ("nothing", "released"): "nothing is held",
    ("elsewhere", "released"): _ELSEWHERE,
    ("elsewhere", "settled"): _ELSEWHERE,
    ("before", "settled"): "it was settled before",
}
NUMBER = click.argument("number", type=int)


@click.group()
def claims() -> None:
    """Transfers that members want back."""


@claims.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Those that are settled, too.")
@OWNER_URL
@OWNER_DATA
@JSON
@plainly
def claims_list(
    everything: bool,  # noqa: FBT001
    url: str | None,
    data: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """The claims that are open, the oldest first."""
    which = "" if everything else "where c.state = 'open'"
    with opened(owner_url(url, data)) as database:
        rows = database.call(f"{_CLAIMS} {which} order by c.id")
    lines = [_line(row) for row in rows]
    if as_json:
        print_json(lines)
    else:
        print_table(lines, otherwise="no claim is open")


@claims.command(name="show")
@NUMBER
@OWNER_URL
@OWNER_DATA
@plainly
def claims_show(number: int, url: str | None, data: Path | None) -> None:
    """One claim, with both sides: chaski claims show 1001"""
    with opened(owner_url(url, data)) as database:
        row = _found(database, number)
    sides = {
        "claimant": row["member_ref"],
        "claimant_phone": row["phone"] or "",
        "payee": row["payee_ref"],
        "payee_phone": row["payee_phone"] or "",
        "account": row["account"],
        "instruction": row["instruction_key"],
    }
    settled = {"by": row["resolved_by"], "how": row["how"]} if row["resolved_at"] else {}
    print_lines([{name: value} for name, value in {**_line(row), **sides, **settled}.items()])


@claims.command(name="hold")
@NUMBER
@OWNER_URL
@OWNER_DATA
@asked_by("Who holds it.")
@plainly
def claims_hold(number: int, url: str | None, data: Path | None, by: str) -> None:
    """Hold what is still there of the money, for some days."""
    with opened(owner_url(url, data)) as database:
        desk = _desk(database, data)
        if not desk.ledger.capabilities().holds:
            raise click.ClickException(_NO_HOLDS)
        _refuse(desk.hold(number, by), unless="held")
        row = _found(database, number)
    click.echo(f"{Money(row['held_centimos'])} held until {iso(row['held_until'])}")


@claims.command(name="release")
@NUMBER
@OWNER_URL
@OWNER_DATA
@asked_by("Who releases it.")
@plainly
def claims_release(number: int, url: str | None, data: Path | None, by: str) -> None:
    """Give the money that is held back to the other side's disposal."""
    with opened(owner_url(url, data)) as database:
        _refuse(_asked(lambda: _desk(database, data).release(number, by)), unless="released")
    click.echo("released")


@claims.command(name="close")
@NUMBER
@click.option(
    "--how",
    type=click.Choice(["returned", "refused", "withdrawn"]),
    required=True,
    help="What it came to.",
)
@OWNER_URL
@OWNER_DATA
@asked_by("Who has settled it.")
@plainly
def claims_close(number: int, how: str, url: str | None, data: Path | None, by: str) -> None:
    """Settle a claim; what is held for it is released first."""
    with opened(owner_url(url, data)) as database:
        _refuse(_asked(lambda: _desk(database, data).settle(number, how, by)), unless="settled")
    click.echo("settled")


def _desk(database: Database, data: Path | None) -> ClaimsOffice:
    return ClaimsOffice(database, _ledger(database, data), dt.datetime.now(dt.UTC))


def _ledger(database: Database, data: Path | None) -> Ledger:
    """Where the money of both sides is: the core that the settings name, else our own books. Staff
    who only know the owner's URL have no settings here, and then no other core."""
    if data is None and f"{PREFIX}FINERACT_URL" not in os.environ:
        return PostgresLedger(database)
    return core_of(data) or PostgresLedger(database)


def _asked(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except LedgerUnavailableError as error:
        raise click.ClickException("the core does not answer now: try again later") from error


def _refuse(verdict: str, *, unless: str) -> None:
    if verdict != unless:
        raise click.ClickException(_WHY_NOT[verdict, unless])


def _found(database: Database, number: int) -> Mapping[str, Any]:
    rows = database.call(f"{_CLAIMS} where c.id = %s", (number,))
    if not rows:
        raise click.ClickException(f"no claim has the number {number}")
    return rows[0]


def _line(row: Mapping[str, Any]) -> dict[str, object]:
    held = Money(row["held_centimos"]) if row["held_centimos"] else None
    return {
        "claim": row["id"],
        "state": row["state"],
        "opened_at": iso(row["opened_at"]),
        "from": row["name"] or "",
        "to": row["payee"] or "",
        "amount": str(Money(row["amount_centimos"])),
        "held": str(held) if held else "",
        "held_until": iso(row["held_until"]) if row["held_until"] else "",
    }
