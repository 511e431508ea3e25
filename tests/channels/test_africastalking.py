"""Africa's Talking's USSD callback: the bad ones first."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channels.africastalking.ussd import NotAHopError, SessionEnd, parse, parse_end, render
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Cumulative, Reply

HOP = {
    "sessionId": "ATUid_8f1c",
    "serviceCode": "*775#",
    "phoneNumber": "+51987000001",
    "networkCode": "99999",
    "text": "1*2*4826",
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sessionId": None}, "sessionId"),
        ({"sessionId": ""}, "sessionId"),
        ({"sessionId": "   "}, "sessionId"),
        ({"sessionId": "x" * 129}, "sessionId"),
        ({"sessionId": "a\x00b"}, "sessionId"),
        ({"sessionId": "a b"}, "sessionId"),
        ({"phoneNumber": None}, "phoneNumber"),
        ({"phoneNumber": ""}, "phoneNumber"),
        ({"phoneNumber": "Rosa"}, "phoneNumber"),
        ({"phoneNumber": "+51987000001; drop table"}, "phoneNumber"),
        ({"text": None}, "text"),
    ],
)
def test_a_form_that_is_no_hop_says_which_field(change: dict[str, str | None], field: str) -> None:
    """For the engineer who connects the aggregator."""
    form = {name: value for name, value in {**HOP, **change}.items() if value is not None}

    with pytest.raises(NotAHopError) as refused:
        parse(form, "norandino")

    assert refused.value.field == field


@pytest.mark.parametrize("phone", ["+51987000001", " 51987000001", "51987000001"])
def test_a_hop_is_a_turn_with_everything_typed_so_far(phone: str) -> None:
    """Whatever became of the plus on its way."""
    turn = parse({**HOP, "phoneNumber": phone}, "norandino")

    assert turn.origin.msisdn == Msisdn("+51987000001")
    assert turn.origin.account == "norandino"
    assert isinstance(turn.said, Cumulative)
    assert turn.said.history.text == "1*2*4826"


def test_fields_that_nobody_announced_are_ignored() -> None:
    """Providers add some without notice. The network's code and the short code may be missing."""
    form = {**HOP, "new": "field"}
    del form["networkCode"], form["serviceCode"]

    assert parse(form, "norandino").origin.session_id == "ATUid_8f1c"


def test_a_turn_does_not_print_what_was_typed() -> None:
    """It ends in tracebacks and logs."""
    assert "4826" not in repr(parse(HOP, "norandino"))


@pytest.mark.parametrize(
    ("ends", "body"), [(False, "CON Hola\n1. Saldo"), (True, "END Hola\n1. Saldo")]
)
def test_a_reply_says_whether_the_session_goes_on(ends: bool, body: str) -> None:
    """The only place where these two words are written."""
    assert render(Reply("Hola\n1. Saldo", ends, screen="", outcome="")) == body


@pytest.mark.parametrize(
    ("form", "end"),
    [
        ({}, SessionEnd("", "unknown", -1)),
        ({"status": "Exploded", "hopsCount": "many"}, SessionEnd("", "unknown", -1)),
        ({"hopsCount": "9" * 4_000}, SessionEnd("", "unknown", -1)),
        (
            {"sessionId": "s", "status": "Incomplete", "hopsCount": "3", "input": "1*4826"},
            SessionEnd("s", "Incomplete", 3),
        ),
    ],
)
def test_of_an_end_of_session_only_what_is_not_secret_is_read(
    form: dict[str, str], end: SessionEnd
) -> None:
    """`input` holds the PIN, `lastAppResponse` a balance."""
    assert parse_end(form) == end


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(HOP)), st.text(max_size=300)))
def test_any_form_is_a_hop_or_is_refused_by_its_field(form: dict[str, str]) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(NotAHopError):
        parse(form, "norandino")
    parse_end(form)
