"""Letters and octets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channels.smpp.encodings import (
    SPANISH,
    Alphabet,
    fits,
    meaning,
    pack,
    read,
    unpack,
    unpack_screen,
    write,
    write_letters,
)
from gateway.values.gsm import septets

GSM = "".join(chr(code) for code in range(0x10000) if fits(chr(code), Alphabet.GSM))
PACKED = {  # of a text: as SMS has it, as USSD has it
    "1": ("31", "31"),
    "*123#": ("aa986c3602", "aa986c3602"),
    "1111111": ("b1582c168bc500", "b1582c168bc51a"),
    "11111111": ("b1582c168bc562", "b1582c168bc562"),
    "1111111\r": ("b1582c168bc51a", "b1582c168bc51a0d"),
    "hellohello": ("e8329bfd4697d9ec37", "e8329bfd4697d9ec37"),
}
# In each alphabet the letters that go wrong first: ñ, @ and _.
TRAPS = {
    Alphabet.GSM: {"ñ": "7d", "Ñ": "5d", "@": "00", "_": "11", "é": "05", "¿": "60", "€": "1b65"},
    Alphabet.LATIN1: {"ñ": "f1", "@": "40", "_": "5f", "é": "e9", "¿": "bf", "€": "3f"},
    Alphabet.UCS2: {"ñ": "00f1", "@": "0040", "_": "005f", "ó": "00f3", "😀": "d83dde00"},
}
MEANINGS = [
    (0x00, Alphabet.GSM, Alphabet.GSM),
    (0x00, Alphabet.LATIN1, Alphabet.LATIN1),
    (0x0F, Alphabet.GSM_PACKED, Alphabet.GSM_PACKED),
    (0x01, Alphabet.GSM, Alphabet.LATIN1),
    (0x03, Alphabet.GSM, Alphabet.LATIN1),
    (0x08, Alphabet.GSM, Alphabet.UCS2),
    (0x48, Alphabet.GSM, Alphabet.UCS2),
    (0x18, Alphabet.GSM, Alphabet.UCS2),
    (0x10, Alphabet.GSM, Alphabet.GSM),
    (0xF0, Alphabet.GSM, Alphabet.GSM),
    (0xF5, Alphabet.GSM, Alphabet.LATIN1),
]


def test_what_nobody_knows_is_a_question_mark() -> None:
    assert read(b"\x80\xff", Alphabet.GSM) == "??"
    assert read(b"\xd8\x3d", Alphabet.UCS2) == "?"
    assert read(b"\x00A\x00", Alphabet.UCS2) == "A"
    assert read(b"A\x1b", Alphabet.GSM) == "A"
    assert read(b"\x1b\x1bA", Alphabet.GSM) == " A"
    assert (
        read(b"\x1bA", Alphabet.GSM) == "A"
    )  # no letter is behind it: a phone shows the plain one
    assert write("😀Ω", Alphabet.LATIN1) == b"??"
    assert write("😀á", Alphabet.GSM) == b"?a"


@pytest.mark.parametrize(("data_coding", "default", "alphabet"), MEANINGS)
def test_what_a_data_coding_means(data_coding: int, default: Alphabet, alphabet: Alphabet) -> None:
    assert meaning(data_coding, default) is alphabet


@pytest.mark.parametrize("alphabet", TRAPS)
def test_the_letters_that_go_wrong_first(alphabet: Alphabet) -> None:
    for letter, octets in TRAPS[alphabet].items():
        assert write(letter, alphabet).hex() == octets
        if fits(letter, alphabet):
            assert read(bytes.fromhex(octets), alphabet) == letter


@pytest.mark.parametrize("text", PACKED)
def test_packing_is_that_of_others(text: str) -> None:
    sms, ussd = PACKED[text]
    plain = b"".join(write_letters(text, Alphabet.GSM))
    assert pack(plain).hex() == sms
    assert write(text, Alphabet.GSM_PACKED).hex() == ussd


def test_an_answer_of_seven_digits_is_not_eight() -> None:
    assert read(bytes.fromhex("b1582c168bc51a"), Alphabet.GSM_PACKED) == "1111111"
    assert unpack(bytes.fromhex("b1582c168bc500")) == b"1111111\0"


def test_spanish_letters_behind_an_escape_are_read_where_a_header_says_so() -> None:
    assert read(b"\x1ba\x1bU", Alphabet.GSM, SPANISH) == "áÚ"
    assert read(b"\x1ba\x1bU", Alphabet.GSM) == "aU"


def test_the_alphabet_is_the_one_that_screens_are_measured_with() -> None:
    assert len(GSM) == 127 + 10
    for letter in GSM:
        assert septets(letter) == len(write(letter, Alphabet.GSM))


@settings(deadline=None)
@given(st.text(GSM, max_size=200))
def test_gsm_comes_back(text: str) -> None:
    assert read(write(text, Alphabet.GSM), Alphabet.GSM) == text


@settings(deadline=None)
@given(st.text(GSM.replace("\r", ""), max_size=200))
def test_gsm_packed_comes_back(text: str) -> None:
    octets = write(text, Alphabet.GSM_PACKED)
    assert read(octets, Alphabet.GSM_PACKED) == text
    assert len(octets) <= (septets(text) * 7 + 7) // 8


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_latin1_comes_back(text: str) -> None:
    assert read(write(text, Alphabet.LATIN1), Alphabet.LATIN1) == text


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_ucs2_comes_back(text: str) -> None:
    octets = write(text, Alphabet.UCS2)
    assert read(octets, Alphabet.UCS2) == text.replace("\ufffd", "?")


@settings(deadline=None)
@given(st.text(max_size=100), st.sampled_from(Alphabet))
def test_any_text_can_be_written(text: str, alphabet: Alphabet) -> None:
    assert isinstance(write(text, alphabet), bytes)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(Alphabet))
def test_any_octets_can_be_read(octets: bytes, alphabet: Alphabet) -> None:
    assert isinstance(read(octets, alphabet), str)


@settings(deadline=None)
@given(st.lists(st.integers(0, 127), max_size=100), st.integers(0, 6))
def test_septets_come_back_behind_any_fill(plain: list[int], fill_bits: int) -> None:
    octets = pack(plain, fill_bits)
    assert list(unpack(octets, fill_bits))[: len(plain)] == plain
    assert len(unpack_screen(octets)) <= len(octets) * 8 // 7
