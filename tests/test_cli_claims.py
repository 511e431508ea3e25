"""A claim over a core that has no holds: nothing is frozen, and nobody is told that it is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.demo.core import core_variables
from gateway.ledger.fineract.standin.server import StandIn
from tests.cooperative import TODAY, Cooperative, founded
from tests.people import ROSA, SEGUNDO


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(TODAY) as standin:
        yield standin


@pytest.fixture
def fineract(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], standin: StandIn
) -> Iterator[Cooperative]:
    """The demo cooperative over the loopback Fineract, where claims are to hold at once."""
    holds = {"CHASKI_CLAIM_HOLDS": "yes"}
    with founded(database_urls, redis_urls, core=standin, environment=holds) as cooperative:
        yield cooperative


def staff(cooperative: Cooperative, owner_url: str, url: str, *command: str) -> tuple[int, str]:
    """What a command prints for somebody of staff."""
    settings = cooperative.settings
    environment = {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": settings.database_url.get_secret_value(),
        "CHASKI_SESSIONS_URL": settings.sessions_url.get_secret_value(),
        "CHASKI_QUEUE_URL": settings.queue_url.get_secret_value(),
        "CHASKI_WEBHOOK_SECRETS": settings.webhook_secrets.get_secret_value(),
        "CHASKI_SESSION_SECRET": settings.session_secret.get_secret_value(),
        "CHASKI_PIN_PEPPERS": json.dumps({"1": "00" * 32}),
        **core_variables(url),
    }
    told = CliRunner().invoke(main, [*command, "--url", owner_url], env=environment)
    return told.exit_code, told.output


def test_is_opened_and_freezes_nothing(
    fineract: Cooperative, database_urls: tuple[str, str], standin: StandIn
) -> None:
    segundo = fineract.phone(SEGUNDO.msisdn)
    segundo.dial(f"2*{ROSA.msisdn[3:]}*50")
    assert segundo.press(SEGUNDO.pin or "").text.startswith("Listo")
    fineract.deliver()
    segundo.dial("5*5*1*1")
    told = segundo.press(SEGUNDO.pin or "").text
    assert told.startswith("Reclamo 1001 anotado.")
    assert "Retuvimos" not in told
    code, said = staff(fineract, database_urls[0], standin.url, "claims", "hold", "1001")
    assert code == 1
    assert "nothing is frozen by this claim" in said
    code, said = staff(fineract, database_urls[0], standin.url, "claims", "release", "1001")
    assert (code, "nothing is held" in said) == (1, True)
    how = ("claims", "close", "1001", "--how", "returned")
    assert staff(fineract, database_urls[0], standin.url, *how) == (0, "settled\n")
