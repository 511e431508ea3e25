"""Twilio's two webhooks: the refused ones first. Signed by Twilio's own validator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator
from twilio.rest.api.v2010.account.message import MessageInstance
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from gateway.bounds import BODY_BYTES_MAX
from gateway.channels.twilio.account import INBOUND_PATH, STATUS_PATH, TwilioAccount
from gateway.channels.twilio.sms import INBOUND_STATUSES, STATES, parse, proves, routes
from gateway.values.delivery import DeliveryState, Report
from gateway.values.turn import Reply, Text, Turn
from tests.people import ROSA, SEGUNDO

BASE = "https://sms.norandino.pe"
SID = "AC" + "1" * 32
TOKEN = "norandino-token"
SHARED_KEY = "norandino-shared-key"
ACCOUNT = TwilioAccount(SID, (TOKEN,), BASE)
DEMO = TwilioAccount("", ("demo-token",), "http://127.0.0.1:8080")
OURS = "+51900000001"

MESSAGE = {
    "MessageSid": "SM" + "a" * 32,
    "SmsSid": "SM" + "a" * 32,
    "AccountSid": SID,
    "MessagingServiceSid": "",
    "From": ROSA.msisdn,
    "To": OURS,
    "Body": "SALDO",
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsStatus": "received",
    "FromCity": "",
    "FromZip": "",
    "ApiVersion": "2010-04-01",
}
STATUS = {
    "MessageSid": "SM" + "b" * 32,
    "MessageStatus": "undelivered",
    "ErrorCode": "30003",
    "To": ROSA.msisdn,
    "From": OURS,
    "AccountSid": SID,
    "ApiVersion": "2010-04-01",
}

FORM = "application/x-www-form-urlencoded"
SHA256 = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_1,algorithm=HMAC_SHA256"}


@dataclass
class Desk:
    """A gateway that only remembers what a channel tells it."""

    cooperative: str = "norandino"
    webhook_secrets: tuple[str, ...] = ()
    takes: bool = True
    texts: list[Text] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    misread: list[tuple[str, str]] = field(default_factory=list)

    def receive(self, text: Text) -> bool:
        self.texts.append(text)
        return self.takes

    def reported(self, report: Report) -> bool:
        self.reports.append(report)
        return self.takes

    def misunderstood(self, channel: str, field: str) -> Reply:
        self.misread.append((channel, field))
        return Reply("", ends=True, screen="", outcome="not_a_hop")

    def take(self, turn: Turn) -> Reply:
        raise AssertionError("an SMS is no hop")

    def session_ended(self, *_: object) -> None:
        raise AssertionError("an SMS has no session")

    @property
    def heard(self) -> int:
        return len(self.texts) + len(self.reports) + len(self.misread)


class Twilio:
    """The caller, with a key and an address that it believes in."""

    def __init__(self, *accounts: tuple[TwilioAccount, Desk]) -> None:
        app = Flask(__name__)
        app.config.update(MAX_CONTENT_LENGTH=BODY_BYTES_MAX, MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX)
        app.register_blueprint(routes(accounts))
        self.client: FlaskClient = app.test_client()

    def calls(
        self,
        path: str,
        form: Mapping[str, str] | MultiDict[str, str],
        *,
        key: str = TOKEN,
        signed: Mapping[str, str] | MultiDict[str, str] | None = None,
        url: str = "",
        algorithm: str = HMAC_SHA1,
        **options: Any,
    ) -> TestResponse:
        """A request. `signed` and `url`: what was signed, where that is not what is sent."""
        signature = RequestValidator(key).compute_signature(
            url or BASE + path, form if signed is None else signed, algorithm
        )
        headers = {"X-Twilio-Signature": signature, **options.pop("headers", {})}
        return self.client.post(path, data=form, headers=headers, **options)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def twilio(desk: Desk) -> Twilio:
    return Twilio((ACCOUNT, desk))


@pytest.mark.parametrize("path", [INBOUND_PATH, STATUS_PATH])
@pytest.mark.parametrize(
    "lie",
    [
        {"key": "somebody-else"},
        {"key": SHARED_KEY},
        {"url": "http://sms.norandino.pe" + INBOUND_PATH},
        {"url": "https://evil.example" + INBOUND_PATH},
        {"url": BASE + "/sms/twilio/other"},
        {"url": BASE + INBOUND_PATH + "?extra=1"},
        {"url": BASE + ":8443" + INBOUND_PATH},
        {"signed": {}},
        {"signed": {**MESSAGE, "Body": "ENVIAR 987000002 50"}},
        {"signed": {name: value for name, value in MESSAGE.items() if value}},
        {"signed": {**MESSAGE, "New": "field"}},
        {"headers": {"X-Twilio-Signature": ""}},
        {"headers": {"X-Twilio-Signature": "ñandú"}},
        {"headers": {"X-Twilio-Signature": "A" * 10_000}},
        {"headers": SHA256},
        {"headers": SHA256, "algorithm": HMAC_SHA256},
        {"headers": SHA256, "algorithm": HMAC_SHA256, "key": ""},
        {"headers": {"X-Twilio-Webhooks-Signature-Settings": "algorithm=none"}},
        {"headers": {"X-Twilio-Webhooks-Signature-Settings": f"key={TOKEN},algorithm=MD5"}},
        {"url": "https://evil.example" + INBOUND_PATH, "headers": {"Host": "evil.example"}},
        {
            "url": "https://evil.example" + INBOUND_PATH,
            "headers": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        },
    ],
)
def test_what_our_twilio_did_not_sign_is_refused(
    twilio: Twilio, desk: Desk, path: str, lie: dict[str, Any]
) -> None:
    """Whatever it says, and wherever it says it comes from."""
    form = MESSAGE if path == INBOUND_PATH else STATUS
    url = lie.get("url", "").replace(INBOUND_PATH, path)

    response = twilio.calls(path, form, **{**lie, "url": url})

    assert response.status_code == 403
    assert desk.heard == 0


@pytest.mark.parametrize(
    "form",
    [
        {**MESSAGE, "AccountSid": "AC" + "2" * 32},
        {**MESSAGE, "AccountSid": ""},
        {name: value for name, value in MESSAGE.items() if name != "AccountSid"},
        {},
    ],
)
def test_a_message_of_no_account_of_ours_is_refused_though_it_is_signed(
    twilio: Twilio, desk: Desk, form: dict[str, str]
) -> None:
    assert twilio.calls(INBOUND_PATH, form).status_code == 403
    assert desk.heard == 0


@pytest.mark.parametrize("path", [INBOUND_PATH, STATUS_PATH])
@pytest.mark.parametrize(
    ("query", "content_type", "body"),
    [
        ("", "application/json", b"{}"),
        ("", "application/json; charset=utf-8", b"\xff"),
        ("", "text/plain", b"Body=SALDO"),
        ("", "", b"Body=SALDO"),
        ("", "multipart/form-data; boundary=x", b"--x--"),
        ("?bodySHA256=" + "0" * 64, "application/json", b"{}"),
        ("?bodySHA256=" + "0" * 64, "application/x-www-form-urlencoded", b""),
        ("?BODYsha256=", "application/x-www-form-urlencoded", b"Body=SALDO"),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    twilio: Twilio, desk: Desk, path: str, query: str, content_type: str, body: bytes
) -> None:
    """The validator looks at the address alone then, and a stranger would choose the rest."""
    signature = RequestValidator(TOKEN).compute_signature(BASE + path + query, {})

    response = twilio.client.post(
        path + query,
        data=body,
        content_type=content_type,
        headers={"X-Twilio-Signature": signature},
    )

    assert response.status_code == 403
    assert desk.heard == 0


@pytest.mark.parametrize("name", ["bodySHA256", "BODYsha256"])
@pytest.mark.parametrize("path", [INBOUND_PATH, STATUS_PATH])
def test_a_hash_in_the_query_stands_for_no_form(desk: Desk, path: str, name: str) -> None:
    """Also where no account is named, so that an empty form claims to be ours."""
    twilio = Twilio((DEMO, desk))
    url = DEMO.address(path)

    for query, status in ((f"?{name}=" + "0" * 64, 403), ("", 200)):
        response = twilio.calls(
            path + query, {}, key="demo-token", url=url + query, content_type=FORM
        )
        assert response.status_code == status


def test_why_a_webhook_was_refused_is_told_to_the_engineer_and_nothing_private(
    twilio: Twilio,
) -> None:
    with capture_logs() as logs:
        twilio.calls(INBOUND_PATH, {**MESSAGE, "Body": "PIN 4826"}, key="wrong")
        twilio.client.post(INBOUND_PATH, json={"Body": "PIN 4826", "From": ROSA.msisdn})

    assert [line["why"] for line in logs] == ["signature", "not_a_form"]
    assert "4826" not in str(logs)
    assert ROSA.msisdn not in str(logs)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_not_allowed(twilio: Twilio, method: str) -> None:
    assert twilio.client.open(INBOUND_PATH, method=method).status_code == 405


def test_a_body_larger_than_any_webhooks_is_refused_before_it_is_read(twilio: Twilio) -> None:
    form = {**MESSAGE, "Body": "1" * 100_000}

    assert twilio.calls(INBOUND_PATH, form).status_code == 413


def test_rosas_text_is_taken_and_answered_with_nothing(twilio: Twilio, desk: Desk) -> None:
    """The answer goes out by another way: an answer in here would be given at each repeat."""
    response = twilio.calls(INBOUND_PATH, MESSAGE)

    assert response.status_code == 200
    assert response.mimetype == "text/xml"
    assert response.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    (text,) = desk.texts
    assert (text.origin.channel, text.origin.account) == ("twilio", SID)
    assert text.origin.session_id == MESSAGE["MessageSid"]
    assert text.origin.msisdn.e164 == ROSA.msisdn
    assert (text.to, text.said.text) == (OURS, "SALDO")
    assert "SALDO" not in repr(text)


def test_a_message_that_comes_again_has_the_same_name(twilio: Twilio, desk: Desk) -> None:
    """By which the gateway answers it once."""
    for _ in range(3):
        assert twilio.calls(INBOUND_PATH, MESSAGE).status_code == 200

    assert len({text.origin for text in desk.texts}) == 1


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ({}, {"url": BASE + ":443" + INBOUND_PATH}),
        ({}, {"headers": {"Host": "10.0.0.7:8080"}}),
        ({"New": "field", "Empty": ""}, {}),
        ({"Body": ""}, {}),
        ({"Body": "¿Cuánto tengo? ñandú 🌽"}, {}),
        ({"Body": "a&b=c+d%20e\r\n*#"}, {}),
        ({"Body": "x" * 10_000}, {}),
        ({"To": "77500"}, {}),
        ({"OptOutType": "STOP", "Body": "STOP"}, {}),
    ],
)
def test_what_twilio_signed_is_taken(
    twilio: Twilio, desk: Desk, form: dict[str, str], options: dict[str, Any]
) -> None:
    """With and without the port, behind a proxy, with fields that nobody announced."""
    form = {**MESSAGE, **form}

    assert twilio.calls(INBOUND_PATH, form, **options).status_code == 200
    assert desk.texts[0].said.text == form["Body"]


def test_the_query_of_the_address_is_signed_too(twilio: Twilio, desk: Desk) -> None:
    """As it was sent, letter by letter."""
    path = INBOUND_PATH + "?b=%C3%B1+x&a="

    assert twilio.calls(path, MESSAGE).status_code == 200
    assert twilio.calls(path, MESSAGE, url=BASE + INBOUND_PATH).status_code == 403
    assert len(desk.texts) == 1


def test_a_field_that_comes_twice_is_signed_twice(twilio: Twilio, desk: Desk) -> None:
    form = MultiDict([*MESSAGE.items(), ("MediaUrl", "b"), ("MediaUrl", "a")])

    assert twilio.calls(INBOUND_PATH, form).status_code == 200
    assert twilio.calls(INBOUND_PATH, form, signed=MESSAGE).status_code == 403


def test_a_base_url_with_a_path_is_the_address_that_was_signed(desk: Desk) -> None:
    """A proxy in front may take the first part of a path away."""
    twilio = Twilio((TwilioAccount(SID, (TOKEN,), "https://norandino.pe/banca/"), desk))

    url = "https://norandino.pe/banca" + INBOUND_PATH
    assert twilio.calls(INBOUND_PATH, MESSAGE, url=url).status_code == 200


def test_while_a_token_is_replaced_the_old_and_the_new_one_are_valid(desk: Desk) -> None:
    twilio = Twilio((TwilioAccount(SID, ("new-token", TOKEN), BASE), desk))

    assert twilio.calls(INBOUND_PATH, MESSAGE, key="new-token").status_code == 200
    assert twilio.calls(INBOUND_PATH, MESSAGE, key=TOKEN).status_code == 200
    assert twilio.calls(INBOUND_PATH, MESSAGE, key="other").status_code == 403


@pytest.mark.parametrize(
    ("key", "algorithm", "headers", "status"),
    [
        (TOKEN, HMAC_SHA256, SHA256, 403),  # the header may not choose the key
        (SHARED_KEY, HMAC_SHA1, SHA256, 403),
        (SHARED_KEY, HMAC_SHA1, {}, 403),
        (SHARED_KEY, HMAC_SHA256, {}, 403),
        (SHARED_KEY, HMAC_SHA256, SHA256, 200),
        (TOKEN, HMAC_SHA1, {}, 200),
    ],
)
def test_a_shared_key_is_good_for_sha256_and_the_token_for_sha1(
    desk: Desk, key: str, algorithm: str, headers: dict[str, str], status: int
) -> None:
    twilio = Twilio((TwilioAccount(SID, (TOKEN,), BASE, SHARED_KEY), desk))

    response = twilio.calls(INBOUND_PATH, MESSAGE, key=key, algorithm=algorithm, headers=headers)

    assert response.status_code == status


@pytest.mark.parametrize(
    ("url", "signature", "settings", "valid"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "", True),
        (
            "https://mycompany.com:443/myapp.php?foo=1&bar=2",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            "",
            True,
        ),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "", False),
        ("https://mycompany.com/myapp.php?foo=1", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "", False),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=",
            "key=k,algorithm=HMAC_SHA256",
            True,
        ),
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=",
            "",
            False,
        ),
        ("https://[mycompany.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "", False),
    ],
)
def test_the_published_vectors(url: str, signature: str, settings: str, valid: bool) -> None:
    """Twilio's own example, and the same by SHA-256. The last one makes the validator raise."""
    account = TwilioAccount(SID, ("12345",), BASE, sha256_key="12345")
    form = MultiDict(
        {
            "CallSid": "CA1234567890ABCDE",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
            "Caller": "+14158675309",
        }
    )

    assert proves(account, url, form, signature, settings) is valid


