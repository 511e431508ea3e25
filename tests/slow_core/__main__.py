"""`python -m tests.slow_core`: see scripts/slow-core."""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg

from gateway.embedded import Endpoints
from tests.chaos.core_process import CoreProcess
from tests.chaos.house import House
from tests.chaos.members import members
from tests.chaos.storm import free_port
from tests.chaos.verdict import Sms
from tests.simulation.fineract import key_of
from tests.slow_core.dialling import Dialled, Dialling
from tests.slow_core.verdict import Order, Phase, faults, percentile, took_s

SEED = 1
PHONES = 40  # four members each
FIRST_LOOKS_PER_S = 5.0
DRAINED_MAX_S = 900  # twice the longest pause between two tries of an order, and the SMS after it
LOOK_S = 1.0
_WORDS_SHOWN = 6
_FIGURES = re.compile(r"[0-9][0-9.,:]*|(?<= a )[A-Z][a-z]+ [A-Z]\\.|Op\\. .*")

_ORDERS = """
select i.key::text, i.turn, m.msisdn, i.source, i.target, i.amount_centimos, i.state,
    coalesce(i.code, ''), coalesce(i.reference, ''), i.pending_since is not null
from instructions.instruction as i
join bank.member as m on m.member_ref = i.member_ref
where i.turn > %s and i.operation is not null order by i.turn
"""
_OPEN = """
select (select count(*) from instructions.instruction where state in ('accepted', 'unknown')),
    (select count(*) from notices.outbox where state in ('waiting', 'sending'))
"""
_INBOXES = (
    "select msisdn, extract(epoch from at)::double precision, text from notices.simulated_sms"
)


@dataclass(frozen=True, slots=True)
class Mood:
    """How the core is for a while. `words` and `over` are what it is told."""

    name: str
    words: str
    over: str
    seconds: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--per-second", default=2.0, show_default=True, type=click.FloatRange(min=0.1))
@click.option(
    "--slow-seconds", default=90.0, show_default=True, help="How long it is slow, each time."
)
@click.option("--down-minutes", default=10.0, show_default=True, help="How long it is away.")
@click.option("--only", default="", help="Moods with this in their name.")
def main(per_second: float, slow_seconds: float, down_minutes: float, only: str) -> None:
    """Members dial at a fixed rate while the core is 2 s slow, 30 s slow, and down. Exit 0 and
    figures, or 1 and what was not kept."""
    moods = [
        Mood("well", "slow 0", "slow 0", slow_seconds / 3),
        Mood("2 s slow", "slow 2000", "slow 0", slow_seconds),
        Mood("30 s slow", "slow 30000", "slow 0", slow_seconds),
        Mood(f"down for {down_minutes:g} minutes", "away", "back", down_minutes * 60),
    ]
    wrong = 0
    with _opened() as stage:
        # Whose accounts were never seen can be shown none while the core says nothing; and what a
        # first hop costs is not measured.
        stage.dialling.look(FIRST_LOOKS_PER_S)
        for mood in [one for one in moods if only in one.name]:
            phase = stage.measure(mood, per_second)
            found = faults(phase)
            wrong += len(found)
            click.echo("\n".join([*_shown(phase), *(f"  FAULT: {one}" for one in found[:20])]))
    click.echo(f"slow-core: {wrong} faults" if wrong else "slow-core: ok")
    sys.exit(1 if wrong else 0)


class Stage:
    """The processes, and who dials them."""

    def __init__(self, core: CoreProcess, endpoints: Endpoints, dialling: Dialling) -> None:
        self.dialling = dialling
        self._core = core
        self._url = endpoints.owner_url

    def measure(self, mood: Mood, per_second: float) -> Phase:
        """Dial while the core is so; then wait until nothing is left to do."""
        last = self._last_turn()
        self._core.tell(mood.words)
        dialled: Dialled = self.dialling.dial(per_second, mood.seconds)
        left, _ = self._rows(_OPEN)[0]
        self._core.tell(mood.over)
        drained_s = self._drained()
        inboxes: dict[str, list[Sms]] = {}
        for msisdn, at, text in self._rows(_INBOXES):
            inboxes.setdefault(msisdn, []).append(Sms(at, text))
        return Phase(
            mood.name,
            dialled.hops,
            [_order(row) for row in self._rows(_ORDERS, last)],
            [key_of(one) for one in self._core.descriptions()],
            inboxes,
            left,
            drained_s,
        )

    def _drained(self) -> float | None:
        began = time.monotonic()
        while any(self._rows(_OPEN)[0]):
            if time.monotonic() - began > DRAINED_MAX_S:
                return None
            time.sleep(LOOK_S)
        return time.monotonic() - began

    def _last_turn(self) -> int:
        ((turn,),) = self._rows("select coalesce(max(turn), 0) from instructions.instruction")
        return int(turn)

    def _rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as owner:
            return [tuple(row) for row in owner.execute(sql.encode(), params or None)]


@contextmanager
def _opened() -> Iterator[Stage]:
    those = members(PHONES, random.Random(f"{SEED} members"))  # noqa: S311 - as the core has them
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="chaski-slow-core-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # the servers' account may enter
        core = CoreProcess(free_port(), PHONES, SEED)
        house = House(data / "house", port, click.echo, core=core)
        try:
            house.open(those)
            core.calm()
            house.see_it_ready()
            rich = [member for member in those if member.person.savings[0].centimos > 1_000_00]
            yield Stage(core, house.endpoints, Dialling(port, rich))
        finally:
            house.close()


def _order(row: tuple[Any, ...]) -> Order:
    key, turn, msisdn, source, target, centimos, state, code, reference, pending = row
    return Order(key, turn, msisdn, (source, target), centimos, state, code, reference, pending)


def _shown(phase: Phase) -> Iterator[str]:
    yield f"\ncore {phase.name}"
    for name, needs_core in (("need the core", True), ("need none", False)):
        times = took_s(phase, needs_core=needs_core)
        p50, p95, p99 = (percentile(times, share) * 1000 for share in (0.5, 0.95, 0.99))
        yield f"  {len(times):5d} hops that {name}: p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f} ms"
    ends: dict[str, int] = {}
    for order in phase.orders:
        end = f"{order.state} {order.code}".strip()
        ends[end] = ends.get(end, 0) + 1
    yield f"  {len(phase.orders):5d} orders: {', '.join(f'{n} {end}' for end, n in ends.items())}"
    pending = sum(order.pending for order in phase.orders)
    yield f"  {pending:5d} of them were under way when the hop ended"
    for words, times in _last_words(phase).most_common(_WORDS_SHOWN):
        yield f"  {times:5d} asked the core and read: {words}"
    yield f"  {phase.left:5d} of them had no end yet when the core was well again"
    drained = "never" if phase.drained_s is None else f"{phase.drained_s:.0f} s"
    yield f"  {drained:>5} from the core's return to the last order's end and the last SMS"


def _last_words(phase: Phase) -> Counter[str]:
    """What those read who had asked for something of the core, without names and figures."""
    ends = (hop.text for hop in phase.hops if hop.needs_core and hop.last)
    return Counter(_FIGURES.sub("#", " / ".join(text.splitlines()[:2])) for text in ends)


if __name__ == "__main__":
    main(prog_name="scripts/slow-core")
