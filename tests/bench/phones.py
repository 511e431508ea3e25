"""Many phones in one thread, over HTTP connections that are kept open, as an aggregator's are.

`in_a_row` is a closed loop: each phone sends its next hop when it has read the last screen. It
finds what a server can do. `by_the_clock` is an open loop: hops are due at times that were laid
down before, and how long one took counts from then, not from when we came to send it: a server
that stalls is not spared the hops that would have arrived meanwhile.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.bench.flows import Flow, Hop

_RECEIVE_BYTES = 65_536
_DRAIN_S = 5.0  # for sessions under way when a closed loop is over: nobody leaves a draft behind
# An open loop, like an aggregator.
PATIENCE_S = 5.0  # then the network has told the member that it failed
CONNECTIONS_MAX = 512


@dataclass(slots=True)
class Tally:
    """What came of the hops of one window."""

    seconds: float = 0
    right: int = 0  # the screen that was to come, in time, within the window
    polite: int = 0  # another screen of ours: we are busy, dial again
    failed: int = 0  # no screen
    latencies_s: list[float] = field(default_factory=list)
    last_wrong: bytes = b""

    @property
    def per_s(self) -> float:
        """Hops a second that got their screen."""
        return self.right / self.seconds


@dataclass(slots=True)
class _Phone:
    hops: Iterator[Hop]
    hop: Hop | None = None
    due: float = 0.0
    sent: float = 0.0


class Exchange:
    """The connections to one server."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        ).encode()
        self._epoll = select.epoll()
        self._lines: dict[int, socket.socket] = {}
        self._phones: dict[int, _Phone] = {}
        self._heard: dict[int, bytes] = {}
        self._idle: list[int] = []

    @property
    def under_way(self) -> int:
        """Hops that have no answer yet."""
        return len(self._phones)

    def has_room(self) -> bool:
        """Whether a hop could be sent now."""
        return bool(self._idle) or len(self._lines) < CONNECTIONS_MAX

    def send(self, phone: _Phone) -> bool:
        """Send the hop of a phone. False: the server takes no connection."""
        assert phone.hop
        body = phone.hop.body
        phone.sent = time.perf_counter()
        try:
            number = self._idle.pop() if self._idle else self._connect()
            self._phones[number] = phone
            self._lines[number].sendall(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))
        except OSError:
            return False
        return True

    def answers(self, wait_s: float) -> Iterator[tuple[_Phone, bytes]]:
        """Who has an answer by now, each with it; empty where the connection broke."""
        for number, _ in self._epoll.poll(max(wait_s, 0)):
            answer = self._read(number)
            if answer is not None and (phone := self._phones.pop(number, None)):
                yield phone, answer

    def give_up(self, before: float) -> Iterator[_Phone]:
        """Hang up on every hop that was sent before this moment."""
        late = [number for number, phone in self._phones.items() if phone.sent < before]
        for number in late:
            self._drop(number)
            yield self._phones.pop(number)

    def close(self) -> None:
        """Hang up everything."""
        for number in list(self._lines):
            self._drop(number)
        self._epoll.close()

    def _connect(self) -> int:
        line = socket.create_connection(("127.0.0.1", self._port), 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = line.fileno()
        self._lines[number], self._heard[number] = line, b""
        self._epoll.register(number, select.EPOLLIN)
        return number

    def _read(self, number: int) -> bytes | None:
        """A whole answer, or None while it is not whole. `HTTP 200` and the body, or nothing."""
        try:
            heard = self._lines[number].recv(_RECEIVE_BYTES)
        except OSError:
            heard = b""
        if not heard:
            self._drop(number)
            return b""
        heard = self._heard[number] + heard
        head, found, body = heard.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            self._heard[number] = heard
            return None
        self._heard[number] = b""
        self._idle.append(number)
        return body if head.startswith(b"HTTP/1.1 200") else b""

    def _drop(self, number: int) -> None:
        line = self._lines.pop(number)
        del self._heard[number]
        with contextlib.suppress(ValueError):
            self._idle.remove(number)
        with contextlib.suppress(OSError):
            self._epoll.unregister(number)
        line.close()


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


class Phones:
    """Phones that walk through a flow, one session after the other.

    Args:
        port: of the server.
        path: of its webhook.
        flow: what they dial.
    """

    def __init__(self, port: int, path: str, flow: Flow) -> None:
        self._port, self._path = port, path
        self._sessions = (iter(flow(number)) for number in itertools.count())

    def in_a_row(self, at_once: int, seconds: float) -> Tally:
        """So many phones at once, each sending when it has read, for so long."""
        tally, exchange = Tally(), Exchange(self._port, self._path)
        began = time.perf_counter()
        until = began + seconds
        for _ in range(at_once):
            self._next(exchange, _Phone(next(self._sessions)), tally)
        while (now := time.perf_counter()) < until:
            for phone, answer in exchange.answers(until - now):
                right = _count(tally, phone, answer, phone.sent, until)
                self._next(exchange, phone if right else _Phone(next(self._sessions)), tally)
        tally.seconds = time.perf_counter() - began
        _drain(exchange)
        return tally

    def by_the_clock(self, per_s: float, seconds: float) -> Tally:
        """So many hops a second, whatever the server does, for so long."""
        tally, exchange = Tally(seconds=seconds), Exchange(self._port, self._path)
        waiting: deque[_Phone] = deque()
        idle: deque[_Phone] = deque()
        began = time.perf_counter()
        until, due = began + seconds, began
        while (now := time.perf_counter()) < until:
            while due <= now:
                waiting.append(self._at(due, idle))
                due += 1 / per_s
            while waiting and exchange.has_room():
                phone = waiting.popleft()
                if not exchange.send(phone):
                    _fail(tally, now - phone.due)
            for phone, answer in exchange.answers(min(due, until) - time.perf_counter()):
                if _count(tally, phone, answer, phone.due, until):
                    idle.append(phone)
            for phone in exchange.give_up(now - PATIENCE_S):
                _fail(tally, now - phone.due)
            while waiting and waiting[0].due < now - PATIENCE_S:
                _fail(tally, now - waiting.popleft().due)
        self._end(tally, exchange, waiting, until)
        return tally

    def _at(self, due: float, idle: deque[_Phone]) -> _Phone:
        """Whoever read their last screen longest ago; where nobody has, somebody dials."""
        phone = idle.popleft() if idle else _Phone(next(self._sessions))
        phone.hop = next(phone.hops, None)
        if phone.hop is None:
            phone = _Phone(next(self._sessions))
            phone.hop = next(phone.hops)
        phone.due = due
        return phone

    def _next(self, exchange: Exchange, phone: _Phone, tally: Tally) -> None:
        phone.hop = next(phone.hops, None)
        if phone.hop is None:
            phone.hops = next(self._sessions)
            phone.hop = next(phone.hops)
        if not exchange.send(phone):
            tally.failed += 1

    def _end(self, tally: Tally, exchange: Exchange, waiting: deque[_Phone], until: float) -> None:
        """What is under way still has its patience; it counts as late or lost, not as goodput."""
        for phone in waiting:
            _fail(tally, until - phone.due)
        while exchange.under_way and (now := time.perf_counter()) < until + PATIENCE_S:
            for phone, answer in exchange.answers(until + PATIENCE_S - now):
                _count(tally, phone, answer, phone.due, until)
        for phone in exchange.give_up(float("inf")):
            _fail(tally, time.perf_counter() - phone.due)
        exchange.close()


def _count(tally: Tally, phone: _Phone, answer: bytes, since: float, until: float) -> bool:
    """Whether the phone may go on: it has read the screen that was to come."""
    now = time.perf_counter()
    assert phone.hop
    right = phone.hop.marker in answer
    tally.latencies_s.append(now - since)
    if right:
        tally.right += now <= until and now - since <= PATIENCE_S
    elif answer[:4] in {b"CON ", b"END "}:
        tally.polite += 1
        tally.last_wrong = answer
    else:
        tally.failed += 1
        tally.last_wrong = answer
    return right


def _fail(tally: Tally, waited_s: float) -> None:
    tally.failed += 1
    tally.latencies_s.append(waited_s)


def _drain(exchange: Exchange) -> None:
    """Let everybody finish their session, uncounted."""
    deadline = time.perf_counter() + _DRAIN_S
    while exchange.under_way and (now := time.perf_counter()) < deadline:
        for phone, _ in exchange.answers(deadline - now):
            phone.hop = next(phone.hops, None)
            if phone.hop:
                exchange.send(phone)
    exchange.close()
