"""What a member may still move. Whether an order may is decided once more where it is accepted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.bounds import NEW_PAYEE_S
from gateway.db.pool import Database
from gateway.values.money import Money


class Bound(StrEnum):
    """What an order may run into."""

    OPERATION = "operation"  # the limit for one order
    DAY = "day"
    MONTH = "month"
    NEW_PAYEE = "new_payee"  # the limit for somebody who got the first money less than a day ago
    LOOK_ONLY = "look_only"  # nothing leaves


@dataclass(frozen=True, slots=True)
class Room:
    """The most that one more order may move (`left`), and the limit that says so."""

    bound: Bound
    limit: Money
    left: Money


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's limits for one operation, and what is left of them.

    `level` is normal, careful or look_only. What is left today is no more than is left this month.
    """

    operation: str
    level: str
    per_operation: Money
    per_day: Money
    left_today: Money
    per_month: Money
    left_this_month: Money


class Limits:
    """One cooperative's limits, as they hold for its members."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def room(
        self,
        operation: str,
        member_ref: str,
        counterparty_ref: str,
        channel: str,
        business_date: dt.date,
    ) -> Room:
        """What one more order may move to somebody on that day.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        now = self._now()
        row = self._database.row(
            "select bound, limit_centimos, left_centimos"
            " from instructions.room_now(%s, %s, %s, %s, %s, %s, %s)",
            (
                operation,
                member_ref,
                counterparty_ref or None,
                channel,
                business_date,
                now - dt.timedelta(seconds=NEW_PAYEE_S),
                now,
            ),
        )
        return Room(Bound(row["bound"]), Money(row["limit_centimos"]), Money(row["left_centimos"]))

    def standing(
        self, member_ref: str, channel: str, business_date: dt.date
    ) -> tuple[Standing, ...]:
        """A member's limits for every operation that has any.

        Raises:
            DatabaseUnavailableError: it cannot be said now.
        """
        rows = self._database.call(
            "select * from instructions.standing(%s, %s, %s, %s)",
            (member_ref, channel, business_date, self._now()),
        )
        return tuple(
            Standing(
                operation=row["operation"],
                level=row["level"],
                per_operation=Money(row["per_operation_centimos"]),
                per_day=Money(row["per_day_centimos"]),
                left_today=Money(row["left_today_centimos"]),
                per_month=Money(row["per_month_centimos"]),
                left_this_month=Money(row["left_this_month_centimos"]),
            )
            for row in rows
        )
