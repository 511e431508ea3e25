"""Who lost the signal in a money order gets one SMS that says how to go on, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gateway.bounds import GO_ON_SMS_AFTER_S, GO_ON_SMS_QUIET_S, SESSION_IDLE_S
from tests.cooperative import Cooperative, Handset
from tests.people import FLOR, ROSA, SEGUNDO

LONG_S = SESSION_IDLE_S + GO_ON_SMS_AFTER_S + 1
REMINDER = "Se corto la llamada. Para enviar S/ 50.00 a Segundo C. marca *775# y sigue."


def left_at_the_pin(cooperative: Cooperative) -> Handset:
    """Rosa is asked for her PIN, and the signal goes."""
    phone = cooperative.phone(ROSA.msisdn)
    assert "PIN" in phone.dial("2*987000002*50").text
    return phone


def sms_after(cooperative: Cooperative, seconds: float = LONG_S) -> list[str]:
    """What Rosa gets in the time that follows."""
    cooperative.clock.pass_time(seconds=seconds)
    cooperative.deliver()
    return cooperative.new_sms(ROSA.msisdn)


def event(cooperative: Cooperative, phone: Handset, status: str = "Incomplete") -> None:
    """The network says that the session is over."""
    answer = cooperative.client.post(
        "/ussd/africastalking/demo/events",
        data={"sessionId": phone.session, "phoneNumber": phone.msisdn, "status": status},
    )
    assert answer.status_code == 200


def looked_at_the_balance(cooperative: Cooperative) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    assert "PIN" in phone.press("1").text


def finished(cooperative: Cooperative) -> None:
    left_at_the_pin(cooperative).press(str(ROSA.pin))
    cooperative.deliver()
    assert "Enviaste" in cooperative.new_sms(ROSA.msisdn)[0]


def went_home(cooperative: Cooperative) -> None:
    left_at_the_pin(cooperative).press("00")


def dialled_again(cooperative: Cooperative) -> None:
    left_at_the_pin(cooperative)
    again = cooperative.phone(ROSA.msisdn)
    assert "1. Seguir" in again.dial().text
    again.press("2")


def redis_forgot(cooperative: Cooperative) -> None:
    left_at_the_pin(cooperative)
    cooperative.gateway.sessions._client.flushall()  # type: ignore[attr-defined]  # noqa: SLF001


def prepared_by_sms(cooperative: Cooperative) -> None:
    (answer,) = cooperative.text(ROSA.msisdn, "ENVIAR 987000002 50")
    assert "*775#" in answer


@pytest.mark.parametrize(
    "happened",
    [looked_at_the_balance, finished, went_home, dialled_again, redis_forgot, prepared_by_sms],
)
def test_an_sms_that_would_not_help_is_not_sent(
    cooperative: Cooperative, happened: Callable[[Cooperative], None]
) -> None:
    """Each costs, and too many of them teach nobody to read them."""
    happened(cooperative)

    assert sms_after(cooperative) == []


def test_who_says_nothing_any_more_is_told_how_to_go_on(cooperative: Cooperative) -> None:
    """By our own timer: most networks do not say that a session is over."""
    left_at_the_pin(cooperative)

    assert sms_after(cooperative, SESSION_IDLE_S) == []
    assert sms_after(cooperative, GO_ON_SMS_AFTER_S + 1) == [REMINDER]
    assert sms_after(cooperative) == []
    again = cooperative.phone(ROSA.msisdn)
    assert "1. Seguir: enviar S/ 50.00 a Segundo C." in again.dial().text
    assert "Listo" in again.press("1", str(ROSA.pin)).text


@pytest.mark.parametrize("status", ["Incomplete", "Failed"])
def test_where_the_network_says_that_it_is_over_the_sms_comes_sooner(
    cooperative: Cooperative, status: str
) -> None:
    """But late enough for who dials again by themselves; and once, however often it is said."""
    phone = left_at_the_pin(cooperative)
    event(cooperative, phone, status)
    event(cooperative, phone, status)

    assert sms_after(cooperative, GO_ON_SMS_AFTER_S - 1) == []
    assert sms_after(cooperative, 2) == [REMINDER]
    event(cooperative, phone, status)
    assert sms_after(cooperative) == []


def test_an_event_about_a_session_that_nobody_knows_is_no_harm(cooperative: Cooperative) -> None:
    """Nor is one for a session that went on in another: the member is busy there."""
    event(cooperative, Handset(cooperative.client, ROSA.msisdn, session="unheard-of"))
    old = left_at_the_pin(cooperative)
    busy = cooperative.phone(ROSA.msisdn)
    busy.dial()
    busy.press("1")
    event(cooperative, old)

    assert sms_after(cooperative, GO_ON_SMS_AFTER_S + 1) == []


def test_who_is_slow_is_not_disturbed(cooperative: Cooperative) -> None:
    """Each answer begins the waiting anew."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002")
    cooperative.clock.pass_time(seconds=SESSION_IDLE_S - 5)
    phone.press("50")

    assert sms_after(cooperative, GO_ON_SMS_AFTER_S + 10) == []
    assert sms_after(cooperative) == [REMINDER]


