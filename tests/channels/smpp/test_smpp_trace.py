"""The trace: what it may say, and what it never says."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Bind, Message, Pdu, Taken, Tlv, encode
from gateway.channels.smpp.dialects import SHIPPED
from gateway.channels.smpp.pages import PageServer, pages
from gateway.channels.smpp.trace import read_capture, told
from gateway.cli.smpp import smpp

PHONE, CODE = Address("51987654321", 1, 1), Address("123", 0, 1)
DIAL = Pdu(
    codec.DELIVER_SM,
    7,
    Message(
        PHONE,
        CODE,
        b"*123*1#",
        (Tlv(codec.USSD_SERVICE_OP, b"\x01"), Tlv(codec.ITS_SESSION_INFO, b"\x2a\x00")),
        service_type="USSD",
        data_coding=0x0F,
    ),
)
SAID = {
    "a bind": (
        Pdu(codec.BIND_TRANSCEIVER, 1, Bind("coopuser", "secret12", "USSD")),
        "bind_transceiver #1 system_id=coopuser system_type=USSD version=0x34 address_range=-",
    ),
    "a dial": (
        DIAL,
        (
            "deliver_sm #7 service_type=USSD from=…321(11)/1/1 to=123/0/1 esm_class=0x00 "
            "data_coding=0x0f text=7 octets ussd_service_op=0x01_PSSR_indication "
            "its_session_info=2a00"
        ),
    ),
    "a status": (
        Pdu(codec.SUBMIT_SM | codec.RESPONSE, 8, Taken(), 0x58),
        "submit_sm_resp #8 RTHROTTLED",
    ),
    "a status of the network's own": (
        Pdu(codec.SUBMIT_SM | codec.RESPONSE, 8, Taken(), 0x402),
        "submit_sm_resp #8 0x402",
    ),
    "an id": (
        Pdu(codec.SUBMIT_SM | codec.RESPONSE, 8, Taken("0A1B")),
        "submit_sm_resp #8 ROK message_id=0A1B",
    ),
    "a receipt": (
        Pdu(
            codec.DELIVER_SM,
            9,
            Message(PHONE, CODE, b"id:77 stat:UNDELIV err:01B text:Tu saldo", esm_class=4),
        ),
        (
            "deliver_sm #9 from=…321(11)/1/1 to=123/0/1 esm_class=0x04 data_coding=0x00 "
            "receipt of 77: UNDELIV 01B text=40 octets"
        ),
    ),
    "parameters that may hold anything": (
        Pdu(
            codec.SUBMIT_SM,
            10,
            Message(
                Address("NORANDINO", 5, 0),
                PHONE,
                tlvs=(
                    Tlv(codec.MESSAGE_PAYLOAD, b"Tu saldo"),
                    Tlv(0x1502, b"716061234567890"),
                    Tlv(codec.ITS_SESSION_INFO, b"4826 4826"),
                ),
                registered_delivery=1,
            ),
        ),
        (
            "submit_sm #10 from=9 letters/5/0 to=…321(11)/1/1 esm_class=0x00 data_coding=0x00 "
            "registered_delivery=1 text=0 octets message_payload=8 octets 0x1502=15 octets "
            "its_session_info=9 octets"
        ),
    ),
    "a command that nobody knows": (Pdu(0xDEAD, 1, codec.Raw(b"4826")), "0x0000dead #1 4 octets"),
}
HEX = encode(DIAL).hex()


@pytest.mark.parametrize("name", SAID)
def test_a_pdu_in_words(name: str) -> None:
    pdu, words = SAID[name]
    assert told(pdu) == words


# Letters that no name of a field has.
secrets = st.text("QWXZ4826", min_size=4, max_size=30)


@settings(deadline=None)
@given(secrets, secrets, st.integers(0, 255), st.integers(0, 255), st.integers(0, 0xFFFF))
def test_nothing_private_is_ever_said(
    text: str, number: str, esm_class: int, data_coding: int, tag: int
) -> None:
    tlvs = (Tlv(codec.MESSAGE_PAYLOAD, text.encode()), Tlv(tag, f"{text}_".encode()))
    body = Message(
        Address("5198" + number, 1, 1),
        Address(number + "5198", 1, 1),
        f"hola {text}".encode(),
        tlvs,
        data_coding=data_coding,
        esm_class=esm_class,
    )
    if tag == codec.RECEIPTED_MESSAGE_ID:
        return  # a receipt's message id is shown
    said = told(Pdu(codec.DELIVER_SM, 1, body))
    assert text not in said
    assert number not in said


CAPTURES = {
    "a line each": (f"{HEX}\n\n{HEX}\n", ["deliver_sm #7", "deliver_sm #7"]),
    "with a time and a direction": (
        f"12:00:01.123 < {HEX}\n12:00:02 > 00000010000000150000000000000001\n",
        ["< deliver_sm #7", "> enquire_link #1"],
    ),
    "behind a word": (f"received {HEX}\nin: {HEX}", ["deliver_sm #7", "in deliver_sm #7"]),
    "octets apart": (" ".join(HEX[at : at + 2] for at in range(0, len(HEX), 2)), ["deliver_sm #7"]),
    "octets with colons": (
        ":".join(HEX[at : at + 2] for at in range(0, len(HEX), 2)),
        ["deliver_sm #7"],
    ),
    "over two lines": (f"{HEX[:40]}\n{HEX[40:]}", ["deliver_sm #7"]),
    "two in a line": (HEX + HEX, ["deliver_sm #7", "deliver_sm #7"]),
    "a piece that is missing": (HEX[:40], ["20 octets of a PDU that is not complete"]),
    "no pdu": ("ffffffffffffffff", ["line 1: no PDU has that length"]),
    "a body that is none": (
        "00000014000000050000000000000007" + "41414141",
        ["deliver_sm #7: a text field has no end"],
    ),
    "after what is none": (f"ffffffffffffffff\n{HEX}", ["line 1: no PDU", "deliver_sm #7"]),
    "words": ("hola\nadios", ["line 1: no PDU in hex", "line 2: no PDU in hex"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_in_hex(name: str, tmp_path: Path) -> None:
    text, begins = CAPTURES[name]
    file = tmp_path / "capture"
    file.write_text(text)
    lines = list(read_capture(file))
    assert len(lines) == len(begins)
    assert all(wanted in line for line, wanted in zip(lines, begins, strict=True))


def test_a_capture_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "capture"
    file.write_bytes(encode(DIAL) * 2 + b"\xff" * 8)
    lines = list(read_capture(file))
    assert [line.split(" service")[0] for line in lines] == [
        "deliver_sm #7",
        "deliver_sm #7",
        "the capture: no PDU has that length",
    ]


@settings(deadline=None)
@given(st.binary(max_size=500) | st.text("0123456789abcdef <>:\n", max_size=500).map(str.encode))
def test_any_capture_can_be_read(octets: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(octets)
        file.flush()
        assert all("\n" not in line for line in read_capture(Path(file.name)))


def test_a_long_line_that_is_no_hex_takes_no_time(tmp_path: Path) -> None:
    file = tmp_path / "capture"
    file.write_text("abc " * 50_000 + "\n" + "a" * 200_000 + "z\n")
    began = time.perf_counter()
    list(read_capture(file))
    assert time.perf_counter() - began < 2


def test_the_command_says_a_capture_and_nothing_private(tmp_path: Path) -> None:
    file = tmp_path / "capture.hex"
    file.write_text(f"< {HEX}\n")
    result = CliRunner().invoke(smpp, ["trace", str(file)])
    assert result.exit_code == 0
    assert result.output.startswith("< deliver_sm #7 service_type=USSD from=…321(11)/1/1")
    assert "51987654321" not in result.output
    assert CliRunner().invoke(smpp, ["trace", str(tmp_path / "none")]).exit_code == 2


def test_the_command_checks_sheets(tmp_path: Path) -> None:
    good, bad = SHIPPED / "standard.yaml", tmp_path / "bad.yaml"
    bad.write_text((SHIPPED / "tata.yaml").read_text().replace("0xFFFE", "0xFFFF"))
    right = CliRunner().invoke(smpp, ["check", str(good)])
    assert (right.exit_code, right.output) == (0, "1 file: no fault\n")
    wrong = CliRunner().invoke(smpp, ["check", str(good), str(bad)])
    assert wrong.exit_code == 1
    assert wrong.output.startswith(f"{bad}:7: ussd.session: bit 0 says the end")


def test_the_command_checks_a_folder_with_its_dialects(tmp_path: Path) -> None:
    (tmp_path / "claro.password").write_text("secret12")
    line = tmp_path / "claro.yaml"
    line.write_text("host: a\nsystem_id: b\npassword_file: claro.password\ndialect: own\n")
    (tmp_path / "dialects").mkdir()
    own = tmp_path / "dialects" / "own.yaml"
    own.write_text((SHIPPED / "tata.yaml").read_text())
    right = CliRunner().invoke(smpp, ["check", str(tmp_path)])
    assert (right.exit_code, right.output) == (0, "2 files: no fault\n")
    own.write_text(own.read_text().replace("0xFFFE", "0xFFFF"))
    wrong = CliRunner().invoke(smpp, ["check", str(tmp_path)])
    assert wrong.exit_code == 1
    assert len(wrong.output.splitlines()) == 1
    assert wrong.output.startswith(f"{own}:7: ussd.session: bit 0 says the end")
    for path in (line, own):
        path.unlink()
    empty = CliRunner().invoke(smpp, ["check", str(tmp_path)])
    assert (empty.exit_code, "0 lines" in empty.output) == (1, True)


@pytest.mark.parametrize("begins", ["d4c3b2a102000400", "a1b2c3d400020004", "0a0d0d0a1c000000"])
def test_a_pcap_is_said_to_be_one(begins: str, tmp_path: Path) -> None:
    file = tmp_path / "capture.pcap"
    file.write_bytes(bytes.fromhex(begins) + bytes(100))
    (said,) = read_capture(file)
    assert "a pcap, which is not read" in said


def test_the_pages_say_which_line_is_away() -> None:
    registry = CollectorRegistry()
    Counter("chaski_smpp_pdus", "PDUs.", registry=registry).inc()
    well = {"claro": True}
    app = pages(
        {"smpp.claro": lambda: well["claro"]}, lambda: {"claro.transceiver": "bound"}, registry
    )
    server = PageServer(app, "127.0.0.1", 0)
    server.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        assert requests.get(f"{url}/health/live", timeout=5).json() == {"live": True}
        ready = requests.get(f"{url}/health/ready", timeout=5)
        assert (ready.status_code, ready.json()) == (
            200,
            {
                "ready": True,
                "checks": {"smpp.claro": True},
                "binds": {"claro.transceiver": "bound"},
            },
        )
        well["claro"] = False
        assert requests.get(f"{url}/health/ready", timeout=5).status_code == 503
        assert "chaski_smpp_pdus_total 1.0" in requests.get(f"{url}/metrics", timeout=5).text
    finally:
        server.stop()
