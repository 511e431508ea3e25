"""The demo's staff, whose password and codes everybody knows.

They are sealed by the demo's pepper, which production refuses: there nobody can sign in with them.
"""

from __future__ import annotations

import datetime as dt

import argon2

from gateway.bank.hashing import OWASP_2026
from gateway.db.pool import Database
from gateway.settings import DEMO_PEPPER
from gateway.signin.passwords import Passwords, code_at
from gateway.signin.register import Role
from gateway.values.secret import Secret

STAFF = (
    ("ana", Role.SUPPORT),
    ("luis", Role.SUPERVISOR),
    ("marta", Role.SUPERVISOR),
    ("jorge", Role.AUDITOR),
    ("carmen", Role.ADMINISTRATOR),
    ("pedro", Role.ADMINISTRATOR),
)
STAFF_PASSWORD = "papa-camote-yuca"  # noqa: S105 # nosec B105
STAFF_KEY = "CHASKIDEMOCHASKIDEMOCHASKIDEMO23"

_FIRST_STEP = 1  # long before any code of now
_CONNECTIONS = 1


def seed_staff(owner_url: str, price: argon2.Parameters = OWASP_2026) -> None:
    """Have everybody in the register, set up. Who is there stays as they are."""
    passwords = Passwords({1: bytes.fromhex(DEMO_PEPPER)}, price)
    with Database(owner_url, _CONNECTIONS) as database:
        database.open()
        there = {row["login"] for row in database.call("select login from staff.people()")}
        for login, role in STAFF:
            if login not in there:
                _settle_in(database, passwords, login, role)


def _settle_in(database: Database, passwords: Passwords, login: str, role: Role) -> None:
    now = dt.datetime.now(dt.UTC)
    kept = passwords.hash(login, Secret(STAFF_PASSWORD)), passwords.current
    added = database.row(
        "select staff.add(%s, %s, %s, %s, 'demo', %s) as verdict", (login, role.value, *kept, now)
    )
    if added["verdict"] == "asked":
        (asked,) = database.call(
            "select id from staff.requests_waiting() where login = %s", (login,)
        )
        database.call(
            "select staff.decide(%s, true, %s, %s, %s, %s)", (asked["id"], *kept, "carmen", now)
        )
    key = passwords.seal_key(login, STAFF_KEY), passwords.current
    database.call("select staff.offer_totp(%s, %s, %s)", (login, *key))
    database.call(
        "select staff.enrol(%s, %s, %s, %s, '{}', %s, %s)",
        (login, *kept, _FIRST_STEP, f"never used: {login}", now),
    )
    database.call("select staff.end_session(%s, %s)", (f"never used: {login}", now))


def demo_code() -> str:
    """The one-time code of now."""
    return code_at(STAFF_KEY, dt.datetime.now(dt.UTC))
