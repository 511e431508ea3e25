"""A figure as a table: what its chart shows, what a screen reader reads and what a CSV holds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gateway.console.words import say
from gateway.events.export import write_table
from gateway.values.money import Money


@dataclass(frozen=True, slots=True)
class Share:
    """Tenths of a percent; None: of nothing."""

    per_mille: int | None

    def __str__(self) -> str:
        return "" if self.per_mille is None else f"{self.per_mille / 10:.1f} %"

    @property
    def plain(self) -> str:
        return "" if self.per_mille is None else f"{self.per_mille / 10:.1f}"


@dataclass(frozen=True, slots=True)
class Micros:
    """Millionths of a sol, shown to a tenth of a céntimo; None: of nothing."""

    micros: int | None

    def __str__(self) -> str:
        return "" if self.micros is None else f"S/ {self.micros / 1_000_000:,.3f}"

    @property
    def plain(self) -> str:
        return "" if self.micros is None else f"{self.micros / 1_000_000:.6f}"


Cell = str | int | Money | Share | Micros | None


@dataclass(frozen=True, slots=True)
class Table:
    """Args:
    name: of its CSV and its place in the page.
    title: what it shows.
    means: how the figure is defined.
    columns: their names; the first is of the rows' heads.
    rows: each with its head first.
    total: a last row, if sums make sense.
    notes: what else must be known, beside it.
    chart: the same as a picture, or nothing.
    """

    name: str
    title: str
    means: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] = ()
    notes: Sequence[str] = ()
    chart: Markup = Markup()  # noqa: RUF009 - it never changes

    @property
    def lines(self) -> list[list[tuple[str, bool]]]:
        """The rows as they are shown: each cell's text, and whether it is a number."""
        return [[(shown(cell), _is_number(cell)) for cell in row] for row in self.rows]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers."""
        return [any(map(_is_number, column)) for column in zip(*self.rows, strict=True)]

    @property
    def total_line(self) -> list[tuple[str, bool]]:
        return [(shown(cell), _is_number(cell)) for cell in self.total]

    def csv(self) -> str:
        """For a spreadsheet: numbers without signs of money, and nothing that it would run."""
        file = io.StringIO()
        rows = [*self.rows, *([self.total] if self.total else [])]
        write_table(self.columns, ([plain(cell) for cell in row] for row in rows), file)
        return file.getvalue()


def shown(cell: Cell) -> str:
    """As a person reads it."""
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def plain(cell: Cell) -> object:
    """As a machine reads it."""
    if isinstance(cell, Money):
        return f"{cell.centimos / 100:.2f}"
    if isinstance(cell, Share | Micros):
        return cell.plain
    return "" if cell is None else cell


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | Money | Share | Micros)


def word(words: dict[str, str], name: str) -> str:
    """What we call a thing; one that has no word yet is called by its own name."""
    return say(words[name]) if name in words else name
