"""What a webhook's caller has to pass before anybody reads what it brings.

The secret in the path, or a signature, is the proof. Around it stand: a list of the networks that a
provider calls from, where it says which; a count of those who guess; and a bound on how many bodies
are read at once of callers who have proven nothing yet.

Nobody is ever locked out who has the right secret: an address can be shared, and a proxy that is
not on our list is the address of everybody behind it. Who guesses is told 429 after a while, and
the secrets are too long to be guessed at any speed.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network
from typing import cast

import structlog
from flask import Blueprint, Flask, Response, abort, g, request

from gateway.bounds import BODY_SEAT_WAIT_MS, GUESSERS_MAX, GUESSES_PER_MINUTE
from gateway.channels.addresses import Address, Networks, blurred, sender, within
from gateway.channels.express import ShortWay, in_front
from gateway.observing import Metrics

log = structlog.stdlib.get_logger(__name__)

_MINUTE_S = 60
_REFUSED = {403: "signature", 404: "secret"}  # how a channel says that there was no proof

Guesser = Address | IPv6Network | None


class Guesses:
    """Who had a wrong secret in the last minute, and how often. Bounded: of too many the oldest is
    forgotten, so that nobody can fill the memory.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float], guessers_max: int = GUESSERS_MAX) -> None:
        self._now = now
        self._guessers_max = guessers_max
        self._lock = threading.Lock()
        self._counts: OrderedDict[Guesser, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, address: Address | None) -> int:
        """One more; answers how many they are within the minute. Who has a whole IPv6 network to
        guess from is one."""
        guesser: Guesser = address
        if isinstance(address, IPv6Address):
            guesser = IPv6Network((address, 64), strict=False)
        with self._lock:
            count = self._counts.get(guesser)
            if count is None or self._now() - count.since >= _MINUTE_S:
                self._counts.pop(guesser, None)
                count = self._counts[guesser] = _Count(self._now())
            count.guesses += 1
            while len(self._counts) > self._guessers_max:
                self._counts.popitem(last=False)
            return count.guesses


@dataclass(slots=True)
class _Count:
    since: float
    guesses: int = field(default=0)


class Walls:
    """Around the webhooks of one process.

    Args:
        allowed: the networks that a channel is called from; for the others any will do.
        proxies: whose word on the sender's address is believed.
        metrics: where who was refused is counted.
        body_seats: how many bodies are read at once before their proof; each may take a thread for
            as long as its sender likes.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        allowed: Mapping[str, Networks],
        proxies: Networks,
        metrics: Metrics,
        body_seats: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = {channel: networks for channel, networks in allowed.items() if networks}
        self._proxies = proxies
        self._metrics = metrics
        self._seats = threading.BoundedSemaphore(body_seats)
        self._guesses = Guesses(now)

    def around(
        self,
        blueprint: Blueprint,
        channel: str,
        *,
        signed: bool = False,
        short_way: ShortWay | None = None,
    ) -> Blueprint:
        """The same blueprint behind the walls.

        Args:
            channel: its name in the list of networks; of a profile's webhook the profile's name
                stands behind it.
            signed: the proof is over the body, so it has to be read first.
            short_way: to one of its webhooks in front of Flask, behind the same walls.
        """

        def enter() -> None:
            peer, forwarded = request.remote_addr or "", request.headers.get("X-Forwarded-For", "")
            if not self.lets_in(_named(channel), peer, forwarded):
                g.refused = "network"
                abort(403)
            if signed:
                self._read_body(_named(channel))

        def leave(response: Response) -> Response:
            why = g.get("refused") or _REFUSED.get(response.status_code)
            return self._refused(_named(channel), why, response) if why else response

        blueprint.before_request(enter)
        blueprint.after_request(leave)
        if short_way:
            lets_in = functools.partial(self.lets_in, channel)
            blueprint.record_once(
                lambda state: in_front(cast("Flask", state.app), short_way, lets_in)
            )
        return blueprint

    def lets_in(self, channel: str, peer: str, forwarded: str) -> bool:
        """Whether who is connected to us from `peer` may call a channel, as far as the networks
        tell; `forwarded` is all of their `X-Forwarded-For`."""
        allowed = self._allowed.get(channel)
        if allowed is None:
            return True
        address = sender(peer, forwarded, self._proxies)
        return address is not None and within(address, allowed)

    def _read_body(self, channel: str) -> None:
        """A seat is taken for the reading alone: what is done with it takes milliseconds."""
        if not self._seats.acquire(timeout=BODY_SEAT_WAIT_MS / 1000):
            g.refused = "crowded"
            abort(503)
        try:
            _ = request.form
        finally:
            self._seats.release()

    def _refused(self, channel: str, why: str, response: Response) -> Response:
        self._metrics.webhook_refused(channel, why)
        if why == "crowded":  # for no fault of theirs
            return response
        address = self._sender()
        guesses = self._guesses.add(address)
        if guesses in {1, GUESSES_PER_MINUTE}:  # a line for each of a flood would be a flood
            network = blurred(address)
            log.warning("webhook_refused", channel=channel, why=why, network=network, times=guesses)
        if guesses <= GUESSES_PER_MINUTE:
            return response
        return Response(
            "429 Too Many Requests\n",
            status=429,
            content_type="text/plain",
            headers={"Retry-After": str(_MINUTE_S)},
        )

    def _sender(self) -> Address | None:
        forwarded = request.headers.get("X-Forwarded-For", "")
        return sender(request.remote_addr or "", forwarded, self._proxies)


def _named(channel: str) -> str:
    profile = (request.view_args or {}).get("name")
    return f"{channel}-{profile}" if profile else channel
