"""A picture of the menus: what leads where, as Mermaid text or as a drawing (SVG).

The drawing needs no layout engine: boxes stand in columns by their distance from the home menu,
and a line of a menu points to the box beside it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from gateway.dialog.book import Book, Condition, Journey, Menu, Refusal, Say, Slot


@dataclass(frozen=True, slots=True)
class Box:
    """Something to stand at. `kind` is `menu`, `journey`, `slot`, `confirm` or `operation`; the
    first of the lines is its title."""

    key: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a box to a box, by their keys. `label` is the option or the refusal that leads there;
    empty where it just goes on."""

    start: str
    end: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes by their keys, home first, and arrows between them."""

    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]

    def leaving(self, key: str) -> list[Arrow]:
        """The arrows that start at a box, in order."""
        return [arrow for arrow in self.arrows if arrow.start == key]


def picture(book: Book) -> Picture:
    """What the book draws: menus, journeys, slots, confirm screens and operations.

    An option that leads nowhere has no arrow: that is the checker's to say.
    """
    home, *others = sorted(book.menus.values(), key=lambda menu: menu.name != book.home)
    boxes = [_menu(menu) for menu in (home, *others)]
    arrows = [arrow for menu in book.menus.values() for arrow in _options(menu)]
    for journey in book.journeys.values():
        chain = list(_chain(journey))
        boxes += chain
        arrows += [Arrow(before.key, after.key) for before, after in pairwise(chain)]
        arrows += _asked_again(journey, chain[-1].key)
    by_key = {box.key: box for box in boxes}
    return Picture(by_key, tuple(arrow for arrow in arrows if arrow.end in by_key))


def _menu(menu: Menu) -> Box:
    reads = (f"reads {menu.data}",) if menu.data else ()
    return Box(menu.name, "menu", (menu.name, *_said(menu.say), *reads))


def _options(menu: Menu) -> Iterator[Arrow]:
    for option in menu.options:
        label = " ".join(_said(option.label))
        yield Arrow(menu.name, option.go, f"{option.key}. {label}{_if(option.only_when)}")


def _chain(journey: Journey) -> Iterator[Box]:
    """The boxes of a journey, from its name to its operation."""
    yield Box(journey.name, "journey", (journey.name, *_said(journey.help)))
    for slot in journey.slots:
        yield _slot(journey, slot)
    if journey.quote:
        yield Box(f"{journey.name}:quote", "operation", (journey.quote, "before the PIN"))
    if journey.confirm:
        title = "confirm, PIN" if journey.authorise else "confirm"
        yield Box(f"{journey.name}:confirm", "confirm", (title, *_said(journey.confirm)))
    ends = [
        f"no: {code}{' (yes goes on)' if refusal.again else ''}"
        for code, refusal in journey.refused.items()
        if refusal.ask is None
    ]
    yield Box(f"{journey.name}:do", "operation", (journey.do, *ends))


def _slot(journey: Journey, slot: Slot) -> Box:
    title = f"{slot.name}: {slot.type}{_if(slot.only_when)}"
    choices = [f"{choice.value}: {' '.join(_said(choice.label))}" for choice in slot.choices]
    return Box(f"{journey.name}/{slot.name}", "slot", (title, *_said(slot.ask), *choices))


def _asked_again(journey: Journey, start: str) -> Iterator[Arrow]:
    """Where a refusal leads back to: the refusals that ask the same slot share an arrow."""
    asking = [
        (refusal.ask, code) for code, refusal in journey.refused.items() if _asks(journey, refusal)
    ]
    for slot, pairs in groupby(sorted(asking, key=str), key=lambda pair: pair[0]):
        yield Arrow(start, f"{journey.name}/{slot}", "no: " + ", ".join(code for _, code in pairs))


def _asks(journey: Journey, refusal: Refusal) -> bool:
    return refusal.ask in {slot.name for slot in journey.slots}


def _said(say: Say | None) -> tuple[str, ...]:
    """The Spanish text, of several the last, which is said when nothing special is so."""
    return tuple(say.variants[-1].text.split("\n")) if say and say.variants else ()


def _if(condition: Condition | None) -> str:
    if condition is None:
        return ""
    return f" (if {condition.name}{f' is {condition.value}' if condition.value else ''})"


# ---- Mermaid ---------------------------------------------------------------------------------

_SHAPES = {
    "menu": ('["', '"]'),
    "journey": ('(["', '"])'),
    "slot": ('[/"', '"/]'),
    "confirm": ('{{"', '"}}'),
    "operation": ('[["', '"]]'),
}


def mermaid(book: Book) -> str:
    """The picture as a Mermaid flowchart, which many editors and sites draw."""
    drawn = picture(book)
    ids = {key: f"{box.kind}_{_id(key)}" for key, box in drawn.boxes.items()}
    lines = ["flowchart LR"]
    for key, box in drawn.boxes.items():
        before, after = _SHAPES[box.kind]
        lines.append(f"    {ids[key]}{before}{'<br/>'.join(map(_quoted, box.lines))}{after}")
    for arrow in drawn.arrows:
        shaft = "-.->" if arrow.label.startswith("no: ") else "-->"
        label = f'|"{_quoted(arrow.label)}"|' if arrow.label else ""
        lines.append(f"    {ids[arrow.start]} {shaft}{label} {ids[arrow.end]}")
    return "\n".join(lines) + "\n"


def _id(key: str) -> str:
    """A key in the letters that Mermaid takes for an id, different for different keys."""
    return re.sub(
        r"[^A-Za-z0-9_]", lambda sign: "__" if sign[0] in "/:" else f"_{ord(sign[0])}_", key
    )


def _quoted(text: str) -> str:
    """Text inside Mermaid's quotes: its own sign for a character is #name;."""
    return (
        text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    )


