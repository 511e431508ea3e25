"""What reads strangers' words: each parser with the one error that it may raise, and what must be
true of what it makes of them. A target is a property of hypothesis, so that atheris can drive its
generators too."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.bank.bank import CATALOGUE
from gateway.bounds import AMOUNT_MAX_CENTIMOS, SMPP_UNREAD_OCTETS_MAX
from gateway.channels import addresses, dialled
from gateway.channels.africastalking import sms as at_sms
from gateway.channels.africastalking import ussd as at_ussd
from gateway.channels.http import ussd as http_ussd
from gateway.channels.http.fields import Fields
from gateway.channels.http.reading import load_profile, load_profiles
from gateway.channels.infobip import sms as infobip_sms
from gateway.channels.infobip import ussd as infobip_ussd
from gateway.channels.sheets import FaultySheetError
from gateway.channels.smpp import codec, encodings, receipts
from gateway.channels.smpp.dialects import load_dialect
from gateway.channels.smpp.encodings import Alphabet
from gateway.channels.smpp.parts import Parts, heard
from gateway.channels.twilio import sms as twilio_sms
from gateway.dialog import answers
from gateway.dialog.book import Book
from gateway.dialog.keywords import read_text
from gateway.dialog.reader import FaultyBookError, read_sentences
from gateway.menus import Pages, load_book, prove, read_folder
from gateway.values import gsm
from gateway.values.msisdn import NotAMobileError, caller, mobile
from gateway.values.turn import Reply

Target = Callable[[], None]

HOUSE = Path(__file__).parent.parent.parent
MENUS = HOUSE / "menus"
DEEP = 1_000  # nesting

# What a parser looks for, so that chance need not find it.
_NUMBERS = st.sampled_from(
    ["+51987000001", " 51987000001", "987000001", "73204050", "+", "0", "51", "٣٤", "+1" * 20]
)
_AMOUNTS = st.from_regex(
    r"(s/|S/ ?|soles)?[0-9]{0,12}([.,][0-9]{0,4}){0,3}( soles)?", fullmatch=True
)
_WORDS = st.sampled_from(
    [
        *("SALDO", "ENVIAR", "PAGAR", "BLOQUEAR", "STOP", "START", "AYUDA", "MOVIMIENTOS"),
        *("SLDO", "ENBIAR", "¡Saldo!"),
    ]
)
_HOSTILE = st.sampled_from(
    [
        "\0",
        "\ud800",
        "\r\n",
        "%",
        "*#",
        "{}",
        "{screen}",
        "' or 1=1 --",
        "\u202e",
        "𝟙",
        "ǅ",
        "ß" * 99,
    ]
)
typed = st.one_of(
    st.text(max_size=400),
    _NUMBERS,
    _AMOUNTS,
    _HOSTILE,
    st.lists(st.one_of(_WORDS, _NUMBERS, _AMOUNTS, _HOSTILE), max_size=8).map(" ".join),
    st.lists(st.one_of(_NUMBERS, _AMOUNTS), max_size=12).map("*".join),
)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), typed)
loose = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(typed, inner, max_size=4)
)


def _sayable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


def form(*names: str) -> st.SearchStrategy[dict[str, str]]:
    """A form with some of a channel's fields, and others."""
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=8), typed, max_size=len(names))


@given(text=typed, region=st.sampled_from(["PE", "GH", "ZZ"]))
def msisdn(text: str, region: str) -> None:
    for read in (lambda: caller(text), lambda: mobile(text, region)):
        try:
            number = read()
        except NotAMobileError:
            continue
        assert number.e164.isascii()
        assert number.e164[0] == "+"
        assert number.e164[1:].isdigit()


@given(text=typed)
def money(text: str) -> None:
    try:
        amount = answers.money(text)
    except answers.NotUnderstoodError:
        return
    assert 0 < amount.centimos <= AMOUNT_MAX_CENTIMOS
    plainly = f"{amount.centimos // 100}.{amount.centimos % 100:02}"
    assert answers.money(plainly) == amount


@given(text=st.one_of(typed, st.from_regex(r"[0-9]{1,2}[ /.-][0-9]{1,2}[ /.-][0-9]{2,4}")))
def day(text: str) -> None:
    try:
        answers.day(text)
    except answers.NotUnderstoodError:
        return
    assert text.isascii()


@given(text=st.text(max_size=400))
def gsm_letters(text: str) -> None:
    plain = gsm.plain(text)
    assert not gsm.foreign(plain)
    assert gsm.plain(plain) == plain
    assert gsm.septets(plain) <= 2 * len(plain)


