"""A member's secret number, in a type that hides itself."""

from __future__ import annotations

from typing import NoReturn

from gateway.bounds import PIN_DIGITS_MAX, PIN_DIGITS_MIN


class Pin:
    """A PIN on its way from the keypad to the hasher, and nowhere else.

    It does not print, compare, hash, pickle or serialise, so that no log line, traceback, Redis
    value or job can hold it by accident.

    Raises:
        ValueError: not 4 to 6 digits. The text is not repeated in the message.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError("a PIN is digits only")
        if not PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX:
            raise ValueError(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
        self._digits = digits

    def reveal(self) -> bytes:
        """The digits, for the hasher alone."""
        return self._digits.encode("ascii")

    def __repr__(self) -> str:
        return "Pin(****)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("PINs are verified by the hasher, never compared")

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN is never stored")
