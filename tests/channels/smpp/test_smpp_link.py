"""Binds: what a network may do to them, and that they recover by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.bounds import SMPP_INBOUND_MAX
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Bind, Message, Pdu, Tlv, encode
from gateway.channels.smpp.connection import Connection, LostError, Terms
from gateway.channels.smpp.figures import Figures
from gateway.channels.smpp.lines import Line, Tls
from gateway.channels.smpp.link import Timings
from gateway.channels.smpp.service import Service
from gateway.channels.smpp.trace import LINE_CHARS_MAX, told
from gateway.notices.senders import Delivery, Sent, Sms
from gateway.values.msisdn import Msisdn
from tests.channels.smpp.desk import PASSWORD, QUICK, Desk, dialect, line_to, serving, soon
from tests.channels.smpp.handset import Handset, Screen, words
from tests.channels.smpp.smsc import Peer, Smsc
from tests.people import ROSA, SEGUNDO

ENQUIRE = encode(Pdu(codec.ENQUIRE_LINK, 1))
CERTIFICATE = Path(__file__).parent / "loopback.pem"
STOPPED_WITHIN_S = 8.0
PATIENT = replace(QUICK, bind_s=1, unbind_s=0.5)


@dataclass
class Bound:
    """A line that is bound, and what is said of it."""

    smsc: Smsc
    peer: Peer
    desk: Desk
    service: Service
    registry: CollectorRegistry

    @property
    def ready(self) -> bool:
        return self.service.checks["smpp.claro"]()

    def phone(self, peer: Peer | None = None, msisdn: str = ROSA.msisdn) -> Handset:
        ussd = dialect().ussd
        assert ussd
        return Handset(peer or self.peer, ussd, msisdn)

    def figure(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"line": "claro", **labels}) or 0


@contextlib.contextmanager
def bound(desk: Desk | None = None, timings: Timings = QUICK, **sheet: Any) -> Iterator[Bound]:
    """A line, bound to an SMSC."""
    desk, registry = desk or Desk(), CollectorRegistry()
    with Smsc() as smsc:
        line = line_to(smsc.port, **sheet)
        with serving(line, desk=desk, registry=registry, timings=timings) as service:
            peer = smsc.accept_bound()
            assert soon(service.checks["smpp.claro"])
            yield Bound(smsc, peer, desk, service, registry)
            smsc.close()


# How a bind begins.


def test_we_say_who_we_are() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port, address_range="775"), desk=Desk()):
        bind = smsc.accept().let_in()
        assert bind.command == codec.BIND_TRANSCEIVER
        assert bind.body == Bind("coopuser", PASSWORD, "USSD", 0x34, Address("775"))
        smsc.close()


@pytest.mark.parametrize("status", [0x05, 0x0D, 0x0E, 0x0F, 0x400])
def test_a_bind_that_is_refused_is_an_alarm_and_tried_again_slowly(status: int) -> None:
    slowly = replace(QUICK, refused_first_s=0.3, refused_max_s=0.3)
    with Smsc() as smsc, capture_logs() as logs:
        registry = CollectorRegistry()
        line = line_to(smsc.port)
        with serving(line, desk=Desk(), registry=registry, timings=slowly) as service:
            peer = smsc.accept()
            peer.let_in(status)
            assert peer.gone()
            began = time.monotonic()
            assert soon(lambda: service.states == {"claro.transceiver": "refused"})
            assert service.checks["smpp.claro"]() is False
            smsc.accept_bound()
            assert time.monotonic() - began > 0.2
            assert soon(service.checks["smpp.claro"])
            labels = {"line": "claro", "bind": "transceiver", "outcome": "refused"}
            assert registry.get_sample_value("chaski_smpp_binds_total", labels) == 1
            smsc.close()
    assert [log["log_level"] for log in logs if log["event"] == "smpp_bind_refused"] == ["error"]
    assert PASSWORD not in str(logs)


@pytest.mark.parametrize("status", [0x08, 0x14, 0x58])
def test_a_network_that_is_not_ready_for_a_bind_is_asked_again_soon(status: int) -> None:
    slowly = replace(QUICK, refused_first_s=60, refused_max_s=60)
    with (
        Smsc() as smsc,
        capture_logs() as logs,
        serving(line_to(smsc.port), desk=Desk(), timings=slowly) as service,
    ):
        for _ in range(3):
            smsc.accept().let_in(status)
        smsc.accept_bound()
        assert soon(service.checks["smpp.claro"])
        smsc.close()
    assert [log["event"] for log in logs if log["log_level"] == "error"] == []


def test_a_peer_that_does_not_answer_the_bind_is_left() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port), desk=Desk(), timings=PATIENT) as service:
        silent = smsc.accept()
        assert silent.read().command == codec.BIND_TRANSCEIVER
        smsc.accept_bound()
        assert silent.gone()
        assert soon(service.checks["smpp.claro"])
        smsc.close()


def test_a_peer_that_drops_us_before_the_bind_is_tried_again() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port), desk=Desk()) as service:
        for _ in range(3):
            smsc.accept().close()
        smsc.accept_bound()
        assert soon(service.checks["smpp.claro"])
        smsc.close()


def test_an_smsc_that_is_not_there_yet_is_found_when_it_is() -> None:
    with Smsc() as nowhere:
        port = nowhere.port
    with capture_logs() as logs, serving(line_to(port), desk=Desk()) as service:
        assert soon(lambda: [log for log in logs if log["event"] == "smpp_unreachable"])
        time.sleep(0.3)
        listener = socket.create_server(("127.0.0.1", port))
        connection, _ = listener.accept()
        peer = Peer(connection)
        peer.let_in()
        assert soon(service.checks["smpp.claro"])
        peer.close()
        listener.close()
    unreachable = [log for log in logs if log["event"] == "smpp_unreachable"]
    assert len(unreachable) == 1  # it is said when it begins, not at each try


def test_a_receiver_and_a_transmitter() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port, bind="separately"), desk=Desk()) as service:
        peers = {}
        for _ in range(2):
            peer = smsc.accept()
            peers[peer.let_in().command] = peer
        receiver, transmitter = (
            peers[codec.BIND_RECEIVER],
            peers[codec.BIND_TRANSMITTER],
        )
        assert soon(service.checks["smpp.claro"])
        assert set(service.states) == {"claro.receiver", "claro.transmitter"}
        ussd = dialect().ussd
        assert ussd
        rosa = Handset(receiver, ussd, ROSA.msisdn)
        assert receiver.deliver(rosa.dialled("*775#")) == codec.ROK
        assert rosa.shown(transmitter.submitted()).text == "Año 1\n1. Saldo"
        # One of them drops: the other stays, and the screen waits for its way out.
        transmitter.close()
        assert soon(lambda: service.states["claro.transmitter"] != "bound")
        assert receiver.deliver(rosa.answered("1")) == codec.ROK
        again = smsc.accept_bound()
        assert rosa.shown(again.submitted()).text == "Año 2\n1. Saldo"
        smsc.close()


def test_tls() -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)  # and its key, which is worth nothing
    with Smsc() as smsc:
        plain = line_to(smsc.port, tls=Tls())
        trusting = replace(plain, tls=ssl.create_default_context(cafile=str(CERTIFICATE)))
        wary = replace(plain, tls=ssl.create_default_context())
        with capture_logs() as logs, serving(wary, desk=Desk()):
            with pytest.raises(OSError):  # noqa: PT011 - in words of each OpenSSL's own
                smsc.accept_tls(server)
            assert soon(lambda: "CERTIFICATE_VERIFY_FAILED" in str(logs))
        with serving(trusting, desk=Desk()) as service:
            smsc.accept_tls(server).let_in()
            assert soon(service.checks["smpp.claro"])
            smsc.close()


# While it lasts.


def test_whoever_asks_whether_we_are_there_is_answered() -> None:
    with bound() as line:
        line.peer.write_octets(ENQUIRE)
        assert line.peer.read() == Pdu(codec.ENQUIRE_LINK | codec.RESPONSE, 1)


def test_we_ask_too_and_give_a_peer_up_that_does_not_answer() -> None:
    with bound(enquire_link_s=0.1, response_s=1) as line:
        asked = line.peer.expect(codec.ENQUIRE_LINK)
        line.peer.write(Pdu(codec.ENQUIRE_LINK | codec.RESPONSE, asked.sequence))
        line.peer.expect(codec.ENQUIRE_LINK)
        again = line.smsc.accept_bound()  # that one was not answered
        assert line.peer.gone()
        assert soon(lambda: line.ready)
        assert line.figure("chaski_smpp_binds_total", bind="transceiver", outcome="lost") == 1
        again.close()


def test_half_pdus_and_several_in_one_piece() -> None:
    with bound() as line:
        rosa = line.phone()
        octets = encode(Pdu(codec.DELIVER_SM, 7, rosa.dialled("*775#")))
        for octet in octets:
            line.peer.write_octets(bytes((octet,)))
        assert rosa.see().text == "Año 1\n1. Saldo"
        answer = encode(Pdu(codec.DELIVER_SM, 8, rosa.answered("1")))
        line.peer.write_octets(ENQUIRE + answer + ENQUIRE + answer[:20])
        time.sleep(0.05)
        line.peer.write_octets(answer[20:] + ENQUIRE)
        assert rosa.see().text == "Año 2\n1. Saldo"
        for _ in range(3):
            line.peer.expect(codec.ENQUIRE_LINK | codec.RESPONSE)


def test_a_command_that_nobody_knows_is_refused_and_nothing_else() -> None:
    with bound() as line:
        for command in (0x03, 0x21, 0xDEAD):
            line.peer.write(Pdu(command, 5))
            assert line.peer.read() == Pdu(codec.GENERIC_NACK, 5, status=codec.RINVCMDID)
        for command in (0x0B, 0x102, codec.GENERIC_NACK, 0x8000_0004, 0x8000_DEAD):
            line.peer.write(
                Pdu(command, 6, codec.NOTHING)
                if command != 0x8000_0004
                else Pdu(command, 6, codec.Taken())
            )
        assert line.peer.silent(0.05)
        assert line.phone().dial().text == "Año 1\n1. Saldo"


def test_a_message_that_cannot_be_read_is_refused_and_nothing_else() -> None:
    with bound() as line:
        octets = encode(Pdu(codec.DELIVER_SM, 7, line.phone().dialled("*775#")))
        cuts = [struct.pack(">I", cut) + octets[4:cut] for cut in range(17, len(octets))]
        unreadable = [cut for cut in cuts if not readable(cut)]
        assert len(unreadable) > len(cuts) - 3  # a message without parameters can be read
        for cut in unreadable:
            line.peer.write_octets(cut)
            refused = Pdu(codec.DELIVER_SM | codec.RESPONSE, 7, codec.Taken(), codec.RX_P_APPN)
            assert line.peer.read() == refused
        assert line.desk.turns == []
        assert line.phone().dial().text == "Año 1\n1. Saldo"


def readable(octets: bytes) -> bool:
    """Whether it is a PDU."""
    try:
        codec.decode(octets)
    except codec.PduError:
        return False
    return True


def test_what_cannot_be_read_is_said_of_its_line() -> None:
    with capture_logs() as logs, bound() as line:
        rosa = line.phone()
        rosa.dial()
        line.peer.write_octets(bytes.fromhex("00000011000000050000000000000007") + b"x")
        line.peer.expect(codec.DELIVER_SM | codec.RESPONSE)
        unknown = (Tlv(codec.USSD_SERVICE_OP, b"\x55"), *rosa.answered("1").tlvs[1:])
        assert rosa.say(replace(rosa.answered("1"), tlvs=unknown)).text == "Año 2\n1. Saldo"
    of = {log["event"]: log.get("line") for log in logs}
    assert of["smpp_unreadable"] == of["smpp_unknown_operation"] == "claro"


def test_a_peer_that_makes_numbers_up_fills_no_memory() -> None:
    registry = CollectorRegistry()
    figures = Figures(registry).of("claro")
    for number in range(50):
        figures.observe("in", Pdu(0xDEAD + number, number, status=0x400 + number))
    labels = {"line": "claro", "way": "in", "command": "other", "status": "other"}
    assert registry.get_sample_value("chaski_smpp_pdus_total", labels) == 50
    kept = gc.get_referents(figures)
    assert sum(len(each) for each in kept if isinstance(each, dict)) < 20


MONSTERS = {
    "a state of many octets": (
        codec.MESSAGE_STATE,
        Message(Address("775"), Address("775"), b"", (Tlv(0x1E, b"A\nB"),), esm_class=4),
    ),
    "an operation of many octets": (
        codec.USSD_SERVICE_OP,
        Message(Address(ROSA.msisdn[1:], 1, 1), Address("775"), b"*775#"),
    ),
}


@pytest.mark.parametrize("name", MONSTERS)
@pytest.mark.parametrize("octets", [2_000, 60_000])
def test_a_number_that_is_none_ends_no_bind_and_fills_no_log(name: str, octets: int) -> None:
    tag, message = MONSTERS[name]
    tlvs = (*message.tlvs, Tlv(tag, b"\xff" * octets))
    with capture_logs() as logs, bound(trace=True) as line:
        for _ in range(2):
            assert line.peer.deliver(replace(message, tlvs=tlvs)) == codec.ROK
            if tag == codec.USSD_SERVICE_OP:  # nothing that can be understood is said: it is a dial
                assert words(line.peer.submitted().octets)[:5] == "Año 1"
        assert line.phone().dial().text == "Año 1\n1. Saldo"
        assert line.figure("chaski_smpp_binds_total", bind="transceiver", outcome="bound") == 1
    assert max(len(str(log)) for log in logs) < 1_500
    assert "\n" not in "".join(log["pdu"] for log in logs if "pdu" in log)


def test_many_parameters_are_not_all_shown() -> None:
    many = tuple(Tlv(0x1500 + number, bytes(100)) for number in range(codec.TLVS_MAX))
    said = told(Pdu(codec.DELIVER_SM, 1, Message(Address("1"), Address("2"), b"", many)))
    assert len(said) == LINE_CHARS_MAX


def test_a_trace_that_breaks_down_ends_no_bind() -> None:
    heard: list[Message] = []

    def break_down(_way: str, _pdu: Pdu) -> None:
        raise ValueError

    def hear(message: Message, _connection: Connection) -> int:
        heard.append(message)
        return codec.ROK

    async def serve(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(LostError):
            await Connection(reader, writer, Terms(1, 1, 60), hear, break_down).serve()

    with Smsc() as smsc, capture_logs() as logs:
        serving_it = threading.Thread(target=lambda: asyncio.run(serve(smsc.port)))
        serving_it.start()
        peer = smsc.accept()
        for text in (b"1", b"2"):
            assert peer.deliver(Message(Address("1"), Address("2"), text)) == codec.ROK
        peer.close()
        serving_it.join(10)
    assert [message.text for message in heard] == [b"1", b"2"]
    assert "smpp_not_observed" in str(logs)


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", bytes(16), b"\xff" * 64])
def test_a_stream_that_is_lost_is_begun_again(octets: bytes) -> None:
    with bound() as line:
        line.peer.write_octets(octets)
        assert line.peer.read().command == codec.GENERIC_NACK
        assert line.peer.gone()
        again = line.smsc.accept_bound()
        assert line.phone(again).dial().text == "Año 1\n1. Saldo"


def test_a_network_that_unbinds_is_answered_and_bound_again() -> None:
    with bound() as line:
        line.peer.write(Pdu(codec.UNBIND, 3))
        assert line.peer.read() == Pdu(codec.UNBIND | codec.RESPONSE, 3)
        assert line.peer.gone()
        line.smsc.accept_bound()


def test_a_connection_that_drops_in_a_dialogue_keeps_the_dialogue() -> None:
    """The network has kept it too, and brings the member's next answer by the next connection."""
    with bound() as line:
        rosa = line.phone()
        rosa.dial()
        line.peer.close()
        rosa.network = line.smsc.accept_bound()
        assert rosa.press("1") == Screen("Año 2\n1. Saldo", ends=False)
        assert len(line.desk.sessions) == 1


