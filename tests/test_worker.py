from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from redis import Redis
from redis.connection import parse_url
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from gateway.bounds import DUTY_PAUSE_MAX_S, SWEEP_EVERY_S
from gateway.notices.wakeup import QUEUE, WakeUps, connect

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "tests" / "notices" / "worker_process.py"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"
WOKEN_WITHIN_S = SWEEP_EVERY_S / 2  # faster than this was no sweep


Address = str | tuple[str, int]  # a Unix socket's path, or a host and port


class Road:
    """A TCP road to a server, to be cut and mended: no test stops a server that others use."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._sockets: list[socket.socket] = []
        self.port = 0
        self.mend()

    def mend(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._sockets = [listening]
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        for each in self._sockets:
            self._cut(each)

    def close_entrance(self) -> None:
        """Whoever is connected stays; nobody else gets in."""
        self._cut(self._sockets[0])

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # cut
            while True:
                near, _ = listening.accept()
                far = socket.socket(
                    socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET
                )
                far.connect(self._target)
                self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    @staticmethod
    def _cut(each: socket.socket) -> None:
        with suppress(OSError):  # its other end was faster
            each.shutdown(socket.SHUT_RDWR)  # wakes the thread that blocks on it
        each.close()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):  # cut
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


def road_to_redis(url: str) -> tuple[Road, str]:
    """A road to the Redis of this URL, and the URL by that road."""
    parts = parse_url(url)
    road = Road(parts.get("path") or (parts.get("host", "127.0.0.1"), parts.get("port", 6379)))
    return road, f"redis://127.0.0.1:{road.port}/{parts.get('db', 0)}"


def road_to_postgres(url: str) -> tuple[Road, str]:
    """A road to the PostgreSQL of this URL, and a connection string by that road."""
    parts = conninfo_to_dict(url)
    host, port = str(parts["host"]), int(parts.get("port") or 5432)
    road = Road(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
    return road, make_conninfo(url, host="127.0.0.1", port=road.port)


class Process:
    """A running worker."""

    def __init__(self, *arguments: object) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, str(SCRIPT), *map(str, arguments)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PYTHONFAULTHANDLER": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout
        self.lines.extend(iter(self._popen.stdout.readline, ""))

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines if line.startswith("{")]

    def alive(self) -> bool:
        return self._popen.poll() is None

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send the signal; answer the exit code and the seconds it took."""
        began = time.monotonic()
        self._popen.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(10)
        seconds = time.monotonic() - began
        if self.alive():
            self._popen.send_signal(signal.SIGABRT)  # a worker that hangs shows where
        code = self._popen.wait()
        self._reader.join()
        return code, seconds

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._reader.join()
        assert self._popen.stdout
        self._popen.stdout.close()


Start = Callable[..., Process]


@pytest.fixture
def start(database_urls: tuple[str, str], redis_urls: tuple[str, str]) -> Iterator[Start]:
    """Starts workers, and waits until each has begun."""
    started: list[Process] = []

    def begin(
        *, queue_url: str = redis_urls[1], app_url: str = database_urls[1], send_s: float = 0,
        lease_s: float = 60,
    ) -> Process:  # fmt: skip
        process = Process(queue_url, app_url, send_s, lease_s)
        started.append(process)
        began = {"worker_listening", "worker_not_listening"}
        until(lambda: began & set(process.events()))
        return process

    yield begin
    for process in started:
        process.kill()


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_urls[0], autocommit=True) as connection:
        yield connection


@pytest.fixture
def redis(redis_urls: tuple[str, str]) -> Iterator[Redis]:
    with connect(redis_urls[1]) as client:
        yield client


def failing(worker: Process, duty: str) -> int:
    """How often the worker said that this duty fails."""
    entries = [json.loads(line) for line in worker.lines if line.startswith("{")]
    return sum(e["event"] == "duty_failing" and e["duty"] == duty for e in entries)


def tell(owner: psycopg.Connection[Any], *references: int) -> None:
    with owner.cursor() as cursor:
        cursor.executemany(
            "select notices.tell('transfer_sent', 'rosa', %s)",
            [(json.dumps({"reference": number}),) for number in references],
        )


def states(owner: psycopg.Connection[Any]) -> Counter[str]:
    return Counter(row[0] for row in owner.execute("select state from notices.outbox"))


def arrived(owner: psycopg.Connection[Any]) -> Counter[str]:
    return Counter(row[0] for row in owner.execute("select text from notices.simulated_sms"))


def until(true: Callable[[], object], within_s: float = 8) -> None:
    ends = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


def test_without_redis_the_sweep_sends_and_a_signal_still_ends_the_worker(start, owner):
    worker = start(queue_url=NOBODY_LISTENS)
    tell(owner, 1)
    until(lambda: states(owner) == {"sent": 1}, SWEEP_EVERY_S + 2)
    code, seconds = worker.end(signal.SIGTERM)
    assert (code, seconds < 5) == (0, True), worker.lines
    assert worker.events().count("worker_not_listening") == 1


