"""Is this message the same one again? A deliver_sm has no name that a copy would share.

A network brings a message again because it has not had our answer: so a message that reads like an
earlier one is its copy where that answer was late, was "not now", or may have been lost with its
connection. Otherwise somebody has written the same twice, and both are answered.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.bounds import SMPP_COPIES_MAX, SMPP_COPY_S

_LATE_S = 5  # networks wait for an answer 10 s and more
_UNREAD_S = 10  # what was answered so shortly before the connection broke may not have arrived


class Carrier(Protocol):
    """The connection that a message came over."""

    @property
    def ended_at(self) -> float | None:
        """When it ended, on the clock of `Copies`; None: it has not."""


@dataclass(slots=True)
class _Seen:
    name: str
    came_at: float
    carrier: Carrier
    answered_at: float | None = None
    well: bool = False

    def may_come_again(self, now: float) -> bool:
        if self.answered_at is None or not self.well:
            return True
        if self.answered_at - self.came_at > _LATE_S:
            return True
        ended_at = self.carrier.ended_at
        return ended_at is not None and ended_at - self.answered_at <= _UNREAD_S


class Copies:
    """The names of messages.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()

    def name(self, fingerprint: bytes, carrier: Carrier) -> str:
        """The message's name: of a copy the same, of a new message one that none has had.

        Args:
            fingerprint: a digest of all that a copy has in common with it.
        """
        self._forget(room=fingerprint not in self._seen)
        now = self._now()
        earlier = self._seen.get(fingerprint)
        if earlier is not None and earlier.may_come_again(now):
            earlier.carrier = carrier
            earlier.came_at = now
            self._seen.move_to_end(fingerprint)
            return earlier.name
        seen = _Seen(secrets.token_hex(12), now, carrier)
        self._seen[fingerprint] = seen
        self._seen.move_to_end(fingerprint)
        return seen.name

    def answered(self, fingerprint: bytes, *, well: bool) -> None:
        """It was answered: `well`, or to be brought again."""
        seen = self._seen.get(fingerprint)
        if seen is not None:
            seen.answered_at, seen.well = self._now(), well

    def _forget(self, *, room: bool) -> None:
        oldest = self._now() - SMPP_COPY_S
        while self._seen:
            fingerprint, seen = next(iter(self._seen.items()))
            if seen.came_at > oldest and len(self._seen) + room <= SMPP_COPIES_MAX:
                return
            del self._seen[fingerprint]
