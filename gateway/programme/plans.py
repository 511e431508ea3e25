"""What staff say of the programme: targets, tariffs, what a visit takes. Each is written down."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gateway.db.pool import Database

INDICATORS = (
    *("enrolled", "active_30", "active_90"),
    *("rural_share", "operations_30", "session_success"),
)


@dataclass(frozen=True, slots=True)
class Plans:
    """The desk for them.

    Args:
        database: signed in as a role that may call these functions.
        now: of what is said now.
    """

    database: Database
    now: dt.datetime

    def set_target(self, indicator: str, due_on: dt.date, value: int, by: str) -> None:
        """What is to be reached until then; in place of what was said of that day before."""
        given = (indicator, due_on, value, by, self.now)
        self.database.call("select programme.set_target(%s, %s, %s, %s, %s)", given)

    def drop_target(self, indicator: str, due_on: dt.date, by: str) -> bool:
        """Take one back. False: there was none."""
        given = (indicator, due_on, by, self.now)
        row = self.database.row("select programme.drop_target(%s, %s, %s, %s) as was", given)
        return bool(row["was"])

    def set_tariff(self, what: str, since: dt.date, micros: int, source: str, by: str) -> None:
        """What a unit costs from then on, in millionths of a sol."""
        given = (what, since, micros, source, by, self.now)
        self.database.call("select programme.set_tariff(%s, %s, %s, %s, %s, %s)", given)

    def set_travel(
        self, district: str, since: dt.date, minutes: int, centimos: int, source: str, by: str
    ) -> None:
        """What a visit takes from then on; of an empty district: everywhere else."""
        given = (district, since, minutes, centimos, source, by, self.now)
        self.database.call("select programme.set_travel(%s, %s, %s, %s, %s, %s, %s)", given)
