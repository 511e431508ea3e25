"""What the `chaski staff` command offers: who may sign in to the console."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.bank.hashing import OWASP_2026
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
from gateway.cli.peppers import PEPPERS, peppers_of
from gateway.demo.staff import demo_code
from gateway.signin.passwords import Passwords
from gateway.signin.register import LOGIN, Made, Register, Role

_LOGIN = click.option("--login", required=True, help="As the audit trail calls them: ana")
_WHY_NOT = {
    "known": "there is somebody of this name",
    "unknown": "there is nobody of this name",
    "oneself": "nobody does this to themselves: somebody else has to",
    "waits": "something waits for this name already: an administrator decides in the console",
}


@click.group()
def staff() -> None:
    """Those who use the console."""


@staff.command(name="add")
@_LOGIN
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What as."
)
@PEPPERS
@OWNER_URL
@OWNER_DATA
@asked_by("Who lets them in.")
@plainly
def staff_add(
    login: str, role: str, peppers: str | None, url: str | None, data: Path | None, by: str
) -> None:
    """Let somebody in. The first administrator is made here; each later one, and each later
    supervisor, takes the yes of another administrator, in the console."""
    if not LOGIN.fullmatch(login):
        raise click.UsageError("--login is 2 to 31 letters, digits, dots or dashes: ana.torres")
    with _register(url, data, peppers) as register:
        _tell(register.add(login, Role(role), by))


@staff.command(name="reset")
@_LOGIN
@PEPPERS
@OWNER_URL
@OWNER_DATA
@asked_by("Who has seen them.")
@plainly
def staff_reset(
    login: str, peppers: str | None, url: str | None, data: Path | None, by: str
) -> None:
    """A new first password for who has lost theirs, or the phone with the codes."""
    with _register(url, data, peppers) as register:
        _tell(register.reset(login, by))


@staff.command(name="list")
@OWNER_URL
@OWNER_DATA
@JSON
@plainly
def staff_list(url: str | None, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Everybody, when they were here last, and the pepper that seals their password."""
    with opened(owner_url(url, data)) as database:
        rows = database.call("select * from staff.people()")
    lines = [
        {
            "login": row["login"],
            "role": row["role"],
            "state": "out" if row["disabled_at"] else "in" if row["enrolled"] else "new",
            "seen_at": iso(row["seen_at"]) if row["seen_at"] else "",
            "pepper": row["pepper_version"],
        }
        for row in rows
    ]
    if as_json:
        print_json(lines)
    else:
        print_table(lines, otherwise="nobody yet: chaski staff add --role administrator")


@staff.command(name="demo-code")
@plainly
def staff_demo_code() -> None:
    """The one-time code that the demo's staff sign in with just now. Good once for each."""
    click.echo(demo_code())


@contextmanager
def _register(url: str | None, data: Path | None, peppers: str | None) -> Iterator[Register]:
    with opened(owner_url(url, data)) as database:
        passwords = Passwords(peppers_of(peppers, data), OWASP_2026)
        yield Register(database, passwords, lambda: dt.datetime.now(dt.UTC))


def _tell(made: Made) -> None:
    if made.verdict == "asked":
        click.echo("asked: another administrator agrees to it in the console")
        return
    if made.verdict != "done":
        raise click.ClickException(_WHY_NOT[made.verdict])
    click.echo(f"first password: {made.first_password}")
    click.echo("It is shown once. With it they sign in to /console, and choose their own there.")
