"""The cooperative over a Fineract that calls it, by way of the web application itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from gateway.ledger.fineract.standin.app import TENANT
from gateway.ledger.fineract.standin.outgoing import Campaigns
from gateway.ledger.fineract.standin.server import StandIn
from tests.cooperative import TODAY, Cooperative, founded

SECRET = KEY = "demo"
HOOKS = f"/core/fineract/{SECRET}/hooks/"
MESSAGES = "/core/fineract/messages"

Ask = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]


def asking(cooperative: Cooperative) -> Ask:
    """The core's way to the gateway, without a network between."""

    def ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        answer = cooperative.client.open(url, method=method, headers=dict(headers), data=body)
        return answer.status_code, answer.data

    return ask


@pytest.fixture
def core() -> Iterator[StandIn]:
    with StandIn(TODAY, newer_than_1_14=True) as core:
        yield core


@pytest.fixture
def cooperative(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], core: StandIn
) -> Iterator[Cooperative]:
    """Each hook waits until a test has it delivered."""
    with founded(database_urls, redis_urls, core=core) as cooperative:
        core.double.hooks.ask = asking(cooperative)
        core.double.hooks.url = HOOKS
        core.double.hooks.at_once = False
        yield cooperative


@pytest.fixture
def campaigns(cooperative: Cooperative) -> Campaigns:
    return Campaigns(MESSAGES, KEY, TENANT, asking(cooperative))
