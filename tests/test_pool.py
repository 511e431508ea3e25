"""How the application's connections are set up."""

from __future__ import annotations

from gateway.db.pool import Database


def test_no_statement_is_compiled_which_would_take_longer_than_an_order(
    database_urls: tuple[str, str],
) -> None:
    _, app_url = database_urls
    with Database(app_url, 1) as database:
        database.open()
        assert database.row("show jit") == {"jit": "off"}
