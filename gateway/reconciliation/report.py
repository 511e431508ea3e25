"""A comparison as rows, for a terminal, a spreadsheet or a program, without phones and names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from gateway.reconciliation.comparing import Compared, Difference
from gateway.values.money import Money
from gateway.values.spreadsheet import never_a_formula

COLUMNS = (
    *("kind", "account", "reference", "key", "our_way", "our_amount", "core_way", "core_amount"),
    *("our_day", "core_day", "state", "open_hours"),
)
TOTAL = "account_total"  # the kind of the row that sums an account up, behind its differences
NOT_FINISHED = "not_finished"  # the kind of the last row, where it was not done to the end


def rows_of(compared: Compared, now: dt.datetime) -> Iterator[dict[str, str]]:
    """A row for each difference, and one for the account's two sums where they differ."""
    for difference in compared.differences:
        yield _row(difference, now)
    if compared.ours != compared.core:
        yield {
            **dict.fromkeys(COLUMNS, ""),
            "kind": TOTAL,
            "account": compared.account,
            **_amount("our", compared.ours),
            **_amount("core", compared.core),
        }


def stopped_row(why: str) -> dict[str, str]:
    """The last row of what was not done to the end: nobody takes the rest for being right."""
    return {**dict.fromkeys(COLUMNS, ""), "kind": NOT_FINISHED, "state": why}


def for_a_spreadsheet(row: dict[str, str]) -> dict[str, str]:
    """The same row, in which no cell is taken for a formula."""
    return {name: never_a_formula(text) for name, text in row.items()}


def _row(one: Difference, now: dt.datetime) -> dict[str, str]:
    is_open = one.kind == "still_open" and one.accepted_at
    return {
        "kind": one.kind.value,
        "account": one.account,
        "reference": one.reference,
        "key": str(one.key),
        **_amount("our", one.ours),
        **_amount("core", one.core),
        "our_day": one.our_day.isoformat() if one.our_day else "",
        "core_day": one.core_day.isoformat() if one.core_day else "",
        "state": one.state,
        "open_hours": str(_hours(now, one.accepted_at)) if is_open and one.accepted_at else "",
    }


def _hours(now: dt.datetime, since: dt.datetime) -> int:
    return max(0, int((now - since).total_seconds())) // 3600


def _amount(whose: str, amount: Money | None) -> dict[str, str]:
    """In soles, without a sign: what a spreadsheet adds up may not begin with one."""
    if amount is None:
        return {f"{whose}_way": "", f"{whose}_amount": ""}
    soles, centimos = divmod(abs(amount.centimos), 100)
    way = "out" if amount.centimos < 0 else "in"
    return {f"{whose}_way": way, f"{whose}_amount": f"{soles}.{centimos:02d}"}
