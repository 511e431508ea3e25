"""A line that is cut after so many bytes, and a member who orders a transfer over it all the same.

python -m tests.channels.smpp.cuts [--every 1] [--speaks standard]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import re
import select
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Message
from gateway.channels.smpp.service import Service
from gateway.db.migrations import migrate
from gateway.embedded import Embedded
from tests.channels.smpp.desk import dialect, line_to, serving
from tests.channels.smpp.handset import Handset, Screen
from tests.channels.smpp.smsc import Peer, Smsc
from tests.cooperative import Cooperative, founded
from tests.people import FLOR, SEGUNDO

DIALS_MAX = 6  # a member who has not learned by then what became of it never will
SCREENS_MAX = 8  # of a transfer
A_MOMENT_S = 2  # between two keys
AMOUNT_CENTIMOS = 100
GONE = 0x45  # what the network says of a screen for a dialogue that is over: RSUBMITFAIL
STUCK_S = 15.0

# Flor reads English; she has enough for a transfer a byte.
WAS_DONE = "WAS done"
GO_ON = "Go on:"
_REFERENCE = re.compile(r"Op\. (\d+)")


class Cutter:
    """Passes bytes between an ESME and an SMSC, and cuts the line where it is told to."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._left: int | None = None
        self.passed = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def cut_after(self, octets: int | None) -> None:
        """Cut the line that is up now, or else the next one, after so many more bytes, both ways
        together. None: never."""
        self._left = octets
        self.passed = 0

    @property
    def has_cut(self) -> bool:
        """Whether it was cut."""
        return self._left == -1

    def close(self) -> None:
        """Pass no more."""
        self._stopping.set()
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            ready, _, _ = select.select([self._listener], [], [], 0.05)
            if not ready or self._stopping.is_set():
                continue
            with contextlib.suppress(OSError):
                esme, _ = self._listener.accept()
                with esme, socket.create_connection(("127.0.0.1", self._to_port)) as smsc:
                    for end in (esme, smsc):
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._pass(esme, smsc)

    def _pass(self, esme: socket.socket, smsc: socket.socket) -> None:
        other = {esme: smsc, smsc: esme}
        while not self._stopping.is_set():
            ready, _, _ = select.select(list(other), [], [], 0.05)
            for end in ready:
                octets = end.recv(65_536)
                if not octets:
                    return
                if self._left is not None and 0 <= self._left <= len(octets):
                    other[end].sendall(octets[: self._left])
                    self.passed += self._left
                    self._left = -1
                    return
                other[end].sendall(octets)
                self.passed += len(octets)
                if self._left is not None and self._left > 0:
                    self._left -= len(octets)


class LostError(Exception):
    """The phone says that the connection failed."""


@dataclass
class Operator:
    """The network: it knows which dialogue a phone is in, and refuses screens for any other."""

    smsc: Smsc
    service: Service
    peer: Peer | None = None
    number: Callable[[], int] = lambda: 0
    refused: list[Message] = field(default_factory=list)

    def deliver(self, message: Message) -> int:
        """Deliver a message, by a line that is up."""
        try:
            return self._bound().deliver(message)
        except OSError as error:
            self.peer = None
            raise LostError from error

    def submitted(self) -> Message:
        """The screen for the dialogue that the phone is in."""
        while True:
            peer = self._bound()
            try:
                submission = peer.expect(codec.SUBMIT_SM)
                assert isinstance(submission.body, Message)
                if submission.body.number(codec.ITS_SESSION_INFO) is None:
                    raise AssertionError("a screen of no dialogue")
                ours = (submission.body.number(codec.ITS_SESSION_INFO) or 0) & 0xFF00
                if ours == self.number() & 0xFF00:
                    peer.answer_submission(submission)
                    return submission.body
                self.refused.append(submission.body)
                peer.answer_submission(submission, GONE)
            except OSError as error:
                self.peer = None
                raise LostError from error

    def _bound(self) -> Peer:
        ends = time.monotonic() + STUCK_S
        while self.peer is None:
            assert time.monotonic() < ends, "the line does not come back"
            with contextlib.suppress(OSError):
                peer = self.smsc.accept()
                peer.let_in()
                self.peer = peer
        return self.peer


