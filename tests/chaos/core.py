"""A Fineract of its own process for a storm: it survives, but is away now and then, and most of
what can go wrong at a core does. `python -m tests.chaos.core PORT PHONES SEED`."""

from __future__ import annotations

import datetime as dt
import random
import sys
import threading
import time
from zoneinfo import ZoneInfo

from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from tests.chaos.members import members, with_the_core

FAULT_SHARE = 0.3  # of the commands
AWAY_SHARE = 0.03  # of the seconds begin an absence
AWAY_S = (0.5, 5.0)
SLOW_MS = 4_000  # above a hop's patience, below that of a writing request
DEEDS_EVERY_S = 2.0  # people at the core: they decide, and mend what is stuck
_LIMA = ZoneInfo("America/Lima")
READY = "ready"


class Storm:
    """What the core is like, until it is told to be calm."""

    def __init__(self, core: StandIn, chance: random.Random) -> None:
        self._core = core
        self._chance = chance
        self._calm = threading.Event()
        core.plan.slow_ms = SLOW_MS
        core.plan.otherwise = self._fault

    def calm(self) -> None:
        """From now on it is well, and what waits for people is decided."""
        self._calm.set()

    def told(self, words: list[str]) -> None:
        """What somebody who runs the storm wants of the core."""
        match words:
            case ["calm"]:
                self.calm()
            case ["slow", ms]:
                self._core.plan.delay_ms = int(ms)
            case ["away"]:
                self._core.plan.away = True
            case ["back"]:
                self._core.plan.away = False

    def rage(self) -> None:
        """For as long as the process lives."""
        decided = 0.0
        while True:
            away = not self._calm.is_set() and self._chance.random() < AWAY_SHARE
            if away:
                self._core.plan.away = True
                time.sleep(self._chance.uniform(*AWAY_S))
                self._core.plan.away = False
            if time.monotonic() - decided > DEEDS_EVERY_S:
                decided = time.monotonic()
                self._decide()
            time.sleep(1.0)

    def _decide(self) -> None:
        double = self._core.double
        for key in double.commands.waiting():
            no = self._chance.random() < 0.5 and not self._calm.is_set()
            (double.commands.reject if no else double.commands.approve)({key})
        double.commands.free()
        double.arrive()

    def _fault(self) -> Fault | None:
        if self._calm.is_set() or self._chance.random() >= FAULT_SHARE:
            return None
        return self._chance.choice(tuple(Fault))


def main(port: int, phones: int, seed: int) -> None:
    """Serve until nobody holds the other end of our input any more."""
    today = dt.datetime.now(_LIMA).date()
    with StandIn(today, port) as core:
        for member in members(phones, random.Random(f"{seed} members")):  # noqa: S311
            with_the_core(core.world, member, today)
        storm = Storm(core, random.Random(f"{seed} core"))  # noqa: S311 - a storm, not a secret
        threading.Thread(target=storm.rage, daemon=True).start()
        print(READY, flush=True)  # noqa: T201 - who started us waits for it
        for line in sys.stdin:
            storm.told(line.split())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
