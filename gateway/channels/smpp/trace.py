"""A PDU in words, less what is secret: no text, no keystrokes, no password, no whole number.

Values are shown of those optional parameters alone that are known to hold nothing private.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gateway.channels.smpp import codec, receipts
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
)
from gateway.channels.smpp.names import command_name, operation_name, status_name, tlv_name

_SHOWN_TLVS = frozenset(
    {
        codec.ITS_SESSION_INFO,
        codec.ITS_REPLY_TYPE,
        codec.USER_MESSAGE_REFERENCE,
        codec.SAR_MSG_REF_NUM,
        codec.SAR_TOTAL_SEGMENTS,
        codec.SAR_SEGMENT_SEQNUM,
        codec.MESSAGE_STATE,
        codec.NETWORK_ERROR_CODE,
        0x0210,  # sc_interface_version
    }
)
_SHOWN_OCTETS_MAX = 4
_SHOWN_CHARS_MAX = 20  # of a name: a service type, a system id
_DIGITS_SHOWN = 3  # of ten thousand numbers ten end in the same three
_SHORT_CODE_MAX = 6  # a number of so many digits is nobody's phone

LINE_CHARS_MAX = 1_000  # a PDU with all that networks are known to send has 400
CAPTURE_OCTETS_MAX = 50_000_000
# What a pcap begins with, in microseconds or nanoseconds and of either byte order; and a pcapng.
_PCAP = frozenset(map(bytes.fromhex, ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "0a0d0d0a")))
_HEX = "0123456789abcdefABCDEF"
_WORD_DIGITS_MIN = 8  # the first word of a line with so many is hex; a time of day has six
_LEAD_WORDS_MAX = 6  # a date, a time, and such
_BYTE_WORDS = frozenset({2, 4})  # digits of the words of a hex dump
_LOST = "\0"  # in front of a line: the stream cannot be read any further
_IN_HEX = re.compile(rb"[\x09\x0a\x0d\x20-\x7e]*")


def told(pdu: Pdu) -> str:
    """One line: command, status, sequence number, and the fields that may be shown."""
    head = f"{command_name(pdu.command)} #{pdu.sequence}"
    if pdu.status or pdu.answers:
        head += f" {status_name(pdu.status)}"
    line = " ".join((head, *_fields(pdu.body)))
    return line if len(line) <= LINE_CHARS_MAX else f"{line[: LINE_CHARS_MAX - 1]}…"


def read_capture(path: Path) -> Iterator[str]:
    """The PDUs of a capture, a line each; what cannot be read is a line too.

    It is PDUs one after the other: as they are; or in hex, a line of text holding a PDU, some, or a
    piece of one, behind anything that says the direction. It is no pcap.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        octets = file.read(CAPTURE_OCTETS_MAX)
    if octets[:4] in _PCAP:
        yield "a pcap, which is not read: have Wireshark follow the TCP stream, and save it as raw"
    elif _IN_HEX.fullmatch(octets):
        yield from _of_lines(octets.decode("ascii").splitlines())
    else:
        for line in _of_stream(Framer(), octets, "the capture", ""):
            yield line.removeprefix(_LOST)


def _of_lines(lines: list[str]) -> Iterator[str]:
    """Each direction is a stream of its own."""
    streams: dict[str, Framer] = {}
    for number, line in enumerate(lines, 1):
        way, octets = _of_line(line)
        if not octets and line.strip():
            yield f"line {number}: no PDU in hex"
        framer = streams.setdefault(way, Framer())
        for told_line in _of_stream(framer, octets, f"line {number}", way and f"{way} "):
            if told_line.startswith(_LOST):
                streams[way] = Framer()  # the next line may begin with a PDU again
            yield told_line.removeprefix(_LOST)
    for way, framer in streams.items():
        if framer.waiting:
            yield f"{way} {framer.waiting} octets of a PDU that is not complete".strip()


