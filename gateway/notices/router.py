"""By which provider a message goes: by the number's prefix, in a given order, past what is shut."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence

from gateway.notices.line import USUAL, Line, LineBounds, Shut
from gateway.notices.segments import segments
from gateway.notices.senders import (
    Away,
    Delivery,
    Limits,
    Misconfigured,
    Never,
    Sender,
    Sms,
    TryLater,
)
from gateway.notices.watching import UNWATCHED, Watch
from gateway.values.msisdn import Msisdn

# Names of senders by the prefix of the numbers that they may carry (E.164; "" is every number).
Routes = Mapping[str, tuple[str, ...]]

_PREFIX = re.compile(r"(?:\+[1-9][0-9]{0,14})?")


class RoutesError(ValueError):
    """The routes are not usable; the message says which and why."""


def read_routes(text: str, names: Collection[str]) -> Routes:
    """`{"+51": ["infobip", "twilio"], "": ["twilio"]}`, in JSON.

    Without any text every number goes by all senders, in their order.

    Args:
        text: the setting.
        names: of the senders there are.

    Raises:
        RoutesError: with everything that is wrong, a line each.
    """
    if not text.strip():
        return {"": tuple(names)}
    try:
        read = json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        raise RoutesError(f"the routes are no JSON: {error}") from error
    if not isinstance(read, _Pairs) or not read:
        raise RoutesError('the routes are an object like {"+51": ["infobip", "twilio"]}')
    faults = [fault for prefix, way in read for fault in _faults(prefix, way, names)]
    prefixes = [prefix for prefix, _ in read]
    faults += [f'"{each}" stands there twice' for each in _twice(prefixes)]
    if faults:
        raise RoutesError("\n".join(faults))
    return {prefix: tuple(way) for prefix, way in read if isinstance(way, list)}


class Router:
    """A `Sender` that chooses among senders.

    What a provider answers is the answer, with two exceptions: where nobody was asked because the
    way is shut or leads nowhere, and where the provider refuses *us*, the next one is asked at
    once. After "maybe" nobody else is asked: the member would get it twice.

    Args:
        senders: all there are, each with a name of its own.
        routes: see `read_routes`.
        watch: is told how each does.
        bounds: when a way is shut.
    """

    name = "router"

    def __init__(
        self,
        senders: Sequence[Sender],
        routes: Routes,
        watch: Watch = UNWATCHED,
        bounds: LineBounds = USUAL,
    ) -> None:
        lines = {sender.name: Line(sender, watch, bounds) for sender in senders}
        if len(lines) != len(senders):
            raise RoutesError("two senders have the same name")
        self._lines = tuple(lines.values())
        # The longest prefix first, so that the first one that fits is the one.
        self._ways = tuple(
            (prefix, tuple(lines[name] for name in routes[prefix]))
            for prefix in sorted(routes, key=len, reverse=True)
        )

    @property
    def limits(self) -> Limits:
        """What all together carry at the most."""
        return Limits(
            per_second=sum(line.limits.per_second for line in self._lines),
            segments_max=max(line.limits.segments_max for line in self._lines),
        )

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over by the first way that is open.

        `TryLater` with the soonest time when none is: nobody has taken it.

        Raises:
            Exception: whatever a sender raises; the message may have been taken.
        """
        count = segments(sms.text)
        lines = self._way(sms.to)
        if not lines:
            return Never("no route leads to this number")
        fit = [line for line in lines if count <= line.limits.segments_max]
        if not fit:
            return Never(f"too long: {count} segments")
        return _first_answer(fit, sms)

    def _way(self, to: Msisdn) -> tuple[Line, ...]:
        ways = (lines for prefix, lines in self._ways if to.e164.startswith(prefix))
        return next(ways, ())


def _first_answer(lines: Sequence[Line], sms: Sms) -> Delivery:
    refused: Misconfigured | Away | None = None
    soonest_s = math.inf
    for line in lines:
        answer = line.send(sms)
        if isinstance(answer, Shut):
            soonest_s = min(soonest_s, answer.wait_s)
        elif isinstance(answer, Misconfigured | Away):
            refused = answer
        else:
            return answer
    if refused and math.isinf(soonest_s):
        return refused
    return TryLater("every way out is shut", soonest_s)


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it was written, a name that stands there twice included."""


def _pairs(pairs: list[tuple[str, object]]) -> _Pairs:
    return _Pairs(pairs)


def _faults(prefix: str, way: object, names: Collection[str]) -> list[str]:
    if not _PREFIX.fullmatch(prefix):
        return [f'"{prefix}" is no prefix like "+51", nor "" for every number']
    if not isinstance(way, list) or not way or not all(isinstance(name, str) for name in way):
        return [f'"{prefix}" has no list of senders like ["twilio"]']
    known = ", ".join(names) or "none"
    unknown = [name for name in way if name not in names]
    return [
        *(f'"{prefix}": there is no sender {name} here; there are: {known}' for name in unknown),
        *(f'"{prefix}": {name} stands there twice' for name in _twice(way)),
    ]


def _twice(names: Sequence[str]) -> list[str]:
    return [name for at, name in enumerate(names) if names.index(name) < at]
