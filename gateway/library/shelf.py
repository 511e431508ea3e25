"""The shelf in PostgreSQL: every published book, and which one is in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gateway.db.pool import Database
from gateway.menus import Pages


@dataclass(frozen=True, slots=True)
class Publication:
    """A book was put in force. `at` is aware; `by` is whoever did it, as they signed."""

    digest: str
    at: dt.datetime
    by: str


class Shelf:
    """One cooperative's published books. Nothing on it ever changes.

    Args:
        database: signed in as the application, which may read; as the owner to publish too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> str | None:
        """The digest of the book in force; None where nothing was published yet.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        publications = self.publications(1)
        return publications[0].digest if publications else None

    def publications(self, limit: int) -> tuple[Publication, ...]:
        """The newest `limit` publications, the one in force first.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call("select * from library.publications(%s)", (limit,))
        return tuple(
            Publication(row["digest"], row["published_at"], row["published_by"]) for row in rows
        )

    def pages(self, digest: str) -> Pages | None:
        """A book's pages; None where it was never published here.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call("select * from library.pages(%s)", (digest,))
        return Pages({row["name"]: row["text"] for row in rows}) if rows else None

    def publish(self, pages: Pages, by: str) -> bool:
        """Put a book in force, in one transaction. False: it was already, and nothing was written.

        Whoever calls it has proven the pages.

        Raises:
            DatabaseUnavailableError: it is not known now; publish again to be sure.
            psycopg.errors.InsufficientPrivilege: signed in as the application.
        """
        names, texts = list(pages.texts.keys()), list(pages.texts.values())
        row = self._database.row(
            "select library.publish(%s, %s, %s, %s) as published",
            (pages.digest, names, texts, by),
        )
        return bool(row["published"])
