"""What verifying a PIN costs: it is meant to cost, and only so many are verified at once."""

from __future__ import annotations

import threading
import time

from gateway.bank.hashing import OWASP_2026, PepperedArgon2
from gateway.bounds import PIN_VERIFICATIONS_AT_ONCE
from gateway.settings import DEMO_PEPPER
from gateway.values.pin import Pin
from tests.bench.figures import percentile

_REF = "b-1"
_PIN = Pin("4826")


def verification_ms(seconds: float) -> float:
    """CPU milliseconds of one verification, the middle one of many, in this thread alone."""
    hasher, hashed, pepper = _ready()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.thread_time()
        assert hasher.verify(_REF, _PIN, hashed, pepper)
        taken.append((time.thread_time() - began) * 1000)
    return percentile(taken, 0.5)


def at_once_per_s(threads: int, seconds: float) -> float:
    """Verifications a second where so many members type at once: the hasher lets in only
    `PIN_VERIFICATIONS_AT_ONCE` of them."""
    hasher, hashed, pepper = _ready()
    done = [0] * threads
    until = time.perf_counter() + seconds

    def type_pins(place: int) -> None:
        while time.perf_counter() < until:
            assert hasher.verify(_REF, _PIN, hashed, pepper)
            done[place] += 1

    typing = [threading.Thread(target=type_pins, args=(place,)) for place in range(threads)]
    began = time.perf_counter()
    for thread in typing:
        thread.start()
    for thread in typing:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def rows(seconds: float) -> dict[str, dict[str, float]]:
    """The cost of one, and what some at once come to."""
    counts = (1, PIN_VERIFICATIONS_AT_ONCE, 4 * PIN_VERIFICATIONS_AT_ONCE)
    return {
        "one verification": {"cpu_ms": verification_ms(seconds)},
        **{
            f"{count} members at once": {"per_s": at_once_per_s(count, seconds)} for count in counts
        },
    }


def _ready() -> tuple[PepperedArgon2, str, int]:
    hasher = PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, OWASP_2026)
    return hasher, *hasher.hash(_REF, _PIN)
