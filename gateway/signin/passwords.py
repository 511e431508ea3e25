"""What is kept of what staff know and have: a password's hash and the key of one-time codes, each
sealed by the pepper, and recovery codes as keyed hashes."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import threading
from collections.abc import Mapping

import argon2
import pyotp

from gateway.bank.hashing import KeyedHashes, Seals
from gateway.bounds import (
    PIN_VERIFICATIONS_AT_ONCE,
    RECOVERY_CODES,
    STAFF_PASSWORD_CHARS_MAX,
    STAFF_PASSWORD_CHARS_MIN,
    TOTP_STEP_S,
    TOTP_STEPS_AROUND,
)
from gateway.values.secret import Secret

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # read from paper: no i, l, o, 0, 1
_RECOVERY_LETTERS = 12  # 59 bits: with the lock nobody guesses one
_FIRST_PASSWORD_LETTERS = 16
_DIFFERENT_LETTERS_MIN = 5  # `aaaaaaaaaaaa` is long, too


class WeakPasswordError(ValueError):
    """It cannot be a password. `code` is `short`, `long`, `plain` or `login`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Passwords:
    """Hashes and seals of staff's secrets.

    Args:
        peppers: as those of the PINs.
        parameters: what a hash costs.

    Raises:
        ValueError: no pepper, or one that is too short to be a key.
    """

    def __init__(self, peppers: Mapping[int, bytes], parameters: argon2.Parameters) -> None:
        self._argon2 = argon2.PasswordHasher.from_parameters(parameters)
        self._hashes = Seals(peppers, b"staff password")
        self._keys = Seals(peppers, b"staff totp")
        self._keyed = KeyedHashes(peppers)
        self._at_once = threading.BoundedSemaphore(PIN_VERIFICATIONS_AT_ONCE)
        # Of nobody: judged where there is no such person, so that the time does not tell.
        self._nobodys = self._argon2.hash(secrets.token_hex(16))

    @property
    def current(self) -> int:
        """The pepper that seals what is new."""
        return self._hashes.current

    def hash(self, login: str, password: Secret) -> str:
        """What is kept of a password."""
        with self._at_once:
            hashed = self._argon2.hash(_bound(login, password))
        return self._hashes.seal(login, hashed)

    def verify(self, login: str, password: Secret, sealed: str | None, version: int) -> bool:
        """Whether it is the password; as slow where there is none."""
        hashed = self._hashes.open(login, sealed, version) if sealed else None
        with self._at_once:
            try:
                right = self._argon2.verify(hashed or self._nobodys, _bound(login, password))
            except argon2.exceptions.VerifyMismatchError:
                return False
        return right and hashed is not None

    def new_key(self, login: str) -> tuple[str, str]:
        """A key of one-time codes, as an authenticator takes it, and sealed."""
        key = pyotp.random_base32()
        return key, self.seal_key(login, key)

    def seal_key(self, login: str, key: str) -> str:
        """What is kept of a key."""
        return self._keys.seal(login, key)

    def open_key(self, login: str, sealed: str, version: int) -> str | None:
        """The key; None where this pepper did not seal it for them."""
        return self._keys.open(login, sealed, version)

    def recovery_hash(self, login: str, code: Secret) -> str:
        """What is kept of a recovery code. Always under the same pepper as at its making: see
        `recovery_hashes`."""
        typed = code.reveal().replace("-", "").replace(" ", "").lower()
        return self._keyed.hash("staff recovery", login, typed, self.current)

    def recovery_hashes(self, login: str, code: Secret) -> list[str]:
        """What may be kept of it: under each pepper that there is."""
        typed = code.reveal().replace("-", "").replace(" ", "").lower()
        return [
            self._keyed.hash("staff recovery", login, typed, version)
            for version in self._keyed.versions
        ]

    def counted_as(self, use: str, text: str) -> str:
        """Under what name failures are counted: of a login or an address, not itself."""
        return self._keyed.hash(f"staff {use}", "", text.lower(), self.current)


def new_first_password() -> str:
    """A password to be changed at the first sign-in, in groups of four."""
    return _grouped(_FIRST_PASSWORD_LETTERS)


def new_recovery_codes() -> list[str]:
    """To be written down."""
    return [_grouped(_RECOVERY_LETTERS) for _ in range(RECOVERY_CODES)]


def step_of(key: str, code: Secret, now: dt.datetime) -> int | None:
    """The 30 seconds whose code this is, of those around now; None where it is of none.

    Every one is compared, so that the time does not tell which.
    """
    totp = pyotp.TOTP(key, interval=TOTP_STEP_S)
    step = int(now.timestamp()) // TOTP_STEP_S
    typed = code.reveal().replace(" ", "").encode()
    right = [
        each
        for each in range(step - TOTP_STEPS_AROUND, step + TOTP_STEPS_AROUND + 1)
        if hmac.compare_digest(totp.generate_otp(each).encode(), typed)
    ]
    return right[-1] if right else None


def refuse_weak(login: str, password: Secret) -> None:
    """Say why a text cannot be a password.

    Raises:
        WeakPasswordError: it is too short, too long, too plain, or has the login in it.
    """
    text = password.reveal()
    if len(text) < STAFF_PASSWORD_CHARS_MIN:
        raise WeakPasswordError("short")
    if len(text) > STAFF_PASSWORD_CHARS_MAX:
        raise WeakPasswordError("long")
    if len(set(text)) < _DIFFERENT_LETTERS_MIN:
        raise WeakPasswordError("plain")
    if login in text.lower():
        raise WeakPasswordError("login")


def _bound(login: str, password: Secret) -> bytes:
    """Bound to the person: a hash that is moved to another row opens nothing. Cut, since argon2id
    reads all of it."""
    text = password.reveal()[: STAFF_PASSWORD_CHARS_MAX + 1]
    return login.encode() + b"\0" + text.encode("utf-8", "surrogatepass")


def _grouped(letters: int) -> str:
    code = "".join(secrets.choice(_LETTERS) for _ in range(letters))
    return "-".join(code[at : at + 4] for at in range(0, letters, 4))


def authenticator_address(key: str, login: str, cooperative: str) -> str:
    """What the QR code says to an authenticator."""
    return pyotp.TOTP(key, interval=TOTP_STEP_S).provisioning_uri(
        name=login, issuer_name=f"Chaski {cooperative}"
    )


def code_at(key: str, now: dt.datetime) -> str:
    """What an authenticator shows: for the demo, whose key everybody knows, and for tests."""
    return pyotp.TOTP(key, interval=TOTP_STEP_S).at(now)
