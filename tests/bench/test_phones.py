"""Phones in front of servers that answer late, wrongly, or not at all."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.bench.flows import Hop, Session, menus_and_balance, msisdn, transfers
from tests.bench.phones import Phones, Tally

_SECONDS = 0.3


def _flow(number: int) -> Session:
    return tuple(Hop(f"text={number}*{step}".encode(), b"right") for step in range(5))


@contextlib.contextmanager
def _server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listens, and lets `answer` deal with each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(line,), daemon=True).start()

        def serve(line: socket.socket) -> None:
            with line, contextlib.suppress(OSError):
                answer(line)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _saying(status: str, body: str, pause_s: float = 0) -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"

    def answer(line: socket.socket) -> None:
        while line.recv(65_536):
            time.sleep(pause_s)
            line.sendall(head[:20].encode())  # in two pieces: answers arrive as they like
            line.sendall((head[20:] + body).encode())

    return answer


def _hang_up(line: socket.socket) -> None:
    line.recv(65_536)


def _in_a_row(answer: Callable[[socket.socket], None]) -> Tally:
    with _server(answer) as port:
        return Phones(port, "/", _flow).in_a_row(2, _SECONDS)


@pytest.mark.parametrize(
    "answer", [_hang_up, _saying("500 Oops", "right"), _saying("200 OK", "no screen")]
)
def test_what_is_no_screen_has_failed(answer: Callable[[socket.socket], None]) -> None:
    tally = _in_a_row(answer)
    assert tally.failed > 0
    assert (tally.right, tally.polite) == (0, 0)


def test_another_screen_than_the_one_that_was_to_come_is_polite_and_not_right() -> None:
    tally = _in_a_row(_saying("200 OK", "END Espera un momento"))
    assert tally.polite > 0
    assert (tally.right, tally.failed) == (0, 0)
    assert tally.last_wrong == b"END Espera un momento"


def test_the_right_screens_are_counted_and_each_has_its_time() -> None:
    tally = _in_a_row(_saying("200 OK", "CON right"))
    assert tally.right == len(tally.latencies_s) > 0
    assert (tally.polite, tally.failed) == (0, 0)


def test_by_the_clock_as_many_hops_are_due_as_were_laid_down_whatever_the_server_does() -> None:
    with _server(_saying("200 OK", "CON right", pause_s=0.5)) as port:
        tally = Phones(port, "/", _flow).by_the_clock(per_s=100, seconds=_SECONDS)
    assert len(tally.latencies_s) == pytest.approx(100 * _SECONDS, abs=1)
    assert tally.right == 0  # none came within the window


def test_a_hop_that_nobody_takes_has_waited_since_it_was_due() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    tally = Phones(port, "/", _flow).by_the_clock(per_s=50, seconds=_SECONDS)
    assert tally.failed == len(tally.latencies_s) == pytest.approx(50 * _SECONDS, abs=1)


def test_a_session_is_one_member_and_its_text_grows() -> None:
    session = menus_and_balance(10)(7)
    texts = [hop.body.decode().rpartition("text=")[2] for hop in session]
    assert texts == ["", "5", "5%2A1", "5%2A1%2A00", "5%2A1%2A00%2A1"]
    assert len({hop.body.decode().split("&")[0] for hop in session}) == 1


def test_nobody_sends_to_themselves_or_twice_to_the_same_in_a_run() -> None:
    flow, seen = transfers(3, 4, 1_000), set()
    for number in range(20):
        sender = msisdn(3 + number % 4).removeprefix("+51")
        body = flow(number)[-1].body.decode()
        payee = body.rpartition("text=")[2].split("%2A")[1]
        assert payee != sender
        seen.add((sender, payee))
    assert len(seen) == 20
