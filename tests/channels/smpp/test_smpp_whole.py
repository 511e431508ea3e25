"""SMS over a line and the offer to go on, through the real gateway, its outbox and its drain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import bootstrap
from gateway.bootstrap import Parts
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Tlv
from gateway.channels.smpp.invitation import SCREEN, ScreenFirst
from gateway.channels.smpp.lines import load_lines
from gateway.channels.smpp.service import Service
from gateway.notices.dead_letters import DeadLetters
from gateway.notices.router import Router
from gateway.notices.senders import Away, Delivery, Limits, Sender, Sent, Sms
from gateway.values.msisdn import Msisdn
from tests.channels.smpp.desk import dialect, line_to, serving, soon, with_push
from tests.channels.smpp.handset import Handset
from tests.channels.smpp.smsc import Peer, Smsc
from tests.cooperative import Cooperative
from tests.people import ROSA, SEGUNDO

PHONE, CODE = Address(ROSA.msisdn[1:], 1, 1), Address("775", 0, 1)


@dataclass
class Coop:
    """A cooperative whose messages leave by its line."""

    cooperative: Cooperative
    smsc: Smsc
    peer: Peer
    service: Service
    sender: Sender

    def deliver(self) -> threading.Thread:
        """Let what waits be sent, while the test is the network."""
        parts = Parts(now=self.cooperative.clock.now, sender=lambda _: self.sender)
        duties = bootstrap.duties(self.cooperative.settings, self.cooperative.database, parts)
        (notices,) = [duty for duty in duties if duty.name.endswith("-notices")]
        running = threading.Thread(target=notices.run)
        running.start()
        return running


@contextmanager
def on_a_line(cooperative: Cooperative) -> Iterator[Coop]:
    """A line to the real gateway, bound."""
    with Smsc() as smsc:
        line = line_to(smsc.port, carries_sms=True, push=with_push())
        with serving(line, desk=cooperative.gateway) as service:
            peer = smsc.accept_bound()
            assert soon(service.checks["smpp.claro"])
            (sender,) = service.senders
            yield Coop(cooperative, smsc, peer, service, sender)
            smsc.close()


def test_a_text_is_answered_by_the_line_that_it_came_over(cooperative: Cooperative) -> None:
    with on_a_line(cooperative) as coop:
        text = Message(PHONE, CODE, b"ENVIAR 987000002 50")
        assert coop.peer.deliver(text) == codec.ROK
        sending = coop.deliver()
        answer = coop.peer.submitted(message_id="A1")
        sending.join(10)
        assert (answer.source, answer.destination) == (CODE, PHONE)
        assert b"*775#" in answer.octets
        receipt = Message(PHONE, CODE, b"id:A1 stat:DELIVRD err:000", esm_class=4)
        assert coop.peer.deliver(receipt) == codec.ROK
        story = DeadLetters(cooperative.database).story(1)
    assert story
    (submission,) = story.submissions
    assert (submission["sender"], submission["provider_id"]) == ("smpp-claro", "A1")
    assert submission["report"] == "delivered"


def test_past_a_line_that_is_not_bound_the_next_way_is_taken(cooperative: Cooperative) -> None:
    """What certainly was not sent: neither a try is lost nor does anybody wait for the operator."""
    with on_a_line(cooperative) as coop:
        assert coop.peer.deliver(Message(PHONE, CODE, b"ENVIAR 987000002 50")) == codec.ROK
        coop.smsc.close()
        assert soon(lambda: not coop.service.checks["smpp.claro"]())
        asked, behind = Asked(coop.sender), Recorder()
        coop.sender = Router([asked, behind], {"": (coop.sender.name, behind.name)})
        coop.deliver().join(20)
        assert asked.answers == [Away("not bound")]
        assert [sms.to for sms in behind.sent] == [Msisdn(ROSA.msisdn)]


def test_receipts_of_a_transfer_leave_by_the_line(cooperative: Cooperative) -> None:
    with on_a_line(cooperative) as coop:
        ussd = dialect().ussd
        assert ussd
        rosa = Handset(coop.peer, ussd, ROSA.msisdn)
        rosa.dial()
        for keys in ("2", SEGUNDO.msisdn[3:], "50", ROSA.pin or ""):
            cooperative.clock.pass_time(seconds=2)
            rosa.press(keys)
        sending = coop.deliver()
        told = [coop.peer.submitted(message_id=f"A{number}") for number in range(2)]
        sending.join(10)
        assert {message.destination.text for message in told} == {
            ROSA.msisdn[1:],
            SEGUNDO.msisdn[1:],
        }


@pytest.mark.parametrize("sms", ["", "sms: {source: '775'}\n"])
def test_a_wake_up_is_for_the_process_that_sends(
    cooperative: Cooperative, tmp_path: Path, sms: str
) -> None:
    (tmp_path / "claro.password").write_text("secret12")
    (tmp_path / "claro.yaml").write_text(
        "host: 127.0.0.1\nport: 1\nsystem_id: coop\n"
        f"password_file: claro.password\ndialect: standard\n{sms}"
    )
    settings = cooperative.settings.model_copy(update={"smpp_lines": tmp_path})
    database = cooperative.database
    with serving(*load_lines(tmp_path), desk=cooperative.gateway) as service:
        by_line = bootstrap.line_duties(settings, database, service)
        by_worker = bootstrap.duties(settings, database)
    woken = [[duty.name for duty in duties if duty.woken] for duties in (by_line, by_worker)]
    both = ["norandino-reminders", "norandino-notices"]
    assert woken == ([["norandino-notices"], []] if sms else [[], both])


class Asked:
    """A `Sender`, and what it answered."""

    def __init__(self, sender: Sender) -> None:
        self.name, self.limits = sender.name, sender.limits
        self.answers: list[Delivery] = []
        self._sender = sender

    def send(self, sms: Sms) -> Delivery:
        self.answers.append(self._sender.send(sms))
        return self.answers[-1]


class Recorder:
    """A `Sender` that only remembers."""

    name = "recorder"
    limits = Limits(10, 3)

    def __init__(self) -> None:
        self.sent: list[Sms] = []

    def send(self, sms: Sms) -> Delivery:
        self.sent.append(sms)
        return Sent("1", sender=self.name)


@pytest.mark.parametrize(
    ("invites", "taken", "by"),
    [(True, True, SCREEN), (True, False, "recorder"), (False, True, "recorder")],
)
def test_an_offer_is_shown_where_it_can_be(invites: bool, taken: bool, by: str) -> None:
    behind, offered = Recorder(), []

    def offer(msisdn: Msisdn) -> bool:
        offered.append(msisdn)
        return taken

    sender = ScreenFirst(behind, lambda _: invites, offer)
    sms = Sms(Msisdn(ROSA.msisdn), "Marca *775# para seguir")
    delivery = sender.send(sms)
    assert isinstance(delivery, Sent)
    assert delivery.sender == by
    assert behind.sent == ([] if by == SCREEN else [sms])
    assert bool(offered) is invites
    assert (sender.name, sender.limits) == ("recorder", behind.limits)


def test_who_lost_the_signal_is_offered_to_go_on_and_does(cooperative: Cooperative) -> None:
    """In place of the SMS: the screen that a dial would show, and it goes on to the transfer."""
    with on_a_line(cooperative) as coop:
        ussd = dialect().ussd
        assert ussd
        rosa = Handset(coop.peer, ussd, ROSA.msisdn)
        rosa.dial()
        for keys in ("2", SEGUNDO.msisdn[3:], "50"):
            cooperative.clock.pass_time(seconds=2)
            rosa.press(keys)
        assert coop.peer.deliver(rosa.hung_up()) == codec.ROK
        behind = Recorder()
        sender = ScreenFirst(
            behind,
            lambda sms: True,
            lambda msisdn: coop.service.push(msisdn, None, expects_answer=True),
        )
        cooperative.clock.pass_time(seconds=40)
        deliveries: list[Delivery] = []
        sms = Sms(Msisdn(ROSA.msisdn), "Marca *775# para seguir")
        sending = threading.Thread(target=lambda: deliveries.append(sender.send(sms)))
        sending.start()
        offer = coop.peer.submitted()
        sending.join(10)
        assert deliveries == [Sent("", sender=SCREEN)]
        assert behind.sent == []
        assert b"1. Seguir: enviar S/ 50.00 a Segundo C." in offer.octets
        assert offer.number(codec.USSD_SERVICE_OP) == ussd.says.push_ask
        rosa.number, rosa.count = 0x7700, -1
        for keys in ("1", ROSA.pin or ""):
            cooperative.clock.pass_time(seconds=2)
            screen = rosa.press(keys)
        assert screen.text.startswith("Listo: enviaste S/ 50.00 a Segundo C.")
        assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00
    assert Tlv(codec.USSD_SERVICE_OP, b"\x02") in offer.tlvs
