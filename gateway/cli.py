"""The `chaski` command. Every subcommand is a few lines that call inward."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import json
import shlex
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo

import click
import psycopg
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gateway import __version__, bootstrap
from gateway.bank.bank import CATALOGUE
from gateway.bank.hashing import OWASP_2026, PepperedArgon2
from gateway.bank.register import Members
from gateway.bounds import PUBLICATIONS_SHOWN, RELOAD_EVERY_S
from gateway.channels.http.reading import check_profile
from gateway.cli_menus import menus_tools
from gateway.cli_smpp import smpp
from gateway.cli_sms import sms
from gateway.db.migrations import migrate
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.demo.phone import PUT_AWAY, NoAnswerError, Phone, use
from gateway.demo.seed import seed
from gateway.demo.supervise import run_demo
from gateway.dialog.reader import FaultyBookError
from gateway.dialog.schema import schema
from gateway.embedded import EmbeddedError, Endpoints, running
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.library.publishing import Published, publish_folder
from gateway.library.shelf import Shelf
from gateway.menus import prove, read_folder
from gateway.observing import configure_logging
from gateway.settings import (
    DEMO_PEPPER,
    DEMO_SESSION_SECRET,
    DEMO_TWILIO_TOKEN,
    DEMO_WEBHOOK_SECRET,
    Settings,
    SettingsError,
    load,
)
from gateway.values.msisdn import Msisdn, NotAMobileError, caller
from gateway.worker import run_worker

_P = ParamSpec("_P")
_SHORT_CODE = "*775#"
_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The folder of a running demo; without it CHASKI_DATABASE_URL is used.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _plainly(command: Callable[_P, None]) -> Callable[_P, None]:
    """What a person can mend is said in a line, without a traceback."""

    @wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (SettingsError, EmbeddedError, NoAnswerError, FaultyBookError) as error:
            raise click.ClickException(str(error)) from error
        except (DatabaseUnavailableError, psycopg.OperationalError) as error:
            raise click.ClickException(f"PostgreSQL does not answer: {error}") from error
        except psycopg.Error as error:
            hint = "Is it the owner's URL, and is the database migrated?"
            raise click.ClickException(f"PostgreSQL refuses: {error}\n{hint}") from error

    return wrapped


def _user() -> str:
    """Who is signed in; a container's account may have no name."""
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return "unknown"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """A USSD and SMS banking gateway: a plain phone reaches its cooperative's ledger."""


@main.command()
@_plainly
def serve() -> None:
    """Serve webhooks. Settings come from CHASKI_… variables; demo secrets are refused."""
    settings = load()
    with bootstrap.open_database(settings) as database:
        bootstrap.open_books(settings, database)  # faulty menus are said here, once and plainly
    Granian(
        "gateway.bootstrap:wsgi",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        log_access=False,  # an access log would hold the secret of the path
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()


@main.command()
@_plainly
def worker() -> None:
    """Send what is to be sent, and do what is to be done every so often."""
    settings = load()
    configure_logging(settings.log_level)
    with bootstrap.open_database(settings) as database:
        run_worker(settings.queue_url.get_secret_value(), bootstrap.duties(settings, database))


@main.command()
@click.option("--port", default=8080, show_default=True, help="Where the gateway listens.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="The folder that keeps everything.",
)
@_plainly
def demo(port: int, data: Path) -> None:
    """Run a whole cooperative on this machine, with servers of its own. Ctrl-C stops it."""
    program = [sys.executable, "-m", "gateway.cli"]
    code = run_demo(
        port,
        data.resolve(),
        prepare=_prepare_demo,
        say=click.echo,
        environment=lambda endpoints: _demo_environment(endpoints, port),
        web=[*program, "serve"],
        worker=[*program, "worker"],
        invitation=_invitation(port, data),
    )
    sys.exit(code)


@main.command(name="migrate")
@click.option(
    "--url", envvar="CHASKI_OWNER_URL", required=True, help="postgresql://… of the owner."
)
@_plainly
def migrate_command(url: str) -> None:
    """Bring the database up to date. Run it before serve and worker, once a release."""
    applied = migrate(url)
    click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to apply")


@main.command()
@click.argument("msisdn")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The gateway.")
@click.option("--secret", default=DEMO_WEBHOOK_SECRET, show_default=True, help="Of the webhook.")
@click.option("--short-code", default=_SHORT_CODE, show_default=True)
@_plainly
def phone(msisdn: str, url: str, secret: str, short_code: str) -> None:
    """A feature phone in the terminal: chaski phone +51987000001"""

    def ask(prompt: str) -> str:
        try:
            return input(prompt)
        except EOFError:
            return PUT_AWAY

    handset = Phone(_number(msisdn), url.rstrip("/"), secret, short_code)
    use(handset, click.echo, ask)


@main.group()
def menus() -> None:
    """What members see."""


@menus.command(name="check")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=False,
)
def menus_check(folder: Path | None) -> None:
    """Prove the menus: every fault as FILE:LINE: what is wrong, and exit 1."""
    try:
        book = prove(read_folder(folder or Settings.model_fields["menus"].default), CATALOGUE)
    except FaultyBookError as error:
        click.echo(str(error))
        sys.exit(1)
    click.echo(
        f"{len(book.menus)} menus and {len(book.journeys)} journeys "
        f"in {', '.join(name for _, name in book.offered)}: no fault"
    )
    for language in set(book.languages) - {code for code, _ in book.offered}:
        click.echo(f"{language} is not offered to members: see chaski menus languages")


