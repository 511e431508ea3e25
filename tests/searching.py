"""Looking for secrets in all that is kept or told: logs, Redis, PostgreSQL, figures, errors."""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
import zlib
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import redis
import structlog
from psycopg import sql
from redis.exceptions import ResponseError

_READ = {
    b"none": lambda client, key: [],  # it ran out since it was named
    b"string": lambda client, key: [client.get(key)],
    b"hash": lambda client, key: [part for row in client.hgetall(key).items() for part in row],
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
    b"stream": lambda client, key: [
        part for _, fields in client.xrange(key) for row in fields.items() for part in row
    ],
}
_TABLES = """
    select schemaname, tablename from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2
"""


@dataclass(slots=True)
class Search:
    """Collects where a secret was found.

    A secret counts where no digit or hex letter touches it and no fraction of a second ends in it:
    it would stand in the middle of some hash or time of day by chance.

    Args:
        secrets: each with what it is.
        allowed: the places in which a kind of secret belongs, each with the reason.
    """

    secrets: dict[str, str]
    allowed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    def look(self, place: str, text: str | bytes) -> None:
        """Is one of them in here?"""
        read = text.decode("latin-1") if isinstance(text, bytes) else text
        self.looked_at[place] = self.looked_at.get(place, 0) + len(read)
        # Most texts hold none of them at all, which is found out soonest without a pattern.
        held = [(secret, kind) for secret, kind in self.secrets.items() if secret in read]
        for secret, kind in held:
            if (place, kind) not in self.allowed and (found := _exactly(secret).search(read)):
                start, end = max(0, found.start() - 60), found.end() + 20
                self.found.append(f"{place}: {kind} in {read[start:end]!r}")

    def look_in_redis(self, name: str, url: str) -> None:
        """Every key and value, as the server would dump it and as it is read; what rq has pressed
        together is unpacked."""
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter(count=1000):
                self.look(name, key)
                with contextlib.suppress(ResponseError):
                    self.look(name, client.dump(key) or b"")
                for value in _READ[client.type(key)](client, key):
                    self.look(name, value or b"")
                    with contextlib.suppress(zlib.error):
                        self.look(name, zlib.decompress(value or b""))

    def look_in_postgres(self, url: str) -> None:
        """Every column of every table, as text."""
        with psycopg.connect(url) as owner:
            for schema, table in owner.execute(_TABLES).fetchall():
                name = sql.Identifier(schema, table)
                copy = sql.SQL("copy (select * from {}) to stdout").format(name)
                with owner.cursor() as cursor, cursor.copy(copy) as rows:
                    for row in rows:
                        self.look(f"table {schema}.{table}", bytes(row).decode("utf-8"))


def _exactly(secret: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9a-f])(?<!\d\.){re.escape(secret)}(?![0-9a-f])")


@dataclass(slots=True)
class Log:
    """Every event of our logs, whole; an exception with all local variables of its frames."""

    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    screen: str = ""

    def keep(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> Any:
        """A processor of structlog that writes nothing on."""
        self.lines.append(repr(event))
        if event["event"] == "hop":
            self.screen = event["screen"]
        if event.get("exc_info"):
            kind, error, trace = sys.exc_info()
            assert kind is not None
            told = traceback.TracebackException(kind, error, trace, capture_locals=True)
            self.errors.append("".join(told.format()))
        raise structlog.DropEvent


@contextlib.contextmanager
def kept_log() -> Iterator[Log]:
    """Keep what is logged, in place of printing it."""
    log = Log()
    processors = structlog.get_config()["processors"]
    before = list(processors)
    processors[:] = [log.keep]
    try:
        yield log
    finally:
        processors[:] = before
