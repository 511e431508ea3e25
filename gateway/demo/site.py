"""What `chaski serve` serves in a demonstration: the gateway as it is, and the page of phones."""

from __future__ import annotations

from flask import Flask

from gateway import bootstrap
from gateway.demo import phone_page
from gateway.settings import DEMO_WEBHOOK_SECRET, Settings, load


def wsgi() -> Flask:
    """The application, for a WSGI server.

    Raises:
        SettingsError: the environment is not usable.
    """
    return with_phones(bootstrap.wsgi(), load())


def with_phones(app: Flask, settings: Settings) -> Flask:
    """The same application and the page of phones, which dial through the demo's secret: where a
    training has a secret of its own the page would tell it to everybody, so there is none."""
    if settings.demo and DEMO_WEBHOOK_SECRET in settings.secrets:
        app.register_blueprint(phone_page.routes(settings.short_code, DEMO_WEBHOOK_SECRET))
    return app
