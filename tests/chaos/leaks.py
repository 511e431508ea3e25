"""Looks for PINs where none may be: in logs, transcripts, and everything that Redis holds."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import redis

_SCAN_ROWS = 500


class PinSearch:
    """Finds any of these PINs, each of six digits that begin with 0.

    What stands among other digits or hexadecimal letters is part of a number or of a hash, and what
    follows a decimal point is the fraction of a second.
    """

    def __init__(self, pins: Iterable[str]) -> None:
        alternatives = "|".join(sorted(pins)).encode()
        self._pattern = re.compile(
            rb"(?<![0-9a-f])(?<![0-9]\.)(?:" + alternatives + rb")(?![0-9a-f])"
        )

    def found(self, data: bytes) -> bool:
        """Whether there is one."""
        return self._pattern.search(data) is not None

    def in_files(self, folder: Path) -> Iterator[str]:
        """A line for each line of a file in this folder that holds one. The PIN is not in it."""
        for path in sorted(folder.iterdir()):
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if self.found(line):
                        yield f"{path.name}:{number} holds a PIN"

    def in_redis(self, url: str) -> Iterator[str]:
        """A line for each key of a database that holds one, in its name or in its value."""
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter(count=_SCAN_ROWS):
                values = map(_unpacked, _values(client, key))
                if self.found(key) or any(map(self.found, values)):
                    kind = client.type(key).decode()
                    yield f"a {kind} in Redis holds a PIN"


def _unpacked(value: bytes) -> bytes:
    """RQ keeps a job's call compressed."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def _values(client: Any, key: bytes) -> list[bytes]:
    """Everything that a key holds. Not by DUMP, which compresses."""
    match client.type(key):
        case b"string":
            return [client.get(key) or b""]
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case b"stream":
            entries = client.xrange(key)
            return [part for _, fields in entries for pair in fields.items() for part in pair]
        case b"none":  # it ran out meanwhile
            return []
        case kind:
            raise ValueError(f"{kind!r}: say here how to read it")