def test_a_screen_whose_connection_has_dropped_goes_by_the_next_one() -> None:
    desk = Desk(hold=threading.Event())
    with bound(desk) as line:
        rosa = line.phone()
        assert line.peer.deliver(rosa.dialled("*775#")) == codec.ROK
        line.peer.close()
        again = line.smsc.accept_bound()
        assert desk.hold
        desk.hold.set()
        assert rosa.shown(again.submitted()).text == "Año 1\n1. Saldo"


def test_a_network_that_starts_again_is_found_again_and_again() -> None:
    with bound() as line:
        peer = line.peer
        for _ in range(10):
            peer.close()
            peer = line.smsc.accept_bound()
        assert line.phone(peer).dial().text == "Año 1\n1. Saldo"
        assert line.figure("chaski_smpp_binds_total", bind="transceiver", outcome="bound") == 11
        assert soon(lambda: line.figure("chaski_smpp_bound", bind="transceiver") == 1)


def test_a_screen_that_is_not_answered_holds_nobody_up() -> None:
    with bound(window=2) as line:
        phones = [line.phone(msisdn=f"+5198700000{number}") for number in range(3)]
        for phone in phones:
            line.peer.deliver(phone.dialled("*775#"))
        first, second = line.peer.expect(codec.SUBMIT_SM), line.peer.expect(codec.SUBMIT_SM)
        assert line.peer.silent(0.1)  # the window is full
        assert line.figure("chaski_smpp_in_window") == 2
        line.peer.answer_submission(second)
        third = line.peer.expect(codec.SUBMIT_SM)
        line.peer.answer_submission(third)
        line.peer.answer_submission(first)
        assert {first.sequence, second.sequence, third.sequence} == {2, 3, 4}


