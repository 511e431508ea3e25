"""Whom a command is for, where one deployment serves several cooperatives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.settings import Settings
from gateway.tenants import FOLDER, load_all, variables_of

TENANTS = click.option(
    "--tenants",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder with NAME.env for each of several cooperatives (CHASKI_TENANTS).",
)


def all_settings(tenants: Path | None) -> tuple[Settings, ...]:
    """Of every cooperative that the process serves; processes that it starts serve the same."""
    if tenants is not None:
        os.environ[FOLDER] = str(tenants.resolve())
    return load_all()


def become(file: Path) -> None:
    """Have the environment be that cooperative's, until the command has ended."""
    variables = variables_of(file)
    before = {name: os.environ.get(name) for name in (*variables, FOLDER)}
    click.get_current_context().call_on_close(lambda: _put_back(before))
    os.environ.update(variables)
    os.environ.pop(FOLDER, None)


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, text in before.items():
        os.environ.pop(name, None)
        if text is not None:
            os.environ[name] = text
