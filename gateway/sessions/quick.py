"""A Redis client whose pipelines cost little more than Redis itself.

For every pipeline the library takes a connection from its pool, looks whether it is still good,
counts, and gives it back: two thirds of the time of a round trip on one machine. Here connections
that nobody uses lie on a heap of our own. One that was dropped meanwhile is found out when it is
used, and made anew.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any

import hiredis
import redis
from redis.client import Pipeline

Command = tuple[tuple[Any, ...], dict[str, Any]]


class QuickRedis(redis.Redis):
    """As the library's, but for pipelines without a transaction."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # How the library understands replies (SET with GET, HGETALL); it looks each up in any case.
        self._understands: dict[str, Any] = dict(self.response_callbacks)
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
            try:
                return self._sent(line, commands)
            except (redis.ConnectionError, redis.TimeoutError):
                # It had been dropped, or died without a word: once more, on a new one.
                line.disconnect()
                return self._sent(line, commands)
        except BaseException:
            line.disconnect()  # a reply that comes late may never be taken for the next one's
            raise
        finally:
            self._free.append(line)

    def _sent(self, line: Any, commands: Sequence[Command]) -> list[Any]:
        packed = b"".join([hiredis.pack_command(words) for words, _ in commands])
        line.send_packed_command([packed], check_health=False)
        return [self._reply(line, words[0], options) for words, options in commands]

    def _reply(self, line: Any, name: str, options: dict[str, Any]) -> Any:
        try:
            reply = line.read_response()
        except redis.ResponseError as error:
            return error
        understood = self._understands.get(name)
        return understood(reply, **options) if understood else reply


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
