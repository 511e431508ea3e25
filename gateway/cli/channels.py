"""What the `chaski channels` command offers to whoever connects a network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.channels.http.reading import check_profile


@click.group()
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
