"""A cooperative as large as is asked for: a member that the doors open, and all others like it.

Every member has savings with S/ 1,000,000.00 in it and a loan of twelve instalments. The first ones
have PINs hashed as in production, the next ones PINs whose hash costs nothing, and those beyond
have one that nobody knows. What is there already is left: filling goes on where it was stopped.

The doors that staff and migration use for all this write no line to the audit trail (they are the
owner's, before the first day), and so there is none for those who are filled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import argon2
import psycopg

from gateway.bank.hashing import CHEAPEST_FOR_TESTS, OWASP_2026, PepperedArgon2
from gateway.bounds import MONEY_MAX_CENTIMOS
from gateway.ledger.schedule import french, months_after
from gateway.settings import DEMO_PEPPER
from gateway.values.money import Money
from gateway.values.pin import Pin
from tests.bench import bulk
from tests.bench.flows import MEMBERS_WITH_A_SLOW_PIN, PIN
from tests.bench.models import Keys, Model, Owner, copy, written

Say = Callable[[str], None]

MEMBERS_WITH_A_PIN = 40_000
OPENING_CENTIMOS = 1_000_000_00
_CHUNK = 40_000
_LOAN = Money(6_000_00)
_TEA_PPM = 300_000
_INSTALMENTS = 12

_MEMBER = """
select
    ledger.open_member('b-' || n, (10000000 + n)::text, 'Rosa', 'Quispe Huaman', '1979-08-30'),
    ledger.open_savings('s-' || n, 'Ahorro', 'b-' || n, %(opening)s, 0, %(most)s, %(today)s),
    bank.register_member('b-' || n, '+5198' || lpad(n::text, 7, '0'), 'Rosa', 'Rosa Q.', 'es'),
    ledger.open_loan(
        'l-' || n, 'Campaña cafe', 'b-' || n, 'personal', %(today)s, %(due)s, %(principal)s,
        %(interest)s, 0, 'opening', %(least)s, %(today)s
    )
from cast(%(number)s as bigint) as n
"""
_PIN = "select bank.first_pin(%s, %s, 1)"

_MODEL = 9_999_999  # a number that no member has
PINS = "bank.pin_credential"
_REF = "'b-' || n"
# The ids of a member's rows lie side by side, and on from the last member's.
_ACCOUNT = "%(account)s + (n - %(first)s) * %(accounts)s + t.{0} - %(model_account)s"
_OURS_OR_THEIRS = f"case when t.{{0}} < %(model_account)s then t.{{0}} else {_ACCOUNT} end"
_DECISION = "%(decision)s + (n - %(first)s) * %(decisions)s + t.{0} - %(model_decision)s"
_CODE = "replace(t.{0}, %(number)s, n::text)"


def _by(expression: str, *columns: str) -> dict[str, str]:
    return {column: expression.format(column) for column in columns}


_KEYS: Keys = {
    "ledger.member": {"member_ref": _REF, "dni": "(10000000 + n)::text"},
    "ledger.account": _by(_ACCOUNT, "id") | _by(_CODE, "code") | {"member_ref": _REF},
    "ledger.balance": _by(_ACCOUNT, "account_id"),
    "ledger.decision": {
        **_by(_DECISION, "id"),
        **_by(_CODE, "source", "target"),
        "key": "gen_random_uuid()",
    },
    "ledger.transfer": {
        **_by(_DECISION, "decision_id"),
        **_by(_OURS_OR_THEIRS, "debit_account_id", "credit_account_id"),
    },
    "ledger.loan": _by(_ACCOUNT, "account_id"),
    "ledger.instalment": _by(_ACCOUNT, "loan_id"),
    "bank.member": {"member_ref": _REF, "msisdn": "'+5198' || lpad(n::text, 7, '0')"},
    PINS: {"member_ref": _REF},
}
_EACH = "generate_series(%(first)s::bigint, %(last)s::bigint) as n"


def members_in(owner: Owner) -> int:
    """How many members are there, PIN and all."""
    row = owner.execute("select count(*) from bank.pin_credential").fetchone()
    return row[0] if row else 0


def fill(
    owner_url: str,
    members: int,
    today: dt.date,
    say: Say,
    *,
    known: int = MEMBERS_WITH_A_PIN,
    chunk: int = _CHUNK,
) -> None:
    """Write accounts until there are so many members, the first of them with PINs that we know."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("set synchronous_commit = off")
        bulk.catch_up(owner_url, owner)
        there = members_in(owner)
        if there >= members:
            return
        model = written(owner, lambda: open_by_the_doors(owner, _MODEL, today, _nobodys()))
        # First PINs come through their door, which asks an index.
        bulk.begin(owner, [table for table in model if table != PINS])
        for first, last in chunks(there + 1, members, chunk):
            _write(owner, model, first, last, known)
            say(f"  {last:,} of {members:,} members")
        bulk.end(owner_url, owner)


