"""The traps of Fineract, each by its name. Bad rows first."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import requests

from gateway.bounds import (
    FINERACT_DAYS_BEHIND_MAX,
    FINERACT_KEYS_TRUSTED_DAYS,
    FINERACT_PAGE_ROWS,
)
from gateway.ledger.contract.cooperative import (
    ELMERS,
    ELMERS_HARVEST,
    ELMERS_LOAN,
    ROSA,
    ROSAS,
    ROSAS_LOAN,
    SEGUNDO,
    SEGUNDOS,
    TODAY,
    found,
)
from gateway.ledger.contract.suite import deposit, posted, repayment, transfer, withdrawal
from gateway.ledger.fineract import reading
from gateway.ledger.fineract.adapter import FineractLedger
from gateway.ledger.fineract.client import Reply
from gateway.ledger.fineract.errors import Meaning, judged
from gateway.ledger.fineract.marks import attempt_key, described, description, mark, reference
from gateway.ledger.fineract.names import ById
from gateway.ledger.fineract.standin.app import USER
from gateway.ledger.fineract.standin.commands import failure
from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import (
    BLOCKED,
    BLOCKED_CREDIT,
    BLOCKED_DEBIT,
    CLOSED_SAVINGS,
    Savings,
    World,
)
from gateway.ledger.port import (
    Done,
    KeyReusedError,
    LedgerUnavailableError,
    Outcome,
    PendingApproval,
    Refused,
    RepaymentMode,
    RetryLater,
    SeveralMembersError,
    Unknown,
)
from gateway.values.dni import Dni
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn
from tests.ledger.fineract.conftest import connected

YESTERDAY = TODAY - dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _cooperative(office: World) -> None:
    found(office)


def times(standin: StandIn, key: uuid.UUID) -> int:
    """How often the stand-in's books have an order."""
    movements = requests.get(f"{standin.root}/_ledger", timeout=5).json()["movements"]
    return sum(key.hex in movement for movement in movements)


def account(standin: StandIn, code: str) -> Savings:
    return next(one for one in standin.world.savings.values() if one.external_id == code)


# 1. Keys: at most 50 characters, nobody else's ever, and one for each attempt.


def test_a_key_fits_and_is_nobody_elses(standin: StandIn, ledger: FineractLedger) -> None:
    orders = [transfer(ROSAS, SEGUNDOS, 1_00) for _ in range(3)]
    for order in orders:
        posted(ledger.post(order))
    keys = standin.double.commands.keys()
    assert len(set(keys)) == len(keys) == 3
    assert max(map(len, keys)) <= 50
    assert {attempt_key(order.key, 1) for order in orders} == set(keys)


def test_a_key_that_is_too_long_would_fail_there(standin: StandIn) -> None:
    """The double is as strict as the column."""
    answer = _raw(standin, "/v1/accounttransfers", {}, "k" * 51)
    assert (answer.status_code, list(answer.json())) == (500, ["Exception"])


def test_the_server_answers_a_reused_key_with_another_orders_success(
    standin: StandIn, ledger: FineractLedger
) -> None:
    """It compares no content: the adapter has to."""
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    posted(ledger.post(order))
    for other in (
        replace(order, amount=Money(50_01)),
        replace(order, target=ELMERS),
        transfer(ELMERS, SEGUNDOS, 50_00, key=order.key),
        repayment(ROSAS, ROSAS_LOAN, 50_00, key=order.key),
    ):
        with pytest.raises(KeyReusedError):
            ledger.post(other)
    assert times(standin, order.key) == 1


# 2. 425: neither a success nor a failure, and the body is our own request.


