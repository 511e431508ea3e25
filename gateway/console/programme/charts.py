"""Pictures of a table, as SVG within the page: no script, no style, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import leather
from markupsafe import Markup, escape

_WIDTH = 720
_ROW = 26
_AXES = 90
_LINES_HEIGHT = 300
_BARS_MAX = 12  # more are read in the table
_INK, _ACCENT, _SECOND, _THIRD = "#1d2a24", "#17543b", "#b3540c", "#4c5a9e"


@cache
def _theme() -> None:
    """The console's own look; leather keeps it in its module."""
    theme = leather.theme
    theme.background_color = "#fdfdfb"
    theme.label_color = theme.legend_color = theme.axis_title_color = _INK
    theme.tick_color = "#dde4df"
    for part in ("title", "legend", "axis_title", "tick"):
        setattr(theme, f"{part}_font_family", "sans-serif")
    theme.tick_font_size = theme.legend_font_size = 12
    theme.tick_font_char_width = theme.legend_font_char_width = 7
    theme.margin = 0.02
    theme.default_series_colors = [_ACCENT, _SECOND, _THIRD]


def bars(title: str, values: Sequence[tuple[str, int]]) -> Markup:
    """One bar a row, the first on top; those of nothing are left out."""
    seen = [(number, label) for label, number in values if number > 0][:_BARS_MAX]
    if not seen:
        return Markup()
    chart = _chart()
    chart.add_x_scale(0, max(number for number, _ in seen))
    chart.add_bars(seen, name=None, fill_color=_ACCENT)
    return _drawn(chart, title, _AXES + _ROW * len(seen))


def lines(title: str, series: Sequence[tuple[str, Sequence[tuple[object, int]]]]) -> Markup:
    """One line a series, over days."""
    seen = [(name, points) for name, points in series if len(points) > 1]
    if not seen:
        return Markup()
    chart = _chart()
    chart.add_y_scale(0, max(1, *(value for _, points in seen for _, value in points)))
    for name, points in seen:
        chart.add_line(list(points), name=name)
    return _drawn(chart, title, _LINES_HEIGHT)


def _chart() -> leather.Chart:
    _theme()
    return leather.Chart()


def _drawn(chart: leather.Chart, title: str, height: int) -> Markup:
    """As wide as its place; who cannot see it has the table under it."""
    drawing = chart.to_svg(width=_WIDTH, height=height)
    _, _, rest = drawing.partition(">")
    opening = (
        f'<svg viewBox="0 0 {_WIDTH} {height}" class="chart" role="img"'
        f' aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">'
    )
    # leather escapes what it is given; the title is escaped here.
    return Markup(opening + rest)  # noqa: S704 # nosec B704
