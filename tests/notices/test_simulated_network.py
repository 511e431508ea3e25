from __future__ import annotations

import datetime as dt

from gateway.bounds import SIMULATED_INBOX_MAX
from gateway.notices.senders import Sms
from gateway.notices.simulated import SimulatedNetwork
from gateway.values.msisdn import Msisdn

ROSA = Msisdn("+51987000001")
SEGUNDO = Msisdn("+51987000002")


def test_a_phone_that_received_nothing_has_an_empty_inbox(database):
    assert SimulatedNetwork(database, "775").inbox(ROSA) == []


def test_an_inbox_holds_what_this_phone_received_oldest_first(database):
    network = SimulatedNetwork(database, "775")
    first = network.send(Sms(ROSA, "¿Listo? Ñandú"))
    second = network.send(Sms(ROSA, "S/ 50.00"))
    network.send(Sms(SEGUNDO, "Recibiste S/ 50.00"))
    assert first.provider_id != second.provider_id

    inbox = network.inbox(ROSA)
    assert [list(sms) for sms in inbox] == [["at", "from", "text"]] * 2
    assert [(sms["from"], sms["text"]) for sms in inbox] == [
        ("775", "¿Listo? Ñandú"),
        ("775", "S/ 50.00"),
    ]
    times = [dt.datetime.fromisoformat(sms["at"]) for sms in inbox]
    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {dt.timedelta(0)}


def test_a_full_inbox_shows_its_latest_messages(database):
    network = SimulatedNetwork(database, "775")
    for number in range(SIMULATED_INBOX_MAX + 2):
        network.send(Sms(ROSA, str(number)))
    texts = [sms["text"] for sms in network.inbox(ROSA)]
    assert len(texts) == SIMULATED_INBOX_MAX
    assert (texts[0], texts[-1]) == ("2", str(SIMULATED_INBOX_MAX + 1))
