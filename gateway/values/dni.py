"""The number of a national identity document, in a type that hides itself."""

from __future__ import annotations

import re
from typing import NoReturn

_DIGITS = re.compile(r"[0-9]{8}")


class Dni:
    """A DNI on its way to the core, and nowhere else: it does not print, hash, pickle or serialise.

    Raises:
        ValueError: not eight digits. The text is not repeated in the message.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if not _DIGITS.fullmatch(digits):
            raise ValueError("a DNI has eight digits")
        self._digits = digits

    def reveal(self) -> str:
        """The digits, for the core's register alone."""
        return self._digits

    def __repr__(self) -> str:
        return "Dni(****)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a DNI is looked up in the core, never compared")

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a DNI is never stored")
