"""Many runs: seed after seed, in one process or several, until there are enough or time is up."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import click

from tests.simulation.fineract import FAULTS
from tests.simulation.history import History
from tests.simulation.house import House, own_house
from tests.simulation.run import simulate
from tests.simulation.verdict import Violation, judge

SEEDS_MAX = 10_000_000
PROGRESS_S = 5.0
SCRIPTS_SHOWN = 1  # of failing seeds; the others can be replayed
ENOUGH_SEEDS = 200  # by then everything that can happen has happened, or never will
_JOIN_S = 30  # servers take a moment to stop

# A simulation in which one of these never happened proves nothing about it.
KINDS = (
    *("dials", "types", "reads", "writes", "gets", "mistypes", "locked", "balance"),
    *("sms", "posting", "told done", "told denied", "told pending", "told offered", "¿Otra vez?"),
    *("told above the menu", "left_unfinished", "order_refused", "loan_paid", "taxed"),
    *("lost on the way up", "lost on the way down", "sent twice", "sent late too", "copy answered"),
    *("old copy", "wait for another copy", "network's retry", "network error", "timed out"),
    *(
        "slow",
        "hung up",
        "end of session",
        "stall",
        "kill",
        "fall",
        "outage",
        "forget",
        "forget some",
    ),
    *("database before", "database after", "database twice"),
    *("redis before", "redis after", "redis twice"),
    *("sms refused", "sms unsaid", "sent again", "wake-up lost"),
    *("core answer_lost", "core never_arrived", "core late", "core later", "core approval"),
    *(
        "core away",
        "core refuses",
        "own ledger",
        "remote core",
        "africastalking",
        "counting",
        "last-answer",
    ),
)
_OF_THE_MODEL = {
    *("core answer_lost", "core never_arrived", "core late", "core later", "core approval"),
    *("core away", "core refuses", "own ledger", "remote core", "taxed"),
}
KINDS_OF_FINERACT = (
    *(kind for kind in KINDS if kind not in _OF_THE_MODEL),
    *(f"core {fault}" for fault in FAULTS),
    *("Fineract", "core slow up", "core slow down", "core lost up", "core lost down"),
    *("core outage", "core not reached", "core timed out", "core look-up garbled"),
    *("core approves", "core rejects", "core frees", "core purges", "core reverses"),
    *("core shuts", "core takes a right", "core turns the day", "core left alone"),
    *("core asked again", "left the core to it", "expired"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed came to. `script` is kept only where something was wrong."""

    seed: int
    events: int
    counts: Counter[str]
    violations: tuple[Violation, ...]
    script: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """All outcomes so far."""

    began: float = field(default_factory=time.monotonic)
    seeds: int = 0
    events: int = 0
    kinds: tuple[str, ...] = KINDS
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    broken: int = 0  # processes that ended before their time

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.seeds += 1
        self.events += outcome.events
        self.counts += outcome.counts
        if outcome.violations:
            self.failed.append(outcome)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    @property
    def line(self) -> str:
        """Where it stands."""
        pace = self.seeds / max(self.seconds, 0.001)
        return (
            f"simulate: {self.seconds:5.0f} s, {self.seeds} seeds, {self.events} events,"
            f" {pace:.1f} seeds/s, {len(self.failed)} seeds with violations"
        )

    def missing(self) -> list[str]:
        """What should have happened by now and never did."""
        if self.seeds < ENOUGH_SEEDS:
            return []
        return [kind for kind in self.kinds if not self.counts[kind]]


def tried(house: House, seed: int) -> Outcome:
    """One seed, judged."""
    history = simulate(house, seed)
    violations = judge(history)
    script = tuple(map(str, history.events)) if violations else ()
    return Outcome(seed, len(history.events), _counted(history), tuple(violations), script)


def _counted(history: History) -> Counter[str]:
    """What happened how often, and what can only be counted at the end."""
    counts = Counter(history.counts)
    counts["taxed"] = sum(posting.tax > 0 for posting in history.postings)
    counts["old copy"] = sum(one.hop.outrun for one in history.answered)
    sent = Counter(tell.notice for tell in history.tells if tell.yes)
    counts["sent again"] = sum(times - 1 for times in sent.values())
    counts["expired"] = [*history.books.codes.values()].count("expired")
    for tell in history.tells:
        counts[tell.fact] += tell.yes
    return counts


def shown(outcome: Outcome) -> Iterator[str]:
    """Everything about a seed that failed, as lines."""
    yield f"seed {outcome.seed}"
    yield from outcome.script
    for violation in outcome.violations:
        yield f"VIOLATION in seed {outcome.seed}: {violation}"
    yield f"replay it with: scripts/simulate --seed {outcome.seed} -v"


# ---- In this process -------------------------------------------------------------------------


