"""Hints are kept, looked at, and told once they are true."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from gateway.bounds import (
    CORE_NEWS_FIRST_WAIT_S,
    CORE_NEWS_LEASE_S,
    CORE_NEWS_LOOKS_MAX,
    CORE_NEWS_OLD_DAYS,
    CORE_NEWS_PATIENCE_S,
    CORE_NEWS_ROWS,
    CORE_NEWS_WAIT_MAX_S,
    CORE_NEWS_WAITING_MAX,
)
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.ledger.news import Happened, Newsroom
from gateway.ledger.port import LedgerUnavailableError
from gateway.values.core_news import Hint, Subject
from gateway.values.gsm import plain

log = structlog.stdlib.get_logger(__name__)

FIGURES = {
    "chaski_core_news_waiting": "Hints of the core that were not looked at to the end.",
    "chaski_core_news_dead": "Hints given up: the core was away for too long.",
}


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    attempt: int
    looks: int
    hint: Hint
    heard_at: dt.datetime


class Hints:
    """Keeps what a web hook said. For the process that has the door.

    Args:
        database: signed in as the application.
        now: the clock, aware.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def hear(self, hint: Hint) -> bool:
        """Keep a hint, once. False where PostgreSQL is away, or too many wait already."""
        said = (hint.subject.value, hint.account_id, hint.line_id)
        try:
            row = self._database.row(
                "select core_news.hear(%s, %s, %s, %s, %s) as heard",
                (*said, self._now(), CORE_NEWS_WAITING_MAX),
            )
        except DatabaseUnavailableError:
            return False
        if row["heard"] == "crowded":
            log.warning("core_news_crowded", waiting=CORE_NEWS_WAITING_MAX)
        return bool(row["heard"] != "crowded")

    def figures(self) -> Mapping[str, float]:
        """For `/metrics`."""
        try:
            row = self._database.row("select * from core_news.state()")
        except DatabaseUnavailableError:
            return {}
        return dict(zip(FIGURES, (row["waiting"], row["dead"]), strict=True))


class News:
    """Looks at what was hinted at, and has members told of what is true. For the worker.

    A hint alone tells nobody anything. What is not there yet is looked for a few times more, since
    a hook may come before its own transaction; while the core is away it waits.

    Args:
        database: signed in as the application.
        core: where the truth is.
        now: the clock, aware.
        today: the business date.
    """

    def __init__(
        self,
        database: Database,
        core: Newsroom,
        now: Callable[[], dt.datetime],
        today: Callable[[], dt.date],
    ) -> None:
        self._database = database
        self._core = core
        self._now = now
        self._today = today
        self._stopping = threading.Event()

    def run(self) -> int:
        """Look at some that are due; answers how many.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away: the rest is due again when its lease ends.
        """
        rows = self._database.call(
            "select * from core_news.claim(%s, %s, %s)",
            (CORE_NEWS_ROWS, CORE_NEWS_LEASE_S, self._now()),
        )
        away = False
        for row in rows:
            if self._stopping.is_set():
                break
            hint = Hint(Subject(row["subject"]), row["account_id"], row["line_id"])
            one = _Claimed(row["id"], row["attempt"], row["looks"], hint, row["heard_at"])
            away = away or not self._looked(one)
            if away:  # each of the others would wait for its time-out too
                self._wait_for_the_core(one)
        return len(rows)

    def stop(self) -> None:
        """End a run under way early: what it has not looked at is due when its lease ends."""
        self._stopping.set()

    def _looked(self, one: _Claimed) -> bool:
        try:
            happened = self._core.look(one.hint)
        except LedgerUnavailableError:
            return False
        self._settle(one, happened)
        return True

    def _settle(self, one: _Claimed, happened: Happened | None) -> None:
        if happened is None:
            self._not_there(one)
        elif happened.key is not None:
            self._wake(happened)
            self._end(one, "ours")
        elif (self._today() - happened.on).days > CORE_NEWS_OLD_DAYS:
            self._end(one, "old")
        else:
            self._tell(one, happened)

    def _tell(self, one: _Claimed, happened: Happened) -> None:
        what = (happened.what.value, happened.member_ref, happened.amount.centimos)
        named = (plain(happened.account), happened.on, happened.reference)
        self._database.call(
            "select core_news.tell(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (one.id, one.attempt, *what, *named, self._now()),
        )

    def _wake(self, happened: Happened) -> None:
        """An order of ours that has no end yet is asked about soon: reading it back proves that it
        was posted, but who settles orders is the instructions' room alone."""
        self._database.call("select core_news.wake(%s, %s)", (happened.key, self._now()))

    def _not_there(self, one: _Claimed) -> None:
        if one.looks + 1 >= CORE_NEWS_LOOKS_MAX:
            self._end(one, "absent")
        else:
            self._wait(one, CORE_NEWS_FIRST_WAIT_S * 4**one.looks, looked=True)

    def _wait_for_the_core(self, one: _Claimed) -> None:
        waited_s = (self._now() - one.heard_at).total_seconds()
        if waited_s > CORE_NEWS_PATIENCE_S:
            self._end(one, "dead")
        else:
            # As long again as it has waited already, so that the waits double.
            wait_s = min(max(waited_s, CORE_NEWS_FIRST_WAIT_S), CORE_NEWS_WAIT_MAX_S)
            self._wait(one, wait_s, looked=False)

    def _wait(self, one: _Claimed, wait_s: float, *, looked: bool) -> None:
        due_at = self._now() + dt.timedelta(seconds=wait_s)
        self._database.call(
            "select core_news.wait(%s, %s, %s, %s)", (one.id, one.attempt, looked, due_at)
        )

    def _end(self, one: _Claimed, state: str) -> None:
        self._database.call(
            "select core_news.settle(%s, %s, %s, %s)", (one.id, one.attempt, state, self._now())
        )
