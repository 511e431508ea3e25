"""What the `chaski members` command offers to staff who have a member before them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.bank.register import Members
from gateway.cli.desk import (
    OWNER_DATA,
    OWNER_URL,
    PHONE,
    asked_by,
    opened,
    owner_url,
    phone_number,
    plainly,
)


@click.group()
def members() -> None:
    """Those who dial."""


@members.command(name="unfreeze")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_unfreeze(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Open the door again that a member shut by texting BLOQUEAR, once you have seen them."""
    with opened(owner_url(url, data)) as database:
        member = Members(database).by_msisdn(phone_number(msisdn))
        if member is None:
            raise click.ClickException("this phone is no member's")
        now = dt.datetime.now(dt.UTC)
        lifted = database.row(
            "select bank.lift_freeze(%s, %s, %s) as lifted", (member.ref, by, now)
        )
    click.echo("open again" if lifted["lifted"] else "it was not shut: nothing to do")
