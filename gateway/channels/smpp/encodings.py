"""Letters <-> octets: the alphabets that a short message or a USSD screen may be in.

Source: 3GPP TS 23.038: 6.2.1 (default alphabet), 6.1.2.2 and 6.1.2.3 (packing, for SMS and for
USSD, which differ in the seven bits that may be left over), 4 and 5 (data codings), annex A.2 (the
Spanish letters behind an escape); SMPP 3.4, 5.2.19 (data codings of SMPP).

What comes in always reads as something: a letter that nobody knows is `?`, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from gateway.values.gsm import plain

_ESCAPE = 0x1B
_CR = 0x0D
_UNKNOWN = ord("?")

_BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
# Heard only: a phone says in the header of its message that it means these.
SPANISH = _EXTENSION | {
    0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú",
    0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú",
}  # fmt: skip

_CODES = {
    **{letter: bytes((code,)) for code, letter in enumerate(_BASE) if code != _ESCAPE},
    **{letter: bytes((_ESCAPE, code)) for code, letter in _EXTENSION.items()},
}
_LETTERS = frozenset(_CODES)
# Nearly all that goes by is in the alphabet and has no escape: then a table does it at once.
_WRITING = str.maketrans({letter: code.decode("latin-1") for letter, code in _CODES.items()})
_READING = str.maketrans(
    {chr(code): letter for code, letter in enumerate(_BASE) if code != _ESCAPE}
)


class Alphabet(Enum):
    """How letters are written. `GSM`: a septet an octet, which is usual; `GSM_PACKED`: eight
    septets in seven octets."""

    GSM = "gsm"
    GSM_PACKED = "gsm-packed"
    LATIN1 = "latin1"
    UCS2 = "ucs2"


# What a data coding means, in SMPP and, from 0x0F on, in USSD (where 0x48 is UCS-2).
_MEANS = {
    0x00: Alphabet.GSM,
    0x01: Alphabet.LATIN1,  # ASCII, and what lies behind it
    0x03: Alphabet.LATIN1,
    0x08: Alphabet.UCS2,
    0x0F: Alphabet.GSM,
    0x48: Alphabet.UCS2,
}
_NIBBLE, _CLASSES, _WIDTH, _WIDTH_8, _WIDTH_16 = 0xF0, 0xF0, 0x0C, 0x04, 0x08


def meaning(data_coding: int, default: Alphabet) -> Alphabet:
    """The alphabet of what came in.

    Args:
        data_coding: of the message.
        default: what 0 and the USSD's 0x0F mean there: to some networks it is Latin-1.
    """
    means = _MEANS.get(data_coding)
    if means is Alphabet.GSM:
        return default
    if means is not None:
        return means
    # The codings of 3GPP: classes, compressed or not, and their width.
    width = data_coding & _WIDTH
    if data_coding & _NIBBLE == _CLASSES:
        return Alphabet.LATIN1 if data_coding & _WIDTH_8 else default
    if width == _WIDTH_16:
        return Alphabet.UCS2
    return Alphabet.LATIN1 if width == _WIDTH_8 else default


def fits(text: str, alphabet: Alphabet) -> bool:
    """Whether the alphabet has every letter."""
    if alphabet is Alphabet.UCS2:
        return True
    if alphabet is Alphabet.LATIN1:
        return all(letter <= "\xff" for letter in text)
    return all(letter in _CODES for letter in text)


def write_letters(text: str, alphabet: Alphabet) -> list[bytes]:
    """Each letter's octets; of GSM, packed or not, its septets, an octet each. A letter that the
    alphabet lacks becomes its nearest one, or `?`."""
    if alphabet is Alphabet.UCS2:
        return [letter.encode("utf-16-be", "replace") for letter in text]
    if alphabet is Alphabet.LATIN1:
        return [_latin1(letter) for letter in text]
    return [_CODES[near] for letter in text for near in _gsm(letter)]


def write(text: str, alphabet: Alphabet) -> bytes:
    """A USSD screen's octets. See `write_letters` for letters that are not there."""
    if alphabet in {Alphabet.GSM, Alphabet.GSM_PACKED} and _LETTERS.issuperset(text):
        octets = text.translate(_WRITING).encode("latin-1")
    else:
        octets = b"".join(write_letters(text, alphabet))
    return pack_screen(octets) if alphabet is Alphabet.GSM_PACKED else octets


