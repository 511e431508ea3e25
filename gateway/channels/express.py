"""A short way for a webhook that comes at every hop: a form in, a line of text out.

Of each request Flask makes a request object, a context, a route and a response: a third of all the
work of a hop. What is plain is answered in front of it, in the few lines below, through the same
walls and doors. Whatever is not (another method, another kind of body, one that is too long, an
address or a secret that opens nothing) goes on to Flask as it came, and Flask knows what to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from flask import Flask

from gateway.bounds import BODY_BYTES_MAX, FORM_FIELDS_MAX
from gateway.channels.doors import Counter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Form = Mapping[str, str]
# Whether a request may come in, by the address that is connected to us and its X-Forwarded-For.
LetsIn = Callable[[str, str], bool]

_KIND = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class ShortWay:
    """One webhook, `POST {prefix}{secret}`.

    Args:
        prefix: of its path, with the slash at the end.
        behind: whose secret it is.
        at_once: the body to a form that nobody has time to read; None: somebody has. Where many
            come, most of the work would else be for those who are told to go. Never raises.
        answer: the body to a form. Never raises.
    """

    prefix: str
    behind: Callable[[str], Counter | None]
    at_once: Callable[[Counter, str], str | None]
    answer: Callable[[Counter, Form], str]


def in_front(app: Flask, way: ShortWay, lets_in: LetsIn) -> None:
    """Answer this webhook before the application does."""
    flask = app.wsgi_app

    def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        secret = environ["PATH_INFO"].removeprefix(way.prefix) if _meant(environ, way) else ""
        # In this order, as behind Flask: the address, the secret, and only then the body.
        if not secret or not lets_in(*_from(environ)) or not (gateway := way.behind(secret)):
            return flask(environ, start_response)
        said = _said(environ, way, gateway)
        if said is None:
            return flask(environ, start_response)
        body = said.encode()
        kind, length = "text/plain; charset=utf-8", str(len(body))
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", length)])
        return [body]

    app.wsgi_app = serve  # type: ignore[method-assign]  # as Flask's manual puts a layer around it


def _meant(environ: Mapping[str, Any], way: ShortWay) -> bool:
    path: str = environ["PATH_INFO"]
    return (
        environ["REQUEST_METHOD"] == "POST"
        and path.startswith(way.prefix)
        and environ.get("CONTENT_TYPE", "").partition(";")[0] == _KIND
    )


def _from(environ: Mapping[str, Any]) -> tuple[str, str]:
    return environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")


def _said(environ: dict[str, Any], way: ShortWay, gateway: Counter) -> str | None:
    """What is said to a form. None where it is not so plain; what was read is there to be read
    again."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit() and int(length) <= BODY_BYTES_MAX):
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    try:
        text = body.decode()
        if (full := way.at_once(gateway, text)) is not None:
            return full
        form = fields(text)
    except ValueError:
        return None
    return way.answer(gateway, form)


def fields(form: str) -> Form:
    """As `urllib.parse.parse_qsl` reads a form, in half its time, and of a name's values the
    first.

    Raises:
        ValueError: there are too many, or what was escaped is no text.
    """
    pairs = form.split("&")
    if len(pairs) > FORM_FIELDS_MAX:
        raise ValueError("too many fields")
    found: dict[str, str] = {}
    for pair in pairs:
        if pair:
            name, _, value = pair.partition("=")
            if "%" in pair or "+" in pair:
                name, value = _plain(name), _plain(value)
            found.setdefault(name, value)
    return found


def _plain(escaped: str) -> str:
    return unquote_to_bytes(escaped.replace("+", " ")).decode()
