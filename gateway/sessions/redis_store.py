"""Sessions in Redis: two scripts, two round trips a hop.

All keys of a caller share one hash tag (cooperative and caller), so that a script touches one slot
of a cluster. Session to caller is a key of its own: it may live in another slot.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from gateway.bounds import (
    CALLER_HOPS_PER_MINUTE,
    CLAIM_LEASE_MS,
    HISTORY_CHARS_MAX,
    REPEAT_INFERRED_MS,
)
from gateway.sessions.port import (
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

_HERE = Path(__file__).parent


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
    """

    def __init__(
        self,
        client: redis.Redis,
        cooperative: str,
        secret: bytes,
        now_ms: Callable[[], int],
        lifetime: Lifetime,
    ) -> None:
        self._client = client
        self._cooperative = cooperative
        self._secret = hashlib.blake2b(secret).digest()
        self._now_ms = now_ms
        self._lifetime = lifetime
        self._open = _Script(client, (_HERE / "open.lua").read_text())
        self._close = _Script(client, (_HERE / "close.lua").read_text())
        self._abandon = _Script(client, (_HERE / "abandon.lua").read_text())

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
        keys = (names.session, names.current, names.draft, f"{names.rate}:{now // 60_000}")
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(names.caller_of, names.tag, nx=True, get=True, ex=self._lifetime.total_s)
            self._open.queue(pipe, keys, argv)
            owner, opened = self._open.run(pipe, keys, argv)
        if owner is not None and owner != names.tag.encode():
            self._undo(names, opened)
            return Closed("stranger")
        return self._opened(turn, claim, opened)

    def close(self, turn: Turn, claim: Claim, kept: Kept) -> bytes:
        names = self._names(turn.origin)
        keys = (names.session, names.draft)
        argv = (
            claim.token,
            claim.hop,
            claim.order,
            self._now_ms(),
            kept.state,
            kept.reply,
            self._lifetime.idle_s * 1000,
            kept.draft,
            self._lifetime.draft_s * 1000,
        )
        with self._client.pipeline(transaction=False) as pipe:
            self._close.queue(pipe, keys, argv)
            (closed,) = self._close.run(pipe, keys, argv)
        if closed[0] == b"lost":
            raise SessionsUnavailableError("the session went on without us")
        return bytes(closed[1]) if closed[0] == b"overtaken" else kept.reply

    def abandon(self, turn: Turn, claim: Claim) -> None:
        keys, argv = (self._names(turn.origin).session,), (claim.token,)
        with self._client.pipeline(transaction=False) as pipe:
            self._abandon.queue(pipe, keys, argv)
            self._abandon.run(pipe, keys, argv)

    def leave_draft(self, origin: Origin, draft: bytes) -> None:
        try:
            self._client.set(self._names(origin).draft, draft, ex=self._lifetime.draft_s)
        except redis.RedisError as error:
            raise SessionsUnavailableError(str(error)) from error

    def find_draft(self, origin: Origin) -> bytes:
        try:
            draft = self._client.get(self._names(origin).draft)
        except redis.RedisError as error:
            raise SessionsUnavailableError(str(error)) from error
        return bytes(draft) if isinstance(draft, bytes) else b""

    def healthy(self) -> bool:
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def _undo(self, names: _Names, opened: Sequence[Any]) -> None:
        """Another caller's session id: leave this caller's own session as it was."""
        match opened:
            case [b"new", _, before]:
                with self._client.pipeline(transaction=False) as pipe:
                    pipe.delete(names.session)
                    if before:
                        pipe.set(names.current, before, ex=self._lifetime.total_s)
                    else:
                        pipe.delete(names.current)
                    pipe.execute(raise_on_error=False)

    def _opened(self, turn: Turn, claim: Claim, opened: Sequence[Any]) -> Opened:
        match opened:
            case [b"new", draft, _]:
                return New(claim, _dialled(turn), draft)
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
        token = secrets.token_hex(8)
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

    def _names(self, origin: Origin) -> _Names:
        caller = self._hash("caller", origin.msisdn.e164)
        session = self._hash("session", origin.channel, origin.account, origin.session_id)
        tag = f"chaski:{{{self._cooperative}:{caller}}}"
        return _Names(
            tag=tag,
            session=f"{tag}:session:{session}",
            current=f"{tag}:current",
            draft=f"{tag}:draft",
            rate=f"{tag}:hops",
            caller_of=f"chaski:caller-of:{self._cooperative}:{session}",
        )

    def _hash(self, *parts: str) -> str:
        joined = "\0".join(parts).encode()
        return hashlib.blake2b(joined, key=self._secret, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Names:
    tag: str
    session: str
    current: str
    draft: str
    rate: str
    caller_of: str


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
        try:
            replies: list[Any] = pipe.execute(raise_on_error=False)
            if isinstance(replies[-1], redis.exceptions.NoScriptError):
                replies[-1] = self._client.eval(self._source, len(keys), *keys, *argv)
        except redis.RedisError as error:
            raise SessionsUnavailableError(str(error)) from error
        for reply in replies:
            if isinstance(reply, redis.RedisError):
                raise SessionsUnavailableError(str(reply)) from reply
        return replies


def _dialled(turn: Turn) -> tuple[str, ...]:
    """What came with the dial: `*775*2*987654321*50#` arrives as `2*987654321*50` or so."""
    text = (turn.said.history if isinstance(turn.said, Cumulative) else turn.said.answer).text
    return tuple(text.split("*")) if text else ()
