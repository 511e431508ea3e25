"""What was answered lately is not asked again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from gateway.bounds import SIM_ANSWER_S
from gateway.db.pool import Database
from gateway.sim.port import Answer, Changed, NotChanged, SimSwap, Unknown
from gateway.values.msisdn import Msisdn


class RememberedSimSwap:
    """Asks another one, at most once in `SIM_ANSWER_S` for a number. What is unknown is not
    remembered: it may be known in a moment.

    Args:
        database: where answers are kept.
        asked: who is asked.
        now: the clock, aware.
    """

    def __init__(self, database: Database, asked: SimSwap, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._asked = asked
        self._now = now

    def changed_since(self, msisdn: Msisdn, hours: int) -> Answer:
        """See `SimSwap.changed_since`; but PostgreSQL away raises `DatabaseUnavailableError`, as it
        does everywhere: no order is taken then."""
        now = self._now()
        rows = self._database.call(
            "select * from sim.last_answer(%s, %s)",
            (msisdn.e164, now - dt.timedelta(seconds=SIM_ANSWER_S)),
        )
        if rows:
            return Changed(rows[0]["changed_at"]) if rows[0]["changed"] else NotChanged()
        answer = self._asked.changed_since(msisdn, hours)
        if not isinstance(answer, Unknown):
            at = answer.at if isinstance(answer, Changed) else None
            self._database.call(
                "select sim.remember(%s, %s, %s, %s)",
                (msisdn.e164, isinstance(answer, Changed), at, now),
            )
        return answer
