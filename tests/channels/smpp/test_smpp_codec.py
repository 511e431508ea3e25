"""PDUs and bytes: what is none first, then those of the sheet, then any."""

from __future__ import annotations

import contextlib
import struct
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import (
    Address,
    Bind,
    Bound,
    Framer,
    Message,
    Pdu,
    PduError,
    Raw,
    Taken,
    Tlv,
    decode,
    encode,
)

# What other implementations have written and read: session 0x2A of 51987654321 and the code 123.
PHONE, CODE = Address("51987654321", 1, 1), Address("123", 0, 1)
BIND = Pdu(codec.BIND_TRANSCEIVER, 1, Bind("coopuser", "secret12", "USSD"))
BOUND = Pdu(codec.BIND_TRANSCEIVER | codec.RESPONSE, 1, Bound("SMSC"))
BEGIN = Pdu(
    codec.DELIVER_SM,
    7,
    Message(
        PHONE,
        CODE,
        b"*123*1#",
        (Tlv(codec.USSD_SERVICE_OP, b"\x01"), Tlv(codec.ITS_SESSION_INFO, b"\x2a\x00")),
        service_type="USSD",
        data_coding=0x0F,
    ),
)
MENU = Pdu(
    codec.SUBMIT_SM,
    8,
    Message(
        CODE,
        PHONE,
        b"1 Saldo\n2 Pago",
        (Tlv(codec.USSD_SERVICE_OP, b"\x02"), Tlv(codec.ITS_SESSION_INFO, b"\x2a\x00")),
        service_type="USSD",
    ),
)
LAST = Pdu(
    codec.SUBMIT_SM,
    9,
    Message(
        CODE,
        PHONE,
        b"Gracias",
        (Tlv(codec.USSD_SERVICE_OP, b"\x11"), Tlv(codec.ITS_SESSION_INFO, b"\x2a\x03")),
        service_type="USSD",
    ),
)
ENQUIRE = Pdu(codec.ENQUIRE_LINK, 10)
SHEET = {
    "bind": (
        BIND,
        "0000002b000000090000000000000001636f6f707573657200736563726574313200555353440034000000",
    ),
    "bound": (BOUND, "00000015800000090000000000000001534d534300"),
    "begin": (
        BEGIN,
        (
            "0000004500000005000000000000000755535344000101353139383736353433323100000131323300000000"
            "000000000f00072a3132332a31230501000101138300022a00"
        ),
    ),
    "menu": (
        MENU,
        (
            "0000004c00000004000000000000000855535344000001313233000101353139383736353433323100000000"
            "0000000000000e312053616c646f0a32205061676f0501000102138300022a00"
        ),
    ),
    "last": (
        LAST,
        (
            "0000004500000004000000000000000955535344000001313233000101353139383736353433323100000000"
            "00000000000007477261636961730501000111138300022a03"
        ),
    ),
    "enquire_link": (ENQUIRE, "0000001000000015000000000000000a"),
}
OCTETS = [bytes.fromhex(written) for _, written in SHEET.values()]
BEGIN_OCTETS = bytes.fromhex(SHEET["begin"][1])

DECODED_WITHIN_S = 0.5  # of the longest PDU there is, on a busy machine
DECODED_IN_OCTETS = 20 * codec.PDU_OCTETS_MAX


def with_length(octets: bytes) -> bytes:
    """A PDU that says of itself how long it is."""
    return struct.pack(">I", len(octets)) + octets[4:]


