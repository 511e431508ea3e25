"""What the pages show: each is one call of a function that is granted to staff."""

from __future__ import annotations

from gateway.db.pool import Database


class Reading:
    """The tables, as staff may see them.

    Args:
        database: signed in as chaski_staff.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
