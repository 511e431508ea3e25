"""What a conversation asks of the shelf, and a shelf of one book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.dialog.book import Book


class Books(Protocol):
    """Where books are found."""

    @property
    def current(self) -> Book:
        """The book that new sessions begin with. In memory: it costs a hop nothing."""

    def find(self, digest: str) -> Book | None:
        """The book under a digest; None where there is none that can be served here.

        In memory, unless this process meets the book for the first time: then PostgreSQL is asked.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """


@dataclass(frozen=True, slots=True)
class OneBook:
    """A shelf that holds one book and never changes: for tests, and to try a book out."""

    current: Book

    def find(self, digest: str) -> Book | None:
        """The book, if it is this one."""
        return self.current if digest == self.current.digest else None