def test_it_says_nothing_that_a_late_hop_could_prove_wrong(cooperative: Cooperative) -> None:
    """While it is on its way the PIN may arrive after all: it says what to do, not what was."""
    phone = left_at_the_pin(cooperative)
    event(cooperative, phone)
    assert sms_after(cooperative, GO_ON_SMS_AFTER_S + 1) == [REMINDER]

    late = phone.press(str(ROSA.pin))

    assert "Listo" in late.text
    assert "NO" not in REMINDER
    assert cooperative.balances(SEGUNDO.ref) == {"100-0002": 360_00}


def test_an_order_that_was_given_after_all_is_told_by_its_receipt_alone(
    cooperative: Cooperative,
) -> None:
    """The worker died between the bank and the screen: the draft was left, and the money moved."""
    phone = left_at_the_pin(cooperative)
    cooperative.worker_dies_after_the_bank_decided(phone, ROSA.pin)

    (receipt,) = sms_after(cooperative)

    assert receipt.startswith("Enviaste S/ 50.00 a Segundo C.")


def test_one_an_hour_is_enough(cooperative: Cooperative) -> None:
    """A bad line breaks again and again."""
    left_at_the_pin(cooperative)
    assert sms_after(cooperative) == [REMINDER]

    left_at_the_pin(cooperative)
    assert sms_after(cooperative) == []
    with cooperative.owner() as owner:
        owner.execute(
            "update notices.outbox set created_at = created_at - make_interval(secs => %s)",
            (GO_ON_SMS_QUIET_S,),
        )
    left_at_the_pin(cooperative)
    assert sms_after(cooperative) == [REMINDER]


def test_two_workers_send_one(cooperative: Cooperative) -> None:
    """Each looks at the same moment."""
    left_at_the_pin(cooperative)
    cooperative.clock.pass_time(seconds=LONG_S)
    sweep = next(duty for duty in cooperative.duties if duty.name.endswith("unfinished"))
    reminded: list[int] = []

    sweeps = [threading.Thread(target=lambda: reminded.append(sweep.run())) for _ in range(8)]
    for each in sweeps:
        each.start()
    for each in sweeps:
        each.join()

    assert sorted(reminded) == [0] * 7 + [1]
    assert sms_after(cooperative, 0) == [REMINDER]


def test_an_sms_that_comes_too_late_to_help_is_not_sent(cooperative: Cooperative) -> None:
    """The workers were down until the draft was gone."""
    left_at_the_pin(cooperative)
    cooperative.clock.pass_time(seconds=LONG_S)
    next(duty for duty in cooperative.duties if duty.name.endswith("unfinished")).run()

    assert sms_after(cooperative, cooperative.settings.draft_s) == []


def test_it_is_in_the_members_language(cooperative: Cooperative) -> None:
    """Flor reads English."""
    phone = cooperative.phone(FLOR.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50")
    cooperative.clock.pass_time(seconds=LONG_S)
    cooperative.deliver()

    assert cooperative.new_sms(FLOR.msisdn) == [
        "The line broke. To send S/ 50.00 to Segundo C., dial *775# and go on."
    ]
