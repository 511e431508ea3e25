"""What a member types that nobody may read again: a DNI, an activation code, a PIN."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A typed secret on its way from the keypad to the bank, and nowhere else.

    It does not print, compare, hash, pickle or serialise, so that no log line, traceback, Redis
    value or job can hold it by accident.
    """

    __slots__ = ("_typed",)

    def __init__(self, typed: str) -> None:
        self._typed = typed

    def reveal(self) -> str:
        """What was typed, for who hashes it."""
        return self._typed

    def __repr__(self) -> str:
        return "Secret(****)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("secrets are hashed, never compared")

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never stored")
