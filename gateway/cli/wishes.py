"""What a member signed at the branch: which messages they want."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.cli.desk import (
    OWNER_DATA,
    OWNER_URL,
    PHONE,
    asked_by,
    member_of,
    opened,
    owner_url,
    phone_number,
    plainly,
)
from gateway.values.consent import Purpose

# Not the rest: to be read a balance by SMS, and to bank by phone, is agreed to with the PIN.
_ON_PAPER = (Purpose.ADVERTISING, Purpose.MOVEMENTS, Purpose.REMINDERS)


@click.command(name="agree")
@PHONE
@click.option("--to", "purpose", required=True, type=click.Choice([one.value for one in _ON_PAPER]))
@click.option("--no", is_flag=True, help="They want none from now on.")
@click.option("--paper", required=True, help="Which text they signed: its version.")
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member sign.")
@plainly
def members_agree(
    msisdn: str,
    purpose: str,
    no: bool,  # noqa: FBT001 - click's way
    paper: str,
    url: str | None,
    data: Path | None,
    by: str,
) -> None:
    """A member signed that they want messages, or none: advertising, what is done in their accounts
    at a counter, reminders."""
    with opened(owner_url(url, data)) as database:
        member = member_of(database, phone_number(msisdn))
        database.call(
            "select bank.agree_on_paper(%s, %s, %s, %s, %s, %s)",
            (member.ref, purpose, not no, paper, by, dt.datetime.now(dt.UTC)),
        )
    click.echo(f"{purpose}: {'no' if no else 'yes'}")