def _of_line(line: str) -> tuple[str, bytes]:
    """What stands in front of the hex, as far as it may name a direction, and the octets."""
    front = line.rstrip(_HEX + " :\t")
    rest = line[len(front) :]
    words = rest.replace(":", "").split()
    if front[-1:].isalnum() and rest[:1].isalnum():
        words = words[1:]  # the end of a word, and no hex: `receiv|ed`
    leads = range(min(len(words), _LEAD_WORDS_MAX))
    digits = next(("".join(words[at:]) for at in leads if _begins_hex(words[at:])), "")
    way = re.sub(r"[^<>A-Za-z]", "", front)[-_SHOWN_CHARS_MAX:]
    return (way, bytes.fromhex(digits)) if digits and len(digits) % 2 == 0 else (way, b"")


def _begins_hex(words: list[str]) -> bool:
    if len(words[0]) >= _WORD_DIGITS_MIN:
        return True
    return (
        len(words) * len(words[0]) >= _WORD_DIGITS_MIN
        and {len(word) for word in words[:-1]} <= _BYTE_WORDS
    )


def _of_stream(framer: Framer, octets: bytes, where: str, way: str) -> Iterator[str]:
    try:
        for frame in framer.feed(octets):
            try:
                yield way + told(decode(frame))
            except PduError as error:
                yield f"{way}{command_name(error.command)} #{error.sequence}: {error}"
    except PduError as error:
        yield f"{_LOST}{way}{where}: {error}"


def _fields(body: object) -> Iterator[str]:
    match body:
        case Message():
            yield from _message(body)
        case Bind(system_id, _, system_type, version, addresses):
            yield f"system_id={_name(system_id)} system_type={_name(system_type)}"
            yield f"version=0x{version:02x} address_range={_address(addresses)}"
        case Bound(system_id, tlvs):
            yield f"system_id={_name(system_id or '')}"
            yield from map(_tlv, tlvs)
        case Taken(message_id, tlvs):
            if message_id:
                yield f"message_id={_printable(message_id, codec.MESSAGE_ID_MAX)}"
            yield from map(_tlv, tlvs)
        case Raw(octets) if octets:
            yield f"{len(octets)} octets"


def _message(message: Message) -> Iterator[str]:
    if message.service_type:
        yield f"service_type={_name(message.service_type)}"
    yield f"from={_address(message.source)} to={_address(message.destination)}"
    yield f"esm_class=0x{message.esm_class:02x} data_coding=0x{message.data_coding:02x}"
    if message.registered_delivery:
        yield f"registered_delivery={message.registered_delivery}"
    if receipts.is_receipt(message):
        receipt = receipts.parse(message)
        said = " ".join(filter(None, (receipt.stat or "?", receipt.error)))
        named = _printable(receipt.message_id, codec.MESSAGE_ID_MAX)
        yield f"receipt of {named or '?'}: {said}"
    yield f"text={len(message.text)} octets"
    yield from map(_tlv, message.tlvs)


def _tlv(tlv: Tlv) -> str:
    name = tlv_name(tlv.tag)
    if tlv.tag == codec.USSD_SERVICE_OP and len(tlv.value) == 1:
        return f"{name}={operation_name(tlv.value[0]).replace(' ', '_')}"
    if tlv.tag in _SHOWN_TLVS and len(tlv.value) <= _SHOWN_OCTETS_MAX:
        return f"{name}={tlv.value.hex()}"
    return f"{name}={len(tlv.value)} octets"


def _address(address: Address) -> str:
    """The end of a number, and its type and plan. A short code is whole."""
    text = address.text
    if not text:
        return "-"
    digits = text.removeprefix("+")
    if not digits.isdigit() or not digits.isascii():
        shown = f"{len(text)} letters"
    elif len(digits) <= _SHORT_CODE_MAX:
        shown = text
    else:
        shown = f"…{digits[-_DIGITS_SHOWN:]}({len(digits)})"
    return f"{shown}/{address.ton}/{address.npi}"


def _name(text: str) -> str:
    return _printable(text, _SHOWN_CHARS_MAX) or "-"


def _printable(text: str, chars_max: int) -> str:
    return re.sub(r"[^!-~]", "?", text[:chars_max])
