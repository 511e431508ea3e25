"""`python -m tests.cluster`: see scripts/cluster."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from pathlib import Path

import click

from gateway.embedded import EmbeddedError
from tests.chaos.report import report
from tests.cluster.nodes import NODE_TIMEOUT_MS, six_nodes
from tests.cluster.storm import ClusterRun


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kills", default=6, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--phones", default=6, show_default=True, type=click.IntRange(1, 100))
@click.option("--seed", type=int, help="Of an earlier storm, to see its like again.")
def main(kills: int, phones: int, seed: int | None) -> None:
    """Six Redis nodes hold the sessions, phones dial through a bad radio, and one primary after the
    other is killed with -9. Then the books are opened: exit 0 and ok, or 1 and every violation."""
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 - a storm
    with tempfile.TemporaryDirectory(prefix="chaski-cluster-") as folder:
        Path(folder).chmod(0o711)
        nodes_folder = Path(folder, "nodes")
        nodes_folder.mkdir()
        try:
            with six_nodes(nodes_folder) as nodes:
                run = ClusterRun(nodes, Path(folder, "house"), kills, phones, seed, click.echo)
                outcome = run.go()
        except EmbeddedError as error:
            raise click.ClickException(str(error)) from error
    slowest, middle = max(run.outages_s), statistics.median(run.outages_s)
    click.echo("\n".join(report(outcome)))
    click.echo(
        f"{slowest:>8.1f} s  until all callers were served after a primary died, at the longest "
        f"(median {middle:.1f} s; nodes are held to be dead after {NODE_TIMEOUT_MS / 1000:.0f} s)"
    )
    click.echo("\nok" if outcome.ok else f"\nFAULTY: seed {seed}")
    sys.exit(0 if outcome.ok else 1)


if __name__ == "__main__":
    main(prog_name="scripts/cluster")
