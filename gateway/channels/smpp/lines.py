"""A line: one operator's account at which we bind, as a file that an engineer writes.

A folder holds the lines, a file each, and in `dialects/` the dialects that are its own.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from gateway.bounds import SMPP_LINES_MAX, SMPP_PER_SECOND_MAX, SMPP_WINDOW_MAX
from gateway.channels import sheets
from gateway.channels.sheets import FaultySheetError, Section, SheetFault, Wrong, faulty
from gateway.channels.smpp import codec, writable
from gateway.channels.smpp.dialects import SHIPPED, Dialect, Numbering, load_dialect

# It stands in each log line, in each figure, and in the name of the SMS sender.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_SHORT_CODE = r"^\*[0-9*]{2,12}#\Z"
_SENDER = "a number of up to 20 digits, or a name of up to 11 plain letters"
_HOST = "no name like smsc.example, and no address; the port stands in `port`"
_PASSWORD_FILE_OCTETS_MAX = 100
_NO_FILE = "no file has such a name"
_OF_A_LINE = frozenset({"host", "system_id", "password_file"})  # a dialect has none of them

Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Tls(Section, frozen=True):
    """TLS towards the operator.

    Args:
        ca_file: who signed the operator's certificate; null: the machine's own authorities.
        name: whom the certificate is for, where it is not `host`.
        certificate_file, key_file: ours, where the operator asks for one.
    """

    ca_file: str | None = None
    name: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


class LineSms(Section, frozen=True):
    """SMS over this line.

    Args:
        source: whom our SMS are from: a short code or a name.
        numbering: its type and plan; null: of a name 5 and 0, of a number 0 and 1.
        per_second: short messages that the operator takes in a second.
        segments_max: of a message.
        receipts: ask for them.
    """

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=codec.ADDRESS_MAX - 1)]
    numbering: Numbering | None = None
    per_second: Annotated[float, msgspec.Meta(gt=0, le=SMPP_PER_SECOND_MAX)] = 10
    segments_max: Annotated[int, msgspec.Meta(ge=1, le=20)] = 10
    receipts: bool = True

    @property
    def address(self) -> codec.Address:
        """Whom our SMS are from."""
        if self.numbering:
            return codec.Address(self.source, self.numbering.ton, self.numbering.npi)
        ton, npi = (0, 1) if writable.digits(self.source) else (5, 0)
        return codec.Address(self.source, ton, npi)


class Push(Section, frozen=True):
    """USSD that we begin, where the operator allows it: only then is this in the file.

    Args:
        source: whom it is from: mostly the short code's digits.
        numbering: its type and plan.
        first_session, last_session: the numbers that our dialogues have in the dialect's session
            parameter; both null: the network gives one, and tells it in the answer.
    """

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=codec.ADDRESS_MAX - 1)]
    numbering: Numbering = Numbering(ton=0, npi=1)
    first_session: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] | None = None
    last_session: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] | None = None


class LineSheet(Section, frozen=True):
    """The file as a whole.

    Args:
        host, port: of the operator's SMSC.
        system_id, password_file, system_type, address_range: what the operator let us have; the
            password stands in a file of its own, beside this one.
        dialect: a file's name without `.yaml`: ours in `dialects/`, or one that is shipped.
        bind: `transceiver`; or `separately`, a receiver and a transmitter.
        tls: null: none.
        short_code: what members dial here, where it is not the cooperative's usual one.
        region: ISO 3166, of numbers without their country's code.
        sms: null: this line carries none.
        push: null: the operator does not allow it.
        window: requests that may wait for their answer at once.
        response_s: how long an answer is waited for.
        enquire_link_s: how often the operator is asked whether it is there.
        trace: each PDU is a line of the log, less what is secret.
    """

    host: _Text
    system_id: Annotated[str, msgspec.Meta(min_length=1, max_length=codec.SYSTEM_ID_MAX - 1)]
    password_file: _Text
    dialect: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,30}\Z")]
    port: _Port = 2775
    system_type: Annotated[str, msgspec.Meta(max_length=codec.SYSTEM_TYPE_MAX - 1)] = ""
    address_range: Annotated[str, msgspec.Meta(max_length=codec.ADDRESS_RANGE_MAX - 1)] = ""
    bind: Literal["transceiver", "separately"] = "transceiver"
    tls: Tls | None = None
    short_code: Annotated[str, msgspec.Meta(pattern=_SHORT_CODE)] | None = None
    region: str | None = None
    sms: LineSms | None = None
    push: Push | None = None
    window: Annotated[int, msgspec.Meta(ge=1, le=SMPP_WINDOW_MAX)] = 10
    response_s: Seconds = 10
    enquire_link_s: Seconds = 30
    trace: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line, ready to be bound. `tls` is made anew from its files at each start."""

    name: str
    sheet: LineSheet
    dialect: Dialect
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def sender(self) -> str:
        """The name of its SMS sender."""
        return f"smpp-{self.name}"


