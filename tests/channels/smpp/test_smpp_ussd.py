"""USSD on a line: a phone of each dialect, and what goes wrong."""

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
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.bounds import SMPP_HOPS_WAITING_MAX, SMPP_SCREENS_WAITING_MAX
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Pdu, Tlv, decode
from gateway.channels.smpp.dialects import SHIPPED, Dialect, Session, Ussd
from gateway.channels.smpp.dialogues import Way
from gateway.channels.smpp.encodings import Alphabet
from gateway.channels.smpp.service import Service
from gateway.channels.smpp.ussd import NotAHopError, parse, render
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Answer, Reply, Turn
from tests.channels.smpp.desk import Desk, dialect, line_to, serving, soon, typed, with_push
from tests.channels.smpp.handset import Handset, Screen, words
from tests.channels.smpp.smsc import Peer, Smsc
from tests.people import ELMER, ROSA, SEGUNDO

USSD_DIALECTS = sorted(path.stem for path in SHIPPED.glob("*.yaml") if path.stem != "sms-only")
CLOSED = Screen("Marca otra vez", ends=True)
BUSY = Screen("Estamos ocupados", ends=True)
SEQUENCE = codec.ITS_SESSION_INFO
DELIVERED = codec.DELIVER_SM | codec.RESPONSE
# What was written by others: session 0x2A of 51987654321, a dial of *123*1#.
BEGIN = bytes.fromhex(
    "0000004500000005000000000000000755535344000101353139383736353433323100000131323300000000"
    "000000000f00072a3132332a31230501000101138300022a00"
)


@dataclass
class Bench:
    """One line that is bound."""

    smsc: Smsc
    peer: Peer
    desk: Desk
    service: Service
    spoken: Dialect
    registry: CollectorRegistry

    def phone(self, msisdn: str = ROSA.msisdn, number: int = 0x2A00) -> Handset:
        assert self.spoken.ussd
        return Handset(self.peer, self.spoken.ussd, msisdn, numbers=lambda: number)

    def shed(self, why: str) -> float:
        labels = {"line": "claro", "why": why}
        return self.registry.get_sample_value("chaski_smpp_shed_total", labels) or 0


@contextmanager
def bench(
    speaks: Dialect | str = "standard", desk: Desk | None = None, threads: int = 4, **sheet: Any
) -> Iterator[Bench]:
    """A line of that dialect, bound."""
    spoken = dialect(speaks) if isinstance(speaks, str) else speaks
    desk, registry = desk or Desk(), CollectorRegistry()
    with Smsc() as smsc:
        line = line_to(smsc.port, speaks=spoken, **sheet)
        with serving(line, desk=desk, registry=registry, threads=threads) as service:
            yield Bench(smsc, smsc.accept_bound(), desk, service, spoken, registry)
            smsc.close()


def with_ussd(name: str = "standard", **changes: Any) -> Dialect:
    """A shipped dialect with something else in its `ussd`."""
    spoken = dialect(name)
    assert spoken.ussd
    return replace(spoken, ussd=msgspec.structs.replace(spoken.ussd, **changes))


def ussd_of(name: str = "standard") -> Ussd:
    """A shipped dialect's."""
    ussd = dialect(name).ussd
    assert ussd
    return ussd


def test_a_message_without_a_number_is_no_hop() -> None:
    with bench() as line:
        rosa = line.phone()
        for address in (Address(), Address("CLARO", 5, 0), Address("775", 1, 1)):
            message = replace(rosa.dialled("*775#"), source=address)
            assert line.peer.deliver(message) == codec.ROK
            shown = line.peer.submitted()
            assert shown.destination == address
            assert shown.number(codec.USSD_SERVICE_OP) == 0x11
        assert line.desk.misread == [("smpp", "source_addr")] * 3
        assert line.desk.turns == []


def test_nobody_answers_a_hang_up_of_nobody() -> None:
    with bench() as line:
        message = replace(line.phone().hung_up(), source=Address())
        assert line.peer.deliver(message) == codec.ROK
        assert line.peer.deliver(line.phone().hung_up()) == codec.ROK
        assert line.peer.silent(0.1)
        assert line.desk.ended == []


