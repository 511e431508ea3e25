"""The field's words as types: what they accept, what they refuse, and what they never show."""

from __future__ import annotations

import copy
import json
import logging
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounds import MONEY_MAX_CENTIMOS
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn, NotAMobileError, caller, mobile
from gateway.values.pin import Pin
from gateway.values.turn import Keystrokes


@pytest.mark.parametrize(
    ("centimos", "written"),
    [
        (-30_00, "-S/ 30.00"),
        (0, "S/ 0.00"),
        (5, "S/ 0.05"),
        (125_050, "S/ 1,250.50"),
        (99_999_999, "S/ 999,999.99"),
    ],
)
def test_money_is_written_as_in_peru(centimos: int, written: str) -> None:
    """Comma for thousands, point for céntimos, the sign in front."""
    assert str(Money(centimos)) == written


def test_money_beyond_any_account_cannot_be_built() -> None:
    """A sum that overflows a bigint is found out here, not in the books."""
    with pytest.raises(ValueError, match="beyond"):
        Money(MONEY_MAX_CENTIMOS + 1)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "not_a_phone"),
        ("hola", "not_a_phone"),
        ("9", "not_a_phone"),
        ("98765432", "not_mobile"),
        ("40000002", "not_mobile"),
        ("73204050", "not_mobile"),
        ("073204050", "not_mobile"),
        ("9876543210", "not_a_phone"),
        ("+1 202 555 0123", "not_mobile"),
        ("9" * 300, "not_a_phone"),
        ("{0}", "not_a_phone"),
    ],
)
def test_what_is_no_mobile_says_why(typed: str, code: str) -> None:
    """A DNI has eight digits and parses as a landline of Piura."""
    with pytest.raises(NotAMobileError) as refused:
        mobile(typed, "PE")

    assert refused.value.code == code


@pytest.mark.parametrize(
    "typed", ["987000002", "987 000 002", "+51987000002", "51 987-000-002", "987.000.002"]
)
def test_a_mobile_is_the_same_however_it_is_typed(typed: str) -> None:
    """People type spaces, dashes and the country code, or none of them."""
    assert mobile(typed, "PE") == Msisdn("+51987000002")


@pytest.mark.parametrize("text", ["", "+", "abc", "+0123456789", "+519870000021234567", "51 987"])
def test_a_caller_without_a_number_is_refused(text: str) -> None:
    """A network that does not say who calls cannot be served."""
    with pytest.raises(NotAMobileError):
        caller(text)


@pytest.mark.parametrize("text", ["+51987000001", " 51987000001", "51987000001", "+51987000001 "])
def test_a_caller_whose_plus_was_lost_is_the_same_caller(text: str) -> None:
    """A plus that nobody escaped arrives as a space."""
    assert caller(text) == Msisdn("+51987000001")


@pytest.mark.parametrize("digits", ["", "123", "1234567", "12a4", "１２３４", " 1234"])
def test_what_is_no_pin_is_refused_without_being_repeated(digits: str) -> None:
    """The message of a refusal ends in logs, so the digits may not be in it."""
    with pytest.raises(ValueError, match="PIN") as refused:
        Pin(digits)

    assert not digits or digits not in str(refused.value)


def test_a_pin_shows_itself_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Not printed, logged, compared, hashed, copied, pickled or serialised."""
    pin = Pin("4826")

    logging.getLogger().warning("%s %r %s", pin, pin, {"pin": pin})

    assert "4826" not in caplog.text
    assert "4826" not in f"{pin}{[pin]}{vars(Pin)}"
    for leak in (pickle.dumps, json.dumps, msgspec.json.encode, hash, copy.copy):
        with pytest.raises(TypeError):
            leak(pin)  # type: ignore[operator]
    with pytest.raises(TypeError):
        assert pin == Pin("4826")


@given(st.text(min_size=4))
def test_keystrokes_show_only_how_many_they_are(text: str) -> None:
    """They may hold a PIN."""
    assert repr(Keystrokes(text)) == f"Keystrokes({len(text)} characters)"
