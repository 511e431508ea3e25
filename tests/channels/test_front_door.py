"""`chaski serve` as a process, over real sockets: who is let in, who can keep others waiting."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gateway.demo.seed import seed
from tests.channels.smpp.test_smpp_process import free_port
from tests.cooperative import HASHER, TODAY
from tests.people import ROSA

SECRET = "front-door-secret-of-today"
TOMORROW = "front-door-secret-of-tomorrow"
PROVIDER, STRANGER = "198.51.100.7", "203.0.113.9"
PATIENCE_S = 20
SLOW_SENDERS = 6  # to a process that works on two requests at once

CONF = Path(__file__).parents[2] / "gateway/channels/nginx.example.conf"


@dataclass
class Door:
    """A server that somebody can knock at, and what it has written down."""

    port: int
    logs: tuple[Path, ...]

    def dial(self, *headers: str, secret: str = SECRET) -> str:
        """A dial with these headers; what is answered."""
        form = urlencode({"sessionId": os.urandom(6).hex(), "phoneNumber": ROSA.msisdn, "text": ""})
        return self.post(f"/ussd/africastalking/{secret}", form, *headers)

    def post(self, path: str, form: str, *headers: str) -> str:
        with self.knock() as line:
            line.sendall(_head(path, len(form), *headers, "Connection: close") + form.encode())
            with line.makefile("rb") as answer:
                return answer.read().decode()

    def begin(self, stack: ExitStack, path: str, *headers: str) -> socket.socket:
        """A request whose body does not come."""
        line = stack.enter_context(self.knock())
        line.sendall(_head(path, 100, *headers) + b"a")
        return line

    def knock(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    @property
    def written(self) -> str:
        return "".join(log.read_text() for log in self.logs)


def _head(path: str, length: int, *headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: sms.example.pe",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {length}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _ready(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 3 * PATIENCE_S
    while not _ready(port):
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < ends, "it does not listen"
        time.sleep(0.05)


@contextmanager
def _running(command: list[str], port: int, log: Path, **settings: str) -> Iterator[None]:
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=words, stderr=words
        )
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def door(
    tmp_path: Path, database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> Iterator[Door]:
    """Two threads; Africa's Talking from one network, and a proxy on this machine."""
    owner_url, app_url = database_urls
    seed(owner_url, HASHER, TODAY)
    port, log = free_port(), tmp_path / "serve.log"
    settings = {
        "CHASKI_DATABASE_URL": app_url,
        "CHASKI_SESSIONS_URL": redis_urls[0],
        "CHASKI_QUEUE_URL": redis_urls[1],
        "CHASKI_WEBHOOK_SECRETS": f"{SECRET},{TOMORROW}",
        "CHASKI_SESSION_SECRET": "front-door-session-secret",
        "CHASKI_PIN_PEPPERS": json.dumps({"1": "a1" * 32}),
        "CHASKI_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "CHASKI_TWILIO_AUTH_TOKENS": "front-door-token",
        "CHASKI_TWILIO_SENDER": "+15005550006",
        "CHASKI_PUBLIC_URL": "https://sms.example.pe",
        "CHASKI_ALLOWED_NETWORKS": json.dumps({"africastalking": ["198.51.100.0/24"]}),
        "CHASKI_TRUSTED_PROXIES": "127.0.0.1",
        "CHASKI_LOG_LEVEL": "DEBUG",
        "CHASKI_PORT": str(port),
        "CHASKI_WEB_THREADS": "2",
    }
    command = [sys.executable, "-m", "gateway.cli", "serve"]
    with _running(command, port, log, **settings):
        yield Door(port, (log,))


def test_the_front_door(door: Door) -> None:
    """One process for all of it: it takes seconds to start."""
    from_provider = f"X-Forwarded-For: {PROVIDER}"

    # What the sender wrote stands left of what the proxy wrote, in one header or in two.
    assert " 403 " in door.dial(from_provider, f"X-Forwarded-For: {STRANGER}").split("\n")[0]
    assert " 403 " in door.dial(f"X-Forwarded-For: {PROVIDER}, {STRANGER}").split("\n")[0]
    assert "CON Hola" in door.dial(f"X-Forwarded-For: {STRANGER}", from_provider)
    # Two secrets are valid at once, while one is being replaced.
    assert "CON Hola" in door.dial(from_provider, secret=TOMORROW)
    assert " 404 " in door.dial(from_provider, secret=f"{SECRET}-").split("\n")[0]

    with ExitStack() as slow:
        # Who has no secret is refused without their body.
        for _ in range(SLOW_SENDERS):
            line = door.begin(slow, "/ussd/africastalking/no-such-secret", from_provider)
            assert b" 404 " in line.recv(4_000).split(b"\r\n")[0]
        # One of those who have to be read first is waited for; the others are told to come again.
        lines = [door.begin(slow, "/sms/twilio") for _ in range(SLOW_SENDERS)]
        assert "CON Hola" in door.dial(from_provider)
        assert _told(lines, SLOW_SENDERS - 1) == {b"503"}

    assert "webhook_refused" in door.written  # it was really written to
    for secret in (SECRET, TOMORROW, "no-such-secret", "/ussd/", PROVIDER, STRANGER, ROSA.msisdn):
        assert secret not in door.written


def _told(lines: Sequence[socket.socket], count: int) -> set[bytes]:
    """The statuses of the first so many of them that are answered, whichever they are."""
    waiting, told = list(lines), list[bytes]()
    while len(told) < count:
        answered, _, _ = select.select(waiting, [], [], PATIENCE_S)
        assert answered, "nobody else is answered"
        told += [line.recv(4_000).split()[1] for line in answered]
        waiting = [line for line in waiting if line not in answered]
    return set(told)


@pytest.mark.skipif(not shutil.which("nginx"), reason="there is no nginx on this machine")
def test_nginx_as_its_example_has_it(door: Door, tmp_path: Path) -> None:
    """A slow body costs nginx a socket and us nothing; and who sends is who nginx has seen."""
    with _nginx(door, tmp_path) as outside, ExitStack() as slow:
        for _ in range(SLOW_SENDERS):
            outside.begin(slow, f"/ussd/africastalking/{SECRET}")
            outside.begin(slow, "/sms/twilio")

        # It has seen this machine, which is a proxy of ours but no provider, whatever is claimed.
        for header in ("X-Forwarded-For", "X_Forwarded_For", "x_forwarded-for"):
            assert " 403 " in outside.dial(f"{header}: {PROVIDER}").split("\n")[0]
        assert " 403 " in outside.post("/sms/twilio", "Body=hola").split("\n")[0]
        assert "CON Hola" in door.dial(f"X-Forwarded-For: {PROVIDER}")
        assert " 404 " in outside.post("/metrics", "").split("\n")[0]

    assert " 403 " in outside.written  # nginx has really logged
    assert SECRET not in outside.written
    assert "/ussd/" not in outside.written


@contextmanager
def _nginx(door: Door, folder: Path) -> Iterator[Door]:
    """The example with this test's ports and folders, and without TLS."""
    port, log = free_port(), folder / "nginx.log"
    served = CONF.read_text()
    served = served.replace("127.0.0.1:8080", f"127.0.0.1:{door.port}")
    served = served.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    served = re.sub(r"ssl_certificate.*\n", "\n", served)
    served = served.replace("/var/log/nginx/", f"{folder}/")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {log} warn;"
        f"events {{}} http {{ {temporary}\n{served}\n}}"
    )
    with _running(["nginx", "-p", str(folder), "-c", str(whole)], port, log):
        yield Door(port, (log, folder / "chaski.log", folder / "chaski.error.log"))
