"""The outbox, as the drain and the metrics see it. Its rows are written by other rooms' SQL, in the
transaction that makes the fact true, through `notices.tell`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.bounds import (
    EARLY_REPORT_S,
    FORGET_ROWS,
    NOTICE_PATIENCE_S,
    OUTBOX_ATTEMPTS_MAX,
    REASON_CHARS_MAX,
)
from gateway.db.pool import Database
from gateway.notices.senders import Sent

ANSWER = "answer"  # the fact that a member texted: its words were found when it was read


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, to whom, and when it became true. Amounts in `detail` are céntimos.

    `name` is one of
    `transfer_sent`, `transfer_received` (amount_centimos, tax_centimos, reference, party_ref),
    `transfer_own`,
    `loan_paid` (amount_centimos, reference, owed_centimos),
    `order_refused` (code, operation, amount_centimos),
    `order_reversed` (amount_centimos, original, reference),
    `transfer_taken_back` (amount_centimos, reference, party_ref),
    `answer` (text, msisdn; forgotten_at),
    `campaign` (text, msisdn, purpose; forgotten_at),
    `core_credit`, `core_debit`, `core_loan` (amount_centimos, name, done_on, reference),
    `instalment_due` (name, amount_centimos, due_on, late, today, code; forgotten_at),
    `left_unfinished` (what, code; forgotten_at: from when on it is no help, ISO 8601).
    """

    name: str
    member_ref: str
    detail: Mapping[str, Any] = field(repr=False)
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One attempt to tell a fact.

    Args:
        id: the row's.
        attempt: counts from 1 and is the fencing token: a mark that names an older attempt changes
            nothing.
        fact: what there is to tell.
        tries: of the attempts since it was told, or requeued by staff, those in which somebody may
            have taken it, this one included.
        put_back: those of them in which certainly nobody did.
    """

    id: int
    attempt: int
    fact: Fact
    tries: int
    put_back: int

    @property
    def reference(self) -> str:
        """Our name of the message at a provider: the same at each attempt, and no other message's,
        not even one of an earlier database's."""
        return f"{self.id}-{int(self.fact.at.timestamp() * 1000):x}"


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
                row["tries"],
                row["put_back"],
            )
            for row in claimed
        ]

    def sent(self, notice: Notice, sent: Sent) -> bool:
        """A provider took it: by which name it will report, how many segments, at what price."""
        cost = sent.cost
        return self._mark(
            "sent(%s, %s, %s, %s, %s, %s, %s)",
            (
                notice.id,
                notice.attempt,
                sent.sender,
                sent.provider_id,
                sent.segments,
                cost.micros if cost else None,
                cost.currency if cost else None,
            ),
        )

    def quiet(self, notice: Notice) -> bool:
        """It is a fact that is told to nobody."""
        return self._mark("quiet(%s, %s)", (notice.id, notice.attempt))

    def opted_out(self, notice: Notice, sender: str, reason: str) -> bool:
        """The member told this sender to send nothing more: it is told to nobody, and `opt_outs`
        knows."""
        told = reason[:REASON_CHARS_MAX]
        return self._mark("opted_out(%s, %s, %s, %s)", (notice.id, notice.attempt, sender, told))

    def retry(self, notice: Notice, delay_s: float, reason: str) -> bool:
        """It is due again in `delay_s` seconds, and has one try less."""
        told = reason[:REASON_CHARS_MAX]
        return self._mark("retry(%s, %s, %s, %s)", (notice.id, notice.attempt, delay_s, told))

    def put_back(self, notice: Notice, delay_s: float, reason: str) -> bool:
        """Certainly nobody took it: it is due again in `delay_s` seconds, and loses no try.

        What nobody takes for `NOTICE_PATIENCE_S` seconds is given up.
        """
        told = reason[:REASON_CHARS_MAX]
        return self._mark(
            "put_back(%s, %s, %s, %s, %s)",
            (notice.id, notice.attempt, delay_s, told, NOTICE_PATIENCE_S),
        )

    def dead(self, notice: Notice, reason: str) -> bool:
        """It is given up; a person may look at it."""
        told = reason[:REASON_CHARS_MAX]
        return self._mark("dead(%s, %s, %s)", (notice.id, notice.attempt, told))

    def opt_outs(self, member_ref: str) -> dict[str, dt.datetime]:
        """Which senders the member told to send nothing more, and when we learned it."""
        rows = self._database.call("select * from notices.opt_outs_of(%s)", (member_ref,))
        return {row["sender"]: row["opted_out_at"] for row in rows}

    def opted_in(self, member_ref: str, sender: str) -> bool:
        """The member told this sender to begin again. Answers whether they had stopped it."""
        return self._mark("opted_in(%s, %s)", (member_ref, sender))

    def forget(self, told_before: dt.datetime, now: dt.datetime) -> int:
        """Forget the details of up to `FORGET_ROWS` facts that were told before then, and as many
        reports that nobody waits for any more. Answers how many: 0 when nothing is left."""
        reports_before = now - dt.timedelta(seconds=EARLY_REPORT_S)
        return int(
            self._database.row(
                "select notices.forget(%s, %s) + notices.forget_reports(%s, %s) as forgotten",
                (told_before, FORGET_ROWS, reports_before, FORGET_ROWS),
            )["forgotten"]
        )

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
