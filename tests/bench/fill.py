"""A cooperative as large as is asked for, opened by the doors that its staff would use.

Every member has savings with S/ 1,000,000.00 in it and a loan of twelve instalments. The first ones
have PINs hashed as in production, the next ones PINs whose hash costs nothing, and those beyond
have one that nobody knows. What is there already is left: filling goes on where it was stopped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import argon2
import psycopg

from gateway.bank.hashing import CHEAPEST_FOR_TESTS, OWASP_2026, PepperedArgon2
from gateway.bounds import MONEY_MAX_CENTIMOS
from gateway.ledger.schedule import french, months_after
from gateway.settings import DEMO_PEPPER
from gateway.values.money import Money
from gateway.values.pin import Pin
from tests.bench.flows import MEMBERS_WITH_A_SLOW_PIN, PIN

Say = Callable[[str], None]

MEMBERS_WITH_A_PIN = 40_000
OPENING_CENTIMOS = 1_000_000_00
_CHUNK = 10_000
_LOAN = Money(6_000_00)
_TEA_PPM = 300_000
_INSTALMENTS = 12

_MEMBERS = """
select
    count(ledger.open_member(
        'b-' || n, (10000000 + n)::text, 'Rosa', 'Quispe Huaman', '1979-08-30'
    )),
    count(ledger.open_savings(
        's-' || n, 'Ahorro', 'b-' || n, %(opening)s, 0, %(most)s, %(today)s
    )),
    count(bank.register_member(
        'b-' || n, '+5198' || lpad(n::text, 7, '0'), 'Rosa', 'Rosa Q.', 'es'
    ))
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
"""
_LOANS = """
select count(ledger.open_loan(
    'l-' || n, 'Campaña cafe', 'b-' || n, 'personal', %(disbursed)s, %(due)s, %(principal)s,
    %(interest)s, 0, 'opening', %(least)s, %(today)s
))
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
"""
_PIN = "select bank.first_pin(%s, %s, 1)"
_NOBODYS_PIN = """
select count(bank.first_pin('b-' || n, %s, 1)) from generate_series(%s::bigint, %s::bigint) as n
"""


def members_in(owner: psycopg.Connection[tuple[int]]) -> int:
    """How many members are there, PIN and all."""
    row = owner.execute("select count(*) from bank.pin_credential").fetchone()
    return row[0] if row else 0


def fill(owner_url: str, members: int, today: dt.date, say: Say) -> None:
    """Open accounts until there are so many members."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        there = members_in(owner)
        for first, last in _chunks(there - there % _CHUNK + 1, members):
            _open(owner, first, last, today)
            say(f"  {last:,} of {members:,} members")
        if there < members:
            owner.execute("vacuum analyze")


def _open(owner: psycopg.Connection[tuple[int]], first: int, last: int, today: dt.date) -> None:
    """A chunk of members: whole, or not at all."""
    schedule = french(_LOAN, _TEA_PPM, today, _INSTALMENTS)
    values = {
        "first": first,
        "last": last,
        "opening": OPENING_CENTIMOS,
        "most": MONEY_MAX_CENTIMOS,
        "least": -MONEY_MAX_CENTIMOS,
        "today": today,
        "disbursed": today,
        "due": [months_after(today, instalment + 1) for instalment in range(_INSTALMENTS)],
        "principal": [instalment.principal.centimos for instalment in schedule],
        "interest": [instalment.interest.centimos for instalment in schedule],
    }
    with owner.transaction():
        owner.execute(_MEMBERS, values)
        owner.execute(_LOANS, values)
        known = min(last, MEMBERS_WITH_A_PIN)
        hashes = _hashes(first, known)
        with owner.cursor() as cursor:
            cursor.executemany(_PIN, [(ref, hashed) for ref, hashed in hashes])
        owner.execute(_NOBODYS_PIN, (_dear("nobody"), max(first, known + 1), last))


def _hashes(first: int, last: int) -> list[tuple[str, str]]:
    """The hashed PINs of these members: the slow ones on all cores."""
    slow = range(first, min(last, MEMBERS_WITH_A_SLOW_PIN) + 1)
    quick = range(max(first, MEMBERS_WITH_A_SLOW_PIN + 1), last + 1)
    with ThreadPoolExecutor() as threads:
        dear = list(threads.map(lambda n: (f"b-{n}", _dear(f"b-{n}")), slow))
    return dear + [(f"b-{n}", _hashed(f"b-{n}", _QUICK)) for n in quick]


def _dear(ref: str) -> str:
    return _hashed(ref, _SLOW)


def _hashed(ref: str, hasher: PepperedArgon2) -> str:
    hashed, _ = hasher.hash(ref, Pin(PIN))
    return hashed


def _hasher(parameters: argon2.Parameters) -> PepperedArgon2:
    return PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, parameters)


_SLOW, _QUICK = _hasher(OWASP_2026), _hasher(CHEAPEST_FOR_TESTS)


def _chunks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """From the first to the last, a chunk at a time."""
    while first <= last:
        yield first, min(first + _CHUNK - 1, last)
        first += _CHUNK