def test_each_cooperative_hears_its_own_account(desk: Desk) -> None:
    """And the one's Twilio cannot speak to the other."""
    other_sid, other = "AC" + "2" * 32, Desk("cajasur")
    twilio = Twilio(
        (ACCOUNT, desk), (TwilioAccount(other_sid, ("other-token",), "https://cajasur.pe"), other)
    )
    form = {**MESSAGE, "AccountSid": other_sid}
    url = "https://cajasur.pe" + INBOUND_PATH

    assert twilio.calls(INBOUND_PATH, form, key="other-token", url=url).status_code == 200
    assert twilio.calls(INBOUND_PATH, form, key=TOKEN).status_code == 403
    assert (len(desk.texts), len(other.texts)) == (0, 1)


def test_two_cooperatives_cannot_share_an_account(desk: Desk) -> None:
    with pytest.raises(ValueError, match="subaccount"):
        routes([(ACCOUNT, desk), (ACCOUNT, Desk("cajasur"))])


def test_the_demo_has_no_account_sid_and_the_signature_alone_decides(desk: Desk) -> None:
    """Its token is known to everybody, and so is that production refuses it."""
    twilio = Twilio((DEMO, desk))
    url = DEMO.address(INBOUND_PATH)

    assert twilio.calls(INBOUND_PATH, MESSAGE, key="demo-token", url=url).status_code == 200
    assert twilio.calls(INBOUND_PATH, MESSAGE, key=TOKEN, url=url).status_code == 403
    assert desk.texts[0].origin.account == "norandino"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"MessageSid": None}, "MessageSid"),
        ({"MessageSid": ""}, "MessageSid"),
        ({"MessageSid": "SM 1"}, "MessageSid"),
        ({"MessageSid": "S" * 129}, "MessageSid"),
        ({"MessageSid": "SM\x00"}, "MessageSid"),
        ({"Body": None}, "Body"),
    ],
)
def test_a_form_that_is_no_message_says_which_field(
    twilio: Twilio, desk: Desk, change: dict[str, str | None], field: str
) -> None:
    """And is not brought again: it would be no better."""
    form = {name: value for name, value in {**MESSAGE, **change}.items() if value is not None}

    assert twilio.calls(INBOUND_PATH, form).status_code == 200
    assert desk.misread == [("twilio", field)]
    assert desk.texts == []


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "NORANDINO",
        "77500",
        "+51",
        "+5144123456",
        "+51073204050",
        "whatsapp:+51987000001",
        "+519870000010000",
        "987000001 OR 1=1",
        "+" * 10_000,
    ],
)
def test_who_has_no_mobile_is_heard_by_nobody(twilio: Twilio, desk: Desk, sender: str) -> None:
    """A landline, a short code, an advertiser's name: an answer would cost, or be answered."""
    with capture_logs() as logs:
        response = twilio.calls(INBOUND_PATH, {**MESSAGE, "From": sender, "Body": "PIN 4826"})

    assert response.status_code == 200
    assert desk.heard == 0
    assert [line["event"] for line in logs] == ["sms_not_from_a_mobile"]
    assert "4826" not in str(logs)
    assert not sender or sender not in str(logs)