BAD = {
    "nothing": (b"", True),
    "half a header": (BEGIN_OCTETS[:8], True),
    "longer than it says": (BEGIN_OCTETS + b"\0", True),
    "shorter than it says": (BEGIN_OCTETS[:-1], True),
    "no body": (with_length(BEGIN_OCTETS[:16]), False),
    "a field without its end": (with_length(BEGIN_OCTETS[:20]), False),
    "ends in the addresses": (with_length(BEGIN_OCTETS[:30]), False),
    "ends in the text": (with_length(BEGIN_OCTETS[:55]), False),
    "ends in a tag": (with_length(BEGIN_OCTETS[:-8] + b"\x05"), False),
    "ends in a parameter": (with_length(BEGIN_OCTETS[:-1]), False),
    "a parameter that is too long": (with_length(BEGIN_OCTETS + b"\x14\x00\xff\xff\x00"), False),
    "an address of 300 letters": (
        with_length(BEGIN_OCTETS[:23] + b"9" * 300 + BEGIN_OCTETS[34:]),
        False,
    ),
    "too many parameters": (
        with_length(BEGIN_OCTETS + b"\x14\x00\x00\x00" * codec.TLVS_MAX),
        False,
    ),
}
UNWRITABLE = {
    "a password of nine": Bind("coopuser", "secret123"),
    "a system_id of sixteen": Bind("c" * 16, "secret12"),
    "a type of number beyond an octet": Message(Address("1", 256, 1), CODE),
    "an address of 21 letters": Message(Address("1" * 21), CODE),
    "a letter beyond an octet": Message(Address("Ω"), CODE),
    "a NUL": Message(Address("1\0002"), CODE),
    "a text of 255 octets": Message(CODE, PHONE, b"x" * 255),
    "a payload beyond its length": Message(
        CODE, PHONE, tlvs=(Tlv(codec.MESSAGE_PAYLOAD, b"x" * 65_536),)
    ),
    "two payloads": Message(CODE, PHONE, tlvs=(Tlv(codec.MESSAGE_PAYLOAD, b"x" * 40_000),) * 2),
    "an answer's body": Taken("1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bytes_that_are_no_pdu(name: str) -> None:
    octets, lost = BAD[name]
    with pytest.raises(PduError) as caught:
        decode(octets)
    assert caught.value.lost is lost
    if not lost:
        assert (caught.value.command, caught.value.sequence) == (codec.DELIVER_SM, 7)


@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_does_not_fit_is_never_sent(name: str) -> None:
    body = UNWRITABLE[name]
    command = codec.BIND_TRANSCEIVER if isinstance(body, Bind) else codec.SUBMIT_SM
    with pytest.raises(PduError):
        encode(Pdu(command, 1, body))


def test_an_error_says_nothing_of_what_was_read() -> None:
    with pytest.raises(PduError) as caught:
        decode(with_length(BEGIN_OCTETS[:-1]))
    assert "51987654321" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("length", [0, 15, codec.PDU_OCTETS_MAX + 1, 0xFFFF_FFFF])
def test_a_stream_is_lost_where_a_length_is_none(length: int) -> None:
    framer = Framer()
    frames = framer.feed(OCTETS[0] + struct.pack(">I", length) + bytes(20))
    assert next(frames) == OCTETS[0]
    with pytest.raises(PduError) as caught:
        next(frames)
    assert caught.value.lost


@pytest.mark.parametrize("name", SHEET)
def test_the_pdus_of_others_are_written_to_the_byte(name: str) -> None:
    pdu, written = SHEET[name]
    assert encode(pdu).hex() == written


@pytest.mark.parametrize("name", SHEET)
def test_the_pdus_of_others_are_read(name: str) -> None:
    pdu, written = SHEET[name]
    assert decode(bytes.fromhex(written)) == pdu


def test_what_real_networks_send_beyond_the_specification_is_read() -> None:
    vendor = Tlv(0x1501, b"\xff\x80\x00")
    odd = Message(Address("5" * 100, 1, 1), CODE, tlvs=(vendor, vendor), service_type="USSDLONG")
    header = struct.pack(">IIII", 0, codec.DELIVER_SM, 0x4FF, 1)
    body = (
        b"USSDLONG\0\1\1"
        + b"5" * 100
        + b"\0\0\x01123\0"
        + bytes(10)
        + b"\x15\x01\x00\x03\xff\x80\0" * 2
    )
    assert decode(with_length(header + body)) == Pdu(codec.DELIVER_SM, 1, odd, 0x4FF)


def test_an_answer_may_lack_its_body_or_the_end_of_it() -> None:
    command = codec.SUBMIT_SM | codec.RESPONSE
    header = struct.pack(">IIII", 0, command, 0x400, 3)
    assert decode(with_length(header)) == Pdu(command, 3, Taken(None), 0x400)
    assert decode(with_length(header + b"A1")) == Pdu(command, 3, Taken("A1"), 0x400)


def test_a_password_and_a_text_do_not_print() -> None:
    shown = f"{BIND!r} {BEGIN!r} {MENU!r}"
    assert not any(secret in shown for secret in ("secret12", "*123*1#", "Saldo", "51987654321"))


def test_the_longest_pdu_is_read_in_time_and_in_little_memory() -> None:
    header = struct.pack(">IIII", 0, codec.DELIVER_SM, 0, 1)
    fields = bytes(17)
    room = codec.PDU_OCTETS_MAX - 16 - len(fields)
    worst = [
        fields + b"\x14\x00\xff\xff" + bytes(0xFFFF),
        fields + b"\x14\x00\x00\x00" * (room // 4),
        b"x" * (codec.PDU_OCTETS_MAX - 16),
    ]
    for body in worst:
        octets = with_length(header + body)
        tracemalloc.start()
        began = time.perf_counter()
        with contextlib.suppress(PduError):
            decode(octets)
        assert time.perf_counter() - began < DECODED_WITHIN_S
        assert tracemalloc.get_traced_memory()[1] < DECODED_IN_OCTETS
        tracemalloc.stop()


@pytest.mark.parametrize("command", [0x01, 0x02, 0x04, 0x05, 0x06, 0x09, 0x15, 0x103, 0xDEAD])
def test_a_refusal_of_any_command_can_be_written(command: int) -> None:
    refused = decode(encode(codec.refusal(command, 7, codec.RSYSERR)))
    assert (refused.command, refused.sequence) == (command | codec.RESPONSE, 7)
    assert refused.status == codec.RSYSERR


def cstring(octets_max: int) -> st.SearchStrategy[str]:
    """A text field's letters."""
    alphabet = st.characters(min_codepoint=1, max_codepoint=255)
    return st.text(alphabet, max_size=octets_max - 1)


octet = st.integers(0, 255)
tlvs = st.lists(st.builds(Tlv, st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=6).map(
    tuple
)
addresses = st.builds(Address, cstring(codec.ADDRESS_MAX), octet, octet)
messages = st.builds(
    Message,
    source=addresses,
    destination=addresses,
    text=st.binary(max_size=codec.SHORT_MESSAGE_MAX),
    tlvs=tlvs,
    service_type=cstring(codec.SERVICE_TYPE_MAX),
    data_coding=octet,
    esm_class=octet,
    registered_delivery=octet,
    protocol_id=octet,
    priority=octet,
    schedule=cstring(codec.TIME_MAX),
    validity=cstring(codec.TIME_MAX),
    replace=octet,
    default_message=octet,
)
data_messages = st.builds(
    Message,
    source=addresses,
    destination=addresses,
    tlvs=tlvs,
    service_type=cstring(codec.SERVICE_TYPE_MAX),
    data_coding=octet,
    esm_class=octet,
    registered_delivery=octet,
)
binds = st.builds(
    Bind,
    cstring(codec.SYSTEM_ID_MAX),
    cstring(codec.PASSWORD_MAX),
    cstring(codec.SYSTEM_TYPE_MAX),
    octet,
    st.builds(Address, cstring(codec.ADDRESS_RANGE_MAX), octet, octet),
)
answers = st.just(Taken()) | st.builds(Taken, cstring(codec.MESSAGE_ID_MAX), tlvs)
let_in = st.just(Bound()) | st.builds(Bound, cstring(codec.SYSTEM_ID_MAX), tlvs)
OTHERS = [
    codec.ENQUIRE_LINK,
    codec.UNBIND,
    codec.GENERIC_NACK,
    0x15 | codec.RESPONSE,
    0x102,
    0xDEAD,
]


def pdus_of(commands: list[int], bodies: st.SearchStrategy[codec.Body]) -> st.SearchStrategy[Pdu]:
    """PDUs of these commands."""
    number = st.integers(0, 0xFFFF_FFFF)
    return st.builds(Pdu, st.sampled_from(commands), number, bodies, number)


pdus = st.one_of(
    pdus_of([codec.SUBMIT_SM, codec.DELIVER_SM], messages),
    pdus_of([codec.DATA_SM], data_messages),
    pdus_of([codec.BIND_RECEIVER, codec.BIND_TRANSMITTER, codec.BIND_TRANSCEIVER], binds),
    pdus_of([0x8000_0001, 0x8000_0002, 0x8000_0009], let_in),
    pdus_of([0x8000_0004, 0x8000_0005, 0x8000_0103], answers),
    pdus_of(OTHERS, st.builds(Raw, st.binary(max_size=60))),
)


@settings(deadline=None, max_examples=300)
@given(pdus)
def test_every_pdu_is_read_as_it_was_written(pdu: Pdu) -> None:
    assert decode(encode(pdu)) == pdu


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=400), st.sampled_from([1, 4, 5, 9, 0x15, 0x103, 0x8000_0004, 0x8000_0009])
)
def test_any_body_is_read_or_refused(body: bytes, command: int) -> None:
    octets = with_length(struct.pack(">IIII", 0, command, 0, 1) + body)
    try:
        pdu = decode(octets)
        again = encode(pdu)
    except PduError:
        return
    assert decode(again) == pdu


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """PDUs one after the other, with a piece cut out, put in, or changed."""
    octets = bytearray(b"".join(draw(st.lists(st.sampled_from(OCTETS), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(octets)))
        octets[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(octets)


@settings(deadline=None, max_examples=300)
@given(damaged(), st.lists(st.integers(1, 60), max_size=20))
@example(bytes(200), [])
def test_a_damaged_stream_is_read_or_refused_however_it_is_cut(
    octets: bytes, cuts: list[int]
) -> None:
    framer = Framer()
    pieces, at = [], 0
    for cut in [*cuts, len(octets)]:
        pieces.append(octets[at : at + cut])
        at += cut
    heard: list[bytes] = []
    lost = True
    with contextlib.suppress(PduError):
        for piece in pieces:
            heard.extend(framer.feed(piece))
        lost = False
    for frame in heard:
        assert struct.unpack_from(">I", frame)[0] == len(frame)
        with contextlib.suppress(PduError):
            assert decode(frame).sequence == struct.unpack_from(">I", frame, 12)[0]
    assert lost or sum(map(len, heard)) + framer.waiting == len(octets)
    assert framer.waiting < codec.PDU_OCTETS_MAX


@settings(deadline=None, max_examples=300)
@given(st.lists(pdus, max_size=5), st.data())
def test_a_stream_is_the_same_however_it_is_cut(sent: list[Pdu], data: st.DataObject) -> None:
    octets = b"".join(map(encode, sent))
    framer, heard, at = Framer(), [], 0
    while at < len(octets):
        size = data.draw(st.integers(1, len(octets)))
        heard += [decode(frame) for frame in framer.feed(octets[at : at + size])]
        at += size
    assert heard == sent
    assert framer.waiting == 0
