"""Proves a book before it is served: what it names exists, what it says fits, every way ends."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.dialog.book import Book
from gateway.dialog.checker import authority, fitting, keywords, names, ways, wording
from gateway.dialog.checker.declared import Declared
from gateway.dialog.checker.fitting import Listing
from gateway.dialog.checker.limits import SHIPPED, Limits
from gateway.dialog.yaml_lines import Fault

__all__ = ["Declared", "Limits", "Listing", "check", "listings"]


def check(book: Book, operations: Mapping[str, Declared], limits: Limits = SHIPPED) -> list[Fault]:
    """Everything that is wrong with a book, in the order of its files and lines.

    A language that no speaker has reviewed is served to nobody and stops nothing: only its own
    tools look at it.

    Args:
        book: as it was read.
        operations: what the bank can do, by name, as it declares itself.
        limits: what the narrowest channel carries.
    """
    faults = {
        *names.faults(book, operations),
        *ways.faults(book, limits),
        *authority.faults(book, operations),
        *wording.faults(book, operations),
        *keywords.faults(book),
        *fitting.faults(book, operations, limits),
    }
    return sorted(faults)


def listings(
    book: Book, operations: Mapping[str, Declared], limits: Limits = SHIPPED
) -> list[Listing]:
    """The lists that may take more than one page, and how many at the most."""
    return fitting.listings(book, operations, limits)
