"""A server that is gone comes back as it was at a moment, and what would be wrong is found."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import psycopg

from gateway.db.migrations import migrate
from gateway.db.pool import Database
from gateway.demo.seed import seed
from gateway.embedded.endpoints import endpoints_in
from gateway.embedded.place import settle
from gateway.ledger.port import Done, Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.values.money import Money
from tests.cooperative import HASHER
from tests.people import ROSA, SEGUNDO
from tests.restore.archive import Archive
from tests.restore.drill import WITHOUT_ORDER, WITHOUT_POSTING

TODAY = dt.date(2026, 11, 23)


def send(owner_url: str, centimos: int) -> None:
    """Rosa's money, moved in the books alone."""
    sides = ROSA.savings[0].code, SEGUNDO.savings[0].code
    order = Transfer(uuid.uuid4(), *sides, Money(centimos), TODAY)
    with Database(owner_url, 2) as database:
        database.open()
        assert isinstance(PostgresLedger(database).post(order), Done)


def test_a_moment_comes_back_and_nothing_after_it(embedded_data: Path) -> None:
    """From the backup and the log alone: the server's own folder is gone."""
    folder = embedded_data / "archived"
    folder.mkdir()
    folder.chmod(0o711)
    place = settle(folder, folder, lambda line: None)
    archive = Archive(place, lambda line: None)
    owner_url = endpoints_in(place.sockets).owner_url
    server = archive.start_archived()
    try:
        migrate(owner_url)
        seed(owner_url, HASHER, TODAY)
        archive.back_up()
        send(owner_url, 1_00)
        with psycopg.connect(owner_url, autocommit=True) as owner:
            (moment,) = owner.execute("select clock_timestamp()").fetchone() or (None,)
            send(owner_url, 2_00)
            owner.execute("select pg_switch_wal()")
    finally:
        server.stop()
    assert isinstance(moment, dt.datetime)
    archive.destroy_server()

    restored = archive.restore("moment", moment.isoformat())

    try:
        amounts = (
            "select array_agg(amount_centimos::bigint) from ledger.decision where kind = 'transfer'"
        )
        assert restored.ask(amounts) == [1_00]
        assert restored.ask("select ok from ledger.verify()") is True
        assert restored.ask(WITHOUT_POSTING) == 0
        # Nobody gave that order by phone: the drill would have said so.
        assert restored.ask(WITHOUT_ORDER) == 1
    finally:
        restored.server.stop()
