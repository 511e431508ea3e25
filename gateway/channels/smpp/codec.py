"""SMPP 3.4 on the wire: PDUs <-> bytes. No connection, no clock.

Source: SMPP Protocol Specification v3.4, issue 1.2, chapters 3 to 5.

What goes out keeps to the field sizes of the specification. What comes in is read as long as its
fields can be told apart: real networks send longer ids, vendor statuses, unknown parameters, and
`ussd_service_op` in `deliver_sm`, where 3.4 does not list it. Optional parameters stay bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from typing import Final

BIND_RECEIVER: Final = 0x01
BIND_TRANSMITTER: Final = 0x02
SUBMIT_SM: Final = 0x04
DELIVER_SM: Final = 0x05
UNBIND: Final = 0x06
BIND_TRANSCEIVER: Final = 0x09
ENQUIRE_LINK: Final = 0x15
DATA_SM: Final = 0x103
RESPONSE: Final = 0x8000_0000  # added to a request's id
GENERIC_NACK: Final = RESPONSE

USSD_SERVICE_OP: Final = 0x0501
ITS_SESSION_INFO: Final = 0x1383
ITS_REPLY_TYPE: Final = 0x1380
USER_MESSAGE_REFERENCE: Final = 0x0204
MESSAGE_PAYLOAD: Final = 0x0424
SAR_MSG_REF_NUM: Final = 0x020C
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
RECEIPTED_MESSAGE_ID: Final = 0x001E
MESSAGE_STATE: Final = 0x0427
NETWORK_ERROR_CODE: Final = 0x0423

ROK: Final = 0x00
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RSYSERR: Final = 0x08
RMSGQFUL: Final = 0x14
RTHROTTLED: Final = 0x58
RUNKNOWNERR: Final = 0xFF
OVERLOADED: Final = frozenset({RMSGQFUL, RTHROTTLED})  # not now, and nothing was taken
RX_T_APPN: Final = 0x64  # to deliver_sm: the network brings it again
RX_P_APPN: Final = 0x65  # … never again

VERSION: Final = 0x34

# Octets of what we send, the closing NUL included.
SYSTEM_ID_MAX: Final = 16
PASSWORD_MAX: Final = 9
SYSTEM_TYPE_MAX: Final = 13
ADDRESS_RANGE_MAX: Final = 41
SERVICE_TYPE_MAX: Final = 6
ADDRESS_MAX: Final = 21
TIME_MAX: Final = 17
MESSAGE_ID_MAX: Final = 65
SHORT_MESSAGE_MAX: Final = 254
TLV_MAX: Final = 0xFFFF
INTEGER_MAX: Final = 4

HEADER_OCTETS: Final = 16
PDU_OCTETS_MAX: Final = 70_000  # the longest payload, 65,535, with every other field
TLVS_MAX: Final = 100  # 3.4 names 44; each of a PDU's 70,000 octets could be a fourth of one
HEARD_FIELD_MAX: Final = 256  # octets of a text field that comes in

_HEADER = Struct(">IIII")
_LENGTH = Struct(">I")
_TLV = Struct(">HH")

_BINDS = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})
_BIND_ANSWERS = frozenset(RESPONSE | bind for bind in _BINDS)
_MESSAGES = frozenset({SUBMIT_SM, DELIVER_SM})
_ANSWERS = frozenset(RESPONSE | command for command in (SUBMIT_SM, DELIVER_SM, DATA_SM))


class PduError(ValueError):
    """Bytes that are no PDU, or a PDU that has no bytes.

    Args:
        reason: for an engineer; never a part of what was read.
        status: what to answer it with.
        command, sequence: of the header, as far as there is one.
        lost: the stream cannot be read any further.
    """

    def __init__(
        self,
        reason: str,
        status: int = RSYSERR,
        command: int = 0,
        sequence: int = 0,
        *,
        lost: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.command = command
        self.sequence = sequence
        self.lost = lost


@dataclass(frozen=True, slots=True)
class Address:
    """A number with its type (TON) and its plan (NPI). It may be a member's: it does not print."""

    text: str = field(default="", repr=False)
    ton: int = 0
    npi: int = 0


@dataclass(frozen=True, slots=True)
class Tlv:
    """An optional parameter, as bytes."""

    tag: int
    value: bytes = field(repr=False)


