"""Money orders over the own ledger, and over a core that is not ours."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from gateway.db.pool import Database
from gateway.instructions.orders import Instruction, Instructions, Result
from gateway.ledger.contract.cooperative import (
    ELMER,
    ELMERS,
    ELMERS_HARVEST,
    ROSA,
    ROSAS,
    ROSAS_LOAN,
    SEGUNDO,
    SEGUNDOS,
    TODAY,
    found,
)
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.port import Ledger, Order, Repayment, RepaymentMode, Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Origin

Used = Callable[[], dict[str, int]]

OWNERS = {ROSAS: ROSA, SEGUNDOS: SEGUNDO, ELMERS: ELMER, ELMERS_HARVEST: ELMER}


def origin(session_id: str = "ATUid_1", channel: str = "africastalking") -> Origin:
    return Origin(channel, "demo", session_id, Msisdn("+51987000001"))


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_seconds(self, seconds: int) -> None:
        self.now += dt.timedelta(seconds=seconds)


class Counter:
    """A counter where members give orders, in the words of the tests."""

    def __init__(self, instructions: Instructions, ledger: Ledger) -> None:
        self.instructions = instructions
        self.ledger = ledger

    def send(
        self,
        source: str,
        target: str,
        centimos: int,
        *,
        key: uuid.UUID | None = None,
        on: dt.date = TODAY,
        again_ok: bool = False,
        session: Origin | None = None,
    ) -> Result:
        key = key or uuid.uuid4()
        return self.give(
            Transfer(key, source, target, Money(centimos), on),
            "transfers.send",
            OWNERS.get(target, ""),
            again_ok=again_ok,
            session=session,
        )

    def pay(self, source: str, centimos: int, *, again_ok: bool = False) -> Result:
        order = Repayment(
            uuid.uuid4(), source, ROSAS_LOAN, Money(centimos), RepaymentMode.PART, TODAY
        )
        return self.give(order, "loans.pay", "", again_ok=again_ok)

    def give(
        self,
        order: Order,
        operation: str,
        counterparty_ref: str,
        *,
        again_ok: bool = False,
        session: Origin | None = None,
    ) -> Result:
        return self.instructions.carry_out(
            Instruction(
                key=order.key,
                operation=operation,
                member_ref=OWNERS[order.source],
                counterparty_ref=counterparty_ref,
                order=order,
                again_ok=again_ok,
                origin=session or origin(),
            )
        )

    def balance(self, account: str) -> int:
        accounts = self.ledger.accounts(OWNERS[account])
        return next(one.balance.centimos for one in accounts if one.code == account)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """Signed in as the owner of the schemas."""
    with psycopg.connect(database_urls[0], autocommit=True) as connection:
        yield connection


@pytest.fixture
def database(database_urls: tuple[str, str]) -> Iterator[Database]:
    """Signed in as the application."""
    database = Database(database_urls[1], 8)
    database.open()
    yield database
    database.close()


@pytest.fixture
def own(database: Database, owner: psycopg.Connection[Any], clock: Clock) -> Counter:
    """Over the own ledger: one call does everything."""
    found(LedgerOffice(owner))
    ledger = PostgresLedger(database)
    return Counter(Instructions(database, ledger, clock, same_database=True), ledger)


@pytest.fixture
def core(clock: Clock) -> MemoryLedger:
    """A core that is not ours, on a day without faults."""
    core = MemoryLedger(clock)
    found(core)
    return core


@pytest.fixture
def remote(database: Database, core: MemoryLedger, clock: Clock) -> Counter:
    """Over a core that is not ours: accept, ask, settle."""
    return Counter(Instructions(database, core, clock, same_database=False), core)


@pytest.fixture(params=["own", "remote"])
def counter(request: pytest.FixtureRequest) -> Counter:
    """What holds over any core is tested over both."""
    counter = request.getfixturevalue(request.param)
    assert isinstance(counter, Counter)
    return counter


@pytest.fixture
def used(owner: psycopg.Connection[Any]) -> Used:
    """What members have used of their limits, in céntimos, by their reference."""
    sql = "select member_ref, used_centimos::bigint from instructions.usage where used_centimos > 0"
    return lambda: dict(owner.execute(sql).fetchall())


@pytest.fixture
def told(owner: psycopg.Connection[Any]) -> Told:
    return Told(owner)


class Told:
    """The facts in the outbox, oldest first."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self._owner = owner

    def facts(self) -> list[tuple[str, str]]:
        return [(fact, member_ref) for fact, member_ref, _ in self.rows()]

    def rows(self) -> list[tuple[str, str, dict[str, Any]]]:
        return self._owner.execute(
            "select fact, member_ref, detail from notices.outbox order by id"
        ).fetchall()
