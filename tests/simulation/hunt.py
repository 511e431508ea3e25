"""`python -m tests.simulation.hunt SEEDS ENOUGH CORE`: runs seeds over the code that it finds
itself in until so many of them notice something, and says which, as JSON."""

from __future__ import annotations

import json
import sys

import click

from tests.simulation.campaign import tried
from tests.simulation.house import own_house


def main(seeds: int, enough: int, core: str) -> None:
    """Seeds 1 to `seeds`, or until `enough` of them are broken."""
    broken: dict[int, list[str]] = {}
    seed = 0
    with own_house(fineract=core == "fineract") as house:
        while seed < seeds and len(broken) < enough:
            seed += 1
            violations = tried(house, seed).violations
            if violations:
                broken[seed] = [violation.rule for violation in violations]
    click.echo(json.dumps({"seeds": seed, "broken": broken}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
