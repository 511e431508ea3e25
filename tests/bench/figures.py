"""The arithmetic of the measurements: medians, percentiles, ratios round by round, tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure that was measured several times."""

    median: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """With as many digits as mean anything."""
        return {name: short(getattr(self, name)) for name in ("median", "low", "high")}

    def __str__(self) -> str:
        return f"{short(self.median):g} ({short(self.low):g}-{short(self.high):g})"


def spread(values: Sequence[float]) -> Spread:
    """The median of some rounds, the lowest and the highest."""
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all are not above: always one that was measured."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours over theirs, round by round: what disturbs a round disturbs both, and falls out."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def short(value: float) -> float:
    """Three digits that count, or whole numbers where there are more."""
    if value == 0 or not math.isfinite(value):
        return value
    digits = 2 - math.floor(math.log10(abs(value)))
    return round(value, max(digits, 0))


def table(rows: Mapping[str, Mapping[str, object]]) -> str:
    """Rows by name, with the columns of all of them. What a row lacks is a dash."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [["", *columns]]
    lines += [
        [name, *(str(row.get(column, "-")) for column in columns)] for name, row in rows.items()
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns) + 1)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()
