"""Whoever lost the signal before the end gets one SMS that says how to go on."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from gateway.bank.register import Members
from gateway.bounds import GO_ON_SMS_QUIET_S, SWEEP_ROWS
from gateway.conversation import Library
from gateway.dialog import state as states
from gateway.dialog.display import Display
from gateway.dialog.drafts import still_good
from gateway.dialog.state import Draft
from gateway.instructions.orders import Instructions
from gateway.notices.outbox import Outbox
from gateway.sessions.port import Abandoned, Sessions


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Looks for money orders that were begun in sessions which are over.

    An SMS costs money, and too many of them are no help: there is one for a session at the most,
    one an hour for a member, none for who has dialled again or has only looked at a balance, and
    none once the draft is gone. It does not say that nothing was done: while it is on its way its
    reader may have dialled, and be done.

    Args:
        sessions: what was left, by whom.
        library: how it is called.
        members: whom to write to, in which language.
        orders: what was given after all needs no reminder.
        outbox: takes the fact.
        short_code: what to dial.
    """

    sessions: Sessions
    library: Library
    members: Members
    orders: Instructions
    outbox: Outbox
    short_code: str

    def remind(self) -> int:
        """Have those reminded who are due; answers how many.

        Raises:
            SessionsUnavailableError, DatabaseUnavailableError: whoever was looked at meanwhile is
                not reminded.
        """
        return sum(self._reminded(each) for each in self.sessions.abandoned(SWEEP_ROWS))

    def _reminded(self, abandoned: Abandoned) -> bool:
        draft = states.decode_left(abandoned.draft, abandoned.member_ref).draft
        addressee = self.members.addressee(abandoned.member_ref)
        if addressee is None or draft is None or self._given(draft, abandoned):
            return False
        what = self._named(draft, addressee.language)
        forgotten_at = dt.datetime.fromtimestamp(abandoned.forgotten_at_ms / 1000, dt.UTC)
        return bool(what) and self.outbox.left_unfinished(
            abandoned.session,
            abandoned.member_ref,
            what,
            self.short_code,
            forgotten_at,
            GO_ON_SMS_QUIET_S,
        )

    def _given(self, draft: Draft, abandoned: Abandoned) -> bool:
        """Whether the draft's order came to the bank: its own messages tell of it."""
        if draft.key is None:
            return False
        return self.orders.became(uuid.UUID(draft.key), abandoned.member_ref) is not None

    def _named(self, draft: Draft, language: str) -> str:
        """How a dial will call it now; empty where the menus no longer know it."""
        book = self.library.current
        good = still_good(book, draft)
        return Display(book, self.library.screen_septets).called(good, language) if good else ""
