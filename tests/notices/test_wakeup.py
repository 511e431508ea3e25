from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import structlog
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from gateway.bounds import FAILED_JOB_S, WAKE_PAUSE_S
from gateway.notices.wakeup import QUEUE, Timetable, WakeUps, answering, connect

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def redis(redis_urls: tuple[str, str]) -> Iterator[Redis]:
    with connect(redis_urls[1]) as client:
        client.flushdb()
        yield client


def _work(redis: Redis) -> None:
    """What a worker does with the jobs that wait, once."""
    queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
    worker = SimpleWorker([queue], connection=redis, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="ERROR")


def test_redis_away_is_no_error_is_logged_once_and_is_not_asked_by_each_caller():
    clock = iter([0.0, 0.5, 1.0, WAKE_PAUSE_S + 0.1, WAKE_PAUSE_S + 0.1])
    with connect(NOBODY_LISTENS) as nowhere, structlog.testing.capture_logs() as logs:
        wakeups = WakeUps(nowhere, monotonic=lambda: next(clock))
        assert [wakeups.wake() for _ in range(4)] == [False] * 4
        assert wakeups.depth() is None
    assert [entry["event"] for entry in logs] == ["wakeups_lost"]
    # The fourth asked again: the clock was read for the check and for the new pause.
    assert list(clock) == []


def test_redis_that_comes_back_is_used_again_and_that_is_logged_once(redis):
    class GoesAway(Redis):
        """Refuses its first command."""

        refuse = 1

        def execute_command(self, *args: object, **options: object) -> object:
            if self.refuse:
                self.refuse -= 1
                raise RedisConnectionError
            return super().execute_command(*args, **options)

    flaky = GoesAway(connection_pool=redis.connection_pool)
    clock = iter(range(0, 1000, 10))
    with structlog.testing.capture_logs() as logs:
        wakeups = WakeUps(flaky, monotonic=lambda: next(clock))
        assert [wakeups.wake() for _ in range(3)] == [False, True, True]
    assert [entry["event"] for entry in logs] == ["wakeups_lost", "wakeups_back"]


def test_a_wake_up_carries_nothing(redis):
    WakeUps(redis).wake()
    (job,) = Queue(QUEUE, connection=redis, serializer=JSONSerializer).jobs
    assert not job.args
    assert not job.kwargs
    assert not job.meta
    assert job.func_name == "gateway.notices.wakeup.ring"
    assert (job.result_ttl, job.failure_ttl) == (0, FAILED_JOB_S)


def test_wake_ups_that_wait_are_one(redis):
    wakeups = WakeUps(redis)
    for _ in range(20):
        assert wakeups.wake()
    assert wakeups.depth() == 1


def test_a_wake_up_that_arrives_while_the_last_one_runs_is_not_lost(redis):
    wakeups = WakeUps(redis)
    looks = []

    def look() -> None:
        looks.append("look")
        if len(looks) == 1:
            wakeups.wake()  # a row was written after this look

    wakeups.wake()
    with answering(look):
        _work(redis)
    assert looks == ["look", "look"]


def test_a_wake_up_that_failed_does_not_keep_the_next_from_coming(redis):
    def break_down() -> None:
        raise RuntimeError("bug")

    wakeups = WakeUps(redis)
    heard = []
    wakeups.wake()
    with answering(break_down):
        _work(redis)
    wakeups.wake()
    with answering(lambda: heard.append("ring")):
        _work(redis)
    assert heard == ["ring"]


def test_a_wake_up_that_is_done_leaves_no_job_behind(redis):
    wakeups = WakeUps(redis)
    wakeups.wake()
    with answering(lambda: None):
        _work(redis)
    assert wakeups.depth() == 0
    assert list(redis.scan_iter("rq:job:*")) == []


def test_a_wake_up_at_a_time_is_put_into_the_queue_when_it_is_due(redis: Redis) -> None:
    """By RQ's own scheduler."""
    timetable = Timetable(redis)
    now = dt.datetime.now(dt.UTC)
    assert timetable.wake_at(now - dt.timedelta(seconds=1))
    assert timetable.wake_at(now + dt.timedelta(hours=1))

    timetable.run()

    assert Queue(QUEUE, connection=redis).count == 1


def test_a_wake_up_that_redis_cannot_take_is_no_error() -> None:
    """The sweep looks by itself."""
    with connect(NOBODY_LISTENS) as nobody:
        assert not Timetable(nobody).wake_at(dt.datetime.now(dt.UTC))
