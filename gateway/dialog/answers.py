"""What people type, read as what they mean, or not at all."""

from __future__ import annotations

import datetime as dt
import re

from gateway.bounds import AMOUNT_MAX_CENTIMOS
from gateway.values.money import Money
from gateway.values.outcome import Day


class NotUnderstoodError(ValueError):
    """The answer is no value of its kind. `code` names the sentence that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_CURRENCY = re.compile(r"^\s*(?:s\s*/\s*\.?|soles|sol)?\s*|\s*(?:soles|sol)?\s*$", re.IGNORECASE)
_PLAIN_AMOUNT = re.compile(r"(\d{1,9})(?:[.,](\d{1,2}))?")
_GROUPED_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+)\.(\d{2})")
_AMBIGUOUS_AMOUNT = re.compile(r"\d{1,3}([.,]\d{3})+")


def money(text: str) -> Money:
    """An amount as farmers type it: `50`, `50.5`, `50,50`, `S/50`, `1,250.50`.

    `1,250` may be a thousand soles or one and a quarter: nobody guesses with money.

    Raises:
        NotUnderstoodError: `not_an_amount`, `amount_ambiguous`, `amount_zero`, `amount_too_big`.
    """
    digits = _CURRENCY.sub("", text)
    if _AMBIGUOUS_AMOUNT.fullmatch(digits):
        raise NotUnderstoodError("amount_ambiguous")
    match = _PLAIN_AMOUNT.fullmatch(digits) or _GROUPED_AMOUNT.fullmatch(digits)
    if match is None or not digits.isascii():
        raise NotUnderstoodError("not_an_amount")
    centimos = int(match[1].replace(",", "")) * 100 + int((match[2] or "").ljust(2, "0"))
    if centimos == 0:
        raise NotUnderstoodError("amount_zero")
    if centimos > AMOUNT_MAX_CENTIMOS:
        raise NotUnderstoodError("amount_too_big")
    return Money(centimos)


_DAY = re.compile(r"(\d{1,2})[ /.\-](\d{1,2})[ /.\-](\d{4}|\d{2})|(\d{2})(\d{2})(\d{4}|\d{2})")


def day(text: str) -> Day:
    """A date, day first: `25/12/2026`, `25 12 26`, `251226`.

    Raises:
        NotUnderstoodError: `not_a_date`.
    """
    match = _DAY.fullmatch(text.strip())
    if match is None or not text.isascii():
        raise NotUnderstoodError("not_a_date")
    number, month, year = (int(part) for part in match.groups() if part is not None)
    try:
        return Day(dt.date(year if year > 99 else 2000 + year, month, number))
    except ValueError as error:
        raise NotUnderstoodError("not_a_date") from error