def test_a_text_that_cannot_be_taken_now_is_brought_again(twilio: Twilio, desk: Desk) -> None:
    desk.takes = False

    assert twilio.calls(INBOUND_PATH, MESSAGE).status_code == 503
    assert twilio.calls(STATUS_PATH, STATUS).status_code == 503


def test_every_status_of_twilios_enum_is_known() -> None:
    """Those of messages to us are no reports."""
    enum = {value for name, value in vars(MessageInstance.Status).items() if name.isupper()}

    assert STATES.keys() | INBOUND_STATUSES == enum
    assert STATES.keys() & INBOUND_STATUSES == set()
    ranks = [STATES[status].rank for status in ("queued", "sending", "sent", "delivered")]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    "change",
    [
        {"MessageStatus": "exploded"},
        {"MessageStatus": "Delivered"},
        {"MessageStatus": ""},
        {"MessageStatus": "x" * 10_000},
        {"MessageSid": ""},
    ],
)
def test_a_status_that_nobody_knows_is_noted_and_not_brought_again(
    twilio: Twilio, desk: Desk, change: dict[str, str]
) -> None:
    with capture_logs() as logs:
        response = twilio.calls(STATUS_PATH, {**STATUS, **change})

    assert response.status_code == 200
    assert desk.heard == 0
    assert [line["event"] for line in logs] == ["report_not_understood"]
    assert len(str(logs)) < 500
    assert ROSA.msisdn not in str(logs)