@given(text=typed)
def sms_orders(text: str) -> None:
    read_text(_book(), text)


@given(dialled_=typed, code=st.sampled_from(["*775#", "*775*1#"]))
def deep_dial(dialled_: str, code: str) -> None:
    rest = dialled.behind(dialled_, code)
    assert rest is None or dialled_.strip().removesuffix("#").endswith(rest)


@given(
    fields=form("sessionId", "phoneNumber", "text", "serviceCode", "status", "hopsCount", "input")
)
def africastalking_ussd(fields: dict[str, str]) -> None:
    try:
        turn = at_ussd.parse(fields, "norandino")
    except at_ussd.NotAHopError:
        pass
    else:
        assert fields["text"] not in repr(turn) or len(fields["text"]) < 8
    assert at_ussd.parse_end(fields).hops >= -1


@given(fields=form("id", "text", "from", "to", "date", "status", "failureReason", "linkId"))
def africastalking_sms(fields: dict[str, str]) -> None:
    _raises_only(
        (at_sms.NotAMessageError, NotAMobileError), lambda: at_sms.parse(fields, "norandino")
    )
    _raises_only((at_sms.NotAMessageError,), lambda: at_sms.parse_report(fields))
    at = at_sms.written_at(fields)
    assert at is None or at.tzinfo == dt.UTC


@given(fields=form("MessageSid", "From", "To", "Body", "MessageStatus", "ErrorCode", "AccountSid"))
def twilio_sms_forms(fields: dict[str, str]) -> None:
    _raises_only(
        (twilio_sms.NotAMessageError, NotAMobileError), lambda: twilio_sms.parse(fields, "AC")
    )
    _raises_only((twilio_sms.NotAMessageError,), lambda: twilio_sms.parse_report(fields))


_INFOBIP = ("msisdn", "text", "shortCode", "exitCode", "messageId", "from", "to", "status", "error")


@given(
    body=st.one_of(
        st.binary(max_size=400),
        loose.map(_json),
        st.dictionaries(st.sampled_from(_INFOBIP), loose, max_size=6).map(_json),
        st.lists(st.dictionaries(st.sampled_from(_INFOBIP), loose), max_size=4).map(
            lambda rows: _json({"results": rows})
        ),
        st.integers(1, DEEP).map(lambda depth: b'{"results":' + b"[" * depth),
    ),
    session=st.text(max_size=140),
)
def infobip(body: bytes, session: str) -> None:
    _raises_only(
        (infobip_ussd.NotAHopError,),
        lambda: infobip_ussd.parse("start", session, body, "norandino", "*775#"),
    )
    _raises_only(
        (infobip_ussd.NotAHopError,),
        lambda: infobip_ussd.parse("response", session, body, "norandino", "*775#"),
    )
    _raises_only((infobip_ussd.NotAHopError,), lambda: infobip_ussd.parse_end(session, body))
    try:
        brought = infobip_sms.results(body)
    except infobip_sms.NotResultsError:
        return
    for result in brought:
        read = partial(infobip_sms.parse, result, "norandino")
        _raises_only((infobip_sms.NotAMessageError,), read)
        _raises_only((infobip_sms.NotAMessageError,), partial(infobip_sms.parse_report, result))


@given(data=st.data())
def http_profiles(data: st.DataObject) -> None:
    """Every dialect that is shipped, with its own fields full of anything."""
    profile = data.draw(st.sampled_from(sorted(_profiles().values(), key=lambda each: each.name)))
    request = profile.request
    names = sorted({*request.mapped.values(), *request.secret_fields, request.input})
    events = [event for event in (request.start, request.goes_on, request.end) if event]
    told = {event.field: st.sampled_from(event.texts()) | typed for event in events}
    fields = Fields(
        data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, _SCALARS) | told))
    )
    try:
        heard_ = http_ussd.parse(profile, fields, "norandino", "*775#")
    except http_ussd.NotAHopError:
        heard_ = None
    screen = data.draw(st.text(st.characters(codec="utf-8"), max_size=200))
    reply = Reply(screen, data.draw(st.booleans()), "s", "o")
    http_ussd.render(profile, reply, fields)
    if isinstance(heard_, http_ussd.SessionEnd):
        http_ussd.render_end(profile, fields)


_KEYS = st.sampled_from(
    [
        *("source", "request", "reply", "methods", "body", "session", "msisdn", "input", "answers"),
        *("start", "end", "field", "is", "dialled", "holds", "text", "json", "goes_on", "ends"),
        *("separator", "newline", "content_type", "end_event"),
    ]
)
_YAML = st.recursive(
    _SCALARS, lambda inner: st.dictionaries(_KEYS, inner, max_size=5) | st.lists(inner, max_size=3)
)


