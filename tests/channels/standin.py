"""A provider on the loopback interface: it keeps what it was asked and answers what the test says.

with stand_in() as provider:
    provider.answers(Answer(503), Answer(201, '{"sid": "SM1"}'))
    ...
    assert provider.heard[0].form["To"] == ROSA.msisdn
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Literal
from urllib.parse import parse_qsl

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

# A test that hangs is a fault of the test: nobody is kept waiting longer than this.
SILENCE_MAX_S = 30
TRICKLE_S = 0.02  # between two bytes: no time-out between bytes is as short


@dataclass(frozen=True)
class Heard:
    """One request. `path` has its query; a header's name is found in any case."""

    method: str
    path: str
    headers: Message
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as a form, empty values kept."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What a request is answered. `silent`: nothing at all, until the stand-in closes; `breaks`:
    the connection ends after the request was read; `trickles`: from there on byte by byte, until
    somebody hangs up; `raw`: these bytes instead of an answer of HTTP, and then the end."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    breaks: bool = False
    trickles: Literal["", "head", "body"] = ""
    raw: bytes = b""

    def parts(self) -> tuple[bytes, bytes]:
        """The head and the body, as they go over the line."""
        if self.raw:
            return self.raw, b""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = {"Content-Type": "application/json", "Content-Length": len(body), **self.headers}
        lines = [
            f"HTTP/1.1 {self.status} -",
            *(f"{name}: {said}" for name, said in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode(), body


class StandIn:
    """The provider. Its port is taken at once; while it is `away` nobody listens there."""

    def __init__(self, *, away: bool = False) -> None:
        self.heard: list[Heard] = []
        self.connections = 0
        self._answers = [Answer()]
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self), bind_and_activate=False)
        self._server.server_bind()
        self._thread: threading.Thread | None = None
        if not away:
            self.comes_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answers(self, *answers: Answer) -> None:
        """These, one a request; the last one from then on."""
        with self._lock:
            self._answers = list(answers)

    def comes_back(self) -> None:
        """Listen from now on."""
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def met(self) -> None:
        """Somebody connected."""
        with self._lock:
            self.connections += 1

    def trickle(self, line: BufferedIOBase, content: bytes) -> None:
        """Byte by byte."""
        for byte in content:
            if self._closing.wait(TRICKLE_S):
                return
            line.write(bytes([byte]))

    def take(self, heard: Heard) -> Answer:
        """Called by its threads."""
        with self._lock:
            self.heard.append(heard)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer.silent:
            self._closing.wait(SILENCE_MAX_S)
        return answer


@contextlib.contextmanager
def stand_in(*, away: bool = False) -> Iterator[StandIn]:
    """A stand-in for as long as the block lasts."""
    provider = StandIn(away=away)
    try:
        yield provider
    finally:
        provider.close()


@contextlib.contextmanager
def back_at_the_first_retry() -> Iterator[StandIn]:
    """A stand-in that is away until somebody has tried once and waits to try again."""
    with stand_in(away=True) as provider:

        def comes_back(details: RetryDetails) -> None:
            if details.retry_num == 1:
                provider.comes_back()

        set_on_retry_hooks([comes_back])
        try:
            yield provider
        finally:
            set_on_retry_hooks(None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what many tests are about."""


def _handler(provider: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as providers do
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def setup(self) -> None:
            provider.met()
            super().setup()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = provider.take(Heard(self.command, self.path, self.headers, body))
            if answer.silent or answer.breaks:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.close_connection |= bool(answer.raw)
            self._write(answer)

        def _write(self, answer: Answer) -> None:
            head, body = answer.parts()
            if answer.trickles == "head":
                provider.trickle(self.wfile, head + body)
                return
            self.wfile.write(head)
            if answer.trickles == "body":
                provider.trickle(self.wfile, body)
                return
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Tests are quiet."""

    return Handler
