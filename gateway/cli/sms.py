"""What the `chaski sms` command offers to staff: messages that could not be sent, another chance
for them, what became of one, and what sending costs. It never shows a text or a phone number.

Signs in as the application: what staff need is granted to it, and the owner's password has no
business at a desk.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.bounds import COST_MONTHS_SHOWN, DEAD_LETTERS_SHOWN
from gateway.cli.desk import (
    DATA,
    JSON,
    application_database,
    iso,
    plainly,
    print_json,
    print_table,
    user,
)
from gateway.notices.dead_letters import Cost, DeadLetter, DeadLetters, Story
from gateway.settings import Settings, load

_MICROS = 1_000_000

_REASON = click.option(
    "--reason", default="", help="Only those whose reason has this in it, whatever the case."
)


@click.group()
def sms() -> None:
    """Messages that could not be sent, and what sending costs."""


@sms.command(name="dead")
@_REASON
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=DEAD_LETTERS_SHOWN,
    show_default=True,
    help="How many at most, the oldest first.",
)
@DATA
@JSON
@plainly
def dead_command(reason: str, limit: int, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """The messages that were given up: number, when, fact, member, tries, reason."""
    with application_database(data) as database:
        # One more than is shown says whether there are more.
        letters = list(islice(DeadLetters(database).all(reason), limit + 1))
    if as_json:
        print_json(map(_letter, letters[:limit]))
        return
    print_table(map(_letter, letters[:limit]), "no message was given up")
    if len(letters) > limit:
        click.echo(f"there are more: --limit {2 * limit}")


@sms.command(name="requeue")
@click.argument("ids", type=int, nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All that were given up.")
@_REASON
@click.option("--yes", is_flag=True, help="Do not ask whether you mean it.")
@DATA
@JSON
@plainly
def requeue_command(
    ids: tuple[int, ...],
    every: bool,  # noqa: FBT001
    reason: str,
    yes: bool,  # noqa: FBT001
    data: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Send these again, as if they were new: by their numbers, or --all.

    When and by whom is kept: see `chaski sms show`.
    """
    if bool(ids) == every or (reason and not every):
        raise click.UsageError("say which: their numbers, or --all, which may have a --reason")
    with application_database(data) as database:
        letters = DeadLetters(database)
        if every:
            ids = tuple(letter.id for letter in letters.all(reason))
            if ids and not yes:
                click.confirm(f"Send {len(ids)} messages again?", abort=True, err=True)
        requeued = letters.requeue(ids, user())
    if as_json:
        click.echo(json.dumps(requeued))
    else:
        click.echo(f"{len(requeued)} will be sent again, by the worker, within seconds")
    if others := sorted(set(ids) - set(requeued)):
        click.echo(f"not given up, so left as they are: {_joined(others)}", err=True)
        sys.exit(1)


@sms.command(name="show")
@click.argument("notice_id", type=int, metavar="ID")
@DATA
@JSON
@plainly
def show_command(notice_id: int, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """What became of one message: who carried it, what they reported, who requeued it."""
    with application_database(data) as database:
        story = DeadLetters(database).story(notice_id)
    if story is None:
        raise click.ClickException(f"there is no message {notice_id}")
    told = _story(story)
    if as_json:
        click.echo(json.dumps(told))
        return
    parts = {"submissions": "taken by a provider", "requeues": "requeued"}
    for name, value in told.items():
        if name not in parts and value is not None:
            click.echo(f"{name:<11}{value}")
    for name, heading in parts.items():
        for row in told[name]:
            said = "  ".join(f"{key}={value}" for key, value in row.items() if value is not None)
            click.echo(f"{heading}: {said}")


@sms.command(name="costs")
@click.option(
    "--months",
    type=click.IntRange(min=1, max=120),
    default=COST_MONTHS_SHOWN,
    show_default=True,
    help="How many, this one included.",
)
@DATA
@JSON
@plainly
def costs_command(months: int, data: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Messages, segments and price by month, sender and fact."""
    zone = _timezone(data)
    with application_database(data, patient=True) as database:
        costs = DeadLetters(database).costs(zone, _months_ago(months - 1, zone))
    if as_json:
        print_json(map(asdict, costs))
    else:
        print_table(map(_cost, costs), "nothing was sent")


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "at": iso(letter.at),
        "dead_at": iso(letter.dead_at),
        "fact": letter.fact,
        "member_ref": letter.member_ref,
        "tries": letter.tries,
        "reason": letter.reason,
    }


def _story(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        "fact": story.fact,
        "member_ref": story.member_ref,
        "state": story.state,
        "tries": story.tries,
        "reason": story.reason,
        "at": iso(story.created_at),
        "due_at": iso(story.due_at) if story.state in {"waiting", "sending"} else None,
        "settled_at": iso(story.settled_at) if story.settled_at else None,
        "submissions": story.submissions,
        "requeues": story.requeues,
    }


def _cost(cost: Cost) -> dict[str, Any]:
    whole, micros = divmod(cost.cost_micros, _MICROS)
    return {
        "month": cost.month,
        "sender": cost.sender,
        "fact": cost.fact,
        "messages": cost.messages,
        "segments": cost.segments,
        "cost": f"{whole}.{micros:06} {cost.currency}" if cost.currency else "",
        "unpriced": cost.unpriced,
    }


def _joined(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _months_ago(months: int, zone: str) -> dt.datetime:
    """The first moment of the month that many months ago."""
    today = dt.datetime.now(ZoneInfo(zone))
    years, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return dt.datetime(years, month + 1, 1, tzinfo=ZoneInfo(zone))


def _timezone(data: Path | None) -> str:
    return load().timezone if data is None else str(Settings.model_fields["timezone"].default)
