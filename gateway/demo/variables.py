"""The CHASKI_… variables of a demonstration's processes."""

from __future__ import annotations

import json

from gateway.embedded import Endpoints
from gateway.settings import (
    DEMO_PEPPER,
    DEMO_SESSION_SECRET,
    DEMO_TWILIO_TOKEN,
    DEMO_WEBHOOK_SECRET,
)

SHORT_CODE = "*775#"


def demo_variables(endpoints: Endpoints, port: int = 8080) -> dict[str, str]:
    """Of web and worker, and of whoever looks into it."""
    return {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": endpoints.app_url,
        "CHASKI_STAFF_DATABASE_URL": endpoints.staff_url,
        "CHASKI_SESSIONS_URL": endpoints.sessions_url,
        "CHASKI_QUEUE_URL": endpoints.queue_url,
        "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
        "CHASKI_TWILIO_AUTH_TOKENS": DEMO_TWILIO_TOKEN,
        "CHASKI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
        "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
        "CHASKI_SHORT_CODE": SHORT_CODE,
        "CHASKI_PORT": str(port),
    }
