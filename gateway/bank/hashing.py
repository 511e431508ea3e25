"""PINs at rest: a pepper that the database never sees, then argon2id.

Four digits are 10,000 guesses: whoever has only the table must first have the pepper, and whoever
has only the dialog gets three tries. The slow hash is the second line, not the first.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from typing import Protocol

import argon2

from gateway.bounds import PIN_VERIFICATIONS_AT_ONCE
from gateway.values.pin import Pin

# OWASP Password Storage Cheat Sheet, read 2026-11: 19 MiB, two passes, one lane.
OWASP_2026 = argon2.Parameters(
    type=argon2.Type.ID,
    version=19,
    salt_len=16,
    hash_len=32,
    time_cost=2,
    memory_cost=19 * 1024,  # KiB
    parallelism=1,
)

# Microseconds instead of tens of milliseconds: for tests of what stands around the hash.
CHEAPEST_FOR_TESTS = argon2.Parameters(
    type=argon2.Type.ID,
    version=19,
    salt_len=8,
    hash_len=16,
    time_cost=1,
    memory_cost=8,  # KiB
    parallelism=1,
)


class PinHasher(Protocol):
    """Turns a PIN into what may be stored, and tells whether a PIN is the stored one's."""

    def hash(self, member_ref: str, pin: Pin) -> tuple[str, int]:
        """The hash, and the version of the pepper that is in it."""

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        """Whether this PIN made that hash."""


class PepperedArgon2:
    """HMAC-SHA-256 with the pepper, then argon2id.

    Args:
        peppers: by version; new hashes take the highest one. At least 32 bytes each.
        parameters: what a hash costs.

    Raises:
        ValueError: no pepper, or one that is too short to be a key.
    """

    def __init__(self, peppers: Mapping[int, bytes], parameters: argon2.Parameters) -> None:
        if not peppers or any(len(pepper) < 32 for pepper in peppers.values()):
            raise ValueError("a pepper has at least 32 bytes: openssl rand -hex 32")
        self._peppers = dict(peppers)
        self._current = max(peppers)
        self._argon2 = argon2.PasswordHasher.from_parameters(parameters)
        self._at_once = threading.BoundedSemaphore(PIN_VERIFICATIONS_AT_ONCE)

    def hash(self, member_ref: str, pin: Pin) -> tuple[str, int]:
        with self._at_once:
            return self._argon2.hash(self._peppered(member_ref, pin, self._current)), self._current

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        with self._at_once:
            try:
                return self._argon2.verify(hashed, self._peppered(member_ref, pin, pepper_version))
            except argon2.exceptions.VerifyMismatchError:
                return False

    def _peppered(self, member_ref: str, pin: Pin, version: int) -> bytes:
        """Bound to the member: a hash that is moved to another row opens nothing."""
        message = member_ref.encode() + b"\0" + pin.reveal()
        return hmac.digest(self._peppers[version], message, hashlib.sha256)
