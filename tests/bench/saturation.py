"""What members see as more and more of them dial, up to twice what the gateway can serve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench import processes
from tests.bench.figures import Spread, percentile, spread
from tests.bench.fill import Say
from tests.bench.flows import menus_and_balance
from tests.bench.hop import wrong
from tests.bench.phones import PATIENCE_S, Phones, Tally
from tests.bench.stage import WEBHOOK, Stage, gateway

OFFERED = (0.25, 0.5, 0.75, 0.9, 1.0, 1.5, 2.0)  # of the capacity
# Beyond it a queue grows as long as it lasts: only what lasts longer than members' patience shows
# whether a server then works for those alone who have gone.
_BEYOND_S = 2.5 * PATIENCE_S
_CAPACITY_PHONES = 16  # twice the gateway's threads: it never waits for a phone
_WARM_S = 2.0


@dataclass(frozen=True, slots=True)
class SaturationFigures:
    """Per share of the capacity that was offered, what came of it in each round."""

    capacity: list[float]
    offered: Mapping[float, Mapping[str, list[float]]]

    def ratios(self) -> dict[str, Spread]:
        """Screens a second at twice the capacity, over the capacity just before and after."""
        goodput = self.offered[max(OFFERED)]["right_of_capacity"]
        return {"goodput_at_twice_capacity": spread(goodput)}

    def rows(self) -> dict[str, dict[str, Spread]]:
        """A row for each load."""
        return {
            f"{share:g} of capacity": {name: spread(values) for name, values in figures.items()}
            for share, figures in self.offered.items()
        }


def measure(stage: Stage, rounds: int, seconds: float, say: Say) -> SaturationFigures:
    """Loads in turn, and before and after each of them what the gateway can do just then."""
    capacity: list[float] = []
    offered: dict[float, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with gateway(stage, processes.SERVER_CORE, without_pin=True) as (port, pid):
        stage.keep_on(frozenset({processes.OTHER_CORE}))
        _closed(stage, port, _WARM_S)
        for number in range(rounds):
            before = _closed(stage, port, seconds)
            for share in OFFERED:
                lasts_s = max(seconds, _BEYOND_S) if share > 1 else seconds
                phones = Phones(port, WEBHOOK, menus_and_balance(stage.members))
                began_cpu_s = processes.cpu_s(pid)
                tally = phones.by_the_clock(share * before, lasts_s)
                cpu_us = (processes.cpu_s(pid) - began_cpu_s) * 1e6
                after = _closed(stage, port, seconds)
                capacity.append((before + after) / 2)
                figures = _figures(tally, share * before, capacity[-1])
                for name, value in {
                    **figures,
                    "cpu_us_a_right": cpu_us / max(tally.right, 1),
                }.items():
                    offered[share][name].append(value)
                before = after
            say(f"  saturation: round {number + 1} of {rounds}")
        stage.keep_on(processes.ALL_CORES)
    return SaturationFigures(capacity, offered)


def _closed(stage: Stage, port: int, seconds: float) -> float:
    flow = menus_and_balance(stage.members)
    tally = Phones(port, WEBHOOK, flow).in_a_row(_CAPACITY_PHONES, seconds)
    wrong(tally, "the gateway")
    return tally.per_s


def _figures(tally: Tally, offered: float, capacity: float) -> dict[str, float]:
    """A hop without a screen counts as having taken all the patience that there is."""
    waits = [min(wait, PATIENCE_S) * 1000 for wait in tally.latencies_s]
    hops = max(len(waits), 1)
    return {
        "offered/s": offered,
        "right/s": tally.per_s,
        "right_of_capacity": tally.per_s / capacity,
        "p50_ms": percentile(waits, 0.5),
        "p99_ms": percentile(waits, 0.99),
        "polite_%": tally.polite / hops * 100,
        "failed_%": tally.failed / hops * 100,
    }
