"""Reads the truth out of PostgreSQL, as an auditor who may see every table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from gateway.db.pool import Database
from gateway.embedded import Endpoints
from gateway.ledger.postgres.adapter import PostgresLedger
from tests.chaos.core_process import CoreProcess
from tests.chaos.verdict import Books, Movement, Sms

_SAVINGS = """
select coalesce(sum(b.balance_centimos), 0)::bigint as centimos
from ledger.balance as b join ledger.account as a on a.id = b.account_id
where a.kind = 'savings'
"""
_MOVEMENTS = """
select
    d.id::text as reference, s.member_ref as sender_ref,
    case when d.kind = 'transfer' then t.member_ref else '' end as receiver_ref,
    d.amount_centimos, extract(epoch from d.decided_at)::double precision as at
from ledger.decision as d
join ledger.account as s on s.code = d.source
join ledger.account as t on t.code = d.target
where d.refusal is null and d.kind <> 'opening'
order by d.id
"""
_UNSETTLED = """
select count(*) as n from instructions.instruction
where state not in ('posted', 'refused', 'closed')
"""
_UNSENT = "select count(*) as n from notices.outbox where state in ('waiting', 'sending')"
_GIVEN_UP = "select count(*) as n from notices.outbox where state = 'dead'"
_GIVEN = """
select i.reference, extract(epoch from i.accepted_at)::double precision
from instructions.instruction as i where i.reference is not null
"""
_INBOXES = """
select msisdn, extract(epoch from at)::double precision, text
from notices.simulated_sms order by id
"""


@dataclass(frozen=True, slots=True)
class Auditor:
    """Looks into the books of a house that is up.

    Args:
        endpoints: of its servers.
        savings_before: the sum of all savings before the storm, céntimos.
        core: the Fineract that has the money; None: the own ledger has it.
    """

    endpoints: Endpoints
    savings_before: int = 0
    core: CoreProcess | None = None

    def savings(self) -> int:
        """The sum of all savings now, céntimos."""
        return self.core.savings() if self.core else self._count(_SAVINGS)

    def unfinished(self) -> tuple[int, int]:
        """Orders without an end, and notices that are not out."""
        return self._count(_UNSETTLED), self._count(_UNSENT)

    def books(self) -> Books:
        """All that the verdict asks."""
        with Database(self.endpoints.app_url, size_max=2, patient=True) as database:
            database.open()
            verified = PostgresLedger(database).verify()
        differing = [str(account) for account in verified["differing"]]
        if not verified["ok"]:
            differing.append("ledger verify does not say ok")
        unsettled, unsent = self.unfinished()
        return Books(
            differing=differing,
            sum_centimos=verified["sum_centimos"],
            savings_before=self.savings_before,
            savings_after=self.savings(),
            movements=self._movements(),
            unsettled=unsettled,
            unsent=unsent,
            given_up=self._count(_GIVEN_UP),
            inboxes=self._inboxes(),
            taxed=self.core is None,
        )

    def _movements(self) -> Sequence[Movement]:
        if self.core:
            given = {str(row[0]): float(row[1]) for row in self._rows(_GIVEN)}
            return [
                replace(one, given_at=given.get(one.reference)) for one in self.core.movements()
            ]
        return [Movement(*row) for row in self._rows(_MOVEMENTS)]

    def _inboxes(self) -> dict[str, list[Sms]]:
        inboxes: defaultdict[str, list[Sms]] = defaultdict(list)
        for msisdn, at, text in self._rows(_INBOXES):
            inboxes[msisdn].append(Sms(at, text))
        return dict(inboxes)

    def _count(self, query: str) -> int:
        ((number,),) = self._rows(query)
        return int(number)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.endpoints.owner_url) as owner:
            return [tuple(row) for row in owner.execute(query.encode())]
