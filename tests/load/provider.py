"""A stand-in for Africa's Talking's messaging endpoint, which thinks for a while and fails.

Half of what fails was not taken. The other half was, and its answer is lost on the way: nobody but
this stand-in knows.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

_PRICE = "PEN 0.0800"
_IDLE_S = 30  # a connection that says nothing for so long is dropped, as providers do


@dataclass(slots=True)
class Counts:
    """What became of every answer, by the phone that it went to: each has texted once.

    Args:
        taken: how often it was taken; once is right.
        unheard: how often it was taken and nobody heard of it.
        refused: how often it was not taken, and that was said.
        first_at: when it was first taken, on `time.monotonic`'s clock.
        at_once_max: the most requests that were under way at one moment.
    """

    taken: Counter[str] = field(default_factory=Counter)
    unheard: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    first_at: dict[str, float] = field(default_factory=dict)
    at_once_max: int = 0


class Provider:
    """Listens on 127.0.0.1 while entered.

    Args:
        think_s: how long it takes over each message.
        failing: the share of requests that fail, from 0 to 1.
        seed: of which ones.
    """

    def __init__(self, think_s: float, failing: float, seed: int) -> None:
        self.counts = Counts()
        self._think_s = think_s
        self._failing = failing
        self._chance = random.Random(seed)  # noqa: S311 - which ones fail
        self._lock = threading.Lock()
        self._under_way = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, to: str) -> bytes | None:
        """Think, take the message or not, and answer: b"" where it refuses; None where the answer
        gets lost."""
        with self._lock:
            self._under_way += 1
            self.counts.at_once_max = max(self.counts.at_once_max, self._under_way)
            drawn = self._chance.random()
        time.sleep(self._think_s)
        with self._lock:
            self._under_way -= 1
            return self._decide(to, drawn)

    def _decide(self, to: str, drawn: float) -> bytes | None:
        counts = self.counts
        if drawn < self._failing / 2:
            counts.refused[to] += 1
            return b""
        counts.taken[to] += 1
        counts.first_at.setdefault(to, time.monotonic())
        if drawn < self._failing:
            counts.unheard[to] += 1
            return None
        return _taken(f"ATXid_{counts.taken.total()}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _IDLE_S

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                (to,) = parse_qs(body.decode())["to"]
                answer = provider.answer(to)
                if answer is None:
                    self.close_connection = True
                    return
                with suppress(OSError):  # the worker has given it up
                    self.send_response(201 if answer else 503)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *said: object) -> None:
                pass

        return Handler


def _taken(message_id: str) -> bytes:
    recipient = {
        "statusCode": 101,
        "number": "+51987000001",
        "status": "Success",
        "cost": _PRICE,
        "messageId": message_id,
    }
    data = {"Message": f"Sent to 1/1 Total Cost: {_PRICE}", "Recipients": [recipient]}
    return json.dumps({"SMSMessageData": data}).encode()
