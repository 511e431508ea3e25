"""The port to a network that carries SMS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.values.msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class Sms:
    """One message to one phone. Its text is a member's private business: it does not print.

    Args:
        reference: our own name of the message, the same at each attempt; networks that take one can
            tell an attempt from a new message, and name it in their reports.
        valid_s: for how long it is of use; a network that can drops it afterwards.
        offers: it offers to go on with what was left; a screen may do that in its place.
    """

    to: Msisdn
    text: str = field(repr=False)
    reference: str = ""
    valid_s: int = 0  # 0: as long as the network likes
    offers: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message cost: millionths of a currency (ISO 4217)."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it.

    Args:
        provider_id: the name that its delivery report will use; empty where it gives none.
        sender: the `Sender.name` of who took it.
        segments: how many SMS it was counted as; 0 where nobody has counted.
        cost: where the provider says it at once.
    """

    provider_id: str
    sender: str = ""
    segments: int = 0
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """The provider may take it another time: overloaded, broken, away.

    `wait_s` is how long it asks to be left alone with this message: whoever says so has certainly
    not taken it, and no attempt is lost. 0 where it does not say: then it may have been taken all
    the same.
    """

    reason: str
    wait_s: float = 0


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nobody has tried, and in `wait_s` seconds somebody shall: it is night, or as many messages as
    the provider carries are under way. No attempt is lost."""

    reason: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Never:
    """No further try can help: a number that does not exist, a member without a phone."""

    reason: str


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The person told this provider to send them nothing more: no try by it can help.

    `sender` is the `Sender.name` of that one.
    """

    reason: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """Our account, key or sender name is wrong there: nothing passes by this way until a person of
    ours mends it. Another provider may carry it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Away:
    """There was no way to the provider, so certainly it has not taken it, and no attempt is lost.
    Another provider may carry it."""

    reason: str


Delivery = Sent | TryLater | NotNow | Never | OptedOut | Misconfigured | Away


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider carries: messages a second, and segments in one message."""

    per_second: float
    segments_max: int


class Sender(Protocol):
    """A network. Called by several threads at once."""

    @property
    def name(self) -> str:
        """Its short name, the same in its delivery reports: `twilio`."""

    @property
    def limits(self) -> Limits:
        """What it carries."""

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over, within `SEND_TIMEOUT_S` seconds.

        Whatever is raised counts as `TryLater`: it may have been taken all the same, and then the
        member gets it twice. An adapter that knows better answers it.
        """
