"""Long messages in parts: cut on the way out, joined on the way in.

Source: 3GPP TS 23.040, 9.2.3.24 (the header of a message's text), 9.2.3.24.1 and .8 (8 and 16 bit
references), 9.2.3.24.15 (the Spanish letters); SMPP 3.4, 5.3.2.22 to .24 (`sar_*`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby
from typing import Final

from gateway.bounds import SMS_PARTS_MAX, SMS_PARTS_TTL_S, SMS_PARTS_WAITING_MAX
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Message, Tlv
from gateway.channels.smpp.encodings import (
    SPANISH,
    Alphabet,
    meaning,
    read,
    unpack,
    write_letters,
)

HAS_HEADER: Final = 0x40  # in esm_class: the text begins with a header

_CONCATENATED_8, _CONCATENATED_16, _SINGLE_SHIFT = 0x00, 0x08, 0x24
_SPANISH = b"\x02"
_SHORT_MESSAGE_OCTETS = 140
_SINGLE_SEPTETS = 160
_SEPTET_BITS = 7


class Concatenation(Enum):
    """How a long message is cut. `PAYLOAD`: not at all, the network does it."""

    UDH_8 = "udh8"
    UDH_16 = "udh16"
    SAR = "sar"
    PAYLOAD = "payload"


_HEADER_OCTETS = {Concatenation.UDH_8: 6, Concatenation.UDH_16: 7}


@dataclass(frozen=True, slots=True)
class Letters:
    """What a part is in. `spanish`: with the Spanish letters behind its escapes."""

    alphabet: Alphabet
    spanish: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message that came in, or the whole of it: then `total` is 1.

    Args:
        key: what all its parts have in common, and those of no other message of that time.
        number: from 1.
        octets: its letters; of packed ones their septets.
        letters: what they are in. Each part says it for itself.
    """

    key: tuple[object, ...]
    number: int
    total: int
    octets: bytes = field(repr=False)
    letters: Letters


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message that goes out: what of its PDU differs from the others'."""

    text: bytes = field(repr=False)
    esm_class: int = 0
    tlvs: tuple[Tlv, ...] = field(default=(), repr=False)


def cut(text: str, alphabet: Alphabet, concatenation: Concatenation, reference: int) -> list[Piece]:
    """A text as the pieces that it is sent in. No letter is ever cut in two.

    Args:
        text: letters that the alphabet has.
        alphabet: `GSM_PACKED` is sent unpacked: for SMS the network packs.
        concatenation: how.
        reference: the same for all pieces; if the message is sent again, the same again, so that
            the phone puts pieces of both together.
    """
    letters = write_letters(text, alphabet)
    # Latin-1 is sent on in the GSM alphabet, so its room is counted there.
    sizes = list(map(len, letters))
    if alphabet is Alphabet.LATIN1:
        sizes = list(map(len, write_letters(text, Alphabet.GSM)))
        sizes = sizes if len(sizes) == len(letters) else [1] * len(letters)
    wide = alphabet is Alphabet.UCS2
    if sum(sizes) <= (_SHORT_MESSAGE_OCTETS if wide else _SINGLE_SEPTETS):
        return [Piece(b"".join(letters))]
    if concatenation is Concatenation.PAYLOAD:
        return [Piece(b"", tlvs=(Tlv(codec.MESSAGE_PAYLOAD, b"".join(letters)),))]
    texts = _filled(letters, sizes, _room(concatenation, wide=wide))
    return [
        _piece(octets, concatenation, reference, number, len(texts))
        for number, octets in enumerate(texts, 1)
    ]


def heard(message: Message, default: Alphabet) -> Part:
    """What came in, as a part.

    Args:
        message: a deliver_sm.
        default: the alphabet of data coding 0.
    """
    elements, rest = _split(message)
    octets, letters = _letters(message, elements, rest, default)
    ends = (message.source, message.destination)
    for element, width in ((_CONCATENATED_8, 1), (_CONCATENATED_16, 2)):
        value = elements.get(element, b"")
        if len(value) == width + 2 and _plausible(value[-1], value[-2]):
            return Part(
                (*ends, width, value[:-2], value[-2]), value[-1], value[-2], octets, letters
            )
    reference = message.tlv(codec.SAR_MSG_REF_NUM)
    total = message.number(codec.SAR_TOTAL_SEGMENTS)
    number = message.number(codec.SAR_SEGMENT_SEQNUM)
    if reference and total and number and _plausible(number, total):
        return Part((*ends, "sar", reference, total), number, total, octets, letters)
    return Part((), 1, 1, octets, letters)


