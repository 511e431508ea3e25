"""Which dialogue is this? A network's session numbers are few and come again; ours never do."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.bounds import SESSION_TOTAL_S, SMPP_DIALOGUES_MAX
from gateway.channels.smpp.codec import Address, Tlvs
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Keystrokes, Reply

# Of a phone: a session's number, as a number or as the octets that it is; None: there are none.
Number = int | bytes | None
_PUSHED = -1  # the network has not told it yet, and none is below 0
Key = tuple[Msisdn, Number]


@dataclass(frozen=True, slots=True)
class Way:
    """How a screen gets to its phone: both ends, and what goes back as it came."""

    phone: Address
    code: Address
    echo: Tlvs = field(default=(), repr=False)


class Carrier(Protocol):
    """The connection that something came over."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""


@dataclass(slots=True, eq=False)
class Hop:
    """The last key of a dialogue, and what became of it.

    Args:
        typed: what was typed; it does not print.
        carrier: what it came over.
        reply: the screen, once it is made.
        shown: the network has taken the screen, so it knows that we had the key.
    """

    typed: Keystrokes
    carrier: Carrier
    reply: Reply | None = field(default=None, repr=False)
    shown: bool = False


@dataclass(slots=True, eq=False)
class Dialogue:
    """One dialogue of one phone, from its begin to its end.

    Args:
        key: under which the network knows it, until another one begins there.
        session_id: ours; no other dialogue has ever had it.
        way: how it came last.
        invited: we began it, and the first answer is as good as a dial.
        over: no screen is wanted there any more.
        closed: its last screen was made; a key that comes all the same is a copy, or late.
    """

    key: Key
    session_id: str
    way: Way = field(repr=False)
    seen_at: float
    invited: bool = False
    over: bool = False
    closed: bool = False
    hops: int = 0
    last: Hop | None = None
    _counts: bool = True
    _order: int = -1
    _last_typed: int = 0

    def again(self, typed: str) -> Hop | None:
        """The hop that this key is a copy of: one that is being done, or whose screen the network
        has not taken before the connection broke. None: it is another key."""
        last = self.last
        if last is None or last.typed.text != typed:
            return None
        broke = last.carrier.over and not last.shown
        return last if last.reply is None or broke else None

    def order(self, count: int | None, size: int, typed: str) -> int | None:
        """The hop's number in the dialogue; None where the network does not count.

        Args:
            count: what it counts, which begins again at 0 after `size` of them.
            typed: a network that says the same count with another answer does not count.
        """
        if count is None or not self._counts:
            return None
        if self._order < 0:
            self._order, self._last_typed = count, hash(typed)
            return count
        ahead = (count - self._order) % size
        if not ahead and hash(typed) != self._last_typed:
            self._counts = False
            return None
        if ahead > size // 2:
            return self._order - (size - ahead)  # an earlier one, come late
        self._order, self._last_typed = self._order + ahead, hash(typed)
        return self._order


class Dialogues:
    """The dialogues of one line.

    A begin is always a new one, whatever was there before. One that nothing was heard of for
    `idle_s` is over: no network keeps it so long, and its number may be another's by now.

    Args:
        now: seconds of a clock that never goes back.
        idle_s: longer than any network keeps a dialogue.
    """

    def __init__(
        self,
        now: Callable[[], float],
        idle_s: float = SESSION_TOTAL_S,
        most: int = SMPP_DIALOGUES_MAX,
    ) -> None:
        self._now = now
        self._idle_s = idle_s
        self._most = most
        self._known: OrderedDict[Key, Dialogue] = OrderedDict()

    def __len__(self) -> int:
        """Those whose last screen was not made yet."""
        return sum(not dialogue.closed for dialogue in list(self._known.values()))

    def begin(self, msisdn: Msisdn, number: Number, way: Way) -> Dialogue:
        """A member dialled."""
        self._over((msisdn, _PUSHED))
        return self._new((msisdn, number), way)

    def invite(self, msisdn: Msisdn, number: Number, way: Way, *, given: bool) -> Dialogue:
        """We dial a member.

        Args:
            number: ours, where we give it one.
            given: the network gives it, and tells it with the answer.
        """
        dialogue = self._new((msisdn, _PUSHED if given else number), way)
        dialogue.invited = True
        return dialogue

    def going_on(self, msisdn: Msisdn, number: Number, way: Way) -> Dialogue | None:
        """The dialogue under way with that number; None: there is none."""
        self._forget()
        dialogue = self._known.get((msisdn, number)) or self._adopted(msisdn, number)
        if dialogue is None:
            return None
        dialogue.seen_at = self._now()
        # The code may have been in the dial alone.
        dialogue.way = Way(way.phone, dialogue.way.code, way.echo)
        self._known.move_to_end(dialogue.key)
        return dialogue

    def talks(self, msisdn: Msisdn) -> bool:
        """Whether this phone is in a dialogue now. Looks at all of them."""
        self._forget()
        known = self._known.items()
        return any(key[0] == msisdn and not dialogue.closed for key, dialogue in known)

    def end(self, dialogue: Dialogue) -> None:
        """It is over."""
        dialogue.over = True
        if self._known.get(dialogue.key) is dialogue:
            del self._known[dialogue.key]

    def _new(self, key: Key, way: Way) -> Dialogue:
        self._over(key)
        self._forget(room=1)
        dialogue = Dialogue(key, secrets.token_hex(8), way, self._now())
        self._known[key] = dialogue
        return dialogue

    def _adopted(self, msisdn: Msisdn, number: Number) -> Dialogue | None:
        """One that we began, whose number we learn now."""
        dialogue = self._known.pop((msisdn, _PUSHED), None)
        if dialogue is not None:
            dialogue.key = (msisdn, number)
            self._known[dialogue.key] = dialogue
        return dialogue

    def _over(self, key: Key) -> None:
        before = self._known.pop(key, None)
        if before is not None:
            before.over = True

    def _forget(self, room: int = 0) -> None:
        """Those that were silent too long; and the longest silent ones, to make room."""
        oldest = self._now() - self._idle_s
        while self._known:
            dialogue = next(iter(self._known.values()))
            if dialogue.seen_at > oldest and len(self._known) + room <= self._most:
                return
            self.end(dialogue)