@pytest.mark.parametrize("name", USSD_DIALECTS)
def test_a_conversation_in_each_dialect(name: str) -> None:
    with bench(name) as line:
        rosa = line.phone()
        assert rosa.dial("*775*1*50#") == Screen("Año 1\n1. Saldo", ends=False)
        assert rosa.press("1", "4826").ends is False
        assert rosa.press("00") == Screen("Año 4\n1. Saldo", ends=True)
        assert line.desk.typed == ["1*50", "1", "4826", "00"]
        assert len(line.desk.sessions) == 1
        origin = line.desk.turns[0].origin
        assert (origin.channel, origin.account, origin.msisdn.e164) == (
            "smpp",
            "claro",
            ROSA.msisdn,
        )
        assert {turn.service_code for turn in line.desk.turns} == {"*775#"}
        # Two conversations on one number are two.
        rosa.dial()
        assert len(line.desk.sessions) == 2


@pytest.mark.parametrize("name", USSD_DIALECTS)
def test_hops_are_numbered_where_the_dialect_counts(name: str) -> None:
    with bench(name) as line:
        rosa = line.phone()
        rosa.dial()
        rosa.press("1")
        numbers = [turn.said.sequence for turn in line.desk.turns if isinstance(turn.said, Answer)]
        assert numbers == ([0, 1] if name == "standard" else [None, None])


@pytest.mark.parametrize("name", USSD_DIALECTS)
def test_a_late_answer_gets_a_last_screen(name: str) -> None:
    with bench(name) as line:
        rosa = line.phone()
        assert rosa.say(rosa.answered("4826")) == CLOSED
        assert line.desk.turns == []
        assert line.desk.misread == [("smpp", "session")]


@pytest.mark.parametrize("name", USSD_DIALECTS)
def test_who_hangs_up_is_not_answered(name: str) -> None:
    desk = Desk()
    with bench(name, desk) as line:
        rosa = line.phone()
        rosa.dial()
        assert line.peer.deliver(rosa.hung_up()) == codec.ROK
        assert soon(lambda: desk.ended)
        ((channel, account, session, status, hops),) = desk.ended
        assert (channel, account, hops) == ("smpp", "claro", 1)
        assert session == desk.sessions[0]
        assert status == ("UserAborted" if line.spoken.ussd.hears.abort else "NetworkAborted")  # type: ignore[union-attr]
        assert rosa.say(rosa.answered("1")) == CLOSED


def test_a_hang_up_drops_the_screen_that_is_being_made() -> None:
    desk = Desk(hold=threading.Event())
    with bench(desk=desk) as line:
        rosa = line.phone()
        assert line.peer.deliver(rosa.dialled("*775#")) == codec.ROK
        assert line.peer.deliver(rosa.hung_up()) == codec.ROK
        assert desk.hold
        desk.hold.set()
        assert soon(lambda: desk.turns and desk.ended)
        assert line.peer.silent(0.1)


def test_a_dial_on_the_same_number_drops_the_screen_of_the_one_before() -> None:
    """The network gives a session number again while we still work for its last dialogue."""
    desk = Desk(hold=threading.Event())
    with bench(desk=desk, threads=2) as line:
        rosa = line.phone()
        assert line.peer.deliver(rosa.dialled("*775*1#")) == codec.ROK
        assert line.peer.deliver(rosa.dialled("*775*2#")) == codec.ROK
        assert desk.hold
        desk.hold.set()
        assert soon(lambda: len(desk.turns) == 2)
        sessions = {typed(turn): turn.origin.session_id for turn in desk.turns}
        assert rosa.see().ends is False
        assert line.peer.silent(0.1)  # one screen, not two
        rosa.press("1")
        assert desk.turns[-1].origin.session_id == sessions["2"] != sessions["1"]


