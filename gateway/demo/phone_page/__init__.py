"""Feature phones drawn in a page. They dial the gateway through its real webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, send_from_directory

from gateway.bounds import (
    SCREEN_SEPTETS,
    SCREEN_SEPTETS_HARD,
    SESSION_IDLE_S,
    SESSION_TOTAL_S,
    SMS_SEGMENT_SEPTETS,
)
from gateway.demo.cooperative import PEOPLE

STATIC = Path(__file__).parent / "static"

# The page is files of its own and nothing else: no script or style stands in its text, nothing
# comes from elsewhere or goes there, no other page frames it, and no text becomes markup.
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            *("script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
            *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
            "require-trusted-types-for 'script'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # whoever changes a file and reloads sees it
}

_KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}


def routes(short_code: str, secret: str) -> Blueprint:
    """The page, its files, and what its phones have to know.

    Args:
        short_code: what they dial.
        secret: what stands in the webhooks' paths; whoever sees the page learns it.
    """
    blueprint = Blueprint("phone_page", __name__, url_prefix="/phone")

    @blueprint.get("")
    def page() -> Response:
        return _file("phone.html")

    @blueprint.get("/<name>")
    def part(name: str) -> Response:
        return _file(name)

    @blueprint.get("/demo.json")
    def known() -> Response:
        return jsonify(what_phones_know(short_code, secret))

    @blueprint.after_request
    def guarded(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return blueprint


def what_phones_know(short_code: str, secret: str) -> dict[str, Any]:
    """The service, the network's bounds, and whose phones there are. Everybody may know the PINs:
    they are a demonstration's."""
    return {
        "short_code": short_code,
        "secret": secret,
        "screen_septets": SCREEN_SEPTETS,
        "screen_septets_hard": SCREEN_SEPTETS_HARD,
        "sms_septets": SMS_SEGMENT_SEPTETS,
        "idle_s": SESSION_IDLE_S,
        "total_s": SESSION_TOTAL_S,
        "people": [
            {
                "name": f"{person.called} {person.last_names.split()[0]}",
                "called": person.called,
                "msisdn": person.msisdn,
                "pin": person.pin,
            }
            for person in PEOPLE
        ],
    }


def _file(name: str) -> Response:
    kind = _KINDS.get(Path(name).suffix) or abort(404)
    return send_from_directory(STATIC, name, mimetype=kind)
