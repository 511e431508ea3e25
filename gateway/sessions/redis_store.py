"""Sessions in Redis: two scripts, two round trips a hop.

All keys of a caller share one hash tag (cooperative and caller), so that a script touches one slot
of a cluster. Two keys may live in other slots: session to caller, and the callers to be reminded of
what they left, by when.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from gateway.bounds import (
    CALLER_HOPS_PER_MINUTE,
    CLAIM_LEASE_MS,
    GO_ON_SMS_AFTER_S,
    HISTORY_CHARS_MAX,
    HOPS_PER_SECOND,
    NETWORK_SHARE_OF_HOPS,
    REPEAT_INFERRED_MS,
    SCAN_KEYS,
)
from gateway.sessions.port import (
    Abandoned,
    Claim,
    Closed,
    Kept,
    New,
    Next,
    Opened,
    Repeat,
    SessionsUnavailableError,
    UnderWay,
)
from gateway.values.turn import Answer, Cumulative, Origin, Turn

_NAMED_MAX = 64  # callers: those of the hops under way
_CROWD_S = 5  # a count is over with its second; clocks differ by a few
_AWAY = (redis.RedisError, RedisClusterException)
_HERE = Path(__file__).parent
_COUNT = (_HERE / "crowd.lua").read_text()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives between answers, and in all; and a draft after it."""

    idle_s: int
    total_s: int
    draft_s: int


