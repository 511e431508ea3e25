"""`chaski menus publish` and `published`, as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.library.shelf import Shelf
from gateway.menus import Pages
from tests.cooperative import Cooperative

Greet = Callable[[str], Pages]
Chaski = Callable[..., Result]


@pytest.fixture
def chaski(database_urls: tuple[str, str]) -> Chaski:
    """Run `chaski menus …` as the owner of a database."""

    def run(*words: str, owner_url: str = database_urls[0]) -> Result:
        environment = {"CHASKI_OWNER_URL": owner_url}
        return CliRunner().invoke(main, ("menus", *words), env=environment)

    return run


def written(folder: Path, pages: Pages) -> str:
    """The pages as a folder of files."""
    for name, text in pages.texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder)


def test_a_faulty_book_is_refused_and_nothing_changes(
    chaski: Chaski, shelf: Shelf, newer: Pages, tmp_path: Path
) -> None:
    """With each fault as FILE:LINE, and exit 1."""
    chaski("publish", "--by", "Carmen")
    before = shelf.publications(10)

    refused = chaski("publish", written(tmp_path, newer))

    assert refused.exit_code == 1
    assert "home.yaml:" in refused.output
    assert "`voice:` means nothing here" in refused.output
    assert shelf.publications(10) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("publish", "/nowhere"), "does not exist"),
        (("publish", "--data", "/nowhere"), "start it with scripts/run"),
        (("publish", "--url", "postgresql://x@127.0.0.1:9/x"), "PostgreSQL does not answer"),
        (("published", "--data", "/nowhere"), "start it with scripts/run"),
        (("published", "--last", "0"), "x>=1"),
    ],
)
def test_what_a_person_can_mend_is_said_without_a_traceback(
    chaski: Chaski, words: tuple[str, ...], said: str
) -> None:
    """What is wrong, and what to do next."""
    failed = chaski(*words)

    assert failed.exit_code not in {0, None}
    assert said in failed.output
    assert isinstance(failed.exception, SystemExit)


def test_where_to_publish_must_be_said() -> None:
    """No database is guessed."""
    failed = CliRunner().invoke(main, ("menus", "publish"), env={})

    assert failed.exit_code == 2
    assert "CHASKI_OWNER_URL" in failed.output


def test_the_application_cannot_publish(chaski: Chaski, database_urls: tuple[str, str]) -> None:
    """The likeliest mistake is its URL in place of the owner's."""
    failed = chaski("publish", owner_url=database_urls[1])

    assert failed.exit_code == 1
    assert "permission denied" in failed.output
    assert "the owner's" in failed.output


def test_publishing_says_the_digest_and_what_changed(
    chaski: Chaski, shelf: Shelf, greeting: Greet, tmp_path: Path
) -> None:
    """So whoever does it sees that it was the right folder; a second time there is nothing to
    do."""
    pages = greeting("Alo")
    folder = written(tmp_path, pages)
    chaski("publish", "--by", "Carmen")

    published = chaski("publish", folder, "--by", "Jorge")
    again = chaski("publish", folder, "--by", "Jorge")

    assert published.exit_code == again.exit_code == 0
    assert f"{pages.digest} is published" in published.output
    assert "changed home.yaml" in published.output
    assert "send.yaml" not in published.output
    assert "nothing to publish" in again.output
    assert [one.by for one in shelf.publications(10)] == ["Jorge", "Carmen"]


def test_what_was_published_is_listed_newest_first(
    chaski: Chaski, cooperative: Cooperative
) -> None:
    """For people a line each, for machines JSON."""
    environment = {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": cooperative.settings.database_url.get_secret_value(),
        "CHASKI_SESSIONS_URL": cooperative.settings.sessions_url.get_secret_value(),
        "CHASKI_QUEUE_URL": cooperative.settings.queue_url.get_secret_value(),
        "CHASKI_WEBHOOK_SECRETS": "demo",
        "CHASKI_SESSION_SECRET": "any",
        "CHASKI_PIN_PEPPERS": json.dumps({"1": "00" * 32}),
    }

    def published(*words: str) -> str:
        return CliRunner().invoke(main, ("menus", "published", *words), env=environment).output

    assert "nothing was published yet" in published()
    chaski("publish", "--by", "Carmen")

    (row,) = json.loads(published("--json"))
    assert row.keys() == {"digest", "at", "by"}
    assert row["by"] == "Carmen"
    assert published().startswith(f"digest={row['digest']}  at=")
