"""What the networks say of the messages that they took."""

from __future__ import annotations

from gateway.bounds import REASON_CHARS_MAX
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.notices.watching import UNWATCHED, Watch
from gateway.values.delivery import Report


class Reports:
    """Ties each report to its message, by the names of the sender and of the message there.

    A report never takes back what a later one said: only a higher rank counts, and of two final
    ones the first stays. So reports may be repeated and come in any order. One that comes before
    its message was marked as sent waits for it, `EARLY_REPORT_S` at the most; so does one of a
    message that was never ours, and is forgotten then.
    """

    def __init__(self, database: Database, watch: Watch = UNWATCHED) -> None:
        self._database = database
        self._watch = watch

    def apply(self, report: Report) -> bool:
        """Keep a report. Answers False when PostgreSQL is away: the provider shall say it again."""
        try:
            new = self._database.row(
                "select notices.reported(%s, %s, %s, %s::smallint, %s, %s) as new",
                (
                    report.sender,
                    report.provider_id,
                    report.state.label,
                    report.state.rank,
                    report.reason[:REASON_CHARS_MAX],
                    report.opted_out,
                ),
            )["new"]
        except DatabaseUnavailableError:
            return False
        if new:
            self._watch.reported(report.sender, report.state.label)
        return True
