"""Every screen of a book as the phone shows it, on paper: for training and for translators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from gateway.bounds import SCREEN_SEPTETS
from gateway.dialog.book import Book
from gateway.dialog.checker.declared import Declared
from gateway.dialog.pretend import TYPICAL, Examples
from gateway.dialog.tour import Screen, screens


@dataclass(frozen=True, slots=True)
class Handout:
    """All screens in one language. `name` is what it calls itself; `offered`: to members."""

    language: str
    name: str
    offered: bool
    screens: tuple[Screen, ...]


def handouts(
    book: Book,
    operations: Mapping[str, Declared],
    languages: Sequence[str],
    examples: Examples = TYPICAL,
) -> tuple[Handout, ...]:
    """Every screen in these languages, also in those that members are not offered yet.

    Args:
        book: the menus.
        operations: what the bank declares, by name.
        languages: some of `book.languages`.
        examples: the values that stand in the sentences.

    Raises:
        LookupError: the menus name what is not there: check them first.
    """
    whole = book.in_every_language()
    return tuple(
        Handout(
            language=language,
            name=dict(whole.offered)[language],
            offered=language in dict(book.offered),
            screens=screens(whole, operations, language, examples),
        )
        for language in languages
    )


def as_text(handout: Handout) -> str:
    """For the terminal and for a diff: each screen under its name and its septets."""
    lines = [_title(handout), ""]
    for part, below in groupby(handout.screens, key=lambda screen: screen.part):
        lines += [f"== {part}", ""]
        for screen in below:
            lines += [_heading(screen), *(f"    {line}" for line in screen.text.split("\n")), ""]
    return "\n".join(lines)


def as_html(shown: Sequence[Handout]) -> str:
    """For the printer: one page for all of these languages, each screen in a frame."""
    return _PAGE.format(body="\n".join(map(_section, shown)))


def _section(handout: Handout) -> str:
    parts = [
        f"<h2>{escape(part)}</h2>\n" + "\n".join(map(_figure, below))
        for part, below in groupby(handout.screens, key=lambda screen: screen.part)
    ]
    title = escape(_title(handout))
    return f'<section lang="{escape(handout.language)}">\n<h1>{title}</h1>\n' + "\n".join(
        [*parts, "</section>"]
    )


def _figure(screen: Screen) -> str:
    caption = escape(_heading(screen))
    return f"<figure><pre>{escape(screen.text)}</pre><figcaption>{caption}</figcaption></figure>"


def _title(handout: Handout) -> str:
    hidden = "" if handout.offered else ", not offered to members yet"
    return f"{handout.name} ({handout.language}{hidden})"


def _heading(screen: Screen) -> str:
    """`send/over, no: over_limit, page 2 of 3, 94 of 160`"""
    page = f"page {screen.page} of {screen.pages}" if screen.pages > 1 else ""
    taken = f"{screen.septets} of {SCREEN_SEPTETS} septets"
    return ", ".join(filter(None, (screen.name, screen.when, page, taken)))


_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Chaski</title>
<style>
body {{ font-family: sans-serif; margin: 2em; }}
section {{ break-after: page; }}
h2 {{ border-bottom: 1px solid #999; }}
figure {{ display: inline-block; vertical-align: top; margin: 0 1em 1.5em 0; width: 20em;
  break-inside: avoid; }}
pre {{ border: 2px solid #333; border-radius: 8px; padding: .8em; margin: 0; background: #f4f7ec;
  white-space: pre-wrap; }}
figcaption {{ font-size: small; color: #555; margin-top: .3em; }}
</style>
{body}
"""