@pytest.mark.parametrize("status", sorted(INBOUND_STATUSES))
def test_the_status_of_a_message_to_us_is_no_report(
    twilio: Twilio, desk: Desk, status: str
) -> None:
    with capture_logs() as logs:
        assert twilio.calls(STATUS_PATH, {**STATUS, "MessageStatus": status}).status_code == 200

    assert (desk.heard, logs) == (0, [])


@pytest.mark.parametrize(
    ("change", "state", "reason", "opted_out"),
    [
        ({}, DeliveryState.FAILED, "30003", False),
        ({"ErrorCode": ""}, DeliveryState.FAILED, "undelivered", False),
        ({"ErrorCode": "drop table"}, DeliveryState.FAILED, "undelivered", False),
        ({"ErrorCode": "3" * 4_000}, DeliveryState.FAILED, "undelivered", False),
        ({"MessageStatus": "canceled", "ErrorCode": ""}, DeliveryState.FAILED, "canceled", False),
        ({"MessageStatus": "failed", "ErrorCode": "21610"}, DeliveryState.FAILED, "21610", True),
        ({"MessageStatus": "delivered", "ErrorCode": ""}, DeliveryState.DELIVERED, "", False),
        ({"MessageStatus": "read"}, DeliveryState.DELIVERED, "", False),
        ({"MessageStatus": "partially_delivered"}, DeliveryState.SENT, "", False),
        ({"MessageStatus": "sent", "ErrorCode": "0"}, DeliveryState.SENT, "", False),
        ({"MessageStatus": "queued"}, DeliveryState.ACCEPTED, "", False),
    ],
)
def test_a_status_is_a_report(
    twilio: Twilio,
    desk: Desk,
    change: dict[str, str],
    state: DeliveryState,
    reason: str,
    opted_out: bool,
) -> None:
    assert twilio.calls(STATUS_PATH, {**STATUS, **change}).status_code == 200

    sid = STATUS["MessageSid"]
    assert desk.reports == [Report("twilio", sid, state, reason, opted_out)]