def read(octets: bytes, alphabet: Alphabet, extension: Mapping[int, str] = _EXTENSION) -> str:
    """A USSD answer's text, or of an SMS that is not packed."""
    if alphabet is Alphabet.GSM_PACKED:
        return read_septets(unpack_screen(octets), extension)
    if alphabet is Alphabet.GSM:
        return read_septets(octets, extension)
    if alphabet is Alphabet.LATIN1:
        return octets.decode("latin-1")
    whole = octets[: len(octets) // 2 * 2]
    return whole.decode("utf-16-be", "replace").replace("\ufffd", "?")


def read_septets(septets: bytes, extension: Mapping[int, str] = _EXTENSION) -> str:
    """Text from septets, an octet each."""
    if _ESCAPE not in septets and septets.isascii():
        return septets.decode("ascii").translate(_READING)
    letters = []
    escaped = False
    for septet in septets:
        if septet >= len(_BASE):
            letters.append("?")
        elif escaped:
            # A phone that lacks an extended letter shows the one of the base table.
            letters.append(extension.get(septet, _BASE[septet] if septet != _ESCAPE else " "))
        elif septet != _ESCAPE:
            letters.append(_BASE[septet])
        escaped = septet == _ESCAPE and not escaped
    return "".join(letters)


def pack(septets: Sequence[int], fill_bits: int = 0) -> bytes:
    """Septets into octets, the lowest bit first, as SMS does it.

    Args:
        septets: 0 to 127 each.
        fill_bits: zeros in front, 0 to 6, behind a header that does not end on a septet.
    """
    bits, held, octets = 0, fill_bits, bytearray()
    for septet in septets:
        bits |= septet << held
        held += 7
        while held >= 8:
            octets.append(bits & 0xFF)
            bits >>= 8
            held -= 8
    if held:
        octets.append(bits)
    return bytes(octets)


def unpack(octets: bytes, fill_bits: int = 0) -> bytes:
    """The septets that SMS has packed. Where seven bits are left over they read as one more, `@`:
    how many there are stands elsewhere."""
    bits, held, septets = 0, 0, bytearray()
    for octet in octets:
        bits |= octet << held
        held += 8
        if fill_bits:
            bits >>= fill_bits
            held -= fill_bits
            fill_bits = 0
        while held >= 7:
            septets.append(bits & 0x7F)
            bits >>= 7
            held -= 7
    return bytes(septets)


def pack_screen(septets: bytes) -> bytes:
    """Septets as USSD packs them: seven bits left over are filled with CR, lest they read as `@`;
    and a text that ends on an octet with a CR of its own gets one more, lest it be taken for
    filling."""
    if len(septets) % 8 == 7 or (septets and len(septets) % 8 == 0 and septets[-1] == _CR):
        septets += bytes((_CR,))
    return pack(septets)


def unpack_screen(octets: bytes) -> bytes:
    """The septets that USSD has packed, without the filling."""
    septets = unpack(octets)
    if septets and len(septets) % 8 == 0 and septets[-1] == _CR:
        return septets[:-1]
    return septets


def _latin1(letter: str) -> bytes:
    if letter <= "\xff":
        return letter.encode("latin-1")
    near = plain(letter)
    return near.encode("latin-1") if near <= "\xff" else bytes((_UNKNOWN,))


def _gsm(letter: str) -> str:
    return letter if letter in _CODES else plain(letter)
