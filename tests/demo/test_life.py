"""A demo with life: plausible, the same each time, in the tables that real activity fills."""

from __future__ import annotations

import psycopg

from gateway.db.pool import Database
from gateway.demo.life.people import DISTRICTS
from gateway.demo.life.story import DAYS, tell
from gateway.demo.life.writing import give_life
from gateway.demo.seed import seed
from gateway.events.witness import UNSEEN
from gateway.ledger.postgres.adapter import PostgresLedger
from tests.cooperative import HASHER, TODAY, Cooperative
from tests.people import PEOPLE, ROSA, SEGUNDO

_MEMBERS = 300


def _count(owner: psycopg.Connection[tuple[object, ...]], what: str) -> int:
    (found,) = owner.execute(f"select count(*) from {what}").fetchone() or (0,)  # noqa: S608
    assert isinstance(found, int)
    return found


def test_life_comes_beside_the_six_and_leaves_their_money_alone(cooperative: Cooperative) -> None:
    """The books are right, and Rosa sends as ever."""
    before = {person.ref: cooperative.balances(person.ref) for person in PEOPLE}

    app_url = cooperative.settings.database_url.get_secret_value()
    owner_url = app_url.replace("chaski_app", "chaski_owner")
    assert give_life(owner_url, TODAY, _MEMBERS)
    assert not give_life(owner_url, TODAY, _MEMBERS), "a second start finds it there"

    assert {person.ref: cooperative.balances(person.ref) for person in PEOPLE} == before
    assert cooperative.books_are_right()
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    said = phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50", str(ROSA.pin))
    assert "Listo" in said.text
    assert cooperative.books_are_right()


def test_life_is_in_the_tables_that_real_activity_fills(database_urls: tuple[str, str]) -> None:
    """And no message of it waits to be sent."""
    seed(database_urls[0], HASHER, TODAY)
    give_life(database_urls[0], TODAY, _MEMBERS)

    with psycopg.connect(database_urls[0]) as owner:
        assert _count(owner, "bank.member where member_ref like 's-%'") == _MEMBERS
        posted = _count(owner, "instructions.instruction where state = 'posted'")
        assert posted > _MEMBERS
        assert _count(owner, "instructions.instruction where state = 'refused'") > 0
        assert _count(owner, "instructions.instruction where operation = 'loans.pay'") > 0
        assert _count(owner, "notices.outbox where state <> 'sent'") == 0
        assert _count(owner, "ledger.decision where kind = 'transfer' and refusal is null") == (
            _count(owner, "instructions.instruction where state = 'posted' and mode is null")
        )
        assert _count(owner, "events.event") > 5 * posted
        # What `chaski limits check` compares: nobody's limit was used by what is no order.
        assert owner.execute("select * from instructions.usage_differing()").fetchall() == []
        # Summed too: as of yesterday, and from the orders.
        assert owner.execute("select sum(orders) from programme.order_day").fetchall() == (
            owner.execute("select count(*) from instructions.instruction").fetchall()
        )
        days = owner.execute("select min(day), max(day) from programme.session_day").fetchone()
    assert days is not None
    assert (days[1] - days[0]).days == DAYS - 1
    assert days[1] < TODAY
    with Database(database_urls[1], 2) as database:
        database.open()
        assert PostgresLedger(database).verify()["ok"]


def test_the_same_life_each_time() -> None:
    """Seeded: two demos can be compared."""
    one, other = (tell(1, TODAY, UNSEEN, 60) for _ in range(2))

    assert one == other
    assert tell(2, TODAY, UNSEEN, 60) != one


def test_districts_are_all_there() -> None:
    """Four departments, and two districts with so few that nothing is shown of them."""
    assert {district.department for district in DISTRICTS} == {
        *("Piura", "San Martin", "Cajamarca", "Amazonas")
    }
    assert sum(district.of_thousand for district in DISTRICTS) == 1_000