# ---- The drawing -----------------------------------------------------------------------------

_WRAP_CHARS = 30
_CHAR_PX = 7.3  # of a monospace letter of 12 px; a little generous
_LINE_PX = 16
_PAD_PX = 8
_GAP_PX = 56  # between columns, for the arrows
_ROW_GAP_PX = 18

_TITLE = ' font-weight="bold"'
_COLOURS = {
    "menu": "#dbeafe",
    "journey": "#dcfce7",
    "slot": "#ffffff",
    "confirm": "#fef3c7",
    "operation": "#f3e8ff",
}


@dataclass(frozen=True, slots=True)
class _Placed:
    """A box on the sheet, in pixels. `ports` is how far down each labelled arrow leaves it."""

    box: Box
    lines: tuple[str, ...]
    ports: Mapping[Arrow, int]
    column: int
    row: int

    @property
    def width_px(self) -> int:
        return round(max(map(len, self.lines)) * _CHAR_PX) + 2 * _PAD_PX

    @property
    def height_px(self) -> int:
        return len(self.lines) * _LINE_PX + 2 * _PAD_PX


def svg(book: Book) -> str:
    """The picture as a drawing that any browser shows. Letters are of the reader's own monospace
    font."""
    drawn = picture(book)
    spots = _spots(drawn)
    placed = {key: _place(drawn, spots, key) for key in drawn.boxes}
    lefts = _edges([(one.column, one.width_px + _GAP_PX) for one in placed.values()])
    tops = _edges([(one.row, one.height_px + _ROW_GAP_PX) for one in placed.values()])
    shapes = [
        _drawn_arrow(arrow, placed, lefts, tops) for arrow in drawn.arrows if _beside(arrow, spots)
    ]
    shapes += [_drawn_box(one, lefts[one.column], tops[one.row]) for one in placed.values()]
    width, height = lefts[-1], tops[-1]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="monospace" font-size="12">\n'
        '<rect width="100%" height="100%" fill="#fafafa" class="sheet"/>\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


