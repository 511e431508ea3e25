"""Postings a second while seals are made, and while none are, in turns: `scripts/bench-seals`."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg

from gateway.audit.verifying import verify
from gateway.bounds import SEAL_XACTS_MAX
from gateway.db.migrations import migrate
from gateway.db.reading import snapshot
from gateway.embedded import Embedded, Endpoints
from gateway.ledger.postgres.office import LedgerOffice
from gateway.values.money import Money

say = click.echo

MEMBERS = 200
WRITERS = 4
TODAY = dt.date(2026, 11, 23)

_SEND = (
    "select (instructions.execute(%s, 'transfers.send', %s, %s, %s, %s, 1, null, %s, 'bench', 'b',"
    " %s, '+51987000001', true, now(), now())).state"
)
_RICH = Money(100_000_00)


def main() -> None:
    """Say how many postings a second there were with seals, without, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each turn")
    parser.add_argument("--turns", type=int, default=3, help="with and without, each so many")
    parser.add_argument("--every", type=float, default=1, help="seconds between two seals")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaski-bench-"))
    folder.chmod(0o711)
    with Embedded(folder, say) as endpoints:
        migrate(endpoints.owner_url)
        _open_accounts(endpoints)
        _measure(endpoints, asked.seconds, 0)  # warm
        rates: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(2 * asked.turns):
            sealing = turn % 2 == 1
            rates[sealing].append(_measure(endpoints, asked.seconds, asked.every * sealing))
            say(f"{'with' if sealing else 'without'}: {rates[sealing][-1]:.0f}/s")
        with_, without = (statistics.median(rates[sealing]) for sealing in (True, False))
        say(f"with {with_:.0f}/s, without {without:.0f}/s: ratio {with_ / without:.3f}")
        _verify(endpoints)


def _open_accounts(endpoints: Endpoints) -> None:
    with psycopg.connect(endpoints.owner_url, autocommit=True) as owner:
        owner.execute(
            "update instructions.limit_rule set per_operation_centimos = 1000000000,"
            " per_day_centimos = 1000000000"
        )
        office = LedgerOffice(owner)
        for number in range(MEMBERS):
            office.enrol_person(f"m-{number}", f"{40_000_000 + number}", "A", "B", TODAY)
            office.open_savings(f"100-{number}", "Ahorro", f"m-{number}", _RICH, TODAY)


def _measure(endpoints: Endpoints, seconds: float, every_s: float) -> float:
    """Postings a second; a seal every so many seconds meanwhile, or none at 0."""
    ends = time.monotonic() + seconds
    done = [0] * WRITERS
    threads = [
        threading.Thread(target=_write, args=(endpoints, number, ends, done))
        for number in range(WRITERS)
    ]
    with _sealer(endpoints, every_s):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(done) / seconds


def _write(endpoints: Endpoints, writer: int, ends: float, done: list[int]) -> None:
    step = 0
    with psycopg.connect(endpoints.app_url, autocommit=True) as application:
        while time.monotonic() < ends:
            payer = (writer + step * WRITERS) % MEMBERS
            payee = (payer + 7) % MEMBERS
            key = uuid.uuid4()
            names = (f"m-{payer}", f"m-{payee}", f"100-{payer}", f"100-{payee}")
            row = application.execute(_SEND, (key, *names, TODAY, str(key))).fetchone()
            assert row == ("posted",), row
            step += 1
    done[writer] = step


@contextlib.contextmanager
def _sealer(endpoints: Endpoints, every_s: float) -> Iterator[None]:
    over = threading.Event()

    def seal() -> None:
        with psycopg.connect(endpoints.app_url, autocommit=True) as application:
            while not over.wait(every_s):
                application.execute("select * from audit.seal(now(), %s)", (SEAL_XACTS_MAX,))

    thread = threading.Thread(target=seal)
    if every_s:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if every_s:
            thread.join()


def _verify(endpoints: Endpoints) -> None:
    with psycopg.connect(endpoints.app_url, autocommit=True) as application:
        while application.execute(
            "select * from audit.seal(now(), %s)", (SEAL_XACTS_MAX,)
        ).fetchall():
            pass
    began = time.monotonic()
    with snapshot(endpoints.owner_url) as evidence:
        verdict = verify(evidence, lambda far: None)
    took_s = time.monotonic() - began
    lines = sum(verdict.lines.values())
    say(f"verified {lines} lines in {verdict.seals} seals in {took_s:.1f} s: ok {verdict.ok}")


if __name__ == "__main__":
    main()