def test_reports_in_any_order_all_reach_the_gateway(twilio: Twilio, desk: Desk) -> None:
    """Which keeps the highest rank."""
    for status in ("delivered", "sent", "queued", "delivered"):
        twilio.calls(STATUS_PATH, {**STATUS, "MessageStatus": status})

    assert max(report.state.rank for report in desk.reports) == DeliveryState.DELIVERED.rank
    assert len(desk.reports) == 4


@pytest.mark.parametrize(
    ("tokens", "base"),
    [
        ((), BASE),
        (("",), BASE),
        (("token", ""), BASE),
        ((TOKEN,), ""),
        ((TOKEN,), "sms.norandino.pe"),
        ((TOKEN,), "ftp://norandino.pe"),
        ((TOKEN,), "https://"),
        ((TOKEN,), "https://norandino.pe/?a=1"),
        ((TOKEN,), "https://norandino.pe#rc=2"),
        ((TOKEN,), "https://user:word@norandino.pe"),
        ((TOKEN,), "https://sms_norandino.pe"),
    ],
)
def test_an_account_that_could_not_work_is_refused_at_once(
    tokens: tuple[str, ...], base: str
) -> None:
    with pytest.raises(ValueError, match=r"^(auth_tokens|public_base_url): ") as refused:
        TwilioAccount(SID, tokens, base)

    assert TOKEN not in str(refused.value)


