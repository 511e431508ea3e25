"""The `chaski` command. Every subcommand is a few lines that call inward."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from gateway import __version__, bootstrap
from gateway.bank.hashing import OWASP_2026, PepperedArgon2
from gateway.bounds import HEADERS_WITHIN_MS, HOPS_WAITING_MAX, THREADS_TO_REFUSE
from gateway.cli.audit import audit
from gateway.cli.calls import calls
from gateway.cli.channels import channels
from gateway.cli.claims import claims
from gateway.cli.desk import phone_number, plainly
from gateway.cli.events import events
from gateway.cli.ledger import ledger, refuse_unfit_core
from gateway.cli.limits import limits
from gateway.cli.members import members
from gateway.cli.menus import menus
from gateway.cli.people import members_erase, members_export, retention
from gateway.cli.peppers import pins
from gateway.cli.programme import members_districts, programme
from gateway.cli.publishing import publish
from gateway.cli.reconcile import reconcile
from gateway.cli.sharing import shared_figures
from gateway.cli.smpp import smpp
from gateway.cli.sms import sms
from gateway.cli.staff import staff
from gateway.cli.tenants import TENANTS, all_settings, become
from gateway.cli.wishes import members_agree
from gateway.db.migrations import migrate
from gateway.demo.core import core_variables, running_core
from gateway.demo.life.story import DAYS, MEMBERS
from gateway.demo.life.writing import give_life
from gateway.demo.phone import PUT_AWAY, Phone, use
from gateway.demo.seed import seed
from gateway.demo.staff import STAFF, STAFF_PASSWORD, seed_staff
from gateway.demo.supervise import run_demo
from gateway.demo.variables import SHORT_CODE, demo_variables
from gateway.embedded import Endpoints
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import World
from gateway.observing import configure_logging
from gateway.settings import (
    DEMO_PEPPER,
    DEMO_WEBHOOK_SECRET,
    Settings,
)
from gateway.tenants import owner_urls
from gateway.worker import run_worker

_COUNTER = """
  At the core's counter somebody pays S/ 50.00 in for Rosa, who gets an SMS:
    curl -s {core}/_counter -H 'Content-Type: application/json' \\
      -d '{{"account": "100-0001", "centimos": 5000}}'"""
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tenant", type=_FILE, help="The file of one of several cooperatives: whose it is.")
@click.version_option(__version__)
@plainly
def main(tenant: Path | None) -> None:
    """A USSD and SMS banking gateway: a plain phone reaches its cooperative's ledger."""
    if tenant is not None:
        become(tenant)


@main.command()
@TENANTS
@plainly
def serve(tenants: Path | None) -> None:
    """Serve webhooks. Settings come from CHASKI_… variables; demo secrets are refused."""
    several = all_settings(tenants)
    for settings in several:
        with bootstrap.open_database(settings) as database:
            bootstrap.open_books(settings, database)  # faulty menus are said here, once and plainly
        refuse_unfit_core(settings)
    process = several[0]  # of what is the process's all of them say the same
    with shared_figures(process.web_workers):
        _serve(process)


def _serve(process: Settings) -> None:
    Granian(
        application(demo=process.demo),
        factory=True,
        interface=Interfaces.WSGI,
        address=process.host,
        port=process.port,
        workers=process.web_workers,
        # Who waits for a hand waits in a thread: see gateway/channels/crowd.py.
        blocking_threads=process.web_threads + HOPS_WAITING_MAX + THREADS_TO_REFUSE,
        http=HTTPModes.http1,  # what proxies speak; guessing it, a silent peer stays
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN_MS),
        log_access=False,  # an access log would hold the secret of the path
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()


def application(*, demo: bool) -> str:
    """What a web process serves. Of what only a demonstration has, production loads nothing."""
    return "gateway.demo.site:wsgi" if demo else "gateway.bootstrap:wsgi"


@main.command()
@TENANTS
@plainly
def worker(tenants: Path | None) -> None:
    """Send what is to be sent, and do what is to be done every so often."""
    several = all_settings(tenants)
    configure_logging(several[0].log_level)
    with ExitStack() as ends:
        duties = [
            duty
            for settings in several
            for duty in bootstrap.duties(
                settings, ends.enter_context(bootstrap.open_database(settings))
            )
        ]
        run_worker(several[0].queue_url.get_secret_value(), duties)


@main.command()
@click.option("--port", default=8080, show_default=True, help="Where the gateway listens.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="The folder that keeps everything.",
)
@click.option(
    "--ledger",
    "core",
    type=click.Choice(["own", "fineract"]),
    default="own",
    show_default=True,
    help="Whose books: ours, or a Fineract's on the loopback interface, new at each start.",
)
@click.option(
    "--life",
    is_flag=True,
    help="Fill it once with three invented months of 2,000 members, beside the six.",
)
@plainly
def demo(port: int, data: Path, core: str, life: bool) -> None:  # noqa: FBT001 - click's way
    """Run a whole cooperative on this machine, with servers of its own. Ctrl-C stops it."""
    if life and core != "own":
        raise click.UsageError("--life fills our own books: leave --ledger out")
    with running_core(data, port) if core == "fineract" else nullcontext() as standin:
        sys.exit(_run_demo(port, data, standin, life=life))


