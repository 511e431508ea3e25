"""What a member agreed to: each yes and no is kept, the last one holds."""

from __future__ import annotations

import datetime as dt

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.db.pool import Database
from gateway.values.consent import GIVEN_AT_FIRST, Consent, Purpose
from gateway.values.outcome import Done, Outcome


class Consents:
    """The register of consents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def given(self, member_ref: str, purpose: Purpose) -> bool:
        """Whether a member agrees now."""
        row = self._database.row("select bank.agreed(%s, %s) as given", (member_ref, purpose.value))
        return GIVEN_AT_FIRST[purpose] if row["given"] is None else bool(row["given"])

    def keep(self, member_ref: str, consent: Consent, now: dt.datetime) -> None:
        """From now on this holds."""
        self._database.call(
            "select bank.agree(%s, %s, %s, %s, %s, %s, %s)",
            (
                member_ref,
                consent.purpose.value,
                consent.given,
                consent.channel,
                consent.text_version,
                consent.language,
                now,
            ),
        )


def _read_by_sms(desk: Desk, request: Request) -> Outcome:
    """Whether balance and movements are told to whoever texts from the member's phone."""
    consent = Consent(
        purpose=Purpose.READING,
        given=request.text("wish") == "allow",
        channel=request.origin.channel,
        text_version=request.book,
        language=request.language,
    )
    desk.consents.keep(request.member.ref, consent, request.now)
    return Done({"allowed": consent.given})


OPERATIONS = (
    Operation(
        name="consents.read_by_sms",
        perform=_read_by_sms,
        takes={"wish": "allow|deny"},
        gives={"allowed": "flag"},
        needs_pin=True,
    ),
)
