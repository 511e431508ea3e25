"""For staff: what could not be sent, another chance for it, and what sending costs.

Nothing here holds a text or a phone number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.bounds import REQUEUE_ROWS
from gateway.db.pool import Database


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notice that was given up.

    Args:
        id: its number.
        at: when it became true.
        dead_at: when it was given up.
        fact: what happened: `transfer_sent`.
        member_ref: to whom.
        tries: how often it may have been taken by a provider, since it was last requeued.
        reason: why the last attempt failed.
    """

    id: int
    at: dt.datetime
    dead_at: dt.datetime
    fact: str
    member_ref: str
    tries: int
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of one notice.

    Args:
        state: waiting, sending, sent, quiet or dead.
        due_at: when a worker takes it next, while it is waiting or sending.
        submissions: each time a provider took it: sender, provider_id, taken_at, segments,
            cost_micros, currency, report (accepted, sent, delivered, failed), reported_at, reason.
        requeues: each time staff gave it another chance: requeued_at, requeued_by, tries, reason.
    """

    id: int
    fact: str
    member_ref: str
    state: str
    tries: int
    reason: str | None
    created_at: dt.datetime
    due_at: dt.datetime
    settled_at: dt.datetime | None
    submissions: Sequence[Mapping[str, Any]]
    requeues: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What the messages of one month, sender, fact and currency cost.

    Args:
        month: `2026-11`.
        sender: who carried them.
        fact: what they told.
        currency: ISO 4217; empty where the provider does not say the price.
        messages: how often a provider took one; one that was sent twice counts twice.
        segments: SMS that they were.
        cost_micros: millionths of the currency, of those whose price is known.
        unpriced: messages whose price is not.
    """

    month: str
    sender: str
    fact: str
    currency: str
    messages: int
    segments: int
    cost_micros: int
    unpriced: int


class DeadLetters:
    """The notices that need a person. Each call raises `DatabaseUnavailableError` when PostgreSQL
    is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, rows: int, reason: str = "", after: int = 0) -> list[DeadLetter]:
        """A page of them, the oldest first.

        Args:
            rows: how many at the most.
            reason: only those whose reason holds it, whatever the case.
            after: only those with a higher number: the last one of the page before.
        """
        found = self._database.call(
            "select * from notices.dead_letters(%s, %s, %s)", (after, rows, reason)
        )
        return [
            DeadLetter(
                row["id"],
                row["created_at"],
                row["dead_at"],
                row["fact"],
                row["member_ref"],
                row["tries"],
                row["reason"],
            )
            for row in found
        ]

    def all(self, reason: str = "") -> Iterator[DeadLetter]:
        """Every one of them, the oldest first."""
        after = 0
        while page := self.listed(REQUEUE_ROWS, reason, after):
            yield from page
            after = page[-1].id

    def requeue(self, ids: Sequence[int], by: str) -> list[int]:
        """Give them another chance, as if they were new; a trace stays of when and by whom.

        Answers those that were dead; the others are left as they are.
        """
        pages = (ids[at : at + REQUEUE_ROWS] for at in range(0, len(ids), REQUEUE_ROWS))
        return [
            row["id"]
            for page in pages
            for row in self._database.call("select notices.requeue(%s, %s) as id", (list(page), by))
        ]

    def story(self, notice_id: int) -> Story | None:
        """All that is known of one notice, dead or not."""
        found = self._database.call("select * from notices.story(%s)", (notice_id,))
        return Story(**found[0]) if found else None

    def costs(self, zone: str, since: dt.datetime) -> list[Cost]:
        """What was sent since then, by the months of this time zone."""
        found = self._database.call("select * from notices.costs(%s, %s)", (zone, since))
        return [Cost(**row) for row in found]
