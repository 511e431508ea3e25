"""What the `chaski members` command offers to staff who have a member before them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from gateway.bank.register import Members
from gateway.bounds import NUMBER_CAREFUL_S
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
from gateway.db.pool import Database


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
    """Open the door again that a member shut, once you have seen them."""
    with opened(owner_url(url, data)) as database:
        lifted = database.row(
            "select bank.lift_freeze(%s, %s, %s) as lifted",
            (_ref(database, msisdn), by, _now()),
        )
    click.echo("open again" if lifted["lifted"] else "it was not shut: nothing to do")


@members.command(name="freeze")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who shuts it, staff or an agent.")
@plainly
def members_freeze(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Shut a member's door at once: no PIN opens it, and no order is taken."""
    with opened(owner_url(url, data)) as database:
        shut = database.row(
            "select bank.freeze_by_staff(%s, %s, %s) as shut", (_ref(database, msisdn), by, _now())
        )
    click.echo("shut" if shut["shut"] else "it was shut already")


@members.command(name="trust")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_trust(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Let a member with a new SIM or number move money again, once you have seen them and their
    DNI."""
    with opened(owner_url(url, data)) as database:
        member_ref, now = _ref(database, msisdn), _now()
        lifted = [
            reason
            for reason in ("sim_changed", "sim_unknown", "number_changed")
            if database.row(
                "select instructions.trust_again(%s, %s, %s, %s) as lifted",
                (member_ref, reason, by, now),
            )["lifted"]
        ]
    click.echo(f"trusted again: {', '.join(lifted)}" if lifted else "nothing to lift")


@members.command(name="move")
@PHONE
@click.option("--to", "new", required=True, help="The member's number from now on.")
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_move(msisdn: str, new: str, url: str | None, data: Path | None, by: str) -> None:
    """A member has another number. Whoever gets the old one reaches nothing of theirs."""
    until = _now() + dt.timedelta(seconds=NUMBER_CAREFUL_S)
    with opened(owner_url(url, data)) as database:
        row = database.row(
            "select bank.move_number(%s, %s, %s, %s, %s) as became",
            (phone_number(msisdn).e164, phone_number(new).e164, by, until, _now()),
        )
    click.echo(_became(row["became"]))


@members.command(name="release")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who asks for it.")
@plainly
def members_release(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """A member has this number no more. Their account stays; nobody can dial for it."""
    with opened(owner_url(url, data)) as database:
        row = database.row(
            "select bank.release_number(%s, %s, %s) as became",
            (phone_number(msisdn).e164, by, _now()),
        )
    click.echo(_became(row["became"]))


@members.command(name="give-number")
@click.argument("member_ref")
@click.option("--to", "new", required=True, help="The member's number from now on.")
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_give_number(
    member_ref: str, new: str, url: str | None, data: Path | None, by: str
) -> None:
    """Give a number to a member who has none: chaski members give-number m-1 --to +51987000009"""
    until = _now() + dt.timedelta(seconds=NUMBER_CAREFUL_S)
    with opened(owner_url(url, data)) as database:
        row = database.row(
            "select bank.give_number(%s, %s, %s, %s, %s) as became",
            (member_ref, phone_number(new).e164, by, until, _now()),
        )
    click.echo(_became(row["became"]))


_NOT_DONE = {
    "no_member": "there is no such member, or they have a number",
    "taken": "the new number is a member's already: release it first",
}


def _became(word: str) -> str:
    if word in _NOT_DONE:
        raise click.ClickException(_NOT_DONE[word])
    return word


def _ref(database: Database, msisdn: str) -> str:
    """The member whose phone this is."""
    member = Members(database).by_msisdn(phone_number(msisdn))
    if member is None:
        raise click.ClickException("this phone is no member's")
    return member.ref


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
