"""A bad radio with an aggregator behind it: hops get lost, come twice, overlap and come late."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.settings import DEMO_WEBHOOK_SECRET
from tests.chaos.screens import Screen

AGGREGATOR_TIMEOUT_S = 10  # Africa's Talking waits that long for a screen
OVERLAP_MAX_S = 0.05  # how long after the first copy the overlapping one sets out
LATE_COPIES_MAX = 20  # that a network holds back; beyond them it forgets the oldest
SLOW_MS = 5_000  # some operators give up by then

_FORM = {"serviceCode": "*775#", "networkCode": "99999"}
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Weather:
    """How likely what is, for each hop. `calm` makes the radio perfect from then on."""

    lost_request: float = 0.05
    lost_response: float = 0.05
    repeated: float = 0.05
    overlapping: float = 0.05
    late: float = 0.1

    def calm(self) -> None:
        """Nothing is lost, doubled or late any more."""
        self.lost_request = self.lost_response = 0
        self.repeated = self.overlapping = self.late = 0


class Uptime:
    """Whether web was up all the while that a hop took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._life = 0
        self._answers = False
        self._dying = False

    @contextlib.contextmanager
    def dying(self) -> Iterator[None]:
        """Around its death: what it answers until then is no sign of the next life."""
        self._dies(now=True)
        yield
        self._dies(now=False)

    def _dies(self, *, now: bool) -> None:
        with self._lock:
            self._life += 1
            self._answers = False
            self._dying = now

    def look(self) -> tuple[int, bool]:
        """Which of its lives this is, and whether it has answered in it."""
        with self._lock:
            return self._life, self._answers

    def answered(self, life: int) -> None:
        """It answered a request that was sent in this life."""
        with self._lock:
            self._answers = self._answers or (life == self._life and not self._dying)


@dataclass(slots=True)
class Traffic:
    """The figures of all phones.

    Args:
        faults: answers that no aggregator could use, a line each.
        puzzles: what no phone can make sense of, a line each.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    puzzles: list[str] = field(default_factory=list)
    slowest_ms: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """One more of these."""
        with self._lock:
            self.counts[what] += 1

    def fault(self, what: str) -> None:
        """An answer that must not be. Its time finds it in the logs."""
        with self._lock:
            self.faults.append(f"{time.time():.3f} {what}")

    def puzzle(self, what: str) -> None:
        """Something that a phone should never have seen."""
        with self._lock:
            self.puzzles.append(f"{time.time():.3f} {what}")

    def took(self, ms: int) -> None:
        """A hop was answered."""
        with self._lock:
            self.counts["hops"] += 1
            self.slowest_ms = max(self.slowest_ms, ms)


@dataclass(frozen=True, slots=True)
class Hop:
    """What became of one hop: whether it left the phone, and what came back, if anything."""

    sent: bool
    screen: Screen | None


class Network:
    """The radio and the aggregator of one phone.

    Args:
        port: of the gateway, on 127.0.0.1.
        weather: shared by all; it may change.
        chance: this phone's own.
    """

    def __init__(
        self, port: int, weather: Weather, uptime: Uptime, traffic: Traffic, chance: random.Random
    ) -> None:
        self._port = port
        self._weather = weather
        self._uptime = uptime
        self._traffic = traffic
        self._chance = chance
        self._late: list[dict[str, str]] = []

    def hop(self, msisdn: str, session: str, text: str) -> Hop:
        """Carry what was typed so far to the gateway, and a screen back."""
        weather = self._weather
        form = {**_FORM, "sessionId": session, "phoneNumber": msisdn, "text": text}
        if self._happens(weather.lost_request):
            self._traffic.count("requests lost")
            return Hop(sent=False, screen=None)
        screen = self._carried(form)
        self._deliver_late(form)
        if self._happens(weather.lost_response):
            self._traffic.count("responses lost")
            return Hop(sent=True, screen=None)
        return Hop(sent=True, screen=screen)

    def ended(self, msisdn: str, session: str, *, seen_to_its_end: bool) -> None:
        """The aggregator tells that a session is over, if that is not lost too."""
        if self._happens(self._weather.lost_request):
            return
        status = "Success" if seen_to_its_end else "Incomplete"
        event = {"sessionId": session, "phoneNumber": msisdn, "status": status, "hopsCount": "1"}
        try:
            code, _ = self._exchange("/events", urllib.parse.urlencode({**_FORM, **event}))
        except (OSError, http.client.HTTPException):
            return
        self._traffic.count("ends of sessions told")
        if code != 200:
            self._traffic.fault(f"HTTP {code} for the end of a session")

    def inbox(self, msisdn: str) -> list[str]:
        """The SMS that a phone has received, oldest first; nothing while web is away."""
        connection = self._connection()
        try:
            connection.request("GET", f"/simulator/inbox/{urllib.parse.quote(msisdn)}")
            response = connection.getresponse()
            return [sms["text"] for sms in json.load(response)] if response.status == 200 else []
        except (OSError, http.client.HTTPException):
            return []
        finally:
            connection.close()

    def _happens(self, likelihood: float) -> bool:
        return self._chance.random() < likelihood

    def _carried(self, form: dict[str, str]) -> Screen | None:
        """Post it, with the copies that an aggregator makes. The first answer is the phone's."""
        if self._happens(self._weather.overlapping):
            self._traffic.count("overlapping copies")
            pause_s = self._chance.random() * OVERLAP_MAX_S
            copy = threading.Thread(target=self._copy, args=(form, pause_s), daemon=True)
            copy.start()
            screen = self._post(form)
            copy.join()
            return screen
        screen = self._post(form)
        if self._happens(self._weather.repeated):
            self._traffic.count("repeats")
            screen = self._post(form) or screen
        return screen

    def _copy(self, form: dict[str, str], pause_s: float) -> None:
        time.sleep(pause_s)
        self._post(form)

    def _deliver_late(self, form: dict[str, str]) -> None:
        """Hold a copy of this hop back, and let one of an older hop arrive now."""
        if self._late and self._happens(self._weather.late):
            self._traffic.count("late copies")
            self._post(self._late.pop(self._chance.randrange(len(self._late))))
        if self._happens(self._weather.late):
            self._late = [*self._late, form][-LATE_COPIES_MAX:]

    def _post(self, form: dict[str, str]) -> Screen | None:
        """One request. None: nothing usable came back."""
        life, answers = self._uptime.look()
        began = time.monotonic()
        try:
            status, body = self._exchange("", urllib.parse.urlencode(form))
        except (OSError, http.client.HTTPException) as error:
            self._traffic.count("hops without an answer")
            if answers and self._uptime.look() == (life, True):
                self._traffic.count("hops without an answer while web was up")
                self._traffic.fault(f"no answer while web was up: {type(error).__name__}")
            return None
        self._uptime.answered(life)
        self._traffic.took(round((time.monotonic() - began) * 1000))
        return self._read(status, body)

    def _exchange(self, where: str, form: str) -> tuple[int, str]:
        connection = self._connection()
        try:
            path = f"/ussd/africastalking/{DEMO_WEBHOOK_SECRET}{where}"
            connection.request("POST", path, body=form, headers=_HEADERS)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def _read(self, status: int, body: str) -> Screen | None:
        verb, _, text = body.partition(" ")
        if status != 200 or verb not in {"CON", "END"} or not text:
            self._traffic.count("HTTP 500" if status == 500 else "other answers without a screen")
            self._traffic.fault(f"HTTP {status} with a body that is no screen")
            return None
        return Screen(text, ends=verb == "END")

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=AGGREGATOR_TIMEOUT_S)
