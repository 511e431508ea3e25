"""The outbox, as the drain and the metrics see it. Its rows are written by other rooms' SQL, in the
transaction that makes the fact true, through `notices.tell`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.bounds import OUTBOX_ATTEMPTS_MAX, REASON_CHARS_MAX
from gateway.db.pool import Database


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, to whom, and when it became true. Amounts in `detail` are céntimos.

    `name` is one of
    `transfer_sent`, `transfer_received` (amount_centimos, tax_centimos, reference, party_ref),
    `transfer_own`,
    `loan_paid` (amount_centimos, reference, owed_centimos),
    `order_refused` (code, operation, amount_centimos),
    `left_unfinished` (what, code; forgotten_at: from when on it is no help, ISO 8601).
    """

    name: str
    member_ref: str
    detail: Mapping[str, Any] = field(repr=False)
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One attempt to tell a fact. `attempt` counts from 1 and is the fencing token: a mark that
    names an older attempt changes nothing."""

    id: int
    attempt: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class OutboxState:
    """`waiting`: rows not settled. `oldest_due_s`: seconds that the most overdue one has been due.
    `dead`: rows that need a person."""

    waiting: int
    oldest_due_s: float
    dead: int


class Outbox:
    """The functions of `notices` in PostgreSQL. Each call raises `DatabaseUnavailableError` when
    PostgreSQL is away.

    Each mark answers whether it counted: False means that the lease ended and another drain has
    taken the row since.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, rows: int, lease_s: float) -> list[Notice]:
        """Take up to `rows` that are due, for `lease_s` seconds; then they are due again.

        If the answer is lost on the way, the rows wait for the end of the lease.
        """
        claimed = self._database.call(
            "select * from notices.claim(%s, %s, %s)", (rows, lease_s, OUTBOX_ATTEMPTS_MAX)
        )
        return [
            Notice(
                row["id"],
                row["attempt"],
                Fact(row["fact"], row["member_ref"], row["detail"], row["created_at"]),
            )
            for row in claimed
        ]

    def sent(self, notice: Notice, provider_id: str) -> bool:
        """A provider took it."""
        return self._mark("sent(%s, %s, %s)", (notice.id, notice.attempt, provider_id))

    def quiet(self, notice: Notice) -> bool:
        """It is a fact that is told to nobody."""
        return self._mark("quiet(%s, %s)", (notice.id, notice.attempt))

    def retry(self, notice: Notice, delay_s: float, reason: str) -> bool:
        """It is due again in `delay_s` seconds."""
        told = reason[:REASON_CHARS_MAX]
        return self._mark("retry(%s, %s, %s, %s)", (notice.id, notice.attempt, delay_s, told))

    def dead(self, notice: Notice, reason: str) -> bool:
        """It is given up; a person may look at it."""
        told = reason[:REASON_CHARS_MAX]
        return self._mark("dead(%s, %s, %s)", (notice.id, notice.attempt, told))

    def left_unfinished(
        self,
        session: str,
        member_ref: str,
        what: str,
        code: str,
        forgotten_at: dt.datetime,
        quiet_s: float,
    ) -> bool:
        """The fact that a member left something unfinished, to be told once at the most.

        Args:
            session: names the session: there is never a second message about it.
            what: how it is called, in the member's language.
            code: what to dial.
            forgotten_at: when a dial no longer finds it, and the message is no help any more.
            quiet_s: for how long after such a message the member gets no other.
        """
        return bool(
            self._database.row(
                "select notices.left_unfinished(%s, %s, %s, %s, %s, %s) as told",
                (session, member_ref, what, code, forgotten_at, quiet_s),
            )["told"]
        )

    def state(self) -> OutboxState:
        """The figures for the metrics."""
        return OutboxState(**self._database.row("select * from notices.state()"))

    def _mark(self, function: str, params: tuple[object, ...]) -> bool:
        return bool(self._database.row(f"select notices.{function} as counted", params)["counted"])
