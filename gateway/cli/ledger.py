"""What the `chaski ledger` command offers: are the books right, and what does a member hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.desk import (
    DATA,
    JSON,
    PHONE,
    application_database,
    member_of,
    phone_number,
    plainly,
    print_json,
    print_lines,
)
from gateway.cores import fineract, fineract_client
from gateway.demo.core import variables_of
from gateway.demo.variables import demo_variables
from gateway.embedded import running
from gateway.ledger.fineract.doctor import Finding, State, examine
from gateway.ledger.port import Ledger, LedgerUnavailableError
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.settings import Settings, load


@click.group()
def ledger() -> None:
    """The cooperative's books."""


@ledger.command(name="verify")
@DATA
@JSON
@plainly
def ledger_verify(data: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Recompute every balance from the entries. Exit 1 on any difference."""
    if _settings(data).fineract_url:
        raise click.ClickException("the books are Fineract's own: see chaski ledger doctor")
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
        member = member_of(database, number)
        try:
            accounts = (core_of(data) or PostgresLedger(database)).accounts(member.ref)
        except LedgerUnavailableError as error:
            raise click.ClickException(f"the core does not answer: {error}") from error
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


@ledger.command(name="doctor")
@DATA
@plainly
def ledger_doctor(data: Path | None) -> None:
    """Is the cooperative's own core fit to be reached by phone? Exit 1 where it is not."""
    settings = _settings(data)
    if not settings.fineract_url:
        click.echo("the books are Chaski's own: see chaski ledger verify")
        return
    ill = False
    for finding in _examined(settings):
        ill = ill or finding.state in (State.MISSING, State.AWAY)
        advice = f": {finding.advice}" if finding.advice else ""
        click.echo(f"{finding.state:8}{finding.what}{advice}")
    sys.exit(1 if ill else 0)


def refuse_unfit_core(settings: Settings) -> None:
    """No money moves through a core that lacks something. One that is away may come back.

    Raises:
        click.ClickException: with all that is missing.
    """
    if not settings.fineract_url:
        return
    found = [one for one in _examined(settings) if one.state is State.MISSING]
    if missing := [f"{one.what}: {one.advice}" for one in found]:
        raise click.ClickException("\n".join(["Fineract is not fit:", *missing]))


def _examined(settings: Settings) -> Iterator[Finding]:
    user, password = settings.fineract_user, settings.fineract_password.get_secret_value()
    client = fineract_client(settings)
    yield from examine(client, settings.fineract_payment_type, user, password)
    client.close()


def core_of(data: Path | None) -> Ledger | None:
    """The core beside our database, where there is one."""
    return fineract(_settings(data))


def _settings(data: Path | None) -> Settings:
    """Those of the environment, or of the demo in a folder."""
    if data is None:
        return load()
    return load({**demo_variables(running(data.resolve())), **variables_of(data)})
