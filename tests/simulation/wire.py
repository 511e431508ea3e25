"""The network between the gateway and a Fineract, in virtual time: no sockets, and nothing sleeps.

A request that is under way arrives whatever becomes of who sent it: a caller that was killed, or
has given up waiting, changes nothing at the core.
"""

from __future__ import annotations

import io
import socket
import sys
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

import requests
from flask import Flask
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError
from werkzeug.test import run_wsgi_app

from gateway.ledger.fineract.client import KEY
from tests.simulation.history import Duty, Hop, Sent, Tell
from tests.simulation.station import Answer
from tests.simulation.weather import strength
from tests.simulation.world import World

_USUAL_MS = (1, 2, 5, 20, 80)  # one way; four times an order's dozen is within a hop's patience
_SLOW_MS = (1_000, 2_000, 5_000, 13_000, 30_000, 70_000)
_OUTAGE_MS = (2_000, 20_000, 90_000, 600_000, 2_700_000)  # the last one outlives an order
_PACES_MS = (*[0] * 8, 1_000, 15_000)  # of whole runs, each way: 2 s and 30 s slow
_NEVER = -1  # it is lost on the way


@dataclass(frozen=True, slots=True)
class CoreWeather:
    """How often the core or the way to it gives trouble, from 0 to 1.

    Of each request: `slow`, it takes seconds, up or down; `lost`, it never arrives, or its answer
    never does; `outage`, from now on nobody answers for a while. `garbled`: of each look-up, that a
    proxy or a broken line answers it. `fault`: of each command, that it meets one of
    `standin.faults`. `staff`: of each minute, that somebody at the core does something.

    `pace_ms`: what every request takes beside that, up and down.
    """

    slow: float = 0
    lost: float = 0
    outage: float = 0
    garbled: float = 0
    fault: float = 0
    staff: float = 0
    pace_ms: int = 0


CLEAR = CoreWeather()
_STORM = CoreWeather(slow=0.2, lost=0.05, outage=0.01, garbled=0.05, fault=0.6, staff=0.5)


def drawn(chance: Random) -> CoreWeather:
    """What a run's core is like."""
    shares = [one.name for one in fields(CoreWeather) if one.name != "pace_ms"]
    weather = {name: getattr(_STORM, name) * strength(chance) for name in shares}
    return replace(CLEAR, **weather, pace_ms=chance.choice(_PACES_MS))


@dataclass(frozen=True, slots=True)
class _Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Socket:
    """What the double hangs up."""

    def __init__(self) -> None:
        self.closed = False

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_RDWR
        self.closed = True


