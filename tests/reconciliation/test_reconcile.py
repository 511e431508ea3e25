"""The evening: a day's orders beside the books, by the command and by the worker."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.bounds import RECONCILE_TOLD_EVERY_ACCOUNTS
from gateway.cli.main import main
from gateway.demo.core import core_variables
from gateway.ledger.fineract.marks import mark
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import Savings
from gateway.ledger.port import Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn
from tests.cooperative import TODAY, Cooperative, founded
from tests.people import MARIA, ROSA, SEGUNDO

Chaski = Callable[..., Result]


@pytest.fixture
def core(
    database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> Iterator[tuple[Cooperative, StandIn]]:
    """The cooperative over a Fineract."""
    with (
        StandIn(TODAY, newer_than_1_14=True) as standin,
        founded(database_urls, redis_urls, core=standin) as cooperative,
    ):
        yield cooperative, standin


def _variables(cooperative: Cooperative) -> dict[str, str]:
    settings = cooperative.settings
    return {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": settings.database_url.get_secret_value(),
        "CHASKI_SESSIONS_URL": "redis://nobody",
        "CHASKI_QUEUE_URL": "redis://nobody",
        "CHASKI_WEBHOOK_SECRETS": "demo",
        "CHASKI_SESSION_SECRET": "demo",
        "CHASKI_PIN_PEPPERS": json.dumps({"1": "00" * 32}),
    }


def _chaski(variables: Mapping[str, str], *words: str) -> Result:
    command = ("ledger", "reconcile", "--on", TODAY.isoformat(), *words)
    return CliRunner().invoke(main, command, env=dict(variables))


def _sends(cooperative: Cooperative, soles: str = "50") -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), soles)
    assert "Listo" in phone.press(str(ROSA.pin)).text


def _rows(result: Result) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(result.stdout)["rows"]
    return rows


def _savings(standin: StandIn, person: Any) -> Savings:
    code = person.savings[0].code
    return next(one for one in standin.world.savings.values() if one.external_id == code)


def test_a_day_without_differences_ends_with_0(cooperative: Cooperative) -> None:
    _sends(cooperative)
    result = _chaski(_variables(cooperative))
    assert result.exit_code == 0
    assert "no difference was found" in result.stdout
    assert "orders=2" in result.stdout  # one, at both of its sides


def test_a_setting_that_is_wrong_is_no_difference() -> None:
    assert CliRunner().invoke(main, ("ledger", "reconcile"), env={}).exit_code == 2


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2999-01-01"])
def test_a_day_that_is_none_is_no_difference(cooperative: Cooperative, day: str) -> None:
    result = CliRunner().invoke(
        main, ("ledger", "reconcile", "--on", day), env=_variables(cooperative)
    )
    assert result.exit_code == 2


def test_what_the_own_books_do_not_have_or_have_beside_orders_is_found(
    cooperative: Cooperative,
) -> None:
    _sends(cooperative)
    accounts = (ROSA.savings[0].code, SEGUNDO.savings[0].code)
    order = Transfer(uuid.uuid4(), *accounts, Money(7_00), TODAY, ROSA.ref)
    PostgresLedger(cooperative.database).post(order)  # by nobody's order
    with cooperative.owner() as owner:
        owner.execute("update instructions.instruction set amount_centimos = 5100")
    result = _chaski(_variables(cooperative), "--json")
    assert result.exit_code == 1
    found = sorted((row["kind"], row["our_amount"], row["core_amount"]) for row in _rows(result))
    assert found == sorted(
        2
        * [
            ("account_total", "51.00", "57.00"),
            ("other_amount", "51.00", "50.00"),
            ("unknown_order", "", "7.00"),
        ]
    )


def test_what_staff_took_back_at_the_core_is_found(core: tuple[Cooperative, StandIn]) -> None:
    cooperative, standin = core
    _sends(cooperative)
    variables = {**_variables(cooperative), **core_variables(standin.url)}
    assert _chaski(variables).exit_code == 0
    with standin.world.lock:
        standin.world.undo_transfer(standin.world.transfers[0])
    result = _chaski(variables, "--json")
    assert result.exit_code == 1
    kinds = [row["kind"] for row in _rows(result)]
    assert kinds == ["reversed_at_core", "account_total"] * 2


def test_what_we_told_that_it_did_not_happen_is_found(core: tuple[Cooperative, StandIn]) -> None:
    """The worst."""
    cooperative, standin = core
    _sends(cooperative)
    with cooperative.owner() as owner:
        owner.execute("update instructions.instruction set state = 'closed', reference = null")
    result = _chaski({**_variables(cooperative), **core_variables(standin.url)}, "--json")
    assert result.exit_code == 1
    assert {row["kind"] for row in _rows(result)} == {"not_posted_here", "account_total"}


def test_what_a_restored_backup_lacks_is_found_among_everybody(
    core: tuple[Cooperative, StandIn],
) -> None:
    cooperative, standin = core
    _sends(cooperative)
    with cooperative.owner() as owner:
        owner.execute("delete from instructions.instruction")
    variables = {**_variables(cooperative), **core_variables(standin.url)}
    assert _chaski(variables).exit_code == 0  # nothing says where to look
    result = _chaski(variables, "--everybody", "--json")
    assert result.exit_code == 1
    assert [row["kind"] for row in _rows(result)] == ["unknown_order", "account_total"] * 2


def test_a_core_that_goes_away_part_way_ends_with_2(core: tuple[Cooperative, StandIn]) -> None:
    cooperative, standin = core
    _sends(cooperative)
    standin.plan.away = True
    variables = {**_variables(cooperative), **core_variables(standin.url)}
    result = _chaski(variables, "--csv", "-")
    assert result.exit_code == 2
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["kind"] for row in rows] == ["not_finished"]
    assert "stopped after 0 accounts" in result.stderr
    assert "no difference" not in result.output


def test_a_spreadsheet_has_neither_names_nor_phones_nor_formulas(
    core: tuple[Cooperative, StandIn], tmp_path: Path
) -> None:
    cooperative, standin = core
    account = _savings(standin, MARIA)
    with standin.world.lock:
        account.external_id = "=1+1"
        standin.world.deposit(account, 5_00, TODAY, mark(uuid.uuid4()))
    file = tmp_path / "day.csv"
    variables = {**_variables(cooperative), **core_variables(standin.url)}
    result = _chaski(variables, "--everybody", "--csv", str(file))
    assert result.exit_code == 1
    text = file.read_text()
    (row, total) = csv.DictReader(io.StringIO(text))
    assert row["account"] == total["account"] == "'=1+1"
    assert not [name for name in ("Shaji", "Mar", "Rosa", "987000") if name in text]


def test_a_long_run_says_how_far_it_is(cooperative: Cooperative) -> None:
    """On standard error, for the person who waits."""
    accounts = 2 * RECONCILE_TOLD_EVERY_ACCOUNTS
    with cooperative.owner() as owner:
        owner.execute(
            "insert into instructions.instruction (key, operation, member_ref, source, target,"
            " amount_centimos, mode, business_date, state, accepted_at, settled_at)"
            " select gen_random_uuid(), 'loans.pay', 'm', 'A' || n, 'L', 100, 'part', %s,"
            " 'closed', now(), now() from generate_series(1, %s) as n",
            (TODAY, accounts),
        )
    result = _chaski(_variables(cooperative))
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"{RECONCILE_TOLD_EVERY_ACCOUNTS} accounts of {accounts}, 0 differences",
        f"{accounts} accounts of {accounts}, 0 differences",
    ]


def test_the_worker_compares_a_day_once_and_counts(cooperative: Cooperative) -> None:
    (duty,) = [one for one in cooperative.duties if one.name.endswith("-reconciliation")]
    _sends(cooperative)
    with cooperative.owner() as owner:
        owner.execute("update instructions.instruction set amount_centimos = 5100")
    assert duty.run() == 1  # yesterday: nothing happened
    assert duty.run() == 0
    assert _figure(cooperative) == 0
    cooperative.clock.at += dt.timedelta(hours=13)  # past midnight: the day may still be closing
    assert duty.run() == 0
    cooperative.clock.at += dt.timedelta(hours=2)
    assert (duty.run(), duty.run()) == (1, 0)
    assert _figure(cooperative) == 2  # at both of its sides
    assert cooperative.inbox(str(Msisdn(ROSA.msisdn))) == []


def test_the_worker_asks_a_core_that_was_away_again(core: tuple[Cooperative, StandIn]) -> None:
    cooperative, standin = core
    (duty,) = [one for one in cooperative.duties if one.name.endswith("-reconciliation")]
    _sends(cooperative)
    cooperative.clock.at += dt.timedelta(hours=15)
    standin.plan.away = True
    assert duty.run() == 0
    standin.plan.away = False
    assert duty.run() == 1


def test_days_on_which_the_worker_or_the_core_was_away_are_caught_up(
    core: tuple[Cooperative, StandIn],
) -> None:
    cooperative, standin = core
    (duty,) = [one for one in cooperative.duties if one.name.endswith("-reconciliation")]
    assert duty.run() == 1
    _sends(cooperative)
    with cooperative.owner() as owner:
        owner.execute("update instructions.instruction set amount_centimos = 5100")
    cooperative.clock.at += dt.timedelta(hours=15)
    standin.plan.away = True
    assert duty.run() == 0
    cooperative.clock.at += dt.timedelta(days=2)
    standin.plan.away = False
    assert (duty.run(), duty.run()) == (3, 0)
    with cooperative.owner() as owner:
        days = owner.execute(
            "select day, differences from reconciliation.day_compared order by day"
        ).fetchall()
    assert [(day - TODAY).days for day, _ in days] == [-1, 0, 1, 2]
    assert [found for _, found in days] == [0, 2, 0, 0]
    assert _figure(cooperative) == 2  # no newer day hides it


def test_a_worker_that_has_to_end_leaves_the_day_to_the_next_one(
    cooperative: Cooperative,
) -> None:
    """A remote core takes minutes, and nobody waits for that."""
    (duty,) = [one for one in cooperative.duties if one.name.endswith("-reconciliation")]
    _sends(cooperative)
    cooperative.clock.at += dt.timedelta(hours=15)
    duty.stop()
    assert duty.run() == 0
    assert _figure(cooperative) is None


def _figure(cooperative: Cooperative) -> float | None:
    name = "chaski_reconciliation_differences"
    return cooperative.metrics.registry.get_sample_value(name, {"cooperative": "norandino"})