@pytest.mark.parametrize(("fault", "moved"), [(Fault.STUCK_BEFORE, 0), (Fault.STUCK_AFTER, 1)])
def test_a_key_that_is_stuck_is_unknown_until_the_books_tell(
    standin: StandIn, ledger: FineractLedger, fault: Fault, moved: int
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    standin.plan.plan([fault])
    assert [ledger.post(order) for _ in range(3)] == [Unknown()] * 3
    assert times(standin, order.key) == moved
    assert isinstance(ledger.find(order), Done) is bool(moved)


def test_an_echo_of_the_request_is_no_success() -> None:
    echo = {"resourceId": 5, "transferAmount": "50.00"}
    assert judged(Reply(425, echo, from_cache=True)).meaning is Meaning.UNCERTAIN


# 3. Maker-checker: 200 that moved nothing.


def test_200_with_a_rollback_waits_for_a_person(standin: StandIn, ledger: FineractLedger) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    standin.plan.plan([Fault.APPROVAL])
    assert ledger.post(order) == PendingApproval()
    assert ledger.post(order) == Unknown()
    assert times(standin, order.key) == 0
    standin.double.commands.approve()
    assert isinstance(ledger.find(order), Done)
    assert not posted(ledger.post(order)).created
    assert times(standin, order.key) == 1


def test_a_checkers_no_is_a_refusal_although_its_key_stays_in_use(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order, other = transfer(ROSAS, SEGUNDOS, 50_00), transfer(ROSAS, SEGUNDOS, 60_00)
    standin.plan.plan([Fault.APPROVAL, Fault.APPROVAL])
    assert (ledger.post(order), ledger.post(other)) == (PendingApproval(), PendingApproval())

    standin.double.commands.reject({attempt_key(order.key, 1)})

    assert (ledger.post(order), ledger.post(other)) == (Refused("not_allowed"), Unknown())
    standin.double.commands.approve()
    posted(ledger.post(other))
    assert (times(standin, order.key), times(standin, other.key)) == (0, 1)


@pytest.mark.parametrize("body", [{}, {"resourceId": None}, [], None, {"commandId": 3}])
def test_200_without_a_result_is_no_success(body: object) -> None:
    assert judged(Reply(200, body, from_cache=False)).meaning is Meaning.UNCERTAIN


# 4. Errors that are remembered, and those that are not.


@pytest.mark.parametrize("fault", [Fault.CONFLICT, Fault.BROKEN])
def test_a_dead_key_gives_way_to_the_next_when_the_order_comes_again(
    standin: StandIn, ledger: FineractLedger, fault: Fault
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    standin.plan.plan([fault])
    assert ledger.post(order) == RetryLater()
    assert times(standin, order.key) == 0
    assert posted(ledger.post(order)).created
    assert not posted(ledger.post(order)).created
    assert times(standin, order.key) == 1
    assert standin.double.commands.keys() == [attempt_key(order.key, n) for n in (1, 2)]


def test_after_the_last_key_it_is_refused_for_good(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    outcomes: list[Outcome] = []
    for attempt in (1, 2, 3):
        standin.plan.plan([None] * (attempt - 1) + [Fault.BROKEN])
        outcomes.append(ledger.post(order))
    outcomes += [ledger.post(order), ledger.post(order)]
    assert outcomes == [RetryLater()] * 3 + [Refused("not_allowed")] * 2
    assert times(standin, order.key) == 0


def test_a_refusal_is_remembered_under_its_key(standin: StandIn, ledger: FineractLedger) -> None:
    order = transfer(SEGUNDOS, ROSAS, 400_00)
    assert ledger.post(order) == Refused("insufficient_funds")
    posted(ledger.post(deposit(SEGUNDOS, 200_00)))
    assert ledger.post(order) == Refused("insufficient_funds")
    assert times(standin, order.key) == 0


@pytest.mark.parametrize("fault", [Fault.JOB_RUNNING, Fault.LOAN_LOCKED, Fault.TOO_MANY])
def test_what_was_not_begun_is_tried_later_under_the_same_key(
    standin: StandIn, ledger: FineractLedger, fault: Fault
) -> None:
    """Among them the lock of the close of business, whose answer has no content type, and 429."""
    order = repayment(ROSAS, ROSAS_LOAN, 85_40)
    standin.plan.plan([fault])
    assert ledger.post(order) == RetryLater()
    assert posted(ledger.post(order)).created
    assert standin.double.commands.keys() == [attempt_key(order.key, 1)]


# 5. What the adapter itself refuses spoils the key: a copy on its way can do nothing afterwards.


def test_a_refusal_of_ours_closes_the_key_to_a_copy_on_its_way(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    account(standin, SEGUNDOS).sub_status = BLOCKED
    assert ledger.post(order) == Refused("not_allowed")
    account(standin, SEGUNDOS).sub_status = 0
    assert ledger.post(order) == Refused("not_allowed")
    assert times(standin, order.key) == 0


def test_what_was_executed_is_not_refused_afterwards(
    standin: StandIn, ledger: FineractLedger
) -> None:
    """The loan is paid off by an order whose answer got lost: asked again, it owes nothing."""
    order = repayment(ELMERS_HARVEST, ELMERS_LOAN, 3_013_15, RepaymentMode.PAYOFF)
    standin.plan.plan([Fault.DROP_AFTER])
    assert ledger.post(order) == Unknown()
    assert not posted(ledger.post(order)).created
    assert times(standin, order.key) == 1


def test_a_copy_that_arrives_after_a_refusal_moves_nothing(
    standin: StandIn, ledger: FineractLedger
) -> None:
    """The first try is still on its way when the second one finds the account blocked."""
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    standin.plan.plan([Fault.LATE])
    assert ledger.post(order) == Unknown()
    account(standin, SEGUNDOS).sub_status = BLOCKED_CREDIT
    assert ledger.post(order) == Refused("not_allowed")
    account(standin, SEGUNDOS).sub_status = 0
    assert standin.double.arrive() == 1
    assert times(standin, order.key) == 0


# 6. Lost answers.


@pytest.mark.parametrize(
    ("fault", "moved"),
    [
        (Fault.DROP_BEFORE, 0),
        (Fault.DROP_AFTER, 1),
        (Fault.TRUNCATED, 1),
        (Fault.HTML_502_BEFORE, 0),
        (Fault.HTML_502_AFTER, 1),
    ],
)
def test_a_lost_answer_is_unknown_and_asking_again_tells(
    standin: StandIn, ledger: FineractLedger, fault: Fault, moved: int
) -> None:
    for order in (
        transfer(ROSAS, SEGUNDOS, 50_00),
        repayment(ROSAS, ROSAS_LOAN, 10_00),
        deposit(ROSAS, 20_00),
        withdrawal(ROSAS, 5_00),
    ):
        standin.plan.plan([fault])
        assert ledger.post(order) == Unknown()
        assert times(standin, order.key) == moved
        assert isinstance(ledger.find(order), Done) is bool(moved)
        assert posted(ledger.post(order)).created is not moved
        assert times(standin, order.key) == 1


def test_a_slow_answer_is_unknown(standin: StandIn) -> None:
    hasty = connected(standin, write_s=1)
    standin.plan.slow_ms = 1_500
    standin.plan.plan([Fault.SLOW])
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    assert hasty.post(order) == Unknown()
    hasty.close()


def test_nobody_there_is_certain(standin: StandIn, ledger: FineractLedger) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    standin.plan.away = True
    assert ledger.post(order) == RetryLater()
    assert not ledger.health().well
    for read in (
        lambda: ledger.accounts(ROSA),
        lambda: ledger.find(order),
        lambda: ledger.movements(ROSAS, 5),
        lambda: ledger.loans(ROSA, TODAY),
    ):
        with pytest.raises(LedgerUnavailableError):
            read()
    standin.plan.away = False
    assert ledger.health().well
    assert posted(ledger.post(order)).created


# 7. Ownership: Fineract does not ask whose account it is.


def test_fineract_itself_moves_anybodys_money(standin: StandIn) -> None:
    """Why the next test is there."""
    body = {
        **dict.fromkeys(("fromOfficeId", "fromClientId", "toOfficeId", "toClientId"), "1"),
        "fromAccountType": "2",
        "fromAccountId": str(account(standin, ROSAS).id),
        "toAccountType": "2",
        "toAccountId": str(account(standin, SEGUNDOS).id),
        "transferAmount": "1.00",
        "transferDate": TODAY.isoformat(),
        "transferDescription": "x",
        "locale": "en",
        "dateFormat": "yyyy-MM-dd",
    }
    assert _raw(standin, "/v1/accounttransfers", body, "stolen-1").status_code == 200


@pytest.mark.parametrize("owner", [SEGUNDO, "m-nobody", "501", "m-ros%"])
def test_no_order_takes_from_anothers_account(
    standin: StandIn, ledger: FineractLedger, owner: str
) -> None:
    for order in (
        transfer(ROSAS, SEGUNDOS, 50_00, owner=owner),
        replace(repayment(ROSAS, ROSAS_LOAN, 50_00), owner=owner),
        replace(withdrawal(ROSAS, 50_00), owner=owner),
    ):
        assert ledger.post(order) == Refused("no_such_account")
        assert times(standin, order.key) == 0


def test_an_order_of_nobody_is_a_fault(ledger: FineractLedger) -> None:
    with pytest.raises(ValueError, match="names the member"):
        ledger.post(transfer(ROSAS, SEGUNDOS, 50_00, owner=""))


@pytest.mark.parametrize(
    ("code", "sub_status", "refusal"),
    [
        (ROSAS, BLOCKED, "not_allowed"),
        (ROSAS, BLOCKED_DEBIT, "not_allowed"),
        (SEGUNDOS, BLOCKED, "not_allowed"),
        (SEGUNDOS, BLOCKED_CREDIT, "not_allowed"),
        (ROSAS, BLOCKED_CREDIT, None),
        (SEGUNDOS, BLOCKED_DEBIT, None),
    ],
)
def test_a_block_is_seen_on_its_own_side(
    standin: StandIn, ledger: FineractLedger, code: str, sub_status: int, refusal: str | None
) -> None:
    account(standin, code).sub_status = sub_status
    outcome = ledger.post(transfer(ROSAS, SEGUNDOS, 1_00))
    assert outcome == Refused(refusal) if refusal else isinstance(outcome, Done)


def test_a_closed_account_neither_gives_nor_takes(standin: StandIn, ledger: FineractLedger) -> None:
    account(standin, SEGUNDOS).status = CLOSED_SAVINGS
    assert ledger.post(transfer(ROSAS, SEGUNDOS, 1_00)) == Refused("no_such_account")
    assert ledger.post(transfer(SEGUNDOS, ROSAS, 1_00)) == Refused("no_such_account")
    assert ledger.accounts(SEGUNDO) == ()


def test_another_currency_and_a_hidden_fee_are_not_served(
    standin: StandIn, ledger: FineractLedger
) -> None:
    account(standin, SEGUNDOS).currency = "USD"
    assert ledger.post(transfer(ROSAS, SEGUNDOS, 1_00)) == Refused("no_such_account")
    account(standin, ROSAS).fee_for_transfers = True
    assert ledger.post(transfer(ROSAS, ELMERS, 1_00)) == Refused("not_allowed")


# 8. Dates.


def test_the_cores_day_may_be_behind_ours(standin: StandIn, ledger: FineractLedger) -> None:
    """The order's own day is refused and remembered, so the core's day has a key of its own."""
    standin.world.business_date = YESTERDAY
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    assert posted(ledger.post(order)).created
    assert standin.world.transfers[-1].on == YESTERDAY
    standin.world.business_date = TODAY
    assert not posted(ledger.post(order)).created
    assert times(standin, order.key) == 1


def test_a_repeat_days_later_is_sent_with_the_orders_own_day(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    standin.plan.plan([Fault.DROP_BEFORE])
    assert ledger.post(order) == Unknown()
    standin.world.business_date = TODAY + dt.timedelta(days=2)
    posted(ledger.post(order))
    assert standin.world.transfers[-1].on == TODAY


def test_a_core_that_lives_weeks_ago_posts_nothing(
    standin: StandIn, ledger: FineractLedger
) -> None:
    """Its close of business has not run: what it posted now would be looked for in vain later."""
    standin.world.business_date = TODAY - dt.timedelta(days=FINERACT_DAYS_BEHIND_MAX + 1)
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    assert [ledger.post(order) for _ in range(2)] == [RetryLater()] * 2
    standin.world.business_date = TODAY - dt.timedelta(days=FINERACT_DAYS_BEHIND_MAX)
    posted(ledger.post(order))
    assert isinstance(ledger.find(order), Done)


@pytest.mark.parametrize("written", [[2026, 8, 20], "2026-08-20"])
def test_dates_come_as_lists_or_as_text(written: object) -> None:
    assert reading.day(written) == dt.date(2026, 8, 20)


# 9. Amounts.


@pytest.mark.parametrize(
    ("written", "centimos"),
    [
        (None, 0),
        (Decimal("1500.000000"), 1_500_00),
        (Decimal("0.019999"), 1),
        (85, 85_00),
        ("85.4", 85_40),
    ],
)
def test_amounts_have_six_decimals_and_zero_is_left_out(written: object, centimos: int) -> None:
    assert reading.money(written) == Money(centimos)


def test_an_amount_leaves_as_it_is_counted(standin: StandIn, ledger: FineractLedger) -> None:
    """0.1 + 0.2 has no place here."""
    posted(ledger.post(deposit(ROSAS, 10**13 + 1)))
    posted(ledger.post(transfer(ROSAS, SEGUNDOS, 10**13 + 1)))
    assert account(standin, SEGUNDOS).balance == 310_00 + 10**13 + 1


def test_a_zero_balance_is_a_balance(standin: StandIn, ledger: FineractLedger) -> None:
    posted(ledger.post(transfer(SEGUNDOS, ROSAS, 310_00)))
    owner = account(standin, SEGUNDOS).client_id
    (overview,) = _read(standin, f"/v1/clients/{owner}/accounts")["savingsAccounts"]
    assert "accountBalance" not in overview
    assert ledger.accounts(SEGUNDO)[0].balance == Money(0)


def test_what_is_held_there_is_not_available(standin: StandIn, ledger: FineractLedger) -> None:
    account(standin, ROSAS).on_hold = 200_00
    (savings, _) = ledger.accounts(ROSA)
    assert (savings.balance, savings.available) == (Money(1_250_50), Money(1_050_50))


# 10. Pages, undone rows, and which id is which.


def test_an_order_is_found_behind_hundreds_of_others(
    standin: StandIn, ledger: FineractLedger
) -> None:
    """`offset` is the number of a page."""
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    posted(ledger.post(order))
    world, rosas = standin.world, account(standin, ROSAS)
    for _ in range(2 * FINERACT_PAGE_ROWS + 5):
        world.deposit(rosas, 1_00, TODAY, "")
    assert isinstance(ledger.find(order), Done)
    assert len(ledger.movements(ROSAS, 5)) == 5


def test_an_undone_line_leaves_the_statement_and_is_found_as_refused(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    posted(ledger.post(order))
    standin.world.undo_transfer(standin.world.transfers[-1])  # a teller did that
    assert [one.kind for one in ledger.movements(SEGUNDOS, 5)] == ["deposit"]
    assert ledger.find(order) == Refused("not_allowed")


def test_the_details_of_a_transfer_are_not_its_transaction(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    posted(ledger.post(order))
    (sent,) = standin.world.transfers
    assert sent.id != sent.details_id
    assert not posted(ledger.post(order)).created
    posted(ledger.reverse(uuid.uuid4(), order, TODAY))
    assert sent.reversed


def test_a_loans_payoff_is_not_what_its_summary_calls_outstanding(
    standin: StandIn, ledger: FineractLedger
) -> None:
    (loan,) = ledger.loans(ROSA, TODAY)
    number = next(one.id for one in standin.world.loans.values() if one.external_id == ROSAS_LOAN)
    summary = _read(standin, f"/v1/loans/{number}")["summary"]
    assert Money(481_06) == loan.payoff < loan.owed
    assert reading.money(Decimal(str(summary["totalOutstanding"]))) == loan.owed


def test_a_loan_is_never_overpaid(standin: StandIn, ledger: FineractLedger) -> None:
    """Fineract would take it."""
    assert ledger.post(repayment(ROSAS, ROSAS_LOAN, 481_07)) == Refused("over_payoff")
    assert all(loan.overpaid == 0 for loan in standin.world.loans.values())


# 11. Its memory of keys is purged.


def test_an_old_order_is_looked_up_before_it_is_sent_again(
    standin: StandIn, ledger: FineractLedger
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    posted(ledger.post(order))
    assert standin.double.commands.purge() == 1
    days = FINERACT_KEYS_TRUSTED_DAYS + 1
    standin.world.business_date = TODAY + dt.timedelta(days=days)
    later = connected(standin)  # another process: this one knows the day for a minute
    assert not posted(later.post(order)).created
    assert times(standin, order.key) == 1
    later.close()


# 12. Codes, not statuses.


@pytest.mark.parametrize(
    ("status", "code", "meaning", "said"),
    [
        (403, "error.msg.not.authorized", Meaning.MISCONFIGURED, None),
        (400, "error.msg.password.outdated", Meaning.MISCONFIGURED, None),
        (
            403,
            "error.msg.savingsaccount.transaction.insufficient.account.balance",
            Meaning.REFUSED,
            "insufficient_funds",
        ),
        (
            400,
            "error.msg.recurringdepositaccount.transaction.account.is.not.active",
            Meaning.REFUSED,
            "no_such_account",
        ),
        (400, "error.msg.parameter.unsupported", Meaning.REFUSED, "not_allowed"),
        (403, "error.msg.something.new", Meaning.REFUSED, "not_allowed"),
        (503, "error.msg.sheduler.job.currently.running", Meaning.LATER, None),
        (
            503,
            "error.msg.saving.account.transfer.transaction.update.not.allowed",
            Meaning.REFUSED,
            "not_allowed",
        ),
        (503, "error.msg.something.new", Meaning.BROKEN, None),
        (409, "error.msg.loan.locked", Meaning.LATER, None),
        (409, "error.msg.platform.service.loan.conflict", Meaning.BROKEN, None),
        (
            403,
            "error.msg.loan.application.repayment.date.on.holiday",
            Meaning.REFUSED,
            "not_allowed",
        ),
        (403, "error.msg.loan.repayment.cannot.be.a.future.date", Meaning.DATE, None),
    ],
)
def test_the_code_decides_and_not_the_status(
    status: int, code: str, meaning: Meaning, said: str | None
) -> None:
    verdict = judged(Reply(status, failure(status, code), from_cache=False))
    assert verdict.meaning is meaning
    assert said is None or verdict.code == said


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, None, Meaning.MISCONFIGURED),
        (400, None, Meaning.MISCONFIGURED),
        (404, None, Meaning.MISCONFIGURED),
        (429, None, Meaning.LATER),
        (500, None, Meaning.UNCERTAIN),
        (500, {"Exception": "x"}, Meaning.BROKEN),
        (502, None, Meaning.UNCERTAIN),
        (503, None, Meaning.UNCERTAIN),
        (504, None, Meaning.UNCERTAIN),
        (301, None, Meaning.UNCERTAIN),
    ],
)
def test_without_a_code_nothing_is_guessed(status: int, body: object, meaning: Meaning) -> None:
    assert judged(Reply(status, body, from_cache=False)).meaning is meaning


def test_a_missing_right_is_no_refusal(standin: StandIn, ledger: FineractLedger) -> None:
    standin.double.permissions.discard("CREATE_ACCOUNTTRANSFER")
    order = transfer(ROSAS, SEGUNDOS, 50_00)
    assert ledger.post(order) == RetryLater()
    standin.double.permissions.add("CREATE_ACCOUNTTRANSFER")
    assert posted(ledger.post(order)).created


# Who a member is.


def test_a_member_is_found_by_phone_however_it_is_written(
    standin: StandIn, ledger: FineractLedger
) -> None:
    rosa, segundo, *_ = standin.world.clients.values()
    rosa.mobile_no, segundo.mobile_no = "+51987000001", "987000002"
    person = ledger.find_member(Msisdn("+51987000001"))
    assert person is not None
    assert person.member_ref == ROSA
    assert ledger.find_member(Msisdn("+51987000009")) is None
    segundo.mobile_no = "51987000001"
    with pytest.raises(SeveralMembersError):
        ledger.find_member(Msisdn("+51987000001"))


def test_a_search_by_part_of_a_document_finds_nobody(
    standin: StandIn, ledger: FineractLedger
) -> None:
    next(iter(standin.world.clients.values())).dni = "940000009"
    assert ledger.find_member(Dni("40000009")) is None


def test_ids_name_members_and_accounts_too(standin: StandIn) -> None:
    ledger = connected(standin, ById())
    client, savings = account(standin, ROSAS).client_id, account(standin, ROSAS).id
    loan = next(one.id for one in standin.world.loans.values() if one.client_id == client)
    codes = [one.code for one in ledger.accounts(str(client))]
    assert codes == [f"S{savings}", f"L{loan}"]
    order = transfer(codes[0], f"S{account(standin, SEGUNDOS).id}", 1_00, owner=str(client))
    assert posted(ledger.post(order)).created
    paid = replace(repayment(codes[0], codes[1], 85_40), owner=str(client))
    assert posted(ledger.post(paid)).created
    for nobody in ("", "../2", "S1/..", "-1", "S", "L"):
        assert ledger.movements(nobody, 5) == ()
        assert ledger.accounts(nobody) == ()
    ledger.close()


# What an order is called there.


def test_a_mark_is_short_enough_and_read_back() -> None:
    key = uuid.uuid4()
    longest = description(key, "send", "Hermenegilda W.", "Maximiliana W.")
    assert len(mark(key)) <= 50
    assert len(longest) <= 200
    assert described(longest) == (reference(key), "send", "Hermenegilda W.", "Maximiliana W.")
    assert described(description(key, "pay")) == (reference(key), "pay", "", "")
    assert described("moved at the branch") is None
    assert reference(key) == reference(key) != reference(uuid.uuid4())


def test_a_transfer_of_others_is_shown_without_a_name(
    standin: StandIn, ledger: FineractLedger
) -> None:
    world = standin.world
    rosas, segundos = account(standin, ROSAS), account(standin, SEGUNDOS)
    world.send(rosas, segundos, 7_00, TODAY, "moved at the branch")
    (line,) = ledger.movements(SEGUNDOS, 1)
    assert (line.kind, line.amount, line.party) == ("received", Money(7_00), "")


def _read(standin: StandIn, path: str) -> dict[str, Any]:
    with _session() as session:
        answer: dict[str, Any] = session.get(standin.url + path, timeout=5).json()
        return answer


def _raw(standin: StandIn, path: str, body: dict[str, str], key: str) -> requests.Response:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    with _session() as session:
        return session.post(standin.url + path, json.dumps(body), headers=headers, timeout=5)


def _session() -> requests.Session:
    session = requests.Session()
    session.auth = (USER, "loopback")
    session.headers["Fineract-Platform-TenantId"] = "default"
    return session
