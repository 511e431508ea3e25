"""What a run says: tables for people, one JSON object for programs. The ratios are in both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.figures import Spread, short, table

# What we want of the ratios: at most, or at least, so much.
WANTED: Mapping[str, tuple[str, float]] = {
    "hop_cpu_vs_flask_two_redis_trips": ("at most", 1.3),
    "hop_cpu_vs_ussd_menu_builder": ("at most", 1.0),
    "transfer_vs_minimal_function": ("at least", 0.8),
    "transfer_vs_tpcb_like": ("at least", 1.5),
    "hot_account_vs_uniform": ("at least", 0.8),
    "goodput_at_twice_capacity": ("at least", 0.9),
    "growth_of_hop_cost": ("at most", 1.15),
    "growth_of_transfer_cost": ("at most", 1.15),
    "growth_of_transfer_time": ("at most", 1.15),
    "growth_of_hop_cost_with_entries": ("at most", 1.15),
    "growth_of_transfer_cost_with_entries": ("at most", 1.15),
    "growth_of_transfer_time_with_entries": ("at most", 1.15),
}

Rows = Mapping[str, Mapping[str, Spread | float]]


@dataclass(slots=True)
class Report:
    """Everything that was measured, part by part, as it comes in.

    Args:
        machine: one sentence.
        settings: how it was asked for.
    """

    machine: str
    settings: Mapping[str, object]
    parts: dict[str, Rows] = field(default_factory=dict)
    ratios: dict[str, Spread | None] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """One object. A ratio that could not be measured is null, and `skipped` says why."""
        return json.dumps(
            {
                "machine": self.machine,
                "settings": self.settings,
                **{name: _plain(rows) for name, rows in self.parts.items()},
                "ratios": {name: short(r.median) if r else None for name, r in self.ratios.items()},
                "ratios_spread": {
                    name: [short(r.low), short(r.high)] for name, r in self.ratios.items() if r
                },
                "wanted": {name: list(WANTED[name]) for name in self.ratios if name in WANTED},
                "skipped": self.skipped,
            },
            indent=1,
            ensure_ascii=False,
        )

    def as_text(self) -> str:
        """A table for each part; figures are medians, with the lowest and highest round."""
        blocks = [f"{name}\n{table(rows)}" for name, rows in self.parts.items()]
        ratios = {name: _judged(name, found) for name, found in self.ratios.items()}
        blocks.append(f"ratios\n{table(ratios)}")
        blocks += [f"SKIPPED {name}: {why}" for name, why in self.skipped.items()]
        return "\n\n".join(blocks)


def _plain(rows: Rows) -> dict[str, dict[str, object]]:
    return {
        name: {
            column: value.as_json() if isinstance(value, Spread) else short(value)
            for column, value in row.items()
        }
        for name, row in rows.items()
    }


def _judged(name: str, found: Spread | None) -> dict[str, object]:
    if found is None:
        return {"measured": "skipped"}
    if name not in WANTED:
        return {"measured": found}
    bound, wanted = WANTED[name]
    met = found.median <= wanted if bound == "at most" else found.median >= wanted
    return {"measured": found, "wanted": f"{bound} {wanted:g}", "": "met" if met else "MISSED"}