class Wire(BaseAdapter):
    """Carries the requests of `FineractClient` to the double of a run.

    Attributes:
        asking: who sent the request that is executed just now.
        sent_ms: when a request with each key was sent last.
    """

    world: World
    weather: CoreWeather
    asking: Hop | Tell | Duty | None = None

    def enter(self, world: World, weather: CoreWeather, app: Flask) -> None:
        """A run begins."""
        self.world, self.weather, self._app = world, weather, app
        self.sent_ms: dict[str, int] = {}
        self.asking = None
        self._away_until_ms = 0
        self._refuses = False

    def clear_up(self) -> None:
        """From now on all goes well."""
        self.weather = CLEAR
        self._away_until_ms = 0

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """See `requests.adapters.BaseAdapter.send`."""
        world = self.world
        if world.about() is None:  # whoever looks from outside
            answered = self._served(request)
            assert answered is not None
            return _response(request, answered)
        self._search(request)
        what = f"{request.method} {urllib.parse.urlsplit(request.url).path.rpartition('/api')[2]}"
        world.step(f"before {what}")
        self._outage(timeout)
        value = world.station.await_answer(self._sent(request, what), round(timeout[1] * 1000))
        world.step(f"after {what}")
        if value is None:
            world.history.counts["core timed out"] += 1
            raise requests.ReadTimeout("simulated: no answer in time")
        if not isinstance(value, _Answered):
            raise requests.ConnectionError("simulated: the connection ended")
        return _response(request, value)

    def close(self) -> None:
        """See `requests.adapters.BaseAdapter.close`."""

    def _outage(self, timeout: Any) -> None:
        """Nobody is there: a port that is shut says so at once, a cable that was cut does not."""
        world, now_ms = self.world, self.world.station.now_ms
        if now_ms >= self._away_until_ms and world.happens(self.weather.outage):
            ms = world.chance.choice(_OUTAGE_MS)
            self._away_until_ms = now_ms + ms
            self._refuses = world.happens(0.5)
            world.note("core outage", "core", f"{ms} ms, {'shut' if self._refuses else 'silent'}")
        if now_ms >= self._away_until_ms:
            return
        world.history.counts["core not reached"] += 1
        if self._refuses:
            pool = HTTPConnectionPool("core")
            reason = NewConnectionError(pool, "simulated: refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(MaxRetryError(pool, "/", reason))
        world.station.sleep(round(timeout[0] * 1000))
        raise requests.ConnectTimeout("simulated: nobody answers")

    def _sent(self, request: requests.PreparedRequest, what: str) -> Answer:
        """On its way, from here on without the caller."""
        station, answer, about = self.world.station, Answer(), self.world.about()
        up_ms, down_ms = self._way("up", what), self._way("down", what)
        if up_ms == _NEVER:
            return answer
        if key := str(request.headers.get(KEY, "")):
            self.sent_ms[key] = station.now_ms
            self.world.history.sent.append(Sent(self.world.history.now(), order_of(key)))

        def arrive() -> None:
            self.asking = about
            try:
                value = self._garbled(request, what) or self._served(request) or "ended"
            finally:
                self.asking = None
            if down_ms != _NEVER:
                station.at(down_ms, lambda: answer.give(value))

        station.at(up_ms, arrive)
        return answer

    def _way(self, direction: str, what: str) -> int:
        world, weather = self.world, self.weather
        if world.happens(weather.lost):
            world.note(f"core lost {direction}", "core", what)
            return _NEVER
        if world.happens(weather.slow):
            ms = world.chance.choice(_SLOW_MS)
            world.note(f"core slow {direction}", "core", f"{ms} ms, {what}")
            return ms
        return weather.pace_ms + world.chance.choice(_USUAL_MS)

    def _garbled(self, request: requests.PreparedRequest, what: str) -> object:
        """What comes back to a look-up instead of its answer. Commands have the double's faults."""
        world = self.world
        if KEY in request.headers or not world.happens(self.weather.garbled):
            return None
        kind = world.chance.choice(("ended", "502", "429", "half", "500"))
        world.note("core look-up garbled", "core", f"{kind}: {what}")
        match kind:
            case "ended":
                return "ended"
            case "502":
                return _Answered(502, {}, b"<html>502 Bad Gateway</html>")
            case "429":
                return _Answered(429, {"Retry-After": "1"}, b"<html>429</html>")
            case "500":
                return _Answered(500, {}, b'{"Exception":"could not execute query"}')
        whole = self._served(request)
        return replace(whole, body=whole.body[: len(whole.body) // 2]) if whole else "ended"

    def _served(self, request: requests.PreparedRequest) -> _Answered | None:
        """What the double answers; None: it hung up."""
        line = _Socket()
        app_iter, status, headers = run_wsgi_app(self._app.wsgi_app, _environ(request, line))
        body = b"".join(app_iter)
        if line.closed:
            return None
        return _Answered(int(status.split()[0]), dict(headers), body)

    def _search(self, request: requests.PreparedRequest) -> None:
        """No PIN leaves the house."""
        if self.world.leaks(f"{request.url} {request.body!r}"):
            self.world.history.leaks.append("sent to the core")


def order_of(attempt_key: str) -> str:
    """The order whose attempt bears this key."""
    return str(uuid.UUID(attempt_key.rpartition("-")[0]))


def _response(request: requests.PreparedRequest, answered: _Answered) -> requests.Response:
    response = requests.Response()
    response.status_code = answered.status
    response.headers = CaseInsensitiveDict(answered.headers)
    response.raw = io.BytesIO(answered.body)
    response.url = str(request.url)
    response.request = request
    return response


def _environ(request: requests.PreparedRequest, line: _Socket) -> dict[str, Any]:
    url = urllib.parse.urlsplit(str(request.url))
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": str(value)
        for name, value in request.headers.items()
    }
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote(url.path),
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.get("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "core",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "werkzeug.socket": line,
    }