def test_answers_that_nobody_waits_for_change_nothing() -> None:
    with bound() as line:
        rosa = line.phone()
        line.peer.write(Pdu(codec.SUBMIT_SM | codec.RESPONSE, 99, codec.Taken("1")))
        line.peer.deliver(rosa.dialled("*775#"))
        submission = line.peer.expect(codec.SUBMIT_SM)
        for _ in range(3):
            line.peer.answer_submission(submission)
        assert rosa.press("1").text == "Año 2\n1. Saldo"


@pytest.mark.parametrize("status", [codec.RINVCMDID, codec.ROK])
def test_a_nack_answers_a_submission_and_never_says_yes(status: int) -> None:
    with bound() as line:
        line.peer.deliver(line.phone().dialled("*775#"))
        submission = line.peer.expect(codec.SUBMIT_SM)
        line.peer.write(Pdu(codec.GENERIC_NACK, submission.sequence, status=status))
        assert soon(lambda: line.desk.ended)


def test_a_bind_that_is_answered_by_a_nack_is_no_bind() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port), desk=Desk()) as service:
        peer = smsc.accept()
        peer.write(Pdu(codec.GENERIC_NACK, peer.read().sequence))
        assert peer.gone()
        smsc.accept_bound()
        assert soon(service.checks["smpp.claro"])
        smsc.close()


