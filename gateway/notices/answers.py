"""Texts that members sent, each answered once; what they said is kept nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

from gateway.bounds import ANSWER_OF_USE_S, SWEEP_ROWS, TEXT_REPEATED_S, TEXTS_PER_HOUR
from gateway.db.pool import Database
from gateway.values.turn import Origin

Hearing = Literal["fresh", "repeat", "too_many"]


class Answers:
    """The functions of `notices` for texts. Each call raises `DatabaseUnavailableError` when
    PostgreSQL is away.

    Args:
        now: the clock, aware.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def heard(self, origin: Origin) -> Hearing:
        """Whether this text was answered before, or its phone has had its answers for the hour."""
        hearing: Hearing = self._database.row(
            "select notices.heard(%s, %s, %s, %s, %s, %s) as heard",
            (*_names(origin), self._now(), TEXTS_PER_HOUR),
        )["heard"]
        return hearing

    def answer(self, origin: Origin, member_ref: str, text: str) -> bool:
        """Have a text answered, to the phone that it came from; False where a copy of it was
        answered meanwhile. `member_ref` is empty for who is no member."""
        now = self._now()
        until = now + dt.timedelta(seconds=ANSWER_OF_USE_S)
        return bool(
            self._database.row(
                "select notices.answer(%s, %s, %s, %s, %s, %s, %s, %s) as first",
                (*_names(origin), member_ref, text, now, until),
            )["first"]
        )

    def forget(self) -> int:
        """Forget texts that no provider brings again; answers how many."""
        before = self._now() - dt.timedelta(seconds=TEXT_REPEATED_S)
        row = self._database.row(
            "select notices.forget_texts(%s, %s) as gone", (before, 20 * SWEEP_ROWS)
        )
        return int(row["gone"])


def _names(origin: Origin) -> tuple[str, str, str, str]:
    return origin.channel, origin.account, origin.session_id, origin.msisdn.e164
