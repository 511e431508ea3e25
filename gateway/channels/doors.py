"""Whose webhook is this? The secret in its path says which cooperative it is for; and before each
cooperative stands the crowd of the process."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Protocol

from gateway.channels.crowd import Crowd
from gateway.values.delivery import Report
from gateway.values.turn import Reply, Text, Turn


class Counter(Protocol):
    """A cooperative's gateway, as far as a channel needs to know it."""

    @property
    def cooperative(self) -> str:
        """Its short name: our account, where the provider's own is not in the request."""

    @property
    def short_code(self) -> str:
        """What a member dials: `*775#`."""

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that are valid now."""

    def take(self, turn: Turn) -> Reply:
        """One hop. Never raises: a fault inside is an apology on the screen."""

    def busy(self, channel: str) -> Reply:
        """A last screen for who cannot be served now. Never blocks, never raises."""

    def misunderstood(self, channel: str, field: str) -> Reply:
        """A request that is no hop: `field` is what is wrong with it."""

    def session_ended(
        self, channel: str, account: str, session_id: str, status: str, hops: int
    ) -> None:
        """The network says that a session is over. Never raises."""

    def receive(self, text: Text) -> bool:
        """An SMS arrived. Never raises. False: it could not be taken now, and the provider shall
        bring it again; a message that comes twice is answered once."""

    def reported(self, report: Report) -> bool:
        """A provider says what became of a message. Never raises. False: it could not be kept now,
        and the provider shall say it again."""


class Doors:
    """The gateways of this process, each behind its secrets.

    Args:
        gateways: one a cooperative.
        crowd: of those who come to any of them.
    """

    def __init__(self, gateways: Sequence[Counter], crowd: Crowd | None = None) -> None:
        self._gateways = tuple(gateways)
        self._crowd = crowd or Crowd()

    def behind(self, secret: str) -> Counter | None:
        """The gateway that this secret opens. Takes as long for a wrong secret as for a right
        one."""
        found = None
        for gateway in self._gateways:
            for valid in gateway.webhook_secrets:
                if hmac.compare_digest(valid.encode(), secret.encode(errors="replace")):
                    found = gateway
        return found

    def full(self, *, dials: bool) -> bool:
        """Whether a hop would be answered now that too many wait: see `Crowd.full`."""
        return self._crowd.full(dials=dials)

    def take(self, gateway: Counter, turn: Turn) -> Reply:
        """One hop, once there is a hand free for it; a last screen at once where too many wait."""
        reply = self._crowd.pass_on(turn, gateway.take)
        return gateway.busy(turn.origin.channel) if reply is None else reply
