"""What happened in a run, as plain facts in their order: all that the verdict looks at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.screens import What

EVENTS_MAX = 20_000  # a run has some 500; beyond it the script is cut, not the run


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the script: at which millisecond what happened to whom."""

    at_ms: int
    kind: str
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at_ms / 1000:9.3f}  {self.who:<12} {self.kind:<22} {self.what}"


@dataclass(frozen=True, slots=True)
class Order:
    """A money order reached the bank. `moment` counts facts, so that what came first is known."""

    moment: int
    key: str
    member: str
    target: str
    centimos: int


@dataclass(frozen=True, slots=True)
class Posting:
    """Money moved. `tax` is what each side of a transfer paid beside it, or the payer of a loan.
    `session` and `number` are those of the hop that asked for it; empty where a duty did."""

    moment: int
    key: str
    source: str
    target: str
    centimos: int
    tax: int
    reference: str
    loan: bool
    session: str
    number: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A command about an order left for the core."""

    moment: int
    key: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What the core said of an order was written down."""

    moment: int
    key: str
    outcome: str


@dataclass(slots=True)
class Hop:
    """A copy of a hop, being served.

    `number` counts a session's hops from 1. `plain`: the short code was dialled, and nothing behind
    it. `dialled`: when its session began.

    `keys` are those that it asked the database about, `all_keys` those of all copies of the hop,
    `orders` what it asked the bank for; `pin`: one was verified for it. `hurt`:
    a store failed it. `newer`: the phone had gone on, or the session had ended, by the time it was
    answered. `outrun`: before it began, the gateway had answered a later hop of the session, or
    it knew the session and had answered one of a later session. `saved`: it changed its session.
    """

    session: str
    number: int
    copy: int
    member: str
    exact: bool
    plain: bool
    dialled: int
    began: int
    began_ms: int
    keys: list[str] = field(default_factory=list)
    all_keys: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    pin: bool = False
    hurt: bool = False
    newer: bool = False
    outrun: bool = False
    saved: bool = False
    slept_ms: int = 0  # in its worker's own steps, and while it waited for another copy
    told: list[Told] = field(default_factory=list)

    def looked_up(self, key: str) -> None:
        """It asked the database about an order."""
        for keys in (self.keys, self.all_keys):
            if key not in keys:
                keys.append(key)


@dataclass(slots=True)
class Tell:
    """An attempt to tell a notice. `yes`: how often the network took it. `hurt`: it did not come to
    its end undisturbed. `key`: of the order that it is about. `became`: when it became true.
    `took_ms`: from claim to end."""

    notice: int
    attempt: int
    key: str
    fact: str
    member: str
    became: int
    began: int
    began_ms: int
    yes: int = 0
    hurt: bool = False
    took_ms: int = 0


@dataclass(slots=True)
class Duty:
    """A worker's duty, or an event of the network."""

    name: str
    keys: list[str] = field(default_factory=list)

    def looked_up(self, key: str) -> None:
        """It asked the database about an order."""
        self.keys.append(key)


@dataclass(slots=True)
class Told:
    """Somebody was told something of an order, or would have been.

    Args:
        moment: when the words left the gateway.
        member: whom.
        what: what.
        centimos: the order's amount; 0 where the words name none.
        reference: where it was done.
        keys: the orders that it can be about, as far as the gateway asked for them.
        by: `screen` or `sms`.
        became: when it became true.
        looked: when whoever told it could last look whether it still was.
        seen: the phone showed it, or the SMS network took it.
        received: it is of money that came in.
    """

    moment: int
    member: str
    what: What
    centimos: int
    reference: str
    keys: tuple[str, ...]
    by: str
    became: int
    looked: int
    seen: bool = False
    received: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """A copy of a hop was answered. `sorry`: with an apology."""

    hop: Hop
    moment: int
    text: str
    ends: bool
    outcome: str
    sorry: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Last:
    """The order that a member gave at the end, under a clear sky. `said`: what kind of screen it
    came to; `refused`: the bank said no to it."""

    member: str
    said: str
    text: str
    refused: bool


@dataclass(slots=True)
class Books:
    """What was found at the end.

    Args:
        wrong: what does not add up, in words.
        keys: those under which money moved, by the core's own account.
        balances: of savings accounts, céntimos.
        opening: the same at the beginning.
        open_orders: keys without a last word.
        ends: the last word on each key.
        waiting: notices neither sent nor given up.
        dead: the keys whose notices were given up.
        leaks: where a PIN lies.
        turns: of orders over a remote core, by key, as they were accepted.
        accounts: source and target of each order.
        codes: why an order was refused.
    """

    wrong: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=dict)
    opening: dict[str, int] = field(default_factory=dict)
    open_orders: list[str] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    dead: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    turns: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class History:
    """All facts of a run, and its script."""

    events: list[Event] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    moment: int = 0
    owners: dict[str, str] = field(default_factory=dict)  # of accounts
    minted: dict[str, int] = field(default_factory=dict)
    forgot: list[int] = field(default_factory=list)  # when Redis lost something
    intended: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    orders: list[Order] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    undone: dict[str, int] = field(default_factory=dict)  # when people at the core took one back
    sent: list[Sent] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)  # keys that were made sure never to move money
    awaited: set[str] = field(default_factory=set)  # keys that people at the core had to decide
    funded: set[str] = field(default_factory=set)  # keys accepted where the funds were known
    told: list[Told] = field(default_factory=list)
    tells: list[Tell] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    kept: set[tuple[str, int]] = field(default_factory=set)  # hops that changed their sessions
    faults: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    lasts: list[Last] = field(default_factory=list)
    books: Books = field(default_factory=Books)

    def now(self) -> int:
        """The next moment."""
        self.moment += 1
        return self.moment

    def remembered(self, since: int, until: int) -> bool:
        """Whether Redis lost nothing from one moment to another."""
        return not any(since <= moment <= until for moment in self.forgot)

    def note(self, at_ms: int, kind: str, who: str, what: str = "") -> None:
        """A line of the script."""
        self.counts[kind] += 1
        if len(self.events) < EVENTS_MAX:
            self.events.append(Event(at_ms, kind, who, what))