class Parts:
    """Messages that have not come whole yet. What is missing too long is forgotten, and of too many
    the oldest.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        now: Callable[[], float],
        ttl_s: float = SMS_PARTS_TTL_S,
        messages_max: int = SMS_PARTS_WAITING_MAX,
    ) -> None:
        self._now = now
        self._ttl_s = ttl_s
        self._messages_max = messages_max
        self._waiting: OrderedDict[tuple[object, ...], _Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, part: Part) -> str | None:
        """The whole text, if it is now; None while parts are missing. They may come in any order,
        and again. What is whole is kept until `done`, since it may have to come again."""
        if part.total == 1:
            return _joined([part])
        self._forget(room=part.key not in self._waiting)
        waiting = self._waiting.setdefault(part.key, _Waiting(self._now()))
        waiting.parts[part.number] = part
        if len(waiting.parts) < part.total:
            return None
        return _joined([waiting.parts[number] for number in range(1, part.total + 1)])

    def done(self, part: Part) -> None:
        """The message of this part is safe elsewhere."""
        self._waiting.pop(part.key, None)

    def _forget(self, *, room: bool) -> None:
        """What has waited too long; and what has waited longest, to make room for another."""
        oldest = self._now() - self._ttl_s
        while self._waiting:
            key, waiting = next(iter(self._waiting.items()))
            if waiting.since > oldest and len(self._waiting) + room <= self._messages_max:
                return
            del self._waiting[key]


@dataclass(slots=True)
class _Waiting:
    since: float
    parts: dict[int, Part] = field(default_factory=dict, repr=False)


def _joined(parts: Sequence[Part]) -> str:
    """The text. Where one part's letters go on in the next, an escape or half of an emoji may stand
    on either side of the cut."""
    runs = groupby(parts, key=lambda part: part.letters)
    return "".join(_read(b"".join(part.octets for part in run), letters) for letters, run in runs)


def _read(octets: bytes, letters: Letters) -> str:
    return (
        read(octets, letters.alphabet, SPANISH)
        if letters.spanish
        else read(octets, letters.alphabet)
    )


def _plausible(number: int, total: int) -> bool:
    return 1 <= number <= total <= SMS_PARTS_MAX


def _split(message: Message) -> tuple[dict[int, bytes], bytes]:
    """The elements of the header, and what stands behind it. A header that is none is text."""
    octets = message.octets
    if not message.esm_class & HAS_HEADER or not octets or octets[0] >= len(octets):
        return {}, octets
    header, rest = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
    elements: dict[int, bytes] = {}
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        elements[element] = header[at + 2 : at + 2 + length]
        at += 2 + length
    return elements, rest


def _letters(
    message: Message, elements: dict[int, bytes], rest: bytes, default: Alphabet
) -> tuple[bytes, Letters]:
    alphabet = meaning(message.data_coding, default)
    spanish = elements.get(_SINGLE_SHIFT) == _SPANISH
    if alphabet is not Alphabet.GSM_PACKED:
        return rest, Letters(alphabet, spanish)
    header_bits = (len(message.octets) - len(rest)) * 8
    fill_bits = -header_bits % _SEPTET_BITS
    septets = unpack(rest, fill_bits)
    if septets and not septets[-1] and (len(rest) * 8 - fill_bits) % _SEPTET_BITS == 0:
        septets = septets[:-1]  # seven bits left over, much rather than an `@`
    return septets, Letters(Alphabet.GSM, spanish)


def _room(concatenation: Concatenation, *, wide: bool) -> int:
    """Septets, or octets of UCS-2, in each piece."""
    # By sar_* the network makes the header: mostly the short one, and the longer one fits too.
    header = _HEADER_OCTETS.get(concatenation, _HEADER_OCTETS[Concatenation.UDH_16])
    if wide:
        return (_SHORT_MESSAGE_OCTETS - header) // 2 * 2
    return (_SHORT_MESSAGE_OCTETS - header) * 8 // _SEPTET_BITS


def _filled(letters: Sequence[bytes], sizes: Sequence[int], room: int) -> list[bytes]:
    pieces, taken = [bytearray()], 0
    for octets, size in zip(letters, sizes, strict=True):
        if taken + size > room:
            pieces.append(bytearray())
            taken = 0
        pieces[-1] += octets
        taken += size
    return list(map(bytes, pieces))


def _piece(
    octets: bytes, concatenation: Concatenation, reference: int, number: int, total: int
) -> Piece:
    wide = (reference & 0xFFFF).to_bytes(2, "big")
    if concatenation is Concatenation.SAR:
        sar = (
            Tlv(codec.SAR_MSG_REF_NUM, wide),
            Tlv(codec.SAR_TOTAL_SEGMENTS, bytes((total,))),
            Tlv(codec.SAR_SEGMENT_SEQNUM, bytes((number,))),
        )
        return Piece(octets, tlvs=sar)
    if concatenation is Concatenation.UDH_16:
        header = bytes((6, _CONCATENATED_16, 4)) + wide
    else:
        header = bytes((5, _CONCATENATED_8, 3)) + wide[1:]
    return Piece(header + bytes((total, number)) + octets, HAS_HEADER)