@given(data=st.data())
def profile_files(data: st.DataObject) -> None:
    """A file that shall be a profile: one of ours with lines lost and strange ones put in."""
    with _file(_damaged(data, _sheets("http/profiles"))) as path:
        _raises_only((FaultySheetError,), lambda: load_profile(path))


@given(data=st.data())
def smpp_dialect_files(data: st.DataObject) -> None:
    """The same of an operator's dialect."""
    with _file(_damaged(data, _sheets("smpp/dialects"))) as path:
        _raises_only((FaultySheetError,), lambda: load_dialect(path))


@given(data=st.data())
def menu_reader(data: st.DataObject) -> None:
    """One damaged file, only read: a hundred times faster than proving its folder."""
    name = data.draw(st.sampled_from([name for name in _pages().texts if name.endswith(".yaml")]))
    text = _damaged(data, {name: _pages().texts[name]})
    _raises_only((FaultyBookError,), lambda: read_sentences(name, text))


@given(data=st.data())
def menu_files(data: st.DataObject) -> None:
    """A folder of menus with one damaged file: proven or refused, and nothing else."""
    texts = dict(_pages().texts)
    name = data.draw(st.sampled_from(sorted(texts)))
    texts[name] = _damaged(data, {name: texts[name]})
    _raises_only((FaultyBookError,), lambda: prove(Pages(texts), CATALOGUE))


@given(
    chunks=st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.binary(max_size=60).map(lambda body: _pdu(codec.DELIVER_SM, body)),
            st.sampled_from(
                [codec.SUBMIT_SM, codec.DATA_SM, codec.BIND_TRANSCEIVER, codec.RESPONSE | 5]
            ).flatmap(lambda command: st.binary(max_size=99).map(lambda b: _pdu(command, b))),
        ),
        max_size=6,
    ),
    cuts=st.lists(st.integers(1, 40), max_size=20),
)
def smpp_stream(chunks: list[bytes], cuts: list[int]) -> None:
    """A stream cut anywhere: PDUs that read write themselves again, and the buffer is bounded."""
    stream = b"".join(chunks)
    framer = codec.Framer()
    at = 0
    try:
        for size in [*cuts, len(stream) + 1]:
            for octets in framer.feed(stream[at : at + size]):
                _decoded(octets)
            at += size
            assert framer.waiting <= SMPP_UNREAD_OCTETS_MAX
    except codec.PduError:
        return


def _decoded(octets: bytes) -> None:
    try:
        pdu = codec.decode(octets)
    except codec.PduError:
        return
    try:
        again = codec.encode(pdu)
    except codec.PduError:
        return  # heard more than we would ever say
    assert codec.decode(again) == pdu


_TAGS = st.sampled_from(
    [0x0501, 0x1383, 0x0424, 0x020C, 0x020E, 0x020F, 0x001E, 0x0427, 0x0423]
) | st.integers(0, 0xFFFF)
_MESSAGES = st.builds(
    codec.Message,
    source=st.builds(codec.Address, st.text(max_size=20), st.integers(0, 7), st.integers(0, 20)),
    destination=st.builds(codec.Address, st.text(max_size=20)),
    text=st.one_of(
        st.binary(max_size=160),
        st.from_regex(
            rb"id:[0-9a-f]{1,20} sub:001 stat:[A-Z]{7} err:[0-9]{3} done date:[0-9]{10,14}"
        ),
        st.builds(
            lambda kind, body: bytes([len(body) + 2, kind, len(body)]) + body + b"hola",
            st.sampled_from([0, 8, 0x24, 0x25]),
            st.binary(max_size=6),
        ),
    ),
    tlvs=st.lists(st.builds(codec.Tlv, _TAGS, st.binary(max_size=40)), max_size=6).map(tuple),
    data_coding=st.integers(0, 255),
    esm_class=st.sampled_from([0, 0x40, 0x04, 0x20, 0x44]) | st.integers(0, 255),
)


@given(messages=st.lists(_MESSAGES, max_size=8), default=st.sampled_from(list(Alphabet)))
def smpp_messages(messages: list[codec.Message], default: Alphabet) -> None:
    """Parts in any order, and receipts: they always read as something."""
    parts = Parts(lambda: 0.0, messages_max=4)
    for message in messages:
        receipts.parse(message)
        receipts.is_receipt(message)
        part = heard(message, default)
        text = parts.add(part)
        assert text is None or isinstance(text, str)
        assert len(parts) <= 4
        encodings.read(message.octets, encodings.meaning(message.data_coding, default))


