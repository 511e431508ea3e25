"""Events: recorded without a wait, written in batches, each counted once."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import psycopg
import pytest

from gateway.bounds import EVENTS_A_BATCH
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.events.kinds import NoticeSettled, band, columns
from gateway.events.recorder import Recorder
from gateway.events.witness import Witness
from gateway.retention import Retention
from gateway.values.money import Money
from tests.cooperative import MORNING, Cooperative
from tests.people import MARIA, ROSA

LIMA = ZoneInfo("America/Lima")
SENT = NoticeSettled("transfer_sent", "sent", 1)


@pytest.fixture
def database(database_urls: tuple[str, str]) -> Iterator[Database]:
    """As the application signs in."""
    with Database(database_urls[1], 2) as database:
        database.open()
        yield database


def _recorder(database: Database, waiting_max: int = 100) -> Recorder:
    return Recorder(database, LIMA, lambda: MORNING, waiting_max)


def _rows(url: str, what: str = "count(*)") -> list[tuple[object, ...]]:
    with psycopg.connect(url) as owner:
        return owner.execute(f"select {what} from events.event").fetchall()  # noqa: S608 - ours


def _told(cooperative: Cooperative) -> list[tuple[object, ...]]:
    """What was recorded by now, in order, without the hashes."""
    cooperative.clock.pass_time(seconds=2)
    with cooperative.owner() as owner:
        return owner.execute(
            "select kind, coalesce(journey, ''), coalesce(step, operation, ended, notice, ''),"
            " coalesce(outcome, '') from events.event order by at, source, number"
        ).fetchall()


def test_a_transfer_is_told_step_by_step(cooperative: Cooperative) -> None:
    """From the dial to the SMS; what the bank was asked on the way is there too."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50", str(ROSA.pin))

    told = _told(cooperative)

    assert told[:2] == [("session.began", "", "", ""), ("step.reached", "home", "menu", "")]
    assert ("step.reached", "send", "payee", "") in told
    assert ("operation.ended", "send", "transfers.send", "done") in told
    assert ("operation.ended", "", "transfers.quote", "done") in told
    assert ("session.ended", "", "finished", "") in told
    for _ in range(2):  # what is sent in one run is written in the next
        cooperative.deliver()
    assert ("notice.settled", "", "transfer_sent", "sent") in _told(cooperative)


def test_a_repeated_hop_is_told_once(cooperative: Cooperative) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    once = _told(cooperative)

    phone.send()

    assert _told(cooperative) == once


def test_what_was_not_understood_is_marked(cooperative: Cooperative) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "letters")
    cooperative.clock.pass_time(seconds=2)

    with cooperative.owner() as owner:
        marked = owner.execute(
            "select step, misread from events.event where kind = 'step.reached' order by number"
        ).fetchall()

    assert marked == [("menu", False), ("payee", False), ("payee", True)]


def test_a_member_is_a_hash_that_stays_and_a_stranger_is_nobody(cooperative: Cooperative) -> None:
    """The same in each session, no other's, and never the reference or the number."""
    for msisdn in (ROSA.msisdn, ROSA.msisdn, MARIA.msisdn, "+51999888777"):
        cooperative.phone(msisdn).dial()
    cooperative.clock.pass_time(seconds=2)

    with cooperative.owner() as owner:
        rosa, again, maria, stranger = (
            member
            for (member,) in owner.execute(
                "select member from events.event where kind = 'session.began' order by number"
            )
        )
        whole = str(owner.execute("select * from events.event").fetchall())

    assert rosa == again
    assert len({rosa, maria, stranger}) == 3
    assert stranger == 0
    assert ROSA.ref not in whole
    assert ROSA.msisdn not in whole


def test_another_secret_makes_other_hashes() -> None:
    """With a new session secret nobody can be followed."""

    class Kept:
        def record(self, event: object) -> None: ...

    assert Witness(Kept(), b"one").member("m-0001") != Witness(Kept(), b"two").member("m-0001")


def test_every_field_of_every_kind_has_its_column(database_urls: tuple[str, str]) -> None:
    """And every column its field: nothing is kept that the catalogue does not name."""
    with psycopg.connect(database_urls[0]) as owner:
        kept = {
            name
            for (name,) in owner.execute(
                "select attname from pg_attribute"
                " where attrelid = 'events.event'::regclass and attnum > 0"
            )
        }

    assert kept == {*columns(), "day", "at", "source", "number", "kind"}


def test_what_waits_is_written_with_its_own_business_day(
    database: Database, database_urls: tuple[str, str]
) -> None:
    """Two in the morning in Greenwich is still the day before in Lima."""
    at = dt.datetime(2026, 12, 1, 2, 0, tzinfo=dt.UTC)
    recorder = Recorder(database, LIMA, lambda: at)
    recorder.record(SENT)

    assert recorder.flush() == 1

    assert _rows(database_urls[0], "day, at, kind, notice, segments") == [
        (dt.date(2026, 11, 30), at, "notice.settled", "transfer_sent", 1)
    ]


