"""The web application: webhooks, health, metrics, and in the demo a phone's inbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from gateway.bounds import BODY_BYTES_MAX, FORM_FIELDS_MAX
from gateway.driver import Gateway
from gateway.values.msisdn import NotAMobileError, caller

Inbox = Callable[[str], list[Any]]


def create_app(
    gateways: Sequence[Gateway],
    webhooks: Sequence[Blueprint],
    registry: CollectorRegistry,
    inbox: Inbox | None = None,
    mounted: Mapping[str, Flask] = MappingProxyType({}),
) -> Flask:
    """The application that serves these cooperatives.

    Args:
        gateways: one a cooperative.
        webhooks: what the networks call.
        registry: what `/metrics` shows.
        inbox: the SMS that a phone received, oldest first; only the demo has one.
        mounted: applications of their own, by the path below which each is: their cookies and
            headers are not the others'.
    """
    app = Flask("chaski", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX,
        MAX_FORM_PARTS=FORM_FIELDS_MAX,
    )
    if mounted:
        app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
            app.wsgi_app, {path: inner.wsgi_app for path, inner in mounted.items()}
        )
    for blueprint in webhooks:  # their short ways are in front of all that
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
        """Whether a member could be served now, and what keeps others from it: a cooperative whose
        database is away takes no other one's service down with it.

        A core that is away does not: menus, PINs and orders go on without it, balances are the last
        known, and every other process has the same core. A load balancer that took this one out
        would only make it worse; so it is named, in `beside`, and an alarm can look at it."""
        found = {gateway.cooperative: gateway for gateway in gateways}
        needed = {whose: _asked(one.checks) for whose, one in found.items()}
        beside = {whose: _asked(one.beside) for whose, one in found.items()}
        fine = any(all(checks.values()) for checks in needed.values())
        return _readiness(fine, _named(needed), _named(beside))

    @app.get("/health/ready/<cooperative>")
    def ready_for(cooperative: str) -> tuple[Response, int]:
        """The same of one cooperative."""
        one = next((one for one in gateways if one.cooperative == cooperative), None)
        if one is None:
            abort(404)
        checks = _asked(one.checks)
        return _readiness(all(checks.values()), checks, _asked(one.beside))

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _asked(checks: Mapping[str, Callable[[], bool]]) -> dict[str, bool]:
    return {name: check() for name, check in checks.items()}


def _named(found: Mapping[str, Mapping[str, bool]]) -> dict[str, bool]:
    return {f"{whose}.{name}": fine for whose, of in found.items() for name, fine in of.items()}


def _readiness(
    ready: bool,  # noqa: FBT001
    checks: Mapping[str, bool],
    beside: Mapping[str, bool],
) -> tuple[Response, int]:
    said = {"ready": ready, "checks": checks, **({"beside": beside} if beside else {})}
    return jsonify(said), 200 if ready else 503


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
