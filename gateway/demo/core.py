"""A demonstration over the loopback Fineract instead of the own ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.ledger.fineract.standin.app import PASSWORD, PAYMENT_TYPE_ID, TENANT, USER
from gateway.ledger.fineract.standin.server import StandIn
from gateway.settings import DEMO_WEBHOOK_SECRET

_LIMA = ZoneInfo("America/Lima")
_ADDRESS = "fineract.url"  # in the demo's folder, for those who look into its books


@contextmanager
def running_core(data: Path, port: int = 8080) -> Iterator[StandIn]:
    """A Fineract in this process. Its books are in memory: each start begins with them anew.

    Its web hooks go to the gateway on this port.
    """
    with StandIn(dt.datetime.now(_LIMA).date()) as core:
        core.double.hooks.url = (
            f"http://127.0.0.1:{port}/core/fineract/{DEMO_WEBHOOK_SECRET}/hooks/"
        )
        data.mkdir(parents=True, exist_ok=True)
        address = data / _ADDRESS
        address.write_text(core.url)
        try:
            yield core
        finally:
            address.unlink(missing_ok=True)


def core_variables(url: str) -> dict[str, str]:
    """What a process needs to reach it."""
    return {
        "CHASKI_FINERACT_URL": url,
        "CHASKI_FINERACT_TENANT": TENANT,
        "CHASKI_FINERACT_USER": USER,
        "CHASKI_FINERACT_PASSWORD": PASSWORD,
        "CHASKI_FINERACT_PAYMENT_TYPE": str(PAYMENT_TYPE_ID),
        "CHASKI_FINERACT_NAMES": "external-id",
        "CHASKI_FINERACT_HOOKS_SECRET": DEMO_WEBHOOK_SECRET,
        "CHASKI_FINERACT_MESSAGES_KEY": DEMO_WEBHOOK_SECRET,
    }


def variables_of(data: Path) -> Mapping[str, str]:
    """Of the demo in this folder; nothing where its books are the own ones."""
    address = data / _ADDRESS
    return core_variables(address.read_text()) if address.exists() else {}
