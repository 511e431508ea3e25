"""The offer to go on after a lost signal: on the screen where the operator allows it, or by SMS."""

from __future__ import annotations

from collections.abc import Callable

from gateway.notices.senders import Delivery, Limits, Sender, Sent, Sms
from gateway.values.msisdn import Msisdn

SCREEN = "ussd"  # the sender of what was shown: it costs no SMS, and nobody reports on it


class ScreenFirst:
    """A `Sender` in front of another one. Once-only is kept where it is kept for an SMS: the fact
    that is told is one row of the outbox.

    Args:
        sender: for everything else, and for whom the screen does not reach.
        invites: whether a message offers to go on.
        offer: shows a phone what a dial would show; answers whether its network took it. See
            `Service.push`.
    """

    def __init__(
        self, sender: Sender, invites: Callable[[Sms], bool], offer: Callable[[Msisdn], bool]
    ) -> None:
        self._sender = sender
        self._invites = invites
        self._offer = offer

    @property
    def name(self) -> str:
        """The other one's."""
        return self._sender.name

    @property
    def limits(self) -> Limits:
        """The other one's."""
        return self._sender.limits

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over: to a screen, or to the other one."""
        if self._invites(sms) and self._offer(sms.to):
            return Sent("", sender=SCREEN)
        return self._sender.send(sms)
