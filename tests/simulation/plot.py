"""A line chart as SVG, written by hand: no library, and a file that a person can read.

It is made to stand in a README: on white, so that it reads the same in a dark theme; with a title
and a description for who listens to it; and with a shape and a dash for each line, so that nothing
hangs on colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

# The paper, in pixels.
_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 190, 56, 56  # on the right stand the lines' names
_LABEL_GAP = 17  # between two names, so that they never touch
_MARK = 4  # half a marker's size

_INK, _FAINT = "#24292f", "#d0d7de"
_COLOURS = ("#b34700", "#0067a8", "#007a5a")  # told apart by all common kinds of colour blindness
_DASHES = ("", "7 4", "2 3")
_Y_STEPS_MAX = 8
_DEPTH_LEAST = 10  # percent: a difference of one shall not fill the paper
_LINES_MAX = len(_COLOURS)


@dataclass(frozen=True, slots=True)
class Point:
    """A value with its standard error, in the axes' units."""

    x: float
    y: float
    error: float


@dataclass(frozen=True, slots=True)
class Line:
    """One way, by name."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Shares in percent (y, up to 100) over a share in percent (x).

    Raises:
        ValueError: no line, a line without points, or more lines than can be told apart.
    """

    title: str
    description: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.lines) <= _LINES_MAX or not all(line.points for line in self.lines):
            raise ValueError(f"a chart has one to {_LINES_MAX} lines, each with a point")

    def svg(self) -> str:
        """The whole file."""
        body = "\n".join(f"  {element}" for element in self._elements())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
            f' width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-labelledby="title desc"'
            f' font-family="sans-serif" font-size="13" fill="{_INK}">\n{body}\n</svg>\n'
        )

    def _elements(self) -> Iterator[str]:
        yield f'<title id="title">{escape(self.title)}</title>'
        yield f'<desc id="desc">{escape(self.description)}</desc>'
        yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
        yield _text(_LEFT, 26, self.title, size=16)
        yield from self._grid()
        for number, line in enumerate(self.lines):
            yield from self._drawn(line, number)
        yield from self._names()

    # ---- Axes --------------------------------------------------------------------------------

    @property
    def _points(self) -> list[Point]:
        return [point for line in self.lines for point in line.points]

    @property
    def _lowest(self) -> float:
        return min(100 - _DEPTH_LEAST, *(point.y - point.error for point in self._points))

    @property
    def _step(self) -> int:
        """Percent between two lines of the grid."""
        steps = (1, 2, 5, 10, 20)
        fits = (step for step in steps if (100 - self._lowest) / step <= _Y_STEPS_MAX)
        return next(fits, steps[-1])

    @property
    def _floor(self) -> int:
        """The lowest percent that the paper shows."""
        return max(0, math.floor(self._lowest / self._step) * self._step)

    @property
    def _x_most(self) -> float:
        return max(point.x for point in self._points) or 1.0

    def _x(self, x: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * x / self._x_most

    def _y(self, y: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (100 - y) / (100 - self._floor)

    def _grid(self) -> Iterator[str]:
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        for percent in range(self._floor, 101, self._step):
            y = self._y(percent)
            yield _stroke((_LEFT, y), (right, y), _FAINT)
            yield _text(_LEFT - 8, y + 4, f"{percent}", anchor="end")
        for x in sorted({point.x for point in self._points}):
            yield _stroke((self._x(x), bottom), (self._x(x), bottom + 5), _INK)
            yield _text(self._x(x), bottom + 20, f"{x:g}", anchor="middle")
        yield _stroke((_LEFT, bottom), (right, bottom), _INK)
        yield _text((_LEFT + right) / 2, _HEIGHT - 14, self.x_label, anchor="middle")
        begins = f" (the axis begins at {self._floor})" if self._floor else ""
        yield _text(_LEFT, _TOP - 12, self.y_label + begins)

    # ---- Lines -------------------------------------------------------------------------------

    def _drawn(self, line: Line, number: int) -> Iterator[str]:
        colour, dash = _COLOURS[number], _DASHES[number]
        places = " ".join(f"{self._x(p.x):.1f},{self._y(p.y):.1f}" for p in line.points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<g stroke="{colour}" fill="{colour}">'
        yield f'  <polyline points="{places}" fill="none" stroke-width="2"{dashed}/>'
        for point in line.points:
            x, y = self._x(point.x), self._y(point.y)
            above = self._y(min(100, point.y + point.error))
            below = self._y(point.y - point.error)
            yield f"  {_stroke((x, above), (x, below), colour)}"
            for end in (above, below):
                yield f"  {_stroke((x - _MARK, end), (x + _MARK, end), colour)}"
            yield f"  {_mark(number, x, y)}"
        yield "</g>"

    def _names(self) -> Iterator[str]:
        """Each line's name where it ends, pushed apart where they would touch."""
        ends = sorted(
            (self._y(line.points[-1].y), number) for number, line in enumerate(self.lines)
        )
        at = _spread([y for y, _ in ends], _LABEL_GAP)
        for y, (_, number) in zip(at, ends, strict=True):
            line, x = self.lines[number], _WIDTH - _RIGHT + 16
            yield f'<g fill="{_COLOURS[number]}">{_mark(number, x, y)}</g>'
            yield _text(x + 10, y + 4, line.name, colour=_COLOURS[number])


def _spread(places: Sequence[float], gap: float) -> list[float]:
    """Rising places, each at least so far from the one before, as near to their own as can be."""
    moved = list(places)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + gap)
    too_low = max(0.0, moved[-1] - (_HEIGHT - _BOTTOM))
    return [place - too_low for place in moved]


def _mark(number: int, x: float, y: float) -> str:
    """A circle, a square, a triangle."""
    match number:
        case 0:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK}"/>'
        case 1:
            left, top = x - _MARK, y - _MARK
            return f'<rect x="{left:.1f}" y="{top:.1f}" width="{2 * _MARK}" height="{2 * _MARK}"/>'
        case _:
            top, foot = y - _MARK - 1, y + _MARK
            corners = (
                f"{x:.1f},{top:.1f} {x - _MARK - 1:.1f},{foot:.1f} {x + _MARK + 1:.1f},{foot:.1f}"
            )
            return f'<polygon points="{corners}"/>'


def _stroke(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, colour: str = _INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="{colour}">{escape(words)}</text>'
    )
