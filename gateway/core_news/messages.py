"""The core's own campaigns, on their way through our outbox."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any

from gateway.bounds import (
    CORE_MESSAGE_OF_USE_S,
    CORE_MESSAGE_REPORT_S,
    CORE_MESSAGE_SEGMENTS_MAX,
)
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.notices.segments import segments
from gateway.values.consent import Purpose
from gateway.values.core_news import CoreMessage, Fate, MessageFate
from gateway.values.gsm import plain
from gateway.values.msisdn import NotAMobileError, mobile


class CoreMessages:
    """Takes messages once each, and says what became of them. They go out as ours do: by the same
    senders at the same pace, not at night, and not to who said stop.

    Args:
        database: signed in as the application.
        region: of numbers without a country code.
        now: the clock, aware.
    """

    def __init__(self, database: Database, region: str, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._region = region
        self._now = now

    def take(self, messages: Sequence[CoreMessage]) -> bool:
        """Keep them, all or none. False where PostgreSQL is away: they shall come again."""
        now = self._now()
        rows = [self._row(message) for message in messages]
        until = now + dt.timedelta(seconds=CORE_MESSAGE_OF_USE_S)
        try:
            self._database.call(
                "select core_news.take(%s::jsonb, %s, %s)", (json.dumps(rows), until, now)
            )
        except DatabaseUnavailableError:
            return False
        return True

    def fates(self, ids: Sequence[int]) -> Sequence[MessageFate] | None:
        """What became of them; of one that never came nothing. None where PostgreSQL is away."""
        silent_before = self._now() - dt.timedelta(seconds=CORE_MESSAGE_REPORT_S)
        try:
            rows = self._database.call(
                "select * from core_news.fates(%s, %s)", (list(ids), silent_before)
            )
        except DatabaseUnavailableError:
            return None
        return [
            MessageFate(row["id"], str(row["notice_id"] or ""), Fate(row["fate"]), row["at"])
            for row in rows
        ]

    def _row(self, message: CoreMessage) -> dict[str, Any]:
        text = plain(message.text.strip())
        if not text:
            return {"id": message.id, "refused": "empty"}
        if segments(text) > CORE_MESSAGE_SEGMENTS_MAX:
            return {"id": message.id, "refused": "too_long"}
        try:
            number = mobile(message.number.strip(), self._region)
        except NotAMobileError:
            return {"id": message.id, "refused": "no_number"}
        purpose = Purpose.ADVERTISING if message.advertises else Purpose.REMINDERS
        return {
            "id": message.id,
            "msisdn": number.e164,
            "text": text,
            "purpose": purpose.value,
        }