@menus.command(name="schema")
def menus_schema() -> None:
    """Print the JSON Schema of a menu file, so that an editor completes and underlines."""
    click.echo(json.dumps(schema(CATALOGUE), indent=2, ensure_ascii=False))


for _command in menus_tools.commands.values():
    menus.add_command(_command)


@menus.command(name="publish")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="CHASKI_MENUS",
    required=False,
)
@click.option("--url", envvar="CHASKI_OWNER_URL", help="postgresql://… of the owner.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of a running demo, in place of --url.",
)
@click.option("--by", default=_user, show_default="you", help="Who publishes.")
@_plainly
def menus_publish(folder: Path | None, url: str | None, data: Path | None, by: str) -> None:
    """Check the menus and give them to every new session, at once and without a restart.

    Sessions under way end on the menus that they began with. To go back, publish the earlier ones.
    """
    owner_url = _owner_url(url, data)
    try:
        published = _publish(owner_url, folder or Settings.model_fields["menus"].default, by)
    except FaultyBookError as error:
        click.echo(str(error))
        click.echo("not published: members see what they saw before", err=True)
        sys.exit(1)
    if published.new:
        click.echo(f"{published.digest} is published: new sessions see it in {RELOAD_EVERY_S} s")
    else:
        click.echo(f"{published.digest} is what members see already: nothing to publish")
    for name, change in published.changes:
        click.echo(f"  {change} {name}")


