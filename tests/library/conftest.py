"""A shelf of its own for each test, and small books to put on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from gateway.db.pool import Database
from gateway.library.shelf import Shelf
from gateway.menus import Pages, read_folder
from tests.test_stores_away import Line

MENUS = Path(__file__).parents[2] / "menus"


def opened(url: str) -> Database:
    """Signed in as whoever the URL says."""
    database = Database(url, 8)
    database.open()
    return database


@pytest.fixture
def database(database_urls: tuple[str, str]) -> Iterator[Database]:
    """Signed in as the application."""
    with opened(database_urls[1]) as database:
        yield database


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """As the gateway sees it."""
    return Shelf(database)


@pytest.fixture
def office(database_urls: tuple[str, str]) -> Iterator[Shelf]:
    """As whoever publishes sees it: signed in as the owner."""
    with opened(database_urls[0]) as database:
        yield Shelf(database)


@pytest.fixture
def line(database_urls: tuple[str, str]) -> Iterator[Line]:
    """A wire to PostgreSQL that can be cut."""
    folder = parse_qs(urlsplit(database_urls[1]).query)["host"][0]
    line = Line(f"{unquote(folder)}/.s.PGSQL.5432")
    yield line
    line.close()


@pytest.fixture
def wired_url(line: Line, database_urls: tuple[str, str]) -> str:
    """The application's URL over that wire."""
    return f"postgresql://chaski_app@127.0.0.1:{line.port}{urlsplit(database_urls[1]).path}"


@pytest.fixture
def greeting() -> Callable[[str], Pages]:
    """The shipped menus, which greet members in these words, in every language's catalogue too."""
    shipped = read_folder(MENUS)

    def greet(word: str) -> Pages:
        return Pages(
            {name: text.replace("Hola {", f"{word} {{") for name, text in shipped.texts.items()}
        )

    return greet


@pytest.fixture
def newer(greeting: Callable[[str], Pages]) -> Pages:
    """A book in a grammar that this version does not know."""
    pages = greeting("Alo")
    return Pages({**pages.texts, "home.yaml": pages.texts["home.yaml"] + "voice: yes\n"})
