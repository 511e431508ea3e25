"""Fit a text with its options and its keys onto pages of a feature phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.bounds import PAGES_PER_ANSWER
from gateway.values.gsm import plain, septets


@dataclass(frozen=True, slots=True)
class Keys:
    """The words of the keys that always mean the same: `more` (9), and what else stands at the
    foot."""

    more: str
    foot: str


def fit(body: str, options: Sequence[str], keys: Keys, limit_septets: int) -> tuple[str, ...]:
    """Break a screen into pages of at most `limit_septets`, at the ends of lines.

    An option is never cut in two and keeps its number on whichever page it lands. Every page but
    the last says how to see more; every page says how to go back.
    """
    lines = [line for line in plain(body).split("\n") if line]
    lines += [plain(option) for option in options]
    whole = _page(lines, (keys.foot,))
    if septets(whole) <= limit_septets:
        return (whole,)
    room = limit_septets - septets(_page([], (keys.more, keys.foot))) - 1
    if room < 1:
        raise ValueError(f"no room for a text above {keys}")
    pages = _fill([piece for line in lines for piece in _cut(line, room)], room)[:PAGES_PER_ANSWER]
    feet = [(keys.more, keys.foot)] * (len(pages) - 1) + [(keys.foot,)]
    fitted = [_page(page, foot) for page, foot in zip(pages, feet, strict=True)]
    return tuple(fitted)


def _page(lines: Sequence[str], foot: Sequence[str]) -> str:
    return "\n".join(
        [*lines, *([words] if (words := plain("  ".join(filter(None, foot)))) else [])]
    )


def _fill(lines: Sequence[str], room_septets: int) -> list[list[str]]:
    pages: list[list[str]] = [[]]
    for line in lines:
        if septets("\n".join([*pages[-1], line])) > room_septets:
            pages.append([])
        pages[-1].append(line)
    return pages


def _cut(line: str, room_septets: int) -> list[str]:
    """A line that is longer than a page, in pieces at its spaces; a word longer than a page,
    anywhere."""
    pieces: list[str] = []
    while septets(line) > room_septets:
        end = _longest(line, room_septets)
        space = line.rfind(" ", 1, end + 1)
        cut = space if space > 0 else end
        pieces.append(line[:cut])
        line = line[cut:].lstrip(" ")
    return [*pieces, line]


def _longest(line: str, room_septets: int) -> int:
    taken = 0
    for at, letter in enumerate(line):
        taken += septets(letter)
        if taken > room_septets:
            return max(at, 1)
    return len(line)
