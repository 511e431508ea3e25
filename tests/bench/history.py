"""Transfers of the past: what `ledger.post` writes for one, copied with other keys.

Members stand in a ring: each pays the next, and the last the first. So all balances stay as they
are, and the books are right without touching them. One order a second, the last of them a day ago.
"""

from __future__ import annotations

import psycopg

from tests.bench import bulk
from tests.bench.fill import Say, take_ids
from tests.bench.models import Keys, Owner, copy, written

_CHUNK = 100_000

_POST = "select ledger.post(gen_random_uuid(), 's-1', 's-2', 100, null, current_date)"
_SAVINGS = """
create temporary table saver on commit preserve rows as
select row_number() over (order by id) as n, id, code from ledger.account where kind = 'savings'
"""
_ORDERED = "create unique index on saver (n); analyze saver"
_RING = """(
    select
        n - %(first)s as place, id as payer_id, code as payer,
        coalesce(lead(id) over ring, first_value(id) over ring) as payee_id,
        coalesce(lead(code) over ring, first_value(code) over ring) as payee
    from saver where n between %(first)s and %(last)s
    window ring as (order by n)
) as ring"""
_ID = "%(decision)s + place"
_AT = "now() - interval '1 day' - make_interval(secs => %(left)s - place)"
_KEYS: Keys = {
    "ledger.decision": {
        "id": _ID,
        "key": "gen_random_uuid()",
        "source": "payer",
        "target": "payee",
        "business_date": f"({_AT})::date",
        "decided_at": _AT,
    },
    "ledger.transfer": {
        "decision_id": _ID,
        "debit_account_id": "payer_id",
        "credit_account_id": "payee_id",
    },
}


def fill_up(owner_url: str, entries: int, say: Say, *, chunk: int = _CHUNK) -> None:
    """Transfers of the past until there are so many entries, two a transfer."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("set synchronous_commit = off")
        left = entries // 2 - _count(owner, "ledger.transfer")
        if left <= 0:
            return
        owner.execute(_SAVINGS)
        owner.execute(_ORDERED)
        savers = _count(owner, "saver")
        model = written(owner, lambda: owner.execute(_POST))
        posted = {table: rows for table, rows in model.items() if table != "ledger.balance"}
        bulk.begin(owner, list(posted))
        first = 1
        while left > 1:  # a ring has two members at least
            last = min(first + min(chunk, left) - 1, savers)
            values = {"first": first, "last": last, "left": left}
            with owner.transaction():
                values["decision"] = take_ids(owner, "ledger.decision", last - first + 1)
                copy(owner, posted, _KEYS, _RING, values)
            left -= last - first + 1
            first = last + 1 if last < savers - 1 else 1
            say(f"  {left:,} transfers left")
        bulk.end(owner_url, owner)


def _count(owner: Owner, table: str) -> int:
    row = owner.execute(f"select count(*) from {table}".encode()).fetchone()  # noqa: S608
    return row[0] if row else 0
