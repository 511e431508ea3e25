"""Sums by the day: whatever comes late, twice or out of order, they are what a recount says.

Method: sessions are drawn, told in batches that are shuffled and partly repeated, with sums between
any two; at the end each sum is compared with a plain count over the events.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bounds import ROLL_UP_EVERY_S
from gateway.db.pool import Database
from gateway.programme.summing import Summing
from tests.cooperative import MORNING, Cooperative
from tests.people import MARIA, ROSA, SEGUNDO

ZONE = "America/Lima"
LATER = MORNING + dt.timedelta(hours=1)
SUMS = (
    *(
        "session_day",
        "caller_day",
        "step_day",
        "request_day",
        "reached_day",
        "order_day",
        "message_day",
    ),
    *("activity_day", "reach_day", "register_day"),
)


@dataclass
class Books:
    """A database, the duty, and its clock."""

    owner: psycopg.Connection[Any]
    database: Database
    now: dt.datetime = LATER

    def append(self, events: list[dict[str, Any]]) -> None:
        self.database.call("select events.append(%s::jsonb)", (json.dumps(events),))

    def sum(self) -> int:
        """Let the duty come round."""
        self.now += dt.timedelta(seconds=ROLL_UP_EVERY_S)
        summing = Summing(self.database, lambda: _opened(self.database), ZONE, lambda: self.now)
        return summing.run()

    def all_sums(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            name: sorted(self.owner.execute(f"select * from programme.{name}").fetchall())  # noqa: S608
            for name in SUMS
        }

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return sorted(self.owner.execute(sql).fetchall())

    def empty(self) -> None:
        tables = (*SUMS, "active_day", "due", "count_due", "looked")
        names = ", ".join(f"programme.{name}" for name in tables)
        self.owner.execute(f"truncate events.event, events.touched, {names}")


class _opened:  # noqa: N801 - a context manager that leaves the test's own database open
    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Database:
        return self._database

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def books(database_urls: tuple[str, str]) -> Iterator[Books]:
    owner_url, app_url = database_urls
    with psycopg.connect(owner_url, autocommit=True) as owner, Database(app_url, 2) as database:
        database.open()
        yield Books(owner, database)


@dataclass(frozen=True)
class Session:
    """A conversation, as it may go."""

    began: dt.datetime
    member: int
    journey: str
    steps: tuple[str, ...]
    answer: str
    end: str

    def told(self, number: int) -> list[dict[str, Any]]:
        """As events; `number` names the session."""
        kinds: list[dict[str, Any]] = [
            {
                "kind": "session.began",
                "member": self.member,
                "network": "71610",
                "language": "es",
                "district": "200101",
            }
        ]
        kinds += [
            {"kind": "step.reached", "journey": self.journey, "step": step, "misread": False}
            for step in self.steps
        ]
        if self.answer:
            kinds.append(
                {
                    "kind": "operation.ended",
                    "journey": self.journey,
                    "operation": f"{self.journey}.do",
                    "outcome": self.answer,
                    "band": "",
                }
            )
        if self.end:
            kinds.append({"kind": "session.ended", "ended": self.end, "cause": "why"})
        return [
            {
                **fields,
                "session": number,
                "channel": "ussd",
                "source": 7,
                "number": number * 100 + place,
                "at": (at := self.began + dt.timedelta(seconds=20 * place)).isoformat(),
                "day": (at - dt.timedelta(hours=5)).date().isoformat(),
            }
            for place, fields in enumerate(kinds)
        ]


# Ten days, the minutes around midnight in Lima (5:00 UTC) more often.
MOMENTS = st.builds(
    lambda days, minutes: MORNING.replace(hour=5, minute=0) - dt.timedelta(days, minutes * 60),
    st.integers(0, 9),
    st.one_of(st.integers(-2, 2), st.integers(0, 1000)),
)
SESSIONS = st.builds(
    Session,
    began=MOMENTS,
    member=st.integers(0, 4),
    journey=st.sampled_from(("send", "balance")),
    steps=st.lists(
        st.sampled_from(("menu", "payee", "amount", "confirm")), max_size=4, unique=True
    ).map(tuple),
    answer=st.sampled_from(("", "done", "wrong_pin", "insufficient_funds")),
    end=st.sampled_from(("", "finished", "failed", "left")),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sessions=st.lists(SESSIONS, min_size=1, max_size=12),
    chance=st.randoms(use_true_random=False),
)
def test_sums_are_what_a_recount_says(
    books: Books, sessions: list[Session], chance: random.Random
) -> None:
    books.empty()
    events = [event for number, one in enumerate(sessions, 1) for event in one.told(number)]
    late_and_twice = events + chance.sample(events, len(events) // 2)
    chance.shuffle(late_and_twice)
    while late_and_twice:
        batch = [late_and_twice.pop() for _ in range(min(len(late_and_twice), 9))]
        books.append(batch)
        if chance.random() < 0.5:
            books.sum()
    books.sum()
    kept = books.all_sums()

    assert books.ask("select sum(sessions), sum(hops) from programme.session_day") == books.ask(
        "select count(distinct session), count(*) filter (where kind = 'step.reached')"
        " from events.event"
    )
    assert books.ask(
        "select ended, sum(sessions) from programme.session_day group by 1"
    ) == books.ask(
        "select coalesce(ended, 'timed_out'), count(*) from ("
        " select session, max(ended) as ended from events.event group by session"
        ") as s group by 1"
    )
    assert books.ask(
        "select step, sum(reached) from programme.step_day where step <> 'done' group by 1"
    ) == books.ask(
        "select step, count(distinct session) from events.event"
        " where kind = 'step.reached' and step <> 'menu' group by 1"
    )
    assert books.ask("select sum(sessions) from programme.session_day where result = 'done'") == (
        books.ask(
            "select nullif(count(distinct session), 0) from events.event"
            " where kind = 'operation.ended' and outcome = 'done'"
        )
    )
    assert books.ask(
        "select day, outcome, sum(requests) from programme.request_day group by 1, 2"
    ) == books.ask(
        "select day, outcome, count(*) from events.event where kind = 'operation.ended'"
        " group by 1, 2"
    )
    assert (
        books.ask(
            "select reached_30 from programme.reach_day where as_of = (select max(as_of) from"
            " programme.reach_day)"
        )
        == books.ask("select nullif(count(distinct member), 0) from events.event where member > 0")[
            : 1 if any(one.member for one in sessions) else 0
        ]
    )

    books.owner.execute("select programme.recount()")
    books.sum()
    assert books.all_sums() == kept, "summed again, the same comes out"


def test_a_session_that_is_still_going_on_is_not_judged(books: Books) -> None:
    """Ten minutes later it has timed out, and nobody had to say so."""
    silent = Session(LATER, 1, "send", ("payee",), "", "")
    books.append(silent.told(1))
    books.sum()
    ended = "select ended, result, cause from programme.session_day"
    assert books.ask(ended) == []

    books.now += dt.timedelta(minutes=10)
    books.sum()

    assert books.ask(ended) == [("timed_out", "failed", "silence")]


def test_a_worker_that_dies_between_two_days_leaves_the_rest_to_the_next(books: Books) -> None:
    """What is due stays due until the transaction that sums it."""
    for day in range(3):
        books.append(
            Session(MORNING - dt.timedelta(day), 1, "send", ("payee",), "done", "").told(day)
        )
    asked = (ZONE, LATER)
    books.database.call("select programme.note_due(%s, %s)", asked)
    books.database.call("select programme.sum_next(%s, %s)", asked)

    books.sum()

    assert books.ask("select count(*), sum(sessions) from programme.session_day") == [(3, 3)]


def test_two_workers_sum_once_in_a_period(books: Books) -> None:
    """The second finds nothing to do, and is no burden."""
    assert books.sum() > 0
    again = Summing(books.database, lambda: _opened(books.database), ZONE, lambda: books.now)

    assert again.run() == 0


def test_money_is_counted_from_the_orders(cooperative: Cooperative) -> None:
    """Even if every event were lost."""
    for amount in ("50", "20"):
        phone = cooperative.phone(ROSA.msisdn)
        phone.dial()
        phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), amount, str(ROSA.pin))
    cooperative.clock.pass_time(minutes=2)
    with cooperative.owner() as owner:
        owner.execute("delete from events.event")
        cooperative.deliver()
        orders = owner.execute(
            "select channel, operation, state, orders, centimos from programme.order_day"
        ).fetchall()
        active = owner.execute("select active_30, active_90 from programme.activity_day").fetchall()

    assert orders == [("africastalking", "transfers.send", "posted", 2, 70_00)]
    assert active == [(1, 1)]


def test_who_moved_money_is_active_for_30_and_for_90_days(books: Books) -> None:
    """The day itself is the first of them."""
    day = dt.date(2026, 7, 1)
    books.owner.execute("insert into programme.active_day values (%s, 'm-0001')", (day,))
    counts = []
    for after in (0, 29, 30, 89, 90):
        as_of = day + dt.timedelta(days=after)
        books.owner.execute("select programme.count_members(%s)", (as_of,))
        counts.append(
            books.owner.execute(
                "select active_30, active_90 from programme.activity_day where as_of = %s", (as_of,)
            ).fetchone()
        )

    assert counts == [(1, 1), (1, 1), (0, 1), (0, 1), None]


def test_a_register_that_comes_later_is_counted_by(cooperative: Cooperative) -> None:
    """Staff load the districts: the figures are summed anew, and it is written down."""
    phone = cooperative.phone(MARIA.msisdn)
    phone.dial()
    with cooperative.owner() as owner:
        (changed,) = owner.execute(
            "select programme.place_members(%s, %s, %s, 'ana', now())",
            ([MARIA.ref, "m-9999"], ["220101", "220101"], [True, None]),
        ).fetchone() or (0,)
        deeds = owner.execute(
            "select actor, member_ref from audit.entry where action = 'member.placed'"
        ).fetchall()
        cooperative.clock.pass_time(minutes=2)
        cooperative.deliver()
        placed = owner.execute(
            "select sum(registered) from programme.register_day"
            " where district = '220101' and rural = 'yes'"
        ).fetchone()

    assert changed == 1
    assert deeds == [("ana", MARIA.ref)]
    assert placed == (1,)
