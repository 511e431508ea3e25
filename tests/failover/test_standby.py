"""A real standby: what is read from it, and what is left of what members were told."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.db.migrations import for_yoyo, migrate
from gateway.db.pool import Database
from gateway.db.standby import WAITS_FOR_STANDBY, Nearest
from gateway.demo.seed import seed
from gateway.embedded.patience import came_true
from gateway.ledger.port import Done, Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.values.money import Money
from tests.cooperative import HASHER
from tests.failover.pair import Pair, pair_in
from tests.people import ROSA, SEGUNDO

TODAY = dt.date(2026, 11, 23)
SOON_S = 30


class Both:
    """The own ledger over a primary and a standby, with a clock that stands still."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.now_s = 0.0
        self.primary = Database(pair.app_url, 2, options=WAITS_FOR_STANDBY)
        self.standby = Database(pair.read_url, 2)
        for database in (self.primary, self.standby):
            database.open()
        self.nearest = Nearest(self.primary, self.standby, lambda: self.now_s)
        self.ledger = PostgresLedger(self.primary, self.nearest)

    def come_near(self) -> None:
        """As after a moment of calm."""
        assert came_true(lambda: bool(self.nearest.look()), SOON_S)

    def rosa(self) -> int:
        """Her savings as she reads them, in céntimos."""
        return self.ledger.accounts(ROSA.ref)[0].balance.centimos

    def send_1(self) -> uuid.UUID:
        """Rosa sends Segundo one sol, and is told that it is done."""
        key = uuid.uuid4()
        sides = ROSA.savings[0].code, SEGUNDO.savings[0].code
        done = self.ledger.post(Transfer(key, *sides, Money(1_00), TODAY))
        assert isinstance(done, Done)
        return key

    def close(self) -> None:
        """Give the connections back."""
        self.primary.close()
        self.standby.close()


@pytest.fixture(scope="module")
def pair(embedded_data: Path) -> Iterator[Pair]:
    """A primary with the demo cooperative in it, and its synchronous standby."""
    with pair_in(embedded_data / "pair", lambda line: None) as pair:
        migrate(pair.primary.owner_url)
        seed(pair.primary.owner_url, HASHER, TODAY)
        pair.link()
        yield pair


@pytest.fixture
def both(pair: Pair) -> Iterator[Both]:
    """The ledger over it."""
    both = Both(pair)
    yield both
    both.close()


def test_what_a_member_was_told_is_read_from_the_standby(both: Both) -> None:
    """At once: whoever tells has waited until it is there."""
    both.come_near()
    before = both.rosa()

    for sent in range(1, 6):
        both.send_1()

        assert both.nearest.near
        assert both.rosa() == before - sent * 1_00


def test_a_look_is_good_for_a_moment(both: Both) -> None:
    """Nobody reads from a standby that was near long ago."""
    both.come_near()
    both.now_s += 60

    assert not both.nearest.near


def test_a_standby_that_falls_behind_is_not_read_from(both: Both, pair: Pair) -> None:
    """Nor one that nobody waits for: it may be any time behind."""
    both.come_near()
    pair.wait_for_standby(wait=False)
    pair.standby.ask("select pg_wal_replay_pause()")
    before = both.rosa()
    both.send_1()

    assert both.nearest.look() == 0
    assert both.rosa() == before - 1_00

    pair.standby.ask("select pg_wal_replay_resume()")
    assert both.nearest.look() == 0
    pair.wait_for_standby(wait=True)
    both.come_near()


def test_a_standby_that_is_away_costs_nobody_a_balance(both: Both, pair: Pair) -> None:
    both.come_near()
    nowhere = Database("postgresql://chaski_app@127.0.0.1:1/away", 2)
    nowhere.open()
    without = Nearest(both.primary, nowhere, lambda: both.now_s)

    assert without.look() == 0
    assert without.call("select true as up") == [{"up": True}]
    nowhere.close()


def test_no_told_order_is_lost_with_its_primary(both: Both, pair: Pair) -> None:
    """Killed with -9 under orders. Every one that was told is in the standby that takes over, and
    the same pool of connections finds it there."""
    told = [both.send_1() for _ in range(20)]
    dying = pair.primary.server
    assert dying
    dying.process.kill()
    dying.process.wait()
    # A backend may outlive its server for a moment.
    assert came_true(lambda: not both.primary.healthy(), SOON_S)

    pair.promote()

    assert came_true(both.primary.healthy, SOON_S)
    sides = ROSA.savings[0].code, SEGUNDO.savings[0].code
    for key in told:
        assert isinstance(both.ledger.find(Transfer(key, *sides, Money(1_00), TODAY)), Done)
    assert both.ledger.verify()["ok"]
    assert both.nearest.look() == 0  # there is no standby any more
    both.send_1()


def test_migrations_find_the_primary_among_several_hosts() -> None:
    """As the application does. Their library knows one host before the `?`, and any behind it."""
    several = "postgresql://chaski_owner@db-1,db-2:5433/chaski?target_session_attrs=read-write"
    one = "postgresql://chaski_owner@db-1:5433/chaski"

    assert for_yoyo(several) == (
        "postgresql+psycopg://chaski_owner@/chaski?target_session_attrs=read-write"
        "&host=db-1%2Cdb-2&port=5432%2C5433"
    )
    assert for_yoyo(one) == "postgresql+psycopg://chaski_owner@db-1:5433/chaski"
