"""The storm of `scripts/chaos` over two PostgreSQL: the primary dies, the standby takes over."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from gateway.embedded import EmbeddedError, Endpoints
from tests.chaos.house import House, Process
from tests.chaos.storm import Run
from tests.failover.pair import Pair

CALM_S = 4.0  # of ordinary dialogues before each kill


class PairHouse(House):
    """A house whose PostgreSQL is two.

    Args:
        pair: its primary runs already.
    """

    def __init__(self, pair: Pair, data: Path, port: int, say: Callable[[str], None]) -> None:
        super().__init__(data, port, say, {"CHASKI_READ_DATABASE_URL": pair.read_url})
        self._pair = pair

    @property
    def endpoints(self) -> Endpoints:
        return dataclasses.replace(
            super().endpoints, owner_url=self._pair.owner_url, app_url=self._pair.app_url
        )

    def start(self, process: Process) -> None:
        if process is not Process.POSTGRES:
            super().start(process)
            return
        server = self._pair.primary.server
        if server is None:
            raise EmbeddedError("the primary was not started")
        self._running[process] = server


class FailoverRun(Run):
    """One storm over one house. See `Run`; `kills` are of the primary alone.

    Args:
        pair: its primary runs already, alone.
    """

    def __init__(
        self,
        pair: Pair,
        data: Path,
        kills: int,
        phones: int,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(data, 0, kills, phones, seed, say)
        self._pair = pair
        self._house = PairHouse(pair, data, self._port, say)
        self.outages_s: list[float] = []
        self.read_from_standby = 0

    def _rage(self) -> None:
        for number in range(1, self._kills + 1):
            self._pair.link()
            self._note("the standby is waited for")
            time.sleep(CALM_S)
            self.read_from_standby += self._statements_on_standby()
            self._record.kills["the primary"] += 1
            self._note("kills the primary")
            began = time.monotonic()
            self._house.kill(Process.POSTGRES)
            self._pair.promote()
            self._house.start(Process.POSTGRES)
            self._recover()
            self.outages_s.append(time.monotonic() - began)
            self._say(f"{self._progress(number)}; ready after {self.outages_s[-1]:.1f} s")
        time.sleep(CALM_S)

    def _statements_on_standby(self) -> int:
        """How many transactions the application has had there: all of them are reads."""
        return int(
            str(
                self._pair.standby.ask(
                    "select xact_commit from pg_stat_database where datname = current_database()"
                )
            )
        )
