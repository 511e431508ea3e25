"""What a conversation asks of its memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from gateway.values.turn import Origin, Turn


class SessionsUnavailableError(Exception):
    """The session store did not answer in time."""


class Claim(msgspec.Struct, frozen=True):
    """A hop that is ours to do, until the lease ends. `hop` names it, the same for all its
    copies."""

    hop: str
    token: str
    order: int


@dataclass(frozen=True, slots=True)
class New:
    """A session nobody has seen. `answers` is what came with the dial, `left` what the caller left
    moments ago: empty where that is nothing, None where nobody remembers. What was typed may be a
    PIN: it is not printed."""

    claim: Claim
    answers: tuple[str, ...] = field(repr=False)
    left: bytes | None


@dataclass(frozen=True, slots=True)
class Next:
    """The next answer of a session that is under way. It may be a PIN: it is not printed."""

    claim: Claim
    state: bytes
    answer: str = field(repr=False)


class Repeat(msgspec.Struct, frozen=True):
    """This hop was answered already: here is the reply again."""

    reply: bytes


class UnderWay(msgspec.Struct, frozen=True):
    """Another copy of this hop, or the hop before it, is being done right now: look again in a
    moment."""


class Closed(msgspec.Struct, frozen=True):
    """The session cannot go on. `why`: `superseded`, `expired`, `diverged`, `too_fast`,
    `stranger`, `crowded`."""

    why: str


class Kept(msgspec.Struct, frozen=True):
    """What a hop came to.

    `left` outlives the session for a while; empty: there is nothing. `remind` is the member (their
    `member_ref`) whom a message may remind of it, or empty. `tells`: the reply says what became of
    an order.
    """

    state: bytes
    left: bytes
    reply: bytes
    remind: str = ""
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Abandoned:
    """What a member left in a session that is over, to be told once how to go on.

    Args:
        session: names the session, and no other.
        draft: as it was left.
        forgotten_at_ms: until when a dial finds it, milliseconds since the epoch.
    """

    session: str
    member_ref: str
    draft: bytes
    forgotten_at_ms: int


Opened = New | Next | Repeat | UnderWay | Closed


class Sessions(Protocol):
    """The memory of all conversations of one cooperative."""

    def open(self, turn: Turn) -> Opened:
        """Claim the hop of this turn, or learn what became of it. One round trip.

        Raises:
            SessionsUnavailableError: the store is away.
        """

    def close(self, turn: Turn, claim: Claim, kept: Kept) -> bytes:
        """Keep what the hop came to. One round trip. Answers the reply that the member must see:
        ours, or that of the worker that overtook us.

        Raises:
            SessionsUnavailableError: the store is away, or the session went on without us; nothing
                was kept.
        """

    def abandon(self, turn: Turn, claim: Claim) -> None:
        """Give a claim back without having done the hop: its next copy may try.

        Raises:
            SessionsUnavailableError: the store is away; the claim ends with its lease.
        """

    def leave_draft(self, origin: Origin, draft: bytes) -> None:
        """Leave a draft for the caller's next dial, from outside a session.

        Raises:
            SessionsUnavailableError: the store is away; nothing was kept.
        """

    def find_draft(self, origin: Origin) -> bytes | None:
        """What the caller left unfinished, or empty; None where nothing is known of them.

        Raises:
            SessionsUnavailableError: the store is away.
        """

    def ended(self, channel: str, account: str, session_id: str) -> None:
        """The network says that a session is over. Said twice, or of an unknown one, it changes
        nothing.

        Raises:
            SessionsUnavailableError: the store is away.
        """

    def abandoned(self, limit: int) -> list[Abandoned]:
        """Take up to `limit` drafts whose sessions ended a while ago, by the network's word or
        because nothing was heard for long, and whose callers have not dialled since. Each is
        answered to one caller of this, once.

        Raises:
            SessionsUnavailableError: the store is away. What was taken is not answered again.
        """

    def under_way(self) -> int | None:
        """How many sessions there are, for staff to look at: it reads through all keys. None: the
        store is away."""

    def healthy(self) -> bool:
        """Whether the store answers now."""
