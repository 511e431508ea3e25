"""The limits as staff see and set them, over the owner's connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gateway.db.pool import Database, NotAllowedError, Row
from gateway.values.money import Money

ANY_CHANNEL = "any"


class Level(StrEnum):
    """For whom a rule holds."""

    NORMAL = "normal"  # everybody
    CAREFUL = "careful"  # beside it: whose PIN or number is new
    NEW_PAYEE = "new_payee"  # beside it: what goes to somebody whom the member has not paid before


class RuleRefusedError(Exception):
    """This limit cannot be; the text says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit that somebody wants. None: the rule says nothing of that kind."""

    operation: str
    channel: str
    level: Level
    effective_on: dt.date
    per_operation: Money | None
    per_day: Money | None
    per_month: Money | None
    reason: str


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the law allows, in UIT. None: it says nothing of that kind."""

    operation: str
    effective_on: dt.date
    per_operation_uit: Decimal | None
    per_day_uit: Decimal | None
    per_month_uit: Decimal | None
    binding: bool
    source: str


@dataclass(frozen=True, slots=True)
class Made:
    """A change under its number. It holds from its date; if not `holds`, once another person has
    approved it."""

    number: int
    holds: bool


class Rules:
    """One cooperative's limits.

    Args:
        database: signed in as the owner.
        today: where the cooperative is; no limit begins before.
        now: aware.
        by: who asks.
    """

    def __init__(self, database: Database, today: dt.date, now: dt.datetime, by: str) -> None:
        self._database = database
        self._today = today
        self._now = now
        self._by = by

    def set(self, rule: Rule) -> Made:
        """Lower a limit, or ask for a higher one.

        Raises:
            RuleRefusedError: it is above the law's ceiling, or begins in the past, or is no rule.
        """
        return self._made(
            "select number, holds"
            " from instructions.set_limit(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rule.operation,
            rule.channel,
            rule.level.value,
            rule.effective_on,
            *_centimos((rule.per_operation, rule.per_day, rule.per_month)),
            rule.reason,
        )

    def set_ceiling(self, ceiling: Ceiling) -> Made:
        """Write down what the law says.

        Raises:
            RuleRefusedError: it begins in the past.
        """
        return self._made(
            "select number, holds"
            " from instructions.set_ceiling(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            ceiling.operation,
            ceiling.effective_on,
            ceiling.per_operation_uit,
            ceiling.per_day_uit,
            ceiling.per_month_uit,
            ceiling.binding,
            ceiling.source,
        )

    def set_uit(self, effective_on: dt.date, value: Money, source: str) -> Made:
        """Write down what a UIT is worth.

        Raises:
            RuleRefusedError: it begins in the past.
        """
        return self._made(
            "select number, holds from instructions.set_uit(%s, %s, %s, %s, %s, %s)",
            effective_on,
            value.centimos,
            source,
        )

    def approve(self, number: int) -> bool:
        """Agree to what another person asked for. False: nothing waits under this number.

        Raises:
            RuleRefusedError: the same person asked, or the law has come down meanwhile.
        """
        try:
            row = self._database.row(
                "select instructions.approve_limit(%s, %s, %s) as approved",
                (number, self._by, self._now),
            )
        except NotAllowedError as error:
            raise _refused(error) from error
        return bool(row["approved"])

    def in_effect(self, on: dt.date) -> list[Row]:
        """Every rule that holds on a date, beside the ceiling above it."""
        return self._database.call("select * from instructions.limits_on(%s)", (on,))

    def waiting(self) -> list[Row]:
        """What waits for a second person."""
        return self._database.call("select * from instructions.limits_waiting()")

    def faults(self, operations: Iterable[str]) -> list[str]:
        """What is not as it should be: usage that is not the sum of its orders, rules that the law
        has come down upon, and operations that move money and have no rule."""
        rules = self.in_effect(self._today)
        ruled = {rule["operation"] for rule in rules}
        return [
            *(
                f"{row['member_ref']} {row['operation']} {row['business_date']}: used"
                f" {row['used_centimos']}, by its orders {row['orders_centimos']}"
                for row in self._database.call("select * from instructions.usage_differing()")
            ),
            *(
                f"{rule['operation']} {rule['channel']} {rule['level']}: {kind} is above the law's"
                " ceiling, which holds in its place"
                for rule in rules
                for kind in ("per_operation", "per_day", "per_month")
                if _above(rule[f"{kind}_centimos"], rule[f"ceiling_{kind}_centimos"])
            ),
            *(
                f"{name}: has no limit, so it moves nothing"
                for name in operations
                if name not in ruled
            ),
        ]

    def _made(self, sql: str, *params: object) -> Made:
        try:
            row = self._database.row(sql, (*params, self._by, self._today, self._now))
        except NotAllowedError as error:
            raise _refused(error) from error
        return Made(row["number"], row["holds"])


def _refused(error: NotAllowedError) -> RuleRefusedError:
    said = (error.diag.message_primary, error.diag.message_detail)
    return RuleRefusedError("; ".join(filter(None, said)))


def _above(centimos: int | None, ceiling: int | None) -> bool:
    return centimos is not None and ceiling is not None and centimos > ceiling


def _centimos(amounts: Iterable[Money | None]) -> list[int | None]:
    return [None if amount is None else amount.centimos for amount in amounts]