def some(
    house: House, seeds: Iterator[int], until: float, heard: Callable[[Outcome], None]
) -> None:
    """Seed after seed until there are none left, or a moment of `time.monotonic`."""
    for seed in seeds:
        if time.monotonic() >= until:
            return
        heard(tried(house, seed))


# ---- In several ------------------------------------------------------------------------------


def many(
    first: int,
    seeds: int,
    minutes: float,
    jobs: int,
    say: Callable[[str], None],
    *,
    fineract: bool,
) -> Tally:
    """As many seeds as are wanted, from the first one on, or as time allows."""
    context = multiprocessing.get_context("spawn")
    outcomes: multiprocessing.Queue[Outcome | None] = context.Queue()
    until = time.monotonic() + minutes * 60
    workers = [
        context.Process(
            target=_work,
            args=(first + job, first + seeds, jobs, until, outcomes, fineract),
            daemon=False,
        )
        for job in range(jobs)
    ]
    for worker in workers:
        worker.start()
    tally = Tally(kinds=KINDS_OF_FINERACT if fineract else KINDS)
    try:
        _collect(outcomes, tally, len(workers), say)
    finally:
        for worker in workers:
            worker.join(_JOIN_S)
            worker.terminate()
    tally.broken = sum(worker.exitcode != 0 for worker in workers)
    return tally


def _work(
    first: int,
    end: int,
    step: int,
    until: float,
    outcomes: multiprocessing.Queue[Outcome | None],
    fineract: bool,
) -> None:
    try:
        with own_house(fineract=fineract) as house:
            some(house, iter(range(first, end, step)), until, outcomes.put)
    finally:
        outcomes.put(None)


def _collect(
    outcomes: multiprocessing.Queue[Outcome | None],
    tally: Tally,
    workers: int,
    say: Callable[[str], None],
) -> None:
    said = tally.began
    while workers:
        if time.monotonic() - said >= PROGRESS_S:
            said = time.monotonic()
            say(tally.line)
        try:
            outcome = outcomes.get(timeout=PROGRESS_S)
        except queue.Empty:
            continue
        if outcome is None:
            workers -= 1
            continue
        tally.add(outcome)
        if outcome.violations and len(tally.failed) <= SCRIPTS_SHOWN:
            for line in shown(outcome):
                say(line)


# ---- The command -----------------------------------------------------------------------------


def main(argv: Sequence[str]) -> int:
    """`scripts/simulate`. Answers the exit code: 1 where a promise was broken, or a kind of event
    never happened."""
    options = _options(argv)
    fineract = options.core == "fineract"
    if options.seed is not None:
        return _replay(options.seed, verbose=options.verbose, fineract=fineract)
    seeds = options.seeds or SEEDS_MAX
    minutes = options.minutes or (1.0 if options.seeds is None else 24 * 60.0)
    tally = many(options.first, seeds, minutes, options.jobs, click.echo, fineract=fineract)
    click.echo(tally.line)
    click.echo("what happened:")
    for kind, times in sorted(tally.counts.items()):
        click.echo(f"  {times:9d}  {kind}")
    missing = tally.missing()
    if missing:
        click.echo(f"never happened, so nothing is proven about it: {', '.join(missing)}")
    for outcome in tally.failed:
        click.echo(f"seed {outcome.seed}: {outcome.violations[0]}")
    if tally.broken:
        click.echo(f"{tally.broken} of {options.jobs} processes broke off: see above")
    if tally.failed or missing or tally.broken or not tally.seeds:
        return 1
    click.echo(f"simulate: ok, 0 violations in {tally.seeds} seeds")
    return 0


def _replay(seed: int, *, verbose: bool, fineract: bool) -> int:
    with own_house(fineract=fineract) as house:
        history = simulate(house, seed)
    if verbose:
        for event in history.events:
            click.echo(str(event))
    violations = judge(history)
    for violation in violations:
        click.echo(f"VIOLATION in seed {seed}: {violation}")
    click.echo(f"simulate: seed {seed}, {len(history.events)} events, {len(violations)} violations")
    return 1 if violations else 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Whole days of members, networks and servers, seed by seed; nothing sleeps."
        " `scripts/simulate planted` breaks the code on purpose and looks whether it is noticed;"
        " `scripts/simulate radio` measures what the gateway is worth on a bad signal.",
    )
    parser.add_argument("--seeds", type=int, help="how many; else as many as time allows")
    parser.add_argument("--minutes", type=float, help="how long at the most; default 1")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument(
        "--core",
        choices=("any", "fineract"),
        default="any",
        help="any: the own ledger or a model of a remote core, by the seed; fineract: the real"
        " adapter over the loopback Fineract, with all of its faults",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="with --seed: its script")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes; default one a core"
    )
    return parser.parse_args(argv)
