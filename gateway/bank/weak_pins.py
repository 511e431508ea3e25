"""Which PINs a thief would try first. Refused with the reason, so that the next one is better."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise

from gateway.bounds import PIN_DIGITS_MAX, PIN_DIGITS_MIN

# The most frequent ones of leaked lists that no rule below finds, and the keypad's lines.
USUAL = frozenset(
    {
        *("1004", "2580", "0852", "1122", "1313", "1342", "1397", "1357", "2468", "2684", "3698"),
        *("1470", "1590", "7410", "7530", "8520", "9630", "4200", "8023"),
        *("12369", "14789", "13579", "24680", "25800", "11223", "14725", "15963"),
        *("112233", "123123", "147258", "159753", "321321", "102030", "123321", "789456", "246810"),
    }
)
_YEAR_FIRST = 1920  # nobody who is alive was born before


def weakness(pin: str, phone: str, today: dt.date) -> str | None:
    """Why a PIN is weak for whoever has this phone: the code of the sentence that says so.

    Args:
        pin: digits.
        phone: E.164.
        today: years after it are no years of birth.
    """
    if _in_a_row(pin):
        return "pin_in_a_row"
    if _repeats(pin):
        return "pin_repeats"
    if pin in USUAL:
        return "pin_usual"
    if pin in phone:
        return "pin_of_yours"
    if len(pin) == PIN_DIGITS_MIN and _YEAR_FIRST <= int(pin) <= today.year:
        return "pin_like_a_date"
    return None


def of_the_dni(dni: str) -> Iterable[str]:
    """Every PIN that is a part of a DNI."""
    for length in range(PIN_DIGITS_MIN, PIN_DIGITS_MAX + 1):
        for start in range(len(dni) - length + 1):
            yield dni[start : start + length]


def of_the_day(born: dt.date) -> Iterable[str]:
    """The ways in which people type a day of birth."""
    for form in ("%Y", "%d%m", "%m%d", "%m%y", "%d%m%y", "%m%d%y", "%y%m%d", "%m%Y", "%Y%m"):
        yield born.strftime(form)


def _in_a_row(pin: str) -> bool:
    """1234, 4321, 7890: each digit the next one, up or down, 0 behind 9."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return steps in ({1}, {9})


def _repeats(pin: str) -> bool:
    """1111, 1212, 123123; and 0001, 7787: three of four the same."""
    whole = any(
        pin == pin[:length] * (len(pin) // length)
        for length in range(1, len(pin) // 2 + 1)
        if len(pin) % length == 0
    )
    return whole or max(map(pin.count, pin)) >= len(pin) - 1
