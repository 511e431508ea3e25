"""The web application: webhooks, health, metrics, and in the demo a phone's inbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.exceptions import HTTPException

from gateway.bounds import BODY_BYTES_MAX, FORM_FIELDS_MAX
from gateway.driver import Gateway
from gateway.values.msisdn import NotAMobileError, caller

Inbox = Callable[[str], list[Any]]


def create_app(
    gateways: Sequence[Gateway],
    webhooks: Sequence[Blueprint],
    registry: CollectorRegistry,
    inbox: Inbox | None = None,
) -> Flask:
    """The application that serves these cooperatives.

    Args:
        gateways: one a cooperative.
        webhooks: what the networks call.
        registry: what `/metrics` shows.
        inbox: the SMS that a phone received, oldest first; only the demo has one.
    """
    app = Flask("chaski", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX,
        MAX_FORM_PARTS=FORM_FIELDS_MAX,
    )
    for blueprint in webhooks:
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _plainly)
    _operations(app, gateways, registry)
    if inbox is not None:
        _simulator(app, inbox)
    return app


def _operations(app: Flask, gateways: Sequence[Gateway], registry: CollectorRegistry) -> None:
    @app.get("/health/live")
    def live() -> Response:
        """The process answers. Says nothing of what it depends on: restarting would not mend
        that."""
        return jsonify(live=True)

    @app.get("/health/ready")
    def ready() -> tuple[Response, int]:
        """Whether a member could be served now, and what keeps it from it.

        A core that is away does not: menus, PINs and orders go on without it, balances are the last
        known, and every other process has the same core. A load balancer that took this one out
        would only make it worse; so it is named, in `beside`, and an alarm can look at it."""
        needed = {
            f"{gateway.cooperative}.{name}": check()
            for gateway in gateways
            for name, check in gateway.checks.items()
        }
        beside = {
            f"{gateway.cooperative}.{name}": check()
            for gateway in gateways
            for name, check in gateway.beside.items()
        }
        fine = all(needed.values())
        said = {"ready": fine, "checks": needed, **({"beside": beside} if beside else {})}
        return jsonify(said), 200 if fine else 503

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _simulator(app: Flask, inbox: Inbox) -> None:
    @app.get("/simulator/inbox/<msisdn>")
    def read_inbox(msisdn: str) -> Response:
        """The SMS that this phone received, oldest first."""
        try:
            return jsonify(inbox(caller(msisdn).e164))
        except NotAMobileError:
            abort(404)


def _plainly(error: HTTPException) -> Response:
    """Errors of HTTP in one line of text: whoever reads them is an engineer with curl."""
    return Response(f"{error.code} {error.name}\n", status=error.code, content_type="text/plain")
