"""The shelf on a real PostgreSQL: who may do what, and that nothing on it changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest

from gateway.library.shelf import Shelf
from gateway.menus import Pages

MORNING = Pages({"home.yaml": "menu: home\nsay: Buenos dias\n", "locale/en/menus.po": 'msgid ""\n'})
EVENING = Pages({"home.yaml": "menu: home\nsay: Buenas noches\n"})


@pytest.mark.parametrize(
    "statement",
    [
        "select * from library.book",
        "select * from library.page",
        "select * from library.publication",
        "insert into library.book values ('0000000000000000')",
        "select library.publish('0000000000000000', '{}', '{}', 'a web process')",
    ],
)
def test_the_application_may_only_read_through_functions(
    database_urls: tuple[str, str], statement: str
) -> None:
    """Whoever publishes decides what stands above the PIN: a web process that was taken over may
    not."""
    with (
        psycopg.connect(database_urls[1], autocommit=True) as application,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        application.execute(statement)


@pytest.mark.parametrize("table", ["book", "page", "publication"])
@pytest.mark.parametrize(
    "change",
    [
        "update library.{} set digest = digest",
        "delete from library.{}",
        "truncate library.{} cascade",
    ],
)
def test_what_was_published_stays(
    office: Shelf, database_urls: tuple[str, str], table: str, change: str
) -> None:
    """Not even the owner changes by mistake what members were shown."""
    office.publish(MORNING, "Carmen")
    with (
        psycopg.connect(database_urls[0], autocommit=True) as owner,
        pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
    ):
        owner.execute(change.format(table))


@pytest.mark.parametrize("digest", ["", "1234", "XXXXXXXXXXXXXXXX"])
def test_a_book_without_a_digest_is_refused(database_urls: tuple[str, str], digest: str) -> None:
    """It could never be found again."""
    with (
        psycopg.connect(database_urls[0], autocommit=True) as owner,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        owner.execute("select library.publish(%s, '{}', '{}', 'Carmen')", (digest,))


def test_an_empty_shelf_has_no_book(shelf: Shelf) -> None:
    """Then the folder's is served."""
    assert shelf.current() is None
    assert shelf.publications(10) == ()
    assert shelf.pages(MORNING.digest) is None


def test_a_published_book_is_in_force_and_read_as_it_was_written(
    shelf: Shelf, office: Shelf
) -> None:
    """Files and catalogues, letter for letter, by who may only read."""
    assert office.publish(MORNING, "Carmen")

    assert shelf.current() == MORNING.digest
    assert shelf.pages(MORNING.digest) == MORNING


def test_publishing_what_is_in_force_writes_nothing(office: Shelf) -> None:
    """So a start of the demo, or a nervous second try, leaves no trace."""
    office.publish(MORNING, "Carmen")

    assert not office.publish(MORNING, "Jorge")
    assert [publication.by for publication in office.publications(10)] == ["Carmen"]


def test_an_earlier_book_is_in_force_again_when_it_is_published_again(office: Shelf) -> None:
    """The way back is the same command, and it too is written down."""
    for pages, by in ((MORNING, "Carmen"), (EVENING, "Jorge"), (MORNING, "Carmen")):
        assert office.publish(pages, by)

    publications = office.publications(10)
    assert office.current() == MORNING.digest
    assert [(publication.digest, publication.by) for publication in publications] == [
        (MORNING.digest, "Carmen"),
        (EVENING.digest, "Jorge"),
        (MORNING.digest, "Carmen"),
    ]
    assert publications[0].at > publications[1].at > publications[2].at
    assert office.publications(1) == publications[:1]


def test_those_who_publish_at_once_do_it_one_after_the_other(office: Shelf) -> None:
    """The last row is the last to commit: no process may see a book come back by itself."""
    with ThreadPoolExecutor(6) as people:
        new = list(people.map(lambda pages: office.publish(pages, "x"), [MORNING, EVENING] * 12))

    publications = office.publications(100)
    assert sum(new) == len(publications)
    assert all(one.digest != other.digest for one, other in pairwise(publications))