def test_an_account_does_not_print_its_keys() -> None:
    printed = repr(TwilioAccount(SID, (TOKEN,), BASE, SHARED_KEY))

    assert TOKEN not in printed
    assert SHARED_KEY not in printed


_ANY = st.dictionaries(
    st.sampled_from([*MESSAGE, *STATUS, "bodySHA256", ""]),
    st.one_of(st.text(max_size=300), st.sampled_from([ROSA.msisdn, SID, "delivered", "1*4826"])),
)


@settings(max_examples=200, deadline=None)
@given(form=_ANY, path=st.sampled_from([INBOUND_PATH, STATUS_PATH]))
def test_any_signed_form_is_answered(form: dict[str, str], path: str) -> None:
    """No request makes a 500."""
    with capture_logs():
        response = Twilio((ACCOUNT, Desk())).calls(path, {**form, "AccountSid": SID})

    assert response.status_code == 200


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=2_000),
    signature=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=100),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#")),
    path=st.sampled_from([INBOUND_PATH, STATUS_PATH]),
)
def test_anything_else_is_refused(body: bytes, signature: str, query: str, path: str) -> None:
    desk = Desk()

    with capture_logs():
        response = Twilio((ACCOUNT, desk)).client.post(
            path,
            query_string=query,
            data=body,
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )

    assert response.status_code == 403
    assert desk.heard == 0


def test_a_message_is_read_without_a_server() -> None:
    """`parse` needs nothing but the form."""
    text = parse({**MESSAGE, "From": SEGUNDO.msisdn}, SID)

    assert text.origin.msisdn.e164 == SEGUNDO.msisdn