def test_another_command_s_answer_answers_nothing() -> None:
    with bound() as line:
        line.peer.deliver(line.phone().dialled("*775#"))
        submission = line.peer.expect(codec.SUBMIT_SM)
        line.peer.write(Pdu(codec.ENQUIRE_LINK | codec.RESPONSE, submission.sequence))
        assert not soon(lambda: line.figure("chaski_smpp_in_window") == 0, 0.2)
        line.peer.answer_submission(submission)
        assert soon(lambda: line.figure("chaski_smpp_in_window") == 0)


def test_no_request_waits_longer_than_the_operator_says() -> None:
    with bound(response_s=0.2) as line:
        line.peer.deliver(line.phone().dialled("*775#"))
        line.peer.expect(codec.SUBMIT_SM)  # and no answer; a screen has seconds
        given_up = {"why": "no_answer"}
        assert soon(lambda: line.figure("chaski_smpp_shed_total", **given_up) == 1, 5)
        assert line.figure("chaski_smpp_in_window") == 0


def test_what_waits_for_the_window_when_the_connection_breaks_goes_by_the_next_one() -> None:
    with bound(window=1) as line:
        rosa, segundo = line.phone(), line.phone(msisdn=SEGUNDO.msisdn)
        line.peer.deliver(rosa.dialled("*775#"))
        line.peer.expect(codec.SUBMIT_SM)
        line.peer.deliver(segundo.dialled("*775#"))
        assert soon(lambda: len(line.desk.turns) == 2)
        assert line.peer.silent(0.1)
        line.peer.close()
        again = line.smsc.accept_bound()
        # Hers may have been shown; his certainly was not.
        assert segundo.shown(again.submitted()).text == "Año 1\n1. Saldo"


