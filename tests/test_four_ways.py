"""One declaration, four ways in: they end in the same money and the same words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.cooperative import Cooperative, Screen
from tests.people import ELMER, FLOR, MARIA, ROSA, SEGUNDO, WILMER, Person

# Who sends how much to whom.
TRANSFERS = (
    (ROSA, SEGUNDO, "50"),
    (ROSA, SEGUNDO, "20.50"),
    (ROSA, MARIA, "1"),
    (SEGUNDO, ROSA, "99,90"),
    (SEGUNDO, WILMER, "0.10"),
    (FLOR, ROSA, "1500"),
    (FLOR, SEGUNDO, "1000"),
    (FLOR, ELMER, "12"),
    (SEGUNDO, FLOR, "7"),
    (ROSA, ELMER, "300"),
)

Way = Callable[[Cooperative, Person, Person, str], tuple[Screen, Callable[[str], Screen]]]


def _number(person: Person) -> str:
    return person.msisdn.removeprefix("+51")


def step_by_step(
    cooperative: Cooperative, sender: Person, payee: Person, amount: str
) -> tuple[Screen, Callable[[str], Screen]]:
    """One answer a screen."""
    phone = cooperative.phone(sender.msisdn)
    phone.dial()
    return phone.press("2", _number(payee), amount), phone.press


def deep_dial(
    cooperative: Cooperative, sender: Person, payee: Person, amount: str
) -> tuple[Screen, Callable[[str], Screen]]:
    """`*775*2*987000002*50#`."""
    phone = cooperative.phone(sender.msisdn)
    return phone.dial(f"2*{_number(payee)}*{amount}"), phone.press


def by_sms(
    cooperative: Cooperative, sender: Person, payee: Person, amount: str
) -> tuple[Screen, Callable[[str], Screen]]:
    """`ENVIAR 987000002 50`, its answer, and then a dial."""
    cooperative.text(sender.msisdn, f"ENVIAR {_number(payee)} {amount}")
    phone = cooperative.phone(sender.msisdn)
    phone.dial()
    return phone.press("1"), phone.press


def resumed(
    cooperative: Cooperative, sender: Person, payee: Person, amount: str
) -> tuple[Screen, Callable[[str], Screen]]:
    """The signal was lost on the confirm screen, and the member dials again."""
    lost = cooperative.phone(sender.msisdn)
    lost.dial()
    lost.press("2", _number(payee), amount)
    phone = cooperative.phone(sender.msisdn)
    phone.dial()
    return phone.press("1"), phone.press


WAYS: tuple[Way, ...] = (step_by_step, deep_dial, by_sms, resumed)


def _all(cooperative: Cooperative, way: Way) -> tuple[list[str], list[dict[str, int]], list[str]]:
    """The words on the screens, the balances, and the words of the SMS, references masked."""
    words: list[str] = []
    for sender, payee, amount in TRANSFERS:
        asked, press = way(cooperative, sender, payee, amount)
        done = press(str(sender.pin))
        assert done.ends
        words += [asked.text, re.sub(r"\d{6}", "######", done.text)]
    cooperative.deliver()
    people = (ROSA, SEGUNDO, ELMER, MARIA, FLOR, WILMER)
    sms = [
        re.sub(r"\d{6}", "######", text)
        for who in people
        for text in cooperative.inbox(who.msisdn)
        if "*775#" not in text
    ]
    return words, [cooperative.balances(who.ref) for who in people], sorted(sms)


_expected: dict[str, object] = {}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_ten_transfers_come_out_the_same_in_every_way(cooperative: Cooperative, way: Way) -> None:
    """Begun in any of the four ways, all authorised by USSD."""
    words, balances, sms = _all(cooperative, way)

    assert cooperative.books_are_right()
    assert (words, balances, sms) == _expected.setdefault("", (words, balances, sms))
    assert balances[0]["100-0001"] == 1_250_50 - 50_00 - 20_50 - 1_00 + 99_90 + 1_499_95 - 300_00


def test_an_order_that_was_resumed_cannot_be_given_in_its_first_session_too(
    cooperative: Cooperative,
) -> None:
    """Two sessions that confirm the same draft move its money once."""
    asked, press_first = step_by_step(cooperative, ROSA, SEGUNDO, "50")
    resumed_phone = cooperative.phone(ROSA.msisdn)
    resumed_phone.dial()
    resumed_phone.press("1")
    assert resumed_phone.press(str(ROSA.pin)).ends

    late = press_first(str(ROSA.pin))

    assert late.ends
    assert "PIN" in asked.text
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00
