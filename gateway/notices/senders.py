"""The port to a network that carries SMS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.values.msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class Sms:
    """One message to one phone. Its text is a member's private business: it does not print."""

    to: Msisdn
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it. `provider_id` is the name that its delivery report will use."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """The provider may take it another time: overloaded, out of credit, away."""

    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """No further try can help: a number that does not exist, a member without a phone."""

    reason: str


Delivery = Sent | TryLater | Never


class Sender(Protocol):
    """A network. Called by several threads at once."""

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over, within `SEND_TIMEOUT_S` seconds.

        Whatever is raised counts as `TryLater`: it may have been taken all the same, and then the
        member gets it twice. An adapter that knows better answers `Sent` or `Never`.
        """
