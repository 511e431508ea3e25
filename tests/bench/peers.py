"""What the gateway is measured against in Flask: as bare as it can be."""

from __future__ import annotations

import os

import redis
from flask import Flask, Response, request

_SCREEN = "CON Hola Rosa\n1. Saldo\n2. Enviar dinero\n3. Credito\n4. Movimientos\n5. Mas / More"
_IDLE_S = 180


def constant() -> Flask:
    """Answers always the same, and reads nothing."""
    app = Flask("constant", static_folder=None)

    @app.post("/")
    def hop() -> Response:
        return Response(_SCREEN, content_type="text/plain; charset=utf-8")

    return app


def two_trips() -> Flask:
    """Reads the form, fetches the session from Redis, and puts it back."""
    app = Flask("two_trips", static_folder=None)
    client = redis.Redis.from_url(os.environ["BENCH_REDIS_URL"])

    @app.post("/")
    def hop() -> Response:
        key = f"peer:{request.form['sessionId']}"
        client.get(key)
        client.set(key, request.form["text"], ex=_IDLE_S)
        return Response(_SCREEN, content_type="text/plain; charset=utf-8")

    return app
