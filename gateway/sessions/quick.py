"""A Redis client whose pipelines cost little more than Redis itself.

For every pipeline the library takes a connection from its pool, looks whether it is still good,
counts, and gives it back: two thirds of the time of a round trip on one machine. Here connections
that nobody uses lie on a heap of our own. One that was dropped meanwhile is found out when it is
used, and made anew by the same retry.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any

import hiredis
import redis
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.client import Pipeline

_RECEIVE_BYTES = 65_536  # at a time; all replies of a hop fit, and a longer one takes more reads
_HUNG_UP = "Redis has hung up"

Command = tuple[tuple[Any, ...], dict[str, Any]]


class QuickRedis(redis.Redis):
    """As the library's, but for pipelines without a transaction."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._free: deque[Any] = deque()  # its pop and append are atomic: it needs no lock
        weakref.finalize(self, self.connection_pool.disconnect)  # whoever forgets to close us

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Any:  # noqa: FBT001, FBT002 - the library's
        if transaction:
            return super().pipeline(transaction, shard_hint)
        return _QuickPipeline(self)

    def at_once(self, commands: Sequence[Command]) -> list[Any]:
        """Send some commands in one write, and answer their replies. A command that Redis refuses
        is answered by its error.

        Raises:
            redis.RedisError: no answer in time, or no connection.
        """
        try:
            line = self._free.pop()
        except IndexError:
            line = self.connection_pool.get_connection()
        try:
            replies: list[Any] = line.retry.call_with_retry(
                lambda: self._sent(line, commands), lambda _: line.disconnect()
            )
        except BaseException:
            line.disconnect()  # a reply that comes late may never be taken for the next one's
            raise
        finally:
            self._free.append(line)
        return replies

    def _sent(self, line: Any, commands: Sequence[Command]) -> list[Any]:
        packed = b"".join([hiredis.pack_command(words) for words, _ in commands])
        line.send_packed_command([packed], check_health=False)
        replies = _read(line, len(commands))
        return [
            self._understood(reply, words[0], options)
            for reply, (words, options) in zip(replies, commands, strict=True)
        ]

    def _understood(self, reply: Any, name: str, options: dict[str, Any]) -> Any:
        if isinstance(reply, redis.ResponseError):
            return reply
        understand: Any = self.response_callbacks  # as the library would: SET with GET, HGETALL
        understood = understand.get(name)
        return understood(reply, **options) if understood else reply


def _read(line: Any, wanted: int) -> list[Any]:
    """So many replies, by the library's own reader of this connection: its parser looks at every
    one of them again, which takes longer than all of the trip.

    Raises:
        redis.ConnectionError: the server hung up.
        redis.TimeoutError: it says nothing.
    """
    reader, socket = line._parser._reader, line._sock  # noqa: SLF001 - see above
    replies: list[Any] = []
    if reader is None or socket is None:
        raise redis.ConnectionError(_HUNG_UP)  # somebody closed the client meanwhile
    while len(replies) < wanted:
        reply = reader.gets()
        if reply is NOT_ENOUGH_DATA:
            reader.feed(_received(socket))
        elif isinstance(reply, redis.ConnectionError):  # as LOADING is: nobody is served yet
            raise reply
        elif not isinstance(reply, hiredis.PushNotification):  # that nobody asked for
            replies.append(reply)
    return replies


def _received(socket: Any) -> bytes:
    try:
        received: bytes = socket.recv(_RECEIVE_BYTES)
    except TimeoutError as error:
        raise redis.TimeoutError("Redis says nothing") from error
    except OSError as error:
        raise redis.ConnectionError(str(error)) from error
    if not received:
        raise redis.ConnectionError(_HUNG_UP)
    return received


class _QuickPipeline(Pipeline):
    """Queues as the library's does."""

    def __init__(self, client: QuickRedis) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, False, None)  # noqa: FBT003 - the library's
        self._client = client

    def __exit__(self, *error: object) -> None:
        self.command_stack = []

    def __del__(self) -> None:
        """There is no connection to give back."""

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - the library's
        commands, self.command_stack = self.command_stack, []
        replies = self._client.at_once(commands)
        if raise_on_error:
            failed: Any = self.raise_first_error
            failed(commands, replies)
        return replies
