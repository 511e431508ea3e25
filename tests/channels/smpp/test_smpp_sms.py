"""SMS over a line, both ways: what is not safe, comes twice or cannot be read first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Pdu, Tlv
from gateway.channels.smpp.copies import Copies
from gateway.channels.smpp.dialects import Dialect, Ids, Letters
from gateway.channels.smpp.encodings import Alphabet
from gateway.channels.smpp.lines import LineSms
from gateway.channels.smpp.parts import Concatenation, Parts, cut, heard
from gateway.channels.smpp.receipts import IdForm
from gateway.channels.smpp.sender import SmppSender
from gateway.channels.smpp.service import Service
from gateway.notices.senders import Delivery, Misconfigured, Never, Sent, Sms, TryLater
from gateway.values.delivery import DeliveryState, Report
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Text
from tests.channels.smpp.desk import QUICK, Desk, dialect, line_to, serving, soon
from tests.channels.smpp.smsc import Peer, Smsc
from tests.people import ROSA

PHONE, CODE = Address(ROSA.msisdn[1:], 1, 1), Address("775", 0, 1)
SALDO = Message(PHONE, CODE, b"SALDO")
LONG = "Ñandú: " + "saldo y movimientos de la cuenta, por favor. " * 6
ASCII_LONG = "x" * 400
USUAL = Sms(Msisdn(ROSA.msisdn), "Enviaste S/ 50.00", reference="7-19a")


@dataclass
class Bench:
    """One line that carries SMS, bound."""

    smsc: Smsc
    peer: Peer
    desk: Desk
    service: Service

    @property
    def sender(self) -> SmppSender:
        (sender,) = self.service.senders
        return sender

    def sending(self, sms: Sms = USUAL) -> Sending:
        return Sending(self.sender, sms)


class Sending:
    """A message that another thread sends, while the test is the network."""

    def __init__(self, sender: SmppSender, sms: Sms) -> None:
        self._delivery: Delivery | None = None

        def send() -> None:
            self._delivery = sender.send(sms)

        self._thread = threading.Thread(target=send)
        self._thread.start()

    @property
    def delivery(self) -> Delivery:
        self._thread.join(15)
        assert self._delivery is not None
        return self._delivery


@contextmanager
def bench(
    speaks: Dialect | str = "sms-only",
    desk: Desk | None = None,
    sms: LineSms | None = None,
    **sheet: Any,
) -> Iterator[Bench]:
    """A line that carries SMS, bound."""
    desk = desk or Desk()
    with Smsc() as smsc:
        own = sms or LineSms(source="775", per_second=100)
        line = line_to(smsc.port, speaks=speaks, sms=own, **sheet)
        with serving(line, desk=desk) as service:
            peer = smsc.accept_bound()
            assert soon(service.checks["smpp.claro"])
            yield Bench(smsc, peer, desk, service)
            smsc.close()


def with_sms(**changes: Any) -> Dialect:
    """A dialect that says SMS otherwise."""
    spoken = dialect("sms-only")
    return replace(spoken, sms=msgspec.structs.replace(spoken.sms, **changes))


def texts(desk: Desk) -> list[str]:
    return [text.said.text for text in desk.texts]


# What comes in.


def test_a_message_that_is_not_safe_is_brought_again_under_its_name() -> None:
    with bench(desk=Desk(safe=False)) as line:
        assert line.peer.deliver(SALDO) == codec.RX_T_APPN
        line.desk.safe = True
        assert line.peer.deliver(SALDO) == codec.ROK
        names = [text.origin.session_id for text in line.desk.texts]
        assert names[0] == names[1]


@pytest.mark.parametrize(
    "source", [Address("CLARO", 5, 0), Address("775", 0, 1), Address("5112345678", 1, 1), Address()]
)
def test_what_no_member_wrote_is_taken_and_forgotten(source: Address) -> None:
    with bench() as line:
        assert line.peer.deliver(replace(SALDO, source=source)) == codec.ROK
        assert line.desk.texts == []


def test_a_line_without_sms_takes_none() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port), desk=Desk()) as service:
        peer = smsc.accept_bound()
        assert peer.deliver(SALDO) == codec.RX_P_APPN
        assert service.senders == ()
        smsc.close()


def test_a_message_of_a_member() -> None:
    with bench() as line:
        assert line.peer.deliver(SALDO) == codec.ROK
        (text,) = line.desk.texts
        assert (text.said.text, text.to) == ("SALDO", "775")
        origin = text.origin
        assert (origin.channel, origin.account, origin.msisdn.e164) == (
            "smpp",
            "claro",
            ROSA.msisdn,
        )


class Broken(Desk):
    """A gateway that breaks where it never should."""

    def receive(self, text: Text) -> bool:
        raise RuntimeError("out of paper")


def test_a_fault_of_ours_is_brought_again() -> None:
    with bench(desk=Broken()) as line:
        assert line.peer.deliver(SALDO) == codec.RX_T_APPN
        assert line.peer.deliver(SALDO) == codec.RX_T_APPN


def test_ussd_and_sms_come_over_one_bind() -> None:
    with bench("standard") as line:
        ussd = replace(
            SALDO,
            text=b"*775*8#",
            service_type="USSD",
            tlvs=(Tlv(codec.USSD_SERVICE_OP, b"\x01"), Tlv(codec.ITS_SESSION_INFO, b"\x2a\x00")),
        )
        assert line.peer.deliver(SALDO) == line.peer.deliver(ussd) == codec.ROK
        assert line.peer.submitted().number(codec.USSD_SERVICE_OP) == 0x02
        assert (texts(line.desk), line.desk.typed) == (["SALDO"], ["8"])


def test_a_message_that_is_being_put_away_is_answered_before_we_unbind() -> None:
    desk = Desk(hold=threading.Event())
    with bench(desk=desk) as line:
        request = line.peer.request(codec.DELIVER_SM, SALDO)
        assert line.peer.silent(0.1)
        stopping = threading.Thread(target=line.service.stop)
        stopping.start()
        assert line.peer.silent(0.2)
        assert desk.hold
        desk.hold.set()
        assert line.peer.read() == Pdu(
            codec.DELIVER_SM | codec.RESPONSE, request.sequence, codec.Taken("")
        )
        line.peer.unbound()
        stopping.join(10)
        assert not stopping.is_alive()


def test_the_same_written_twice_is_two_messages() -> None:
    with bench() as line:
        assert line.peer.deliver(SALDO) == line.peer.deliver(SALDO) == codec.ROK
        names = {text.origin.session_id for text in line.desk.texts}
        assert len(names) == 2


def test_what_comes_again_after_a_broken_connection_is_one_message() -> None:
    with bench() as line:
        assert line.peer.deliver(SALDO) == codec.ROK
        line.peer.close()  # before the network has read the answer, perhaps
        again = line.smsc.accept_bound()
        assert again.deliver(SALDO) == codec.ROK
        assert again.deliver(SALDO) == codec.ROK  # and this one is new
        names = [text.origin.session_id for text in line.desk.texts]
        assert names[0] == names[1] != names[2]


class Carrier:
    """A connection."""

    ended_at: float | None = None


def test_which_messages_may_come_again() -> None:
    clock = [100.0]
    copies, carrier = Copies(lambda: clock[0]), Carrier()

    def comes(takes_s: float = 0, *, well: bool = True) -> str:
        name = copies.name(b"SALDO", carrier)
        clock[0] += takes_s
        copies.answered(b"SALDO", well=well)
        clock[0] += 30
        return name

    first = comes()
    late = comes(takes_s=6)
    assert late != first
    assert comes() == late  # it took so long that the network may have asked again
    unsafe = comes(well=False)
    assert unsafe != late
    assert comes() == unsafe
    carrier.ended_at = clock[0] + 100  # long after the answer
    later = comes()
    assert later != unsafe
    clock[0] += 700
    assert comes() != later


def test_a_message_in_parts_is_answered_when_the_whole_is_safe() -> None:
    desk = Desk(hold=threading.Event())
    with bench(desk=desk) as line:
        requests = [line.peer.request(codec.DELIVER_SM, message) for message in in_parts(LONG, 7)]
        assert line.peer.silent(0.2)
        assert desk.hold
        desk.hold.set()
        assert {line.peer.answer_to(request).status for request in requests} == {codec.ROK}
        assert texts(desk) == [LONG.replace("ú", "u")]


def test_a_network_that_waits_for_each_answer_gets_on() -> None:
    with bench() as line:
        statuses = [line.peer.deliver(message) for message in in_parts(ASCII_LONG, 7)]
        assert statuses == [codec.ROK] * 3
        assert texts(line.desk) == [ASCII_LONG]


def test_a_part_that_no_phone_has_sent_is_refused() -> None:
    with bench() as line:
        header = b"\x05\x00\x03\x01\x02\x01"
        long = (Tlv(codec.MESSAGE_PAYLOAD, header + b"x" * 60_000),)
        message = replace(SALDO, text=b"", tlvs=long, esm_class=0x40)
        assert line.peer.deliver(message) == codec.RX_P_APPN
        assert line.peer.deliver(SALDO) == codec.ROK
        assert texts(line.desk) == ["SALDO"]


def test_a_whole_that_is_not_safe_is_brought_again_by_any_part() -> None:
    with bench(desk=Desk(safe=False)) as line:
        messages = in_parts(LONG, 7)
        requests = [line.peer.request(codec.DELIVER_SM, message) for message in messages]
        answers = {line.peer.answer_to(request).status for request in requests}
        assert answers == {codec.RX_T_APPN}
        line.desk.safe = True
        assert line.peer.deliver(messages[0]) == codec.ROK
        assert len({text.origin.session_id for text in line.desk.texts}) == 1


def in_parts(text: str, reference: int, how: Concatenation = Concatenation.UDH_8) -> list[Message]:
    """The messages that a long text comes in."""
    return [
        Message(PHONE, CODE, piece.text, piece.tlvs, esm_class=piece.esm_class)
        for piece in cut(text, Alphabet.GSM, how, reference)
    ]


@pytest.mark.parametrize("how", [Concatenation.UDH_8, Concatenation.UDH_16, Concatenation.SAR])
def test_parts_come_in_any_order_and_twice(how: Concatenation) -> None:
    with bench() as line:
        one, two, three = in_parts(ASCII_LONG, 9, how)
        for message in (three, one, one, three):
            line.peer.request(codec.DELIVER_SM, message)
        line.peer.request(codec.DELIVER_SM, two)
        assert soon(lambda: line.desk.texts)
        assert texts(line.desk) == [ASCII_LONG]


LETTERS_HEARD = [
    (Alphabet.GSM, 0, "7d 00 11"),
    (Alphabet.LATIN1, 0, "f1 40 5f"),
    (Alphabet.GSM, 3, "f1 40 5f"),
    (Alphabet.GSM, 8, "00f1 0040 005f"),
    (Alphabet.LATIN1, 8, "00f1 0040 005f"),
]


@pytest.mark.parametrize(("default", "data_coding", "octets"), LETTERS_HEARD)
def test_the_letters_of_a_message(default: Alphabet, data_coding: int, octets: str) -> None:
    with bench(with_sms(heard_default=default)) as line:
        message = replace(SALDO, text=bytes.fromhex(octets), data_coding=data_coding)
        assert line.peer.deliver(message) == codec.ROK
        assert texts(line.desk) == ["ñ@_"]


# What goes out.


def test_a_message_goes_out() -> None:
    with bench() as line:
        sending = line.sending(replace(USUAL, valid_s=90_061))
        message = line.peer.submitted(message_id="0A1B")
        assert sending.delivery == Sent("A1B", sender="smpp-claro", segments=0)
        assert (message.source, message.destination) == (CODE, PHONE)
        assert message.octets == b"Enviaste S/ 50.00"
        assert message.registered_delivery == 1
        assert message.validity == "000001010101000R"
        assert message.data_coding == 0


LETTERS_SAID = [
    (Letters(alphabet=Alphabet.GSM, data_coding=0), "ñ@_é", 0, "7d 00 11 05"),
    (Letters(alphabet=Alphabet.LATIN1, data_coding=3), "ñ@_é", 3, "f1 40 5f e9"),
    (Letters(alphabet=Alphabet.LATIN1, data_coding=0), "ñ@_é", 0, "f1 40 5f e9"),
    (Letters(alphabet=Alphabet.UCS2, data_coding=8), "ñ@_é", 8, "00f1 0040 005f 00e9"),
    (Letters(alphabet=Alphabet.GSM, data_coding=0), "ó", 8, "00f3"),
    (Letters(alphabet=Alphabet.LATIN1, data_coding=3), "ó", 3, "f3"),
    (Letters(alphabet=Alphabet.LATIN1, data_coding=3), "€", 8, "20ac"),
]


@pytest.mark.parametrize(("letters", "text", "data_coding", "octets"), LETTERS_SAID)
def test_the_letters_that_we_send(
    letters: Letters, text: str, data_coding: int, octets: str
) -> None:
    with bench(with_sms(letters=letters)) as line:
        sending = line.sending(replace(USUAL, text=text))
        message = line.peer.submitted()
        assert isinstance(sending.delivery, Sent)
        assert (message.data_coding, message.octets) == (data_coding, bytes.fromhex(octets))


@pytest.mark.parametrize("how", Concatenation)
@pytest.mark.parametrize("text", [ASCII_LONG, "Año ó " * 60])
def test_a_long_message_is_put_together_by_the_phone(how: Concatenation, text: str) -> None:
    with bench(with_sms(long=how)) as line:
        sending = line.sending(replace(USUAL, text=text))
        count = 1 if how is Concatenation.PAYLOAD else len(cut(text, alphabet_of(text), how, 1))
        messages = [line.peer.submitted(message_id=f"M{number}") for number in range(count)]
        delivery = sending.delivery
        assert delivery == Sent(f"M{count - 1}", "smpp-claro", count if count > 1 else 0)
        assert [message.registered_delivery for message in messages] == [0] * (count - 1) + [1]
        parts = Parts(time.monotonic)
        joined = [parts.add(heard(message, Alphabet.GSM)) for message in reversed(messages)]
        assert joined[-1] == text


def alphabet_of(text: str) -> Alphabet:
    return Alphabet.UCS2 if "ó" in text else Alphabet.GSM


def test_a_message_that_is_sent_again_has_the_same_reference() -> None:
    """So a phone that got one part of the first try puts both tries together."""
    headers = []
    with bench() as line:
        for _ in range(2):
            sending = line.sending(replace(USUAL, text=ASCII_LONG))
            headers.append([line.peer.submitted().text[:6] for _ in range(3)])
            assert isinstance(sending.delivery, Sent)
    assert headers[0] == headers[1]


STATUSES: list[tuple[int, type[Delivery], bool]] = [
    # A status, what becomes of the message, and whether it says when to come back.
    (0x58, TryLater, True),
    (0x14, TryLater, True),
    (0x08, TryLater, False),
    (0x45, TryLater, False),
    (0x64, TryLater, False),
    (0x400, TryLater, False),
    (0x4FF, TryLater, False),
    (0x0B, Never, False),
    (0x01, Never, False),
    (0x0A, Misconfigured, False),
    (0x15, Misconfigured, False),
    (0x0F, Misconfigured, False),
]


@pytest.mark.parametrize(("status", "becomes", "says_when"), STATUSES)
def test_a_message_that_is_refused(status: int, becomes: type[Delivery], says_when: bool) -> None:
    with bench() as line:
        sending = line.sending()
        line.peer.submitted(status)
        delivery = sending.delivery
        assert type(delivery) is becomes
        assert says_when is bool(getattr(delivery, "wait_s", 0))


def test_a_network_that_is_overloaded_is_left_alone_for_longer_each_time() -> None:
    with bench() as line:
        sending = line.sending()
        line.peer.submitted(0x58)
        first = sending.delivery
        assert isinstance(first, TryLater)
        assert line.sending().delivery == TryLater(
            "the network is overloaded", pytest.approx(1, abs=0.5)
        )
        assert line.peer.silent(0.05)
        time.sleep(first.wait_s + 0.05)
        sending = line.sending()
        line.peer.submitted(0x58)
        assert isinstance(sending.delivery, TryLater)
        assert sending.delivery.wait_s > first.wait_s


def test_what_was_begun_waits_for_an_overloaded_network() -> None:
    with bench() as line:
        sending = line.sending(replace(USUAL, text=ASCII_LONG))
        line.peer.submitted()
        line.peer.submitted(0x58)
        line.peer.submitted()
        line.peer.submitted(message_id="M3")
        assert sending.delivery == Sent("M3", "smpp-claro", 3)


def test_what_was_begun_and_refused_may_be_sent_again() -> None:
    with bench() as line:
        sending = line.sending(replace(USUAL, text=ASCII_LONG))
        line.peer.submitted()
        line.peer.submitted(0x0B)
        assert sending.delivery == TryLater("RINVDSTADR: a part was taken")


def test_a_message_whose_answer_is_lost_may_have_been_sent() -> None:
    with bench() as line:
        sending = line.sending()
        line.peer.expect(codec.SUBMIT_SM)
        line.peer.close()
        assert sending.delivery == TryLater("the connection broke: may have been sent")


def test_a_message_that_is_too_long_is_never_sent() -> None:
    with bench(sms=LineSms(source="775", segments_max=2)) as line:
        assert line.sending(replace(USUAL, text="x" * 400)).delivery == Never(
            "too long: 3 segments"
        )
        assert line.peer.silent(0.05)
        assert line.sender.limits.segments_max == 2


def test_an_account_that_is_locked_is_for_a_person_to_mend() -> None:
    with Smsc() as smsc:
        line = line_to(smsc.port, carries_sms=True)
        slowly = replace(QUICK, refused_first_s=5, refused_max_s=5)
        with serving(line, desk=Desk(), timings=slowly) as service:
            smsc.accept().let_in(0x0E)
            assert soon(lambda: "refused" in service.states.values())
            (sender,) = service.senders
            assert sender.send(USUAL) == Misconfigured("the operator refuses our bind")


def test_a_message_waits_for_a_bind_that_comes_back() -> None:
    with bench() as line:
        line.peer.close()
        assert soon(lambda: not line.service.checks["smpp.claro"]())
        sending = line.sending()
        line.smsc.accept_bound().submitted(message_id="M2")
        assert isinstance(sending.delivery, Sent)


def test_screens_never_wait_for_messages() -> None:
    """Half of the window is theirs, whatever waits to be sent."""
    with bench("standard", window=4) as line:
        sendings = [line.sending() for _ in range(6)]
        waiting = [line.peer.expect(codec.SUBMIT_SM) for _ in range(2)]
        dial = replace(
            SALDO,
            text=b"*775#",
            tlvs=(Tlv(codec.USSD_SERVICE_OP, b"\x01"), Tlv(codec.ITS_SESSION_INFO, b"\x2a\x00")),
        )
        assert line.peer.deliver(dial) == codec.ROK
        assert line.peer.submitted().number(codec.USSD_SERVICE_OP) == 0x02
        for submission in waiting:
            line.peer.answer_submission(submission)
        for _ in range(4):
            line.peer.submitted()
        assert all(isinstance(sending.delivery, Sent) for sending in sendings)


def test_after_the_line_was_closed_nothing_is_sent() -> None:
    with bench() as line:
        sender = line.sender
        stopping = threading.Thread(target=line.service.stop)
        stopping.start()
        line.peer.unbound()
        stopping.join(10)
        assert sender.send(USUAL) == TryLater("the line is closed", 30)


# Receipts.


def receipt(text: str, *tlvs: Tlv) -> Message:
    return Message(PHONE, CODE, text.encode(), tlvs, esm_class=0x04)


def test_a_receipt_that_is_not_kept_is_brought_again() -> None:
    with bench(desk=Desk(safe=False)) as line:
        assert line.peer.deliver(receipt("id:1 stat:DELIVRD")) == codec.RX_T_APPN


@pytest.mark.parametrize("text", ["", "hola", "stat:DELIVRD", "id:1 stat:BUZON", "id:1"])
def test_a_receipt_that_says_nothing_is_taken_and_forgotten(text: str) -> None:
    with bench() as line:
        assert line.peer.deliver(receipt(text)) == codec.ROK
        assert line.desk.reports == []
        assert line.desk.texts == []


def test_a_receipt_names_its_message_in_hex_or_decimal() -> None:
    ids = Ids(answer=IdForm.HEX, receipt=IdForm.DECIMAL)
    with bench(with_sms(ids=ids)) as line:
        sending = line.sending()
        line.peer.submitted(message_id="0A1B2C")
        sent = sending.delivery
        told = receipt("id:0000662316 sub:001 dlvrd:001 stat:UNDELIV err:01B text:Tu saldo")
        assert line.peer.deliver(told) == codec.ROK
        assert isinstance(sent, Sent)
        assert line.desk.reports == [
            Report("smpp-claro", sent.provider_id, DeliveryState.FAILED, "UNDELIV 01B")
        ]


def test_a_receipt_may_come_before_the_answer() -> None:
    with bench() as line:
        sending = line.sending()
        submission = line.peer.expect(codec.SUBMIT_SM)
        assert line.peer.deliver(receipt("id:00AB stat:DELIVRD")) == codec.ROK
        line.peer.answer_submission(submission, message_id="AB")
        sent = sending.delivery
        assert isinstance(sent, Sent)
        assert line.desk.reports == [
            Report("smpp-claro", sent.provider_id, DeliveryState.DELIVERED)
        ]


# Anything.

octets = st.binary(max_size=100)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(
            Message,
            source=st.just(PHONE),
            destination=st.just(CODE),
            text=octets,
            esm_class=st.integers(0, 255),
            data_coding=st.integers(0, 255),
        ),
        max_size=8,
    )
)
def test_whatever_comes_is_answered(messages: list[Message]) -> None:
    with bench() as line:
        for message in messages:
            assert line.peer.deliver(message) == codec.ROK
        assert line.peer.deliver(SALDO) == codec.ROK
        assert texts(line.desk)[-1] == "SALDO"