def test_an_end_bit_wins_over_the_operation() -> None:
    with bench("tata") as line:
        rosa = line.phone()
        rosa.dial()
        message = rosa.answered("1")
        ended = tuple(
            Tlv(tlv.tag, b"\x2a\x01") if tlv.tag == SEQUENCE else tlv for tlv in message.tlvs
        )
        assert line.peer.deliver(replace(message, tlvs=ended)) == codec.ROK
        assert soon(lambda: line.desk.ended)
        assert line.desk.ended[0][3] == "NetworkAborted"


def test_an_unknown_operation_is_an_answer() -> None:
    with bench() as line:
        rosa = line.phone()
        rosa.dial()
        message = rosa.answered("1")
        odd = (Tlv(codec.USSD_SERVICE_OP, b"\x55"), *message.tlvs[1:])
        assert rosa.say(replace(message, tlvs=odd)).text == "Año 2\n1. Saldo"


def test_without_an_operation_the_first_message_is_a_dial() -> None:
    with bench("phone-only") as line:
        rosa = line.phone()
        assert rosa.say(replace(rosa.dialled("*775*3#"), tlvs=())).text == "Año 1\n1. Saldo"
        assert rosa.say(replace(rosa.answered("1"), tlvs=())).text == "Año 2\n1. Saldo"
        assert line.desk.typed == ["3", "1"]


def test_without_an_operation_whoever_dials_again_begins_again() -> None:
    with bench("phone-only") as line:
        rosa = line.phone()

        def say(text: str) -> Screen:
            return rosa.say(replace(rosa.dialled(text), tlvs=()))

        assert say("*775#").ends is False
        assert say("fin").ends is True
        # After the last screen, in the middle of a dialogue, and after it without our code.
        assert say("*775*2#").text == "Año 1\n1. Saldo"
        assert say("*775#").text == "Año 1\n1. Saldo"
        assert say("fin").ends is True
        assert say("hola").text == "Año 1\n1. Saldo"
        assert line.desk.typed == ["", "fin", "2", "", "fin", ""]
        assert len(line.desk.sessions) == 4


def test_without_an_operation_an_amount_that_reads_like_our_code_is_an_amount() -> None:
    with bench("phone-only") as line:
        rosa = line.phone()
        for text in ("*775#", "775", "775.50"):
            rosa.say(replace(rosa.dialled(text), tlvs=()))
        assert line.desk.typed == ["", "775", "775.50"]
        assert len(line.desk.sessions) == 1


def test_without_an_operation_a_copy_of_the_last_key_begins_nothing() -> None:
    with bench("phone-only") as line:
        rosa = line.phone()
        key = replace(rosa.answered("fin"), tlvs=())
        rosa.say(replace(rosa.dialled("*775#"), tlvs=()))
        assert line.peer.deliver(key) == codec.ROK
        line.peer.expect(codec.SUBMIT_SM)  # and its answer is lost with the connection
        line.peer.close()
        again = line.smsc.accept_bound()
        assert again.deliver(key) == codec.ROK
        assert rosa.shown(again.submitted()).text == "Año 2\n1. Saldo"
        assert line.desk.typed == ["", "fin"]


def test_the_session_that_a_network_leaves_out_is_the_phones() -> None:
    with bench() as line:
        rosa = line.phone()
        for message in (rosa.dialled("*775#"), rosa.answered("1")):
            assert line.peer.deliver(replace(message, tlvs=message.tlvs[:1])) == codec.ROK
            assert line.peer.submitted().tlv(SEQUENCE) is None
        assert len(line.desk.sessions) == 1


def test_session_numbers_that_wrap_join_nobody() -> None:
    """Three phones on one number of eight bits, again and again, their hops in between."""
    with bench() as line:
        phones = [line.phone(person.msisdn) for person in (ROSA, SEGUNDO, ELMER)]
        for _ in range(4):
            for phone in phones:
                phone.dial()
            for phone in phones:
                phone.press("1")
        assert len(line.desk.sessions) == 12
        callers = {turn.origin.session_id: turn.origin.msisdn for turn in line.desk.turns}
        for turn in line.desk.turns:
            assert turn.origin.msisdn == callers[turn.origin.session_id]
        assert [line.desk.typed.count(keys) for keys in ("", "1")] == [12, 12]


