"""What the core last said of a member's accounts, for when it says nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from gateway.bounds import KNOWN_AGAIN_S
from gateway.db.pool import Database
from gateway.ledger.port import Account, AccountKind
from gateway.values.money import Money


class KnownAccounts:
    """The register of it, in PostgreSQL. Each call raises `DatabaseUnavailableError` when that is
    away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, member_ref: str, accounts: Sequence[Account], as_of: dt.datetime) -> None:
        """Keep what a core has just said. Where it says the same as a moment ago, nothing is
        written: then what is kept is a minute older than it could be, never newer."""
        self._database.call(
            "select core.remember(%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                member_ref,
                [one.code for one in accounts],
                [one.kind.value for one in accounts],
                [one.name for one in accounts],
                [one.balance.centimos for one in accounts],
                [one.available.centimos for one in accounts],
                as_of,
                as_of - dt.timedelta(seconds=KNOWN_AGAIN_S),
            ),
        )

    def of(self, member_ref: str) -> tuple[Account, ...] | None:
        """A member's accounts as they were last seen, each with its `as_of`; None where they never
        were."""
        rows = self._database.call("select * from core.known_of(%s)", (member_ref,))
        if not rows:
            return None
        return tuple(
            Account(
                code=row["code"],
                kind=AccountKind(row["kind"]),
                name=row["name"],
                balance=Money(row["balance_centimos"]),
                available=Money(row["available_centimos"]),
                as_of=row["as_of"],
            )
            for row in rows
            if row["code"] is not None
        )
