"""The words of what is sent: a fact and a member in, an SMS in their language out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from gateway.bank.register import Members
from gateway.library.port import Books
from gateway.notices.outbox import ANSWER, Fact
from gateway.notices.senders import Never, Sms
from gateway.values.consent import Purpose
from gateway.values.gsm import plain
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Day, Value

LEFT_UNFINISHED = "left_unfinished"  # the fact that a screen may tell in an SMS's place
CAMPAIGN = "campaign"  # the fact that the core's staff wrote a text: its words came with it
# Facts that a member may not want to be told, and what they would have to agree to.
_WANTED = {
    "instalment_due": Purpose.REMINDERS,
    "core_credit": Purpose.MOVEMENTS,
    "core_debit": Purpose.MOVEMENTS,
    "core_loan": Purpose.MOVEMENTS,
}
CAN_WAIT = frozenset({"instalment_due", CAMPAIGN})  # until the morning


class Receipts:
    """Composes receipts from the current book and the register.

    Args:
        books: the `receipts:` of the current one are the texts.
        members: where to send, and the names of others.
        timezone: of the dates in a text.
        now: the clock, aware.
        ordered_since: whether a member has given an order since then.
        wanted: whether a member agrees to messages of a kind.
    """

    def __init__(
        self,
        books: Books,
        members: Members,
        timezone: ZoneInfo,
        now: Callable[[], dt.datetime],
        ordered_since: Callable[[str, dt.datetime], bool],
        wanted: Callable[[str, Purpose], bool],
    ) -> None:
        self._books = books
        self._members = members
        self._timezone = timezone
        self._now = now
        self._ordered_since = ordered_since
        self._wanted = wanted

    def compose(self, fact: Fact) -> Sms | Never | None:
        """The message, or why there can be none; None where it would be no help any more."""
        if self._of_no_use(fact):
            return None
        if fact.name == ANSWER:
            if self._of_another(fact):
                return None
            return Sms(Msisdn(fact.detail["msisdn"]), fact.detail["text"])
        if fact.name == CAMPAIGN:
            return self._campaign(fact)
        wish = _WANTED.get(fact.name)
        if wish and not self._wanted(fact.member_ref, wish):
            return None
        addressee = self._members.addressee(fact.member_ref)
        if addressee is None:
            return Never("the member has no phone here")
        book = self._books.current
        receipt = book.receipts.get(fact.name)
        if receipt is None:
            return Never(f"the menus have no receipt for {fact.name}")
        text = receipt.text(self._values(fact), addressee.language, book.words)
        return Sms(addressee.msisdn, plain(text), offers=fact.name == LEFT_UNFINISHED)

    def _campaign(self, fact: Fact) -> Sms | None:
        """To whoever it was written to, while they are that and agree."""
        if self._of_another(fact):
            return None
        if not self._wanted(fact.member_ref, Purpose(fact.detail["purpose"])):
            return None
        return Sms(Msisdn(fact.detail["msisdn"]), fact.detail["text"])

    def _of_no_use(self, fact: Fact) -> bool:
        """Whether a message would only puzzle: it comes too late, or the member went on by
        themselves."""
        forgotten_at = fact.detail.get("forgotten_at")
        if forgotten_at and self._now() > dt.datetime.fromisoformat(forgotten_at):
            return True
        return fact.name == "left_unfinished" and self._ordered_since(fact.member_ref, fact.at)

    def _of_another(self, fact: Fact) -> bool:
        """Whether an answer to a member's text would reach who has their number now."""
        if not fact.member_ref:
            return False
        addressee = self._members.addressee(fact.member_ref)
        return addressee is None or addressee.msisdn.e164 != fact.detail["msisdn"]

    def _values(self, fact: Fact) -> dict[str, Value]:
        """What a receipt's text may name: each `…_centimos` as money, the party by its short
        name."""
        values: dict[str, Value] = {
            "day": Day(fact.at.astimezone(self._timezone).date()),
        }
        for name, value in fact.detail.items():
            if name.endswith("_centimos") and value is not None:
                values[name.removesuffix("_centimos")] = Money(value)
            elif name.endswith("_on"):
                values[name] = Day(dt.date.fromisoformat(value))
            elif isinstance(value, str | bool):
                values[name] = value
        party = str(fact.detail.get("party_ref", ""))
        values["party"] = self._members.short_names([party]).get(party, "") if party else ""
        return values
