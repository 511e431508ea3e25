"""What a PIN costs: `scripts/bench-pin`.

2026-11, argon2id with 19 MiB and two passes: 23 ms of a core each, all but argon2id 0.03 ms of it,
so that two cores verify 85 PINs a second at the very best. A hop without a PIN took 2 to 5 ms from
webhook to reply. Of a machine whose two cores were wanted by five others: 108 ms a verification,
9 to 17 a second.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.bank.hashing import CHEAPEST_FOR_TESTS, OWASP_2026, PepperedArgon2
from gateway.bounds import PIN_VERIFICATIONS_AT_ONCE
from gateway.db.migrations import migrate
from gateway.embedded import Embedded
from gateway.observing import configure_logging
from gateway.values.pin import Pin
from tests.cooperative import founded
from tests.people import ROSA

_ROUNDS = 200
_CALLERS = 16


def typical_ms(deed: Callable[[], object], rounds: int) -> float:
    """The median."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        deed()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def cpu_ms(deed: Callable[[], object], rounds: int) -> float:
    """What it costs a core, whoever else is on the machine."""
    began = time.thread_time()
    for _ in range(rounds):
        deed()
    return (time.thread_time() - began) * 1000 / rounds


def verification(hasher: PepperedArgon2) -> Callable[[], object]:
    """One right PIN."""
    sealed, version = hasher.hash(ROSA.ref, Pin("4826"))
    return lambda: hasher.verify(ROSA.ref, Pin("4826"), sealed, version)


def many_per_second(verify: Callable[[], object]) -> float:
    """With more callers than may verify at once."""
    began = time.perf_counter()
    with ThreadPoolExecutor(_CALLERS) as pool:
        list(pool.map(lambda _: verify(), range(_ROUNDS)))
    return _ROUNDS / (time.perf_counter() - began)


def hop_ms() -> float:
    """A hop that needs no PIN: home to the confirm screen, webhook to reply."""
    with tempfile.TemporaryDirectory(prefix="chaski-bench-") as folder:
        Path(folder).chmod(0o711)
        with Embedded(Path(folder), lambda line: None) as servers:
            migrate(servers.owner_url)
            urls = (servers.owner_url, servers.app_url)
            with founded(urls, (servers.sessions_url, servers.queue_url)) as cooperative:
                phone = cooperative.phone(ROSA.msisdn)
                phone.dial()
                return typical_ms(lambda: phone.press("1", "0"), _ROUNDS // 4) / 2


def main() -> None:
    """Measure, and say it."""
    configure_logging(logging.getLevelName(logging.WARNING))
    verify = verification(PepperedArgon2({1: bytes(32)}, OWASP_2026))
    sealing = typical_ms(verification(PepperedArgon2({1: bytes(32)}, CHEAPEST_FOR_TESTS)), _ROUNDS)
    one, cpu, hop = typical_ms(verify, _ROUNDS), cpu_ms(verify, _ROUNDS), hop_ms()
    sys.stdout.write(
        f"  a verification: {one:.1f} ms, {cpu:.1f} ms of a core, "
        f"all but argon2id {sealing:.2f} ms\n"
        f"  with {_CALLERS} callers and {PIN_VERIFICATIONS_AT_ONCE} at once: "
        f"{many_per_second(verify):.0f} a second\n"
        f"  a hop without a PIN: {hop:.1f} ms; a PIN costs {one / hop:.0f} of them\n"
    )


if __name__ == "__main__":
    main()
