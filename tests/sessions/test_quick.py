"""The quick client: as the library's, whatever Redis does meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from gateway.sessions.connecting import connect_sessions


@pytest.fixture
def quick(redis_urls: tuple[str, str]) -> Iterator[redis.Redis]:
    """A client as the gateway's."""
    with connect_sessions(redis_urls[0]) as client:
        yield client


def _both(client: redis.Redis) -> list[object]:
    with client.pipeline(transaction=False) as pipe:
        pipe.set("one", "1")
        pipe.get("one")
        return list(pipe.execute())


def test_a_server_that_is_away_is_an_error_of_the_library() -> None:
    with connect_sessions("redis://127.0.0.1:1/0") as nobody, pytest.raises(redis.ConnectionError):
        _both(nobody)


def test_a_command_that_is_refused_is_answered_by_its_error_and_the_others_by_their_replies(
    quick: redis.Redis,
) -> None:
    with quick.pipeline(transaction=False) as pipe:
        pipe.set("one", "1")
        pipe.hget("one", "field")
        pipe.get("one")
        first, refused, last = pipe.execute(raise_on_error=False)
    assert (first, last) == (True, b"1")
    assert isinstance(refused, redis.ResponseError)
    with quick.pipeline(transaction=False) as pipe:
        pipe.hget("one", "field")
        with pytest.raises(redis.ResponseError):
            pipe.execute()
    assert _both(quick) == [True, b"1"]


def test_a_connection_that_was_dropped_is_made_anew_without_a_word(
    quick: redis.Redis, redis_urls: tuple[str, str]
) -> None:
    _both(quick)
    with redis.Redis.from_url(redis_urls[0]) as other:
        assert other.client_kill_filter(_type="normal", skipme=True) >= 1
    assert _both(quick) == [True, b"1"]


def test_a_reply_that_came_too_late_is_never_taken_for_the_next_ones(
    quick: redis.Redis, redis_urls: tuple[str, str]
) -> None:
    _both(quick)
    with redis.Redis.from_url(redis_urls[0]) as other:
        other.set("two", "2")
        other.client_pause(2_000, all=True)
    with quick.pipeline(transaction=False) as pipe:
        pipe.get("two")
        with pytest.raises(redis.TimeoutError):
            pipe.execute()
    with redis.Redis.from_url(redis_urls[0]) as other:
        other.client_unpause()
    assert _both(quick) == [True, b"1"]


def test_replies_are_understood_as_the_library_understands_them(quick: redis.Redis) -> None:
    with quick.pipeline(transaction=False) as pipe:
        pipe.hset("hash", mapping={"a": "1"})
        pipe.hgetall("hash")
        pipe.set("three", "3", nx=True, get=True)
        pipe.set("three", "4", nx=True, get=True)
        assert pipe.execute() == [1, {b"a": b"1"}, None, b"3"]


def test_a_reply_that_takes_many_reads_is_whole_and_the_next_one_is_its_own(
    quick: redis.Redis,
) -> None:
    long = b"x" * 1_000_000
    with quick.pipeline(transaction=False) as pipe:
        pipe.set("long", long)
        pipe.get("long")
        pipe.set("four", "4")
        pipe.get("four")
        assert pipe.execute() == [True, long, True, b"4"]


def test_threads_do_not_read_each_others_replies(quick: redis.Redis) -> None:
    wrong: list[object] = []

    def ask(name: str) -> None:
        for number in range(200):
            with quick.pipeline(transaction=False) as pipe:
                pipe.set(name, number)
                pipe.get(name)
                replies = pipe.execute()
            if replies != [True, str(number).encode()]:
                wrong.append(replies)

    threads = [threading.Thread(target=ask, args=(f"thread-{place}",)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_as_many_connections_are_made_as_are_used_at_once(
    quick: redis.Redis, redis_urls: tuple[str, str]
) -> None:
    for _ in range(5):
        thread = threading.Thread(target=_both, args=(quick,))
        thread.start()
        thread.join()
    with redis.Redis.from_url(redis_urls[0]) as other:
        info: Any = other.client_list(_type="normal")
    assert len([line for line in info if line["cmd"] == "get"]) == 1
