"""The whole web application, asked for anything, in front of a cooperative that only listens.

Whatever comes: never a 500, and never the path's secret or what a member typed in a log line.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from gateway.bounds import BODY_BYTES_MAX
from gateway.cores import core_doors
from gateway.db.pool import Database, DatabaseUnavailableError, Row
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.settings import Settings
from gateway.values.delivery import Report
from gateway.values.turn import Reply, Text, Turn
from gateway.web import create_app
from tests.fuzz.parsers import Target, loose, typed

SECRET = "0123456789-the-secret-of-a-path"
PIN = "48261593"  # longer than real ones, so that it is in no number by chance
TOKEN = "the-token-that-signs"
BASE = "http://127.0.0.1:8080"

_OK = frozenset({200, 202, 204, 400, 403, 404, 405, 408, 411, 413, 414, 415, 429, 503})


@dataclass
class Listener:
    """A cooperative that takes whatever it is brought, as far as it can be said over again."""

    cooperative: str = "norandino"
    webhook_secrets: tuple[str, ...] = (SECRET, f"{SECRET}-of-tomorrow")
    short_code: str = "*775#"
    checks: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    takes: bool = True

    def take(self, turn: Turn) -> Reply:
        return Reply("1. Saldo\n2. Enviar", ends=False, screen="home", outcome="ok")

    def busy(self, channel: str) -> Reply:
        return Reply("Espera", ends=True, screen="busy", outcome="shed")

    def misunderstood(self, channel: str, field: str) -> Reply:
        logging.getLogger("desk").warning("not a hop: %s %s", channel, field)
        return Reply("Marca otra vez", ends=True, screen="restart", outcome="not_a_hop")

    def session_ended(
        self, channel: str, account: str, session_id: str, status: str, hops: int
    ) -> None:
        assert len(session_id) <= 128

    def receive(self, text: Text) -> bool:
        return self.takes

    def reported(self, report: Report) -> bool:
        assert len(report.reason) <= 100
        return self.takes


class _Away(Database):
    """A PostgreSQL that is not there."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def call(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        json.dumps(params, default=str).encode()  # it could be said over again
        raise DatabaseUnavailableError("away")


_PATHS = st.one_of(
    st.sampled_from(
        [
            f"/ussd/africastalking/{SECRET}",
            f"/ussd/africastalking/{SECRET}/events",
            f"/sms/africastalking/{SECRET}",
            f"/sms/africastalking/{SECRET}/reports",
            f"/sms/infobip/{SECRET}",
            f"/sms/infobip/{SECRET}/reports",
            "/sms/twilio",
            "/sms/twilio/status",
            f"/core/fineract/{SECRET}/hooks/",
            "/core/fineract/messages/sms",
            "/core/fineract/messages/sms/report",
            "/core/fineract/messages/smsbridges",
            "/health/live",
            "/health/ready",
            "/metrics",
        ]
    ),
    st.builds(
        lambda session, event: f"/ussd/infobip/{SECRET}/session/{session}/{event}",
        st.from_regex(r"[0-9A-Za-z_.~-]{1,20}", fullmatch=True)
        | st.sampled_from(["a%00b", "%FF", "x" * 200]),
        st.sampled_from(["start", "response", "end", "other"]),
    ),
    st.builds(
        lambda name: f"/ussd/http/{name}/{SECRET}",
        st.sampled_from(
            [*("arkesel", "crossgate", "hellio", "hubtel", "jazaafrica", "moolre", "nalo"), "none"]
        ),
    ),
    st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=60).map(
        lambda text: f"/{text}"
    ),
)
_NAMES = st.sampled_from(
    [
        *("sessionId", "phoneNumber", "text", "serviceCode", "networkCode", "input", "status"),
        *("hopsCount", "id", "from", "to", "date", "failureReason", "MessageSid", "From", "To"),
        *("Body", "MessageStatus", "ErrorCode", "AccountSid", "sessionID", "msisdn", "userData"),
        *("newSession", "USERID", "MSISDN", "USERDATA", "MSGTYPE", "SESSIONID", "Mobile", "Type"),
        *("SessionId", "Message", "Sequence", "ClientState", "Operator", "message", "ussd_id"),
        *("entityName", "actionName", "response", "resourceId", "savingsId", "loanId"),
        *("internalId", "mobileNumber", "providerId"),
    ]
)
_VALUES = st.one_of(typed, st.just(PIN), st.just("+51987000001"), st.just("START"))
_FORMS = st.dictionaries(_NAMES, _VALUES, max_size=12)
_JSONS = st.one_of(loose, st.dictionaries(_NAMES, st.one_of(_VALUES, loose), max_size=12))
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "X-Forwarded-For", "Content-Type", "X-Twilio-Signature", "Content-Length", "Host",
            "X-Twilio-Webhooks-Signature-Settings", "Content-Encoding", "Forwarded", "X-Real-Ip",
            "X-Http-Method-Override", "Transfer-Encoding", "Accept", "Cookie", "Range",
            "X-Fineract-Entity", "X-Fineract-Action",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
    | st.sampled_from(
        ["application/json", "multipart/form-data; boundary=x", "chunked", "-1", "gzip", "10.0.0.1"]
    ),
    max_size=4,
)  # fmt: skip
_CORE = {
    "Fineract-Platform-TenantId": "default",
    "Fineract-Tenant-App-Key": SECRET,
    "X-Fineract-Entity": "SAVINGSACCOUNT",
    "X-Fineract-Action": "DEPOSIT",
}
_METHODS = st.sampled_from(["POST"] * 6 + ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])


