"""A dialect: how a network says USSD and SMS in SMPP, as data. The files are in `dialects/`; who
connects an operator of another kind copies one and edits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from gateway.channels import sheets
from gateway.channels.sheets import Section, Wrong
from gateway.channels.smpp import codec
from gateway.channels.smpp.encodings import Alphabet
from gateway.channels.smpp.names import TLVS
from gateway.channels.smpp.parts import Concatenation
from gateway.channels.smpp.receipts import IdForm

SHIPPED = Path(__file__).parent / "dialects"

_END_BIT = 0x0001  # of its_session_info
_OURS = frozenset({codec.USSD_SERVICE_OP, codec.MESSAGE_PAYLOAD})
_REPLY_TYPE = codec.ITS_REPLY_TYPE
_VENDOR_TAGS = range(0x1400, 0x4000)

Octet = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
Mask = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Tag = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
TlvName = Literal["its_session_info", "user_message_reference"]
SessionSource = Literal["its_session_info", "user_message_reference", "none"]
# In letters that SMPP has; `^…$` would let a line end through.
_ServiceType = Annotated[
    str, msgspec.Meta(max_length=codec.SERVICE_TYPE_MAX - 1, pattern=r"^[!-~]*\Z")
]
_Operations = Annotated[tuple[Octet, ...], msgspec.Meta(min_length=1, max_length=32)]


class Numbering(Section, frozen=True):
    """A number's type (TON) and plan (NPI) on what we send."""

    ton: Octet
    npi: Octet


class Session(Section, frozen=True):
    """By what a network tells its dialogues apart, next to the member's number.

    Args:
        number: the parameter that holds the session's number, by its name or its tag; `none`: a
            phone has one dialogue at a time.
        mask: the bits of it that are the session's number.
        sequence: the bits of it that count the dialogue's messages; 0: nothing does.
    """

    number: SessionSource | Tag
    mask: Mask = 0xFFFF
    sequence: Mask = 0

    @property
    def tag(self) -> int | None:
        """The parameter's tag."""
        if isinstance(self.number, int):
            return self.number
        return TLVS.get(self.number)


class Hears(Section, frozen=True):
    """What each `ussd_service_op` that comes in means. An unknown one is an answer.

    Args:
        begin: a member dials.
        answer: a member answers.
        abort: a member has hung up.
        close: the network has ended it.
        done: a notice has been shown.
    """

    begin: _Operations
    answer: _Operations
    abort: tuple[Octet, ...] = ()
    close: tuple[Octet, ...] = ()
    done: tuple[Octet, ...] = ()


class Says(Section, frozen=True):
    """The `ussd_service_op` of what we send.

    Args:
        ask: a screen that waits for an answer.
        end: the last screen.
        push_ask: the same, where we begin; null: the network does not allow it.
        push_notice: a notice, where we begin; null: the network does not allow it.
    """

    ask: Octet
    end: Octet
    push_ask: Octet | None = None
    push_notice: Octet | None = None

    @property
    def pushes(self) -> tuple[int | None, int | None]:
        """What we may begin with: a screen that asks, a notice."""
        return self.push_ask, self.push_notice


class Ussd(Section, frozen=True):
    """USSD.

    Args:
        service_type: of what we send; what comes in with it is USSD.
        session, hears, says: see there.
        end_bit: where bit 0 of `its_session_info` says that it is over. It wins over the operation.
        code: `destination`: the short code is the destination of what comes in; `text`: only the
            text of a dial has it, and it is whom our screens are from. A text that does not begin
            with it changes nothing.
        echo: the parameters that go back as they came last, by name or tag.
        alphabet: of our screens.
        data_coding: of our screens.
        heard_default: what data coding 0 and 0x0F mean in what comes in.
        payload_from: octets from which on a screen goes into `message_payload`.
        its_reply_type: what a screen that asks says in it; null: nothing.
        phone_numbering, code_numbering: null: as they came.
    """

    session: Session
    hears: Hears
    says: Says
    service_type: _ServiceType = "USSD"
    end_bit: Literal["no", "in", "out", "both"] = "no"
    code: Literal["destination", "text"] = "destination"
    echo: tuple[TlvName | Tag, ...] = ("its_session_info",)
    alphabet: Alphabet = Alphabet.GSM
    data_coding: Octet = 0
    heard_default: Alphabet = Alphabet.GSM
    payload_from: Annotated[int, msgspec.Meta(ge=1, le=codec.SHORT_MESSAGE_MAX + 1)] = (
        codec.SHORT_MESSAGE_MAX + 1
    )
    its_reply_type: Octet | None = None
    phone_numbering: Numbering | None = None
    code_numbering: Numbering | None = None

    @property
    def echoed(self) -> frozenset[int]:
        """The tags of what goes back."""
        return frozenset(TLVS[each] if isinstance(each, str) else each for each in self.echo)

    @property
    def end_bit_in(self) -> bool:
        """Whether the network says it by the bit."""
        return self.end_bit in {"in", "both"}

    @property
    def end_bit_out(self) -> bool:
        """Whether we say it by the bit."""
        return self.end_bit in {"out", "both"}