def test_more_messages_than_can_be_worked_on_must_wait() -> None:
    desk = Desk(hold=threading.Event())
    with bound(desk, carries_sms=True) as line:
        message = Message(Address(ROSA.msisdn[1:], 1, 1), Address("775"), b"SALDO")
        requests = [
            line.peer.request(codec.DELIVER_SM, replace(message, text=b"SALDO %d" % number))
            for number in range(SMPP_INBOUND_MAX + 20)
        ]
        refused = [line.peer.expect(codec.DELIVER_SM | codec.RESPONSE) for _ in range(20)]
        assert {pdu.status for pdu in refused} <= {codec.RMSGQFUL, codec.RX_T_APPN}
        assert desk.hold
        desk.hold.set()
        left = [line.peer.answer_to(request).status for request in requests[:100]]
        assert set(left) == {codec.ROK}


def test_a_peer_that_reads_nothing_is_given_up() -> None:
    with bound() as line:
        octets = ENQUIRE * 4_000
        with contextlib.suppress(OSError):
            for _ in range(400):
                line.peer.write_octets(octets)
        line.smsc.accept_bound()
        assert soon(lambda: line.ready)


# How it ends.


def test_stopping_answers_what_is_under_way_and_unbinds() -> None:
    desk = Desk(takes_s=0.3)
    with bound(desk) as line:
        rosa = line.phone()
        line.peer.deliver(rosa.dialled("*775#"))
        stopping = threading.Thread(target=line.service.stop)
        stopping.start()
        assert rosa.see().text == "Año 1\n1. Saldo"
        line.peer.unbound()
        stopping.join(STOPPED_WITHIN_S)
        assert not stopping.is_alive()
        assert line.peer.gone()


