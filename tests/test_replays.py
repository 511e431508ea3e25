"""A webhook that somebody has captured, sent once more: what can it do, and when?

Whoever captures a request of a network that signs nothing has the path's secret in it, and can
write requests of their own: against them stand TLS, the list of networks and a new secret. What is
shown here is that a request on its own, however late it comes, moves nothing that it has moved.
"""

from __future__ import annotations

import pytest
import redis

from gateway.bounds import AGAIN_WINDOW_S, TEXT_REPEATED_S
from gateway.settings import DEMO_WEBHOOK_SECRET
from tests.cooperative import Cooperative
from tests.people import ROSA, SEGUNDO


@pytest.mark.parametrize("minutes", [0, 5, AGAIN_WINDOW_S // 60 + 1, 24 * 60])
@pytest.mark.parametrize("forgotten", [False, True], ids=["remembered", "forgotten"])
def test_the_hop_with_the_pin_moves_money_once_however_late_it_comes_again(
    cooperative: Cooperative, minutes: int, *, forgotten: bool
) -> None:
    """Also where Redis knows nothing any more: an unseen session authorises nothing."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50", str(ROSA.pin))
    cooperative.clock.pass_time(minutes=minutes)
    if forgotten:
        with redis.Redis.from_url(cooperative.settings.sessions_url.get_secret_value()) as client:
            client.flushdb()

    for _ in range(3):
        phone.send()

    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_200_50


def test_an_earlier_hop_of_a_session_gets_its_last_screen_and_changes_nothing(
    cooperative: Cooperative,
) -> None:
    """The choice of `2` comes once more when the PIN is asked for."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    asked = phone.press("2", "987000002", "50")
    whole, phone.history = phone.history, "2"

    again = phone.send()

    assert again == asked
    phone.history = whole
    assert phone.press(str(ROSA.pin)).ends
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


def test_a_text_that_comes_again_after_it_was_forgotten_tells_the_phone_and_nobody_else(
    cooperative: Cooperative,
) -> None:
    """It is answered once more, to the number that the text was from; nothing moves."""
    form = {"id": "ec9adc86", "text": "ENVIAR 987000002 50", "from": ROSA.msisdn, "to": "775"}

    def bring() -> list[str]:
        cooperative.client.post(f"/sms/africastalking/{DEMO_WEBHOOK_SECRET}", data=form)
        cooperative.deliver()
        return cooperative.new_sms(ROSA.msisdn)

    first = bring()
    cooperative.clock.pass_time(seconds=TEXT_REPEATED_S - 1)
    within = bring()
    cooperative.clock.pass_time(seconds=2)
    cooperative.deliver()  # what is forgotten is forgotten by the worker
    later = bring()

    assert len(first) == 1
    assert within == []
    assert later == first
    assert cooperative.new_sms(SEGUNDO.msisdn) == []
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 310_00
