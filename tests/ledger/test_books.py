"""What PostgreSQL itself keeps, whoever is signed in and whatever the code does."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from gateway.ledger.contract.cooperative import (
    ELMER,
    ELMERS_HARVEST,
    ELMERS_LOAN,
    ROSA,
    ROSAS,
    SEGUNDO,
    SEGUNDOS,
    TODAY,
    found,
)
from gateway.ledger.contract.suite import posted, repayment, transfer
from gateway.ledger.port import (
    HoldState,
    LedgerUnavailableError,
    Refused,
    RepaymentMode,
    Unknown,
)
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import Instalment, french
from gateway.values.money import ZERO, Money

Connection = psycopg.Connection[Any]
NOON = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)
APPEND_ONLY = [
    "decision",
    "transfer",
    "hold",
    "hold_resolution",
    "instalment",
    "allocation",
]


@pytest.fixture
def office(owner: Connection) -> LedgerOffice:
    office = LedgerOffice(owner)
    found(office)
    return office


@pytest.fixture
def application(database_urls: tuple[str, str]) -> Iterator[Connection]:
    """Signed in as the application, with SQL of its own."""
    with psycopg.connect(database_urls[1], autocommit=True) as connection:
        yield connection


@pytest.mark.usefixtures("office")
class TestTheApplication:
    """Its role may call some functions, and nothing else."""

    @pytest.mark.parametrize(
        "statement",
        [
            "update ledger.balance set balance_centimos = balance_centimos + 1",
            "update ledger.transfer set amount_centimos = 1",
            "insert into ledger.transfer values (100001, 9, 1001, 1002, 1, 'amount')",
            "insert into ledger.itf_rate values ('2026-01-01', 0, 5)",
            "delete from ledger.decision",
            "truncate ledger.transfer cascade",
            "select * from ledger.member",
            "select * from ledger.entry",
            "select * from ledger.balance for update",
            "drop table ledger.transfer",
            "create table ledger.mine ()",
            "alter function ledger.post security invoker",
            "select setval('ledger.decision_id_seq', 1)",
        ],
    )
    def test_touches_no_table(self, application: Connection, statement: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)

    def test_may_call_only_what_was_granted(self, owner: Connection) -> None:
        rows = owner.execute(
            "select p.proname from pg_proc as p"
            " where p.pronamespace = 'ledger'::regnamespace"
            " and has_function_privilege('chaski_app', p.oid, 'execute')"
        )
        assert {name for (name,) in rows} == {
            "post",
            "place_hold",
            "post_hold",
            "void_hold",
            "expire_holds",
            "reverse",
            "accounts_of",
            "movements_of",
            "loans_of",
            "marked",
            "borrowers",
            "tax_of",
            "find",
            "find_member",
            "post_cash",
            "verify",
        }

    def test_cannot_lend_its_own_functions_to_the_owners(self, owner: Connection) -> None:
        """A function that runs as its owner looks names up only where nobody else can put any."""
        rows = owner.execute(
            "select p.proname from pg_proc as p"
            " where p.pronamespace = 'ledger'::regnamespace and p.prosecdef"
            " and not coalesce('search_path=pg_catalog, pg_temp' = any(p.proconfig), false)"
        )
        assert list(rows) == []


@pytest.mark.usefixtures("office")
class TestTheOwner:
    """Even the owner meets the rules."""

    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
    def test_changes_nothing_that_was_written(
        self, owner: Connection, table: str, verb: str
    ) -> None:
        column = {"hold_resolution": "state"}.get(table, "amount_centimos")
        column = "due_on" if table == "instalment" else column
        statement = {
            "update": f"update ledger.{table} set {column} = {column}",  # noqa: S608
            "delete": f"delete from ledger.{table}",  # noqa: S608
            "truncate": f"truncate ledger.{table} cascade",
        }[verb]
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            owner.execute(statement)

    @pytest.mark.parametrize(
        ("statement", "rule"),
        [
            (
                "update ledger.balance set balance_centimos = -1 where floor_centimos = 0",
                "balance_floor",
            ),
            (
                "update ledger.balance set held_centimos = 10 ^ 9 where floor_centimos = 0",
                "balance_floor",
            ),
            (
                "update ledger.balance set balance_centimos = 1 where ceiling_centimos = 0",
                "balance_ceiling",
            ),
            (
                "insert into ledger.transfer values (100001, 9, 1001, 1001, 1, 'amount')",
                "transfer_check",
            ),
            (
                "insert into ledger.transfer values (100001, 9, 1001, 1002, 0, 'amount')",
                "moved_centimos",
            ),
            (
                "update ledger.balance set held_centimos = -1 where floor_centimos = 0",
                "centimos_or_none",
            ),
            (
                (
                    "insert into ledger.decision (key, kind, source, target, amount_centimos,"
                    " business_date) values (gen_random_uuid(), 'gift', 'a', 'b', 1, now())"
                ),
                "decision_kind",
            ),
            (
                (
                    "insert into ledger.decision (key, kind, source, target, amount_centimos)"
                    " values (gen_random_uuid(), 'transfer', 'a', 'b', 1)"
                ),
                "decision_check",
            ),
            (
                (
                    "insert into ledger.decision (key, kind, source, target, amount_centimos,"
                    " business_date) values (gen_random_uuid(), 'reversal', 'a', 'b', 1, now())"
                ),
                "decision_check",
            ),
        ],
    )
    def test_cannot_break_an_account(self, owner: Connection, statement: str, rule: str) -> None:
        with pytest.raises(psycopg.errors.CheckViolation, match=rule):
            owner.execute(statement)

    @pytest.mark.parametrize(
        ("tampering", "what"),
        [
            (
                "update ledger.balance set balance_centimos = 1 where account_id = 1001",
                "balance",
            ),
            (
                "update ledger.balance set held_centimos = 1 where account_id = 1001",
                "held",
            ),
            (
                "insert into ledger.transfer values (100001, 9, 1001, 1002, 1, 'amount')",
                "balance",
            ),
            (
                "insert into ledger.transfer values (100001, 9, 999, 1, 1, 'amount')",
                "no such account",
            ),
            (
                "insert into ledger.transfer values (1, 1, 1001, 1002, 1, 'amount')",
                "transfers of no order",
            ),
            (
                "insert into ledger.allocation values (1, 1006, 1, 'late', 1, '2027-01-01')",
                "allocations of no order",
            ),
            (
                "insert into ledger.allocation values (100001, 1006, 99, 'late', 1, '2027-01-01')",
                "allocations of no instalment",
            ),
            (
                "insert into ledger.instalment values (1006, 99, '2027-01-01', '2027-02-01', 1, 0)",
                "owed",
            ),
        ],
    )
    def test_is_found_out_by_verify(
        self, owner: Connection, ledger: PostgresLedger, tampering: str, what: str
    ) -> None:
        assert ledger.verify()["ok"]
        owner.execute(tampering)
        found_out = ledger.verify()
        assert not found_out["ok"]
        assert what in {difference["what"] for difference in found_out["differing"]}


@pytest.mark.usefixtures("office")
class TestVerify:
    def test_counts_what_there_is(self, ledger: PostgresLedger) -> None:
        before = ledger.verify()
        posted(ledger.post(transfer(ROSAS, SEGUNDOS, 1_000_00)))  # the amount, and the tax twice
        after = ledger.verify()
        assert after["ok"]
        assert after["differing"] == []
        assert after["sum_centimos"] == 0
        assert after["accounts"] == before["accounts"]
        assert after["transfers"] == before["transfers"] + 3
        assert after["entries"] == 2 * after["transfers"]

    def test_income_is_what_was_paid_of_it(self, owner: Connection, ledger: PostgresLedger) -> None:
        def balance(code: str) -> int:
            rows = owner.execute(
                "select coalesce(sum(e.amount_centimos), 0) from ledger.entry as e"
                " join ledger.account as a on a.id = e.account_id where a.code = %s",
                (code,),
            )
            return int(next(iter(rows))[0])

        unearned = balance("unearned-interest")
        order = repayment(ELMERS_HARVEST, ELMERS_LOAN, 3_013_15, RepaymentMode.PAYOFF)
        posted(ledger.post(order))
        assert balance("late-income") == 13_15
        assert balance("interest-income") == 368_83
        assert balance("unearned-interest") == unearned - 368_83
        assert balance("itf") == 15


class TestOpening:
    def test_the_same_seed_again_changes_nothing(
        self, office: LedgerOffice, ledger: PostgresLedger
    ) -> None:
        before = ledger.verify(), ledger.accounts(ROSA)
        found(office)
        assert (ledger.verify(), ledger.accounts(ROSA)) == before

    def test_nobody_takes_another_members_dni(self, office: LedgerOffice) -> None:
        with pytest.raises(psycopg.errors.UniqueViolation):
            office.enrol_person("m-9", "40000001", "Rosalia", "Otra", dt.date(1990, 1, 1))

    def test_a_loan_that_is_paid_is_not_opened(self, office: LedgerOffice) -> None:
        schedule = french(Money(100_00), 0, TODAY, 2)
        with pytest.raises(ValueError, match="left to pay"):
            office.open_loan("9", "x", ROSA, schedule, TODAY, TODAY, paid_instalments=2)

    def test_a_new_loan_is_paid_out_into_savings(
        self, office: LedgerOffice, ledger: PostgresLedger
    ) -> None:
        schedule = french(Money(600_00), 240_000, dt.date(2026, 12, 23), 6)
        office.open_loan(
            "200-2", "Personal", SEGUNDO, schedule, TODAY, TODAY, principal_to=SEGUNDOS
        )
        savings, loan = ledger.accounts(SEGUNDO)
        assert savings.balance == Money(910_00)
        assert -loan.balance == Money(sum(one.total.centimos for one in schedule))
        (status,) = ledger.loans(SEGUNDO, TODAY)
        assert (status.due, status.payoff) == (ZERO, Money(600_00))
        assert ledger.verify()["ok"]


class TestDatedRates:
    def test_the_itf_is_that_of_the_business_date(
        self, office: LedgerOffice, owner: Connection, ledger: PostgresLedger
    ) -> None:
        owner.execute("insert into ledger.itf_rate values ('2026-11-24', 40, 5)")
        tomorrow = TODAY + dt.timedelta(days=1)
        taxes = [
            ledger.tax(transfer(ELMERS_HARVEST, ROSAS, centimos, on=day))
            for centimos, day in [
                (1_000_00, dt.date(2011, 3, 31)),
                (1_000_00, TODAY),
                (1_249_99, tomorrow),
                (1_250_00, tomorrow),
            ]
        ]
        assert taxes == [ZERO, Money(5), ZERO, Money(5)]

    def test_the_late_charge_counts_each_day_at_its_rate(
        self, office: LedgerOffice, owner: Connection, ledger: PostgresLedger
    ) -> None:
        # Of Elmer's 12 late days, 2 fall under 30 % a year.
        owner.execute("insert into ledger.late_rate values ('campaign', '2026-11-21', 300000)")
        (loan,) = ledger.loans(ELMER, TODAY)
        assert loan.late_charge == Money(263_117 * (15 * 10 + 30 * 2) // 36_000)


class TestAllocationOrder:
    @pytest.mark.parametrize(
        ("order", "late", "owed"),
        [
            ("late,interest,principal", 0, 95_00),
            ("interest,principal,late", 5_00, 90_00),
            ("principal,late,interest", 5_00, 90_00),
        ],
    )
    def test_is_the_products(
        self,
        office: LedgerOffice,
        owner: Connection,
        ledger: PostgresLedger,
        order: str,
        late: int,
        owed: int,
    ) -> None:
        owner.execute(
            "insert into ledger.loan_product values ('x', 'x', string_to_array(%s, ','))", (order,)
        )
        owner.execute("insert into ledger.late_rate values ('x', '2020-01-01', 1000000)")
        # 20 days late at 100 % a year on S/ 90.00 of principal: S/ 5.00 of charge.
        due_on = TODAY - dt.timedelta(days=20)
        schedule = [Instalment(due_on, Money(90_00), Money(10_00))]
        office.open_loan(
            "200-2", "x", SEGUNDO, schedule, due_on - dt.timedelta(30), TODAY, product="x"
        )
        posted(ledger.post(repayment(SEGUNDOS, "200-2", 10_00)))
        (loan,) = ledger.loans(SEGUNDO, TODAY)
        assert (loan.late_charge, loan.owed) == (Money(late), Money(owed))
        posted(ledger.post(repayment(SEGUNDOS, "200-2", loan.payoff.centimos)))
        assert ledger.loans(SEGUNDO, TODAY) == ()
        assert ledger.verify()["ok"]

    def test_a_charge_that_is_left_when_the_schedule_is_paid_is_still_owed(
        self, office: LedgerOffice, owner: Connection, ledger: PostgresLedger
    ) -> None:
        owner.execute(
            "insert into ledger.loan_product values ('x', 'x', '{principal,interest,late}')"
        )
        owner.execute("insert into ledger.late_rate values ('x', '2020-01-01', 1000000)")
        due_on = TODAY - dt.timedelta(days=20)
        schedule = [Instalment(due_on, Money(90_00), Money(10_00))]
        office.open_loan(
            "200-2", "x", SEGUNDO, schedule, due_on - dt.timedelta(30), TODAY, product="x"
        )
        posted(ledger.post(repayment(SEGUNDOS, "200-2", 100_00)))
        for day in (TODAY, TODAY + dt.timedelta(days=30)):
            (loan,) = ledger.loans(SEGUNDO, day)
            assert (loan.owed, loan.due, loan.payoff) == (ZERO, Money(5_00), Money(5_00))
        posted(ledger.post(repayment(SEGUNDOS, "200-2", 5_00)))
        assert ledger.loans(SEGUNDO, TODAY) == ()


@pytest.mark.usefixtures("office")
class TestExpiry:
    def test_a_hold_that_ran_out_gives_its_money_back(self, ledger: PostgresLedger) -> None:
        early, late, voided = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        posted(ledger.hold(early, SEGUNDOS, Money(100_00), NOON))
        posted(ledger.hold(late, SEGUNDOS, Money(50_00), NOON + dt.timedelta(seconds=1)))
        posted(ledger.hold(voided, ROSAS, Money(50_00), NOON))
        ledger.void_hold(voided)
        assert ledger.expire_holds(NOON, limit=10) == 1
        assert ledger.expire_holds(NOON, limit=10) == 0
        assert ledger.accounts(SEGUNDO)[0].available == Money(260_00)
        assert ledger.void_hold(early) is HoldState.EXPIRED
        refused = ledger.post_hold(early, transfer(SEGUNDOS, ROSAS, 1_00))
        assert refused == Refused("hold_not_pending")
        assert ledger.verify()["ok"]

    def test_a_sweep_ends_no_more_than_it_was_told(self, ledger: PostgresLedger) -> None:
        for _ in range(5):
            posted(ledger.hold(uuid.uuid4(), SEGUNDOS, Money(1_00), NOON))
        assert [ledger.expire_holds(NOON, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_when_postgresql_is_away_nothing_is_guessed(
    office: LedgerOffice, ledger: PostgresLedger, owner: Connection, database_urls: tuple[str, str]
) -> None:
    """Its sessions are ended and new ones shut out: a write may have happened, a read says so."""
    name = owner.info.dbname
    with psycopg.connect(database_urls[0], dbname="postgres", autocommit=True) as elsewhere:
        elsewhere.execute(f"alter database {name} connection limit 0")
        elsewhere.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = %s and usename = 'chaski_app'",
            (name,),
        )
        try:
            assert ledger.post(transfer(ROSAS, SEGUNDOS, 1_00)) == Unknown()
            with pytest.raises(LedgerUnavailableError):
                ledger.accounts(ROSA)
            assert not ledger.health().well
        finally:
            elsewhere.execute(f"alter database {name} connection limit -1")
