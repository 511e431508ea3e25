"""What the `chaski ledger` command offers: are the books right, and what does a member hold."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gateway.bank.register import Members
from gateway.cli.desk import (
    DATA,
    JSON,
    PHONE,
    application_database,
    phone_number,
    plainly,
    print_json,
    print_lines,
)
from gateway.ledger.postgres.adapter import PostgresLedger


@click.group()
def ledger() -> None:
    """The cooperative's books."""


@ledger.command(name="verify")
@DATA
@JSON
@plainly
def ledger_verify(data: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Recompute every balance from the entries. Exit 1 on any difference."""
    with application_database(data, patient=True) as database:
        found = PostgresLedger(database).verify()
    figures = {name: value for name, value in found.items() if name != "differing"}
    if as_json:
        click.echo(json.dumps(figures))
    else:
        print_lines([figures])
    for account in found["differing"]:
        click.echo(f"differs: {account}", err=True)
    sys.exit(0 if found["ok"] else 1)


@ledger.command(name="accounts")
@PHONE
@DATA
@JSON
@plainly
def ledger_accounts(msisdn: str, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """The accounts of the member whose phone this is."""
    number = phone_number(msisdn)
    with application_database(data) as database:
        member = Members(database).by_msisdn(number)
        if member is None:
            raise click.ClickException(f"{msisdn} is no member's phone")
        accounts = PostgresLedger(database).accounts(member.ref)
    rows = [
        {
            "account": account.code,
            "kind": account.kind.value,
            "balance_centimos": account.balance.centimos,
            "available_centimos": account.available.centimos,
        }
        for account in accounts
    ]
    if as_json:
        print_json(rows)
    else:
        print_lines(rows)
