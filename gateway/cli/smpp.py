"""What the `chaski smpp` command offers: the process that holds the operators' lines, and two tools
for whoever connects one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from errno import EADDRINUSE
from pathlib import Path

import click

from gateway import bootstrap
from gateway.channels.smpp.lines import check_file, check_folder, load_lines, sheets_in
from gateway.channels.smpp.pages import PageServer, pages
from gateway.channels.smpp.service import Service
from gateway.channels.smpp.trace import read_capture
from gateway.cli.desk import plainly
from gateway.observing import Metrics, configure_logging
from gateway.settings import Settings, load
from gateway.worker import run_worker

_PATH = click.Path(path_type=Path)


@click.group(invoke_without_command=True)
@click.pass_context
def smpp(context: click.Context) -> None:
    """An operator's own line, over SMPP. Alone it is `chaski smpp run`."""
    if context.invoked_subcommand is None:
        context.invoke(run_command)


@smpp.command(name="run")
@plainly
def run_command() -> None:
    """Hold the lines: USSD and SMS over them, until a signal ends it.

    Settings come from CHASKI_… variables; CHASKI_SMPP_LINES is the folder of the lines. Where one
    of them carries SMS this process sends all messages, and the worker none: only who holds a bind
    can submit.
    """
    settings = load()
    if settings.smpp_lines is None:
        raise click.UsageError("CHASKI_SMPP_LINES: say in which folder the lines are")
    lines = load_lines(settings.smpp_lines)
    configure_logging(settings.log_level)
    metrics = Metrics()
    with ExitStack() as ends:
        gateway = bootstrap.build(settings, metrics)
        ends.callback(gateway.close)
        database = ends.enter_context(bootstrap.open_database(settings))
        service = Service(
            lines,
            gateway,
            metrics.registry,
            short_code=settings.short_code,
            region=settings.region,
            threads=settings.smpp_threads,
            dialogue_s=settings.session_total_s,
        )
        ends.callback(service.stop)
        page = _page(settings, {**gateway.checks, **service.checks}, service, metrics)
        ends.callback(page.stop)
        duties = bootstrap.line_duties(settings, database, service)
        page.start()
        service.start()
        run_worker(settings.queue_url.get_secret_value(), duties)


def _page(
    settings: Settings,
    checks: Mapping[str, Callable[[], bool]],
    service: Service,
    metrics: Metrics,
) -> PageServer:
    """Where the process says how it is."""
    app = pages(checks, lambda: service.states, metrics.registry)
    try:
        return PageServer(app, settings.host, settings.smpp_port)
    except OSError as error:
        where = f"CHASKI_SMPP_PORT={settings.smpp_port} on {settings.host}"
        hint = "is another chaski smpp running?" if error.errno == EADDRINUSE else ""
        raise click.ClickException(f"{where}: {error.strerror}: {hint}".rstrip(" :")) from error


@smpp.command(name="check")
@click.argument("paths", metavar="FILES...", type=_PATH, nargs=-1, required=True)
def check_command(paths: tuple[Path, ...]) -> None:
    """Read lines and dialects as the process does: every fault as FILE:LINE, and exit 1.

    FILES are files, or the folder of the lines: then all of it, its dialects too. A file that names
    a host is a line; its dialect, password and certificates are looked at too.
    """
    faults = [
        fault
        for path in paths
        for fault in (check_folder(path) if path.is_dir() else check_file(path))
    ]
    for fault in faults:
        click.echo(str(fault))
    if faults:
        sys.exit(1)
    count = sum(len(sheets_in(path)) if path.is_dir() else 1 for path in paths)
    click.echo(f"{count} {'file' if count == 1 else 'files'}: no fault")


@smpp.command(name="trace")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@plainly
def trace_command(file: Path) -> None:
    """Say in words what a capture holds: PDUs as they are, or in hex, a line each; no pcap.

    Texts, keystrokes, passwords and whole numbers are left out, so that what is printed may be sent
    to the operator. The capture itself may hold PINs: delete it.
    """
    for line in read_capture(file):
        click.echo(line)
