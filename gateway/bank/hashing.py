"""Secrets at rest: what is stored of a PIN, of an activation code, of a DNI.

Four digits are 10,000 guesses: whoever has only the table must first have the pepper, a key that
the database never sees, and whoever has only the dialog gets three tries. The slow hash is the
second line, not the first.

A PIN is hashed by argon2id, and the hash is sealed: encrypted with AES-256-GCM-SIV under a key that
is made of the pepper, and bound to its member. Without the pepper a sealed hash is noise. With the
old and the new one it is sealed anew without anybody's PIN, which a pepper inside the hash would
not allow: that is how peppers are rotated.

Codes and DNIs are keyed hashes (HMAC-SHA-256): a code lives for days and falls after five guesses,
so that it needs no slow hash, and nobody can compute one without the pepper.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Mapping
from typing import Protocol

import argon2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from gateway.bounds import PIN_VERIFICATIONS_AT_ONCE
from gateway.values.pin import Pin

# OWASP Password Storage Cheat Sheet, read 2026-11: 19 MiB, two passes, one lane. What it costs here
# is said by scripts/bench-pin.
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

_NONCE_OCTETS = 12  # random: GCM-SIV forgives one that comes twice


class UnknownPepperError(LookupError):
    """A row is under a pepper that is not among the settings: it was dropped too early."""

    def __init__(self, version: int) -> None:
        super().__init__(f"pepper {version} is not among CHASKI_PIN_PEPPERS, and is still needed")


class PinHasher(Protocol):
    """Turns a PIN into what may be stored, and tells whether a PIN is the stored one's."""

    def hash(self, member_ref: str, pin: Pin) -> tuple[str, int]:
        """The sealed hash, and the version of the pepper that seals it."""

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        """Whether this PIN made that hash."""

    def outdated(self, member_ref: str, hashed: str, pepper_version: int) -> bool:
        """Whether a hash costs another price than one that is made today."""


class _Peppers:
    """The keys by version; the highest one is for what is new.

    Raises:
        ValueError: no pepper, or one that is too short to be a key.
    """

    def __init__(self, peppers: Mapping[int, bytes]) -> None:
        if not peppers or any(len(pepper) < 32 for pepper in peppers.values()):
            raise ValueError("a pepper has at least 32 bytes: openssl rand -hex 32")
        self._peppers = dict(peppers)
        self.current = max(peppers)
        self.versions = tuple(sorted(peppers))

    def key(self, version: int, use: bytes) -> bytes:
        """A key of 32 octets for one use: no two uses share one."""
        if version not in self._peppers:
            raise UnknownPepperError(version)
        return hmac.digest(self._peppers[version], b"chaski " + use, hashlib.sha256)


class Seals:
    """Texts that only who has the pepper reads, each bound to its owner and its use.

    Args:
        peppers: by version.
        use: what it is for: another use's seals do not open.

    Raises:
        ValueError: no pepper, or one that is too short to be a key.
    """

    def __init__(self, peppers: Mapping[int, bytes], use: bytes) -> None:
        self._peppers = _Peppers(peppers)
        self._use = use

    @property
    def current(self) -> int:
        """The pepper that seals what is new."""
        return self._peppers.current

    def seal(self, owner: str, text: str) -> str:
        """Under the current pepper."""
        nonce = os.urandom(_NONCE_OCTETS)
        cipher = AESGCMSIV(self._peppers.key(self.current, self._use))
        return (nonce + cipher.encrypt(nonce, text.encode(), owner.encode())).hex()

    def open(self, owner: str, sealed: str, version: int) -> str | None:
        """None where this pepper did not seal it, or not for this owner.

        Raises:
            UnknownPepperError: that pepper is not there.
        """
        cipher = AESGCMSIV(self._peppers.key(version, self._use))
        try:
            octets = bytes.fromhex(sealed)
            nonce, closed = octets[:_NONCE_OCTETS], octets[_NONCE_OCTETS:]
            return cipher.decrypt(nonce, closed, owner.encode()).decode()
        except (InvalidTag, ValueError):
            return None


class PepperedArgon2:
    """Argon2id, sealed by the pepper.

    Args:
        peppers: by version; new hashes take the highest one. At least 32 bytes each.
        parameters: what a hash costs.

    Raises:
        ValueError: no pepper, or one that is too short to be a key.
    """

    def __init__(self, peppers: Mapping[int, bytes], parameters: argon2.Parameters) -> None:
        self._seals = Seals(peppers, b"pin")
        self._argon2 = argon2.PasswordHasher.from_parameters(parameters)
        self._at_once = threading.BoundedSemaphore(PIN_VERIFICATIONS_AT_ONCE)

    @property
    def current(self) -> int:
        """The pepper that seals what is new."""
        return self._seals.current

    def hash(self, member_ref: str, pin: Pin) -> tuple[str, int]:
        with self._at_once:
            hashed = self._argon2.hash(_bound(member_ref, pin))
        return self._seals.seal(member_ref, hashed), self.current

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        opened = self._seals.open(member_ref, hashed, pepper_version)
        if opened is None:
            return False
        with self._at_once:
            try:
                return self._argon2.verify(opened, _bound(member_ref, pin))
            except argon2.exceptions.VerifyMismatchError:
                return False

    def outdated(self, member_ref: str, hashed: str, pepper_version: int) -> bool:
        opened = self._seals.open(member_ref, hashed, pepper_version)
        return opened is not None and self._argon2.check_needs_rehash(opened)

    def sealed_anew(self, member_ref: str, hashed: str, pepper_version: int) -> str | None:
        """The same hash under the highest pepper; None where the old one does not open it: somebody
        has written into the table.

        Raises:
            UnknownPepperError: the old pepper is not there.
        """
        opened = self._seals.open(member_ref, hashed, pepper_version)
        return None if opened is None else self._seals.seal(member_ref, opened)


class KeyedHashes:
    """Hashes of codes, DNIs and digits that nobody can make without the pepper.

    Args:
        peppers: as those of the PINs.

    Raises:
        ValueError: no pepper, or one that is too short to be a key.
    """

    def __init__(self, peppers: Mapping[int, bytes]) -> None:
        self._peppers = _Peppers(peppers)

    @property
    def current(self) -> int:
        """The pepper for what is new."""
        return self._peppers.current

    @property
    def versions(self) -> tuple[int, ...]:
        """All that there are."""
        return self._peppers.versions

    def hash(self, use: str, member_ref: str, typed: str, version: int) -> str:
        """Bound to its use and its member: one that is moved elsewhere matches nothing.

        Raises:
            UnknownPepperError: that pepper is not there.
        """
        message = member_ref.encode() + b"\0" + typed.encode()
        return hmac.new(self._peppers.key(version, use.encode()), message, "sha256").hexdigest()


def same(one: str, other: str) -> bool:
    """In a time that does not tell how far they are the same."""
    return hmac.compare_digest(one.encode(), other.encode())


def _bound(member_ref: str, pin: Pin) -> bytes:
    """Bound to the member: a hash that is moved to another row opens nothing."""
    return member_ref.encode() + b"\0" + pin.reveal()
