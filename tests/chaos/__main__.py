"""`python -m tests.chaos`: see scripts/chaos."""

from __future__ import annotations

import random
import shutil
import sys
import time
from pathlib import Path

import click

from gateway.embedded import EmbeddedError
from tests.chaos.report import report
from tests.chaos.storm import Run

_BUILD = Path(__file__).parents[2] / "build"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kills", default=200, show_default=True, type=click.IntRange(0), help="How many.")
@click.option(
    "--core",
    type=click.Choice(["own", "fineract"]),
    default="own",
    show_default=True,
    help="Who has the money: our ledger, or a Fineract that fails too.",
)
@click.option("--phones", default=8, show_default=True, type=click.IntRange(1, 100))
@click.option("--seed", type=int, help="Of an earlier storm, to see its like again.")
@click.option("--port", default=0, help="Where web listens.", show_default="any that is free")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="A new folder that keeps everything.",
    show_default="one in build/, removed when all is well",
)
def main(
    kills: int, core: str, phones: int, seed: int | None, port: int, data: Path | None
) -> None:
    """Kill web, worker, Redis and PostgreSQL with -9, again and again, while phones dial through a
    bad radio. Then open the books: exit 0 and ok, or 1 and every violation."""
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 - a storm
    folder = data or _BUILD / f"chaos-{time.strftime('%Y%m%d-%H%M%S')}-{seed}"
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty: give a new folder with --data")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        storm = Run(folder, port, kills, phones, seed, click.echo, fineract=core == "fineract")
        outcome = storm.go()
    except EmbeddedError as error:
        raise click.ClickException(str(error)) from error
    lines = [*report(outcome), "", "ok" if outcome.ok else f"FAULTY: seed {seed}"]
    click.echo("\n".join(lines))
    if outcome.ok:
        if data is None:
            shutil.rmtree(folder)
        return
    (folder / "logs" / "verdict.txt").write_text("\n".join([f"seed {seed}", *lines]) + "\n")
    click.echo(f"What every phone saw, and all logs: {folder / 'logs'}")
    sys.exit(1)


if __name__ == "__main__":
    main(prog_name="scripts/chaos")