def test_a_signal_is_not_forgotten_when_redis_goes_away_at_that_moment(start, redis_urls):
    road, url = road_to_redis(redis_urls[1])
    worker = start(queue_url=url)
    time.sleep(0.3)  # it blocks on the queue
    road.close_entrance()  # RQ drops the connection that a signal interrupts
    code, seconds = worker.end(signal.SIGTERM)
    assert (code, seconds < 5) == (0, True), worker.lines
    road.cut()


def test_a_flushed_redis_loses_nothing(start, owner, redis):
    tell(owner, 1)
    WakeUps(redis).wake()
    redis.flushall()
    start()
    tell(owner, 2)
    redis.flushall()
    until(lambda: states(owner) == {"sent": 2}, SWEEP_EVERY_S + 2)


def test_redis_that_goes_away_and_comes_back_is_heard_again_and_logged_once_a_change(
    start, owner, redis_urls, redis
):
    road, url = road_to_redis(redis_urls[1])
    worker = start(queue_url=url)
    road.cut()
    until(lambda: "worker_not_listening" in worker.events())
    tell(owner, 1)
    until(lambda: states(owner) == {"sent": 1}, SWEEP_EVERY_S + 2)
    time.sleep(2.5)  # more tries, no more lines
    assert worker.events().count("worker_not_listening") == 1
    road.mend()
    until(lambda: worker.events().count("worker_listening") == 2, DUTY_PAUSE_MAX_S + 2)

    tell(owner, 2)
    WakeUps(redis).wake()
    until(lambda: states(owner) == {"sent": 2}, WOKEN_WITHIN_S)
    assert worker.end(signal.SIGTERM)[0] == 0, worker.lines
    road.cut()


def test_postgresql_that_goes_away_and_comes_back_is_drained_again_and_logged_once_a_change(
    start, owner, database_urls
):
    road, url = road_to_postgres(database_urls[1])
    worker = start(app_url=url)
    road.cut()
    until(lambda: failing(worker, "notices"))
    tell(owner, 1)
    time.sleep(SWEEP_EVERY_S + 1)
    assert states(owner) == {"waiting": 1}
    road.mend()
    until(lambda: states(owner) == {"sent": 1}, DUTY_PAUSE_MAX_S + 2)
    assert worker.alive()
    until(lambda: "duty_healed" in worker.events())
    assert failing(worker, "notices") == 1
    assert worker.end(signal.SIGTERM)[0] == 0, worker.lines
    road.cut()


def test_a_duty_that_fails_says_so_once_and_keeps_no_other_from_its_time(start, owner):
    worker = start()
    time.sleep(1.5)  # it failed some times by now
    tell(owner, 1)
    until(lambda: states(owner) == {"sent": 1}, SWEEP_EVERY_S + 2)
    assert failing(worker, "broken") == 1


def test_a_wake_up_is_answered_long_before_the_sweep(start, owner, redis):
    start()
    time.sleep(0.3)  # the first sweep is over, the next one is far
    tell(owner, 1)
    WakeUps(redis).wake()
    until(lambda: states(owner) == {"sent": 1}, WOKEN_WITHIN_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_not_woken_takes_nobody_s_wake_up(redis, redis_urls, database_urls, number):
    """Two processes on one queue: the one whose duties need no wake-up leaves it to the other."""
    worker = Process(redis_urls[1], database_urls[1], 0, 60, "unwoken")
    try:
        until(lambda: {"worker_waiting", "worker_listening"} & set(worker.events()))
        WakeUps(redis).wake()
        time.sleep(0.5)
        assert WakeUps(redis).depth() == 1
        code, seconds = worker.end(number)
        assert (code, seconds < 5) == (0, True), worker.lines
    finally:
        worker.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_in_time_with_nothing_left_claimed(start, owner, number):
    tell(owner, *range(200))
    worker = start(send_s=0.5)
    until(lambda: states(owner)["sending"] > 0)

    code, seconds = worker.end(number)

    assert (code, seconds < 5) == (0, True), worker.lines
    now = states(owner)
    assert now["sending"] == 0
    assert now["waiting"] > 0
    assert now["sent"] == arrived(owner).total() > 0
    assert worker.events()[-2:] == ["worker_stopping", "worker_stopped"]


def test_a_signal_during_many_wake_ups_is_never_lost(start, owner, redis):
    worker = start()
    queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
    for _ in range(300):
        queue.enqueue("gateway.notices.wakeup.ring", result_ttl=0)
    code, seconds = worker.end(signal.SIGTERM)
    assert (code, seconds < 5) == (0, True), worker.lines
    assert queue.count > 0  # it came in the middle of them


def test_a_killed_worker_s_messages_are_sent_again_once_by_the_next(start, owner):
    tell(owner, 1, 2)
    killed = start(send_s=30, lease_s=2)
    until(lambda: arrived(owner).total() == 2)
    killed.kill()
    start(lease_s=2)
    assert arrived(owner) == {"1": 1, "2": 1}  # not before the lease ends
    until(lambda: states(owner) == {"sent": 2})
    time.sleep(SWEEP_EVERY_S + 0.5)
    assert arrived(owner) == {"1": 2, "2": 2}


def test_rq_sees_the_worker_while_it_lives(start, redis):
    worker = start()
    until(lambda: Worker.count(connection=redis) == 1)
    assert worker.end(signal.SIGTERM)[0] == 0, worker.lines
    assert Worker.count(connection=redis) == 0
