"""What the bank asks of whoever knows SIM cards."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from gateway.values.msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class Changed:
    """It was changed within the time asked for. `at` is None where the operator does not say
    when."""

    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class NotChanged:
    """It was not."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say. `reason` is for the log: no number, no text of a provider is in it."""

    reason: str


Answer = Changed | NotChanged | Unknown


class SimSwap(Protocol):
    """Someone who knows SIM cards."""

    def changed_since(self, msisdn: Msisdn, hours: int) -> Answer:
        """Whether this number's SIM was changed in the last so many hours. Never raises, and takes
        no longer than its budget."""