def test_while_stopping_the_network_is_told_to_come_again() -> None:
    desk = Desk(hold=threading.Event())
    with bound(desk) as line:
        line.peer.deliver(line.phone().dialled("*775#"))
        stopping = threading.Thread(target=line.service.stop)
        stopping.start()
        elmer = line.phone(msisdn="+51987000003")
        assert soon(lambda: line.peer.deliver(elmer.dialled("*775#")) == codec.RX_T_APPN)
        assert desk.hold
        desk.hold.set()
        line.peer.submitted()
        line.peer.unbound()
        stopping.join(STOPPED_WITHIN_S)
        assert not stopping.is_alive()


def test_stopping_does_not_wait_for_a_peer_that_says_nothing() -> None:
    with Smsc() as smsc, serving(line_to(smsc.port), desk=Desk()) as service:
        smsc.accept().read()
        began = time.monotonic()
        service.stop()
        assert time.monotonic() - began < 2
        service.stop()  # twice is once
    with bound(timings=PATIENT) as line:
        began = time.monotonic()
        line.service.stop()
        assert time.monotonic() - began < 2


def test_two_operators_know_nothing_of_each_other() -> None:
    desk = Desk()
    with Smsc() as claro, Smsc() as entel:
        lines: tuple[Line, ...] = (
            line_to(claro.port, name="claro", carries_sms=True),
            line_to(entel.port, name="entel", speaks="mica", short_code="*123#"),
        )
        with serving(*lines, desk=desk) as service:
            at_claro, at_entel = claro.accept_bound(), entel.accept_bound()
            assert [sender.name for sender in service.senders] == ["smpp-claro"]
            mica = dialect("mica").ussd
            assert mica
            rosa = Handset(at_entel, mica, ROSA.msisdn, code="*123#")
            rosa.dial("*123*4#")
            at_claro.close()
            assert soon(lambda: not service.checks["smpp.claro"]())
            assert service.checks["smpp.entel"]()
            rosa.press("1")
            assert {turn.origin.account for turn in desk.turns} == {"entel"}
            assert desk.typed == ["4", "1"]
            claro.close()
            entel.close()


def test_nothing_that_a_member_typed_is_logged_or_counted() -> None:
    with capture_logs() as logs, bound(trace=True, carries_sms=True) as line:
        rosa = line.phone()
        rosa.dial("*775*1*987000002*50#")
        rosa.press("4826")
        unknown = (Tlv(codec.USSD_SERVICE_OP, b"\x55"),)
        line.peer.deliver(replace(rosa.answered("4826"), tlvs=unknown))
        line.peer.submitted()
        deliveries: list[Delivery] = []
        sending = threading.Thread(
            target=lambda: deliveries.append(
                line.service.senders[0].send(Sms(Msisdn(ROSA.msisdn), "Tu saldo"))
            )
        )
        sending.start()
        line.peer.submitted()
        sending.join(10)
        assert isinstance(deliveries[0], Sent)
        said = str(logs) + str(list(line.registry.collect()))
    traced = [log["pdu"] for log in logs if log["event"] == "smpp_pdu"]
    assert any(
        pdu.startswith("deliver_sm #1 service_type=USSD from=…001(11)/1/1") for pdu in traced
    )
    for secret in ("4826", "987000002", "Saldo", "saldo", ROSA.msisdn[1:], PASSWORD):
        assert secret not in said
