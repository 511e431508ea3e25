"""The published books in one process's memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import structlog
from structlog.testing import LogCapture

from gateway.bank.bank import CATALOGUE
from gateway.bounds import BOOKS_KEPT
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.dialog.book import Book
from gateway.dialog.reader import FaultyBookError
from gateway.library.library import PublishedBooks
from gateway.library.shelf import Shelf
from gateway.menus import Pages, prove
from tests.test_stores_away import Line

Greet = Callable[[str], Pages]


class Process:
    """One process that serves books: what it read, and what it logged."""

    def __init__(self, shelf: Shelf, folder: Pages) -> None:
        self.proven: list[str] = []
        self.logged = LogCapture()
        log = structlog.wrap_logger(None, processors=[self.logged])
        self.books = PublishedBooks(shelf, self._prove, lambda: self._prove(folder), log)

    def _prove(self, pages: Pages) -> Book:
        self.proven.append(pages.digest)
        return prove(pages, CATALOGUE)

    def said(self, event: str) -> list[str]:
        """The digests that an event was logged with."""
        return [entry["digest"] for entry in self.logged.entries if entry["event"] == event]


@pytest.fixture
def wired_shelf(wired_url: str) -> Iterator[Shelf]:
    """The shelf at the end of a wire."""
    database = Database(wired_url, 2)
    database.open()
    yield Shelf(database)
    database.close()


def test_a_faulty_folder_stops_the_boot_of_an_empty_shelf(shelf: Shelf, newer: Pages) -> None:
    """Nothing proven is there to serve."""
    with pytest.raises(FaultyBookError, match="`voice:` means nothing"):
        Process(shelf, newer)


def test_a_faulty_folder_hurts_nobody_once_something_was_published(
    shelf: Shelf, office: Shelf, newer: Pages, greeting: Greet
) -> None:
    """The shelf is the truth; the folder may be half edited."""
    office.publish(greeting("Hola"), "Carmen")

    assert Process(shelf, newer).books.current.digest == greeting("Hola").digest


def test_a_book_that_cannot_be_read_here_keeps_the_old_one_and_says_so_once(
    shelf: Shelf, office: Shelf, newer: Pages, greeting: Greet
) -> None:
    """A newer Chaski published it, and this process is one of the old."""
    process = Process(shelf, greeting("Hola"))
    office.publish(newer, "Carmen")

    assert [process.books.refresh() for _ in range(3)] == [0, 0, 0]
    assert process.books.current.digest == greeting("Hola").digest
    assert process.books.find(newer.digest) is None
    assert process.said("book_unreadable") == [newer.digest]
    assert process.proven.count(newer.digest) == 1


def test_a_process_that_starts_under_such_a_book_serves_the_one_before(
    shelf: Shelf, office: Shelf, newer: Pages, greeting: Greet
) -> None:
    """As its siblings do that were there before: members see one and the same."""
    for pages in (greeting("Hola"), greeting("Alo"), newer):
        office.publish(pages, "Carmen")

    assert Process(shelf, greeting("Hola")).books.current.digest == greeting("Alo").digest


def test_pages_that_are_not_those_of_their_digest_are_not_served(
    shelf: Shelf, database_urls: tuple[str, str], greeting: Greet
) -> None:
    """Somebody wrote them past the command: what was proven is something else."""
    texts = greeting("Hola").texts
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        owner.execute(
            "select library.publish(%s, %s, %s, 'nobody')",
            ("0123456789abcdef", list(texts.keys()), list(texts.values())),
        )
    process = Process(shelf, greeting("Alo"))

    assert process.books.current.digest == greeting("Alo").digest
    assert process.said("book_unreadable") == ["0123456789abcdef"]


def test_with_the_shelf_away_the_books_in_memory_go_on(
    wired_shelf: Shelf, line: Line, office: Shelf, greeting: Greet
) -> None:
    """Those who read them notice nothing; what was never read here is not known."""
    office.publish(greeting("Hola"), "Carmen")
    process = Process(wired_shelf, greeting("Hola"))
    office.publish(greeting("Alo"), "Carmen")
    line.cut()

    with pytest.raises(DatabaseUnavailableError):
        process.books.refresh()
    with pytest.raises(DatabaseUnavailableError):
        process.books.find(greeting("Alo").digest)
    assert process.books.current.digest == greeting("Hola").digest
    assert process.books.find(greeting("Hola").digest) is process.books.current


def test_a_process_that_starts_while_the_shelf_is_away_finds_it_later(
    wired_shelf: Shelf, line: Line, office: Shelf, greeting: Greet
) -> None:
    """Until then the folder's book has the words to apologise with."""
    office.publish(greeting("Alo"), "Carmen")
    line.cut()
    process = Process(wired_shelf, greeting("Hola"))
    assert process.books.current.digest == greeting("Hola").digest

    line.mend()
    found = 0
    while not found:
        try:
            found = process.books.refresh()
        except DatabaseUnavailableError:
            continue

    assert process.books.current.digest == greeting("Alo").digest


