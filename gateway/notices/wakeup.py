"""Wakes the worker by RQ: a job without arguments that says "look what there is to do", no more."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from gateway.bounds import FAILED_JOB_S, WAKE_JOB_TIMEOUT_S, WAKE_PAUSE_S, WAKE_TIMEOUT_MS

QUEUE = "notices"

log = structlog.stdlib.get_logger(__name__)

# RQ imports the job's function by its name, and the job carries no arguments: so the worker says
# here, around its loop, what a wake-up wakes.
_bell: ContextVar[Callable[[], None]] = ContextVar("bell")


def ring() -> None:
    """The job: what it wakes is what the worker around it `answers` with."""
    _bell.get()()


@contextmanager
def answering(bell: Callable[[], None]) -> Iterator[None]:
    """Within it, and in this thread, a wake-up job calls `bell`."""
    token = _bell.set(bell)
    try:
        yield
    finally:
        _bell.reset(token)


def connect(queue_url: str) -> Redis:
    """A client for the queues' Redis that gives up soon: whoever wakes has a caller waiting.

    One retry, at once, because a connection that Redis dropped while it lay in the pool is only
    found out by using it.
    """
    timeout_s = WAKE_TIMEOUT_MS / 1000
    return Redis.from_url(
        queue_url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),
    )


class WakeUps:
    """The wake-ups on their way to the workers.

    RQ's own unique job ids are not used: such an id stays taken while its job runs, so a row that
    is written while the drain takes its last look would wake nobody; and it stays taken as long
    as a failed job is kept, a day. Instead nothing is put into a queue where a job still waits: a
    job that has not begun will see every row committed before now, and one that has begun is no
    longer in the queue. Two callers at once may put in two; the second finds nothing to do.
    """

    def __init__(self, redis: Redis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        self._monotonic = monotonic
        self._away_until: float | None = None  # None: Redis answered when last asked

    def wake(self) -> bool:
        """Have the outbox looked into soon, and answer whether Redis knows. Never raises.

        Call it after the commit. Redis away is logged once, when it goes and when it comes back;
        in between it is asked once in `WAKE_PAUSE_S`, so that few callers wait for its time-out.
        The sweep finds what a lost wake-up was for.
        """
        away_until = self._away_until  # other threads change it
        if away_until is not None and self._monotonic() < away_until:
            return False
        try:
            if self._queue.count == 0:
                self._queue.enqueue(
                    f"{__name__}.{ring.__name__}",
                    job_timeout=WAKE_JOB_TIMEOUT_S,
                    result_ttl=0,
                    failure_ttl=FAILED_JOB_S,
                )
        except RedisError as error:
            if away_until is None:
                log.warning("wakeups_lost", error=type(error).__name__)
            self._away_until = self._monotonic() + WAKE_PAUSE_S
            return False
        if away_until is not None:
            log.info("wakeups_back")
            self._away_until = None
        return True

    def depth(self) -> int | None:
        """How many wake-ups wait for a worker, for the metrics. None: Redis is away."""
        try:
            return self._queue.count
        except RedisError:
            return None


class Timetable:
    """Wake-ups at a time to come, which RQ keeps in Redis.

    RQ's scheduler is a process beside each worker; here it is a duty of ours, since all it does is
    to move what is due into the queue. Redis may forget: whoever has something to do at a time asks
    for the same wake-up again and again, and looks by itself, too.
    """

    def __init__(self, redis: Redis) -> None:
        self._queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        self._scheduler = RQScheduler(
            [self._queue], connection=redis, serializer=JSONSerializer, logging_level=logging.ERROR
        )

    def wake_at(self, at: dt.datetime) -> bool:
        """Have the worker look at that time, and answer whether Redis knows. Never raises. Asked
        again for the same time, it is one wake-up still."""
        try:
            self._queue.enqueue_at(
                at,
                f"{__name__}.{ring.__name__}",
                job_id=f"wake-at-{int(at.timestamp())}",
                job_timeout=WAKE_JOB_TIMEOUT_S,
                result_ttl=0,
                failure_ttl=FAILED_JOB_S,
            )
        except RedisError:
            return False
        return True

    def run(self) -> int:
        """Put what is due into the queue. Of several workers one does it.

        Raises:
            RedisError: the queues' Redis is away.
        """
        if self._scheduler.acquire_locks():  # type: ignore[no-untyped-call]
            self._scheduler.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]
        return 0