def open_by_the_doors(owner: Owner, number: int, today: dt.date, hashed_pin: str) -> None:
    """One member, by the doors that staff would use."""
    schedule = french(_LOAN, _TEA_PPM, today, _INSTALMENTS)
    values = {
        "number": number,
        "opening": OPENING_CENTIMOS,
        "most": MONEY_MAX_CENTIMOS,
        "least": -MONEY_MAX_CENTIMOS,
        "today": today,
        "due": [months_after(today, instalment + 1) for instalment in range(_INSTALMENTS)],
        "principal": [instalment.principal.centimos for instalment in schedule],
        "interest": [instalment.interest.centimos for instalment in schedule],
    }
    owner.execute(_MEMBER, values)
    owner.execute(_PIN, (f"b-{number}", hashed_pin))


def _write(owner: Owner, model: Model, first: int, last: int, known: int) -> None:
    """A chunk of members: whole, or not at all."""
    hashes = _hashes(first, min(last, known))
    values: dict[str, object] = {"first": first, "last": last, "number": str(_MODEL)}
    with owner.transaction():
        for name in ("account", "decision"):
            ids = [row["id"] for row in model[f"ledger.{name}"]]
            count = (last - first + 1) * len(ids)
            values |= {
                name: take_ids(owner, f"ledger.{name}", count),
                f"{name}s": len(ids),
                f"model_{name}": min(ids),
            }
        copy(owner, {t: r for t, r in model.items() if t != PINS}, _KEYS, _EACH, values)
        with owner.cursor() as cursor:
            cursor.executemany(_PIN, [(ref, hashed) for ref, hashed in hashes])
        beyond = {**values, "first": max(first, known + 1)}
        copy(owner, {PINS: model[PINS]}, _KEYS, _EACH, beyond)


def take_ids(owner: Owner, table: str, count: int) -> int:
    """The first of so many ids in a row, which nobody else gets."""
    found = owner.execute("select pg_get_serial_sequence(%s, 'id')::regclass::oid", (table,))
    sequence = found.fetchone()
    assert sequence
    row = owner.execute("select nextval(%s::oid::regclass)", sequence).fetchone()
    assert row
    owner.execute("select setval(%s::oid::regclass, %s)", (*sequence, row[0] + count - 1))
    return int(row[0])


def _hashes(first: int, last: int) -> list[tuple[str, str]]:
    """The hashed PINs of these members: the slow ones on all cores."""
    slow = range(first, min(last, MEMBERS_WITH_A_SLOW_PIN) + 1)
    quick = range(max(first, MEMBERS_WITH_A_SLOW_PIN + 1), last + 1)
    with ThreadPoolExecutor() as threads:
        dear = list(threads.map(lambda n: (f"b-{n}", _hashed(f"b-{n}", SLOW)), slow))
    return dear + [(f"b-{n}", _hashed(f"b-{n}", _QUICK)) for n in quick]


@cache
def _nobodys() -> str:
    return _hashed("nobody", SLOW)


def _hashed(ref: str, hasher: PepperedArgon2) -> str:
    hashed, _ = hasher.hash(ref, Pin(PIN))
    return hashed


def _hasher(parameters: argon2.Parameters) -> PepperedArgon2:
    return PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, parameters)


SLOW, _QUICK = _hasher(OWASP_2026), _hasher(CHEAPEST_FOR_TESTS)


def chunks(first: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    """From the first to the last, a chunk at a time."""
    while first <= last:
        yield first, min(first + size - 1, last)
        first += size
