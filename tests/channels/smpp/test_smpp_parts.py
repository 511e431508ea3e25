"""Long messages: cut and joined."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bounds import SMS_PARTS_WAITING_MAX
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Tlv
from gateway.channels.smpp.encodings import Alphabet, fits, pack, write, write_letters
from gateway.channels.smpp.parts import HAS_HEADER, Concatenation, Parts, cut, heard
from gateway.notices.segments import segments

ROSA, CODE = Address("51987000001", 1, 1), Address("775", 0, 1)
DATA_CODINGS = {Alphabet.GSM: 0x00, Alphabet.LATIN1: 0x03, Alphabet.UCS2: 0x08}
GSM = "".join(chr(code) for code in range(0x10000) if fits(chr(code), Alphabet.GSM))
# What is no header of parts: the text is a message of its own.
ODD_HEADERS = {
    "longer than the message": (b"\x20\x00\x03\x01\x02\x01Hola", b"\x20\x00\x03\x01\x02\x01Hola"),
    "nothing but a length": (b"\x05", b"\x05"),
    "part 3 of 2": (b"\x05\x00\x03\x01\x02\x03Hola", b"Hola"),
    "part 0": (b"\x05\x00\x03\x01\x02\x00Hola", b"Hola"),
    "part 1 of 200": (b"\x05\x00\x03\x01\xc8\x01Hola", b"Hola"),
    "an element that is cut": (b"\x03\x00\x03\x01Hola", b"Hola"),
    "ports alone": (b"\x06\x05\x04\x0b\x84\x23\xf0Hola", b"Hola"),
}


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def arriving(
    text: str, alphabet: Alphabet, concatenation: Concatenation, reference: int
) -> list[Message]:
    """The messages that a text comes in."""
    return [
        Message(ROSA, CODE, piece.text, piece.tlvs, "", DATA_CODINGS[alphabet], piece.esm_class)
        for piece in cut(text, alphabet, concatenation, reference)
    ]


@pytest.mark.parametrize("name", ODD_HEADERS)
def test_a_header_that_is_none_of_parts(name: str) -> None:
    octets, text = ODD_HEADERS[name]
    part = heard(Message(ROSA, CODE, octets, esm_class=HAS_HEADER), Alphabet.GSM)
    assert (part.total, part.octets) == (1, text)


@pytest.mark.parametrize("concatenation", [Concatenation.UDH_8, Concatenation.UDH_16])
def test_the_header_is_that_of_the_specification(concatenation: Concatenation) -> None:
    wanted = {
        Concatenation.UDH_8: ["050003340201", "050003340202"],
        Concatenation.UDH_16: ["06080412340201", "06080412340202"],
    }[concatenation]
    pieces = cut("x" * 200, Alphabet.GSM, concatenation, 0x1234)
    room = {Concatenation.UDH_8: 153, Concatenation.UDH_16: 152}[concatenation]
    assert [piece.text[: len(wanted[0]) // 2].hex() for piece in pieces] == wanted
    assert all(piece.esm_class == HAS_HEADER and not piece.tlvs for piece in pieces)
    assert len(pieces[0].text) == len(wanted[0]) // 2 + room


def test_sar_parameters_never_mix_with_a_header() -> None:
    pieces = cut("x" * 200, Alphabet.GSM, Concatenation.SAR, 0x11234)
    said = [[(tlv.tag, tlv.value.hex()) for tlv in piece.tlvs] for piece in pieces]
    both = [(codec.SAR_MSG_REF_NUM, "1234"), (codec.SAR_TOTAL_SEGMENTS, "02")]
    assert said == [[*both, (codec.SAR_SEGMENT_SEQNUM, number)] for number in ("01", "02")]
    assert not any(piece.esm_class for piece in pieces)


def test_a_payload_is_one_piece_whatever_its_length() -> None:
    (piece,) = cut("x" * 500, Alphabet.GSM, Concatenation.PAYLOAD, 1)
    assert piece.text == b""
    assert piece.tlvs == (Tlv(codec.MESSAGE_PAYLOAD, b"x" * 500),)


def test_parts_of_two_messages_of_a_member_are_told_apart() -> None:
    for concatenation in (Concatenation.UDH_8, Concatenation.UDH_16, Concatenation.SAR):
        first = arriving("a" * 200, Alphabet.GSM, concatenation, 1)
        second = arriving("b" * 200, Alphabet.GSM, concatenation, 2)
        parts = Parts(Clock())
        texts = [
            parts.add(heard(message, Alphabet.GSM))
            for message in (first[1], second[0], first[0], second[1])
        ]
        assert texts == [None, None, "a" * 200, "b" * 200]


def test_a_reference_of_8_bits_and_the_same_of_16_are_two() -> None:
    narrow = arriving("a" * 200, Alphabet.GSM, Concatenation.UDH_8, 7)
    wide = arriving("b" * 200, Alphabet.GSM, Concatenation.UDH_16, 7)
    parts = Parts(Clock())
    assert parts.add(heard(narrow[0], Alphabet.GSM)) is None
    assert parts.add(heard(wide[1], Alphabet.GSM)) is None


def test_another_phones_part_is_not_ours() -> None:
    messages = arriving("a" * 200, Alphabet.GSM, Concatenation.UDH_8, 7)
    parts = Parts(Clock())
    assert parts.add(heard(messages[0], Alphabet.GSM)) is None
    elmer = Address("51987000003", 1, 1)
    theirs = Message(elmer, CODE, messages[1].text, esm_class=HAS_HEADER)
    assert parts.add(heard(theirs, Alphabet.GSM)) is None


def test_a_part_that_comes_again_changes_nothing() -> None:
    one, two = arriving("a" * 200, Alphabet.GSM, Concatenation.UDH_8, 7)
    parts = Parts(Clock())
    assert parts.add(heard(one, Alphabet.GSM)) is None
    assert parts.add(heard(one, Alphabet.GSM)) is None
    assert parts.add(heard(two, Alphabet.GSM)) == "a" * 200
    assert parts.add(heard(two, Alphabet.GSM)) == "a" * 200  # until it is safe
    parts.done(heard(two, Alphabet.GSM))
    assert parts.add(heard(two, Alphabet.GSM)) is None


def test_what_is_missing_too_long_is_forgotten() -> None:
    one, two = arriving("a" * 200, Alphabet.GSM, Concatenation.UDH_8, 7)
    clock = Clock()
    parts = Parts(clock, ttl_s=60)
    parts.add(heard(one, Alphabet.GSM))
    clock.at += 61
    assert parts.add(heard(two, Alphabet.GSM)) is None
    assert len(parts) == 1


def test_of_too_many_the_oldest_is_forgotten() -> None:
    parts = Parts(Clock(), messages_max=3)
    for reference in range(5):
        (one, _) = arriving("a" * 200, Alphabet.GSM, Concatenation.UDH_8, reference)
        parts.add(heard(one, Alphabet.GSM))
    assert len(parts) == 3
    assert SMS_PARTS_WAITING_MAX > 1000


def test_an_escape_and_half_an_emoji_may_stand_on_either_side_of_a_cut() -> None:
    def part(octets: bytes, number: int, data_coding: int) -> Message:
        header = bytes((5, 0, 3, 9, 2, number))
        return Message(ROSA, CODE, header + octets, (), "", data_coding, HAS_HEADER)

    parts = Parts(Clock())
    parts.add(heard(part(b"10 \x1b", 1, 0), Alphabet.GSM))
    assert parts.add(heard(part(b"e si", 2, 0), Alphabet.GSM)) == "10 € si"
    emoji = "😀".encode("utf-16-be")
    parts = Parts(Clock())
    parts.add(heard(part(emoji[:2], 1, 8), Alphabet.GSM))
    assert parts.add(heard(part(emoji[2:], 2, 8), Alphabet.GSM)) == "😀"


def test_each_part_is_in_the_letters_that_it_says() -> None:
    parts = Parts(Clock())
    headers = [bytes((5, 0, 3, 9, 2, number)) for number in (1, 2)]
    one = Message(ROSA, CODE, headers[0] + b"A\x7do ", (), "", 0, HAS_HEADER)
    two = Message(ROSA, CODE, headers[1] + "ó".encode("utf-16-be"), (), "", 8, HAS_HEADER)
    parts.add(heard(two, Alphabet.GSM))
    assert parts.add(heard(one, Alphabet.GSM)) == "Año ó"


def test_a_packed_part_begins_on_a_septet() -> None:
    header = bytes((5, 0, 3, 9, 2, 1))
    octets = header + pack(b"SALDO\x00", fill_bits=1)
    part = heard(Message(ROSA, CODE, octets, esm_class=HAS_HEADER), Alphabet.GSM_PACKED)
    assert part.octets == b"SALDO\x00"
    seven = Message(ROSA, CODE, pack(b"ENVIAR1"))
    assert heard(seven, Alphabet.GSM_PACKED).octets == b"ENVIAR1"


def test_spanish_letters_by_single_shift() -> None:
    octets = bytes((3, 0x24, 1, 2)) + b"cr\x05dito \x1ba"
    message = Message(ROSA, CODE, octets, esm_class=HAS_HEADER)
    assert Parts(Clock()).add(heard(message, Alphabet.GSM)) == "crédito á"


@settings(deadline=None)
@given(
    st.text(GSM, max_size=700),
    st.sampled_from([Alphabet.GSM, Alphabet.LATIN1, Alphabet.UCS2]),
    st.sampled_from(Concatenation),
    st.integers(0, 0xFFFF),
    st.randoms(use_true_random=False),
)
def test_what_is_cut_is_joined_in_any_order(
    text: str,
    alphabet: Alphabet,
    concatenation: Concatenation,
    reference: int,
    order: random.Random,
) -> None:
    if not fits(text, alphabet):
        alphabet = Alphabet.GSM
    messages = arriving(text, alphabet, concatenation, reference)
    order.shuffle(messages)
    parts = Parts(Clock())
    texts = [parts.add(heard(message, Alphabet.GSM)) for message in messages]
    assert texts == [None] * (len(messages) - 1) + [text]
    assert all(len(message.text) <= 160 for message in messages)


@settings(deadline=None)
@given(st.text(GSM, max_size=700))
def test_as_many_pieces_as_were_counted_and_paid_for(text: str) -> None:
    assert len(cut(text, Alphabet.GSM, Concatenation.UDH_8, 1)) == segments(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_as_many_pieces_of_ucs2_too(text: str) -> None:
    pieces = cut(text, Alphabet.UCS2, Concatenation.UDH_8, 1)
    if not fits(text, Alphabet.GSM):
        assert len(pieces) == segments(text)
    assert all(len(piece.text) <= 140 for piece in pieces)
    assert len(write(text, Alphabet.UCS2)) == sum(map(len, write_letters(text, Alphabet.UCS2)))


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 255))
def test_anything_is_heard_as_something(octets: bytes, esm_class: int, data_coding: int) -> None:
    message = Message(ROSA, CODE, octets, (), "", data_coding, esm_class)
    for default in Alphabet:
        part = heard(message, default)
        text = Parts(Clock()).add(part)
        assert (text is None) == (part.total > 1)
