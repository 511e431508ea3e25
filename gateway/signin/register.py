"""The people who may sign in, their sessions, and what administrators do with both."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.bounds import (
    STAFF_ADDRESS_TRIES,
    STAFF_IDLE_S,
    STAFF_LOCK_S,
    STAFF_LOGIN_TRIES,
    STAFF_SESSION_S,
)
from gateway.db.pool import Database, Row
from gateway.signin.passwords import (
    Passwords,
    new_first_password,
    new_recovery_codes,
    refuse_weak,
    step_of,
)
from gateway.values.secret import Secret

LOGIN = re.compile(r"[a-z][a-z0-9.-]{1,30}")
_TOKEN_OCTETS = 32
_LOCK = dt.timedelta(seconds=STAFF_LOCK_S)


class Role(StrEnum):
    """What somebody of staff works as."""

    SUPPORT = "support"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Stage(StrEnum):
    """How far a session is."""

    ENROLLING = "enrolling"  # a first password: one's own, and the codes, come first
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in."""

    login: str
    role: Role
    language: str
    stage: Stage
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed to sign in."""

    login: str = field(repr=False)
    password: Secret
    code: Secret


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a deed of an administrator: `verdict` is done, asked (another one has to
    agree), waits, known, unknown, oneself, none, decided or same_person. The first password is
    shown once."""

    verdict: str
    first_password: str = field(default="", repr=False)