def load_lines(folder: Path) -> tuple[Line, ...]:
    """The lines of a folder.

    Raises:
        FaultySheetError: with the faults of all of them, or that there is none.
    """
    if not folder.is_dir():
        raise faulty(folder, "there is no such folder")
    if strays := sorted(folder.glob("*.[yY][mM][lL]")):
        raise faulty(strays[0], "is not read: rename it to .yaml")
    files = sorted(folder.glob("*.yaml"))
    if not 1 <= len(files) <= SMPP_LINES_MAX:
        raise faulty(folder, f"{len(files)} lines: there are 1 to {SMPP_LINES_MAX}")
    if faults := sheets.all_faults(partial(load_line, path) for path in files):
        raise FaultySheetError(faults)
    lines = tuple(map(load_line, files))
    pushing = [path for path, line in zip(files, lines, strict=True) if line.sheet.push]
    if pushing and not any(line.sheet.sms for line in lines):
        raise faulty(pushing[0], "push: who sends offers to go on, and no line here has `sms`")
    return lines


def load_line(path: Path) -> Line:
    """The line of a file, its dialect, password and certificates with it.

    Raises:
        FaultySheetError: one of them cannot be used.
    """
    if not _NAME.fullmatch(path.stem) or path.suffix != ".yaml":
        raise faulty(path, "a line is called like `claro.yaml`: a-z, 0-9 and -")
    sheet = sheets.read(path, LineSheet)
    dialect = load_dialect(_dialect_path(path, sheet))
    sheet.refuse(_wrong(sheet.data, dialect))
    return Line(path.stem, sheet.data, dialect, _password(path, sheet), _tls(path, sheet))


def sheets_in(folder: Path) -> tuple[Path, ...]:
    """The lines of a folder, and the dialects that are its own."""
    return tuple(sorted(folder.glob("*.yaml")) + sorted(folder.glob("dialects/*.yaml")))


def check_folder(folder: Path) -> tuple[SheetFault, ...]:
    """Every fault of a folder's files; without one, what is wrong with them together."""
    faults = dict.fromkeys(fault for path in sheets_in(folder) for fault in check_file(path))
    return tuple(faults) or tuple(sheets.all_faults([partial(load_lines, folder)]))


def check_file(path: Path) -> tuple[SheetFault, ...]:
    """Every fault of a file that shall be a line or a dialect; none: it can be used."""

    def load() -> object:
        return load_line(path) if _OF_A_LINE & sheets.keys(path) else load_dialect(path)

    return tuple(sheets.all_faults([load]))


def _dialect_path(path: Path, sheet: sheets.Sheet[LineSheet]) -> Path:
    file = f"{sheet.data.dialect}.yaml"
    for folder in (path.parent / "dialects", SHIPPED):
        if (folder / file).exists():
            return folder / file
    shipped = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.yaml")))
    sheet.refuse([(("dialect",), f"there is no {file} in dialects/; shipped are {shipped}")])
    raise AssertionError("refused")


