"""What a hop, a text or a notice is, as events: the one place that says which of them are recorded,
and that makes hashes of whom they are about."""

from __future__ import annotations

import hashlib
import re

from gateway.events.kinds import (
    MemberActivated,
    NoticeSettled,
    OperationEnded,
    SessionBegan,
    SessionEnded,
    StepReached,
    band,
)
from gateway.events.recorder import NOWHERE, Events
from gateway.values.member import MemberView
from gateway.values.money import Money
from gateway.values.outcome import Values
from gateway.values.turn import Origin, Reply

# Replies that tell nothing new of a session: a copy of a hop, a text that came before.
_NOTHING_NEW = frozenset({"repeat", "too_many"})
# Why a session could not go on, in fewer words than the log has.
_CAUSES = {
    "SessionsUnavailableError": "store_away",
    "DatabaseUnavailableError": "store_away",
    "still_under_way": "slow",
    "too_fast": "crowded",
    "crowded": "crowded",
    "fault": "fault",
    "expired": "too_late",
}
_OVER = "over"
_ACTIVATES = "enrolment.activate"
_NETWORK = re.compile(r"[0-9]{5,6}")  # MCC and MNC; Africa's Talking's sandbox says 99999


class Witness:
    """Turns what happens into events.

    Args:
        events: where they go.
        key: of the hashes. Whoever lacks it cannot tell whose they are.
    """

    def __init__(self, events: Events, key: bytes) -> None:
        self._events = events
        self._key = hashlib.blake2b(key, person=b"chaski events").digest()

    def began(self, origin: Origin, network: str, member: MemberView | None) -> None:
        """Somebody is there, and we know whether they are a member."""
        self._events.record(
            SessionBegan(
                session=self.session(origin.channel, origin.account, origin.session_id),
                member=self.member(member.ref) if member else 0,
                channel=origin.channel,
                network=network if _NETWORK.fullmatch(network) else "",
                language=member.language if member else "",
                district=member.district if member else "",
            )
        )

    def answered(self, origin: Origin, reply: Reply) -> None:
        """A hop or a text was answered."""
        if reply.outcome in _NOTHING_NEW:
            return
        session = self.session(origin.channel, origin.account, origin.session_id)
        journey, _, step = reply.screen.partition("/")
        if step:
            self._events.record(StepReached(session, origin.channel, journey, step, reply.misread))
        if reply.ends:
            said = bool(step) or reply.screen == "sms"
            ended, cause = ("finished", "") if said else ("failed", _cause(reply.outcome))
            self._events.record(SessionEnded(session, origin.channel, ended, cause))

    def operated(
        self, origin: Origin, operation: str, outcome: str, journey: str, values: Values
    ) -> None:
        """The bank answered. `journey`: the one that the operation carries out, or empty."""
        amount = values.get("amount")
        about = band(amount) if isinstance(amount, Money) else ""
        session = self.session(origin.channel, origin.account, origin.session_id)
        self._events.record(
            OperationEnded(session, origin.channel, operation, outcome, journey, about)
        )

    def activated(self, origin: Origin, operation: str, outcome: str, member: MemberView) -> None:
        """The bank answered; it may have been somebody's first PIN."""
        if operation == _ACTIVATES and outcome == "done":
            self._events.record(MemberActivated(origin.channel, member.language, member.district))

    def hung_up(self, channel: str, account: str, session_id: str, status: str) -> None:
        """The network says that a session is over."""
        session = self.session(channel, account, session_id)
        self._events.record(SessionEnded(session, channel, "left", status))

    def settled(self, notice: str, outcome: str, segments: int) -> None:
        """A notice came to an end."""
        self._events.record(NoticeSettled(notice, outcome, segments))

    def session(self, channel: str, account: str, session_id: str) -> int:
        """A session's hash."""
        return self._hashed("\0".join((channel, account, session_id)), b"session")

    def member(self, ref: str) -> int:
        """A member's hash."""
        return self._hashed(ref, b"member")

    def _hashed(self, text: str, use: bytes) -> int:
        """63 bits: a bigint that is not negative, and of 40,000 members no two share one."""
        named = hashlib.blake2b(text.encode(), key=self._key, person=use, digest_size=8).digest()
        return int.from_bytes(named) >> 1


def _cause(outcome: str) -> str:
    return _CAUSES.get(outcome, "restart")


UNSEEN = Witness(NOWHERE, b"of nobody")
