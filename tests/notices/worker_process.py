"""A worker process for the tests: real outbox, real queue, a network of rows in PostgreSQL.

Usage: worker_process.py QUEUE_URL APP_URL SEND_S LEASE_S [unwoken]. A send takes SEND_S seconds
after the message has arrived; `unwoken` has nothing to send. Prints one JSON line a log entry.
"""

from __future__ import annotations

import sys
import time

import structlog

from gateway.db.pool import Database
from gateway.notices.drain import Drain
from gateway.notices.outbox import Fact, Outbox
from gateway.notices.senders import Sent, Sms
from gateway.notices.simulated import SimulatedNetwork
from gateway.values.msisdn import Msisdn
from gateway.worker import Duty, drains, run_worker


class Words:
    def compose(self, fact: Fact) -> Sms:
        return Sms(Msisdn("+51987000001"), str(fact.detail["reference"]))


class SlowNetwork:
    def __init__(self, network: SimulatedNetwork, send_s: float) -> None:
        self._network = network
        self._send_s = send_s

    def send(self, sms: Sms) -> Sent:
        sent = self._network.send(sms)
        time.sleep(self._send_s)
        return sent


def break_down() -> int:
    raise RuntimeError("this duty always fails")


def main(queue_url: str, app_url: str, send_s: str, lease_s: str, *unwoken: str) -> None:
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(),
    )
    database = Database(app_url, size_max=10)
    database.open()
    network = SlowNetwork(SimulatedNetwork(database, "775"), float(send_s))
    drain = Drain(Outbox(database), Words(), network, lambda: 0.0, lease_s=float(lease_s))
    duties = [Duty("broken", 0.2, break_down)]
    if not unwoken:
        duties.append(drains("notices", drain))
    run_worker(queue_url, duties)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
