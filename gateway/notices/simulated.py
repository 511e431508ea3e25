"""The demo's network: a phone's inbox is rows in PostgreSQL."""

from __future__ import annotations

import datetime as dt
from typing import TypedDict

from gateway.bounds import SIMULATED_INBOX_MAX
from gateway.db.pool import Database
from gateway.notices.segments import segments
from gateway.notices.senders import Limits, Sent, Sms
from gateway.values.msisdn import Msisdn

# `from` is a keyword of Python and a key of the contract.
InboxSms = TypedDict("InboxSms", {"at": str, "from": str, "text": str})


class SimulatedNetwork:
    """A `Sender` that delivers at once and never fails, as long as PostgreSQL is there.

    Args:
        sender: the short code or name that the messages come from.
    """

    def __init__(self, database: Database, sender: str) -> None:
        self._database = database
        self._sender = sender

    name = "simulated"
    limits = Limits(per_second=1_000, segments_max=10)

    def send(self, sms: Sms) -> Sent:
        """Put the message into the phone's inbox."""
        row = self._database.row(
            "select notices.simulated_deliver(%s, %s, %s) as id",
            (sms.to.e164, self._sender, sms.text),
        )
        return Sent(f"simulated-{row['id']}", self.name, segments(sms.text))

    def inbox(self, msisdn: Msisdn) -> list[InboxSms]:
        """A phone's latest `SIMULATED_INBOX_MAX` messages, oldest first. `at`: ISO 8601, UTC."""
        rows = self._database.call(
            "select * from notices.simulated_inbox(%s, %s)", (msisdn.e164, SIMULATED_INBOX_MAX)
        )
        return [{"at": _iso(row["at"]), "from": row["sender"], "text": row["text"]} for row in rows]


def _iso(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds")
