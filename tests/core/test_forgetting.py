"""What was last known of a member's accounts is theirs: told to them, and forgotten with them."""

from __future__ import annotations

import datetime as dt

from gateway.bounds import KNOWN_DAYS
from gateway.core.known import KnownAccounts
from gateway.ledger.port import Account, AccountKind
from gateway.retention import Retention
from gateway.values.money import Money
from tests.cooperative import Cooperative
from tests.people import ROSA, WILMER

ACCOUNT = Account("900-1", AccountKind.SAVINGS, "Ahorro", Money(7_00), Money(5_00))


def test_is_exported_and_erased_with_the_member(cooperative: Cooperative) -> None:
    known = KnownAccounts(cooperative.database)
    known.remember(WILMER.ref, [ACCOUNT], cooperative.clock.now())
    known.remember(ROSA.ref, [ACCOUNT], cooperative.clock.now())
    now = cooperative.clock.now()
    with cooperative.owner() as owner:
        export = "select bank.export_member(%s, 'ana', %s)"
        (told,) = owner.execute(export, (WILMER.ref, now)).fetchone() or ({},)
        erase = "select became from bank.erase_member(%s, 'ana', 'luis', %s)"
        became = owner.execute(erase, (WILMER.ref, now)).fetchone()
    assert told["last_known"][0]["available_centimos"] == [5_00]
    assert became == ("erased",)
    assert known.of(WILMER.ref) is None
    assert known.of(ROSA.ref)


def test_is_forgotten_when_nobody_has_asked_for_long(cooperative: Cooperative) -> None:
    known = KnownAccounts(cooperative.database)
    known.remember(ROSA.ref, [ACCOUNT], cooperative.clock.now())
    now = cooperative.clock.now() + dt.timedelta(days=KNOWN_DAYS, seconds=-1)
    Retention(cooperative.database, lambda: now).run()
    assert known.of(ROSA.ref)
    Retention(cooperative.database, lambda: now + dt.timedelta(seconds=2)).run()
    assert known.of(ROSA.ref) is None
