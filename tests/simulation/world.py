"""One run's world: its time, its chance, its weather, and what is noted of it."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Sequence
from enum import Enum, auto
from random import Random

from tests.simulation.history import Duty, History, Hop, Order, Posting, Tell, Told
from tests.simulation.screens import Kind, Reading, What
from tests.simulation.station import Actor, Killed, Station
from tests.simulation.weather import CLEAR, Weather, drawn

_DAYS = (  # aware, UTC: a Monday morning in Lima, and a moment before its midnight
    dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 24, 4, 56, tzinfo=dt.UTC),
)
_STEP_MS = (0, 0, 1, 1, 2, 5, 20, 80)  # of a worker, from one call to the next
_STALL_MS = (700, 2_000, 5_000, 8_000, 15_000)  # a machine that swaps, a lock, a lost packet
_OUTAGE_MS = (1_000, 5_000, 20_000)
_PINS = (200_000, 999_999)  # below lie references and times to live
_ROUND = 1_000  # and such PINs are no times to live


class Trouble(Enum):
    """What a call to a store meets."""

    BEFORE = auto()  # nothing was sent
    AFTER = auto()  # it was done, and nobody heard of it
    TWICE = auto()  # the client's own retry did it once more


class World:
    """What all actors of a run share.

    Args:
        seed: decides everything else.
        always_remote: the core is never the own ledger.
    """

    def __init__(self, seed: int, *, always_remote: bool = False) -> None:
        self.seed = seed
        self.chance = Random(seed)  # noqa: S311 - a simulation, and it must repeat itself
        self.weather: Weather = drawn(self.chance)
        self.remote_core = self.chance.random() < 0.35 or always_remote
        self.station = Station()
        self.history = History()
        self.on_wake: Callable[[], None] = lambda: None
        self._began = self.chance.choice((_DAYS[0], _DAYS[0], _DAYS[0], _DAYS[1]))
        self._away_until_ms = {"database": 0, "redis": 0}
        self._secrets = self._written_out = re.compile("(?!)")

    @property
    def calm(self) -> bool:
        """Nothing goes wrong any more."""
        return self.weather is CLEAR

    def clear_up(self) -> None:
        """From now on nothing goes wrong."""
        self.weather = CLEAR
        self._away_until_ms = dict.fromkeys(self._away_until_ms, 0)
        self.note("clear", "", "the weather clears up")

    def happens(self, share: float) -> bool:
        """Whether something of this likelihood happens now."""
        return share > 0 and self.chance.random() < share

    def note(self, kind: str, who: str, what: str = "") -> None:
        """A line of the script."""
        self.history.note(self.station.now_ms, kind, who, self.masked(what))

    # ---- Secrets -----------------------------------------------------------------------------

    def fresh_pin(self) -> str:
        """Six digits that mean nothing else here."""
        pin = self.chance.randint(*_PINS)
        return str(pin if pin % _ROUND else pin + 1)

    def keep_secret(self, pins: list[str]) -> None:
        """These may stand nowhere."""
        self._secrets = _standing_alone(pins)
        self._written_out = _standing_alone([f"{pin[:3]},?{pin[3:]}" for pin in pins])

    def leaks(self, text: str, *, amounts: bool = True) -> bool:
        """Whether a PIN stands in it; or an amount that was made of one."""
        return (self._written_out if amounts else self._secrets).search(text) is not None

    def masked(self, text: str) -> str:
        """The same without PINs, for a script that people read."""
        return self._secrets.sub("(PIN)", text)

    # ---- The gateway's parts -----------------------------------------------------------------

    def now(self) -> dt.datetime:
        """What time it is."""
        return self._began + dt.timedelta(milliseconds=self.station.now_ms)

    def mint_key(self) -> str:
        """A fresh instruction key."""
        key = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        self.history.minted[key] = self.history.now()
        return key

    def jitter(self) -> float:
        """A number from 0 to 1."""
        return self.chance.random()

    def pause(self, seconds: float) -> None:
        """A worker waits for another one's reply."""
        self.history.counts["wait for another copy"] += 1
        self._sleep(round(seconds * 1000))
        self.step("waiting")

    def wake(self) -> bool:
        """A worker says that there is something to send."""
        self.step("wake")
        if self.happens(self.weather.wake_lost):
            self.note("wake-up lost", self._who())
            return False
        self.on_wake()
        return True

    # ---- What happens to workers -------------------------------------------------------------

    def about(self) -> Hop | Tell | Duty | None:
        """What the worker that acts now is busy with. None: nobody's worker acts."""
        actor = self.station.current
        about = actor.about if actor else None
        return about if isinstance(about, Hop | Tell | Duty) else None

    def step(self, where: str) -> None:
        """A worker comes by a point between two of its steps: others may go first, and it may die
        there."""
        about = self.about()
        if about is None:
            return
        stalled = self.happens(self.weather.stall)
        ms = self.chance.choice(_STALL_MS if stalled else _STEP_MS)
        if stalled:
            self.note("stall", self._who(), f"{ms} ms at {where}")
        self._sleep(ms)
        if self.happens(self.weather.kill):
            self.note("kill", self._who(), f"at {where}")
            raise Killed

    def _sleep(self, ms: int) -> None:
        about = self.about()
        if isinstance(about, Hop):
            about.slept_ms += ms
        self.station.sleep(ms)

    def fall(self) -> None:
        """Every worker dies at once."""
        workers = self.station.workers
        self.note("fall", "", f"{len(workers)} workers die")
        for worker in workers:
            self.station.kill(worker)

    def outage(self) -> None:
        """A store is away for a while."""
        store = self.chance.choice(("database", "redis"))
        ms = self.chance.choice(_OUTAGE_MS)
        self._away_until_ms[store] = self.station.now_ms + ms
        self.note("outage", store, f"{ms} ms")

    def trouble(self, store: str, where: str) -> Trouble | None:
        """What this call to a store meets."""
        about = self.about()
        if about is None:
            return None
        trouble = self._trouble(store)
        if trouble:
            self.note(f"{store} {trouble.name.lower()}", self._who(), where)
            if isinstance(about, Hop | Tell):
                about.hurt = True
        return trouble

    def _trouble(self, store: str) -> Trouble | None:
        if self.station.now_ms < self._away_until_ms[store]:
            return Trouble.BEFORE
        for trouble in Trouble:
            if self.happens(getattr(self.weather, f"{store}_{trouble.name.lower()}")):
                return trouble
        return None

    def _who(self) -> str:
        actor = self.station.current
        return actor.name if actor else ""

    # ---- What is done and told ---------------------------------------------------------------

    def posted(
        self,
        key: str,
        accounts: tuple[str, str],
        centimos: int,
        tax: int,
        reference: str,
        *,
        loan: bool,
        by: Hop | Tell | Duty | None = None,
    ) -> None:
        """Money moved, from the first account to the second. `by`: who had asked for it, where that
        is not who acts now."""
        about = by or self.about()
        asked = isinstance(about, Hop) and any(order.key == key for order in about.orders)
        hop = about if asked and isinstance(about, Hop) else None
        posting = Posting(
            moment=self.history.now(),
            key=key,
            source=accounts[0],
            target=accounts[1],
            centimos=centimos,
            tax=tax,
            reference=reference,
            loan=loan,
            session=hop.session if hop else "",
            number=hop.number if hop else 0,
            at_ms=self.station.now_ms,
        )
        self.history.postings.append(posting)
        self.note("posting", accounts[0], f"{centimos} op. {reference}")

    def tells(
        self,
        member: str,
        reading: Reading,
        keys: tuple[str, ...],
        by: str,
        orders: Sequence[Order],
        given: Sequence[str],
        became: int,
        looked: int,
    ) -> list[Told]:
        """Note what words say of orders, at the moment when they leave the gateway.

        Args:
            member: who is told.
            reading: the words.
            keys: the orders that they can be about.
            by: `screen` or `sms`.
            orders: what the bank was just asked for.
            given: the keys that the member has just authorised: what names no order is about them.
            became: when it became true.
            looked: when it could last be seen whether it still was.
        """
        moment = self.history.now()
        amounts = {order.key: order.centimos for order in orders}
        says = [
            (one.what, one.amount, one.reference, self._named(one.what, keys), one.received)
            for one in reading.sayings
        ]
        if reading.refused:
            says += [(What.DENIED, amounts.get(key, 0), "", (key,), False) for key in given]
        if reading.kind is Kind.PENDING:
            says += [(What.PENDING, amounts.get(key, 0), "", (key,), False) for key in given]
        told = [
            Told(
                moment,
                member,
                what,
                amount,
                reference,
                about,
                by,
                became,
                looked,
                received=mine,
            )
            for what, amount, reference, about, mine in says
        ]
        self.history.told += told
        for one in told:
            self.history.counts[f"told {one.what}"] += 1
        return told

    def _named(self, what: What, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Which of the orders that were looked up for a screen words are about. What is offered to
        be gone on with was closed first; one like it that is under way is another order."""
        closed = tuple(key for key in keys if key in self.history.closed)
        return closed if what is What.OFFERED and closed else keys


def _standing_alone(patterns: list[str]) -> re.Pattern[str]:
    """Within longer numbers, names and fractions of a second the digits mean something else."""
    return re.compile(rf"(?<![0-9A-Za-z.])(?:{'|'.join(patterns)})(?![0-9A-Za-z])")


def died(actor: Actor) -> None:
    """A worker ended: if it was killed, what it did came to no undisturbed end."""
    if actor.killed and isinstance(actor.about, Hop | Tell):
        actor.about.hurt = True
