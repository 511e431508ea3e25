"""`python -m tests.failover`: see scripts/failover."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import click

from gateway.embedded import EmbeddedError
from tests.chaos.report import report
from tests.failover.pair import pair_in
from tests.failover.storm import FailoverRun


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kills", default=3, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--phones", default=6, show_default=True, type=click.IntRange(1, 100))
@click.option("--seed", type=int, help="Of an earlier storm, to see its like again.")
def main(kills: int, phones: int, seed: int | None) -> None:
    """PostgreSQL with a synchronous standby: phones send money, the primary dies with -9, the
    standby takes its place, and the dead one is made anew as its standby. Then the books are
    opened: exit 0 and ok, or 1 and every violation."""
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 - a storm
    with tempfile.TemporaryDirectory(prefix="chaski-failover-") as folder:
        Path(folder).chmod(0o711)
        try:
            with pair_in(Path(folder, "pair"), click.echo) as pair:
                run = FailoverRun(pair, Path(folder, "house"), kills, phones, seed, click.echo)
                outcome = run.go()
        except EmbeddedError as error:
            raise click.ClickException(str(error)) from error
    click.echo("\n".join(report(outcome)))
    click.echo(f"{run.read_from_standby:>10}  statements that the standby answered")
    click.echo(
        f"{max(run.outages_s):>8.1f} s  from the kill to ready, at the longest; a manager adds the "
        "time until it holds the primary to be dead"
    )
    click.echo("\nok" if outcome.ok else f"\nFAULTY: seed {seed}")
    sys.exit(0 if outcome.ok else 1)


if __name__ == "__main__":
    main(prog_name="scripts/failover")
