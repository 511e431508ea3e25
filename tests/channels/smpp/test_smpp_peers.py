"""Two peers that we did not write drive the real gateway: balance and transfer, in every dialect
that they can speak."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message
from gateway.channels.smpp.dialects import SHIPPED
from gateway.channels.smpp.encodings import Alphabet, write
from gateway.channels.smpp.parts import Concatenation
from gateway.notices.senders import Sent, Sms
from gateway.values.delivery import DeliveryState, Report
from gateway.values.msisdn import Msisdn
from tests.channels.smpp.desk import Desk, dialect, line_to, serving, soon
from tests.channels.smpp.handset import Handset, Screen
from tests.channels.smpp.peers import (
    NodeSmsc,
    Smpp34Smsc,
    installed_node_smpp,
    node_smsc,
    smpp34_smsc,
)
from tests.cooperative import Cooperative
from tests.people import ROSA, SEGUNDO

DIALECTS = sorted(path.stem for path in SHIPPED.glob("*.yaml") if path.stem != "sms-only")
A_MOMENT_S = 2  # between two hops, as a member takes one: a repeat would come sooner
HOME = "1. Saldo"


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """node-smpp, installed once."""
    return installed_node_smpp(tmp_path_factory.mktemp("node-smpp"))


@contextlib.contextmanager
def peer(name: str, request: pytest.FixtureRequest) -> Iterator[NodeSmsc | Smpp34Smsc]:
    """One of the two."""
    if name == "node-smpp":
        with node_smsc(request.getfixturevalue("node_folder")) as node:
            yield node
        return
    smpp34 = pytest.importorskip("smpp34", reason="smpp34 is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with smpp34_smsc(smpp34, port) as smsc:
        yield smsc


PEERS = pytest.mark.parametrize("name", ["node-smpp", "smpp34"])


@dataclass
class Member:
    """A member with a phone on the peer's network."""

    cooperative: Cooperative
    phone: Handset

    def dial(self, code: str = "*775#") -> Screen:
        self.cooperative.clock.pass_time(seconds=A_MOMENT_S)
        return self.phone.dial(code)

    def press(self, *answers: str) -> Screen:
        for answer in answers:
            self.cooperative.clock.pass_time(seconds=A_MOMENT_S)
            screen = self.phone.press(answer)
        return screen


@PEERS
@pytest.mark.parametrize("speaks", DIALECTS)
def test_balance_and_transfer_through_the_real_gateway(
    name: str, speaks: str, cooperative: Cooperative, request: pytest.FixtureRequest
) -> None:
    ussd = dialect(speaks).ussd
    assert ussd
    with peer(name, request) as smsc:
        line = line_to(smsc.port, speaks=speaks)
        with serving(line, desk=cooperative.gateway) as service:
            smsc.bound()
            assert soon(service.checks["smpp.claro"])
            numbers = iter(range(0x2A00, 0xFF00, 0x0100))
            phone = Handset(smsc, ussd, ROSA.msisdn, numbers=lambda: next(numbers))
            rosa = Member(cooperative, phone)

            # Five hops of a balance: she looks, goes home, and looks again.
            assert HOME in rosa.dial().text
            assert "Marca tu PIN" in rosa.press("1").text
            assert HOME in rosa.press("00").text
            rosa.press("1")
            assert rosa.press(ROSA.pin or "") == Screen(
                "Puedes usar:\nAhorro: S/ 1,250.50", ends=True
            )

            # Five hops of a transfer.
            assert rosa.dial().ends is False
            assert "¿A quien?" in rosa.press("2").text
            assert "¿Cuanto a Segundo C.?" in rosa.press(SEGUNDO.msisdn[3:]).text
            assert "Enviar S/ 50.00 a Segundo C." in rosa.press("50").text
            sent = rosa.press(ROSA.pin or "")
            assert sent.ends is True
            assert sent.text.startswith("Listo: enviaste S/ 50.00 a Segundo C.")

            # A deep dial lands on the screen that confirms; hanging up moves nothing.
            confirms = rosa.dial("*775*2*987000002*20#")
            assert "Enviar S/ 20.00 a Segundo C." in confirms.text
            if ussd.hears.abort or ussd.end_bit_in:
                assert smsc.deliver(phone.hung_up()) == codec.ROK
            assert "1. Seguir: enviar S/ 20.00 a Segundo C." in rosa.dial().text
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_200_50
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00
    assert cooperative.books_are_right()