@dataclass
class Sender:
    """Flor sends Segundo a sol, however often she must dial."""

    cooperative: Cooperative
    phone: Handset
    operator: Operator
    known: set[str]
    dials: int = 0

    def send(self) -> str:
        """Until she knows that it is done: the operation's number. `known` are those of before: a
        dial tells the last outcome until she has answered."""
        while self.dials < DIALS_MAX:
            self.dials += 1
            with contextlib.suppress(LostError):
                return self._dialogue()
        raise AssertionError("she never learned what became of it")

    def _dialogue(self) -> str:
        screen = self._hop(self.phone.dial)
        if WAS_DONE in screen.text and reference(screen) not in self.known:
            return reference(screen)
        for _ in range(SCREENS_MAX):
            if screen.ends:
                return reference(screen)
            screen = self._press(self._answer(screen))
        raise AssertionError(screen.text)

    def _answer(self, screen: Screen) -> str:
        """What she presses: a draft that goes on may be anywhere."""
        answers = {
            "PIN": FLOR.pin or "",
            GO_ON: "1",
            "How much": "1",
            "To whom?": SEGUNDO.msisdn[3:],
            "2. Send money": "2",
        }
        return next(answer for asked, answer in answers.items() if asked in screen.text)

    def _press(self, answer: str) -> Screen:
        return self._hop(lambda: self.phone.press(answer))

    def _hop(self, hop: Callable[[], Screen]) -> Screen:
        self.cooperative.clock.pass_time(seconds=A_MOMENT_S)
        return hop()


def reference(screen: Screen) -> str:
    """The number of the operation that a screen tells of."""
    found = _REFERENCE.search(screen.text)
    assert found, screen.text
    return found[1]


@dataclass
class Cuts:
    """A gateway behind a line that is cut."""

    cooperative: Cooperative
    cutter: Cutter
    operator: Operator
    numbers: Iterator[int]
    speaks: str
    known: set[str] = field(default_factory=set)

    def transfer(self, after: int | None) -> int:
        """A transfer over a line that is cut after so many bytes. Answers how often she dialled."""
        self.cooperative.clock.pass_time(days=1)
        ussd = dialect(self.speaks).ussd
        assert ussd
        phone = Handset(self.operator, ussd, FLOR.msisdn, numbers=lambda: next(self.numbers))
        self.operator.number = lambda: phone.number
        flor = Sender(self.cooperative, phone, self.operator, self.known)
        self.cutter.cut_after(after)
        self.known.add(flor.send())
        return flor.dials

    @property
    def sent_centimos(self) -> int:
        """What Segundo has received in all."""
        return self.cooperative.balances(SEGUNDO.ref)["100-0002"] - 310_00


@contextlib.contextmanager
def cuts(cooperative: Cooperative, speaks: str = "standard") -> Iterator[Cuts]:
    """A line of that dialect between a network and the real gateway."""
    with Smsc() as smsc:
        cutter = Cutter(smsc.port)
        try:
            line = line_to(cutter.port, speaks=speaks)
            with serving(line, desk=cooperative.gateway) as service:
                operator = Operator(smsc, service)
                numbers = itertools.cycle(range(0, 0x10000, 0x0100))  # eight bits, and they wrap
                yield Cuts(cooperative, cutter, operator, numbers, speaks)
                cutter.close()
                smsc.close()
        finally:
            cutter.close()


def measured(line: Cuts) -> int:
    """How many bytes an undisturbed transfer takes, both ways together."""
    line.transfer(None)
    return line.cutter.passed


def say(line: str) -> None:
    """For the person at the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Cut at every so many bytes, and say what became of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--speaks", default="standard")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaski-cuts-"))
    folder.chmod(0o711)
    raise SystemExit(_run(folder, arguments.every, arguments.speaks))


def _run(folder: Path, every: int, speaks: str) -> int:
    with Embedded(folder, say) as endpoints:
        migrate(endpoints.owner_url)
        urls = (endpoints.owner_url, endpoints.app_url)
        with (
            founded(urls, (endpoints.sessions_url, endpoints.queue_url)) as cooperative,
            cuts(cooperative, speaks) as line,
        ):
            octets = measured(line)
            positions = range(1, octets + 1, every)
            redials = 0
            began = time.monotonic()
            for done, after in enumerate(positions, 1):
                redials += line.transfer(after) - 1
                assert line.sent_centimos == AMOUNT_CENTIMOS * (done + 1), f"byte {after}"
                if done % 100 == 0:
                    say(f"cut at byte {after} of {octets}: {done} transfers, each once")
            assert cooperative.books_are_right()
            say(
                f"{len(positions)} cuts in {octets} bytes of a transfer, {redials} redials, "
                f"{len(line.operator.refused)} screens for dialogues that were over: "
                f"each transfer once, in {time.monotonic() - began:.0f} s"
            )
    return 0


if __name__ == "__main__":
    main()