def test_a_copy_of_a_hop_that_is_being_done_is_not_done() -> None:
    desk = Desk(hold=threading.Event())
    with bench(desk=desk) as line:
        rosa = line.phone()
        desk.hold = None
        rosa.dial()
        desk.hold = threading.Event()
        answer = rosa.answered("1")
        assert line.peer.deliver(answer) == line.peer.deliver(answer) == codec.ROK
        desk.hold.set()
        assert rosa.see().text == "Año 2\n1. Saldo"
        assert line.peer.silent(0.1)
        assert line.desk.typed == ["", "1"]


def test_who_cannot_be_served_is_told_so_at_once() -> None:
    desk = Desk(hold=threading.Event())
    with bench(desk=desk, threads=1) as line:
        room = 1 + SMPP_HOPS_WAITING_MAX // 2
        for number in range(room):
            phone = line.phone(f"+5198700{number:04}")
            assert line.peer.deliver(phone.dialled("*775#")) == codec.ROK
        began = time.monotonic()
        assert line.phone().dial() == BUSY
        assert time.monotonic() - began < 2
        assert line.shed("busy") == 1
        assert desk.hold
        desk.hold.set()
        for _ in range(room):
            line.peer.submitted()
        assert len(desk.turns) == room


def test_who_has_begun_is_served_before_who_dials() -> None:
    desk = Desk()
    with bench(desk=desk, threads=1) as line:
        rosa = line.phone()
        rosa.dial()
        desk.hold = threading.Event()
        for number in range(1 + SMPP_HOPS_WAITING_MAX // 2):
            phone = line.phone(f"+5198700{number:04}")
            assert line.peer.deliver(phone.dialled("*775#")) == codec.ROK
        assert line.peer.deliver(rosa.answered("1")) == codec.ROK
        assert line.phone(SEGUNDO.msisdn).dial() == BUSY
        desk.hold.set()
        assert soon(lambda: "1" in desk.typed)
        assert line.shed("busy") == 1


def test_a_screen_that_the_network_throttles_is_sent_again_within_seconds() -> None:
    with bench() as line:
        rosa = line.phone()
        assert line.peer.deliver(rosa.dialled("*775#")) == codec.ROK
        for status in (0x58, 0x14):
            assert rosa.shown(line.peer.submitted(status)).text == "Año 1\n1. Saldo"
        assert rosa.see().text == "Año 1\n1. Saldo"
        assert line.desk.ended == []


@pytest.mark.parametrize("status", [0x08, 0x45, 0x400, 0x4FF, 0xFF])
def test_a_screen_that_the_network_refuses_ends_the_dialogue(status: int) -> None:
    with bench() as line:
        rosa = line.phone()
        assert line.peer.deliver(rosa.dialled("*775#")) == codec.ROK
        line.peer.submitted(status)
        assert soon(lambda: line.desk.ended)
        assert line.desk.ended[0][3:] == ("Failed", 1)
        assert line.shed("refused") == 1
        assert rosa.say(rosa.answered("1")) == CLOSED
        assert rosa.dial().text == "Año 1\n1. Saldo"  # the bind is well


def test_what_no_phone_types_is_not_kept() -> None:
    long = (Tlv(codec.MESSAGE_PAYLOAD, b"9" * 60_000), Tlv(0x1501, bytes(60_000)))
    ussd = msgspec.structs.replace(
        ussd_of(), session=Session(number=0x1501), echo=("its_session_info", 0x1501)
    )
    heard = parse(Message(Address(ROSA.msisdn[1:], 1, 1), Address("775"), tlvs=long), ussd, "PE")
    assert heard.typed == "9" * codec.SHORT_MESSAGE_MAX
    assert heard.number == bytes(codec.HEARD_FIELD_MAX)
    assert heard.way.echo == ()


def test_a_dialogue_is_over_after_as_long_as_the_settings_say() -> None:
    desk = Desk()
    with Smsc() as smsc, serving(line_to(smsc.port), desk=desk, dialogue_s=0.2):
        rosa = Handset(smsc.accept_bound(), ussd_of(), ROSA.msisdn)
        rosa.dial()
        assert rosa.press("1").ends is False
        time.sleep(0.3)
        assert rosa.press("2") == CLOSED
        smsc.close()


def test_data_sm_is_a_message_too() -> None:
    with bench("echoed") as line:
        rosa = line.phone()
        dialled = rosa.dialled("*775#")
        payload = Tlv(codec.MESSAGE_PAYLOAD, dialled.text)
        message = replace(dialled, text=b"", tlvs=(*dialled.tlvs, payload))
        assert line.peer.deliver(message, codec.DATA_SM) == codec.ROK
        assert rosa.see().text == "Año 1\n1. Saldo"


def test_a_network_that_goes_back_to_the_same_count_does_not_count() -> None:
    with bench() as line:
        rosa = line.phone()
        rosa.dial()
        for keys in ("1", "2"):
            rosa.count = -1
            rosa.press(keys)
        assert [turn.said.sequence for turn in line.desk.turns] == [0, None, None]  # type: ignore[union-attr]


def test_national_and_international_numbers_are_one_phones() -> None:
    ussd = ussd_of()
    numbers = [("51987000001", 1), ("987000001", 2), ("987000001", 0), ("51987000001", 0)]
    numbers += [("+51987000001", 0), ("0051987000001", 0)]
    for text, ton in numbers:
        message = Message(Address(text, ton, 1), Address("775"), b"*775#")
        assert parse(message, ussd, "PE").msisdn == Msisdn(ROSA.msisdn)


def test_the_pdus_of_others_are_heard_and_answered_to_the_byte() -> None:
    ussd = ussd_of()
    begin = decode(BEGIN).body
    assert isinstance(begin, Message)
    heard = parse(begin, ussd, "PE")
    assert (heard.msisdn.e164, heard.number, heard.count) == ("+51987654321", 0x2A00, 0)
    assert heard.typed == "*123*1#"
    menu = render(Reply("1 Saldo\n2 Pago", False, "home", "ok"), heard.way, ussd)
    assert codec.encode(Pdu(codec.SUBMIT_SM, 8, menu)).hex() == (
        "0000004c000000040000000000000008555353440000013132330001013531393837363534333231"
        "000000000000000000000e312053616c646f0a32205061676f0501000102138300022a00"
    )
    answered = replace(
        begin, tlvs=(Tlv(codec.USSD_SERVICE_OP, b"\x12"), Tlv(SEQUENCE, b"\x2a\x02"))
    )
    last = render(Reply("Gracias", True, "bye", "ok"), parse(answered, ussd, "PE").way, ussd)
    assert codec.encode(Pdu(codec.SUBMIT_SM, 9, last)).hex() == (
        "00000045000000040000000000000009555353440000013132330001013531393837363534333231"
        "00000000000000000000074772616369617305010001111383"
        "00022a03"
    )


RENDERED = [
    # In `ussd`, of a screen: the data coding, the octets, and where they are.
    ({}, "Año @_ €", 0, "41 7d 6f 20 00 11 20 1b 65", False),
    ({"alphabet": Alphabet.LATIN1, "data_coding": 3}, "Año @_", 3, "41 f1 6f 20 40 5f", False),
    ({"alphabet": Alphabet.UCS2, "data_coding": 0x48}, "ñ@", 0x48, "00 f1 00 40", False),
    ({"alphabet": Alphabet.GSM_PACKED, "data_coding": 15}, "1111111", 15, "b1582c168bc51a", False),
    ({"payload_from": 7}, "Gracias", 0, "47726163696173", True),
    ({"payload_from": 8}, "Gracias", 0, "47726163696173", False),
]


@pytest.mark.parametrize(("changes", "text", "data_coding", "octets", "payload"), RENDERED)
def test_a_screen_in_each_alphabet(
    changes: dict[str, Any], text: str, data_coding: int, octets: str, payload: bool
) -> None:
    ussd = msgspec.structs.replace(ussd_of(), **changes)
    message = render(Reply(text, True, "s", "ok"), Way(Address("1"), Address("2")), ussd)
    assert message.data_coding == data_coding
    assert message.octets == bytes.fromhex(octets)
    assert (message.text == b"") is payload


def test_the_longest_screen_of_every_alphabet_can_be_written() -> None:
    for alphabet in Alphabet:
        ussd = msgspec.structs.replace(ussd_of(), alphabet=alphabet)
        message = render(Reply("ñ" * 182, True, "s", "ok"), Way(Address("1"), Address("2")), ussd)
        codec.encode(Pdu(codec.SUBMIT_SM, 1, message))


def test_what_a_reply_type_and_a_numbering_are_for() -> None:
    ussd = ussd_of("reply-type")
    way = Way(Address("987000001", 2, 1), Address("775", 0, 1))
    asks = render(Reply("¿?", False, "s", "ok"), way, ussd)
    last = render(Reply("fin", True, "s", "ok"), way, ussd)
    assert asks.number(codec.ITS_REPLY_TYPE) == 5
    assert last.tlv(codec.ITS_REPLY_TYPE) is None
    assert asks.destination == Address("987000001", 2, 1)


def test_screens_are_from_the_code_that_was_dialled_where_the_dialect_says_so() -> None:
    with bench("sixdee") as line:
        rosa = line.phone()
        for message in (rosa.dialled("*775*1*50*987000002#"), rosa.answered("1")):
            assert line.peer.deliver(message) == codec.ROK
            assert line.peer.submitted().source == Address("*775#", 0, 1)


@pytest.mark.parametrize(
    "typed", [b"4826", b"*999*12345678901234567890#", b"\x10\x12"], ids=["pin", "other", "greek"]
)
@pytest.mark.parametrize("says_begin", [True, False])
def test_what_is_typed_is_never_an_address(typed: bytes, says_begin: bool) -> None:
    """A network that says of an answer that it begins, or says nothing: it may be a PIN."""
    with capture_logs() as logs, bench("sixdee", trace=True) as line:
        message = replace(line.phone().dialled("*775#"), text=typed)
        if not says_begin:
            message = replace(message, tlvs=message.tlvs[1:])
        assert line.peer.deliver(message) == codec.ROK
        shown = line.peer.submitted()
        assert shown.source == Address("775", 0, 1)
        assert words(shown.octets) == "Año 1\n1. Saldo"
    assert "4826" not in str(logs)


@pytest.mark.parametrize(
    ("default", "data_coding", "octets"),
    [
        (Alphabet.GSM, 0x0F, b"\x7d"),
        (Alphabet.GSM, 0x48, b"\x00\xf1"),
        (Alphabet.GSM, 0x03, b"\xf1"),
        (Alphabet.LATIN1, 0x00, b"\xf1"),
        (Alphabet.GSM_PACKED, 0x0F, b"\x7d"),
    ],
)
def test_an_answer_in_each_alphabet(default: Alphabet, data_coding: int, octets: bytes) -> None:
    ussd = msgspec.structs.replace(ussd_of(), heard_default=default)
    message = Message(
        Address(ROSA.msisdn[1:], 1, 1), Address("775"), octets, data_coding=data_coding
    )
    assert parse(message, ussd, "PE").typed == "ñ"


def test_what_fills_an_answer_up_is_not_typed() -> None:
    message = Message(Address(ROSA.msisdn[1:], 1, 1), Address("775"), b"4826\r\n")
    assert parse(message, ussd_of(), "PE").typed == "4826"
    empty = Message(Address(ROSA.msisdn[1:], 1, 1), Address("775"))
    assert parse(empty, ussd_of(), "PE").typed == ""


class Broken(Desk):
    """A gateway that breaks where it never should."""

    broken = True
    failures = 0

    def take(self, turn: Turn) -> Reply:
        if self.broken:
            self.failures += 1
            raise RuntimeError("out of paper")
        return super().take(turn)

    def misunderstood(self, channel: str, field: str) -> Reply:
        raise RuntimeError("out of paper")


def test_a_fault_of_ours_breaks_no_bind() -> None:
    desk = Broken()
    with bench(desk=desk) as line:
        rosa = line.phone()
        for number, message in enumerate((rosa.dialled("*775#"), rosa.answered("1")), 1):
            assert line.peer.deliver(message) == codec.ROK
            assert soon(lambda number=number: desk.failures == number)
        assert line.peer.deliver(line.phone(SEGUNDO.msisdn).answered("1")) == codec.RX_T_APPN
        desk.broken = False
        assert rosa.dial().text == "Año 1\n1. Saldo"


def test_more_screens_than_can_wait_are_not_begun() -> None:
    desk = Desk()
    with bench(desk=desk, window=1) as line:
        rosa = line.phone()
        late = rosa.answered("1")
        assert line.peer.deliver(late) == codec.ROK
        first = line.peer.expect(codec.SUBMIT_SM)  # it is not answered, so the others wait
        for _ in range(SMPP_SCREENS_WAITING_MAX):
            line.peer.request(codec.DELIVER_SM, late)
        statuses = {line.peer.expect(DELIVERED).status for _ in range(SMPP_SCREENS_WAITING_MAX)}
        assert statuses == {codec.ROK, codec.RX_T_APPN}
        assert line.shed("flood") > 0
        line.peer.answer_submission(first)


# Network-initiated.


def test_without_leave_nothing_is_begun() -> None:
    rosa = Msisdn(ROSA.msisdn)
    with bench() as line:
        assert line.service.push(rosa, "Hola", expects_answer=False) is False
        assert line.service.push(rosa, None, expects_answer=True) is False
        assert line.peer.silent(0.05)
    with bench("tata") as line:
        assert line.service.push(rosa, "Hola", expects_answer=False) is False


class Pushing:
    """A push, made in another thread while the test is the network."""

    def __init__(self, service: Service, text: str | None, *, expects_answer: bool) -> None:
        self.taken: bool | None = None

        def push() -> None:
            self.taken = service.push(Msisdn(ROSA.msisdn), text, expects_answer=expects_answer)

        self._thread = threading.Thread(target=push)
        self._thread.start()

    def ended(self) -> bool | None:
        self._thread.join(10)
        return self.taken


def test_a_notice_on_the_screen() -> None:
    with bench(push=with_push()) as line:
        pushing = Pushing(line.service, "Recibiste S/ 50.00", expects_answer=False)
        notice = line.peer.submitted()
        assert pushing.ended() is True
        assert notice.number(codec.USSD_SERVICE_OP) == 0x03
        assert notice.octets == b"Recibiste S/ 50.00"
        assert (notice.source, notice.destination) == (
            Address("775", 0, 1),
            Address(ROSA.msisdn[1:], 1, 1),
        )
        shown = replace(line.phone().answered(""), tlvs=(Tlv(codec.USSD_SERVICE_OP, b"\x13"),))
        assert line.peer.deliver(shown) == codec.ROK
        assert line.peer.silent(0.05)
        assert line.desk.turns == []


def test_a_notice_that_the_network_refuses() -> None:
    with bench(push=with_push()) as line:
        pushing = Pushing(line.service, "Hola", expects_answer=False)
        line.peer.submitted(0x0B)
        assert pushing.ended() is False


def test_go_on_where_you_stopped() -> None:
    """The gateway's own first screen is shown to who did not dial; the answer goes on with it."""
    with bench(push=with_push()) as line:
        pushing = Pushing(line.service, None, expects_answer=True)
        asks = line.peer.submitted()
        assert pushing.ended() is True
        assert asks.number(codec.USSD_SERVICE_OP) == 0x02
        assert asks.tlv(SEQUENCE) is None  # the network gives the number
        rosa = line.phone(number=0x7700)
        rosa.number = 0x7700
        assert rosa.press("1") == Screen("Año 2\n1. Saldo", ends=False)
        assert line.desk.typed == ["", "1"]
        assert len(line.desk.sessions) == 1


def test_an_answer_to_a_text_that_we_pushed_is_a_dial() -> None:
    with bench(push=with_push(first_session=0x8000, last_session=0x8100)) as line:
        pushing = Pushing(line.service, "¿Sigues?", expects_answer=True)
        asks = line.peer.submitted()
        assert pushing.ended() is True
        assert asks.number(SEQUENCE) == 0x8000
        rosa = line.phone()
        rosa.number = 0x8000
        assert rosa.press("1") == Screen("Año 1\n1. Saldo", ends=False)
        rosa.press("2")
        assert line.desk.typed == ["", "2"]


def test_numbers_of_ours_follow_one_another_and_begin_again() -> None:
    with bench(push=with_push(first_session=0x8000, last_session=0x8100)) as line:
        numbers = []
        for text in ("uno", "dos", "tres"):
            pushing = Pushing(line.service, text, expects_answer=False)
            numbers.append(line.peer.submitted().number(SEQUENCE))
            assert pushing.ended() is True
        # A notice is one message: its end bit is set.
        assert numbers == [0x8001, 0x8101, 0x8001]


def test_who_is_in_a_dialogue_is_left_alone() -> None:
    with bench(push=with_push()) as line:
        line.phone().dial()
        assert line.service.push(Msisdn(ROSA.msisdn), "Hola", expects_answer=False) is False


# Many, and anything.


def test_a_hundred_dialogues_at_once() -> None:
    desk = Desk(takes_s=0.005)
    with bench(desk=desk, threads=8, window=100) as line:
        phones = {
            f"519870{number:05}": line.phone(f"+519870{number:05}", number << 8)
            for number in range(100)
        }
        for phone in phones.values():
            phone.number = phone.numbers()
        keys = {msisdn: iter(["1", msisdn[-4:], "fin"]) for msisdn in phones}
        for phone in phones.values():
            line.peer.request(codec.DELIVER_SM, phone.dialled("*775#"))
        shown, ended = 0, 0
        while ended < len(phones):
            message = line.peer.submitted()
            phone = phones[message.destination.text]
            screen = phone.shown(message)
            shown += 1
            ended += screen.ends
            if not screen.ends:
                answer = phone.answered(next(keys[message.destination.text]))
                line.peer.request(codec.DELIVER_SM, answer)
        # Of a queue of 64 and 8 threads some are told that we are busy, and nobody hears nothing.
        served = {turn.origin.msisdn.e164[1:] for turn in desk.turns if typed(turn) == "fin"}
        assert shown == len(desk.turns) + line.shed("busy")
        assert len(served) == 100 - line.shed("busy")
        for turn in desk.turns:
            if typed(turn) not in {"", "1", "fin"}:
                assert typed(turn) == turn.origin.msisdn.e164[-4:]


messages = st.builds(
    Message,
    source=st.builds(
        Address, st.sampled_from(["51987000001", "", "CLARO", "987000001"]), st.integers(0, 6)
    ),
    destination=st.just(Address("775")),
    text=st.binary(max_size=200),
    tlvs=st.lists(
        st.builds(
            Tlv,
            st.sampled_from([0x501, 0x1383, 0x204, 0x424, 0x1501]),
            st.binary(max_size=4),
        ),
        max_size=4,
    ).map(tuple),
    service_type=st.sampled_from(["USSD", "", "CMT"]),
    data_coding=st.integers(0, 255),
)


@settings(deadline=None)
@given(messages, st.sampled_from(USSD_DIALECTS))
def test_any_message_is_a_hop_or_none(message: Message, name: str) -> None:
    ussd = ussd_of(name)
    try:
        heard = parse(message, ussd, "PE")
    except NotAHopError:
        return
    shown = render(Reply("Hola", True, "s", "ok"), heard.way, ussd)
    codec.encode(Pdu(codec.SUBMIT_SM, 1, shown))


@settings(deadline=None, max_examples=40)
@given(st.lists(messages, max_size=30))
def test_whatever_a_network_says_the_line_stays_well(said: list[Message]) -> None:
    with bench(carries_sms=True) as line:
        for message in said:
            assert line.peer.deliver(message) in {codec.ROK, codec.RX_P_APPN}
        rosa = line.phone(number=0x5500)
        rosa.number = 0x5500
        assert line.peer.deliver(rosa.dialled("*775*9*9#")) == codec.ROK
        while True:
            message = line.peer.submitted()
            if message.number(SEQUENCE) == 0x5500:
                break
        assert "9*9" in line.desk.typed
