"""What the `chaski pins` command offers: which pepper seals the PINs, and how to change it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.bank.hashing import OWASP_2026, PepperedArgon2, UnknownPepperError
from gateway.bank.rotation import pins_by_pepper, rotate
from gateway.cli.desk import OWNER_DATA, OWNER_URL, opened, owner_url, plainly, print_lines
from gateway.settings import DEMO_PEPPER

PEPPERS = click.option(
    "--peppers",
    envvar="CHASKI_PIN_PEPPERS",
    help='As the gateway has them, {"1": "…"}; better in CHASKI_PIN_PEPPERS. A demo has its own.',
)


def peppers_of(text: str | None, data: Path | None) -> Mapping[int, bytes]:
    """The peppers by version, as keys."""
    if text is None and data is not None:
        text = json.dumps({"1": DEMO_PEPPER})
    if text is None:
        raise click.UsageError("say the peppers: CHASKI_PIN_PEPPERS, as the gateway has them")
    try:
        found = {int(version): bytes.fromhex(key) for version, key in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        # Without the cause: its message would repeat what was given.
        raise click.UsageError('CHASKI_PIN_PEPPERS is {"1": "32 bytes in hex"}') from None
    if not found or any(len(key) < 32 for key in found.values()):
        raise click.UsageError("each pepper is 32 bytes in hex: openssl rand -hex 32")
    return found


@click.group()
def pins() -> None:
    """The keys that PINs are kept under."""


@pins.command(name="peppers")
@OWNER_URL
@OWNER_DATA
@plainly
def pins_peppers(*, url: str | None, data: Path | None) -> None:
    """How many PINs each pepper seals. One that seals none may be dropped."""
    with opened(owner_url(url, data)) as database:
        print_lines(pins_by_pepper(database), "no PINs yet")


@pins.command(name="rotate")
@PEPPERS
@OWNER_URL
@OWNER_DATA
@plainly
def pins_rotate(*, peppers: str | None, url: str | None, data: Path | None) -> None:
    """Seal every PIN by the highest pepper. No member has to act, and the gateway goes on serving.

    First give every process both peppers; then run this; then drop the old one. If it is
    interrupted, run it again.
    """
    hasher = PepperedArgon2(peppers_of(peppers, data), OWASP_2026)
    done = 0
    with opened(owner_url(url, data)) as database:
        try:
            for sealed in rotate(database, hasher):
                done += sealed
                click.echo(f"{done} sealed by pepper {hasher.current}")
        except UnknownPepperError as error:
            raise click.ClickException(str(error)) from error
        left = pins_by_pepper(database)
        codes = database.row(
            "select bank.codes_by_older_pepper(%s, %s) as open",
            (hasher.current, dt.datetime.now(dt.UTC)),
        )["open"]
    print_lines(left, "no PINs yet")
    if any(row["pepper_version"] != hasher.current for row in left):
        raise click.ClickException(
            "some rows were not opened by their pepper: they were sealed elsewhere, or changed. "
            "Their members need a reset"
        )
    if codes:
        click.echo(f"{codes} activation codes are still open under an older pepper: keep it until")
        click.echo("they are used or over, or issue them anew")