def test_a_batch_whose_answer_was_lost_counts_once(
    database: Database, database_urls: tuple[str, str]
) -> None:
    """It was written, nobody heard so, and it is sent again."""

    class Deaf:
        """Writes, and loses the first answer."""

        lost = False

        def call(self, sql: str, params: object) -> None:
            database.call(sql, params)  # type: ignore[arg-type]
            if not self.lost:
                self.lost = True
                raise DatabaseUnavailableError

    recorder = Recorder(Deaf(), LIMA, lambda: MORNING)  # type: ignore[arg-type]
    for _ in range(5):
        recorder.record(SENT)
    with pytest.raises(DatabaseUnavailableError):
        recorder.flush()
    assert recorder.waiting == 5

    recorder.record(SENT)
    recorder.flush()

    assert _rows(database_urls[0]) == [(6,)]


def test_what_comes_while_a_batch_is_written_waits_for_the_next_time(database: Database) -> None:
    """In a full house something always comes: it would be written a handful at a time, for ever."""

    class Busy:
        """Something happens at each call."""

        calls = 0

        def call(self, sql: str, params: object) -> None:
            self.calls += 1
            database.call(sql, params)  # type: ignore[arg-type]
            recorder.record(SENT)

    busy = Busy()
    recorder = Recorder(busy, LIMA, lambda: MORNING)  # type: ignore[arg-type]
    for _ in range(EVENTS_A_BATCH + 1):
        recorder.record(SENT)

    written = recorder.flush()

    assert (written, busy.calls, recorder.waiting) == (EVENTS_A_BATCH + 2, 2, 1)


def test_beyond_the_bound_the_newest_are_dropped_and_counted(
    database: Database, database_urls: tuple[str, str]
) -> None:
    """PostgreSQL is away for long: a process does not grow without end."""
    recorder = _recorder(database, waiting_max=3)
    for _ in range(5):
        recorder.record(SENT)

    assert recorder.dropped == 2
    recorder.flush()
    assert _rows(database_urls[0]) == [(3,)]


def test_events_lost_are_seen_in_the_metrics(cooperative: Cooperative) -> None:
    shown = cooperative.client.get("/metrics").text

    assert 'chaski_events_dropped{cooperative="norandino"} 0.0' in shown
    assert 'chaski_events_waiting{cooperative="norandino"} 0.0' in shown


_CHILD = """
    import datetime as dt, sys
    from zoneinfo import ZoneInfo
    from gateway.db.pool import Database
    from gateway.events.kinds import NoticeSettled
    from gateway.events.recorder import Recorder

    database = Database(sys.argv[1], 2)
    database.open()
    recorder = Recorder(database, ZoneInfo("America/Lima"), lambda: dt.datetime.now(dt.UTC))
    for number in range(1, 10_000):
        recorder.record(NoticeSettled("answer", "sent", 1))
        if number % 100 == 0 and number < 1_000:
            recorder.flush()
        print(number, recorder.waiting, flush=True)
"""


def test_a_kill_loses_what_waits_and_no_more(database_urls: tuple[str, str]) -> None:
    """SIGKILL in the middle: all that was flushed is there."""
    owner_url, app_url = database_urls
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_CHILD), app_url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert child.stdout
    for line in child.stdout:
        recorded, waiting = map(int, line.split())
        if recorded >= 950:
            break
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    child.wait()

    ((kept,),) = _rows(owner_url)
    assert kept == recorded - waiting == 900


def test_a_month_that_is_too_old_is_forgotten_whole(
    database: Database, database_urls: tuple[str, str]
) -> None:
    """The next one stays until all of it is too old."""
    last_of_august = dt.datetime(2025, 8, 31, 17, tzinfo=dt.UTC)
    for at in (last_of_august, last_of_august + dt.timedelta(days=1), MORNING):
        recorder = Recorder(database, LIMA, lambda at=at: at)  # type: ignore[misc]
        recorder.record(SENT)
        recorder.flush()

    Retention(database, lambda: dt.datetime(2026, 10, 20, tzinfo=dt.UTC)).run()

    assert _rows(database_urls[0], "day") == [
        (dt.date(2025, 9, 1),),
        (MORNING.astimezone(LIMA).date(),),
    ]


def test_the_application_may_append_and_nothing_else(database: Database) -> None:
    for sql in ("select * from events.event", "delete from events.event"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.call(sql)


@pytest.mark.parametrize(
    ("centimos", "said"), [(1, "0-20"), (19_99, "0-20"), (20_00, "20-50"), (5_000_00, "2000+")]
)
def test_an_amount_is_told_roughly(centimos: int, said: str) -> None:
    assert band(Money(centimos)) == said
