"""What a network says of a message that it took."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class DeliveryState(Enum):
    """How far a message got: name and rank. Reports arrive in any order, and a later rank is never
    taken back by an earlier one; of two final ones the first stays."""

    ACCEPTED = ("accepted", 1)
    SENT = ("sent", 2)
    DELIVERED = ("delivered", 3)
    FAILED = ("failed", 3)

    @property
    def rank(self) -> int:
        """Its place in a message's life."""
        return self.value[1]

    @property
    def label(self) -> str:
        """Its name, as it is kept."""
        return self.value[0]


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery report.

    Args:
        sender: the `Sender.name` of who carried it.
        provider_id: what that one calls the message.
        state: how far it got.
        reason: why it failed, in the provider's code: `30003`. Empty otherwise.
        opted_out: the person told the provider to send nothing more.
    """

    sender: str
    provider_id: str
    state: DeliveryState
    reason: str = ""
    opted_out: bool = False
