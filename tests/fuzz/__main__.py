"""Feeds every parser and every webhook with what nobody would send, for as long as there is time.

Two engines take turns at each target: hypothesis, which knows what each parser looks for and makes
a failure small; and atheris, which watches where the code has been and goes where it has not. Each
turn is a process of its own, so that one that hangs or dies takes nothing with it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

HOUSE = Path(__file__).parent.parent.parent
KEPT = HOUSE / ".fuzz"

TURN_S_MIN = 5.0  # a shorter one is over before the code is loaded
LATE_S = 60.0  # of a turn that does not end
ENGINES = ("hypothesis", "atheris")


@dataclass(frozen=True)
class Turn:
    """What a turn came to."""

    target: str
    engine: str
    inputs: int
    seconds: float
    failed: bool
    said: str

    def __str__(self) -> str:
        what = "FOUND SOMETHING" if self.failed else "fine"
        return (
            f"fuzz: {self.target:20} {self.engine:10} {self.inputs:>9,} inputs"
            f" in {self.seconds:5.0f} s, {what}"
        )


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="In all, over every target.")
@click.option("--target", "only", multiple=True, help="This one alone; may be given again.")
@click.option("--replay", type=click.Path(path_type=Path, exists=True), help="A crash's file.")
@click.option("--one", type=(str, str, float), hidden=True)
def main(
    minutes: float, only: tuple[str, ...], replay: Path | None, one: tuple[str, str, float] | None
) -> None:
    """Fuzz parsers and webhooks. What they learn is kept in .fuzz/, which is not committed."""
    if one:
        _take_turn(*one)
    elif replay:
        _replay(replay)
    else:
        sys.exit(_campaign(minutes, only))


def _campaign(minutes: float, only: tuple[str, ...]) -> int:
    from tests.fuzz.targets import TARGETS

    names = [name for name in TARGETS if not only or name in only]
    if not names:
        raise click.UsageError(f"there are: {', '.join(TARGETS)}")
    engines = ENGINES if importlib.util.find_spec("atheris") else ENGINES[:1]
    if len(engines) < len(ENGINES):
        click.echo("fuzz: without atheris, which has nothing for this Python and machine")
    seconds = max(TURN_S_MIN, minutes * 60 / len(names) / len(engines))
    click.echo(f"fuzz: {len(names)} targets, {len(engines)} engines, {seconds:.0f} s each")
    done = []
    for name in names:
        for engine in engines:
            turn = _turn(name, engine, seconds)
            click.echo(turn)
            if turn.failed:
                click.echo(turn.said)
            done.append(turn)
    found = [turn for turn in done if turn.failed]
    inputs, spent = sum(turn.inputs for turn in done), sum(turn.seconds for turn in done)
    click.echo(f"fuzz: {inputs:,} inputs in {spent / 60:.1f} minutes, {len(found)} found something")
    return 1 if found else 0


def _turn(target: str, engine: str, seconds: float) -> Turn:
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz", "--one", target, engine, str(seconds)]
    try:
        ended = subprocess.run(
            command,
            cwd=HOUSE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds + LATE_S,
            check=False,
        )
        said, failed = ended.stdout, ended.returncode != 0
    except subprocess.TimeoutExpired as late:
        said, failed = f"it did not end\n{(late.stdout or b'').decode(errors='replace')}", True
    counted = re.findall(r"(?:number_of_executed_units:|inputs:) *(\d+)", said)
    inputs = int(counted[-1]) if counted else 0
    # A turn that looked at nothing proves nothing.
    return Turn(
        target, engine, inputs, time.monotonic() - began, failed or not inputs, said[-6_000:]
    )


def _take_turn(target: str, engine: str, seconds: float) -> None:
    """In a process of its own."""
    if engine == "atheris":
        _by_atheris(target, seconds)
    else:
        _by_hypothesis(target, seconds)


def _by_hypothesis(target: str, seconds: float) -> None:
    import signal

    from hypothesis.database import DirectoryBasedExampleDatabase

    from tests.fuzz.targets import HANG_S, TARGETS, prepared

    database = DirectoryBasedExampleDatabase(KEPT / "examples" / target)
    run = prepared(TARGETS[target], examples=50, database=database)
    inner, ends = run.hypothesis.inner_test, time.monotonic() + seconds
    inputs = 0

    def counted(*args: object, **kwargs: object) -> None:
        nonlocal inputs
        inputs += 1
        signal.alarm(HANG_S)
        inner(*args, **kwargs)
        signal.alarm(0)

    run.hypothesis.inner_test = counted
    while time.monotonic() < ends:
        run()
    click.echo(f"inputs: {inputs}")


def _by_atheris(target: str, seconds: float) -> None:
    import atheris

    with atheris.instrument_imports(include=["gateway"]):
        from tests.fuzz.targets import HANG_S, TARGETS, prepared
    corpus, crashes = KEPT / "corpus" / target, KEPT / "crashes" / target
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    run = prepared(TARGETS[target]).hypothesis.fuzz_one_input

    def feed(octets: bytes) -> None:
        try:
            run(octets)
        except BaseException:
            click.echo(f"again: scripts/fuzz --replay .fuzz/crashes/{target}/<the newest>")
            raise

    options = (
        f"-max_total_time={max(1, int(seconds))}",
        f"-timeout={HANG_S}",
        "-max_len=4096",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
        f"-artifact_prefix={crashes}{os.sep}",
    )
    atheris.Setup([sys.argv[0], *options, str(corpus)], feed)
    atheris.Fuzz()


def _replay(crash: Path) -> None:
    from tests.fuzz.targets import TARGETS, prepared

    target = crash.resolve().parent.name
    if target not in TARGETS:
        raise click.UsageError("a crash's file stands in the folder of its target")
    prepared(TARGETS[target]).hypothesis.fuzz_one_input(crash.read_bytes())
    click.echo(f"fuzz: {target} took {crash.name} without complaint")


if __name__ == "__main__":
    main()
