"""A run's Fineract: the real adapter over the loopback double, with every fault that it knows."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from gateway.ledger.contract.cooperative import Office
from gateway.ledger.fineract.adapter import FineractLedger, Options
from gateway.ledger.fineract.auth import Basic
from gateway.ledger.fineract.client import FineractClient
from gateway.ledger.fineract.marks import described, reference
from gateway.ledger.fineract.names import ByExternalId
from gateway.ledger.fineract.standin import world as standin
from gateway.ledger.fineract.standin.app import (
    PASSWORD,
    PAYMENT_TYPE_ID,
    PERMISSIONS,
    PREFIX,
    TENANT,
    USER,
    Double,
    create_app,
)
from gateway.ledger.fineract.standin.faults import Fault, Plan
from gateway.ledger.port import Ledger
from gateway.settings import Settings
from tests.simulation.history import Books
from tests.simulation.members import Member
from tests.simulation.wire import CoreWeather, Wire, drawn, order_of
from tests.simulation.world import World

_LIMA = ZoneInfo(Settings.model_fields["timezone"].default)
_URL = f"http://core{PREFIX}"
# Late and slow ones come by the wire, where they have their times.
FAULTS = tuple(fault for fault in Fault if fault not in {Fault.SLOW, Fault.LATE})
_LOOK_MS = (20_000, 60_000, 120_000)  # from one deed of somebody at the core to the next
_DECIDED_MS = (30_000, 300_000, 1_800_000)  # until a checker looks
_SHUT_MS = (30_000, 300_000)  # how long an account or a right is gone
_REMEMBERS_MS = 600_000  # longer than any request is under way
_KEY = re.compile(r"[0-9A-Z]{8} (?P<key>[0-9a-f]{32}) ")


def key_of(description: str) -> str:
    """The order's key that a transfer bears; empty: it is none of ours."""
    found = _KEY.match(description)
    return str(uuid.UUID(found["key"])) if found and described(description) else ""


class WatchedBooks(standin.World):
    """The double's books, which note what they post at the moment when they do."""

    def __init__(self, world: World, wire: Wire) -> None:
        super().__init__(world.now().astimezone(_LIMA).date())
        self._world = world
        self._wire = wire

    def send(self, *args: Any, **kwargs: Any) -> standin.Transfer:
        transfer = super().send(*args, **kwargs)
        self._note(transfer, self.savings[transfer.target].external_id)
        return transfer

    def repay(self, *args: Any, **kwargs: Any) -> standin.Transfer:
        transfer = super().repay(*args, **kwargs)
        self._note(transfer, self.loans[transfer.target].external_id)
        return transfer

    def undo_transfer(self, transfer: standin.Transfer) -> None:
        super().undo_transfer(transfer)
        key = key_of(transfer.description)
        self._world.history.undone[key] = self._world.history.now()
        self._world.note("core reverses", "core", f"{transfer.centimos}")

    def _note(self, transfer: standin.Transfer, target: str) -> None:
        key = key_of(transfer.description)
        source = self.savings[transfer.source].external_id
        self._world.posted(
            key,
            (source, target),
            transfer.centimos,
            0,
            reference(uuid.UUID(key)),
            loan=transfer.to_loan,
            by=self._wire.asking,
        )


