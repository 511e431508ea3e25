"""What our orders did, read back from a Fineract whose books move while they are read."""

from __future__ import annotations

import uuid

import pytest

from gateway.bounds import FINERACT_PAGE_ROWS
from gateway.ledger.contract.cooperative import ROSAS, SEGUNDOS, TODAY, found
from gateway.ledger.contract.suite import transfer
from gateway.ledger.fineract.adapter import FineractLedger
from gateway.ledger.fineract.marks import key_of, mark
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import DEPOSIT, Savings
from gateway.ledger.port import LedgerUnavailableError


@pytest.fixture(autouse=True)
def _cooperative(standin: StandIn) -> None:
    found(standin.world)


def _account(standin: StandIn, code: str) -> Savings:
    return next(one for one in standin.world.savings.values() if one.external_id == code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AB12CD34",
        f"AB12CD34 {uuid.UUID(int=7).hex} send",
        f"x{mark(uuid.UUID(int=7))}",
        "0" * 41,
    ],
)
def test_a_mark_that_was_mistyped_is_none_of_ours(text: str) -> None:
    assert key_of(text) is None


def test_a_mark_tells_its_key() -> None:
    assert key_of(f"{mark(uuid.UUID(int=7))} send: Rosa Q. > Elmer T.") == uuid.UUID(int=7)


def test_an_account_with_many_lines_is_read_page_by_page(
    ledger: FineractLedger, standin: StandIn
) -> None:
    """More than three pages, most of them the agency's own."""
    account, keys = _account(standin, ROSAS), [uuid.uuid4() for _ in range(3)]
    with standin.world.lock:
        for number in range(3 * FINERACT_PAGE_ROWS):
            receipt = mark(keys[number % 3]) if number < 3 else f"caja {number}"
            standin.world.deposit(account, 1_00, TODAY, receipt)
    lines = list(ledger.marked(ROSAS, TODAY, TODAY))
    assert sorted(one.key for one in lines) == sorted(keys)


def test_a_line_that_moves_to_the_next_page_meanwhile_is_told_once(
    ledger: FineractLedger, standin: StandIn
) -> None:
    """Else it would look as if an order had been posted twice."""
    account = _account(standin, ROSAS)
    with standin.world.lock:
        for _ in range(FINERACT_PAGE_ROWS + 5):
            standin.world.deposit(account, 1_00, TODAY, mark(uuid.uuid4()))
    lines = ledger.marked(ROSAS, TODAY, TODAY)
    seen = [next(lines)]
    with standin.world.lock:
        for _ in range(10):
            standin.world.deposit(account, 1_00, TODAY, "caja")
    seen += lines
    assert len(seen) == len({one.line for one in seen}) == FINERACT_PAGE_ROWS + 5


def test_a_core_that_goes_away_part_way_is_not_taken_for_the_end(
    ledger: FineractLedger, standin: StandIn
) -> None:
    account = _account(standin, SEGUNDOS)
    with standin.world.lock:
        for _ in range(FINERACT_PAGE_ROWS + 1):
            standin.world.deposit(account, 1_00, TODAY, mark(uuid.uuid4()))
    lines = ledger.marked(SEGUNDOS, TODAY, TODAY)
    next(lines)
    standin.plan.away = True
    with pytest.raises(LedgerUnavailableError):
        list(lines)


def test_a_fee_that_the_core_takes_of_itself_bears_no_mark(
    ledger: FineractLedger, standin: StandIn
) -> None:
    order = transfer(ROSAS, SEGUNDOS, 5_00)
    ledger.post(order)
    with standin.world.lock:
        account = _account(standin, ROSAS)
        line = standin.world.deposit(account, 1_00, TODAY, mark(order.key))
        assert line.kind == DEPOSIT
        line.kind = 4  # a withdrawal's fee, which comes with its payment's details
    assert [one.amount.centimos for one in ledger.marked(ROSAS, TODAY, TODAY)] == [-5_00]
