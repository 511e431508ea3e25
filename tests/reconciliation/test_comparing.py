"""Each way in which an account's books can differ from our orders, and the one in which they do
not."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from gateway.ledger.port import Marked
from gateway.reconciliation.comparing import Compared, Kind, Known, Side, compare
from gateway.reconciliation.report import COLUMNS, for_a_spreadsheet, rows_of, stopped_row
from gateway.values.money import Money

MONDAY = dt.date(2026, 11, 23)
SUNDAY = MONDAY - dt.timedelta(days=1)
NINE = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
KEY, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
ROSAS, SEGUNDOS = "100-1", "100-2"


def side(state: str = "posted", *, gives: bool = True, on: dt.date = MONDAY) -> Side:
    change = Money(-50_00 if gives else 50_00)
    account = ROSAS if gives else SEGUNDOS
    ended = state in ("posted", "refused", "closed")
    return Side(KEY, account, change, gives, state, ended, on, NINE, "100123")


def line(
    centimos: int = -50_00,
    *,
    key: uuid.UUID = KEY,
    on: dt.date = MONDAY,
    number: int = 1,
    undone: bool = False,
) -> Marked:
    return Marked(key, f"L{number}", Money(centimos), on, undone)


def known(state: str, *sides: Side, on: dt.date = SUNDAY) -> Known:
    return Known(state, state in ("posted", "refused", "closed"), on, "100200", sides)


def looked(
    sides: list[Side], lines: list[Marked], strange: dict[uuid.UUID, Known] | None = None
) -> Compared:
    return compare(ROSAS, MONDAY, sides, lines, strange or {})


@pytest.mark.parametrize(
    ("sides", "lines", "strange", "kind"),
    [
        ([], [line()], {}, Kind.UNKNOWN_ORDER),
        ([], [line()], {KEY: known("closed")}, Kind.NOT_POSTED_HERE),
        ([], [line()], {KEY: known("refused", side("refused", on=SUNDAY))}, Kind.NOT_POSTED_HERE),
        ([side("refused")], [line()], {}, Kind.NOT_POSTED_HERE),
        ([side("closed")], [line()], {}, Kind.NOT_POSTED_HERE),
        ([side()], [line(), line(number=2)], {}, Kind.POSTED_TWICE),
        ([side()], [], {}, Kind.MISSING_AT_CORE),
        ([side()], [line(undone=True)], {}, Kind.REVERSED_AT_CORE),
        ([side()], [line(-49_99)], {}, Kind.OTHER_AMOUNT),
        ([side()], [line(50_00)], {}, Kind.OTHER_AMOUNT),
        ([], [line()], {KEY: known("posted", side(gives=False))}, Kind.OTHER_ACCOUNT),
        ([side()], [line(on=SUNDAY)], {}, Kind.OTHER_DAY),
        ([], [line()], {KEY: known("posted", side(on=SUNDAY))}, Kind.OTHER_DAY),
        ([side("accepted")], [], {}, Kind.STILL_OPEN),
        ([side("unknown")], [line()], {}, Kind.STILL_OPEN),
        ([side("waits")], [], {}, Kind.STILL_OPEN),
    ],
)
def test_each_difference_has_a_name(
    sides: list[Side], lines: list[Marked], strange: dict[uuid.UUID, Known], kind: Kind
) -> None:
    found = looked(sides, lines, strange)
    assert [one.kind for one in found.differences] == [kind]
    assert found.differences[0].key == KEY


@pytest.mark.parametrize(
    ("sides", "lines"),
    [
        ([], []),
        ([side()], [line()]),
        ([side()], [line(), line(number=2, undone=True)]),
        ([side("refused")], []),
        ([side("closed")], [line(undone=True)]),
        ([], [line(on=SUNDAY)]),  # another day's business
        ([side("accepted", gives=False)], []),  # told at its source
    ],
)
def test_what_agrees_is_no_difference(sides: list[Side], lines: list[Marked]) -> None:
    assert looked(sides, lines).differences == ()


def test_an_order_that_was_taken_while_the_books_were_read_is_no_difference() -> None:
    found = looked([], [line()], {KEY: known("posted", side(), on=MONDAY)})
    assert found.differences == ()


def test_two_faults_that_cancel_out_are_two_faults() -> None:
    """The sums agree."""
    found = looked([side()], [line(key=OTHER)])
    assert {one.kind for one in found.differences} == {Kind.UNKNOWN_ORDER, Kind.MISSING_AT_CORE}
    assert found.ours == found.core == Money(-50_00)


def test_the_sums_of_an_account_stand_below_its_differences() -> None:
    rows = list(rows_of(looked([side()], [line(-49_99)]), NINE + dt.timedelta(hours=3)))
    assert [row["kind"] for row in rows] == ["other_amount", "account_total"]
    assert [(row["our_amount"], row["core_amount"]) for row in rows] == [("50.00", "49.99")] * 2
    assert [row["our_way"] for row in rows] == ["out", "out"]


def test_an_open_order_says_its_age() -> None:
    (row, *_) = rows_of(looked([side("unknown")], []), NINE + dt.timedelta(hours=30))
    assert (row["state"], row["open_hours"]) == ("unknown", "30")


@pytest.mark.parametrize("text", ["=1+1", "+51987", "-1", "@sum", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    """A code at the core is whatever somebody typed there."""
    assert for_a_spreadsheet({"account": text}) == {"account": f"'{text}"}


def test_every_row_has_every_column() -> None:
    rows = [*rows_of(looked([side()], []), NINE), stopped_row("away")]
    assert {tuple(row) for row in rows} == {COLUMNS}
