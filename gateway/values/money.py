"""Peruvian soles, in whole céntimos."""

from __future__ import annotations

import msgspec

from gateway.bounds import MONEY_MAX_CENTIMOS


class Money(msgspec.Struct, frozen=True, order=True, tag="money"):
    """An amount of soles (ISO 4217 PEN) as a whole number of céntimos.

    May be negative: what is owed on a loan is a negative balance.

    Raises:
        ValueError: the amount is beyond what any account may hold.
    """

    centimos: int

    def __post_init__(self) -> None:
        if abs(self.centimos) > MONEY_MAX_CENTIMOS:
            raise ValueError(f"{self.centimos} céntimos is beyond {MONEY_MAX_CENTIMOS}")

    def __str__(self) -> str:
        """As people in Peru write it: `S/ 1,250.50`, the sign in front."""
        soles, centimos = divmod(abs(self.centimos), 100)
        sign = "-" if self.centimos < 0 else ""
        return f"{sign}S/ {soles:,}.{centimos:02d}"

    def __add__(self, other: Money) -> Money:
        return Money(self.centimos + other.centimos)

    def __sub__(self, other: Money) -> Money:
        return Money(self.centimos - other.centimos)

    def __neg__(self) -> Money:
        return Money(-self.centimos)


ZERO = Money(0)
