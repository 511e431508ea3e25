"""The short way in front of Flask: what it answers, and what it leaves to Flask as it came."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from flask import Flask, request
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from gateway.bounds import BODY_BYTES_MAX, FORM_FIELDS_MAX
from gateway.channels.doors import Counter
from gateway.channels.express import Form, ShortWay, fields, in_front
from tests.channels.smpp.desk import Desk

FORM = "application/x-www-form-urlencoded"


def _app() -> Flask:
    """Says which way a request went, and what it held."""
    app = Flask("test")
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = BODY_BYTES_MAX

    @app.route("/<path:path>", methods=["GET", "POST"])
    def slow(path: str) -> str:
        return f"slow {path} {request.form.get('text')}"

    def quick(gateway: Counter, form: Form) -> str:
        return f"quick {gateway.cooperative} {form.get('text')}"

    def full(gateway: Counter, form: str) -> str | None:
        return f"{gateway.cooperative} is full" if form.startswith("many") else None

    desk = Desk()
    way = ShortWay("/ussd/", lambda secret: desk if secret == "right" else None, full, quick)
    in_front(app, way, lambda peer, forwarded: True)
    return app


def _post(path: str, body: bytes, kind: str = FORM) -> TestResponse:
    return _app().test_client().post(path, data=body, content_type=kind)


@pytest.mark.parametrize(
    ("path", "body", "kind", "said"),
    [
        ("/ussd/wrong", b"text=1", FORM, "slow ussd/wrong 1"),
        ("/ussd/right/events", b"text=1", FORM, "slow ussd/right/events 1"),
        ("/sms/right", b"text=1", FORM, "slow sms/right 1"),
        ("/ussd/right", b'{"text": 1}', "application/json", "slow ussd/right None"),
        ("/ussd/right", b"text=%FF", FORM, "slow ussd/right %FF"),
        ("/ussd/right", b"&".join([b"a=1"] * (FORM_FIELDS_MAX + 1)), FORM, "slow ussd/right None"),
    ],
)
def test_what_is_not_so_plain_reaches_flask_as_it_came(
    path: str, body: bytes, kind: str, said: str
) -> None:
    response = _post(path, body, kind)
    assert (response.status_code, response.text) == (200, said)


def test_a_body_that_is_too_long_is_refused_as_flask_refuses_it() -> None:
    assert _post("/ussd/right", b"text=" + b"1" * BODY_BYTES_MAX).status_code == 413


def test_what_is_asked_for_by_get_is_no_form() -> None:
    response = _app().test_client().get("/ussd/right?text=1")
    assert response.text == "slow ussd/right None"


def test_a_body_without_a_length_is_left_to_flask() -> None:
    builder = EnvironBuilder("/ussd/right", method="POST", data=b"text=1", content_type=FORM)
    environ = builder.get_environ()
    del environ["CONTENT_LENGTH"]
    said, _, _ = run_wsgi_app(_app(), environ)
    assert b"".join(said).startswith(b"slow ussd/right")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", None),
        (b"text=", ""),
        (b"text=1*2&other=x", "1*2"),
        (b"text=first&text=second", "first"),
        ("text=%C3%B1+ñ".encode(), "ñ ñ"),
    ],
)
def test_a_plain_form_is_answered_in_front(body: bytes, text: str | None) -> None:
    response = _post("/ussd/right", body, f"{FORM}; charset=utf-8")
    assert response.text == f"quick norandino {text}"
    assert response.content_type == "text/plain; charset=utf-8"


@pytest.mark.parametrize("body", [b"many=1&text=", b"many=%FF", b"many&" * 2_000])
def test_who_cannot_be_let_in_is_told_so_before_the_form_is_read(body: bytes) -> None:
    assert _post("/ussd/right", body).text == "norandino is full"


class TestFields:
    @pytest.mark.parametrize(
        "form",
        ["text=%FF", "%C3=1", "text=%E2%82", "&".join(["a=1"] * (FORM_FIELDS_MAX + 1))],
        ids=["no text", "no text in a name", "half a letter", "too many"],
    )
    def test_are_not_read_from_what_is_no_form(self, form: str) -> None:
        with pytest.raises(ValueError, match=r"too many|codec"):
            fields(form)

    @given(form=st.text(st.sampled_from("ab1 &=+%25CcA39é#*;"), max_size=40))
    @example(form="text=1%2A2&text=3")
    @example(form="phoneNumber=%2B51987000001&text=")
    @example(form="phoneNumber=+51987000001&text")
    @example(form="&&=&=1&a==b")
    def test_are_what_the_standard_library_reads(self, form: str) -> None:
        try:
            read = parse_qsl(form, keep_blank_values=True, errors="strict")
        except ValueError:
            with pytest.raises(ValueError, match=r"too many|codec"):
                fields(form)
        else:
            assert fields(form) == dict(reversed(read))
