"""Listening on the loopback interface, in a thread."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from gateway.ledger.fineract.standin.app import PREFIX, Double, create_app
from gateway.ledger.fineract.standin.faults import Plan
from gateway.ledger.fineract.standin.world import World

_HOST = "127.0.0.1"
_POLL_S = 1 / 50  # how soon it notices that it is stopped


class _Quietly(WSGIRequestHandler):
    """Connections are kept, as a real server does, and no request is printed."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing: a line would have a member in it."""


class StandIn:
    """A loopback Fineract that runs while it is entered.

    Args:
        today: its business date.
        port: where it listens; 0 takes one that is free.
        newer_than_1_14: it undoes transfers.
    """

    def __init__(self, today: dt.date, port: int = 0, *, newer_than_1_14: bool = False) -> None:
        self.world = World(today, newer_than_1_14=newer_than_1_14)
        self.plan = Plan()
        self.double = Double(self.world, self.plan)
        app = create_app(self.double)
        self._server = make_server(_HOST, port, app, threaded=True, request_handler=_Quietly)
        self.root = f"http://{_HOST}:{self._server.server_port}"
        self.url = self.root + PREFIX

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
