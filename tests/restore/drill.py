"""The drill: traffic, a moment, a disaster, and what comes back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from gateway.bounds import SEAL_XACTS_MAX
from gateway.db.pool import Database
from gateway.demo.variables import demo_variables
from gateway.embedded import EmbeddedError, Endpoints
from tests.chaos.house import House, Process
from tests.chaos.orders import Heard
from tests.chaos.phone import Notes
from tests.chaos.storm import Run
from tests.restore.archive import Archive, Restored, Say

CALM_S = 6.0  # of orders before the backup, before the moment, and after it
PHONES_END_S = 60

# Every posted order has its posting, and every posting its order: by phone nothing else moves.
WITHOUT_POSTING = """
select count(*) from instructions.instruction as i
where i.state = 'posted' and not exists (
    select from ledger.decision as d
    where d.id::text = i.reference and d.refusal is null
    and d.amount_centimos = i.amount_centimos
)
"""
WITHOUT_ORDER = """
select count(*) from ledger.decision as d
where d.refusal is null and d.kind <> 'opening' and not exists (
    select from instructions.instruction as i
    where i.state = 'posted' and i.reference = d.id::text
)
"""


class ArchivedHouse(House):
    """A house whose PostgreSQL archives its log."""

    archive: Archive

    def start(self, process: Process) -> None:
        if process is not Process.POSTGRES:
            super().start(process)
            return
        self.archive = Archive(self._settled, self._say)
        self._running[process] = self.archive.start_archived()


@dataclass(slots=True)
class Findings:
    """What the drill came to: what is wrong, and the figures."""

    faults: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)


class Drill(Run):
    """One drill. Its processes end with it.

    Args:
        data: a folder that is new or empty.
        phones: how many dial at the same time.
        seed: what they mean to do.
        say: takes a line for a person now and then.
    """

    def __init__(self, data: Path, phones: int, seed: int, say: Say) -> None:
        super().__init__(data, 0, 0, phones, seed, say)
        self._archived = ArchivedHouse(data, self._port, say)
        self._house = self._archived
        self._found = Findings()

    def practise(self) -> Findings:
        """From traffic to the verdict."""
        try:
            self._house.open(self._members)
            self._notes = Notes(self._house.logs / "drill.txt")
            self._house.see_it_ready()
            moment = self._traffic_around_a_moment()
            lost_at = self._disaster()
            self._restore_newest(lost_at)
            self._restore_moment(moment)
        finally:
            self._over.set()
            self._house.close()
        return self._found

    def _traffic_around_a_moment(self) -> dt.datetime:
        phones = self._phones()
        for phone in phones:
            phone.thread.start()
        time.sleep(CALM_S)
        began = time.monotonic()
        self._archived.archive.back_up()
        self._figure("the base backup, while members were served", time.monotonic() - began)
        time.sleep(CALM_S)
        self._seal()
        moment = self._server_time()
        time.sleep(CALM_S)
        self._over.set()
        self._weather.calm()
        for phone in phones:
            phone.thread.join(PHONES_END_S)
        return moment

    def _disaster(self) -> float:
        """The server and its disk are gone. When, seconds since the epoch."""
        self._house.kill(Process.POSTGRES)
        self._archived.archive.destroy_server()
        self._say(f"{len(self._told())} orders were told as done; the server and its disk are gone")
        return time.time()

    def _restore_newest(self, lost_at: float) -> None:
        began = time.monotonic()
        restored = self._archived.archive.restore("newest")
        self._verify(restored, "the newest")
        self._figure("RTO: from the disaster to verified books", time.monotonic() - began)
        there = restored.references()
        lost = [heard for heard in self._told() if heard.reference not in there]
        first = min((heard.at for heard in lost), default=lost_at)
        self._figure("RPO: how far back the archive alone ends", lost_at - first)
        self._found.figures["orders told in that time, which a standby would have"] = str(len(lost))
        restored.server.stop()

    def _restore_moment(self, moment: dt.datetime) -> None:
        began = time.monotonic()
        restored = self._archived.archive.restore("moment", moment.isoformat())
        self._verify(restored, "the moment")
        self._figure("restored to a moment, and verified", time.monotonic() - began)
        there = restored.references()
        at = moment.timestamp()
        self._fault(
            f"told before the moment, and not there: op. {heard.reference}"
            for heard in self._told()
            if heard.at < at and heard.reference not in there
        )
        newest = restored.ask("select max(decided_at) from ledger.decision")
        if isinstance(newest, dt.datetime) and newest > moment:
            self._fault([f"decided after the moment, and there: {newest.isoformat()}"])
        before = sum(heard.at < at for heard in self._told())
        self._found.figures["orders told before the moment, all of them there"] = str(before)
        restored.server.stop()

    def _verify(self, restored: Restored, which: str) -> None:
        """What a person types, and what the two schemas say of one another."""
        ledger = self._chaski(restored, "ledger", "verify", "--json")
        audit = self._chaski(restored, "audit", "verify", "--json", "--url", restored.owner_url)
        for name, found in (("ledger", ledger), ("audit", audit)):
            if not found["ok"]:
                self._fault([f"{which}: chaski {name} verify: {found}"])
        if not audit["seals"]:
            self._fault([f"{which}: there is no seal to verify"])
        for name, sql in (("no posting", WITHOUT_POSTING), ("no order", WITHOUT_ORDER)):
            if count := restored.ask(sql):
                self._fault([f"{which}: {count} with {name}"])
        self._found.figures[f"{which}: transfers, seals"] = (
            f"{ledger['transfers']}, {audit['seals']}"
        )

    def _chaski(self, restored: Restored, *words: str) -> dict[str, object]:
        app_url = restored.owner_url.replace("chaski_owner", "chaski_app")
        endpoints: Endpoints = dataclasses.replace(self._house.endpoints, app_url=app_url)
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", *words],
            env={**os.environ, **demo_variables(endpoints)},
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            said: dict[str, object] = json.loads(done.stdout)
        except ValueError:
            raise EmbeddedError(f"chaski {' '.join(words)}: {done.stderr}") from None
        return said

    def _seal(self) -> None:
        """As the worker does every few minutes, but now."""
        with Database(self._house.endpoints.app_url, 2, patient=True) as database:
            database.open()
            database.call(
                "select * from audit.seal(%s, %s)", (dt.datetime.now(dt.UTC), SEAL_XACTS_MAX)
            )

    def _server_time(self) -> dt.datetime:
        with psycopg.connect(self._house.endpoints.owner_url) as owner:
            row = owner.execute("select clock_timestamp()").fetchone()
            assert row
            moment: dt.datetime = row[0]
            return moment

    def _told(self) -> list[Heard]:
        """Every movement that a member was told of, when they heard it first."""
        first: dict[str, Heard] = {}
        for heard in self._heard():
            earlier = first.get(heard.reference)
            if earlier is None or heard.at < earlier.at:
                first[heard.reference] = heard
        return list(first.values())

    def _heard(self) -> Iterator[Heard]:
        return (heard for order in self._book.all() for heard in order.heard if heard.reference)

    def _figure(self, name: str, seconds: float) -> None:
        self._found.figures[name] = f"{seconds:.1f} s"

    def _fault(self, lines: Iterator[str] | list[str]) -> None:
        self._found.faults += lines
