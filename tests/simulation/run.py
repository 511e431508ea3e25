"""One run: a seed in, its history out."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterable

from gateway.bounds import OUTBOX_LEASE_S, SENDERS_AT_ONCE
from gateway.db.pool import DatabaseUnavailableError
from gateway.notices.outbox import Notice
from gateway.sessions.port import SessionsUnavailableError
from gateway.worker import Duty as WorkersDuty
from tests.simulation.history import Duty, History, Tell
from tests.simulation.house import Home, House
from tests.simulation.members import Fate, Intent, Life, Member
from tests.simulation.network import Dialect, Network
from tests.simulation.world import World, died

HORIZON_MS = 40 * 60_000  # then the weather clears up, whatever the members still wanted
_PATIENCE_MS = 30 * 60_000  # until everybody has noticed
_LATE_MS = 330_000  # the longest that something is under way
_WAKE_MS = (1, 20, 300)
_SWEEP_MS = (4_000, 15_000, 30_000, 60_000)
_SETTLING_MS = (5_000, 20_000, 61_000, 61_000, *[600_000] * 6, *[3_600_000] * 14)

_NAMES = (
    ("Rosa", "Quispe"),
    ("Segundo", "Chinchay"),
    ("Elmer", "Tantalean"),
    ("Maria", "Shajian"),
    ("Flor", "Nunez"),
    ("Wilmer", "Ojeda"),
    ("Juana", "Paico"),
    ("Hector", "Vilela"),
)


def simulate(house: House, seed: int) -> History:
    """What happens under a seed. The same every time."""
    world = World(seed, always_remote=house.fineract)
    members = _cast(world)
    world.history.owners = {member.account: member.ref for member in members}
    world.keep_secret([member.pin for member in members])
    with house.occupied(world, members) as home:
        run = _Run(house, home, world, members)
        run.until_clear()
        run.to_the_end()
        world.history.books = house.audit(world, members)
    return world.history


class _Run:
    def __init__(self, house: House, home: Home, world: World, members: list[Member]) -> None:
        self._house, self._home, self._world, self._members = house, home, world, members
        network = Network(world, home.gateway, lambda share: house.forget(world, share))
        self._lives = [Life(member, world, network) for member in members]
        house.sms(world, {life.member.msisdn: life.hear for life in self._lives})
        world.on_wake = self._woken

    # ---- The course of a run -----------------------------------------------------------------

    def until_clear(self) -> None:
        """Members live, and the worker does its duties, in any weather."""
        world, station = self._world, self._world.station
        core = "remote core" if world.remote_core else "own ledger"
        core = "Fineract" if self._house.fineract else core
        world.history.counts[core] += 1
        for member in self._members:
            world.history.counts[member.dialect] += 1
        world.note("begins", "", f"{core}, {len(self._members)} members, {world.weather}")
        actors = [station.spawn(life.member.ref, life.live) for life in self._lives]
        for duty in self._home.duties:
            station.spawn(f"{duty.name} clock", lambda duty=duty: self._again_and_again(duty))
        station.spawn("notices clock", lambda: self._again_and_again(None))
        if world.remote_core:
            station.spawn("people at the core", self._house.core.live)
        while station.now_ms < HORIZON_MS and not all(actor.over for actor in actors):
            station.run(station.now_ms + 10_000)
        world.clear_up()
        self._house.core.clear_up()
        until_ms = station.now_ms + _PATIENCE_MS
        while station.now_ms < until_ms and not all(actor.over for actor in actors):
            station.run(station.now_ms + 10_000)
        station.run(station.now_ms + _LATE_MS)

    def to_the_end(self) -> None:
        """Everything comes to its end; who is unsure asks, and everybody gives one more order."""
        self._settle()
        unsure = {Fate.UNSURE, Fate.PENDING, Fate.LEFT}
        self._one_by_one(
            life.ask
            for life in self._lives
            if any(intent.fate in unsure for intent in life.member.plan)
        )
        self._one_by_one(
            lambda life=life, intent=intent: life.last_order(intent)
            for life, intent in zip(self._lives, _lasts(self._members), strict=True)
        )
        self._settle()

    def _one_by_one(self, acts: Iterable[object]) -> None:
        station = self._world.station
        for act in acts:
            station.spawn("at the end", act)  # type: ignore[arg-type]
            station.run(station.now_ms + 120_000)

    def _settle(self) -> None:
        """The clock moves on until nothing is left to do."""
        station = self._world.station
        for ms in _SETTLING_MS:
            if self._world.remote_core:
                self._house.core.approve()
            for duty in self._home.duties:
                self._do(duty)
            self._drain()
            station.run(station.now_ms + ms)
            if self._house.unsettled() == (0, 0):
                return

    # ---- The worker --------------------------------------------------------------------------

    def _again_and_again(self, duty: WorkersDuty | None) -> None:
        world = self._world
        while not world.calm:
            world.station.sleep(world.chance.choice(_SWEEP_MS))
            if duty is None:
                self._drain()
            else:
                self._do(duty)

    def _woken(self) -> None:
        self._drain(self._world.chance.choice(_WAKE_MS))

    def _do(self, duty: WorkersDuty) -> None:
        name = duty.name.rpartition("-")[2]
        self._world.history.counts[f"duty {name}"] += 1

        def run() -> None:
            try:
                duty.run()
            except (DatabaseUnavailableError, SessionsUnavailableError):
                pass  # it comes again
            except Exception:
                self._world.history.faults.append(f"duty {name}: {traceback.format_exc()}")

        self._world.station.spawn(name, run, about=Duty(name))

    def _drain(self, in_ms: int = 0) -> None:
        def claim() -> None:
            with contextlib.suppress(DatabaseUnavailableError):
                for notice in self._home.outbox.claim(SENDERS_AT_ONCE, OUTBOX_LEASE_S):
                    self._tell(notice)

        self._world.station.spawn("drain", claim, in_ms=in_ms, about=Duty("notices"))

    def _tell(self, notice: Notice) -> None:
        world = self._world
        key, became = self._house.about_notice(notice.id)
        tell = Tell(
            notice.id,
            notice.attempt,
            key,
            notice.fact.name,
            notice.fact.member_ref,
            became,
            world.history.now(),
            world.station.now_ms,
        )
        world.history.tells.append(tell)

        def run() -> None:
            try:
                # Its lease ends now: a mark that fails is not tried again, as if its drain died.
                self._home.drain.tell(notice, lease_ends=0)
            except DatabaseUnavailableError:
                tell.hurt = True
            tell.took_ms = world.station.now_ms - tell.began_ms

        world.station.spawn(f"notice {notice.id}.{notice.attempt}", run, about=tell, ended=died)


# ---- Who is there, and what they want --------------------------------------------------------


def _cast(world: World) -> list[Member]:
    """Two to eight members with their plans."""
    chance = world.chance
    names = chance.sample(_NAMES, chance.choice((2, 2, 2, 3, 3, 4, 5, 8)))
    one_dialect = chance.choice((*Dialect, None))
    members = [
        Member(
            ref=f"m-{number}",
            first_name=first,
            last_name=last,
            msisdn=f"+5198700000{number}",
            account=f"100-{number}",
            opening=chance.choice((20_000_00, 20_000_00, 20_000_00, 90_00)),
            pin=world.fresh_pin(),
            language=chance.choice(("es", "es", "en")),
            dialect=one_dialect or chance.choice((*Dialect,)),
            loan=f"300-{number}" if chance.random() < 0.2 else "",
        )
        for number, (first, last) in enumerate(names, start=1)
    ]
    amounts = chance.sample(range(101, 30_000), 100)
    for member in members:
        payees = [other for other in members if other is not member]
        for _ in range(chance.choice((1, 1, 2, 3))):
            member.plan += _wanted(world, member, chance.choice(payees), amounts)
    return members


def _wanted(world: World, member: Member, payee: Member, amounts: list[int]) -> list[Intent]:
    chance = world.chance
    kind = chance.random()
    if kind < 0.08:
        return [Intent(0)]
    amount = amounts.pop()
    wrong_pins = chance.choice((0, 0, 0, 0, 0, 0, 1, 2, 3))
    if member.loan and kind < 0.4:
        return [Intent(amount, member.loan, "", "Campaña", wrong_pins=wrong_pins)]
    if kind > 0.95:
        amount += 1_200_00  # taxed
    if kind > 0.98:
        amount += 1_000_00  # over the limit
    first = Intent(
        amount,
        payee.account,
        payee.msisdn.removeprefix("+51"),
        payee.short_name,
        wrong_first=amounts.pop() if chance.random() < 0.15 else 0,
        wrong_pins=wrong_pins,
    )
    if kind < 0.85:
        return [first]
    again = Intent(amount, first.target, first.number, first.whom, again=True)
    return [first, again]


def _lasts(members: list[Member]) -> list[Intent]:
    """A small order of everybody to the next one, each with an amount of its own."""
    return [
        Intent(
            centimos=number,
            target=payee.account,
            number=payee.msisdn.removeprefix("+51"),
            whom=payee.short_name,
        )
        for number, payee in enumerate([*members[1:], members[0]], start=11)
    ]