@given(text=st.text(max_size=200), alphabet=st.sampled_from(list(Alphabet)), octets=st.binary())
def smpp_letters(text: str, alphabet: Alphabet, octets: bytes) -> None:
    encodings.read(octets, alphabet)
    written = encodings.write(text, alphabet)
    if encodings.fits(text, alphabet) and max(text, default="") <= "\ud7ff":
        assert encodings.read(written, alphabet) == text


@given(message_id=st.text(max_size=70), form_=st.sampled_from(list(receipts.IdForm)))
def smpp_ids(message_id: str, form_: receipts.IdForm) -> None:
    receipts.canonical(message_id, form_)


_PROXIES = addresses.read_networks(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])
_ENTRIES = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(network=ip_network("10.0.0.0/8")).map(str),
    st.ip_addresses(v=4).map(lambda ip: f"::ffff:{ip}"),
    st.ip_addresses(v=6).map(lambda ip: f"[{ip}]:443"),
    st.ip_addresses(v=4).map(lambda ip: f"{ip}:65535"),
    st.sampled_from(
        ["unknown", "", "_hidden", "localhost", "[", "]", "[]:1", "fe80::1%eth0", "1.2.3"]
    ),
    st.text(max_size=20),
)


@given(peer=_ENTRIES, entries=st.lists(_ENTRIES, max_size=30))
def forwarded_for(peer: str, entries: list[str]) -> None:
    """Who is connected to us and is no proxy is the sender, whatever the request says; and what
    stands left of the first stranger never matters."""
    header = ",".join(entries)
    found = addresses.sender(peer, header, _PROXIES)
    at = addresses.read_address(peer)
    if at is None or not addresses.within(at, _PROXIES):
        assert found == at
    if found is not None and not addresses.within(found, _PROXIES):
        assert (
            addresses.sender(peer, f"203.0.113.9,{header}", _PROXIES) == found or not header.strip()
        )
    addresses.blurred(found)


def targets() -> Mapping[str, Target]:
    """By name: what `scripts/fuzz` runs."""
    return {
        name: value
        for name, value in globals().items()
        if hasattr(value, "hypothesis") and not name.startswith("_")
    }


@cache
def _book() -> Book:
    return load_book(MENUS)


@cache
def _pages() -> Pages:
    return read_folder(MENUS)


@cache
def _profiles() -> dict[str, Any]:
    return load_profiles()


@cache
def _sheets(folder: str) -> Mapping[str, str]:
    paths = sorted((HOUSE / "gateway/channels" / folder).glob("*.yaml"))
    return {path.name: path.read_text() for path in paths}


@contextmanager
def _file(text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chaski-fuzz-") as folder:
        path = Path(folder, "mine.yaml")
        path.write_text(text, "utf-8")
        yield path


def _damaged(data: st.DataObject, texts: Mapping[str, str]) -> str:
    lines = texts[data.draw(st.sampled_from(sorted(texts)))].splitlines()
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(lines)))
        match data.draw(st.sampled_from(["lose", "put", "cut", "twice", "shift"])):
            case "lose":
                del lines[at : at + 1]
            case "put":
                lines.insert(at, data.draw(typed | _STRANGE_YAML | _YAML.map(json.dumps)))
            case "cut" if at < len(lines):
                lines[at] = lines[at][: data.draw(st.integers(0, 40))]
            case "twice":
                lines[at:at] = lines[at : at + 3]
            case "shift" if at < len(lines):
                lines[at] = data.draw(st.sampled_from([" ", "  ", "\t"])) + lines[at]
    return _sayable("\n".join(lines))  # as what reads files would have decoded it


_STRANGE_YAML = st.sampled_from(
    [
        "&a [*a]", "x: *nobody", "<<: {a: 1}", "? [1]", "!!python/object:os.system x", "--- ",
        "a: &a [l,l,l,l,l,l,l,l,l]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]",
        "[" * DEEP, "{a: " * 200, "x: 1e999", "x: 2026-13-45", "x: 0o777", "%YAML 9.9", "say: {",
        "'", "...",
    ]
)  # fmt: skip


def _pdu(command: int, body: bytes) -> bytes:
    fields = (16 + len(body), command, 0, 1)
    return b"".join(field.to_bytes(4, "big") for field in fields) + body


def _raises_only(allowed: tuple[type[Exception], ...], read: Callable[[], object]) -> None:
    try:
        read()
    except allowed:
        return