def _run_demo(port: int, data: Path, core: StandIn | None, *, life: bool) -> int:
    program = [sys.executable, "-m", "gateway.cli"]
    variables = core_variables(core.url) if core else {}
    return run_demo(
        port,
        data.resolve(),
        prepare=lambda endpoints: _prepare_demo(endpoints, core.world if core else None, life=life),
        say=click.echo,
        environment=lambda endpoints: {**demo_variables(endpoints, port), **variables},
        web=[*program, "serve"],
        worker=[*program, "worker"],
        invitation=_invitation(port, data, core),
    )


@main.command(name="migrate")
@click.option("--url", envvar="CHASKI_OWNER_URL", help="postgresql://… of the owner.")
@click.option("--tenants", type=_FOLDER, help="NAME.env a cooperative, with its CHASKI_OWNER_URL.")
@plainly
def migrate_command(url: str | None, tenants: Path | None) -> None:
    """Bring the database up to date. Run it before serve and worker, once a release."""
    if (url is None) == (tenants is None):
        raise click.UsageError("say where: --url (CHASKI_OWNER_URL), or --tenants DIR")
    for name, owner in owner_urls(tenants).items() if tenants else [("", str(url))]:
        applied = migrate(owner)
        whose = f"{name}: " if name else ""
        lines = [f"{whose}applied {migration}" for migration in applied]
        click.echo("\n".join(lines) or f"{whose}nothing to apply")


@main.command()
@click.argument("msisdn")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The gateway.")
@click.option("--secret", default=DEMO_WEBHOOK_SECRET, show_default=True, help="Of the webhook.")
@click.option("--short-code", default=SHORT_CODE, show_default=True)
@plainly
def phone(msisdn: str, url: str, secret: str, short_code: str) -> None:
    """A feature phone in the terminal: chaski phone +51987000001"""

    def ask(prompt: str) -> str:
        try:
            return input(prompt)
        except EOFError:
            return PUT_AWAY

    handset = Phone(phone_number(msisdn).e164, url.rstrip("/"), secret, short_code)
    use(handset, click.echo, ask)


for _group in (
    *(audit, calls, channels, claims, events, ledger, limits),
    *(members, menus, pins, programme, retention, smpp, sms, staff),
):
    main.add_command(_group)
for _command in (members_agree, members_districts, members_erase, members_export):
    members.add_command(_command)
ledger.add_command(reconcile)


def _prepare_demo(endpoints: Endpoints, core: World | None, *, life: bool) -> None:
    for name in migrate(endpoints.owner_url):
        click.echo(f"  applied {name}")
    hasher = PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, OWASP_2026)
    today = dt.datetime.now(ZoneInfo("America/Lima")).date()
    if seed(endpoints.owner_url, hasher, today, core):
        click.echo("  the demo cooperative has its members and their money")
    if life and give_life(endpoints.owner_url, today):
        click.echo(f"  {MEMBERS} members who do not exist have lived for {DAYS} days")
    seed_staff(endpoints.owner_url)
    # Whoever edits the menus and starts again sees them.
    published = publish(endpoints.owner_url, Settings.model_fields["menus"].default, "the demo")
    if published.new:
        click.echo(f"  members see the menus {published.digest}")


def _invitation(port: int, data: Path, core: StandIn | None) -> str:
    look = "accounts --phone +51987000001" if core else "verify"
    counter = _COUNTER.format(core=core.root) if core else ""
    url = f"http://127.0.0.1:{port}"
    folder = shlex.quote(str(data))
    return f"""
Chaski answers at {url}
  Phones to try, in a browser:
    {url}/phone
  Dial as Rosa (PIN 4826), in another terminal:
    .venv/bin/chaski phone +51987000001 --url {url}
  Or as the aggregator would:
    curl -s {url}/ussd/africastalking/demo -d sessionId=s1 -d serviceCode='*775#' \\
      --data-urlencode phoneNumber=+51987000001 -d networkCode=99999 -d text=
  Wilmer has no PIN yet: issue him a code, and dial as +51987000006:
    .venv/bin/chaski members invite --phone +51987000006 --dni 40000006 --data {folder}
  Staff's console: {url}/console
    as {", ".join(f"{login} ({role})" for login, role in STAFF)};
    password {STAFF_PASSWORD}, and the code of now: .venv/bin/chaski staff demo-code
  Look into the books:
    .venv/bin/chaski ledger {look} --data {folder}{counter}
Ctrl-C stops it."""
