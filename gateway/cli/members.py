"""What the `chaski members` command offers to staff who have a member before them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gateway.bank.hashing import KeyedHashes
from gateway.bank.office import Issued, Office, OfficeError
from gateway.cli.desk import (
    JSON,
    OWNER_DATA,
    OWNER_URL,
    PHONE,
    asked_by,
    iso,
    opened,
    owner_url,
    phone_number,
    plainly,
    print_json,
    print_lines,
)
from gateway.cli.peppers import PEPPERS, peppers_of
from gateway.settings import Settings
from gateway.values.member import MemberView

_DNI = click.option("--dni", required=True, help="Eight digits, read from the document.")
_BORN = click.option(
    "--born",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of birth, if known: then it is no PIN either. 1990-07-17",
)
_HOURS = click.option(
    "--hours",
    type=click.IntRange(1, 14 * 24),
    envvar="CHASKI_CODE_HOURS",
    default=Settings.model_fields["code_hours"].default,
    show_default=True,
    help="How long the code is good.",
)


@click.group()
def members() -> None:
    """Those who dial."""


@members.command(name="register")
@click.option("--ref", required=True, help="The core's own name for the member.")
@PHONE
@click.option("--first-name", required=True, help="What we call them: Wilmer")
@click.option("--short-name", required=True, help="What others see of them: Wilmer O.")
@click.option("--language", default="es", show_default=True, help="ISO 639")
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_register(
    *,
    ref: str,
    msisdn: str,
    first_name: str,
    short_name: str,
    language: str,
    url: str | None,
    data: Path | None,
    by: str,
) -> None:
    """Let a member of the cooperative dial: from this phone."""
    member = MemberView(ref, first_name, short_name, language, enrolled=False)
    with _office(url, data) as office:
        office.register(member, phone_number(msisdn), by)
    click.echo("registered: now invite them")


@members.command(name="invite")
@PHONE
@_DNI
@_BORN
@_HOURS
@PEPPERS
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member and their document.")
@plainly
def members_invite(
    *,
    msisdn: str,
    dni: str,
    born: dt.datetime | None,
    hours: int,
    peppers: str | None,
    url: str | None,
    data: Path | None,
    by: str,
) -> None:
    """Issue an activation code: with it, their DNI and their own phone they choose a PIN."""
    with _office(url, data, peppers_of(peppers, data), hours) as office:
        _print_code(office.invite(phone_number(msisdn), dni, born.date() if born else None, by))


@members.command(name="reset")
@PHONE
@_DNI
@_BORN
@PEPPERS
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member and their document.")
@plainly
def members_reset(
    *,
    msisdn: str,
    dni: str,
    born: dt.datetime | None,
    peppers: str | None,
    url: str | None,
    data: Path | None,
    by: str,
) -> None:
    """Ask for a new PIN for who has forgotten theirs. Somebody else has to approve it."""
    with _office(url, data, peppers_of(peppers, data)) as office:
        number = office.ask_reset(phone_number(msisdn), dni, born.date() if born else None, by)
    click.echo(f"asked. Somebody else approves it: chaski members approve {number} --by NAME")


@members.command(name="approve")
@click.argument("number", type=int)
@_HOURS
@PEPPERS
@OWNER_URL
@OWNER_DATA
@asked_by("Who approves: not who has asked.")
@plainly
def members_approve(
    *, number: int, hours: int, peppers: str | None, url: str | None, data: Path | None, by: str
) -> None:
    """Approve a reset that somebody else asked for: the old PIN is over, and there is a code."""
    with _office(url, data, peppers_of(peppers, data), hours) as office:
        _print_code(office.approve(number, by))


@members.command(name="unlock")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_unlock(*, msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Open a PIN that wrong tries have locked."""
    with _office(url, data) as office:
        done = office.unlock(phone_number(msisdn), by)
    click.echo("open again" if done else "it was not locked: nothing to do")


@members.command(name="show")
@PHONE
@JSON
@OWNER_URL
@OWNER_DATA
@plainly
def members_show(*, msisdn: str, as_json: bool, url: str | None, data: Path | None) -> None:
    """How a member's access is: locks, freezes, codes, requests, the last deeds. Never a PIN."""
    with _office(url, data) as office:
        access = office.access(phone_number(msisdn))
    shown = {
        name: iso(value) if isinstance(value, dt.datetime) else value
        for name, value in access.items()
        if value is not None
    }
    if as_json:
        print_json([shown])
        return
    lists: dict[str, Any] = {name: shown.pop(name) for name in ("requests", "deeds")}
    print_lines([shown])
    for name, rows in lists.items():
        click.echo(f"{name}:")
        print_lines(rows, "none")


@members.command(name="unfreeze")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_unfreeze(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Open the door again that a member shut, once you have seen them."""
    with _office(url, data) as office:
        lifted = office.unfreeze(phone_number(msisdn), by)
    click.echo("open again" if lifted else "it was not shut: nothing to do")


@members.command(name="freeze")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who shuts it, staff or an agent.")
@plainly
def members_freeze(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Shut a member's door at once: no PIN opens it, and no order is taken."""
    with _office(url, data) as office:
        shut = office.freeze(phone_number(msisdn), by)
    click.echo("shut" if shut else "it was shut already")


@members.command(name="trust")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen the member.")
@plainly
def members_trust(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Let a member with a new SIM or number move money again, once you have seen them and their
    DNI."""
    with _office(url, data) as office:
        lifted = office.trust(phone_number(msisdn), by)
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
    with _office(url, data) as office:
        click.echo(_became(office.move(phone_number(msisdn), phone_number(new), by)))


@members.command(name="release")
@PHONE
@OWNER_URL
@OWNER_DATA
@asked_by("Who asks for it.")
@plainly
def members_release(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """A member has this number no more. Their account stays; nobody can dial for it."""
    with _office(url, data) as office:
        click.echo(_became(office.release(phone_number(msisdn), by)))


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
    with _office(url, data) as office:
        click.echo(_became(office.give(member_ref, phone_number(new), by)))


_NOT_DONE = {
    "no_member": "there is no such member, or they have a number",
    "taken": "the new number is a member's already: release it first",
}


def _became(word: str) -> str:
    if word in _NOT_DONE:
        raise click.ClickException(_NOT_DONE[word])
    return word


@contextmanager
def _office(
    url: str | None,
    data: Path | None,
    peppers: Mapping[int, bytes] | None = None,
    hours: int = 1,
) -> Iterator[Office]:
    """The desk; without peppers it can issue nothing, and is not asked to."""
    keyed = KeyedHashes(peppers) if peppers else None
    with opened(owner_url(url, data)) as database:
        try:
            yield Office(database, keyed, hours, dt.datetime.now(dt.UTC))
        except OfficeError as error:
            raise click.ClickException(str(error)) from error


def _print_code(issued: Issued) -> None:
    click.echo(f"code: {issued.code}")
    click.echo(
        f"good until {iso(issued.until)}, once, from the member's own phone. It is not kept:"
    )
    click.echo("hand it over now, and do not write it down for anybody else")
