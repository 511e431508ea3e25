"""The radio and its aggregator, before gateways that answer well, badly, late or not at all."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chaos.radio import Network, Traffic, Uptime, Weather
from tests.people import ROSA

CALM = Weather(0, 0, 0, 0, 0)


@contextmanager
def answering(status: int, body: str, seen: list[str] | None = None) -> Iterator[int]:
    """A gateway that answers the same to everybody; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if seen is not None:
                seen.append(form)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *words: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def network(
    port: int, traffic: Traffic, *, weather: Weather = CALM, uptime: Uptime | None = None
) -> Network:
    """A radio before this gateway."""
    return Network(port, weather, uptime or Uptime(), traffic, random.Random(1))  # noqa: S311


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "500 Internal Server Error"),
        (500, "CON Hola"),
        (200, "Hola"),
        (200, "CON "),
        (200, ""),
    ],
)
def test_an_answer_that_is_no_screen_is_a_fault(status: int, body: str) -> None:
    traffic = Traffic()
    with answering(status, body) as port:
        assert network(port, traffic).hop(ROSA.msisdn, "s", "").screen is None
    assert len(traffic.faults) == 1
    assert traffic.counts["HTTP 500"] == (status == 500)


def test_no_answer_is_a_fault_only_while_web_is_up() -> None:
    traffic, uptime = Traffic(), Uptime()
    with answering(200, "CON Hola") as port:
        radio = network(port, traffic, uptime=uptime)
        screen = radio.hop(ROSA.msisdn, "s", "").screen
        assert screen is not None
        assert (screen.text, screen.ends) == ("Hola", False)
    assert radio.hop(ROSA.msisdn, "s", "").screen is None
    assert len(traffic.faults) == 1, "it had answered, and nobody has killed it"

    with uptime.dying():
        assert radio.hop(ROSA.msisdn, "s", "").screen is None
    assert radio.hop(ROSA.msisdn, "s", "").screen is None
    assert len(traffic.faults) == 1, "it is dead"


def test_what_the_dying_answer_is_no_sign_of_the_next_life() -> None:
    uptime = Uptime()
    with uptime.dying():
        life, _ = uptime.look()
        uptime.answered(life)
        assert uptime.look() == (life, False)
    life, answers = uptime.look()
    assert not answers
    uptime.answered(life)
    assert uptime.look() == (life, True)


@pytest.mark.parametrize(
    ("weather", "requests", "comes_back", "sent"),
    [
        (Weather(1, 0, 0, 0, 0), 0, False, False),
        (Weather(0, 1, 0, 0, 0), 1, False, True),
        (Weather(0, 0, 1, 0, 0), 2, True, True),
        (Weather(0, 0, 0, 1, 0), 2, True, True),
    ],
)
def test_what_the_radio_does_to_a_hop(
    weather: Weather, requests: int, comes_back: bool, sent: bool
) -> None:
    seen: list[str] = []
    with answering(200, "END Listo", seen) as port:
        hop = network(port, Traffic(), weather=weather).hop(ROSA.msisdn, "s", "2*50")
    assert len(seen) == requests
    assert len({*seen}) <= 1, "copies are the same to the letter"
    assert (hop.sent, hop.screen is not None) == (sent, comes_back)


def test_a_late_copy_arrives_after_a_newer_hop() -> None:
    seen: list[str] = []
    with answering(200, "CON Hola", seen) as port:
        radio = network(port, Traffic(), weather=Weather(0, 0, 0, 0, 1))
        radio.hop(ROSA.msisdn, "s", "old")
        radio.hop(ROSA.msisdn, "s", "new")
    texts = [form.rpartition("text=")[2] for form in seen]
    assert texts == ["old", "new", "old"]


@pytest.mark.parametrize(("ended", "status"), [(True, "Success"), (False, "Incomplete")])
def test_the_end_of_a_session_is_told(ended: bool, status: str) -> None:
    seen: list[str] = []
    with answering(200, "", seen) as port:
        network(port, Traffic()).ended(ROSA.msisdn, "s", seen_to_its_end=ended)
    assert f"status={status}" in seen[0]


def test_a_gateway_that_breaks_at_the_end_of_a_session_is_a_fault() -> None:
    traffic = Traffic()
    with answering(500, "") as port:
        network(port, traffic).ended(ROSA.msisdn, "s", seen_to_its_end=True)
    assert len(traffic.faults) == 1


def test_a_calm_radio_loses_and_doubles_nothing() -> None:
    seen: list[str] = []
    weather = Weather(1, 1, 1, 1, 1)
    weather.calm()
    with answering(200, "CON Hola", seen) as port:
        radio = network(port, Traffic(), weather=weather)
        assert all(radio.hop(ROSA.msisdn, "s", str(n)).screen for n in range(20))
    assert len(seen) == 20
