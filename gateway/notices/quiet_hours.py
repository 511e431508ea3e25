"""At night nobody is woken by what can wait until the morning."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.notices.drain import Wording
from gateway.notices.outbox import Fact
from gateway.notices.senders import Never, NotNow, Sms

_FORM = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")


class QuietHoursError(ValueError):
    """The setting is not usable; the message says why."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From an hour of the evening to an hour of the morning, on the clocks of a place.

    Args:
        begin: 0 to 23: the first hour that is quiet.
        end: 0 to 23: the first that is not any more.
        zone: whose clocks.
    """

    begin: int
    end: int
    zone: ZoneInfo

    def left_s(self, now: dt.datetime) -> float:
        """How long it stays quiet: seconds, 0 when it is not."""
        local = now.astimezone(self.zone)
        if not self._quiet(local.hour):
            return 0
        ends = local.replace(hour=self.end, minute=0, second=0, microsecond=0)
        if ends <= local:
            ends += dt.timedelta(days=1)
        # In UTC, since the clocks may be changed in the night.
        return (ends.astimezone(dt.UTC) - now).total_seconds()

    def _quiet(self, hour: int) -> bool:
        if self.begin < self.end:
            return self.begin <= hour < self.end
        return hour >= self.begin or hour < self.end


def read_quiet_hours(text: str, zone: ZoneInfo) -> QuietHours | None:
    """`21-8`: from nine in the evening to eight in the morning. None for an empty text: no night.

    Raises:
        QuietHoursError: it is no such thing.
    """
    if not text.strip():
        return None
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise QuietHoursError(f"quiet hours are two hours like 21-8, or nothing: not {text}")
    begin, end = int(found[1]), int(found[2])
    if max(begin, end) > 23 or begin == end:
        raise QuietHoursError(f"quiet hours go from 0-23 to another of 0-23: not {text}")
    return QuietHours(begin, end, zone)


@dataclass(frozen=True, slots=True)
class DaytimeWording:
    """A `Wording` that has nothing to say at night about what can wait.

    Args:
        wording: finds the words.
        quiet: when it is night.
        can_wait: the names of the facts that are not urgent; whatever is not named is sent at once.
        now: the clock, aware.
    """

    wording: Wording
    quiet: QuietHours
    can_wait: Collection[str]
    now: Callable[[], dt.datetime]

    def compose(self, fact: Fact) -> Sms | NotNow | Never | None:
        """As `Wording.compose`; what can wait comes back when the quiet hours end."""
        left_s = self.quiet.left_s(self.now()) if fact.name in self.can_wait else 0
        return NotNow("quiet hours", left_s) if left_s else self.wording.compose(fact)
