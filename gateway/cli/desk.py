"""What every subcommand needs: whose database it is, who asks, how rows are printed, and errors in
words that say what to do."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import json
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
import psycopg

from gateway.bank.register import Members
from gateway.channels.sheets import FaultySheetError
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.demo.phone import NoAnswerError
from gateway.dialog.reader import FaultyBookError
from gateway.embedded import EmbeddedError, running
from gateway.notices.router import RoutesError
from gateway.settings import SettingsError, load
from gateway.values.member import MemberView
from gateway.values.msisdn import Msisdn, NotAMobileError, caller

_P = ParamSpec("_P")
_CONNECTIONS_MAX = 2  # one person at a terminal

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The folder of a running demo; without it CHASKI_DATABASE_URL is used.",
)
OWNER_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of a running demo, in place of --url.",
)
OWNER_URL = click.option("--url", envvar="CHASKI_OWNER_URL", help="postgresql://… of the owner.")
PHONE = click.option("--phone", "msisdn", required=True, help="+51987000001")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def plainly(command: Callable[_P, None]) -> Callable[_P, None]:
    """What a person can mend is said in a line, without a traceback."""

    @wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (SettingsError, EmbeddedError, NoAnswerError) as error:
            raise click.ClickException(str(error)) from error
        except RoutesError as error:
            raise click.ClickException(f"CHASKI_SMS_ROUTES: {error}") from error
        except (FaultyBookError, FaultySheetError) as error:
            raise click.ClickException(str(error)) from error
        except (DatabaseUnavailableError, psycopg.OperationalError) as error:
            raise click.ClickException(f"PostgreSQL does not answer: {error}") from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(f"{error.filename or ''}: {error.strerror}") from error
        except psycopg.Error as error:
            hint = "Is it the URL of the right role (the owner's?), and is the database migrated?"
            raise click.ClickException(f"PostgreSQL refuses: {error}\n{hint}") from error

    return wrapped


def user() -> str:
    """Who is signed in; a container's account may have no name."""
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return "unknown"


def asked_by(who: str) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """The option that says who is asking; `who` is what the help says of them."""
    return click.option("--by", default=user, show_default="you", help=who)


def application_database(data: Path | None, *, patient: bool = False) -> Database:
    """As the application: of the demo in this folder, or of the environment."""
    url = running(data.resolve()).app_url if data else load().database_url.get_secret_value()
    return opened(url, patient=patient)


def opened(url: str, *, patient: bool = False) -> Database:
    """A database that answers now."""
    database = Database(url, _CONNECTIONS_MAX, patient=patient)
    database.open()
    return database


def owner_url(url: str | None, data: Path | None) -> str:
    """Where the owner of the schemas signs in."""
    found = running(data.resolve()).owner_url if data else url
    if found is None:
        raise click.UsageError("say where: --data DIR of a demo, or --url (CHASKI_OWNER_URL)")
    return found


def phone_number(text: str) -> Msisdn:
    """What somebody typed as a phone number."""
    try:
        return caller(text)
    except NotAMobileError as error:
        raise click.BadParameter(f"{text} is no phone number like +51987000001") from error


def member_of(database: Database, msisdn: Msisdn) -> MemberView:
    """The member whose phone it is."""
    member = Members(database).by_msisdn(msisdn)
    if member is None:
        raise click.ClickException(f"{msisdn.e164} is no member's phone")
    return member


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """As one list."""
    click.echo(json.dumps(list(rows)))


def print_lines(rows: Iterable[Mapping[str, Any]], otherwise: str = "") -> None:
    """`name=value  name=value`, a line each."""
    lines = ["  ".join(f"{name}={value}" for name, value in row.items()) for row in rows]
    click.echo("\n".join(lines) or otherwise)


def print_table(rows: Iterable[Mapping[str, Any]], otherwise: str) -> None:
    """In columns, under their names."""
    lines = [{name: str(value) for name, value in row.items()} for row in rows]
    if not lines:
        click.echo(otherwise)
        return
    widths = {name: max(len(name), *(len(line[name]) for line in lines)) for name in lines[0]}
    for line in [{name: name for name in widths}, *lines]:
        click.echo("  ".join(line[name].ljust(width) for name, width in widths.items()).rstrip())


def iso(at: dt.datetime) -> str:
    """To the second, UTC."""
    return at.astimezone(dt.UTC).isoformat("T", "seconds")
