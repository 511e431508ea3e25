"""How long the programme's pages take with ten million events of 40,000 members:
`scripts/bench-dashboard`."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg

from gateway.db.migrations import migrate
from gateway.db.pool import Database
from gateway.demo.life.people import DISTRICTS
from gateway.embedded import Embedded, Endpoints
from gateway.programme.summing import Summing
from tests.cooperative import founded
from tests.house import staffed

say = click.echo

PAGES = ("/programa", "/programa/uso", "/programa/costo", "/programa/distritos.csv")
ZONE = "America/Lima"
DAYS = 91
BOUND_MS = 200

_MEMBERS = """
    insert into bank.member (member_ref, msisdn, first_name, short_name, district, rural)
    select 'b-' || n, '+5191' || lpad(n::text, 7, '0'), 'Eva', 'Eva P.',
        (%s::text[])[1 + n %% %s], n %% 3 <> 0
    from generate_series(1, %s) as n
"""
_PINS = """
    insert into bank.pin_credential (member_ref, hash, pepper_version)
    select member_ref, 'none', 1 from bank.member where member_ref like 'b-%' and rural
"""
# A session every few seconds, day and night; who it is and how it goes comes from its number.
_EVENTS = """
    insert into events.event (
        day, at, source, number, kind, session, member, channel, network, language, district,
        journey, step, misread, operation, outcome, band, ended, cause
    )
    select
        (t.at at time zone %(zone)s)::date, t.at + e.place * interval '12 seconds', 1,
        n * 10 + e.place, e.kind, n,
        case when e.place = 0 then 1 + n %% %(members)s end,
        case when n %% 7 = 0 then 'infobip' else 'africastalking' end,
        case when e.place = 0 then (array['71610', '71606', '71615'])[1 + n %% 3] end,
        case when e.place = 0 then 'es' end,
        case when e.place = 0 then (%(districts)s::text[])[1 + n %% %(of)s] end,
        e.journey, e.step, case when e.kind = 'step.reached' then n %% 17 = 0 end,
        e.operation,
        case when e.operation is not null then
            case when n %% 11 = 0 then 'wrong_pin' else 'done' end
        end,
        case when e.operation is not null then '50-100' end, e.ended,
        case when e.ended is not null then '' end
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    cross join lateral (
        select %(begin)s::timestamptz + n * %(gap)s::interval as at
    ) as t
    cross join lateral (
        values
            (0, 'session.began', null, null, null, null),
            (1, 'step.reached', 'home', 'menu', null, null),
            (2, 'step.reached', 'send', 'payee', null, null),
            (3, 'step.reached', 'send', 'amount', null, null),
            (4, 'step.reached', 'send', 'confirm', null, null),
            (5, 'operation.ended', 'send', null, 'transfers.send', null),
            (6, 'session.ended', null, null, null, 'finished')
    ) as e (place, kind, journey, step, operation, ended)
    where e.place < 3 + n %% 9 -- some are lost on the way
"""
_ORDERS = """
    insert into instructions.instruction (
        key, operation, member_ref, counterparty_ref, source, target, amount_centimos,
        business_date, channel, state, reference, accepted_at, settled_at
    )
    select
        gen_random_uuid(), 'transfers.send', 'b-' || 1 + n %% %(members)s, 'b-1', 's', 't', 5000,
        (t.at at time zone %(zone)s)::date, 'africastalking', 'posted', n::text, t.at, t.at
    from generate_series(4, %(sessions)s, 4) as n
    cross join lateral (
        select %(begin)s::timestamptz + n * %(gap)s::interval as at
    ) as t
"""
_MESSAGES = """
    with told as (
        insert into notices.outbox (fact, member_ref, detail, created_at, state, settled_at)
        select 'transfer_sent', member_ref, '{}', settled_at, 'sent', settled_at
        from instructions.instruction
        returning id, settled_at
    )
    insert into notices.submissions (sender, provider_id, notice_id, taken_at, segments)
    select 'simulated', id::text, id, settled_at, 1 from told
"""


def main() -> None:
    """Make them, sum them, and say how long each page takes; 1 if one takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--members", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=15, help="each page so often")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaski-bench-"))
    folder.chmod(0o711)
    try:
        with Embedded(folder, say) as endpoints:
            migrate(endpoints.owner_url)
            slowest = _measured(endpoints, asked.events, asked.members, asked.rounds)
    finally:
        shutil.rmtree(folder)
    sys.exit(slowest >= BOUND_MS)


def _measured(endpoints: Endpoints, events: int, members: int, rounds: int) -> float:
    """The median of the slowest page, ms."""
    urls = (endpoints.owner_url, endpoints.app_url)
    with founded(urls, (endpoints.sessions_url, endpoints.queue_url)) as cooperative:
        now = cooperative.clock.now()
        with _told("made"):
            _fill(endpoints.owner_url, events, members, now)
        with _told("summed, all 91 days"):
            _sum(endpoints.app_url, now)
        with _told("a day more summed, as every minute"):
            _sum(endpoints.app_url, now + dt.timedelta(minutes=2))
        with staffed(cooperative, urls) as house:
            ana = house.signed_in("ana")
            medians = []
            for path in PAGES:
                taken = [_ms(lambda path=path: ana.see(path)) for _ in range(rounds)]  # type: ignore[misc]
                medians.append(statistics.median(taken))
                kilobytes = len(ana.see(path).get_data()) / 1000
                say(
                    f"{path}: median {medians[-1]:.0f} ms, slowest {max(taken):.0f} ms,"
                    f" {kilobytes:.0f} kB"
                )
    return max(medians)


def _fill(owner_url: str, events: int, members: int, now: dt.datetime) -> None:
    codes = [district.code for district in DISTRICTS]
    # Some sessions end early: nine of them have 53 events.
    sessions = events * 9 // 53 + 1
    begin = now - dt.timedelta(days=DAYS)
    given = {
        "zone": ZONE,
        "members": members,
        "districts": codes,
        "of": len(codes),
        "begin": begin,
        "gap": dt.timedelta(days=DAYS) / (sessions + 100),
        "sessions": sessions,
    }
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("set synchronous_commit = off")
        owner.execute(_MEMBERS, (codes, len(codes), members))
        owner.execute(_PINS)
        for month in range(5):
            owner.execute(
                "select events.make_month((%s::date + make_interval(months => %s))::date)",
                (begin, month),
            )
        step = max(sessions // 10, 1)
        for first in range(1, sessions + 1, step):
            last = min(first + step - 1, sessions)
            owner.execute(_EVENTS, {**given, "first": first, "last": last})
        owner.execute("insert into events.touched select distinct day from events.event")
        owner.execute(_ORDERS, given)
        owner.execute(_MESSAGES)
        owner.execute("vacuum analyze")
        (made,) = owner.execute("select count(*) from events.event").fetchone() or (0,)
        say(f"{made:,} events of {sessions:,} sessions, {members:,} members")


def _sum(app_url: str, now: dt.datetime) -> None:
    with Database(app_url, 2) as database:
        database.open()

        @contextlib.contextmanager
        def patient() -> Iterator[Database]:
            with Database(app_url, 2, patient=True) as slow:
                slow.open()
                yield slow

        days = Summing(database, patient, ZONE, lambda: now).run()
        say(f"{days} days")


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - began:.1f} s")


def _ms(do: object) -> float:
    began = time.perf_counter()
    do()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