Tlvs = tuple[Tlv, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """A request to be let in. `addresses` are the numbers it is for; mostly empty."""

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    version: int = VERSION
    addresses: Address = Address()


@dataclass(frozen=True, slots=True)
class Bound:
    """The answer to a `Bind`. An error's may be empty: None."""

    system_id: str | None = None
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class Message:
    """`submit_sm`, `deliver_sm`, and `data_sm`, which has no `text` and fewer fields."""

    source: Address
    destination: Address
    text: bytes = field(default=b"", repr=False)
    tlvs: Tlvs = ()
    service_type: str = ""
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    replace: int = 0
    default_message: int = 0

    def tlv(self, tag: int) -> bytes | None:
        """The first optional parameter of that tag."""
        for each in self.tlvs:
            if each.tag == tag:
                return each.value
        return None

    def number(self, tag: int) -> int | None:
        """The same, as a number. None for an empty one too, and for one that is none: 3.4 knows no
        integer of more than four octets."""
        value = self.tlv(tag)
        return int.from_bytes(value, "big") if value and len(value) <= INTEGER_MAX else None

    @property
    def octets(self) -> bytes:
        """The message itself, wherever it is."""
        return self.text or self.tlv(MESSAGE_PAYLOAD) or b""


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a `Message`. An error's may be empty: None."""

    message_id: str | None = None
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that nobody here reads: of other commands, or empty."""

    octets: bytes = field(default=b"", repr=False)


Body = Bind | Bound | Message | Taken | Raw
NOTHING: Final = Raw()


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU."""

    command: int
    sequence: int
    body: Body = NOTHING
    status: int = ROK

    @property
    def answers(self) -> bool:
        """Whether it answers a request."""
        return bool(self.command & RESPONSE)


def refusal(command: int, sequence: int, status: int) -> Pdu:
    """The answer to a request that is not done: of any command, without a body."""
    body: Body = NOTHING
    if command in _MESSAGES or command == DATA_SM:
        body = Taken()
    elif command in _BINDS:
        body = Bound()
    return Pdu(command | RESPONSE, sequence, body, status)


def encode(pdu: Pdu) -> bytes:
    """A PDU's bytes.

    Raises:
        PduError: a field does not fit, or the body is of another command.
    """
    try:
        body = _body(pdu.command, pdu.body)
        length = HEADER_OCTETS + len(body)
        octets = _HEADER.pack(length, pdu.command, pdu.status, pdu.sequence) + body
    except PduError:
        raise
    except (ValueError, OverflowError, StructError) as error:
        raise PduError(f"a field does not fit: {type(error).__name__}") from None
    if length > PDU_OCTETS_MAX:
        raise PduError("the PDU is too long")
    return octets


def decode(octets: bytes) -> Pdu:
    """A PDU from exactly its bytes.

    Raises:
        PduError: they are none.
    """
    if len(octets) < HEADER_OCTETS:
        raise PduError("shorter than a header", RINVCMDLEN, lost=True)
    length, command, status, sequence = _HEADER.unpack_from(octets)
    if length != len(octets):
        raise PduError("of another length than it says", RINVCMDLEN, command, sequence, lost=True)
    try:
        return Pdu(command, sequence, _Reader(octets).body(command), status)
    except PduError as error:
        raise PduError(str(error), error.status, command, sequence) from None


class Framer:
    """Cuts a stream of bytes into PDUs, however it arrives: halves, or several at once."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def waiting(self) -> int:
        """Octets of a PDU that is not complete."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """What is complete now, a PDU at a time. Take all before feeding more.

        Raises:
            PduError: what follows is no PDU; the stream is lost.
        """
        buffer = self._buffer
        buffer += octets
        at = 0
        try:
            while len(buffer) - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(buffer, at)
                if not HEADER_OCTETS <= length <= PDU_OCTETS_MAX:
                    raise PduError("no PDU has that length", RINVCMDLEN, lost=True)
                if len(buffer) - at < length:
                    return
                at += length
                yield bytes(buffer[at - length : at])
        finally:
            del buffer[:at]


class _Reader:
    """Reads the body behind a header, field by field."""

    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = HEADER_OCTETS

    def body(self, command: int) -> Body:
        if command in _MESSAGES:
            return self._message()
        if command in _ANSWERS:
            return Taken(self._id(), self._tlvs())
        if command in _BINDS:
            return self._bind()
        if command in _BIND_ANSWERS:
            return Bound(self._id(), self._tlvs())
        if command == DATA_SM:
            return self._data()
        return Raw(self._octets[self._at :]) if self._at < len(self._octets) else NOTHING

    def _message(self) -> Message:
        service_type = self._text()
        source, destination = self._address(), self._address()
        esm_class, protocol_id, priority = self._octet(), self._octet(), self._octet()
        schedule, validity = self._text(), self._text()
        registered_delivery, replace = self._octet(), self._octet()
        data_coding, default_message = self._octet(), self._octet()
        text = self._some(self._octet())
        return Message(
            source,
            destination,
            text,
            self._tlvs(),
            service_type,
            data_coding,
            esm_class,
            registered_delivery,
            protocol_id,
            priority,
            schedule,
            validity,
            replace,
            default_message,
        )

    def _data(self) -> Message:
        service_type = self._text()
        source, destination = self._address(), self._address()
        esm_class, registered_delivery, data_coding = self._octet(), self._octet(), self._octet()
        return Message(
            source,
            destination,
            tlvs=self._tlvs(),
            service_type=service_type,
            data_coding=data_coding,
            esm_class=esm_class,
            registered_delivery=registered_delivery,
        )

    def _bind(self) -> Bind:
        system_id, password, system_type = self._text(), self._text(), self._text()
        version, ton, npi = self._octet(), self._octet(), self._octet()
        return Bind(system_id, password, system_type, version, Address(self._text(), ton, npi))

    def _address(self) -> Address:
        ton, npi = self._octet(), self._octet()
        return Address(self._text(), ton, npi)

    def _octet(self) -> int:
        try:
            octet = self._octets[self._at]
        except IndexError:
            raise PduError("a field is missing", RINVCMDLEN) from None
        self._at += 1
        return octet

    def _some(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) < count:
            raise PduError("the text is shorter than it says", RINVCMDLEN)
        self._at += count
        return taken

    def _text(self) -> str:
        end = self._octets.find(0, self._at, self._at + HEARD_FIELD_MAX)
        if end < 0:
            raise PduError("a text field has no end", RINVCMDLEN)
        text = self._octets[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def _id(self) -> str | None:
        """What an answer begins with. An error may leave it out, and some leave out its NUL."""
        if self._at >= len(self._octets):
            return None
        if self._octets.find(0, self._at, self._at + HEARD_FIELD_MAX) >= 0:
            return self._text()
        rest = self._octets[self._at :]
        if len(rest) >= HEARD_FIELD_MAX:
            raise PduError("a text field has no end", RINVCMDLEN)
        self._at = len(self._octets)
        return rest.decode("latin-1")

    def _tlvs(self) -> Tlvs:
        octets, at, end = self._octets, self._at, len(self._octets)
        if at == end:
            return ()
        found: list[Tlv] = []
        while at < end:
            if end - at < _TLV.size or len(found) == TLVS_MAX:
                raise PduError("an optional parameter is cut, or there are too many", RINVCMDLEN)
            tag, length = _TLV.unpack_from(octets, at)
            at += _TLV.size
            if end - at < length:
                raise PduError("an optional parameter is cut", RINVCMDLEN)
            found.append(Tlv(tag, octets[at : at + length]))
            at += length
        self._at = at
        return tuple(found)


def _body(command: int, body: Body) -> bytes:
    match body:
        case Message() if command in _MESSAGES:
            return _message(body)
        case Message() if command == DATA_SM:
            return _data(body)
        case Taken() if command in _ANSWERS:
            return _id(body.message_id, MESSAGE_ID_MAX, body.tlvs)
        case Bind() if command in _BINDS:
            return _bind(body)
        case Bound() if command in _BIND_ANSWERS:
            return _id(body.system_id, SYSTEM_ID_MAX, body.tlvs)
        case Raw(octets) if _reads_nothing(command):
            return octets
    raise PduError("the body is another command's")


def _reads_nothing(command: int) -> bool:
    read = (_MESSAGES, _ANSWERS, _BINDS, _BIND_ANSWERS)
    return command != DATA_SM and not any(command in commands for commands in read)


def _message(message: Message) -> bytes:
    if len(message.text) > SHORT_MESSAGE_MAX:
        raise PduError("short_message is too long: it belongs into message_payload")
    return b"".join(
        (
            _text(message.service_type, SERVICE_TYPE_MAX),
            _address(message.source, ADDRESS_MAX),
            _address(message.destination, ADDRESS_MAX),
            bytes((message.esm_class, message.protocol_id, message.priority)),
            _text(message.schedule, TIME_MAX),
            _text(message.validity, TIME_MAX),
            bytes((message.registered_delivery, message.replace)),
            bytes((message.data_coding, message.default_message, len(message.text))),
            message.text,
            _tlvs(message.tlvs),
        )
    )


def _data(message: Message) -> bytes:
    beyond = (message.text, message.schedule, message.validity, message.protocol_id)
    if any((*beyond, message.priority, message.replace, message.default_message)):
        raise PduError("data_sm has no such field: a text belongs into message_payload")
    return b"".join(
        (
            _text(message.service_type, SERVICE_TYPE_MAX),
            _address(message.source, TLV_MAX),
            _address(message.destination, TLV_MAX),
            bytes((message.esm_class, message.registered_delivery, message.data_coding)),
            _tlvs(message.tlvs),
        )
    )


def _bind(bind: Bind) -> bytes:
    return b"".join(
        (
            _text(bind.system_id, SYSTEM_ID_MAX),
            _text(bind.password, PASSWORD_MAX),
            _text(bind.system_type, SYSTEM_TYPE_MAX),
            bytes((bind.version,)),
            _address(bind.addresses, ADDRESS_RANGE_MAX),
        )
    )


def _id(text: str | None, octets_max: int, tlvs: Tlvs) -> bytes:
    if text is None:
        if tlvs:
            raise PduError("optional parameters stand behind a body")
        return b""
    return _text(text, octets_max) + _tlvs(tlvs)


def _address(address: Address, octets_max: int) -> bytes:
    return bytes((address.ton, address.npi)) + _text(address.text, octets_max)


def _text(text: str, octets_max: int) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) >= min(octets_max, HEARD_FIELD_MAX) or 0 in octets:
        raise PduError(f"a text field is longer than {octets_max - 1} octets, or has a NUL in it")
    return octets + b"\0"


def _tlvs(tlvs: Tlvs) -> bytes:
    if not tlvs:
        return b""
    if len(tlvs) > TLVS_MAX:
        raise PduError("too many optional parameters")
    return b"".join(_TLV.pack(tlv.tag, len(tlv.value)) + tlv.value for tlv in tlvs)