@PEERS
def test_who_we_are_is_looked_at(name: str, request: pytest.FixtureRequest) -> None:
    """Unbinding ends what the peer knows of us, and the next bind is another one."""
    with peer(name, request) as smsc:
        with serving(line_to(smsc.port), desk=Desk()) as service:
            smsc.bound()
            assert soon(service.checks["smpp.claro"])
        assert service.states == {"claro.transceiver": "closed"}


def test_node_smpp_refuses_another_password(request: pytest.FixtureRequest) -> None:
    with node_smsc(request.getfixturevalue("node_folder")) as smsc:
        line = replace(line_to(smsc.port), password="another")
        with serving(line, desk=Desk()) as service:
            assert soon(lambda: service.states == {"claro.transceiver": "refused"})


SMS_SENT = [
    # How it is cut, its text, and what node-smpp makes of its parts: udh, sar, text.
    (Concatenation.UDH_8, "Año ñ@_€ " * 20),
    (Concatenation.UDH_16, "Año ñ@_€ " * 20),
    (Concatenation.SAR, "Año ñ@_€ " * 20),
    (Concatenation.PAYLOAD, "Año ñ@_€ " * 20),
    (Concatenation.UDH_8, "Operación número 5 " * 8),
    (Concatenation.UDH_16, "Enviaste S/ 50.00"),
]


@pytest.mark.parametrize(("how", "text"), SMS_SENT)
def test_node_smpp_reads_our_sms(
    how: Concatenation, text: str, request: pytest.FixtureRequest
) -> None:
    spoken = dialect("sms-only")
    spoken = replace(spoken, sms=msgspec.structs.replace(spoken.sms, long=how))
    with node_smsc(request.getfixturevalue("node_folder")) as smsc:
        line = line_to(smsc.port, speaks=spoken, carries_sms=True)
        with serving(line, desk=Desk()) as service:
            smsc.bound()
            (sender,) = service.senders
            delivery = sender.send(Sms(Msisdn(ROSA.msisdn), text, reference="7-19a"))
            assert isinstance(delivery, Sent)
            count = max(1, delivery.segments)
            told = [smsc.submission() for _ in range(count)]
    assert "".join(part["text"] for part in told) == text
    assert delivery.provider_id == told[-1]["message_id"]
    assert [part["registered_delivery"] for part in told] == [0] * (count - 1) + [1]
    if count > 1 and how is Concatenation.SAR:
        assert [part["sar"][1:] for part in told] == [[count, at + 1] for at in range(count)]
    elif count > 1:
        ends = [bytes.fromhex(part["udh"][0])[-2:] for part in told]
        assert ends == [bytes((count, at + 1)) for at in range(count)]


@PEERS
def test_sms_and_receipts_of_both_peers(name: str, request: pytest.FixtureRequest) -> None:
    desk = Desk()
    with peer(name, request) as smsc:
        line = line_to(smsc.port, carries_sms=True)
        with serving(line, desk=desk) as service:
            smsc.bound()
            assert soon(service.checks["smpp.claro"])
            phone, code = Address(ROSA.msisdn[1:], 1, 1), Address("775", 0, 1)
            assert smsc.deliver(Message(phone, code, b"SALDO", data_coding=0)) == codec.ROK
            (sender,) = service.senders
            sent = sender.send(Sms(Msisdn(ROSA.msisdn), "Enviaste S/ 50.00 a Begoña"))
            assert isinstance(sent, Sent)
            said = smsc.submitted()
            assert (said.source, said.destination) == (code, phone)
            assert said.text == write("Enviaste S/ 50.00 a Begoña", Alphabet.GSM)
            told = f"id:{sent.provider_id} submit date:2610011200 stat:DELIVRD err:000"
            receipt = Message(phone, code, told.encode(), esm_class=4)
            assert smsc.deliver(receipt) == codec.ROK
    assert [text.said.text for text in desk.texts] == ["SALDO"]
    assert desk.reports == [Report("smpp-claro", sent.provider_id, DeliveryState.DELIVERED)]
