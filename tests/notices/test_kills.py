"""The drain dies at each of its lines, as by kill -9: nothing that was told is lost, and a message
comes twice only where the drain died between the provider's yes and the mark."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.bounds import OUTBOX_ATTEMPTS_MAX
from gateway.notices.drain import Drain
from gateway.notices.outbox import Fact, Notice, Outbox
from gateway.notices.senders import Delivery, Limits, Sent, Sms
from tests.notices.conftest import Network, PlainWording

MESSAGES = 12
SENDERS = 4
LEASE_S = 0.5  # of the drain that dies: how long its rows are nobody's


class DiedError(BaseException):
    """Nothing catches it."""


@dataclass
class Death:
    """Comes before or after a call, the `times`th of its name; from then on every call dies, as
    those of the other threads of a process that is gone."""

    call: str
    after: bool
    times: int

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = 0
        self.struck = False

    def begins(self, call: str) -> None:
        self._strike(call, after=False)

    def ended(self, call: str) -> None:
        self._strike(call, after=True)

    def _strike(self, call: str, *, after: bool) -> None:
        with self._lock:
            if (call, after) == (self.call, self.after):
                self._seen += 1
                self.struck |= self._seen == self.times
            if self.struck:
                raise DiedError


class MortalOutbox(Outbox):
    def __init__(self, database: Any, death: Death) -> None:
        super().__init__(database)
        self._death = death

    def claim(self, rows: int, lease_s: float) -> list[Notice]:
        self._death.begins("claim")
        claimed = super().claim(rows, lease_s)
        self._death.ended("claim")
        return claimed

    def sent(self, notice: Notice, sent: Sent) -> bool:
        self._death.begins("mark")
        counted = super().sent(notice, sent)
        self._death.ended("mark")
        return counted


class MortalWording(PlainWording):
    def __init__(self, death: Death) -> None:
        self._death = death

    def compose(self, fact: Fact) -> Sms | None:
        self._death.begins("compose")
        words = super().compose(fact)
        self._death.ended("compose")
        return words


class MortalSender:
    name = "network"
    limits = Limits(1_000, 10)

    def __init__(self, network: Network, death: Death) -> None:
        self._network = network
        self._death = death

    def send(self, sms: Sms) -> Delivery:
        self._death.begins("send")
        sent = self._network.send(sms)
        self._death.ended("send")
        return sent


CALLS = ("claim", "compose", "send", "mark")
BETWEEN_YES_AND_MARK = {("send", True), ("mark", False)}


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_drain_that_dies_at_this_line_loses_nothing_and_repeats_only_what_was_under_way(
    database, outbox, tell, rows, taking, drain_with, call, after, times
):
    death = Death(call, after, times)
    tell(*range(MESSAGES))
    mortal = Drain(
        MortalOutbox(database, death),
        MortalWording(death),
        MortalSender(taking, death),
        jitter=lambda: 0.0,
        senders=SENDERS,
        lease_s=LEASE_S,
    )
    with pytest.raises(DiedError):
        mortal.run()
    assert death.struck

    marked = Counter(row[0] for row in rows())["sent"]
    arrived_unmarked = len(taking.taken) - marked
    assert 0 <= arrived_unmarked <= SENDERS

    time.sleep(LEASE_S)
    drain_with(taking).run()
    assert Counter(row[0] for row in rows()) == {"sent": MESSAGES}
    arrived = Counter(taking.taken)
    assert len(arrived) == MESSAGES
    repeated = sum(times - 1 for times in arrived.values())
    assert repeated == arrived_unmarked
    if (call, after) in BETWEEN_YES_AND_MARK:
        assert repeated >= 1
    assert max(arrived.values()) <= 2


def test_drains_that_die_one_after_the_other_between_yes_and_mark_end_with_the_last_attempt(
    database, owner, tell, rows, taking
):
    """The bound of the docstring: OUTBOX_ATTEMPTS_MAX times at the most, and then a person is
    told."""
    tell(1)
    for _ in range(OUTBOX_ATTEMPTS_MAX + 2):
        death = Death("mark", after=False, times=1)
        drain = Drain(
            MortalOutbox(database, death), PlainWording(), taking, lambda: 0.0, lease_s=0.0
        )
        try:
            drain.run()
        except DiedError:
            continue
        break
    assert len(taking.taken) == OUTBOX_ATTEMPTS_MAX
    assert rows()[0][:3] == ("dead", OUTBOX_ATTEMPTS_MAX, "no attempt was finished")