def _wrong(line: LineSheet, dialect: Dialect) -> Iterator[Wrong]:
    if dialect.ussd is None and line.sms is None:
        yield ("sms",), f"the dialect {dialect.name} has no USSD: what shall this line carry?"
    if line.push is not None:
        yield from _wrong_push(line.push, dialect)
    for name in ("system_id", "system_type", "address_range"):
        if not writable.plain(getattr(line, name)):
            yield (name,), "not in plain letters"
    if not writable.host(line.host):
        yield ("host",), _HOST
    if line.region is not None and not writable.region(line.region):
        yield ("region",), "no country of ISO 3166, like PE"
    if line.sms is not None and not writable.sender(line.sms.source):
        yield ("sms", "source"), _SENDER
    if line.tls is not None:
        yield from _wrong_tls(line.tls)


def _wrong_tls(tls: Tls) -> Iterator[Wrong]:
    if tls.name is not None and not writable.host(tls.name):
        yield ("tls", "name"), _HOST
    if tls.key_file is not None and tls.certificate_file is None:
        yield ("tls", "key_file"), "a key without its certificate_file"


def _wrong_push(push: Push, dialect: Dialect) -> Iterator[Wrong]:
    if dialect.ussd is None or dialect.ussd.says.pushes == (None, None):
        yield ("push",), f"the dialect {dialect.name} has no push_ask and no push_notice"
        return
    if not writable.sender(push.source):
        yield ("push", "source"), _SENDER
    first, last = push.first_session, push.last_session
    mask = dialect.ussd.session.mask
    if (first is None) != (last is None) or (first or 0) > (last or 0):
        yield ("push", "first_session"), "from first_session to last_session, or neither"
    elif first is not None and dialect.ussd.session.tag is None:
        yield ("push", "first_session"), f"the dialect {dialect.name} has no session's number"
    elif first is not None and last is not None and (first | last) & ~mask:
        reason = f"0x{first:04x} to 0x{last:04x} has bits beyond the dialect's mask 0x{mask:04x}"
        yield ("push", "first_session"), reason


def _password(path: Path, sheet: sheets.Sheet[LineSheet]) -> str:
    try:
        with (path.parent / sheet.data.password_file).open("rb") as file:
            octets = file.read(_PASSWORD_FILE_OCTETS_MAX)
        password = octets.decode("ascii").rstrip("\r\n")
    except OSError as error:
        sheet.refuse([(("password_file",), f"cannot be read: {error.strerror}")])
    except UnicodeDecodeError:
        sheet.refuse([(("password_file",), "the password is not in plain letters")])
    except ValueError:
        sheet.refuse([(("password_file",), _NO_FILE)])
    else:
        if not 1 <= len(password) < codec.PASSWORD_MAX or "\0" in password:
            reason = f"SMPP's passwords have 1 to {codec.PASSWORD_MAX - 1} letters"
            sheet.refuse([(("password_file",), reason)])
        return password
    raise AssertionError("refused")


def _tls(path: Path, sheet: sheets.Sheet[LineSheet]) -> ssl.SSLContext | None:
    tls = sheet.data.tls
    if tls is None:
        return None
    beside = path.parent
    try:
        context = ssl.create_default_context(cafile=tls.ca_file and str(beside / tls.ca_file))
        if tls.certificate_file:
            key_file = tls.key_file and str(beside / tls.key_file)
            context.load_cert_chain(str(beside / tls.certificate_file), key_file, _no_password)
    except _LockedKeyError:
        sheet.refuse([(("tls",), "the key is encrypted: nobody is there to type its password")])
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or type(error).__name__
        sheet.refuse([(("tls",), f"a certificate or key cannot be used: {reason}")])
    except ValueError:
        sheet.refuse([(("tls",), _NO_FILE)])
    else:
        return context
    raise AssertionError("refused")


class _LockedKeyError(Exception):
    """A key is encrypted."""


def _no_password() -> str:
    """In place of OpenSSL's question on the terminal."""
    raise _LockedKeyError
