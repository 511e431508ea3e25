"""`python -m tests.restore`: see scripts/restore-drill."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import click

from gateway.embedded import EmbeddedError
from tests.restore.archive import ARCHIVE_TIMEOUT_S
from tests.restore.drill import Drill


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--phones", default=6, show_default=True, type=click.IntRange(1, 100))
@click.option("--seed", type=int, help="Of an earlier drill, to see its like again.")
def main(phones: int, seed: int | None) -> None:
    """Back up while members send money, destroy the server, restore its newest books and those of a
    moment before, verify both. Exit 0 and ok, or 1 and what is wrong."""
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 - a drill
    with tempfile.TemporaryDirectory(prefix="chaski-restore-") as folder:
        Path(folder).chmod(0o711)
        try:
            found = Drill(Path(folder, "house"), phones, seed, click.echo).practise()
        except EmbeddedError as error:
            raise click.ClickException(str(error)) from error
    for name, figure in found.figures.items():
        click.echo(f"{figure:>10}  {name}")
    click.echo(
        f"(the log is archived every {ARCHIVE_TIMEOUT_S} s here, every minute in production)"
    )
    click.echo("\n".join(["", *(found.faults or ["ok"])]))
    sys.exit(1 if found.faults else 0)


if __name__ == "__main__":
    main(prog_name="scripts/restore-drill")