def _spots(drawn: Picture) -> dict[str, tuple[int, int]]:
    """Column and row of each box: its first child stands beside it, the others below that."""
    spots: dict[str, tuple[int, int]] = {}

    def put(key: str, column: int, row: int) -> int:
        """Answers the next free row."""
        spots[key] = (column, row)
        below = row
        for arrow in drawn.leaving(key):
            if arrow.end not in spots:
                below = put(arrow.end, column + 1, below)
        return max(below, row + 1)

    free = 0
    for key in drawn.boxes:  # home and all below it; then what nothing leads to
        if key not in spots:
            free = put(key, 0, free)
    return spots


def _place(drawn: Picture, spots: Mapping[str, tuple[int, int]], key: str) -> _Placed:
    """A box with all its lines: its own, then one for each labelled arrow that leaves it."""
    box = drawn.boxes[key]
    lines = [piece for line in box.lines for piece in textwrap.wrap(line, _WRAP_CHARS) or [""]]
    ports: dict[Arrow, int] = {}
    for arrow in drawn.leaving(key):
        if not arrow.label:
            continue
        beside = _beside(arrow, spots)
        label = arrow.label if beside else f"{arrow.label} ↩ {drawn.boxes[arrow.end].lines[0]}"
        ports[arrow] = _PAD_PX + len(lines) * _LINE_PX + _LINE_PX // 2
        lines += textwrap.wrap(label, _WRAP_CHARS)
    return _Placed(box, tuple(lines), ports, *spots[key])


def _beside(arrow: Arrow, spots: Mapping[str, tuple[int, int]]) -> bool:
    """Whether an arrow can be drawn without crossing a box; otherwise it is written."""
    return spots[arrow.end][0] == spots[arrow.start][0] + 1


def _edges(sizes_px: list[tuple[int, int]]) -> list[int]:
    """Where each column (or row) begins, given (index, size) of what stands in it; then the end."""
    largest = dict.fromkeys(range(max(index for index, _ in sizes_px) + 1), 0)
    for index, size in sizes_px:
        largest[index] = max(largest[index], size)
    edges = [_ROW_GAP_PX]
    for index in sorted(largest):
        edges.append(edges[-1] + largest[index])
    return edges


def _drawn_box(one: _Placed, left: int, top: int) -> str:
    round_px = 14 if one.box.kind == "journey" else 3
    rows = [
        f'<text x="{left + _PAD_PX}" y="{top + _PAD_PX + 12 + at * _LINE_PX}"'
        f"{_TITLE if at == 0 else ''}>{escape(line)}</text>"
        for at, line in enumerate(one.lines)
    ]
    return (
        f'<rect class="{one.box.kind}" x="{left}" y="{top}" width="{one.width_px}" '
        f'height="{one.height_px}" rx="{round_px}" fill="{_COLOURS[one.box.kind]}" '
        'stroke="#334155"/>\n' + "\n".join(rows)
    )


def _drawn_arrow(
    arrow: Arrow, placed: Mapping[str, _Placed], lefts: list[int], tops: list[int]
) -> str:
    start, end = placed[arrow.start], placed[arrow.end]
    x1 = lefts[start.column] + start.width_px
    y1 = tops[start.row] + start.ports.get(arrow, _PAD_PX + _LINE_PX // 2)
    x2, y2 = lefts[end.column], tops[end.row] + _PAD_PX + _LINE_PX // 2
    bend = x2 - _GAP_PX // 2
    return (
        f'<path d="M {x1} {y1} H {bend - _GAP_PX // 4} '
        f'C {bend} {y1} {bend - _GAP_PX // 4} {y2} {bend} {y2} H {x2 - 4}" '
        f'fill="none" stroke="#64748b"/><path d="M {x2 - 7} {y2 - 4} L {x2} {y2} '
        f'L {x2 - 7} {y2 + 4} Z" fill="#64748b"/>'
    )
