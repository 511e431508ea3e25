"""What a person at the terminal reads at the end."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.storm import Outcome
from tests.chaos.verdict import repeated_sms, told_apart

VIOLATIONS_SHOWN = 30  # of each check; the logs hold the rest
_ALWAYS_SHOWN = (
    "HTTP 500",
    "hops without an answer while web was up",
    "orders left in doubt",
    "orders locked out",
    "other answers without a screen",
)


def report(outcome: Outcome) -> Iterator[str]:
    """The table: each check with `ok` or its violations, then the figures."""
    for check in outcome.checks:
        found = len(check.violations)
        yield f"{'ok' if not found else f'{found} FAULTS':>10}  {check.name}"
        yield from (f"{'':>12}{violation}" for violation in check.violations[:VIOLATIONS_SHOWN])
    yield ""
    for name, figure in _figures(outcome):
        yield f"{figure:>10}  {name}"


def _figures(outcome: Outcome) -> Iterator[tuple[str, str]]:
    record, traffic, books = outcome.record, outcome.traffic, outcome.books
    counts = traffic.counts
    for process, times in sorted(record.kills.items()):
        yield f"kills of {process}", str(times)
    yield "of these, one child alone", str(record.children)
    yield "slowest recovery, from the last restart to ready", f"{record.slowest_recovery_s:.1f} s"
    drained = "never" if record.drained_s is None else f"{record.drained_s:.1f} s"
    yield "from the recovery to the last order's end and the last SMS", drained
    yield "movements in the books", str(len(books.movements))
    yield "commands to the core that met a fault", str(outcome.faults)
    for what in sorted({*counts, *_ALWAYS_SHOWN}):
        yield what, str(counts[what])
    for what, times in sorted(told_apart(outcome.told.all()).items()):
        yield f'times told "{what}"', str(times)
    yield "slowest hop", f"{traffic.slowest_ms} ms"
    yield "SMS received", str(sum(map(len, books.inboxes.values())))
    yield "SMS that came once more", str(repeated_sms(books))
    yield "searches of Redis for PINs", str(record.redis_searches)
    yield "from the first start to the verdict", f"{outcome.took_s:.0f} s"
