"""The published books in memory: the one for new sessions, and those still being read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from gateway.bounds import BOOKS_KEPT
from gateway.db.pool import DatabaseUnavailableError
from gateway.dialog.book import Book
from gateway.library.shelf import Shelf
from gateway.menus import Pages
from gateway.observing import Log

Prove = Callable[[Pages], Book]


class PublishedBooks:
    """The `Books` of one process. It begins with the book in force.

    A book that cannot be served here (a newer Chaski wrote it) changes nothing: the one before goes
    on. Where there is none before, neither in memory nor on the shelf, `otherwise` is served.

    Args:
        shelf: where they were published.
        prove: reads and checks a book's pages; raises `FaultyBookError`.
        otherwise: the book of a shelf that is empty or away.
        log: says once that a book cannot be served, and which one is.

    Raises:
        FaultyBookError: `otherwise` was needed, and has faults.
    """

    def __init__(self, shelf: Shelf, prove: Prove, otherwise: Callable[[], Book], log: Log) -> None:
        self._shelf = shelf
        self._prove = prove
        self._log = log
        self._proving = threading.Lock()
        # None: it cannot be served here. Replaced whole, so that readers need no lock.
        self._books: Mapping[str, Book | None] = {}
        self._current = self._newest() or otherwise()
        # A book that is on no shelf is here or nowhere, when another one is in force.
        self._keep(self._current.digest, self._current)

    @property
    def current(self) -> Book:
        """The book that new sessions begin with, as this process knows it."""
        return self._current

    def find(self, digest: str) -> Book | None:
        """The book under a digest; None where there is none that can be served here.

        Raises:
            DatabaseUnavailableError: it is not in memory, and cannot be read now.
        """
        current = self._current
        return current if digest == current.digest else self._read(digest)

    def refresh(self) -> int:
        """Look at the shelf, and serve what is in force there. Answers how many books are new: 0 or
        1.

        Raises:
            DatabaseUnavailableError: what was served goes on.
        """
        digest = self._shelf.current()
        if digest is None or digest == self._current.digest:
            return 0
        book = self._read(digest)
        if book is None:
            return 0
        self._current = book
        self._log.info("book_in_force", digest=digest)
        return 1

    def _newest(self) -> Book | None:
        """The book in force, or the newest before it that can be served here."""
        try:
            for publication in self._shelf.publications(BOOKS_KEPT):
                book = self._read(publication.digest)
                if book is not None:
                    return book
        except DatabaseUnavailableError as error:
            self._log.warning("shelf_away", effect="the folder's book is served", why=str(error))
        return None

    def _read(self, digest: str) -> Book | None:
        books = self._books
        if digest in books:
            return books[digest]
        # Before the lock: a server that is away keeps every caller waiting at once, not in a row.
        pages = self._shelf.pages(digest)
        if pages is None:
            return None
        with self._proving:
            if digest not in self._books:
                self._keep(digest, self._proven(digest, pages))
            return self._books[digest]

    def _proven(self, digest: str, pages: Pages) -> Book | None:
        try:
            if pages.digest == digest:
                return self._prove(pages)
            why = f"its pages are those of {pages.digest}"
        except Exception as error:  # whatever a newer Chaski wrote, members are served
            why = str(error)
        self._log.error("book_unreadable", digest=digest, why=why)
        return None

    def _keep(self, digest: str, book: Book | None) -> None:
        """Remember a book; of too many, the one that was read first is forgotten."""
        books = {**self._books, digest: book}
        self._books = dict([*books.items()][-BOOKS_KEPT:])
