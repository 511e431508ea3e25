"""Money over a line that goes wrong, through the real gateway: it moves once, and the member learns
it. `python -m tests.channels.smpp.cuts` cuts at every single byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Message
from tests.channels.smpp.cuts import AMOUNT_CENTIMOS, cuts, measured
from tests.channels.smpp.desk import dialect, line_to, serving, soon
from tests.channels.smpp.handset import Handset, Screen
from tests.channels.smpp.smsc import Peer, Smsc
from tests.cooperative import Cooperative
from tests.people import ROSA, SEGUNDO

EVERY_OCTETS = 43  # a prime: over the releases it falls on every byte
TRANSFER = ("2", SEGUNDO.msisdn[3:], "50", ROSA.pin or "")
A_MOMENT_S = 2


@dataclass
class Rosa:
    """Her phone on a network of ours."""

    cooperative: Cooperative
    smsc: Smsc
    peer: Peer
    phone: Handset

    def hop(self, message: Message) -> None:
        """Have something delivered, a moment later."""
        self.cooperative.clock.pass_time(seconds=A_MOMENT_S)
        assert self.peer.deliver(message) == codec.ROK

    def see(self, status: int = codec.ROK) -> Screen:
        """The next screen, answered so by the network."""
        return self.phone.shown(self.peer.submitted(status))

    def reconnected(self) -> None:
        """The network drops the line and is there again."""
        self.peer.close()
        self.peer = self.smsc.accept_bound()
        self.phone.network = self.peer

    def paid(self) -> bool:
        """Whether Segundo has it, once."""
        return self.cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


@contextmanager
def rosa_on(cooperative: Cooperative, speaks: str = "standard") -> Iterator[Rosa]:
    """Rosa, on a line of that dialect to the real gateway."""
    ussd = dialect(speaks).ussd
    assert ussd
    with Smsc() as smsc:
        line = line_to(smsc.port, speaks=speaks)
        with serving(line, desk=cooperative.gateway) as service:
            peer = smsc.accept_bound()
            assert soon(service.checks["smpp.claro"])
            numbers = iter(range(0x2A00, 0x10000, 0x0100))
            phone = Handset(peer, ussd, ROSA.msisdn, numbers=lambda: next(numbers))
            yield Rosa(cooperative, smsc, peer, phone)
            smsc.close()


def test_a_line_that_is_cut_anywhere_moves_money_once(cooperative: Cooperative) -> None:
    with cuts(cooperative) as line:
        octets = measured(line)
        for done, after in enumerate(range(1, octets + 1, EVERY_OCTETS), 1):
            line.transfer(after)
            assert line.sent_centimos == AMOUNT_CENTIMOS * (done + 1), f"cut at byte {after}"
    assert cooperative.books_are_right()


def test_a_network_that_starts_again_before_every_key(cooperative: Cooperative) -> None:
    with rosa_on(cooperative) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        screen = rosa.see()
        for keys in TRANSFER:
            rosa.reconnected()
            rosa.hop(rosa.phone.answered(keys))
            screen = rosa.see()
        assert screen.text.startswith("Listo: enviaste S/ 50.00 a Segundo C.")
        assert rosa.paid()


def test_a_network_that_throttles_every_screen(cooperative: Cooperative) -> None:
    with rosa_on(cooperative) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        rosa.see(codec.RTHROTTLED)
        screen = rosa.see()
        for keys in TRANSFER:
            rosa.hop(rosa.phone.answered(keys))
            assert rosa.see(codec.RMSGQFUL) == (screen := rosa.see())
        assert screen.text.startswith("Listo: enviaste S/ 50.00 a Segundo C.")
        assert rosa.paid()


def test_a_network_that_answers_late(cooperative: Cooperative) -> None:
    """Each screen is acknowledged only after the next key."""
    with rosa_on(cooperative) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        before = rosa.peer.expect(codec.SUBMIT_SM)
        for keys in TRANSFER:
            rosa.hop(rosa.phone.answered(keys))
            latest = rosa.peer.expect(codec.SUBMIT_SM)
            rosa.peer.answer_submission(before)
            before = latest
        assert isinstance(before.body, Message)
        assert rosa.phone.shown(before.body).text.startswith("Listo: enviaste S/ 50.00")
        rosa.peer.answer_submission(before)
        assert rosa.paid()


@pytest.mark.parametrize("speaks", ["standard", "tata", "mica"])
def test_a_pin_that_the_network_brings_again_gets_the_same_screen(
    speaks: str, cooperative: Cooperative
) -> None:
    """The line broke before anybody knew whether the screen had arrived."""
    with rosa_on(cooperative, speaks) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        rosa.see()
        for keys in TRANSFER[:-1]:
            rosa.hop(rosa.phone.answered(keys))
            rosa.see()
        pin = rosa.phone.answered(TRANSFER[-1])
        rosa.hop(pin)
        first = rosa.peer.expect(codec.SUBMIT_SM).body
        assert isinstance(first, Message)
        rosa.reconnected()
        rosa.hop(pin)
        assert rosa.see() == rosa.phone.shown(first)
        assert rosa.phone.shown(first).text.startswith("Listo: enviaste S/ 50.00 a Segundo C.")
        assert rosa.paid()


def test_where_the_network_counts_a_copy_is_recognised_whenever_it_comes(
    cooperative: Cooperative,
) -> None:
    with rosa_on(cooperative) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        rosa.see()
        for keys in TRANSFER:
            key = rosa.phone.answered(keys)
            rosa.hop(key)
            first = rosa.see()
            rosa.hop(key)
            assert rosa.see() == first
        assert rosa.paid()


def test_who_was_cut_off_dials_again_and_finds_the_draft(cooperative: Cooperative) -> None:
    with rosa_on(cooperative) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        rosa.see()
        for keys in TRANSFER[:3]:
            rosa.hop(rosa.phone.answered(keys))
            rosa.see()
        rosa.reconnected()
        rosa.phone.number, rosa.phone.count = 0x2B00, 0
        rosa.hop(rosa.phone.dialled("*775#"))
        assert "1. Seguir: enviar S/ 50.00 a Segundo C." in rosa.see().text
        for keys in ("1", ROSA.pin or ""):
            rosa.hop(rosa.phone.answered(keys))
            screen = rosa.see()
        assert screen.text.startswith("Listo: enviaste S/ 50.00 a Segundo C.")
        assert rosa.paid()


def test_a_number_that_comes_again_in_the_middle_of_an_order_joins_nobody(
    cooperative: Cooperative,
) -> None:
    """Rosa is at the screen that asks for her PIN. The network gives her dialogue's number to a new
    dial of hers: its `1` is not an answer to the screen before."""
    with rosa_on(cooperative) as rosa:
        rosa.phone.number = 0x2A00
        rosa.hop(rosa.phone.dialled("*775#"))
        rosa.see()
        for keys in TRANSFER[:3]:
            rosa.hop(rosa.phone.answered(keys))
            rosa.see()
        rosa.phone.count = 0
        rosa.hop(rosa.phone.dialled("*775#"))
        rosa.see()
        rosa.hop(rosa.phone.answered(ROSA.pin or ""))
        assert not rosa.see().ends
        assert not rosa.paid()
    assert cooperative.books_are_right()
