"""A gateway for tests of a line, which remembers what it was asked; and lines to it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.bounds import SESSION_TOTAL_S
from gateway.channels.doors import Counter
from gateway.channels.smpp.dialects import SHIPPED, Dialect, load_dialect
from gateway.channels.smpp.lines import Line, LineSheet, LineSms, Push
from gateway.channels.smpp.link import Timings
from gateway.channels.smpp.service import Service
from gateway.values.delivery import Report
from gateway.values.turn import Answer, Reply, Text, Turn

SHORT_CODE = "*775#"
LAST_HOP = 4  # a conversation ends with it
PASSWORD = "secret12"

# Everything at once, so that a test waits for nothing but what it is about.
QUICK = Timings(
    connect_s=5,
    bind_s=2,
    unbind_s=1,
    retry_first_s=0.02,
    retry_max_s=0.05,
    refused_first_s=0.05,
    refused_max_s=0.1,
    settled_s=0.2,
)


@dataclass
class Desk:
    """Shows numbered screens that say which session they are of; `fin` ends one, and so does the
    fourth hop."""

    cooperative: str = "norandino"
    short_code: str = "*775#"
    webhook_secrets: tuple[str, ...] = ()
    turns: list[Turn] = field(default_factory=list)
    misread: list[tuple[str, str]] = field(default_factory=list)
    ended: list[tuple[str, str, str, str, int]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    safe: bool = True
    takes_s: float = 0.0
    hold: threading.Event | None = None
    _hops: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, turn: Turn) -> Reply:
        if self.hold is not None:
            assert self.hold.wait(10)
        time.sleep(self.takes_s)
        with self._lock:
            self.turns.append(turn)
            self._hops[turn.origin.session_id] += 1
            hop = self._hops[turn.origin.session_id]
        ends = hop >= LAST_HOP or typed(turn) == "fin"
        return Reply(f"Año {hop}\n1. Saldo", ends, f"screen-{hop}", "ok")

    def busy(self, channel: str) -> Reply:
        return Reply("Estamos ocupados", ends=True, screen="busy", outcome="busy")

    def misunderstood(self, channel: str, field: str) -> Reply:
        self.misread.append((channel, field))
        return Reply("Marca otra vez", ends=True, screen="restart", outcome="not_a_hop")

    def session_ended(
        self, channel: str, account: str, session_id: str, status: str, hops: int
    ) -> None:
        self.ended.append((channel, account, session_id, status, hops))

    def receive(self, text: Text) -> bool:
        if self.hold is not None:
            assert self.hold.wait(10)
        self.texts.append(text)
        return self.safe

    def reported(self, report: Report) -> bool:
        self.reports.append(report)
        return self.safe

    @property
    def typed(self) -> list[str]:
        """What was typed, hop by hop."""
        return [typed(turn) for turn in self.turns]

    @property
    def sessions(self) -> list[str]:
        """The sessions, in the order of their first hops."""
        return list(dict.fromkeys(turn.origin.session_id for turn in self.turns))


def typed(turn: Turn) -> str:
    """What was typed in a hop."""
    assert isinstance(turn.said, Answer)
    return turn.said.answer.text


def dialect(name: str = "standard") -> Dialect:
    """One that is shipped."""
    return load_dialect(SHIPPED / f"{name}.yaml")


def line_to(
    port: int,
    *,
    name: str = "claro",
    speaks: Dialect | str = "standard",
    carries_sms: bool = False,
    **sheet: Any,
) -> Line:
    """A line to an SMSC on loopback."""
    spoken = dialect(speaks) if isinstance(speaks, str) else speaks
    if carries_sms:
        sheet = {"sms": LineSms(source="775", per_second=100), **sheet}
    whole = LineSheet(
        host="127.0.0.1",
        port=port,
        system_id="coopuser",
        password_file="unused",
        system_type="USSD",
        dialect=spoken.name,
        **sheet,
    )
    return Line(name, whole, spoken, PASSWORD)


def with_push(**push: Any) -> Push:
    """What an operator allows who lets us begin."""
    return Push(source="775", **push)


@contextmanager
def serving(
    *lines: Line,
    desk: Counter,
    registry: CollectorRegistry | None = None,
    timings: Timings = QUICK,
    threads: int = 4,
    dialogue_s: float = SESSION_TOTAL_S,
) -> Iterator[Service]:
    """A process's lines, while they are served."""
    service = Service(
        lines,
        desk,
        registry or CollectorRegistry(),
        short_code=SHORT_CODE,
        region="PE",
        threads=threads,
        dialogue_s=dialogue_s,
        timings=timings,
        jitter=lambda: 0.5,
    )
    service.start()
    try:
        yield service
    finally:
        service.stop()


def soon(what: Any, within_s: float = 10.0) -> bool:
    """Whether something becomes true before long."""
    ends = time.monotonic() + within_s
    for wait_s in itertools.chain((0.001, 0.002, 0.005), itertools.repeat(0.01)):
        if what():
            return True
        if time.monotonic() > ends:
            return False
        time.sleep(wait_s)
    raise AssertionError("never")
