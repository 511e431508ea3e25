"""`chaski smpp` as a process: it binds, serves, says how it is, and unbinds when it is told to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from gateway.cli.smpp import smpp
from gateway.demo.seed import seed
from gateway.settings import DEMO_PEPPER, DEMO_SESSION_SECRET, DEMO_WEBHOOK_SECRET
from tests.channels.smpp.desk import PASSWORD, dialect, soon
from tests.channels.smpp.handset import Handset
from tests.channels.smpp.smsc import Smsc
from tests.cooperative import HASHER, TODAY
from tests.people import ROSA

STOPPED_WITHIN_S = 20
NOWHERE = {
    "CHASKI_DEMO": "yes",
    "CHASKI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "CHASKI_SESSIONS_URL": "redis://127.0.0.1:1",
    "CHASKI_QUEUE_URL": "redis://127.0.0.1:1",
    "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
    "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
    "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
}


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def lines_in(folder: Path, port: int) -> Path:
    """A folder with one line, to an SMSC on loopback."""
    folder.mkdir()
    (folder / "claro.password").write_text(PASSWORD)
    (folder / "claro.yaml").write_text(
        f"""\
host: 127.0.0.1
port: {port}
system_id: coopuser
password_file: claro.password
system_type: USSD
dialect: standard
sms: {{source: "775"}}
trace: true
"""
    )
    return folder


@contextmanager
def process(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`chaski smpp`, while it runs."""
    with log.open("wb") as words:
        chaski = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "smpp"],
            env={**os.environ, **environment},
            stdout=words,
            stderr=words,
        )
    try:
        yield chaski
    finally:
        chaski.kill()
        chaski.wait(STOPPED_WITHIN_S)


def test_the_process(
    tmp_path: Path, database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> None:
    owner_url, app_url = database_urls
    seed(owner_url, HASHER, TODAY)
    page, log = free_port(), tmp_path / "log"
    with Smsc() as smsc:
        environment = {
            "CHASKI_DEMO": "yes",
            "CHASKI_DATABASE_URL": app_url,
            "CHASKI_SESSIONS_URL": redis_urls[0],
            "CHASKI_QUEUE_URL": redis_urls[1],
            "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
            "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
            "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
            "CHASKI_SMPP_LINES": str(lines_in(tmp_path / "lines", smsc.port)),
            "CHASKI_SMPP_PORT": str(page),
        }
        with process(environment, log) as chaski:
            peer = smsc.accept_bound()
            url = f"http://127.0.0.1:{page}"
            assert soon(lambda: requests.get(f"{url}/health/ready", timeout=5).ok)
            ussd = dialect().ussd
            assert ussd
            rosa = Handset(peer, ussd, ROSA.msisdn)
            assert "1. Saldo" in rosa.dial().text
            rosa.press("1")
            assert "S/ 1,250.50" in rosa.press(ROSA.pin or "").text
            figures = requests.get(f"{url}/metrics", timeout=5).text
            assert 'chaski_smpp_bound{bind="transceiver",line="claro"} 1.0' in figures
            assert 'chaski_hops_total{channel="smpp"' in figures
            chaski.send_signal(signal.SIGTERM)
            peer.unbound()
            assert chaski.wait(STOPPED_WITHIN_S) == 0
        smsc.close()
    said = log.read_text()
    assert "smpp_pdu" in said
    for secret in (PASSWORD, ROSA.pin or "", ROSA.msisdn[1:], "1,250.50"):
        # Not as a part of some longer number: four digits of a time are a PIN's by chance.
        assert not re.search(rf"(?<!\d){re.escape(secret)}(?!\d)", said)


def test_a_process_whose_port_is_taken_says_which(
    tmp_path: Path, database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Smsc() as smsc:
        port = taken.getsockname()[1]
        environment = {
            **NOWHERE,
            "CHASKI_DATABASE_URL": database_urls[1],
            "CHASKI_SESSIONS_URL": redis_urls[0],
            "CHASKI_QUEUE_URL": redis_urls[1],
            "CHASKI_SMPP_LINES": str(lines_in(tmp_path / "lines", smsc.port)),
            "CHASKI_SMPP_PORT": str(port),
        }
        result = CliRunner().invoke(smpp, ["run"], env=environment)
    assert result.exit_code == 1
    assert f"CHASKI_SMPP_PORT={port} on 127.0.0.1: Address already in use" in result.output
    assert "is another chaski smpp running?" in result.output


def test_routes_that_name_no_line_are_said_plainly(
    tmp_path: Path, database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> None:
    with Smsc() as smsc:
        environment = {
            **NOWHERE,
            "CHASKI_DATABASE_URL": database_urls[1],
            "CHASKI_SESSIONS_URL": redis_urls[0],
            "CHASKI_QUEUE_URL": redis_urls[1],
            "CHASKI_SMPP_LINES": str(lines_in(tmp_path / "lines", smsc.port)),
            "CHASKI_SMPP_PORT": str(free_port()),
            "CHASKI_SMS_ROUTES": '{"+51": ["claro"]}',
        }
        result = CliRunner().invoke(smpp, ["run"], env=environment)
    assert result.exit_code == 1
    assert 'CHASKI_SMS_ROUTES: "+51": there is no sender claro here' in result.output
    assert "there are: smpp-claro" in result.output


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"CHASKI_SMPP_LINES": ""}, "CHASKI_SMPP_LINES: say in which folder the lines are"),
        ({}, "CHASKI_SMPP_LINES: say in which folder the lines are"),
        ({"CHASKI_SMPP_LINES": "/nowhere"}, "/nowhere:1: there is no such folder"),
    ],
)
def test_a_process_without_lines_says_what_to_do(environment: dict[str, str], said: str) -> None:
    result = CliRunner().invoke(smpp, ["run"], env={**NOWHERE, **environment})
    assert result.exit_code != 0
    assert said in result.output
