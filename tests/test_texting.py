"""SMS from members: they read and prepare, and never move money."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bounds import ANSWER_OF_USE_S, TEXTS_PER_HOUR
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Keystrokes, Origin, Text
from tests.cooperative import Cooperative
from tests.people import ELMER, ROSA, SEGUNDO, STRANGER


def text(said: str, message_id: str = "m1", msisdn: str = ROSA.msisdn) -> Text:
    """An SMS as a channel hands it over."""
    return Text(Origin("sms", "norandino", message_id, Msisdn(msisdn)), "775", Keystrokes(said))


@pytest.mark.parametrize(
    "said",
    [
        "ENVIAR 987000002 50",
        "ENVIAR 987000002 50 4826",
        "PAGAR",
        "PAGAR 4826",
        "SALDO 4826",
        "4826",
        "2*987000002*50*4826",
    ],
)
def test_no_text_moves_money(cooperative: Cooperative, said: str) -> None:
    """Not even with the PIN in it, which is not kept either."""
    cooperative.text(ROSA.msisdn, said)

    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_250_50
    with cooperative.owner() as owner:
        assert owner.execute("select count(*) from instructions.instruction").fetchone() == (0,)
        kept = owner.execute("select o::text from notices.outbox as o").fetchall()
        kept += owner.execute("select t::text from notices.text as t").fetchall()
    assert not any("4826" in row for (row,) in kept)


def test_a_text_that_comes_again_is_answered_once(cooperative: Cooperative) -> None:
    """Providers repeat for hours; at the same moment, too."""
    copies = [
        threading.Thread(target=lambda: cooperative.gateway.receive(text("SALDO")))
        for _ in range(8)
    ]
    for copy in copies:
        copy.start()
    for copy in copies:
        copy.join()
    cooperative.clock.pass_time(hours=5)
    assert cooperative.gateway.receive(text("SALDO"))
    cooperative.clock.pass_time(hours=-5)
    cooperative.deliver()

    assert cooperative.new_sms(ROSA.msisdn) == ["Puedes usar: Ahorro: S/ 1,250.50"]


def test_one_phone_gets_so_many_answers_an_hour(cooperative: Cooperative) -> None:
    """Each costs; after an hour there are new ones, and nobody else is kept from theirs."""
    for number in range(TEXTS_PER_HOUR + 3):
        assert cooperative.gateway.receive(text("SALDO", f"m{number}"))
    cooperative.deliver()

    assert len(cooperative.new_sms(ROSA.msisdn)) == TEXTS_PER_HOUR
    assert cooperative.text(SEGUNDO.msisdn, "SALDO") == ["Puedes usar: Ahorro: S/ 310.00"]
    cooperative.clock.pass_time(hours=1, seconds=1)
    assert len(cooperative.text(ROSA.msisdn, "SALDO")) == 1


def test_an_answer_that_comes_too_late_is_not_sent(cooperative: Cooperative) -> None:
    """The workers were down: a balance of this morning helps nobody tonight."""
    cooperative.gateway.receive(text("SALDO"))
    cooperative.clock.pass_time(seconds=ANSWER_OF_USE_S + 1)
    cooperative.deliver()

    assert cooperative.new_sms(ROSA.msisdn) == []


def test_a_text_that_cannot_be_taken_shall_come_again(cooperative: Cooperative) -> None:
    """The provider keeps it while PostgreSQL is away."""
    cooperative.gateway.bank._desk.members._database.close()  # type: ignore[attr-defined]  # noqa: SLF001

    assert not cooperative.gateway.receive(text("SALDO"))


def test_what_was_agreed_is_kept_with_the_words_that_were_read(cooperative: Cooperative) -> None:
    """Each yes and no, with its text's version, language, channel and time."""
    phone = cooperative.phone(ELMER.msisdn)
    phone.dial("5*2*1")
    phone.press(str(ELMER.pin))
    cooperative.clock.pass_time(minutes=1)
    cooperative.text(ELMER.msisdn, "BAJA")

    with cooperative.owner() as owner:
        rows = owner.execute(
            "select purpose, given, channel, text_version, language, at from bank.consent"
            " where member_ref = %s order by id",
            (ELMER.ref,),
        ).fetchall()
    book = cooperative.gateway.library.current.digest
    now = cooperative.clock.now()
    assert rows == [
        ("reading", True, "africastalking", book, "es", now - dt.timedelta(minutes=1)),
        ("reading", False, "sms", book, "es", now),
        ("reminders", False, "sms", book, "es", now),
        ("advertising", False, "sms", book, "es", now),
    ]


def test_nobody_agrees_without_the_pin(cooperative: Cooperative) -> None:
    """Whoever holds the phone is not yet the member."""
    phone = cooperative.phone(ELMER.msisdn)
    phone.dial("5*2*1")
    phone.press("0000")

    (answer,) = cooperative.text(ELMER.msisdn, "SALDO")

    assert "2,000.00" not in answer


def test_a_member_who_blocked_their_phone_is_let_in_again_by_staff(
    cooperative: Cooperative,
) -> None:
    """Once, and said who did it; receiving money goes on meanwhile."""
    cooperative.text(ROSA.msisdn, "BLOQUEAR")
    cooperative.text(ROSA.msisdn, "BLOQUEAR")
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial("2*987000002*50")
    assert "bloqueada" in phone.press(str(ROSA.pin)).text
    sender = cooperative.phone(SEGUNDO.msisdn)
    sender.dial("2*987000001*5")
    assert "Listo" in sender.press(str(SEGUNDO.pin)).text

    with cooperative.owner() as owner:
        lift = "select bank.lift_freeze(%s, 'ana', now())"
        assert owner.execute(lift, (ROSA.ref,)).fetchone() == (True,)
        assert owner.execute(lift, (ROSA.ref,)).fetchone() == (False,)

    phone = cooperative.phone(ROSA.msisdn)
    phone.dial("2*987000002*50")
    assert "Listo" in phone.press(str(ROSA.pin)).text


@given(said=st.text(max_size=400), known=st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_is_taken(cooperative: Cooperative, said: str, *, known: bool) -> None:
    """And what is answered goes to the phone that it came from."""
    phone = ROSA.msisdn if known else STRANGER

    assert cooperative.gateway.receive(text(said, f"m{hash((said, known))}", phone))
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_250_50
