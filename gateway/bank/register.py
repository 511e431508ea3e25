"""Whose phone is it, and which language do they read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.db.pool import Database, Row
from gateway.values.member import MemberView
from gateway.values.msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class Addressee:
    """Where and how to write to a member."""

    msisdn: Msisdn
    language: str
    short_name: str


class Members:
    """The register that binds a phone to a member."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_msisdn(self, msisdn: Msisdn) -> MemberView | None:
        """The member whose phone this is."""
        rows = self._database.call("select * from bank.member_by_msisdn(%s)", (msisdn.e164,))
        return _member(rows[0]) if rows else None

    def caller(self, msisdn: Msisdn, since: dt.datetime) -> tuple[MemberView | None, bool]:
        """The member whose phone this is, and whether they have given any order since then: what
        every dial asks, in one round trip."""
        rows = self._database.call(
            "select m.*, instructions.ordered_since(m.member_ref, %s) as has_ordered"
            " from bank.member_by_msisdn(%s) as m",
            (since, msisdn.e164),
        )
        return (_member(rows[0]), rows[0]["has_ordered"]) if rows else (None, False)

    def addressee(self, member_ref: str) -> Addressee | None:
        """How to reach a member, if we can at all."""
        rows = self._database.call("select * from bank.member_by_ref(%s)", (member_ref,))
        if not rows or rows[0]["msisdn"] is None:
            return None
        (row,) = rows
        return Addressee(Msisdn(row["msisdn"]), row["language"], row["short_name"])

    def short_names(self, member_refs: Sequence[str]) -> dict[str, str]:
        """What others see of these members, by their `member_ref`. Who is not registered is left
        out."""
        rows = self._database.call("select * from bank.short_names(%s)", (list(member_refs),))
        return {row["member_ref"]: row["short_name"] for row in rows}

    def set_language(self, member_ref: str, language: str) -> None:
        """From now on we write to them in this language (ISO 639)."""
        self._database.call("select bank.set_language(%s, %s)", (member_ref, language))


def _member(row: Row) -> MemberView:
    return MemberView(
        ref=row["member_ref"],
        first_name=row["first_name"],
        short_name=row["short_name"],
        language=row["language"],
        enrolled=row["enrolled"],
        district=row["district"],
    )