@menus.command(name="published")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=PUBLICATIONS_SHOWN,
    show_default=True,
    help="How many at most.",
)
@_DATA
@_JSON
@_plainly
def menus_published(last: int, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """What was published, when and by whom. The first line is what members see."""
    with _database(data) as database:
        publications = Shelf(database).publications(last)
    rows = [
        {"digest": one.digest, "at": one.at.astimezone(dt.UTC).isoformat("T", "seconds")}
        | {"by": one.by}
        for one in publications
    ]
    click.echo(json.dumps(rows) if as_json else _lines(rows) or "nothing was published yet")


main.add_command(sms)
main.add_command(smpp)


@main.group()
def channels() -> None:
    """The networks that members reach us by."""


@channels.command(name="check")
@click.argument(
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
    metavar="FILE...",
)
def channels_check(files: tuple[Path, ...]) -> None:
    """Say whether profiles of USSD networks can be served: exit 0, or 1 and a line a fault."""
    faults = [fault for file in files for fault in check_profile(file)]
    for fault in faults:
        click.echo(str(fault))
    if faults:
        sys.exit(1)
    click.echo(f"{len(files)} profiles: no fault")


@main.group()
def members() -> None:
    """Those who dial."""


@members.command(name="unfreeze")
@click.option("--phone", "msisdn", required=True, help="+51987000001")
@click.option("--url", envvar="CHASKI_OWNER_URL", help="postgresql://… of the owner.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of a running demo, in place of --url.",
)
@click.option("--by", default=_user, show_default="you", help="Who has seen the member.")
@_plainly
def members_unfreeze(msisdn: str, url: str | None, data: Path | None, by: str) -> None:
    """Open the door again that a member shut by texting BLOQUEAR, once you have seen them."""
    owner_url = _owner_url(url, data)
    with _opened(owner_url) as database:
        member = Members(database).by_msisdn(Msisdn(_number(msisdn)))
        if member is None:
            raise click.ClickException("this phone is no member's")
        now = dt.datetime.now(dt.UTC)
        lifted = database.row(
            "select bank.lift_freeze(%s, %s, %s) as lifted", (member.ref, by, now)
        )
    click.echo("open again" if lifted["lifted"] else "it was not shut: nothing to do")


@main.group()
def ledger() -> None:
    """The cooperative's books."""


@ledger.command(name="verify")
@_DATA
@_JSON
@_plainly
def ledger_verify(data: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Recompute every balance from the entries. Exit 1 on any difference."""
    with _database(data, patient=True) as database:
        found = PostgresLedger(database).verify()
    figures = {name: value for name, value in found.items() if name != "differing"}
    click.echo(json.dumps(figures) if as_json else _lines([figures]))
    for account in found["differing"]:
        click.echo(f"differs: {account}", err=True)
    sys.exit(0 if found["ok"] else 1)


@ledger.command(name="accounts")
@click.option("--phone", "msisdn", required=True, help="+51987000001")
@_DATA
@_JSON
@_plainly
def ledger_accounts(msisdn: str, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """The accounts of the member whose phone this is."""
    number = caller(_number(msisdn))
    with _database(data) as database:
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
    click.echo(json.dumps(rows) if as_json else _lines(rows))


def _database(data: Path | None, *, patient: bool = False) -> Database:
    """The application's database: of the demo in this folder, or of the environment."""
    if data is None:
        return _opened(load().database_url.get_secret_value(), patient=patient)
    return _opened(running(data.resolve()).app_url, patient=patient)


def _opened(url: str, *, patient: bool = False) -> Database:
    database = Database(url, size_max=2, patient=patient)
    database.open()
    return database


def _owner_url(url: str | None, data: Path | None) -> str:
    found = running(data.resolve()).owner_url if data else url
    if found is None:
        raise click.UsageError("say where: --data DIR of a demo, or --url (CHASKI_OWNER_URL)")
    return found


def _publish(owner_url: str, folder: Path, by: str) -> Published:
    with _opened(owner_url) as database:
        return publish_folder(Shelf(database), folder, CATALOGUE, by)


def _prepare_demo(endpoints: Endpoints) -> None:
    for name in migrate(endpoints.owner_url):
        click.echo(f"  applied {name}")
    hasher = PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, OWASP_2026)
    today = dt.datetime.now(ZoneInfo("America/Lima")).date()
    if seed(endpoints.owner_url, hasher, today):
        click.echo("  the demo cooperative has its members and their money")
    # Whoever edits the menus and starts again sees them.
    published = _publish(endpoints.owner_url, Settings.model_fields["menus"].default, "the demo")
    if published.new:
        click.echo(f"  members see the menus {published.digest}")


def _demo_environment(endpoints: Endpoints, port: int) -> dict[str, str]:
    return {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": endpoints.app_url,
        "CHASKI_SESSIONS_URL": endpoints.sessions_url,
        "CHASKI_QUEUE_URL": endpoints.queue_url,
        "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
        "CHASKI_TWILIO_AUTH_TOKENS": DEMO_TWILIO_TOKEN,
        "CHASKI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
        "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
        "CHASKI_SHORT_CODE": _SHORT_CODE,
        "CHASKI_PORT": str(port),
    }


def _invitation(port: int, data: Path) -> str:
    url = f"http://127.0.0.1:{port}"
    return f"""
Chaski answers at {url}
  Dial as Rosa (PIN 4826), in another terminal:
    .venv/bin/chaski phone +51987000001 --url {url}
  Or as the aggregator would:
    curl -s {url}/ussd/africastalking/demo -d sessionId=s1 -d serviceCode='*775#' \\
      --data-urlencode phoneNumber=+51987000001 -d networkCode=99999 -d text=
  Look into the books:
    .venv/bin/chaski ledger verify --data {shlex.quote(str(data))}
Ctrl-C stops it."""


def _number(text: str) -> str:
    try:
        return caller(text).e164
    except NotAMobileError as error:
        raise click.BadParameter(f"{text} is no phone number like +51987000001") from error


def _lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join("  ".join(f"{name}={value}" for name, value in row.items()) for row in rows)


if __name__ == "__main__":
    main()
