"""What the `chaski menus` command offers to whoever answers for what members see: is it right, put
it before them, and what was put there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gateway.bank.bank import CATALOGUE
from gateway.bounds import PUBLICATIONS_SHOWN, RELOAD_EVERY_S
from gateway.cli.desk import (
    DATA,
    JSON,
    OWNER_DATA,
    OWNER_URL,
    application_database,
    asked_by,
    iso,
    opened,
    owner_url,
    plainly,
    print_json,
    print_lines,
)
from gateway.cli.menus import menus
from gateway.dialog.reader import FaultyBookError
from gateway.dialog.schema import schema
from gateway.library.publishing import Published, publish_folder
from gateway.library.shelf import Shelf
from gateway.menus import prove, read_folder
from gateway.settings import Settings


@menus.command(name="check")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=False,
)
def menus_check(folder: Path | None) -> None:
    """Prove the menus: every fault as FILE:LINE: what is wrong, and exit 1."""
    try:
        book = prove(read_folder(folder or Settings.model_fields["menus"].default), CATALOGUE)
    except FaultyBookError as error:
        click.echo(str(error))
        sys.exit(1)
    click.echo(
        f"{len(book.menus)} menus and {len(book.journeys)} journeys "
        f"in {', '.join(name for _, name in book.offered)}: no fault"
    )
    for language in set(book.languages) - {code for code, _ in book.offered}:
        click.echo(f"{language} is not offered to members: see chaski menus languages")


@menus.command(name="schema")
def menus_schema() -> None:
    """Print the JSON Schema of a menu file, so that an editor completes and underlines."""
    click.echo(json.dumps(schema(CATALOGUE), indent=2, ensure_ascii=False))


@menus.command(name="publish")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="CHASKI_MENUS",
    required=False,
)
@OWNER_URL
@OWNER_DATA
@asked_by("Who publishes.")
@plainly
def menus_publish(folder: Path | None, url: str | None, data: Path | None, by: str) -> None:
    """Check the menus and give them to every new session, at once and without a restart.

    Sessions under way end on the menus that they began with. To go back, publish the earlier ones.
    """
    found = owner_url(url, data)
    try:
        published = publish(found, folder or Settings.model_fields["menus"].default, by)
    except FaultyBookError as error:
        click.echo(str(error))
        click.echo("not published: members see what they saw before", err=True)
        sys.exit(1)
    if published.new:
        click.echo(f"{published.digest} is published: new sessions see it in {RELOAD_EVERY_S} s")
    else:
        click.echo(f"{published.digest} is what members see already: nothing to publish")
    for name, change in published.changes:
        click.echo(f"  {change} {name}")


@menus.command(name="published")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=PUBLICATIONS_SHOWN,
    show_default=True,
    help="How many at most.",
)
@DATA
@JSON
@plainly
def menus_published(last: int, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """What was published, when and by whom. The first line is what members see."""
    with application_database(data) as database:
        publications = Shelf(database).publications(last)
    rows = [{"digest": one.digest, "at": iso(one.at), "by": one.by} for one in publications]
    if as_json:
        print_json(rows)
    else:
        print_lines(rows, "nothing was published yet")


def publish(url: str, folder: Path, who: str) -> Published:
    """Check a folder's menus, and give them to every new session.

    Raises:
        FaultyBookError: they cannot be served.
    """
    with opened(url) as database:
        return publish_folder(Shelf(database), folder, CATALOGUE, who)
