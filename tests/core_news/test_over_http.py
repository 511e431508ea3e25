"""Both ways over real sockets, as in the demonstration: the core calls us."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from gateway.ledger.fineract.standin.app import TENANT
from gateway.ledger.fineract.standin.outgoing import Campaigns, over_http
from gateway.ledger.fineract.standin.server import StandIn
from tests.cooperative import Cooperative
from tests.core_news.conftest import HOOKS, KEY, MESSAGES
from tests.people import ROSA, SEGUNDO


@pytest.fixture
def gateway(cooperative: Cooperative) -> Iterator[str]:
    """Where it listens."""
    server = make_server("127.0.0.1", 0, cooperative.client.application, threaded=True)
    threading.Thread(target=server.serve_forever, args=(1 / 50,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_cash_at_the_counter_reaches_the_inbox(
    cooperative: Cooperative, core: StandIn, gateway: str
) -> None:
    hooks = core.double.hooks
    hooks.url, hooks.ask = gateway + HOOKS, over_http
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    assert hooks.deliver(times=2) == [204, 204]
    cooperative.deliver()
    (sms,) = cooperative.inbox(ROSA.msisdn)
    assert sms.startswith("Entro S/ 50.00")


def test_a_campaign_goes_out(cooperative: Cooperative, gateway: str) -> None:
    campaigns = Campaigns(gateway + MESSAGES, KEY, TENANT)
    campaigns.write(SEGUNDO.msisdn, "Feria el sabado", campaigns.bridges()[0]["id"])
    assert campaigns.send() == [202]
    cooperative.deliver()
    assert cooperative.inbox(SEGUNDO.msisdn) == ["Feria el sabado"]


def test_a_gateway_that_is_not_there_does_not_stop_the_core(core: StandIn) -> None:
    """It repeats no hook: that news is lost."""
    core.double.hooks.url = "http://127.0.0.1:9/core/fineract/none/hooks/"
    core.double.hooks.at_once = False
    core.double.hooks.fire("SAVINGSACCOUNT", "DEPOSIT", {}, {"savingsId": 1, "resourceId": 1})
    assert core.double.hooks.deliver() == [0]
