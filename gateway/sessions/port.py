"""What a conversation asks of its memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.values.turn import Origin, Turn


class SessionsUnavailableError(Exception):
    """The session store did not answer in time."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A hop that is ours to do, until the lease ends. `hop` names it, the same for all its
    copies."""

    hop: str
    token: str
    order: int


@dataclass(frozen=True, slots=True)
class New:
    """A session nobody has seen. `answers` is what came with the dial, `draft` what the caller left
    unfinished moments ago, or empty."""

    claim: Claim
    answers: tuple[str, ...]
    draft: bytes


@dataclass(frozen=True, slots=True)
class Next:
    """The next answer of a session that is under way."""

    claim: Claim
    state: bytes
    answer: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """This hop was answered already: here is the reply again."""

    reply: bytes


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Another copy of this hop, or the hop before it, is being done right now: look again in a
    moment."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session cannot go on. `why`: `superseded`, `expired`, `diverged`, `too_fast`,
    `stranger`."""

    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What a hop came to. `draft` outlives the session for a while; empty: there is none."""

    state: bytes
    draft: bytes
    reply: bytes


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

    def find_draft(self, origin: Origin) -> bytes:
        """What the caller left unfinished; empty where there is nothing.

        Raises:
            SessionsUnavailableError: the store is away.
        """

    def healthy(self) -> bool:
        """Whether the store answers now."""