class Register:
    """The register of staff.

    Args:
        database: signed in as chaski_staff, or as the owner.
        passwords: with the peppers that the gateway has.
        now: the clock, aware.
    """

    def __init__(
        self, database: Database, passwords: Passwords, now: Callable[[], dt.datetime]
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._now = now

    def sign_in(self, typed: Typed, address: str) -> str | None:
        """The token of a new session; None where anything is wrong, and nobody is told what.

        Raises:
            DatabaseUnavailableError: nobody can sign in now.
        """
        login = typed.login.strip().lower()
        known_by = self._passwords.counted_as("login", login)
        comes_from = self._passwords.counted_as("address", address)
        rows = self._claimed(login, known_by, comes_from)
        if not rows:
            self._passwords.verify(login, typed.password, None, 0)  # as slow as ever
            return None
        (row,) = rows
        token = self._began(typed, login, row, known_by, comes_from)
        if token is None:
            self._database.call("select staff.note_failed(%s, %s)", (row["login"], self._now()))
        return token

    def _claimed(self, login: str, known_by: str, comes_from: str) -> list[Row]:
        """Count a try; no row: it is not to be judged."""
        return self._database.call(
            "select * from staff.claim_try(%s, %s, %s, %s, %s, %s, %s)",
            (
                *(login if LOGIN.fullmatch(login) else "", known_by, STAFF_LOGIN_TRIES),
                *(comes_from, STAFF_ADDRESS_TRIES, _LOCK, self._now()),
            ),
        )

    def _began(
        self, typed: Typed, login: str, row: Row, known_by: str, comes_from: str
    ) -> str | None:
        right = self._passwords.verify(
            login, typed.password, row["password"], row["pepper_version"] or 0
        )
        step, recovery = self._judged(login, typed.code, row)
        if not right or (row["enrolled"] and step is None and not recovery):
            return None
        stage = Stage.FULL if row["enrolled"] else Stage.ENROLLING
        # Of several peppers a recovery code is tried under each: one at the most is kept.
        spent: list[str] | list[None] = recovery or [None]
        for each in spent:
            token, token_hash = _new_token()
            began = self._database.row(
                "select staff.begin_session(%s, %s, %s, %s, %s, %s, %s, %s) as began",
                (
                    *(login, known_by, comes_from, stage.value),
                    *(step if row["enrolled"] else None, each, token_hash, self._now()),
                ),
            )
            if began["began"]:
                self._seal_anew(login, typed.password, row)
                return token
        return None

    def _judged(self, login: str, code: Secret, row: Row) -> tuple[int | None, list[str]]:
        """A one-time code's step, or what a recovery code may be kept as."""
        key = self._key(login, row)
        step = step_of(key, code, self._now()) if key else None
        if step is not None or not row["enrolled"] or not code.reveal():
            return step, []
        return None, self._passwords.recovery_hashes(login, code)

    def _key(self, login: str, row: Row) -> str | None:
        if row["totp"] is None:
            return None
        return self._passwords.open_key(login, row["totp"], row["totp_version"])

    def _seal_anew(self, login: str, password: Secret, row: Row) -> None:
        current = self._passwords.current
        if row["pepper_version"] == current and row["totp_version"] in (None, current):
            return
        key = self._key(login, row)
        self._database.call(
            "select staff.seal_anew(%s, %s, %s, %s, %s, %s)",
            (
                *(login, row["password"], self._passwords.hash(login, password), current),
                *((self._passwords.seal_key(login, key), current) if key else (None, None)),
            ),
        )

    def visit(self, token: str, *, touch: bool) -> Visitor | None:
        """Who comes with this token; None where the session is over. `touch`: somebody did
        something.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call(
            "select * from staff.visit(%s, %s, %s, %s, %s)",
            (
                _hashed(token),
                dt.timedelta(seconds=STAFF_IDLE_S),
                dt.timedelta(seconds=STAFF_SESSION_S),
                touch,
                self._now(),
            ),
        )
        if not rows:
            return None
        (row,) = rows
        return Visitor(row["login"], Role(row["role"]), row["language"], Stage(row["stage"]), token)

    def sign_out(self, token: str) -> None:
        """End a session, whoever else has its token."""
        self._database.call("select staff.end_session(%s, %s)", (_hashed(token), self._now()))

    def offer_key(self, login: str) -> str:
        """The key for somebody's authenticator: a new one each time, until one is proven."""
        key, sealed = self._passwords.new_key(login)
        self._database.call(
            "select staff.offer_totp(%s, %s, %s)", (login, sealed, self._passwords.current)
        )
        return key

    def offered_key(self, login: str) -> str:
        """The key that was offered last, so that a form that is shown again has the same."""
        row = self._credentials(login)
        return (row and self._key(login, row)) or self.offer_key(login)

    def enrol(self, login: str, password: Secret, code: Secret) -> tuple[str, list[str]] | None:
        """A password of one's own and codes that work: a new session's token, and recovery codes,
        which are shown once. None where the code is not right.

        Raises:
            WeakPasswordError: it cannot be a password.
        """
        row = self._credentials(login)
        key = self._key(login, row) if row else None
        step = step_of(key, code, self._now()) if key else None
        if row is None or step is None:
            return None
        refuse_weak(login, password)
        codes, (token, token_hash) = new_recovery_codes(), _new_token()
        hashes = [self._passwords.recovery_hash(login, Secret(each)) for each in codes]
        done = self._database.row(
            "select staff.enrol(%s, %s, %s, %s, %s, %s, %s) as done",
            (
                *(login, self._passwords.hash(login, password), self._passwords.current),
                *(step, hashes, token_hash, self._now()),
            ),
        )
        return (token, codes) if done["done"] else None

    def change_password(self, login: str, old: Secret, new: Secret, address: str) -> str | None:
        """A new session's token; every other one is over. None where the old one is not right:
        that counts as a failed sign-in.

        Raises:
            WeakPasswordError: the new one cannot be a password.
        """
        refuse_weak(login, new)
        known_by = self._passwords.counted_as("login", login)
        rows = self._claimed(login, known_by, self._passwords.counted_as("address", address))
        hashed, version = (rows[0]["password"], rows[0]["pepper_version"]) if rows else (None, 0)
        if not self._passwords.verify(login, old, hashed, version):
            self._database.call("select staff.note_failed(%s, %s)", (login, self._now()))
            return None
        token, token_hash = _new_token()
        done = self._database.row(
            "select staff.change_password(%s, %s, %s, %s, %s, %s, %s) as done",
            (
                *(login, hashed, self._passwords.hash(login, new), self._passwords.current),
                *(known_by, token_hash, self._now()),
            ),
        )
        return token if done["done"] else None

    def set_language(self, login: str, language: str) -> None:
        """From now on they read the console in it."""
        self._database.call("select staff.set_language(%s, %s)", (login, language))

    def people(self) -> list[Row]:
        """Everybody, and when they were here last."""
        return self._database.call("select * from staff.people()")

    def waiting(self) -> list[Row]:
        """What another administrator has to agree to."""
        return self._database.call("select * from staff.requests_waiting()")

    def add(self, login: str, role: Role, by: str) -> Made:
        """Somebody new, with a first password."""
        return self._made(
            "select staff.add(%s, %s, %s, %s, %s, %s) as verdict", login, (role.value,), by
        )

    def reset(self, login: str, by: str) -> Made:
        """A new first password, and the codes anew, for who has lost them."""
        return self._made("select staff.reset_person(%s, %s, %s, %s, %s) as verdict", login, (), by)

    def change_role(self, login: str, role: Role, by: str) -> Made:
        """Another role, and a new sign-in."""
        return self._verdict(
            "select staff.change_role(%s, %s, %s, %s) as verdict",
            (login, role.value, by, self._now()),
        )

    def disable(self, login: str, by: str) -> Made:
        """Shut somebody out, at once."""
        return self._verdict(
            "select staff.disable(%s, %s, %s) as verdict", (login, by, self._now())
        )

    def decide(self, number: int, by: str, *, approve: bool) -> Made:
        """Agree to what another administrator asked for, or not."""
        asked = next((row for row in self.waiting() if row["id"] == number), None)
        first, hashed = self._first_password(asked["login"] if asked else "nobody")
        made = self._verdict(
            "select staff.decide(%s, %s, %s, %s, %s, %s) as verdict",
            (number, approve, hashed, self._passwords.current, by, self._now()),
        )
        gives = approve and asked is not None and asked["kind"] != "role"
        return Made(made.verdict, first if gives and made.verdict == "done" else "")

    def _made(self, sql: str, login: str, more: tuple[str, ...], by: str) -> Made:
        first, hashed = self._first_password(login)
        made = self._verdict(sql, (login, *more, hashed, self._passwords.current, by, self._now()))
        return Made(made.verdict, first if made.verdict == "done" else "")

    def _verdict(self, sql: str, params: tuple[object, ...]) -> Made:
        return Made(self._database.row(sql, params)["verdict"])

    def _first_password(self, login: str) -> tuple[str, str]:
        first = new_first_password()
        return first, self._passwords.hash(login, Secret(first))

    def _credentials(self, login: str) -> Row | None:
        rows = self._database.call("select * from staff.credentials(%s)", (login,))
        return rows[0] if rows else None


def _new_token() -> tuple[str, str]:
    token = secrets.token_urlsafe(_TOKEN_OCTETS)
    return token, _hashed(token)


def _hashed(token: str) -> str:
    """Random enough to need no key and no slowness."""
    return hashlib.sha256(token.encode()).hexdigest()