class RedisSessions:
    """The sessions of one cooperative.

    Args:
        client: with a short socket time-out, and replies as bytes.
        cooperative: its short name, part of every key.
        secret: keys the hashes of callers and of what they typed; never in Redis.
        now_ms: the clock, milliseconds since the epoch.
        lifetime: after how long a session is forgotten.
        hops_per_second: beyond it no new session begins.
    """

    def __init__(
        self,
        client: redis.Redis,
        cooperative: str,
        secret: bytes,
        now_ms: Callable[[], int],
        lifetime: Lifetime,
        hops_per_second: int = HOPS_PER_SECOND,
    ) -> None:
        self._hops_per_second = hops_per_second
        self._client = client
        self._cooperative = cooperative
        self._secret = hashlib.blake2b(secret).digest()
        self._now_ms = now_ms
        self._lifetime = lifetime
        self._open = _Script(client, (_HERE / "open.lua").read_text())
        self._close = _Script(client, (_HERE / "close.lua").read_text())
        self._abandon = _Script(client, (_HERE / "abandon.lua").read_text())
        self._ended = _Script(client, (_HERE / "ended.lua").read_text())
        # Of this process, and of the hop in it: chance of the system's for each would cost more
        # than all the rest of a claim.
        self._us, self._claims = secrets.token_hex(8), itertools.count()
        self._names = functools.lru_cache(_NAMED_MAX)(self._name)  # a hop opens and closes
        self._to_remind = f"chaski:to-remind:{cooperative}"

    def open(self, turn: Turn) -> Opened:
        names, claim = self._names(turn.origin), self._claim(turn)
        if isinstance(turn.said, Cumulative) and claim.order > HISTORY_CHARS_MAX:
            return Closed("diverged")
        now = self._now_ms()
        argv = (
            names.session,
            claim.hop,
            claim.order,
            now,
            claim.token,
            CLAIM_LEASE_MS,
            self._lifetime.idle_s * 1000,
            self._lifetime.total_s * 1000,
            CALLER_HOPS_PER_MINUTE,
            REPEAT_INFERRED_MS,
        )
        keys = (names.session, names.current, names.left, f"{names.rate}:{now // 60_000}")
        with self._client.pipeline(transaction=False) as pipe:
            self._count(pipe, turn.origin.channel, now // 1000)
            _set_once(pipe, names.caller_of, names.tag, self._lifetime.draft_s)
            self._open.queue(pipe, keys, argv)
            (of_all, of_network), owner, opened = self._open.run(pipe, keys, argv)
        if owner is not None and owner != names.tag.encode():
            self._undo(names, opened)
            return Closed("stranger")
        if opened[0] == b"new" and self._crowded(of_all, of_network):
            self._undo(names, opened)
            return Closed("crowded")
        return self._opened(turn, claim, opened)

    def close(self, turn: Turn, claim: Claim, kept: Kept) -> bytes:
        names = self._names(turn.origin)
        keys = (names.session, names.left, names.current)
        now = self._now_ms()
        argv = (
            claim.token,
            claim.hop,
            claim.order,
            now,
            kept.state,
            kept.reply,
            names.session,
            kept.left,
            kept.remind,
            self._lifetime.draft_s * 1000,
            int(kept.tells),
        )
        with self._client.pipeline(transaction=False) as pipe:
            if kept.remind:
                self._remind(pipe, names.tag, now + self._lifetime.idle_s * 1000)
            self._close.queue(pipe, keys, argv)
            closed = self._close.run(pipe, keys, argv)[-1]
        if closed[0] == b"lost":
            raise SessionsUnavailableError("the session went on without us")
        return bytes(closed[1]) if closed[0] == b"overtaken" else kept.reply

    def abandon(self, turn: Turn, claim: Claim) -> None:
        keys, argv = (self._names(turn.origin).session,), (claim.token,)
        with self._client.pipeline(transaction=False) as pipe:
            self._abandon.queue(pipe, keys, argv)
            self._abandon.run(pipe, keys, argv)

    def leave_draft(self, origin: Origin, draft: bytes) -> None:
        left = self._names(origin).left
        with _answering(), self._client.pipeline() as pipe:
            pipe.hset(left, mapping={"left": draft, "session": "", "remind": ""})
            pipe.expire(left, self._lifetime.draft_s)
            pipe.execute()

    def find_draft(self, origin: Origin) -> bytes | None:
        with _answering():
            draft: Any = self._client.hget(self._names(origin).left, "left")
        return None if draft is None else bytes(draft)

    def ended(self, channel: str, account: str, session_id: str) -> None:
        session = self._session_name(channel, account, session_id)
        with _answering():
            tag: Any = self._client.get(self._caller_of(session))
        if tag is None:
            return
        keys = (f"{tag.decode()}:session:{session}",)
        with self._client.pipeline(transaction=False) as pipe:
            self._remind(pipe, tag, self._now_ms(), sooner=True)
            self._ended.queue(pipe, keys, ())
            self._ended.run(pipe, keys, ())

    def abandoned(self, limit: int) -> list[Abandoned]:
        now = self._now_ms()
        with _answering():
            due: Any = self._client.zrangebyscore(self._to_remind, "-inf", now, start=0, num=limit)
            found = [self._abandoned(tag.decode(), now) for tag in due]
        return [each for each in found if each]

    def _remind(self, pipe: Any, tag: str | bytes, over_ms: int, *, sooner: bool = False) -> None:
        """Have a caller looked at a while after their session is over; `sooner` than was said."""
        due = over_ms + GO_ON_SMS_AFTER_S * 1000
        pipe.zadd(self._to_remind, {tag: due}, xx=sooner, lt=sooner)
        pipe.expire(self._to_remind, self._lifetime.draft_s)

    def _abandoned(self, tag: str, now: int) -> Abandoned | None:
        """What a caller left, if nobody else looks and they have not come back."""
        if not self._client.zrem(self._to_remind, tag):
            return None  # another worker's
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hgetall(f"{tag}:left")
            pipe.pttl(f"{tag}:left")
            pipe.get(f"{tag}:current")
            left, lives_ms, current = pipe.execute()
        session = left.get(b"session", b"")
        unknown = b"left" not in left  # an overtaken hop told of an order: see close.lua
        if unknown or not left.get(b"remind") or current not in {None, session}:
            return None
        replied, ended = self._client.hmget(session, ["replied", "ended"])
        idle_at = int(replied or 0) + self._lifetime.idle_s * 1000
        if not ended and idle_at > now:
            with self._client.pipeline(transaction=False) as pipe:
                self._remind(pipe, tag, idle_at)
                pipe.execute()
            return None
        return Abandoned(
            session=session.decode(),
            member_ref=left[b"remind"].decode(),
            draft=left[b"left"],
            forgotten_at_ms=now + lives_ms,
        )

    def under_way(self) -> int | None:
        of_ours = f"chaski:{{{self._cooperative}:*}}:session:*"
        try:
            return sum(1 for _ in self._client.scan_iter(match=of_ours, count=SCAN_KEYS))
        except redis.RedisError:
            return None

    def healthy(self) -> bool:
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def _count(self, pipe: Any, channel: str, second: int) -> None:
        """One more hop of this second, over all processes."""
        crowd = f"chaski:crowd:{self._cooperative}:{second}"
        # Whole each time: it is shorter than what would have to be said where it is not known.
        pipe.execute_command("EVAL", _COUNT, 1, crowd, f"of-{channel}", _CROWD_S)

    def _crowded(self, of_all: int, of_network: int) -> bool:
        """Whether nobody new can be let in. Who is in a session goes on: they would lose more."""
        most = self._hops_per_second
        return of_all > most or of_network > max(1, int(most * NETWORK_SHARE_OF_HOPS))

    def _undo(self, names: _Names, opened: Sequence[Any]) -> None:
        """A dial that is refused: leave this caller's own session as it was."""
        match opened:
            case [b"new", _, before]:
                with _answering(), self._client.pipeline(transaction=False) as pipe:
                    pipe.delete(names.session)
                    if before:
                        pipe.set(names.current, before, ex=self._lifetime.total_s)
                    else:
                        pipe.delete(names.current)
                    pipe.execute(raise_on_error=False)

    def _opened(self, turn: Turn, claim: Claim, opened: Sequence[Any]) -> Opened:
        match opened:
            case [b"new", left, _]:
                return New(claim, _dialled(turn), left)
            case [b"next", state, last_hop, last_order]:
                answer = self._answer(turn, last_hop.decode(), int(last_order))
                return Closed("diverged") if answer is None else Next(claim, state, answer)
            case [b"repeat" | b"stale", reply]:
                return Repeat(reply)
            case [b"overlap" | b"busy"]:
                return UnderWay()
            case [why]:
                return Closed(why.decode())
        raise AssertionError(f"open.lua answered {opened!r}")

    def _answer(self, turn: Turn, last_hop: str, last_order: int) -> str | None:
        """The new answer, or None where the history is not a continuation of what we heard.

        Only the length and a keyed hash of the earlier text are kept: the text may hold a PIN.
        """
        if isinstance(turn.said, Answer):
            return turn.said.answer.text
        history = turn.said.history.text
        before, after = history[:last_order], history[last_order:]
        if not hmac.compare_digest(self._hop(turn, before), last_hop):
            return None
        if last_order == 0:
            return after
        return after[1:] if after.startswith("*") else None

    def _claim(self, turn: Turn) -> Claim:
        token = f"{self._us}-{next(self._claims)}"
        match turn.said:
            case Cumulative(history):
                return Claim(self._hop(turn, history.text), token, len(history.text))
            case Answer(answer, int(sequence)):
                return Claim(self._hop(turn, f"{sequence}*{answer.text}"), token, sequence)
            case Answer(answer):
                return Claim(self._hop(turn, answer.text), token, -1)

    def _hop(self, turn: Turn, text: str) -> str:
        """A hop's name, the same for all its copies and for no other hop of anybody."""
        origin = turn.origin
        return self._hash(
            "hop", origin.channel, origin.account, origin.session_id, origin.msisdn.e164, text
        )

    def _name(self, origin: Origin) -> _Names:
        caller = self._hash("caller", origin.msisdn.e164)
        session = self._session_name(origin.channel, origin.account, origin.session_id)
        tag = f"chaski:{{{self._cooperative}:{caller}}}"
        return _Names(
            tag=tag,
            session=f"{tag}:session:{session}",
            current=f"{tag}:current",
            left=f"{tag}:left",
            rate=f"{tag}:hops",
            caller_of=self._caller_of(session),
        )

    def _session_name(self, channel: str, account: str, session_id: str) -> str:
        return self._hash("session", channel, account, session_id)

    def _caller_of(self, session: str) -> str:
        return f"chaski:caller-of:{self._cooperative}:{session}"

    def _hash(self, *parts: str) -> str:
        joined = "\0".join(parts).encode()
        return hashlib.blake2b(joined, key=self._secret, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Names:
    tag: str
    session: str
    current: str
    left: str
    rate: str
    caller_of: str


@contextmanager
def _answering() -> Iterator[None]:
    """Redis away is one error, whatever was asked."""
    try:
        yield
    except _AWAY as error:
        raise SessionsUnavailableError(str(error)) from error


class _Script:
    """A Lua script that is sent by its digest, and whole only to a server that lost it."""

    def __init__(self, client: redis.Redis, source: str) -> None:
        self._client: Any = client
        self._source = source
        self._digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    def queue(self, pipe: Any, keys: Sequence[str], argv: Sequence[object]) -> None:
        """Put the call at the end of a pipeline."""
        pipe.execute_command("EVALSHA", self._digest, len(keys), *keys, *argv)

    def run(self, pipe: Any, keys: Sequence[str], argv: Sequence[object]) -> list[Any]:
        """Execute the pipeline, whose last command is this script.

        Raises:
            SessionsUnavailableError: no answer in time.
        """
        try:  # by hand what `_answering` does, here at every hop
            replies: list[Any] = pipe.execute(raise_on_error=False)
            if isinstance(replies[-1], redis.exceptions.NoScriptError):
                replies[-1] = self._client.eval(self._source, len(keys), *keys, *argv)
        except _AWAY as error:
            raise SessionsUnavailableError(str(error)) from error
        for reply in replies:
            if isinstance(reply, redis.RedisError):
                raise SessionsUnavailableError(str(reply)) from reply
        return replies


def _set_once(pipe: Any, key: str, value: str, lives_s: int) -> None:
    """Set it unless it is there, and answer what was. In Redis' own words: the library takes longer
    over the arguments of its `set` than Redis over the command."""
    pipe.execute_command("SET", key, value, "NX", "GET", "EX", lives_s, get=True)


def _dialled(turn: Turn) -> tuple[str, ...]:
    """What came with the dial: `*775*2*987654321*50#` arrives as `2*987654321*50` or so."""
    text = (turn.said.history if isinstance(turn.said, Cumulative) else turn.said.answer).text
    return tuple(text.split("*")) if text else ()
