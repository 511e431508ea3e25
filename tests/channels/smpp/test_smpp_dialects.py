"""The sheets that an engineer writes: dialects and lines, the faulty ones first."""

from __future__ import annotations

import tempfile
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channels.sheets import SHEET_CHARS_MAX, FaultySheetError
from gateway.channels.smpp.codec import Address
from gateway.channels.smpp.dialects import SHIPPED, load_dialect
from gateway.channels.smpp.lines import LineSms, check_file, check_folder, load_line, load_lines

DIALECT = """\
source: the operator's sheet of 2026
ussd:
  session: {number: its_session_info, mask: 0xFF00, sequence: 0x00FE}
  hears:
    begin: [0x01]
    answer: [0x12]
    abort: [0x81]
  says: {ask: 0x02, end: 0x11}
  end_bit: both
"""
LINE = """\
host: smsc.claro.example
system_id: coopuser
password_file: claro.password
dialect: standard
"""
LOCKED = Path(__file__).parent / "locked.pem"  # a certificate, and its key, encrypted
# What is put in place of what, and the fault that is printed.
FAULTY_DIALECTS = {
    "no session": ("  session: {number: its_session_info, mask: 0xFF00, sequence: 0x00FE}\n", "",
        ":2: ussd.session: is missing"),
    "a key that nobody knows": ("end_bit:", "endbit:", ":9: ussd.endbit: there is no such key"),
    "a mask that is too wide": ("0xFF00", "0x1FF00",
        ":3: ussd.session.mask: Expected `int` <= 65535"),
    "a bit that counts and names": ("0x00FE", "0x01FE",
        ":3: ussd.session.sequence: a bit is the session's number already"),
    "the end bit in the mask": ("0x00FE", "0x00FF",
        ":3: ussd.session: bit 0 says the end (`end_bit`): mask 0xFFFE at the most"),
    "a counter with a hole": ("0x00FE", "0x00EE",
        ":3: ussd.session.sequence: the bits of a counter stand together"),
    "no bit left": ("0xFF00", "0x0000", ":3: ussd.session.mask: no bit is left: `number: none`?"),
    "another parameter": ("its_session_info", "0x0204",
        ":3: ussd.session.number: a network's own parameter is 0x1400 to 0x3FFF"),
    "a mask without a number": ("number: its_session_info", "number: none",
        ":3: ussd.session: without a number there is nothing to mask"),
    "an operation twice": ("abort: [0x81]", "abort: [0x12]",
        ":7: ussd.hears.abort: 0x12 is `answer` already"),
    "no end": ("end: 0x11}\n  end_bit: both", "end: 0x02}",
        ":8: ussd.says.end: nothing says that it is over: another operation, or end_bit"),
    "no operation": ("begin: [0x01]", "begin: []", ":5: ussd.hears.begin: Expected `array`"),
    "an operation of two octets": ("[0x12]", "[0x112]", ":6: ussd.hears.answer: Expected `int`"),
    "the number does not go back": ("  end_bit: both\n", "  echo: []\n",
        ":9: ussd.echo: the session's number has to go back"),
    "a word for a number": ("0x81", "abort", ":7: ussd.hears.abort: Expected `int`, got `str`"),
    "a tab": ("  says:", "\tsays:", ":8: not YAML: found character '\\t'"),
    "a key twice": ("source:", "ussd: null\nsource:", ":3: ussd: stands twice"),
    "a reference": ("[0x01]", "*a", ":5: not YAML: `*` refers to another place"),
    "a payload beyond a short message": ("  end_bit: both", "  end_bit: both\n  payload_from: 300",
        ":10: ussd.payload_from: Expected `int` <= 255"),
    "packed short messages": ("  end_bit: both",
        "  end_bit: both\nsms:\n  letters: {alphabet: gsm-packed, data_coding: 0}",
        ":11: sms.letters.alphabet: networks pack short messages themselves: `gsm`"),
    "other letters that are packed": ("  end_bit: both",
        "  end_bit: both\nsms:\n  other_letters: {alphabet: gsm-packed, data_coding: 0}",
        ":11: sms.other_letters.alphabet: networks pack short messages themselves: `gsm`"),
    "a service type with a NUL": ("  end_bit: both", '  end_bit: both\n  service_type: "US\\0D"',
        ":10: ussd.service_type: Expected `str` matching regex"),
    "a service type with ñ": ("  end_bit: both", "  end_bit: both\nsms: {service_type: ñ}",
        ":10: sms.service_type: Expected `str` matching regex"),
    "the text goes back": ("  end_bit: both", "  echo: [its_session_info, 0x0424]",
        ":9: ussd.echo: a screen's own text, operation or reply type would stand twice"),
    "the reply type goes back beside ours": ("  end_bit: both",
        "  echo: [its_session_info, 0x1380]\n  its_reply_type: 5",
        ":9: ussd.echo: a screen's own text, operation or reply type would stand twice"),
    "a type that is no number": ("[0x12]", "!!int abc", ":6: not YAML: a `!` names a type"),
    "a date": ("ask: 0x02", "ask: !!timestamp 2020-99-99", ":8: not YAML: a `!` names a type"),
}  # fmt: skip
FAULTY_LINES = {
    "no host": ("host: smsc.claro.example\n", "", ":1: host: is missing"),
    "a dialect that is nowhere": ("standard", "estandar",
        ":4: dialect: there is no estandar.yaml in dialects/; shipped are echoed, mica"),
    "no password": ("claro.password", "entel.password",
        ":3: password_file: cannot be read: No such file or directory"),
    "a password of nine letters": ("claro.password", "long.password",
        ":3: password_file: SMPP's passwords have 1 to 8 letters"),
    "no password in its file": ("claro.password", "empty.password",
        ":3: password_file: SMPP's passwords have 1 to 8 letters"),
    "a name that is too long": ("coopuser", "c" * 16,
        ":2: system_id: Expected `str` of length <= 15"),
    "a name with ñ": ("coopuser", "señor", ":2: system_id: not in plain letters"),
    "a port that is none": ("dialect: standard", "dialect: standard\nport: 0",
        ":5: port: Expected `int` >= 1"),
    "nothing to carry": ("standard", "sms-only",
        ":1: sms: the dialect sms-only has no USSD: what shall this line carry?"),
    "a push that the dialect lacks": ("standard", "tata\npush: {source: '775'}",
        ":5: push: the dialect tata has no push_ask and no push_notice"),
    "half a range": ("dialect: standard",
        "dialect: standard\npush: {source: '775', first_session: 1}",
        ":5: push.first_session: from first_session to last_session, or neither"),
    "certificates that are nowhere": ("dialect: standard",
        "dialect: standard\ntls: {ca_file: ca.pem}",
        ":5: tls: a certificate or key cannot be used: No such file or directory"),
    "a short code without its ends": ("dialect: standard", "dialect: standard\nshort_code: '775'",
        ":5: short_code: Expected `str` matching regex"),
    "a short code with a line's end": ("dialect: standard",
        'dialect: standard\nshort_code: "*775#\\n"',
        ":5: short_code: Expected `str` matching regex"),
    "a port beside the host": ("smsc.claro.example", "smsc.claro.example:2775",
        ":1: host: no name like smsc.example, and no address; the port stands in `port`"),
    "a host that DNS cannot have": ("smsc.claro.example", "smsc..claro.example",
        ":1: host: no name like smsc.example"),
    "a label of 64 letters": ("smsc.claro.example", "a" * 64, ":1: host: no name like"),
    "a host with a space": ("smsc.claro.example", '" "', ":1: host: no name like"),
    "a sender that phones cannot show": ("dialect: standard",
        "dialect: standard\nsms: {source: €}",
        ":5: sms.source: a number of up to 20 digits, or a name of up to 11 plain letters"),
    "a sender with a NUL": ("dialect: standard", 'dialect: standard\nsms: {source: "a\\0b"}',
        ":5: sms.source: a number"),
    "a sender of two lines": ("dialect: standard", 'dialect: standard\nsms: {source: "a\\nb"}',
        ":5: sms.source: a number"),
    "a sender of 12 letters": ("dialect: standard",
        "dialect: standard\nsms: {source: COOPNORANDIN}", ":5: sms.source: a number"),
    "a sender of raised digits": ("dialect: standard", "dialect: standard\nsms: {source: ²³}",
        ":5: sms.source: a number"),
    "a push from nobody": ("dialect: standard", "dialect: standard\npush: {source: €}",
        ":5: push.source: a number"),
    "numbers that the mask takes away": ("dialect: standard",
        "dialect: standard\npush: {source: '775', first_session: 0x8000, last_session: 0x8105}",
        ":5: push.first_session: 0x8000 to 0x8105 has bits beyond the dialect's mask 0xff00"),
    "a password in no file": ("password_file: claro.password", 'password_file: "a\\0b"',
        ":3: password_file: no file has such a name"),
    "a password in half a letter": ("password_file: claro.password", 'password_file: "\\ud800"',
        ":3: password_file: no file has such a name"),
    "a password without end": ("claro.password", "/dev/zero",
        ":3: password_file: SMPP's passwords have 1 to 8 letters"),
    "certificates in no file": ("dialect: standard",
        'dialect: standard\ntls: {ca_file: "a\\0b"}', ":5: tls: no file has such a name"),
    "a key alone": ("dialect: standard", "dialect: standard\ntls: {key_file: key.pem}",
        ":5: tls.key_file: a key without its certificate_file"),
    "a certificate for nobody": ("dialect: standard", 'dialect: standard\ntls: {name: ""}',
        ":5: tls.name: no name like smsc.example"),
    "a key that asks for a password": ("dialect: standard",
        f"dialect: standard\ntls: {{certificate_file: {LOCKED}}}",
        ":5: tls: the key is encrypted: nobody is there to type its password"),
    "no country": ("dialect: standard", "dialect: standard\nregion: ZZ",
        ":5: region: no country of ISO 3166, like PE"),
    "a country with a line's end": ("dialect: standard", 'dialect: standard\nregion: "PE\\n"',
        ":5: region: no country of ISO 3166, like PE"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with passwords and nothing else."""
    for name, password in {"claro": "secret12\n", "long": "secret123", "empty": "\n"}.items():
        (tmp_path / f"{name}.password").write_text(password)
    return tmp_path


def write(path: Path, text: str) -> Path:
    """A file of that text."""
    path.write_text(dedent(text))
    return path


@pytest.mark.parametrize("name", FAULTY_DIALECTS)
def test_a_faulty_dialect_is_said_with_its_line(name: str, folder: Path) -> None:
    right, wrong, said = FAULTY_DIALECTS[name]
    assert right in DIALECT
    file = write(folder / "claro.yaml", DIALECT.replace(right, wrong))
    faults = [str(fault) for fault in check_file(file)]
    assert faults
    assert faults[0].startswith(f"{file}{said}")


@pytest.mark.parametrize("name", FAULTY_LINES)
def test_a_faulty_line_is_said_with_its_line(name: str, folder: Path) -> None:
    right, wrong, said = FAULTY_LINES[name]
    assert right in LINE
    file = write(folder / "claro.yaml", LINE.replace(right, wrong))
    (fault,) = [str(fault) for fault in check_file(file)]
    assert fault.startswith(f"{file}{said}")
    assert "secret12" not in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a sheet is a list"),
        ("- a\n- b\n", "a sheet is a list"),
        ("host", "a sheet is a list"),
        ("x" * (SHEET_CHARS_MAX + 1), f"longer than {SHEET_CHARS_MAX} characters"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_a_file_that_is_no_sheet(text: str, said: str, folder: Path) -> None:
    (fault,) = check_file(write(folder / "claro.yaml", text))
    assert said in str(fault)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = check_file(tmp_path / "claro.yaml")
    assert "cannot be read: No such file or directory" in str(fault)
    binary = tmp_path / "claro.yaml"
    binary.write_bytes(b"\xff\xfe")
    (fault,) = check_file(binary)
    assert "not in UTF-8" in str(fault)


def test_every_fault_of_a_folder_is_said_at_once(folder: Path) -> None:
    write(folder / "claro.yaml", LINE.replace("coopuser", "c" * 16))
    write(folder / "entel.yaml", LINE.replace("standard", "nowhere"))
    with pytest.raises(FaultySheetError) as caught:
        load_lines(folder)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["claro.yaml", "entel.yaml"]


@pytest.mark.parametrize("name", ["Claro.yaml", "claro.yml", "claro"])
def test_a_line_has_a_name_that_figures_can_have(name: str, folder: Path) -> None:
    (fault,) = check_file(write(folder / name, LINE))
    assert "a line is called like" in str(fault)


def test_a_folder_without_lines(tmp_path: Path) -> None:
    for nowhere in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FaultySheetError):
            load_lines(nowhere)
    write(tmp_path / "claro.yml", LINE)
    with pytest.raises(FaultySheetError, match=r"rename it to \.yaml"):
        load_lines(tmp_path)


def test_offers_that_nobody_would_make_are_refused(folder: Path) -> None:
    line = write(folder / "claro.yaml", LINE + "push: {source: '775'}\n")
    (fault,) = check_folder(folder)
    assert str(fault).startswith(f"{line}:1: push: who sends offers to go on, and no line here")
    (folder / "entel.password").write_text("secret12")
    write(folder / "entel.yaml", LINE.replace("claro", "entel") + "sms: {source: '775'}\n")
    assert check_folder(folder) == ()
    assert len(load_lines(folder)) == 2


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_dialect_that_is_shipped_can_be_used(path: Path) -> None:
    assert check_file(path) == ()
    assert load_dialect(path).name == path.stem


def test_a_line_with_all_that_a_line_may_have(folder: Path) -> None:
    (folder / "dialects").mkdir()
    write(folder / "dialects" / "own.yaml", DIALECT + "  its_reply_type: 4\n")
    write(
        folder / "claro.yaml",
        LINE.replace("standard", "own")
        + """\
port: 3550
system_type: USSD
address_range: "775"
bind: separately
tls: {name: smsc.example}
short_code: "*123#"
region: PE
sms: {source: NORANDINO, per_second: 5.5, segments_max: 3, receipts: false}
window: 20
response_s: 5
enquire_link_s: 15
trace: true
""",
    )
    (line,) = load_lines(folder)
    assert (line.name, line.sender, line.password) == ("claro", "smpp-claro", "secret12")
    assert line.dialect.ussd
    assert line.dialect.ussd.its_reply_type == 4
    assert line.tls is not None
    assert line.sheet.sms
    assert line.sheet.sms.address == Address("NORANDINO", 5, 0)
    assert "secret12" not in repr(line)


def test_a_dialect_of_ones_own_stands_before_the_shipped_one(folder: Path) -> None:
    (folder / "dialects").mkdir()
    write(folder / "dialects" / "standard.yaml", DIALECT.replace("end: 0x11", "end: 0x17"))
    write(folder / "claro.yaml", LINE)
    line = load_line(folder / "claro.yaml")
    assert line.dialect.ussd
    assert line.dialect.ussd.says.end == 0x17


def test_a_short_code_is_an_address_of_another_type_than_a_name() -> None:
    assert LineSms(source="775").address == Address("775", 0, 1)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_sheet_or_a_fault(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claro.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        assert check_file(path)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_sheet_is_read_or_a_fault(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(DIALECT)))
    to = data.draw(st.integers(at, min(len(DIALECT), at + 20)))
    text = DIALECT[:at] + data.draw(st.text("0x1:{}[]- \naF", max_size=8)) + DIALECT[to:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claro.yaml"
        path.write_text(text)
        assert all(fault.line >= 1 for fault in check_file(path))