class Ids(Section, frozen=True):
    """How a message's id is written in the answer to its submission, and in its receipt."""

    answer: IdForm = IdForm.TEXT
    receipt: IdForm = IdForm.TEXT


class Letters(Section, frozen=True):
    """An alphabet, and the data coding that says it."""

    alphabet: Alphabet
    data_coding: Octet


class Sms(Section, frozen=True):
    """SMS.

    Args:
        service_type: of what we send.
        heard_default: what data coding 0 means in what comes in: to some networks it is Latin-1.
        letters: of what we send.
        other_letters: where `letters` lacks one.
        long: how a long message is cut.
        ids: how receipts name a message.
    """

    service_type: _ServiceType = ""
    heard_default: Alphabet = Alphabet.GSM
    letters: Letters = Letters(alphabet=Alphabet.GSM, data_coding=0)
    other_letters: Letters = Letters(alphabet=Alphabet.UCS2, data_coding=8)
    long: Concatenation = Concatenation.UDH_8
    ids: Ids = Ids()


class DialectSheet(Section, frozen=True):
    """The file as a whole.

    Args:
        source: where its facts are from: a document, a repository.
        unconfirmed: what nobody has seen on a real network yet.
        ussd: null: none.
        sms: how it is said, where a line carries it.
    """

    source: Annotated[str, msgspec.Meta(min_length=1)]
    ussd: Ussd | None
    sms: Sms = Sms()
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect by its name."""

    name: str
    ussd: Ussd | None
    sms: Sms


def load_dialect(path: Path) -> Dialect:
    """The dialect of a file.

    Raises:
        FaultySheetError: there is no such file, it is none, or it would not work.
    """
    sheet = sheets.read(path, DialectSheet)
    sheet.refuse(_wrong(sheet.data))
    return Dialect(path.stem, sheet.data.ussd, sheet.data.sms)


def _wrong(sheet: DialectSheet) -> Iterator[Wrong]:
    for name in ("letters", "other_letters"):
        if getattr(sheet.sms, name).alphabet is Alphabet.GSM_PACKED:
            yield ("sms", name, "alphabet"), "networks pack short messages themselves: `gsm`"
    if sheet.ussd is not None:
        yield from _wrong_session(sheet.ussd)
        yield from _wrong_operations(sheet.ussd)


def _wrong_session(ussd: Ussd) -> Iterator[Wrong]:
    session, at = ussd.session, ("ussd", "session")
    if isinstance(session.number, int) and session.number not in _VENDOR_TAGS:
        yield (*at, "number"), "a network's own parameter is 0x1400 to 0x3FFF; others have a name"
    if session.tag is None and (session.sequence or session.mask != 0xFFFF):
        yield at, "without a number there is nothing to mask"
    if session.tag is not None and not session.mask:
        yield (*at, "mask"), "no bit is left: `number: none`?"
    if session.mask & session.sequence:
        yield (*at, "sequence"), "a bit is the session's number already"
    own_bit = ussd.end_bit != "no" and session.tag == codec.ITS_SESSION_INFO
    if own_bit and (session.mask | session.sequence) & _END_BIT:
        yield at, "bit 0 says the end (`end_bit`): mask 0xFFFE at the most"
    if session.sequence and not _together(session.sequence):
        yield (*at, "sequence"), "the bits of a counter stand together"
    if session.tag is not None and session.tag not in ussd.echoed:
        yield ("ussd", "echo"), "the session's number has to go back"
    if ussd.echoed & _OURS or (ussd.its_reply_type is not None and _REPLY_TYPE in ussd.echoed):
        yield ("ussd", "echo"), "a screen's own text, operation or reply type would stand twice"
    if ussd.end_bit_out and codec.ITS_SESSION_INFO not in ussd.echoed:
        yield ("ussd", "end_bit"), "its_session_info has to go back for that"


def _wrong_operations(ussd: Ussd) -> Iterator[Wrong]:
    known: dict[int, str] = {}
    for name in ("begin", "answer", "abort", "close", "done"):
        for operation in getattr(ussd.hears, name):
            if known.setdefault(operation, name) != name:
                yield ("ussd", "hears", name), f"0x{operation:02x} is `{known[operation]}` already"
    if ussd.says.ask == ussd.says.end and not ussd.end_bit_out:
        yield ("ussd", "says", "end"), "nothing says that it is over: another operation, or end_bit"


def _together(mask: int) -> bool:
    bits = mask >> (mask & -mask).bit_length() - 1
    return bits & (bits + 1) == 0