@given(
    path=_PATHS,
    method=_METHODS,
    body=st.one_of(
        st.binary(max_size=500),
        st.integers(1, 1_000).map(lambda depth: b"[" * depth),
        st.integers(BODY_BYTES_MAX - 3, BODY_BYTES_MAX + 3).map(lambda size: b"a" * size),
        st.integers(1, 200).map(lambda count: b"&a=1" * count),
    ),
    headers=_HEADERS,
)
def any_request(path: str, method: str, body: bytes, headers: dict[str, str]) -> None:
    """Bytes and headers of any kind."""
    _asked(path, method, data=body, headers=headers)


@given(path=_PATHS, method=_METHODS, form=_FORMS, headers=_HEADERS)
def any_form(path: str, method: str, form: dict[str, str], headers: dict[str, str]) -> None:
    """Forms of the fields that networks use."""
    headers.pop("Content-Length", None)
    _asked(path, method, data=_sayable(form), headers=headers)
    _asked(path.partition("?")[0], method, query_string=_sayable(form))


@given(path=_PATHS, row=_JSONS, listed=st.booleans())
def any_json(path: str, row: object, listed: bool) -> None:
    """JSON of the fields that networks use, some of it nested."""
    body = json.dumps({"results": [row, row]} if listed else row).encode()
    _asked(path, "POST", data=body, content_type="application/json", headers=_CORE)
    _asked(path, "POST", data=json.dumps([row, row]).encode(), headers=_CORE)


@given(form=_FORMS, query=st.sampled_from(["", "?a=1", "?bodySHA256=0", "?a=%FF"]))
def signed_forms(form: dict[str, str], query: str) -> None:
    """What Twilio itself would sign."""
    fields = _sayable(form)
    for path in ("/sms/twilio", "/sms/twilio/status"):
        signature = RequestValidator(TOKEN).compute_signature(BASE + path + query, fields)
        _asked(path + query, "POST", data=fields, headers={"X-Twilio-Signature": signature})


def targets() -> Mapping[str, Target]:
    """By name: what `scripts/fuzz` runs."""
    return {each.__name__: each for each in (any_request, any_form, any_json, signed_forms)}


def _asked(path: str, method: str, **request: Any) -> None:
    shown = _Lines()
    logging.getLogger().addHandler(shown)
    try:
        with capture_logs() as told:
            answer = _client().open(path, method=method, base_url=BASE, **request)
    finally:
        logging.getLogger().removeHandler(shown)
    assert answer.status_code in _OK, answer.status_code
    lines = f"{told} {shown.lines}"
    assert SECRET not in lines, "the path's secret was logged"
    assert PIN not in lines, "what a member typed was logged"
    if answer.status_code != 200 or not path.startswith(("/ussd", "/metrics")):
        assert SECRET not in answer.text, "the path's secret was answered"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _sayable(form: Mapping[str, str]) -> dict[str, str]:
    return {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}


@cache
def _client() -> FlaskClient:
    desk: Any = Listener()
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://nobody@localhost/none",
            "sessions_url": "redis://localhost",
            "queue_url": "redis://localhost",
            "webhook_secrets": ",".join(desk.webhook_secrets),
            "session_secret": "x" * 32,
            "pin_peppers": '{"1": "%s"}' % ("ab" * 32),
            "twilio_auth_tokens": TOKEN,
            "public_url": BASE,
            "allowed_networks": '{"http-nalo": ["10.0.0.0/8"]}',
            "trusted_proxies": "127.0.0.1",
            "fineract_hooks_secret": SECRET,
            "fineract_messages_key": SECRET,
            "fineract_url": "http://localhost/fineract-provider/api",
            "fineract_payment_type": 3,
            "fineract_user": "nobody",
            "fineract_password": "none",
            "demo": True,
        }
    )
    metrics = Metrics()
    core = core_doors([settings], lambda _: _Away(), metrics, lambda: dt.datetime.now(dt.UTC))
    app = create_app([desk], [*webhooks(settings, [desk], metrics), *core], metrics.registry)
    return app.test_client()
