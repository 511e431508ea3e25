"""Golden dialogs over a core that answers, and then does not: to the letter, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.breaker import CoreBreaker
from gateway.core.hands import InTurn
from gateway.core.patience import Patience
from gateway.core.patient import Care
from gateway.ledger.memory import CAPABILITIES, MemoryLedger
from gateway.ledger.port import Capabilities
from tests.cooperative import Clock, Cooperative, founded
from tests.test_dialogs import play

STORIES = sorted((Path(__file__).parent / "dialogs" / "sin-sistema").glob("*.txt"))


class Twin(MemoryLedger):
    """A remote core that leaves the tax to others, as most do."""

    def capabilities(self) -> Capabilities:
        return replace(CAPABILITIES, itf=False)


def care() -> Care:
    """Without threads: what is waited for is there at once, or not at all."""
    return Care(InTurn(), InTurn(), Patience(3_000, lambda: 0), CoreBreaker(clock_ms=lambda: 0))


@pytest.fixture
def twin() -> tuple[Twin, Clock]:
    clock = Clock()
    return Twin(clock.now), clock


@pytest.fixture
def remote(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], twin: tuple[Twin, Clock]
) -> Iterator[Cooperative]:
    """The demo cooperative over a core behind a network."""
    core, clock = twin
    with founded(database_urls, redis_urls, twin=core, clock=clock, care=care()) as cooperative:
        yield cooperative


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_the_dialog_comes_out_to_the_letter(
    story: Path,
    remote: Cooperative,
    twin: tuple[Twin, Clock],
    request: pytest.FixtureRequest,
) -> None:
    """Every screen and every SMS of the story is what the file says."""
    core, _ = twin
    script = story.read_text("utf-8")
    happens = {
        "(el sistema central no responde)": lambda: setattr(core, "away", True),
        "(el sistema central responde)": lambda: setattr(core, "away", False),
    }

    played = "\n".join(play(script, remote, happens)) + "\n"

    if request.config.getoption("record"):
        story.write_text(played, "utf-8")
    assert played == script