def test_a_hop_asks_the_shelf_nothing(
    wired_shelf: Shelf, line: Line, office: Shelf, greeting: Greet
) -> None:
    """Once a book was read here it is found without PostgreSQL: new sessions and old ones."""
    office.publish(greeting("Hola"), "Carmen")
    process = Process(wired_shelf, greeting("Hola"))
    office.publish(greeting("Alo"), "Carmen")
    assert process.books.refresh() == 1
    line.cut()

    assert process.books.current.digest == greeting("Alo").digest
    assert process.books.find(greeting("Alo").digest) is not None
    assert process.books.find(greeting("Hola").digest) is not None


def test_the_folders_book_is_kept_when_another_is_published(
    shelf: Shelf, office: Shelf, greeting: Greet
) -> None:
    """It stands on no shelf: those who are reading it have it from here."""
    process = Process(shelf, greeting("Hola"))
    office.publish(greeting("Alo"), "Carmen")

    assert process.books.refresh() == 1
    assert process.books.refresh() == 0
    assert process.books.find(greeting("Hola").digest) is not None
    assert process.said("book_in_force") == [greeting("Alo").digest]


def test_few_books_are_kept_and_a_forgotten_one_is_read_again(
    shelf: Shelf, office: Shelf, greeting: Greet
) -> None:
    """Memory stays bounded however often somebody publishes, and nobody is dropped for it."""
    process = Process(shelf, greeting("Hola"))
    for number in range(BOOKS_KEPT + 1):
        office.publish(greeting(f"Alo{number}"), "Carmen")
        process.books.refresh()
    first = greeting("Alo0").digest

    assert process.proven.count(first) == 1
    assert process.books.find(first) is not None
    assert process.proven.count(first) == 2


def test_those_who_meet_a_book_at_once_read_it_once(
    shelf: Shelf, office: Shelf, greeting: Greet
) -> None:
    """After a restart every session under way asks for the same old book."""
    for word in ("Hola", "Alo"):
        office.publish(greeting(word), "Carmen")
    process = Process(shelf, greeting("Alo"))
    old = greeting("Hola").digest

    with ThreadPoolExecutor(8) as hops:
        found = list(hops.map(process.books.find, [old] * 24))

    assert all(book is found[0] and book is not None for book in found)
    assert process.proven.count(old) == 1


def test_what_is_logged_is_plain_data(shelf: Shelf, office: Shelf, newer: Pages) -> None:
    """A line of the log is JSON: the faults are in it as text."""
    office.publish(newer, "Carmen")
    folder = Pages({**newer.texts, "home.yaml": newer.texts["home.yaml"].replace("voice: yes", "")})
    process = Process(shelf, folder)

    (entry,) = process.logged.entries
    assert "home.yaml" in json.loads(json.dumps(entry))["why"]
