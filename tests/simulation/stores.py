"""The real stores, with trouble on the way to them, and in virtual time.

Their own clocks would not repeat themselves. So PostgreSQL's functions are given the run's clock in
place of the server's, and of Redis's keys it is written down here when they end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import redis
from psycopg.rows import dict_row
from redis.client import Pipeline

from gateway.db.pool import Database, DatabaseUnavailableError, Row
from tests.simulation.history import Duty, Hop, Order, Settled
from tests.simulation.world import Trouble, World

_ORDER = re.compile(r"instructions\.(?:execute|accept)\(")
_TELLING = re.compile(
    r"instructions\.(?:execute|settle|close|accept|take_turn|expire)\(|notices\.(?:left_unfinished|answer)\("
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FUNCTION = re.compile(r"(\w+\.\w+)\s*\(")
_CLOCK = re.compile(r"\b(?:now|clock_timestamp)\(\)")
_TIMED = re.compile(r"\bnotices\.|instructions\.(?:execute|settle|close|take_turn|expire)\(")
_UNORDERED = re.compile(r"instructions\.take_unfinished\(")
_SECOND_MS = 1000


class SimDatabase(Database):
    """PostgreSQL over one connection.

    Args:
        dsn: of the application's role.
        owner: signed in as the owner, to look at what the application may not see.
    """

    def __init__(self, dsn: str, owner: psycopg.Connection[Any]) -> None:
        self.world: World | None = None
        self._connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)
        self._owner = owner
        self._clock = ""
        self._notices = 0
        self.about_notice: dict[int, tuple[str, int]] = {}

    def enter(self, world: World | None) -> None:
        """A run begins, or is over."""
        self.world = world
        self._clock = ""
        self._notices = 0
        self.about_notice = {}

    def open(self) -> None:
        """It is."""

    def close(self) -> None:
        self._connection.close()

    def call(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        world = self.world
        if world is None:
            return self._execute(sql, params)
        name = _name(sql)
        world.step(f"before {name}")
        self._listen(world, sql, params)
        trouble = world.trouble("database", name)
        if trouble is Trouble.BEFORE:
            raise DatabaseUnavailableError("simulated: nothing was sent")
        if _TIMED.search(sql):
            self._set_clock(world)
        rows = self._execute(sql, params)
        self._watch(world, sql, params, rows)
        if trouble is Trouble.TWICE:
            rows = self._execute(sql, params)
            self._watch(world, sql, params, rows)
        world.step(f"after {name}")
        if trouble is Trouble.AFTER:
            raise DatabaseUnavailableError("simulated: the answer was lost")
        return rows

    def _execute(self, sql: str, params: Sequence[object]) -> list[Row]:
        cursor = self._connection.execute(sql, params)
        rows = cursor.fetchall() if cursor.description else []
        if _UNORDERED.search(sql):
            rows.sort(key=str)  # as they come depends on where they lie
        return rows

    def _set_clock(self, world: World) -> None:
        clock = world.now().isoformat()
        if clock != self._clock:
            self._connection.execute("select set_config('simulation.now', %s, false)", (clock,))
            self._clock = clock

    def _listen(self, world: World, sql: str, params: Sequence[object]) -> None:
        """What is asked of PostgreSQL."""
        if any(isinstance(one, str) and world.leaks(one) for one in params):
            world.history.leaks.append(f"sent to PostgreSQL in {_name(sql)}")
        about = world.about()
        if isinstance(about, Hop | Duty):
            if isinstance(about, Duty) and "bank.member_by_ref(" in sql:
                about.keys.clear()  # the next member's matter begins
            for one in params:
                if _UUID.fullmatch(str(one)):
                    about.looked_up(str(one))
        if isinstance(about, Hop) and "bank.claim_pin_attempt(" in sql:
            about.pin = True
        if _ORDER.search(sql):
            key, _, member, _, _, target, centimos = params[:7]
            assert isinstance(centimos, int)
            order = Order(world.history.now(), str(key), str(member), str(target), centimos)
            world.history.orders.append(order)
            if isinstance(about, Hop):
                about.orders.append(order)

    def _watch(self, world: World, sql: str, params: Sequence[object], rows: list[Row]) -> None:
        """What came of it."""
        about = world.about()
        if isinstance(about, Hop):
            for row in rows:
                if row.get("key"):
                    about.looked_up(str(row["key"]))
        if "instructions.execute(" in sql and rows[0]["state"] == "posted" and rows[0]["created"]:
            row = rows[0]
            world.posted(
                str(params[0]),
                (row["source"], row["target"]),
                row["amount_centimos"],
                row["tax_centimos"],
                row["reference"],
                loan=row["mode"] is not None,
            )
        if "instructions.close(" in sql and rows[0]["state"] == "closed":
            world.history.closed.add(str(params[0]))
        if "instructions.settle(" in sql:
            key, outcome = str(params[0]), str(params[2])
            world.history.settled.append(Settled(world.history.now(), key, outcome))
        if "instructions.accept(" in sql and rows[0]["state"] == "accepted" and rows[0]["created"]:
            *_, available, _as_of, _remembered, _pending_shown = params
            if available is not None:
                world.history.funded.add(str(params[0]))
        if _TELLING.search(sql):
            self._new_notices(world, about, params)

    def _new_notices(self, world: World, about: object, params: Sequence[object]) -> None:
        """Which order a notice is about: that of the statement that wrote it, or of one before."""
        new = self._owner.execute(
            "select id from notices.outbox where id > %s order by id",
            (self._notices,),
        ).fetchall()
        key = str(params[0]) if params else ""
        if not _UUID.fullmatch(key):
            key = about.keys[-1] if isinstance(about, Duty | Hop) and about.keys else ""
        moment = world.history.now()
        for (notice,) in new:
            self.about_notice[notice] = key, moment
            self._notices = notice


def move_clocks(owner: psycopg.Connection[Any]) -> int:
    """Give every function and default of the house that looks at the server's clock the run's
    clock. Answers how many.

    Raises:
        AssertionError: one of them is called without the clock being set: see `_TIMED`.
    """
    owner.execute("create schema simulation")
    owner.execute(
        "create function simulation.now() returns timestamptz language sql stable"
        " return coalesce(nullif(current_setting('simulation.now', true), '')::timestamptz, now())"
    )
    schemas = ["bank", "core", "instructions", "ledger", "library", "notices"]
    functions = owner.execute(
        "select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n"
        " on n.oid = p.pronamespace where n.nspname = any(%s) and p.prokind = 'f'",
        (schemas,),
    ).fetchall()
    defaults = owner.execute(
        "select format('alter table %%s alter column %%I set default %%s', d.adrelid::regclass,"
        " a.attname, pg_get_expr(d.adbin, d.adrelid))"
        " from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum"
        " join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = any(%s) and a.attidentity = '' and a.attgenerated = ''",
        (schemas,),
    ).fetchall()
    moved = [sql for (sql,) in [*functions, *defaults] if _CLOCK.search(sql)]
    for sql in moved:
        assert not sql.startswith("CREATE") or " notices." in sql, f"not in _TIMED: {sql[:80]}"
        owner.execute(_CLOCK.sub("simulation.now()", sql).encode())
    return len(moved)


# Answers the keys that are to end, each with its time to live, and takes that from them.
_TAKE_ENDS = """
local ends = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
    local ms = redis.call('PTTL', key)
    if ms >= 0 then
        redis.call('PERSIST', key)
        ends[#ends + 1] = {key, ms}
    end
end
return ends
"""


_WHOLE: dict[str, Callable[[bytes], tuple[object, ...]]] = {
    "hash": lambda key: ("HGETALL", key),
    "zset": lambda key: ("ZRANGE", key, 0, -1),
    "string": lambda key: ("GET", key),
}


class SimRedis(redis.Redis):
    """Redis, whose keys end in virtual time."""

    world: World | None = None
    _ends: dict[bytes, int]
    _line: Any = None

    def enter(self, world: World | None) -> None:
        """A run begins, or is over: nothing is remembered."""
        self.world = world
        self._ends = {}
        self._plainly("FLUSHDB")
        self._plainly("SCRIPT FLUSH")

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Any:
        return _SimPipeline(self, super().pipeline(transaction=transaction))

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if self.world is None:
            return super().execute_command(*args, **options)
        (answer,) = self.carry_out([(args, options)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def carry_out(self, commands: list[tuple[Any, Any]]) -> list[Any]:
        """Send some commands at once.

        Raises:
            redis.ConnectionError: as the weather has it.
        """
        world = self.world
        assert world is not None
        name = "+".join(_command(args) for args, _ in commands)
        world.step(f"before {name}")
        about = world.about()
        amounts = not isinstance(about, Hop) or about.exact
        if any(world.leaks(_text(one), amounts=amounts) for args, _ in commands for one in args):
            world.history.leaks.append(f"sent to Redis in {name}")
        trouble = world.trouble("redis", name)
        if trouble is Trouble.BEFORE:
            raise redis.ConnectionError("simulated: nothing was sent")
        answers = self._send(world, commands)
        if trouble is Trouble.TWICE:
            answers = self._send(world, commands)
        world.step(f"after {name}")
        if trouble is Trouble.AFTER:
            raise redis.TimeoutError("simulated: the answer was lost")
        return answers

    def _send(self, world: World, commands: list[tuple[Any, Any]]) -> list[Any]:
        """Within one round trip: end what has ended by now, then the commands, then ask which keys
        are to end."""
        now_ms = world.station.now_ms
        ended = [key for key, at_ms in self._ends.items() if at_ms <= now_ms]
        for key in ended:
            del self._ends[key]
        ends: list[tuple[Any, ...]] = [("DEL", *ended)] if ended else []
        sent = [*ends, *(args for args, _ in commands), ("EVAL", _TAKE_ENDS, 0)]
        answers = self._at_once(sent)
        for key, ms in answers[-1]:
            # A moment of real time has passed; what lives, lives for whole seconds.
            self._ends[key] = now_ms + -(-ms // _SECOND_MS) * _SECOND_MS
        about, answers = world.about(), answers[len(ends) : -1]
        if isinstance(about, Hop) and [b"saved"] in answers:
            about.saved = True
            world.history.kept.add((about.session, about.number))
        return [
            self._understood(answer, args, options, now_ms)
            for answer, (args, options) in zip(answers, commands, strict=True)
        ]

    def _at_once(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Without the client's own care for retries and figures, which takes longer than Redis."""
        line = self._line = self._line or self.connection_pool.get_connection()
        line.send_packed_command(line.pack_commands(commands))
        answers = []
        for _ in commands:
            try:
                answers.append(line.read_response())
            except redis.ResponseError as error:
                answers.append(error)
        return answers

    def _understood(self, answer: Any, args: Any, options: Any, now_ms: int) -> Any:
        """An answer as the client gives it."""
        if args[0] == "PTTL":
            return self._ends.get(args[1].encode(), now_ms - 1) - now_ms
        callback = self.response_callbacks.get(args[0])
        if callback is None or isinstance(answer, Exception):
            return answer
        return callback(answer, **options)

    def forget(self, world: World, share: float) -> None:
        """Lose some keys, or all, and the scripts too."""
        keys = sorted(self._plainly("KEYS", "*"))
        lost = [key for key in keys if share >= 1 or world.chance.random() < share]
        if lost:
            self._plainly("DEL", *lost)
        if share >= 1:
            self._plainly("SCRIPT FLUSH")
        world.history.forgot.append(world.history.now())
        world.note("forget" if share >= 1 else "forget some", "redis", f"{len(lost)} keys")

    def everything(self) -> Iterator[tuple[str, str]]:
        """Every key, with all that it holds, as text."""
        for key in sorted(self._plainly("KEYS", "*")):
            kind = self._plainly("TYPE", key).decode()
            yield _text(key), _text(self._plainly(*_WHOLE[kind](key)))

    def _plainly(self, *args: Any) -> Any:
        return super().execute_command(*args)


class _SimPipeline:
    """Commands that go together."""

    def __init__(self, client: SimRedis, pipe: Pipeline) -> None:
        self._client = client
        self._pipe = pipe

    def __enter__(self) -> _SimPipeline:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.command_stack.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        commands = [*self._pipe.command_stack]
        self._pipe.command_stack.clear()
        answers = self._client.carry_out(commands)
        failed = [answer for answer in answers if isinstance(answer, Exception)]
        if failed and raise_on_error:
            raise failed[0]
        return answers


def _name(sql: str) -> str:
    found = _FUNCTION.search(sql)
    return found[1] if found else sql[:30]


def _command(args: Sequence[Any]) -> str:
    return str(args[0]).lower()


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return " ".join(_text(part) for pair in value.items() for part in pair)
    return str(value)
