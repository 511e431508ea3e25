"""The private Redis: a Valkey, whichever Redis is installed, or else an imitation."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

from gateway.embedded.binaries import find_redis
from gateway.embedded.endpoints import REDIS_SOCKET
from gateway.embedded.leash import ourselves
from gateway.embedded.place import Place
from gateway.embedded.server import Server
from gateway.embedded.words import Say

STOP_MAX_S = 5


def start_redis(place: Place, say: Say) -> Server:
    """Start it, with nothing in it, and wait until it serves.

    Raises:
        EmbeddedError: it does not start.
    """
    path = place.sockets / REDIS_SOCKET
    _answer(path, b"SHUTDOWN", b"NOSAVE")  # one of a killed run, where no leash ended it
    path.unlink(missing_ok=True)
    stop_signals = ((signal.SIGTERM, STOP_MAX_S),)
    if program := find_redis(place, say):
        # No persistence: Redis is the short memory and may forget. The socket's name is relative
        # because some versions split an absolute one at its spaces.
        kept = ["--save", "", "--appendonly", "no"]
        listen = ["--port", "0", "--unixsocket", REDIS_SOCKET, "--unixsocketperm", "700"]
        server = place.start("Redis", [program, *listen, *kept], stop_signals)
    else:
        say("No Redis server for this machine: the demo makes do with a slow imitation (fakeredis)")
        imitation: list[str | Path] = [sys.executable, "-m", "gateway.embedded.imitation", path]
        # As ourselves, for the servers' account may not reach our Python.
        server = place.start("Redis", imitation, stop_signals, ourselves())
    server.await_ready(lambda: _answer(path, b"PING") == b"+PONG\r\n")
    return server


def _answer(path: Path, *command: bytes) -> bytes:
    """What a Redis says to one command; nothing when there is none."""
    words = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(STOP_MAX_S)
            connection.connect(str(path))
            connection.sendall(b"*%d\r\n%s" % (len(command), words))
            return connection.recv(64)
    except OSError:
        return b""
