"""The worker of the load: the product's own, with a contract that is no bottleneck.

Usage: python -m tests.load.worker QUEUE_URL APP_URL PROVIDER_URL CONNECTIONS
"""

from __future__ import annotations

import random
import sys

from gateway.channels.africastalking.sender import AfricasTalkingSender
from gateway.db.pool import Database
from gateway.notices.drain import Drain
from gateway.notices.outbox import Fact, Outbox
from gateway.notices.router import Router, read_routes
from gateway.notices.senders import Sms
from gateway.observing import configure_logging
from gateway.values.msisdn import Msisdn
from gateway.worker import drains, run_worker

PER_SECOND = 60  # a contract that is no bottleneck: the provider's half second is


class Words:
    """What the gateway wrote: an answer has its words already."""

    def compose(self, fact: Fact) -> Sms:
        return Sms(Msisdn(str(fact.detail["msisdn"])), str(fact.detail["text"]))


def main(queue_url: str, app_url: str, provider_url: str, connections: str) -> None:
    """Work until SIGTERM."""
    configure_logging("WARNING")
    sender = AfricasTalkingSender("load", "no-key", per_second=PER_SECOND, api_url=provider_url)
    router = Router([sender], read_routes("", [sender.name]))
    with Database(app_url, int(connections)) as database:
        database.open()
        drain = Drain(Outbox(database), Words(), router, random.random)
        run_worker(queue_url, [drains("load", drain)])


if __name__ == "__main__":
    main(*sys.argv[1:])
