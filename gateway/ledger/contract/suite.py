"""The contract. Inherit `LedgerContract`, give the fixtures `ledger` and `office`, and run it.

The core starts empty for each test, meets no faults, and answers in time. What a core's
`Capabilities` do not name is skipped, and the report says which capability was missing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import pytest

from gateway.ledger.contract.cooperative import (
    ELMER,
    ELMERS,
    ELMERS_HARVEST,
    ELMERS_LOAN,
    ROSA,
    ROSAS,
    ROSAS_LOAN,
    SEGUNDO,
    SEGUNDOS,
    SEGUNDOS_SHARES,
    TODAY,
    Office,
    found,
)
from gateway.ledger.port import (
    Deposit,
    Done,
    HoldState,
    KeyReusedError,
    Ledger,
    LoanStatus,
    NoSuchHoldError,
    NotOfferedError,
    Outcome,
    Refused,
    Repayment,
    RepaymentMode,
    Transfer,
    Withdrawal,
)
from gateway.values.dni import Dni
from gateway.values.money import ZERO, Money
from gateway.values.msisdn import Msisdn

TOMORROW = TODAY + dt.timedelta(days=1)
NEXT_MONTH = dt.date(2026, 12, 23)
OWNERS = {
    ROSAS: ROSA,
    ROSAS_LOAN: ROSA,
    SEGUNDOS: SEGUNDO,
    SEGUNDOS_SHARES: SEGUNDO,
    ELMERS: ELMER,
    ELMERS_HARVEST: ELMER,
    ELMERS_LOAN: ELMER,
}
NEVER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


_NEEDS = "needed_capabilities"
_Test = TypeVar("_Test", bound=Callable[..., None])


def transfer(
    source: str,
    target: str,
    centimos: int,
    key: uuid.UUID | None = None,
    on: dt.date = TODAY,
    owner: str | None = None,
) -> Transfer:
    """An order with a key of its own, unless one is given, by the member whose the source is."""
    asking = OWNERS.get(source, ROSA) if owner is None else owner
    return Transfer(key or uuid.uuid4(), source, target, Money(centimos), on, asking)


def repayment(
    source: str,
    loan: str,
    centimos: int,
    mode: RepaymentMode = RepaymentMode.PART,
    on: dt.date = TODAY,
    key: uuid.UUID | None = None,
) -> Repayment:
    """An order with a key of its own, unless one is given."""
    asking = OWNERS.get(source, ROSA)
    return Repayment(key or uuid.uuid4(), source, loan, Money(centimos), mode, on, asking)


def deposit(account: str, centimos: int, on: dt.date = TODAY) -> Deposit:
    """Cash that came in at the agency."""
    owner = OWNERS.get(account, ROSA)
    return Deposit(uuid.uuid4(), account, Money(centimos), on, "agency-1", owner)


def withdrawal(account: str, centimos: int, on: dt.date = TODAY) -> Withdrawal:
    """Cash that the agency pays out."""
    owner = OWNERS.get(account, ROSA)
    return Withdrawal(uuid.uuid4(), account, Money(centimos), on, "agency-1", owner)


def needs(*capabilities: str) -> Callable[[_Test], _Test]:
    """What a core has to be able to do for this to be a rule of it."""

    def mark(test: _Test) -> _Test:
        setattr(test, _NEEDS, capabilities)
        return test

    return mark


def posted(outcome: Outcome) -> Done:
    """The outcome, which has to be that it was posted."""
    assert isinstance(outcome, Done), outcome
    return outcome


class LedgerContract:
    """What every core ledger does."""

    @pytest.fixture(autouse=True)
    def _cooperative(self, office: Office) -> None:
        found(office)

    @pytest.fixture
    def balances(self, ledger: Ledger) -> Callable[[], dict[str, int]]:
        """What everybody has, in céntimos, by account."""

        def read() -> dict[str, int]:
            members = (ROSA, SEGUNDO, ELMER)
            accounts = [one for member in members for one in ledger.accounts(member)]
            return {account.code: account.balance.centimos for account in accounts}

        return read

    @pytest.fixture
    def turn_to(self) -> Callable[[dt.date], None]:
        """Make it a day at the core. One that takes its day from each order has nothing to do."""

        def ignore(day: dt.date) -> None:
            del day

        return ignore

    @pytest.fixture(autouse=True)
    def _offered(self, request: pytest.FixtureRequest, ledger: Ledger) -> None:
        """Skip, and say so, what the core does not offer."""
        able = ledger.capabilities()
        for capability in getattr(request.function, _NEEDS, ()):
            if not getattr(able, capability):
                pytest.skip(f"this core has no {capability}")

    # Transfers.

    @pytest.mark.parametrize(
        ("source", "target", "centimos", "code"),
        [
            (ROSAS, ROSAS, 10_00, "same_account"),
            ("no-such", "no-such", 10_00, "same_account"),
            ("no-such", SEGUNDOS, 10_00, "no_such_account"),
            (ROSAS, "no-such", 10_00, "no_such_account"),
            (ROSAS, "", 10_00, "no_such_account"),
            (ROSAS, ELMERS_LOAN, 10_00, "no_such_account"),
            (ROSAS_LOAN, SEGUNDOS, 10_00, "no_such_account"),
            (ROSAS, "opening", 10_00, "no_such_account"),
            (SEGUNDOS, ROSAS, 310_01, "insufficient_funds"),
            (ROSAS, SEGUNDOS, 1_250_51, "insufficient_funds"),
            (SEGUNDOS, ROSAS, 10**15, "insufficient_funds"),
        ],
    )
    def test_a_transfer_that_cannot_be_is_refused_and_moves_nothing(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        source: str,
        target: str,
        centimos: int,
        code: str,
    ) -> None:
        before = balances()
        order = transfer(source, target, centimos)
        assert ledger.post(order) == Refused(code)
        forgets = not ledger.capabilities().remembers_refusals
        assert ledger.find(order) in ((None, Refused(code)) if forgets else (Refused(code),))
        assert balances() == before

    @needs("itf")
    def test_a_transfer_needs_funds_for_its_tax_too(self, ledger: Ledger) -> None:
        """The ITF of S/ 0.05 is lacking."""
        assert ledger.post(transfer(ROSAS, SEGUNDOS, 1_250_46)) == Refused("insufficient_funds")

    @pytest.mark.parametrize("centimos", [0, -1])
    def test_an_order_for_nothing_cannot_even_be_written(self, centimos: int) -> None:
        with pytest.raises(ValueError, match="more than nothing"):
            transfer(ROSAS, SEGUNDOS, centimos)
        with pytest.raises(ValueError, match="more than nothing"):
            repayment(ROSAS, ROSAS_LOAN, centimos)
        with pytest.raises(ValueError, match="more than nothing"):
            deposit(ROSAS, centimos)
        with pytest.raises(ValueError, match="more than nothing"):
            withdrawal(ROSAS, centimos)

    @needs("remembers_refusals")
    def test_a_key_that_was_refused_stays_refused_when_money_arrives(self, ledger: Ledger) -> None:
        order = transfer(SEGUNDOS, ROSAS, 400_00)
        assert ledger.post(order) == Refused("insufficient_funds")
        posted(ledger.post(transfer(ROSAS, SEGUNDOS, 500_00)))
        assert ledger.post(order) == Refused("insufficient_funds")
        posted(ledger.post(transfer(SEGUNDOS, ROSAS, 400_00)))

    @pytest.mark.parametrize(
        ("source", "target", "centimos"),
        [(ROSAS, SEGUNDOS, 50_01), (ROSAS, ELMERS, 50_00), (ELMERS, SEGUNDOS, 50_00)],
    )
    def test_a_key_with_another_content_is_an_error(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        source: str,
        target: str,
        centimos: int,
    ) -> None:
        order = transfer(ROSAS, SEGUNDOS, 50_00)
        posted(ledger.post(order))
        before = balances()
        with pytest.raises(KeyReusedError):
            ledger.post(transfer(source, target, centimos, key=order.key))
        if ledger.capabilities().loans:
            with pytest.raises(KeyReusedError):
                ledger.post(repayment(ROSAS, ROSAS_LOAN, 50_00, key=order.key))
        assert balances() == before

    def test_a_transfer_moves_money_once_however_often_it_is_asked(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        order = transfer(ROSAS, SEGUNDOS, 50_00)
        first = posted(ledger.post(order))
        again = posted(ledger.post(order))
        after_midnight = posted(
            ledger.post(transfer(ROSAS, SEGUNDOS, 50_00, key=order.key, on=TOMORROW))
        )
        assert (first.created, again.created, after_midnight.created) == (True, False, False)
        assert again == after_midnight == ledger.find(order)
        assert again.reference == first.reference
        assert len(first.reference) >= 6
        assert balances()[ROSAS] == 1_200_50
        assert balances()[SEGUNDOS] == 360_00

    def test_nobody_knows_a_key_that_never_came(self, ledger: Ledger) -> None:
        assert ledger.find(transfer(ROSAS, SEGUNDOS, 50_00)) is None

    def test_an_account_can_be_emptied_to_the_last_centimo(self, ledger: Ledger) -> None:
        posted(ledger.post(transfer(SEGUNDOS, ROSAS, 310_00)))
        (account,) = ledger.accounts(SEGUNDO)
        assert (account.balance, account.available) == (ZERO, ZERO)

    @needs("floors")
    def test_an_account_may_have_a_floor_above_zero(self, ledger: Ledger, office: Office) -> None:
        office.open_savings(
            SEGUNDOS_SHARES, "Aportes", SEGUNDO, Money(100_00), TODAY, floor=Money(60_00)
        )
        assert ledger.post(transfer(SEGUNDOS_SHARES, ROSAS, 40_01)) == Refused("insufficient_funds")
        posted(ledger.post(transfer(SEGUNDOS_SHARES, ROSAS, 40_00)))

    @needs("itf")
    @pytest.mark.parametrize(
        ("centimos", "tax"),
        [
            (1, 0),
            (999_99, 0),
            (1_000_00, 5),
            (1_000_01, 5),
            (1_999_99, 5),
            (2_000_00, 10),
            (3_000_00, 15),
        ],
    )
    def test_itf_is_rounded_down_to_five_centimos_and_both_sides_pay_it(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        centimos: int,
        tax: int,
    ) -> None:
        order = transfer(ELMERS_HARVEST, SEGUNDOS, centimos)
        assert ledger.tax(order) == Money(tax)
        assert posted(ledger.post(order)).tax == Money(tax)
        assert balances()[ELMERS_HARVEST] == 5_000_00 - centimos - tax
        assert balances()[SEGUNDOS] == 310_00 + centimos - tax

    def test_between_ones_own_accounts_there_is_no_itf(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        order = transfer(ELMERS_HARVEST, ELMERS, 2_000_00)
        assert ledger.tax(order) == ZERO
        assert posted(ledger.post(order)).tax == ZERO
        assert balances()[ELMERS] == 2_080_00

    # What is read.

    def test_a_stranger_has_no_accounts_loans_or_movements(self, ledger: Ledger) -> None:
        assert ledger.accounts("m-nobody") == ()
        assert ledger.loans("m-nobody", TODAY) == ()
        assert ledger.movements("no-such", 5) == ()

    def test_accounts_are_listed_savings_first(self, ledger: Ledger) -> None:
        savings, loans = ledger.accounts(ELMER)[:2], ledger.accounts(ELMER)[2:]
        assert [account.code for account in savings] == [ELMERS, ELMERS_HARVEST]
        assert [account.balance.centimos for account in savings] == [80_00, 5_000_00]
        assert [account.available.centimos for account in savings] == [80_00, 5_000_00]
        lends = ledger.capabilities().loans
        assert [account.code for account in loans] == ([ELMERS_LOAN] if lends else [])
        for loan in loans:
            assert loan.balance.centimos in (-3_000_00, -3_013_15)  # some have late charges in it
            assert loan.available == ZERO

    def test_a_statement_says_what_each_side_saw(self, ledger: Ledger) -> None:
        sent = posted(ledger.post(transfer(ROSAS, SEGUNDOS, 900_00)))
        posted(ledger.post(transfer(ELMERS_HARVEST, ELMERS, 10_00)))

        def lines(account: str, limit: int = 10) -> list[tuple[str, int, str]]:
            movements = ledger.movements(account, limit)
            return [(one.kind, one.amount.centimos, one.party) for one in movements]

        *later, opening = lines(ROSAS)
        assert later == [("sent", -900_00, "Segundo C.")]
        assert opening in (("opening", 1_250_50, ""), ("deposit", 1_250_50, ""))
        assert lines(SEGUNDOS, limit=1) == [("received", 900_00, "Rosa Q.")]
        assert lines(ELMERS, limit=1) == [("own", 10_00, "")]
        assert lines(ELMERS_HARVEST, limit=1) == [("own", -10_00, "")]
        assert ledger.movements(SEGUNDOS, 1)[0].reference == sent.reference
        assert ledger.movements(SEGUNDOS, 1)[0].business_date == TODAY

    def test_what_an_order_did_is_found_at_both_sides_by_its_key(self, ledger: Ledger) -> None:
        order = transfer(ROSAS, SEGUNDOS, 1_000_00)
        posted(ledger.post(order))

        def marked(account: str, on: dt.date) -> list[tuple[uuid.UUID, int, dt.date, bool]]:
            lines = ledger.marked(account, on, on)
            return [
                (one.key, one.amount.centimos, one.business_date, one.reversed) for one in lines
            ]

        assert marked(ROSAS, TODAY) == [(order.key, -1_000_00, TODAY, False)]
        assert marked(SEGUNDOS, TODAY) == [(order.key, 1_000_00, TODAY, False)]
        assert marked(ROSAS, TOMORROW) == marked(ELMERS, TODAY) == marked("no-such", TODAY) == []

    def test_what_was_refused_did_nothing(self, ledger: Ledger) -> None:
        assert isinstance(ledger.post(transfer(SEGUNDOS, ROSAS, 310_01)), Refused)
        assert list(ledger.marked(SEGUNDOS, TODAY, TODAY)) == []

    def test_cash_is_found_by_its_key_too(self, ledger: Ledger) -> None:
        paid_in, paid_out = deposit(SEGUNDOS, 40_00), withdrawal(SEGUNDOS, 15_00)
        posted(ledger.post(paid_in))
        posted(ledger.post(paid_out))
        lines = {one.key: one.amount.centimos for one in ledger.marked(SEGUNDOS, TODAY, TODAY)}
        assert lines == {paid_in.key: 40_00, paid_out.key: -15_00}

    @needs("loans")
    def test_a_repayment_is_found_by_its_key_at_the_savings(self, ledger: Ledger) -> None:
        order = repayment(ROSAS, ROSAS_LOAN, 100_00)
        posted(ledger.post(order))
        lines = [(one.key, one.amount.centimos) for one in ledger.marked(ROSAS, TODAY, TODAY)]
        assert lines == [(order.key, -100_00)]

    @needs("reversal")
    def test_what_was_reversed_is_still_found_and_says_so(self, ledger: Ledger) -> None:
        order, kept = transfer(ROSAS, SEGUNDOS, 50_00), transfer(ROSAS, SEGUNDOS, 20_00)
        for one in (order, kept):
            posted(ledger.post(one))
        posted(ledger.reverse(uuid.uuid4(), order, TODAY))
        for account in (ROSAS, SEGUNDOS):
            lines = {one.key: one.reversed for one in ledger.marked(account, TODAY, TODAY)}
            assert lines == {order.key: True, kept.key: False}

    @needs("itf")
    def test_a_tax_is_a_line_of_its_own(self, ledger: Ledger) -> None:
        posted(ledger.post(transfer(ROSAS, SEGUNDOS, 1_000_00)))
        assert [one.kind for one in ledger.movements(ROSAS, 2)] == ["tax", "sent"]
        assert ledger.movements(SEGUNDOS, 1)[0].amount == Money(-5)

    def test_a_member_is_found_by_our_reference(self, ledger: Ledger) -> None:
        rosa = ledger.find_member(ROSA)
        assert rosa is not None
        assert (rosa.member_ref, rosa.short_name, rosa.active) == (ROSA, "Rosa Q.", True)
        assert ledger.find_member("m-nobody") is None
        assert ledger.find_member("") is None

    @needs("by_dni")
    def test_a_member_is_found_by_their_dni(self, ledger: Ledger) -> None:
        rosa = ledger.find_member(Dni("40000001"))
        assert rosa is not None
        assert rosa.member_ref == ROSA
        assert ledger.find_member(Dni("40000009")) is None

    def test_what_a_core_does_not_offer_it_says_so(self, ledger: Ledger) -> None:
        able = ledger.capabilities()
        order = transfer(ROSAS, SEGUNDOS, 1_00)
        asked: dict[str, Callable[[], object]] = {
            "holds": lambda: ledger.hold(uuid.uuid4(), ROSAS, Money(1_00), NEVER),
            "reversal": lambda: ledger.reverse(uuid.uuid4(), order, TODAY),
            "borrowers": lambda: ledger.borrowers(TODAY, "", 1),
            "by_dni": lambda: ledger.find_member(Dni("40000001")),
            "by_phone": lambda: ledger.find_member(Msisdn("+51987000001")),
        }
        for capability, ask in asked.items():
            if getattr(able, capability):
                ask()
            else:
                with pytest.raises(NotOfferedError):
                    ask()

    # Cash.

    def test_cash_comes_in_and_goes_out_once(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        paid_in, paid_out = deposit(SEGUNDOS, 40_00), withdrawal(SEGUNDOS, 15_00)
        for order in (paid_in, paid_out):
            first, again = posted(ledger.post(order)), posted(ledger.post(order))
            assert (first.created, again.created) == (True, False)
            assert again == ledger.find(order)
        assert balances()[SEGUNDOS] == 335_00
        kinds = [(one.kind, one.amount.centimos) for one in ledger.movements(SEGUNDOS, 2)]
        assert kinds == [("withdrawal", -15_00), ("deposit", 40_00)]

    @pytest.mark.parametrize(
        ("order", "code"),
        [
            (deposit("no-such", 1_00), "no_such_account"),
            (deposit(ROSAS_LOAN, 1_00), "no_such_account"),
            (withdrawal("no-such", 1_00), "no_such_account"),
            (withdrawal(SEGUNDOS, 310_01), "insufficient_funds"),
        ],
    )
    def test_cash_that_cannot_be_is_refused_and_moves_nothing(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        order: Deposit | Withdrawal,
        code: str,
    ) -> None:
        before = balances()
        assert ledger.post(order) == Refused(code)
        assert ledger.post(order) == Refused(code)
        assert balances() == before

    def test_a_key_of_cash_is_no_key_of_another_amount(self, ledger: Ledger) -> None:
        order = deposit(SEGUNDOS, 40_00)
        posted(ledger.post(order))
        with pytest.raises(KeyReusedError):
            ledger.post(replace(order, amount=Money(41_00)))

    # Loans.

    @needs("loans")
    def test_a_loan_shows_what_is_due_today(self, ledger: Ledger) -> None:
        (loan,) = ledger.loans(ROSA, TODAY)
        assert loan == LoanStatus(
            code=ROSAS_LOAN,
            name="Campaña café",
            owed=Money(512_40),
            due=Money(85_40),
            late_charge=ZERO,
            days_late=0,
            instalment=Money(85_40),
            instalment_due_on=TODAY,
            instalments_left=6,
            payoff=Money(481_06),
        )

    @needs("loans", "borrowers")
    def test_borrowers_are_found_by_the_day_of_an_instalment_in_pages(self, ledger: Ledger) -> None:
        """Whom to remind: paid or not, the loan says."""
        twelve_days_ago = TODAY - dt.timedelta(days=12)

        assert ledger.borrowers(TOMORROW, "", 10) == ()
        assert ledger.borrowers(TODAY, "", 10) == (ROSA,)
        assert ledger.borrowers(TODAY, ROSA, 10) == ()
        assert ledger.borrowers(twelve_days_ago, "", 1) == (ELMER,)

    @needs("loans", "late_charges")
    def test_a_late_loan_carries_a_charge_for_each_day(
        self, ledger: Ledger, turn_to: Callable[[dt.date], None]
    ) -> None:
        (today,) = ledger.loans(ELMER, TODAY)
        turn_to(TOMORROW)
        (tomorrow,) = ledger.loans(ELMER, TOMORROW)
        assert (today.owed, today.days_late) == (Money(3_000_00), 12)
        # 15 % a year of 360 days on the overdue S/ 2,631.17 of principal, céntimos rounded down.
        assert today.late_charge == Money(263_117 * 15 * 12 // 36_000) == Money(13_15)
        assert tomorrow.late_charge == Money(263_117 * 15 * 13 // 36_000)
        assert today.due == today.instalment == today.payoff == Money(3_013_15)

    @needs("loans")
    @pytest.mark.parametrize(
        ("order", "code"),
        [
            (repayment(ROSAS, "no-such", 10_00), "no_such_account"),
            (repayment("no-such", ROSAS_LOAN, 10_00), "no_such_account"),
            (repayment(ROSAS, SEGUNDOS, 10_00), "no_such_account"),
            (repayment(ELMERS_LOAN, ROSAS_LOAN, 10_00), "no_such_account"),
            (repayment(ROSAS_LOAN, ROSAS_LOAN, 10_00), "no_such_account"),
            (repayment(ROSAS, ROSAS_LOAN, 481_07), "over_payoff"),
            (repayment(ROSAS, ROSAS_LOAN, 481_05, RepaymentMode.PAYOFF), "payoff_changed"),
            (repayment(ROSAS, ROSAS_LOAN, 481_07, RepaymentMode.PAYOFF), "payoff_changed"),
            (repayment(ELMERS, ELMERS_LOAN, 80_01), "insufficient_funds"),
        ],
    )
    def test_a_repayment_that_cannot_be_is_refused_and_moves_nothing(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        order: Repayment,
        code: str,
    ) -> None:
        before = balances()
        assert ledger.post(order) == Refused(code)
        assert ledger.post(order) == Refused(code)
        assert balances() == before

    @needs("loans")
    def test_an_instalment_moves_savings_and_loan_by_the_same_amount(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        order = repayment(ROSAS, ROSAS_LOAN, 85_40)
        assert posted(ledger.post(order)).created
        assert not posted(ledger.post(order)).created
        assert balances()[ROSAS] == 1_250_50 - 85_40
        assert balances()[ROSAS_LOAN] == -(512_40 - 85_40)
        (line,) = ledger.movements(ROSAS, 1)
        assert (line.kind, line.amount, line.party) == ("loan_payment", Money(-85_40), "")
        (loan,) = ledger.loans(ROSA, TODAY)
        assert (loan.due, loan.instalment) == (ZERO, Money(85_40))
        assert (loan.instalment_due_on, loan.instalments_left) == (NEXT_MONTH, 5)

    @needs("loans")
    def test_a_part_is_kept_and_the_rest_stays_due(self, ledger: Ledger) -> None:
        posted(ledger.post(repayment(ROSAS, ROSAS_LOAN, 50_00)))
        (loan,) = ledger.loans(ROSA, TODAY)
        assert (loan.due, loan.owed, loan.instalments_left) == (Money(35_40), Money(462_40), 6)

    @needs("loans")
    def test_more_than_is_due_goes_on_to_the_next_instalments(self, ledger: Ledger) -> None:
        posted(ledger.post(repayment(ROSAS, ROSAS_LOAN, 100_00)))
        (loan,) = ledger.loans(ROSA, TODAY)
        assert (loan.due, loan.instalment) == (ZERO, Money(70_80))
        assert (loan.instalment_due_on, loan.instalments_left) == (NEXT_MONTH, 5)

    @needs("loans", "late_charges")
    def test_the_late_charge_is_paid_first_and_does_not_lower_what_is_owed(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        turn_to: Callable[[dt.date], None],
    ) -> None:
        posted(ledger.post(repayment(ELMERS_HARVEST, ELMERS_LOAN, 10_00)))
        (loan,) = ledger.loans(ELMER, TODAY)
        assert (loan.owed, loan.late_charge) == (Money(3_000_00), Money(3_15))
        posted(ledger.post(repayment(ELMERS_HARVEST, ELMERS_LOAN, 1_003_15)))
        (loan,) = ledger.loans(ELMER, TODAY)
        assert (loan.owed, loan.late_charge) == (Money(2_000_00), ZERO)
        assert balances()[ELMERS_LOAN] == -2_000_00
        # Interest (S/ 368.83) came before principal, so S/ 631.17 of that left it: from tomorrow on
        # the charge grows on S/ 2,000.00.
        turn_to(TOMORROW)
        (loan,) = ledger.loans(ELMER, TOMORROW)
        assert loan.late_charge == Money(83)

    @needs("loans", "late_charges")
    def test_the_payoff_closes_a_late_loan(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        order = repayment(ELMERS_HARVEST, ELMERS_LOAN, 3_013_15, RepaymentMode.PAYOFF)
        tax = ledger.tax(order)
        assert tax == posted(ledger.post(order)).tax
        assert tax == Money(15 if ledger.capabilities().itf else 0)
        assert ledger.loans(ELMER, TODAY) == ()
        assert balances().get(ELMERS_LOAN, 0) == 0
        assert balances()[ELMERS_HARVEST] == 5_000_00 - 3_013_15 - tax.centimos
        refused = ledger.post(repayment(ELMERS_HARVEST, ELMERS_LOAN, 1))
        assert refused == Refused("nothing_owed")

    @needs("loans", "payoff_quote")
    @pytest.mark.parametrize("mode", list(RepaymentMode))
    def test_paying_off_early_gives_up_the_interest_that_is_not_earned(
        self,
        ledger: Ledger,
        balances: Callable[[], dict[str, int]],
        mode: RepaymentMode,
    ) -> None:
        posted(ledger.post(repayment(ROSAS, ROSAS_LOAN, 481_06, mode)))
        assert ledger.loans(ROSA, TODAY) == ()
        assert balances().get(ROSAS_LOAN, 0) == 0
        assert balances()[ROSAS] == 1_250_50 - 481_06

    @needs("loans", "payoff_quote")
    def test_the_payoff_grows_with_each_day_of_interest(
        self, ledger: Ledger, turn_to: Callable[[dt.date], None]
    ) -> None:
        posted(ledger.post(repayment(ROSAS, ROSAS_LOAN, 85_40)))
        payoffs = []
        for n in (0, 1, 15, 30):
            day = TODAY + dt.timedelta(days=n)
            turn_to(day)
            payoffs.append(ledger.loans(ROSA, day)[0].payoff.centimos)
        # S/ 10.27 are the interest of the 30 days to the next instalment.
        assert payoffs == [395_66 + 10_27 * n // 30 for n in (0, 1, 15, 30)]

    # Holds.

    @needs("holds")
    def test_held_money_is_there_but_not_available(self, ledger: Ledger) -> None:
        key = uuid.uuid4()
        assert posted(ledger.hold(key, SEGUNDOS, Money(300_00), NEVER)).created
        assert not posted(ledger.hold(key, SEGUNDOS, Money(300_00), NEVER)).created
        (account,) = ledger.accounts(SEGUNDO)
        assert (account.balance, account.available) == (Money(310_00), Money(10_00))
        assert ledger.post(transfer(SEGUNDOS, ROSAS, 10_01)) == Refused("insufficient_funds")
        refused = ledger.hold(uuid.uuid4(), SEGUNDOS, Money(10_01), NEVER)
        assert refused == Refused("insufficient_funds")

    @needs("holds")
    @pytest.mark.parametrize("account", ["no-such", ROSAS_LOAN, "cash"])
    def test_only_savings_can_be_held(self, ledger: Ledger, account: str) -> None:
        refused = ledger.hold(uuid.uuid4(), account, Money(1), NEVER)
        assert refused == Refused("no_such_account")

    @needs("holds")
    def test_a_holds_key_with_another_content_is_an_error(self, ledger: Ledger) -> None:
        key = uuid.uuid4()
        posted(ledger.hold(key, SEGUNDOS, Money(300_00), NEVER))
        with pytest.raises(KeyReusedError):
            ledger.hold(key, SEGUNDOS, Money(299_00), NEVER)
        with pytest.raises(KeyReusedError):
            ledger.post(transfer(SEGUNDOS, ROSAS, 1_00, key=key))

    @needs("holds")
    def test_a_hold_posts_once_and_frees_what_the_order_leaves(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        key, order = uuid.uuid4(), transfer(SEGUNDOS, ROSAS, 200_00)
        posted(ledger.hold(key, SEGUNDOS, Money(300_00), NEVER))
        assert posted(ledger.post_hold(key, order)).created
        assert not posted(ledger.post_hold(key, order)).created
        second = ledger.post_hold(key, transfer(SEGUNDOS, ROSAS, 1_00))
        assert second == Refused("hold_not_pending")
        assert ledger.void_hold(key) is HoldState.POSTED
        (account,) = ledger.accounts(SEGUNDO)
        assert account.balance == account.available == Money(110_00)
        assert balances()[ROSAS] == 1_450_50

    @needs("holds")
    def test_a_hold_is_not_stretched_or_lent(self, ledger: Ledger) -> None:
        key = uuid.uuid4()
        posted(ledger.hold(key, SEGUNDOS, Money(100_00), NEVER))
        assert ledger.post_hold(key, transfer(SEGUNDOS, ROSAS, 100_01)) == Refused("over_hold")
        stranger = ledger.post_hold(key, transfer(ELMERS, ROSAS, 1_00))
        assert stranger == Refused("hold_not_pending")
        unknown = ledger.post_hold(uuid.uuid4(), transfer(SEGUNDOS, ROSAS, 1_00))
        assert unknown == Refused("hold_not_pending")
        posted(ledger.post_hold(key, transfer(SEGUNDOS, ROSAS, 100_00)))

    @needs("holds")
    def test_a_voided_hold_gives_its_money_back_once(self, ledger: Ledger) -> None:
        key = uuid.uuid4()
        posted(ledger.hold(key, SEGUNDOS, Money(300_00), NEVER))
        assert ledger.void_hold(key) is HoldState.VOIDED
        assert ledger.void_hold(key) is HoldState.VOIDED
        refused = ledger.post_hold(key, transfer(SEGUNDOS, ROSAS, 1_00))
        assert refused == Refused("hold_not_pending")
        assert ledger.accounts(SEGUNDO)[0].available == Money(310_00)

    @needs("holds")
    def test_a_hold_that_was_never_placed_cannot_be_voided(self, ledger: Ledger) -> None:
        refused = uuid.uuid4()
        ledger.hold(refused, SEGUNDOS, Money(310_01), NEVER)
        for key in (uuid.uuid4(), refused):
            with pytest.raises(NoSuchHoldError):
                ledger.void_hold(key)

    # Reversals.

    @needs("reversal")
    def test_a_reversal_undoes_all_of_a_transfer_once(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        before = balances()
        order, key = transfer(ROSAS, SEGUNDOS, 1_000_00), uuid.uuid4()
        posted(ledger.post(order))
        assert posted(ledger.reverse(key, order, TODAY)).created
        assert not posted(ledger.reverse(key, order, TOMORROW)).created
        assert balances() == before
        refused = ledger.reverse(uuid.uuid4(), order, TODAY)
        assert refused == Refused("already_reversed")
        assert not posted(ledger.post(order)).created
        assert balances() == before
        # Either the statement says so, or the line is gone from it.
        assert ledger.movements(SEGUNDOS, 1)[0].kind != "received"

    @needs("reversal")
    def test_what_was_not_posted_cannot_be_reversed(self, ledger: Ledger) -> None:
        refused = transfer(SEGUNDOS, ROSAS, 400_00)
        ledger.post(refused)
        reversal, order = uuid.uuid4(), transfer(ROSAS, SEGUNDOS, 1_00)
        ledger.post(order)
        posted(ledger.reverse(reversal, order, TODAY))
        undone = transfer(SEGUNDOS, ROSAS, 1_00, key=reversal)
        for original in (transfer(ROSAS, SEGUNDOS, 1_00), refused, undone):
            outcome = ledger.reverse(uuid.uuid4(), original, TODAY)
            assert outcome == Refused("not_posted")

    @needs("reversal", "holds")
    def test_a_hold_is_voided_and_not_reversed(self, ledger: Ledger) -> None:
        hold = uuid.uuid4()
        ledger.hold(hold, ROSAS, Money(1_00), NEVER)
        held = transfer(ROSAS, SEGUNDOS, 1_00, key=hold)
        assert ledger.reverse(uuid.uuid4(), held, TODAY) == Refused("not_posted")

    @needs("reversal")
    def test_money_that_was_spent_is_not_taken_below_the_floor(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        order, key = transfer(ROSAS, SEGUNDOS, 100_00), uuid.uuid4()
        posted(ledger.post(order))
        posted(ledger.post(transfer(SEGUNDOS, ELMERS, 350_00)))
        before = balances()
        assert ledger.reverse(key, order, TODAY) == Refused("insufficient_funds")
        assert balances() == before
        posted(ledger.post(transfer(ELMERS, SEGUNDOS, 350_00)))
        assert ledger.reverse(key, order, TODAY) == Refused("insufficient_funds")
        posted(ledger.reverse(uuid.uuid4(), order, TODAY))

    @needs("loans", "reversal")
    def test_a_reversed_repayment_makes_the_instalment_due_again(self, ledger: Ledger) -> None:
        before = ledger.accounts(ROSA), ledger.loans(ROSA, TODAY)
        orders = [repayment(ROSAS, ROSAS_LOAN, 50_00)]
        if ledger.capabilities().payoff_quote:
            orders.append(repayment(ROSAS, ROSAS_LOAN, 481_06, RepaymentMode.PAYOFF))
        for order in orders:
            posted(ledger.post(order))
            posted(ledger.reverse(uuid.uuid4(), order, TODAY))
            assert (ledger.accounts(ROSA), ledger.loans(ROSA, TODAY)) == before

    @needs("loans", "reversal", "late_charges")
    def test_a_reversal_of_a_late_payment_brings_the_charge_back(self, ledger: Ledger) -> None:
        before = ledger.loans(ELMER, TODAY)
        order = repayment(ELMERS_HARVEST, ELMERS_LOAN, 1_000_00)
        posted(ledger.post(order))
        posted(ledger.reverse(uuid.uuid4(), order, TODAY))
        assert ledger.loans(ELMER, TODAY) == before

    @needs("reversal")
    def test_a_reversals_key_with_another_content_is_an_error(self, ledger: Ledger) -> None:
        order, other, key = (
            transfer(ROSAS, SEGUNDOS, 1_00),
            transfer(ROSAS, SEGUNDOS, 1_00),
            uuid.uuid4(),
        )
        posted(ledger.post(order))
        posted(ledger.post(other))
        posted(ledger.reverse(key, order, TODAY))
        with pytest.raises(KeyReusedError):
            ledger.reverse(key, other, TODAY)

    # Many at once.

    def test_of_one_key_from_32_threads_one_creates_and_31_find_it(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        order = transfer(ROSAS, SEGUNDOS, 50_00)
        with ThreadPoolExecutor(32) as threads:
            outcomes = list(threads.map(lambda _: posted(ledger.post(order)), range(32)))
        assert Counter(outcome.created for outcome in outcomes) == {True: 1, False: 31}
        assert len({outcome.reference for outcome in outcomes}) == 1
        assert balances()[SEGUNDOS] == 360_00

    def test_64_transfers_in_both_directions_add_up(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        there = [transfer(ROSAS, SEGUNDOS, 3_00) for _ in range(32)]
        back = [transfer(SEGUNDOS, ROSAS, 2_00) for _ in range(32)]
        orders = [order for pair in zip(there, back, strict=True) for order in pair]
        with ThreadPoolExecutor(8) as threads:
            for outcome in threads.map(ledger.post, orders):
                posted(outcome)
        assert balances()[ROSAS] == 1_250_50 - 32 * 1_00
        assert balances()[SEGUNDOS] == 310_00 + 32 * 1_00

    def test_together_they_cannot_spend_more_than_there_is(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        orders = [transfer(SEGUNDOS, ROSAS, 30_00) for _ in range(16)]
        with ThreadPoolExecutor(8) as threads:
            outcomes = Counter(type(outcome) for outcome in threads.map(ledger.post, orders))
        assert outcomes == {Done: 10, Refused: 6}
        assert balances()[SEGUNDOS] == 10_00

    @needs("reversal")
    def test_an_order_is_reversed_once_by_8_threads(
        self, ledger: Ledger, balances: Callable[[], dict[str, int]]
    ) -> None:
        before = balances()
        order = transfer(ROSAS, SEGUNDOS, 50_00)
        posted(ledger.post(order))

        def reverse(_: int) -> Outcome:
            return ledger.reverse(uuid.uuid4(), order, TODAY)

        with ThreadPoolExecutor(8) as threads:
            outcomes = Counter(type(outcome) for outcome in threads.map(reverse, range(8)))
        assert outcomes == {Done: 1, Refused: 7}
        assert balances() == before

    def test_the_core_says_that_it_is_well(self, ledger: Ledger) -> None:
        assert ledger.health().well
