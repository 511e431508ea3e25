"""The programme's figures of a period, read from the sums."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.db.pool import Database, Row

# What a figure is divided by may be nothing: then there is no figure.
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Group:
    """Members who live in one place, in or out of the country, and speak one language. `district`
    is a code; empty where nobody has said. `rural`: yes, no, unknown."""

    district: str
    name: str
    department: str
    rural: str
    language: str
    registered: int
    enrolled: int
    active_30: int
    active_90: int


@dataclass(frozen=True, slots=True)
class Count:
    """Members of some kind, summed."""

    registered: int = 0
    enrolled: int = 0
    active_30: int = 0
    active_90: int = 0

    def plus(self, group: Group) -> Count:
        return Count(
            self.registered + group.registered,
            self.enrolled + group.enrolled,
            self.active_30 + group.active_30,
            self.active_90 + group.active_90,
        )

    @property
    def people(self) -> int:
        """How many they are, as far as is known: of days before the register was first looked at
        those who were active."""
        return self.registered or self.active_90


@dataclass(frozen=True, slots=True)
class Moment:
    """The members as of a day."""

    as_of: dt.date
    active_30: int
    active_90: int
    reached_30: int
    reached_90: int


@dataclass(frozen=True, slots=True)
class Orders:
    """Money orders of one kind, by one channel."""

    channel: str
    operation: str
    state: str
    orders: int
    centimos: int


@dataclass(frozen=True, slots=True)
class Requests:
    """What was asked of the bank by one channel, and answered in one way."""

    channel: str
    operation: str
    outcome: str
    requests: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a journey: in how many sessions it was seen, and was the last one."""

    journey: str
    step: str
    reached: int
    lost: int
    place: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of one channel that went the same way."""

    channel: str
    network: str
    ended: str
    result: str
    cause: str
    sessions: int
    hops: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used, and its price in millionths of a sol. `unpriced` of them have none."""

    what: str
    units: int
    micros: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class Travel:
    """Orders of a district, and the visits to the agency that they stand for. Of `unknown` of them
    nobody has said what a visit takes."""

    district: str
    name: str
    department: str
    orders: int
    centimos_moved: int
    minutes: int
    centimos: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Assumption:
    """What a figure rests on. `amount`: céntimos of a visit, or millionths of a sol of a unit."""

    kind: str
    what: str
    name: str
    effective_on: dt.date
    minutes: int | None
    amount: int
    source: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached, and when. Shares are tenths of a percent."""

    indicator: str
    due_on: dt.date
    value: int


class Figures:
    """Reads the sums. Each is one round trip, whatever the number of events.

    Args:
        database: signed in as a role that may read them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def members(self, period: Period) -> list[Group]:
        """As of the period's last day."""
        return self._read(Group, "programme.members(%s)", (period.last,))

    def course(self, period: Period) -> list[Moment]:
        """Week by week."""
        return self._of(Moment, "course", period)

    def orders(self, period: Period) -> list[Orders]:
        """Money orders that ended."""
        return self._of(Orders, "orders", period)

    def requests(self, period: Period) -> list[Requests]:
        """All that was asked of the bank."""
        return self._of(Requests, "requests", period)

    def steps(self, period: Period) -> list[Step]:
        """Each journey's steps, in their order."""
        return self._of(Step, "steps", period)

    def sessions(self, period: Period) -> list[Sessions]:
        """By how they went."""
        return self._of(Sessions, "sessions", period)

    def costs(self, period: Period) -> list[Cost]:
        """By what is paid for."""
        return self._of(Cost, "costs", period)

    def travel(self, period: Period) -> list[Travel]:
        """By district, the most orders first."""
        return self._of(Travel, "travel_avoided", period)

    def assumptions(self, period: Period) -> list[Assumption]:
        """That hold on the period's last day."""
        return self._read(Assumption, "programme.assumptions(%s)", (period.last,))

    def targets(self) -> list[Target]:
        """The next ones first."""
        return self._read(Target, "programme.targets()", ())

    def summed_until(self) -> dt.datetime | None:
        """Up to when the sums were kept."""
        until: dt.datetime | None = self._database.row("select programme.summed_until() as at")[
            "at"
        ]
        return until

    def _of(self, kind: Callable[..., _T], what: str, period: Period) -> list[_T]:
        return self._read(kind, f"programme.{what}(%s, %s)", (period.first, period.last))

    def _read(self, kind: Callable[..., _T], what: str, given: Sequence[object]) -> list[_T]:
        # The function's name is ours.
        rows: list[Row] = self._database.call(f"select * from {what}", given)  # noqa: S608 # nosec B608
        return [kind(**row) for row in rows]


def by(groups: Iterable[Group], what: Callable[[Group], str]) -> dict[str, Count]:
    """Members summed by one of their attributes, the most active first."""
    counts: dict[str, Count] = {}
    for group in groups:
        counts[what(group)] = counts.get(what(group), Count()).plus(group)
    return dict(sorted(counts.items(), key=lambda item: (-item[1].active_90, item[0])))


def hidden(counts: dict[str, int], small: int) -> frozenset[str]:
    """Which groups are not shown because few people are in them.

    Where only a few were hidden in all, the total less the others would tell of them: then the next
    smallest is hidden too. Who is in no group at all (an empty name) is nobody's neighbour, but
    counts.
    """
    few = {name for name, members in counts.items() if 0 < members < small}
    if not few:
        return frozenset()
    others = [name for name, members in counts.items() if members >= small]
    for name in sorted(others, key=lambda name: (counts[name], name)):
        if len(few) > 1 and sum(counts[one] for one in few) >= small:
            break
        few.add(name)
    return frozenset(few)


def per_mille(part: int, whole: int) -> int | None:
    """Tenths of a percent, rounded; None of nothing."""
    return (part * 2000 + whole) // (2 * whole) if whole else None


def causes(sessions: Iterable[Sessions]) -> Counter[str]:
    """Why sessions failed, the most frequent first."""
    counted: Counter[str] = Counter()
    for one in sessions:
        if one.result == "failed":
            counted[one.cause] += one.sessions
    return Counter(dict(counted.most_common()))


def reached_now(indicator: str, figures: Figures, today: dt.date) -> int | None:
    """Where an indicator stands today; None where nothing is known yet."""
    month = Period(today - dt.timedelta(days=29), today)
    match indicator:
        case "operations_30":
            return sum(one.orders for one in figures.orders(month) if one.state == "posted")
        case "session_success":
            return success(figures.sessions(month))
        case "rural_share":
            return rural_share(figures.members(month))
        case _:
            return sum(int(getattr(group, indicator)) for group in figures.members(month))


def success(sessions: Iterable[Sessions]) -> int | None:
    """Of the sessions that tried something, those that carried it out: tenths of a percent."""
    tried: Counter[str] = Counter()
    for one in sessions:
        tried[one.result] += one.sessions
    return per_mille(tried["done"], tried["done"] + tried["failed"])


def rural_share(groups: Iterable[Group]) -> int | None:
    """Of the active members of whom it is known, those in the country: tenths of a percent."""
    counts = by(groups, lambda group: group.rural)
    yes, no = (counts.get(word, Count()).active_90 for word in ("yes", "no"))
    return per_mille(yes, yes + no)