class FineractCore:
    """The remote core of a process's runs; one after the other enters it."""

    def __init__(self) -> None:
        self._wire = Wire()
        self._client = FineractClient(_URL, TENANT, Basic(USER, PASSWORD), transport=self._wire)
        self._world: World | None = None
        self._ledger = self._adapter()

    @property
    def ledger(self) -> Ledger:
        """What stands in the gateway's parts: always this run's."""
        return _Latest(self)  # type: ignore[return-value]

    @property
    def of_this_run(self) -> FineractLedger:
        """The adapter, which remembers nothing of the runs before."""
        return self._ledger

    def enter(self, world: World) -> Office:
        """A run begins, with a core that knows nobody."""
        self._world = world
        chance = Random(f"{world.seed} core")  # noqa: S311 - a simulation, and it repeats itself
        self._weather = drawn(chance)
        self._books = WatchedBooks(world, self._wire)
        self._books.business_date -= dt.timedelta(days=chance.choice((0, 0, 0, 1)))
        plan = Plan(self._fault)
        self._double = Double(self._books, plan)
        self._wire.enter(world, self._weather, create_app(self._double))
        self._ledger = self._adapter()
        return self._books

    def live(self) -> None:
        """What people at the core do meanwhile. An actor of the run."""
        world = self._current
        world.note("core", "core", str(self._weather))
        while not world.calm:
            world.station.sleep(world.chance.choice(_LOOK_MS))
            if world.happens(self._weather.staff):
                world.chance.choice(self._deeds)()

    @property
    def _deeds(self) -> tuple[Callable[[], None], ...]:
        return (
            self._decide,
            self._free,
            self._purge,
            self._reverse,
            self._shut,
            self._take_rights,
            self._turn_the_day,
        )

    def clear_up(self) -> None:
        """From now on nothing goes wrong there."""
        self._weather = CoreWeather()
        self._wire.clear_up()
        for account in self._books.savings.values():
            account.sub_status = standin.NOTHING
        self._double.permissions.update(PERMISSIONS)

    def approve(self) -> None:
        """At the end everything is looked at."""
        self._turn_the_day()
        self._free()
        self._decide()

    def fill(self, books: Books, members: list[Member]) -> None:
        """What lies in its books now."""
        books.keys = [key_of(one.description) for one in self._books.transfers]
        accounts = {one.external_id: one for one in self._books.savings.values()}
        books.balances = {one.account: accounts[one.account].balance for one in members}
        paid = sum(t.centimos for t in self._books.transfers if t.to_loan and not t.reversed)
        missing = sum(books.opening.values()) - paid - sum(books.balances.values())
        if missing:
            books.wrong.append(f"{missing} centimos of all savings are nowhere")

    def _adapter(self) -> FineractLedger:
        return FineractLedger(
            self._client,
            ByExternalId(),
            self._today,
            Options(payment_type_id=PAYMENT_TYPE_ID),
            seconds=lambda: self._current.station.now_ms // 1000,
        )

    # ---- What people there do ----------------------------------------------------------------

    def _decide(self) -> None:
        """A checker looks at what waits for one, and says yes or no."""
        world, commands = self._current, self._double.commands
        for key in commands.waiting():
            verdict = world.chance.choice((commands.approve, commands.reject))
            world.note(f"core {verdict.__name__}s", "core", key)
            world.history.awaited.add(order_of(key))
            verdict({key})

    def _free(self) -> None:
        self._current.history.counts["core frees"] += self._double.commands.free()

    def _purge(self) -> None:
        """Its memory is days long, and nothing is under way for as long as that: a run's days are
        minutes."""
        since_ms = self._current.station.now_ms - _REMEMBERS_MS
        young = {key for key, at_ms in self._wire.sent_ms.items() if at_ms > since_ms}
        purged = self._double.commands.purge(keep=young)
        self._current.history.counts["core purges"] += purged

    def _reverse(self) -> None:
        """Somebody there takes a transfer back."""
        open_ones = [one for one in self._books.transfers if not one.reversed]
        if not open_ones:
            return
        try:
            self._books.undo_transfer(self._current.chance.choice(open_ones))
        except standin.DomainError:
            self._current.note("core cannot reverse", "core")

    def _shut(self) -> None:
        """An account takes no money, or gives none, for a while."""
        world = self._current
        account = world.chance.choice([*self._books.savings.values()])
        account.sub_status = world.chance.choice((standin.BLOCKED_CREDIT, standin.BLOCKED_DEBIT))
        world.note("core shuts", "core", f"{account.external_id}: {account.sub_status}")
        world.station.sleep(world.chance.choice(_SHUT_MS))
        account.sub_status = standin.NOTHING

    def _take_rights(self) -> None:
        """Somebody takes a right from our user, and gives it back."""
        world = self._current
        world.note("core takes a right", "core")
        self._double.permissions.discard("CREATE_ACCOUNTTRANSFER")
        world.station.sleep(world.chance.choice(_SHUT_MS))
        self._double.permissions.add("CREATE_ACCOUNTTRANSFER")

    def _turn_the_day(self) -> None:
        self._books.business_date = self._today()
        self._current.history.counts["core turns the day"] += 1

    # ---- What its commands meet --------------------------------------------------------------

    def _fault(self) -> Fault | None:
        world = self._current
        if self._wire.asking is None or not world.happens(self._weather.fault):
            return None
        fault = world.chance.choice(FAULTS)
        world.note(f"core {fault}", "core")
        if fault is Fault.APPROVAL:
            world.station.at(world.chance.choice(_DECIDED_MS), self._decide)
        return fault

    def _today(self) -> dt.date:
        return self._current.now().astimezone(_LIMA).date()

    @property
    def _current(self) -> World:
        assert self._world is not None, "no run has begun"
        return self._world


class _Latest:
    """The adapter of the run that is on: the gateway of a process outlives its runs."""

    def __init__(self, core: FineractCore) -> None:
        self._core = core

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core.of_this_run, name)
