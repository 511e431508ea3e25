"""Health and figures of the process that holds the lines: the same pages as the web's, and what
each bind is doing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping

from flask import Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.serving import WSGIRequestHandler, make_server


def pages(
    checks: Mapping[str, Callable[[], bool]],
    states: Callable[[], Mapping[str, str]],
    registry: CollectorRegistry,
) -> Flask:
    """The application.

    Args:
        checks: what readiness asks, by name.
        states: what each bind is doing.
        registry: what `/metrics` shows.
    """
    app = Flask("chaski-smpp", static_folder=None)

    @app.get("/health/live")
    def live() -> Response:
        """The process answers."""
        return jsonify(live=True)

    @app.get("/health/ready")
    def ready() -> tuple[Response, int]:
        """Whether a member could be served on every line, and what keeps it from it."""
        found = {name: check() for name, check in checks.items()}
        fine = all(found.values())
        return jsonify(ready=fine, checks=found, binds=dict(states())), 200 if fine else 503

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return app


class PageServer:
    """Serves an application in threads of its own, for whoever operates the process.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, app: Flask, host: str, port: int) -> None:
        # Our own socket: of a port that is taken werkzeug makes an exit.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family) as listening:
            self._server = make_server(
                host, port, app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
            )
        self._thread = threading.Thread(target=self._server.serve_forever, name="pages")

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, if it ever did."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Quiet(WSGIRequestHandler):
    """A scrape every few seconds is no news."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass
