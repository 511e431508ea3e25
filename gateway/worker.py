"""The worker process: does each duty every so often, and the notices at once when woken."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from gateway.bounds import (
    DUTY_PAUSE_MAX_S,
    LISTEN_S,
    LISTENER_TTL_S,
    STORE_TIMEOUT_MS,
    SWEEP_EVERY_S,
)
from gateway.notices.drain import Drain
from gateway.notices.wakeup import QUEUE, answering

log = structlog.stdlib.get_logger(__name__)


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that the worker does again and again, in a thread of its own.

    `run` answers how much it did. `stop` asks a run under way to end early, at a place where
    nothing is left half done; without one the worker's end waits for the run's. `woken`: also done
    at once when a wake-up arrives.
    """

    name: str
    every_s: float
    run: Callable[[], int]
    stop: Callable[[], None] = _nothing
    woken: bool = False


def drains(name: str, drain: Drain) -> Duty:
    """The duty of one cooperative's outbox. Its every_s is the sweep: whatever became of the
    wake-up, the row is found by then."""
    return Duty(name, SWEEP_EVERY_S, drain.run, drain.stop, woken=True)


def run_worker(queue_url: str, duties: Sequence[Duty]) -> None:
    """Do the duties until SIGTERM or SIGINT, then finish what is under way and return.

    Runs in the main thread, where Python delivers signals; there it listens for wake-ups, if any
    duty is woken: a wake-up that is taken by a process without one would wake nobody. Redis or
    PostgreSQL away never ends it: what fails is tried again, and logged once when it begins to fail
    and once when it is well again.

    Args:
        queue_url: `redis://…` of the queues. Without it the duties are still done, a little later.
        duties: all duties of all cooperatives that this process serves.
    """
    keepers = [_Keeper(duty) for duty in duties]
    try:
        _on_signals(_end_listening)
        for keeper in keepers:
            keeper.start()
        if not any(duty.woken for duty in duties):
            _wait()
        with answering(lambda: _ring(keepers)):
            _listen(queue_url)
    except StopRequested:
        pass
    finally:
        _on_signals(signal.SIG_IGN)
        log.info("worker_stopping")
        for keeper in keepers:
            keeper.stop()
        for keeper in keepers:
            keeper.join()
    log.info("worker_stopped")


def _ring(keepers: Sequence[_Keeper]) -> None:
    for keeper in keepers:
        keeper.ring()


class _Keeper:
    """The thread of one duty: a duty that fails or takes long keeps no other from its time."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self._bell = threading.Event()
        self._stopping = False
        self._failures = 0
        self._thread = threading.Thread(target=self._keep, name=duty.name)

    def start(self) -> None:
        """Begin with a first run at once: something may have waited while no worker lived."""
        self._thread.start()

    def ring(self) -> None:
        """A wake-up arrived. Heard at once, or when the run under way has ended."""
        if self._duty.woken:
            self._bell.set()

    def stop(self) -> None:
        """Begin no more runs, and have the one under way end early if it can."""
        self._stopping = True
        self._bell.set()
        self._duty.stop()

    def join(self) -> None:
        """Wait for the run under way."""
        if self._thread.ident is not None:
            self._thread.join()

    def _keep(self) -> None:
        while not self._stopping:
            self._run()
            self._bell.wait(self._pause_s())
            self._bell.clear()

    def _run(self) -> None:
        try:
            self._duty.run()
        except Exception:
            if not self._failures:
                log.exception("duty_failing", duty=self._duty.name)
            self._failures += 1
            return
        if self._failures:
            log.info("duty_healed", duty=self._duty.name, failures=self._failures)
            self._failures = 0

    def _pause_s(self) -> float:
        if not self._failures:
            return self._duty.every_s
        doubled: float = self._duty.every_s * 2 ** min(self._failures, 10)
        return max(self._duty.every_s, min(doubled, DUTY_PAUSE_MAX_S))


def _listen(queue_url: str) -> None:
    """Take wake-ups from the queue until a signal ends it; raises `StopRequested` or returns."""
    pause_s, away = 1.0, False
    while True:
        _on_signals(_end_listening)  # in place of the last listener's
        listener: _Listener | None = None
        try:
            with _listener_redis(queue_url) as redis:
                listener = _Listener(
                    Queue(QUEUE, connection=redis, serializer=JSONSerializer),
                    connection=redis,
                    serializer=JSONSerializer,
                    worker_ttl=LISTENER_TTL_S,
                )
                log.info("worker_listening", queue=QUEUE)
                pause_s, away = 1.0, False
                listener.work(logging_level="ERROR")
        except RedisError as error:
            if not away:
                log.warning("worker_not_listening", error=type(error).__name__)
                away = True
        if listener is not None and listener.stopping:
            return
        _sleep(pause_s)
        pause_s = min(2 * pause_s, DUTY_PAUSE_MAX_S)


def _listener_redis(queue_url: str) -> Redis:
    """A client that reports a lost connection at once: `_listen` is what tries again. How long it
    waits for an answer is set by RQ, which blocks on the queue with it."""
    return Redis.from_url(
        queue_url, socket_connect_timeout=STORE_TIMEOUT_MS / 1000, retry=Retry(NoBackoff(), 0)
    )


class _Listener(SimpleWorker):
    """RQ's worker, less what would keep ours from ending or from healing.

    It does not fork: a job only rings a bell, and the duties' threads would not live in a fork.
    """

    stopping = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """The signals' handler while listening. RQ's own writes to Redis, which may be away.

        Within a job RQ would take the exception for the job's failure: there the end waits for the
        next look at `stopping`.
        """
        self.stopping = True
        if self.get_state() != WorkerStatus.BUSY:
            _end_listening(signum, frame)

    def subscribe(self) -> None:
        """RQ's remote commands are not wanted, and their thread outlives a lost connection."""

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue]:
        """RQ's, except that Redis away ends the listening: `_listen` waits for it and logs it once,
        where RQ logs every try and waits up to a minute between two."""
        while not self.stopping:
            try:
                self.set_state(WorkerStatus.IDLE)
                self.heartbeat()
                found = self.queue_class.dequeue_any(
                    self.queues,
                    timeout,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
                continue
            except RedisError as error:
                raise StopRequested from error
            if found is not None:
                version = self.get_redis_server_version()  # type: ignore[no-untyped-call]
                found[0].redis_server_version = version
                return found
        raise StopRequested


def _wait() -> NoReturn:
    """Let the duties be done until a signal ends it; raises `StopRequested`."""
    log.info("worker_waiting")
    while True:
        _sleep(LISTEN_S)


def _sleep(seconds: float) -> None:
    """As `time.sleep`, in pieces: a signal on the brink of a sleep is seen only after it."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, LISTEN_S))


def _end_listening(_signum: int, _frame: FrameType | None) -> NoReturn:
    """The first signal ends the listening; later ones change nothing."""
    _on_signals(signal.SIG_IGN)
    raise StopRequested


def _on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
