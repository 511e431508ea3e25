"""What the invented members do in three months: told day by day, the same for the same seed.

The rhythm is that of coffee country: more in the harvest (April to September), on market days and
on paydays; some days a network fails in a department; the programme brings new members all along.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from gateway.demo.life.people import Invented, invent
from gateway.events.kinds import (
    Event,
    MemberActivated,
    NoticeSettled,
    OperationEnded,
    SessionBegan,
    SessionEnded,
    StepReached,
    band,
)
from gateway.events.witness import Witness
from gateway.values.money import Money

MEMBERS = 2_000
DAYS = 91  # up to yesterday
_LIMA = ZoneInfo("America/Lima")
_HARVEST = {4: 1.2, 5: 1.5, 6: 1.7, 7: 1.7, 8: 1.5, 9: 1.3, 10: 1.1}
_HOURS = (1, 3, 6, 7, 6, 5, 6, 5, 4, 4, 5, 6, 8, 9, 6, 3)  # from six in the morning
_REPAYMENT_EVERY_DAYS = 30
_LOAN_INSTALMENT = 118_00  # about; what is paid is the schedule's

# The ways that sessions go: how often of a hundred, the steps, the operation at the end.
_WAYS: dict[str, tuple[int, tuple[str, ...], str]] = {
    "balance": (42, ("balance/confirm",), "accounts.balance"),
    "movements": (12, ("movements/confirm",), "accounts.movements"),
    "send": (34, ("send/payee", "send/amount", "send/confirm"), "transfers.send"),
    "owed": (6, ("owed/confirm",), "loans.owed"),
    "limits": (3, ("limits/confirm",), "limits.mine"),
    "call_me": (3, (), "calls.ask"),
}
_PAY = (("pay/how", "pay/confirm"), "loans.pay")
_ENROL = (
    ("enrol/dni", "enrol/proof", "enrol/consent", "enrol/new_pin", "enrol/confirm"),
    "enrolment.activate",
)
# Of a hundred, how many are lost at a step: people who are asked for a number look for it.
_LOST = {"send/payee": 7, "send/amount": 4, "enrol/proof": 9, "enrol/dni": 5}
_LOST_ELSEWHERE = 2
_ONLY_LOOKS = 0.03  # of the sessions


@dataclass(frozen=True, slots=True)
class Order:
    """A money order. `payee` is the member where it repays a loan: it is theirs."""

    key: uuid.UUID
    at: dt.datetime
    day: dt.date
    operation: str
    member: Invented
    payee: Invented
    centimos: int
    channel: str
    refusal: str = ""

    @property
    def repays(self) -> bool:
        return self.operation == "loans.pay"


@dataclass(frozen=True, slots=True)
class Deposit:
    """The cooperative pays for coffee, at the counter."""

    key: uuid.UUID
    at: dt.datetime
    day: dt.date
    member: Invented
    centimos: int


@dataclass(slots=True)
class Story:
    """All of it."""

    people: list[Invented]
    events: list[tuple[dt.datetime, Event]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    activated: list[tuple[Invented, dt.datetime]] = field(default_factory=list)


def tell(seed: int, last_day: dt.date, witness: Witness, members: int = MEMBERS) -> Story:
    """Three months that end with this day."""
    # Chance must come out the same each time; it guards nothing.
    dice = random.Random(seed)  # noqa: S311 # nosec B311
    first_day = last_day - dt.timedelta(days=DAYS - 1)
    people = [invent(dice, number, members, first_day, DAYS) for number in range(members)]
    story = Story(people)
    teller = _Teller(dice, witness, story)
    failures = {
        (first_day + dt.timedelta(days=dice.randrange(DAYS)), place)
        for place in ("Cajamarca", "Piura", "Cajamarca", "Amazonas")
    }
    for number in range(DAYS):
        day = first_day + dt.timedelta(days=number)
        for at, member in _callers(dice, people, day):
            teller.calls(member, at, day, failing=(day, member.district.department) in failures)
    return story


def _callers(
    dice: random.Random, people: list[Invented], day: dt.date
) -> list[tuple[dt.datetime, Invented]]:
    """Who dials on a day, and when, in that order."""
    rhythm = _rhythm(day)
    found = [
        (_moment(dice, day), member)
        for member in people
        if member.since
        and (
            member.since == day
            or (member.since < day and dice.random() < min(member.zeal * rhythm, 0.95))
        )
    ]
    return sorted(found, key=lambda call: call[0])


def _rhythm(day: dt.date) -> float:
    market = 1.5 if day.weekday() in (5, 6) else 1.0
    payday = 1.7 if day.day in (15, 16, 30, 31) else 1.0
    return _HARVEST.get(day.month, 0.8) * market * payday


def _moment(dice: random.Random, day: dt.date) -> dt.datetime:
    hour = 6 + dice.choices(range(len(_HOURS)), _HOURS)[0]
    local = dt.datetime.combine(day, dt.time(hour), _LIMA)
    return (local + dt.timedelta(seconds=dice.randrange(3600))).astimezone(dt.UTC)


class _Teller:
    """Tells one call after the other."""

    def __init__(self, dice: random.Random, witness: Witness, story: Story) -> None:
        self._dice, self._witness, self._story = dice, witness, story
        self._calls = 0
        self._paid_on: dict[str, dt.date] = {}
        self._at = dt.datetime.min.replace(tzinfo=dt.UTC)

    def calls(self, member: Invented, at: dt.datetime, day: dt.date, *, failing: bool) -> None:
        """One session, from the dial to its end."""
        dice = self._dice
        if dice.random() < 0.02:
            self._earns(member, at, day)
        self._calls += 1
        self._at = at
        channel = dice.choices(("africastalking", "infobip", "sms"), (85, 10, 5))[0]
        new = member.since == day
        channel = "africastalking" if new and channel == "sms" else channel
        session = self._witness.session(channel, "life", f"life-{self._calls}")
        self._began(session, channel, member)
        journey, steps, operation = self._way(member, day, channel, new=new)
        if channel != "sms":
            if not new:
                self._note(StepReached(session, channel, "home", "menu", misread=False))
            if not new and self._dice.random() < _ONLY_LOOKS:
                return
            if not self._goes_through(session, channel, steps, failing=failing):
                if new:
                    member.since = day + dt.timedelta(days=1)  # they try again tomorrow
                return
        self._does(session, channel, member, day, journey, operation)

    def _earns(self, member: Invented, at: dt.datetime, day: dt.date) -> None:
        centimos = self._dice.randrange(80, 900) * 100
        member.centimos += centimos
        deposit = Deposit(self._key(), at, day, member, centimos)
        self._story.deposits.append(deposit)

    def _began(self, session: int, channel: str, member: Invented) -> None:
        network = member.network if channel == "africastalking" else ""
        who = self._witness.member(member.ref)
        place = member.district.code
        self._note(SessionBegan(session, who, channel, network, member.language, place))

    def _way(
        self, member: Invented, day: dt.date, channel: str, *, new: bool
    ) -> tuple[str, tuple[str, ...], str]:
        if new:
            return ("enrol", *_ENROL)
        if channel == "sms":
            return "balance", (), "accounts.balance"
        if member.borrower and self._owes(member, day):
            return ("pay", *_PAY)
        journey = self._dice.choices(tuple(_WAYS), [often for often, _, _ in _WAYS.values()])[0]
        _, steps, operation = _WAYS[journey]
        return journey, steps, operation

    def _owes(self, member: Invented, day: dt.date) -> bool:
        since = self._paid_on.get(member.ref, dt.date.min)
        fresh = since > day - dt.timedelta(days=_REPAYMENT_EVERY_DAYS)
        return not fresh and member.centimos > 2 * _LOAN_INSTALMENT

    def _goes_through(
        self, session: int, channel: str, steps: tuple[str, ...], *, failing: bool
    ) -> bool:
        """To the screen where the PIN is typed; False where they are lost before."""
        dice = self._dice
        for step in steps:
            self._waits(6, 25)
            journey, _, name = step.partition("/")
            misread = name in ("payee", "amount", "proof") and dice.random() < 0.06
            for again in (False, True) if misread else (False,):
                self._note(StepReached(session, channel, journey, name, misread=again))
            lost = _LOST.get(step, _LOST_ELSEWHERE) + (30 if failing else 0)
            if dice.randrange(100) < lost:
                self._is_lost(session, channel, failing=failing)
                return False
        return True

    def _is_lost(self, session: int, channel: str, *, failing: bool) -> None:
        chance = self._dice.random()
        if failing and chance < 0.2:
            self._note(SessionEnded(session, channel, "failed", "store_away"))
        elif chance < 0.55:
            self._note(SessionEnded(session, channel, "left", "Incomplete"))
        # Of the others nothing more is heard.

    def _does(
        self, session: int, channel: str, member: Invented, day: dt.date, journey: str, what: str
    ) -> None:
        """They have typed the PIN."""
        self._waits(4, 15)
        if channel != "sms" and journey != "enrol" and self._dice.random() < 0.05:
            self._operated(session, channel, journey, what, "wrong_pin", "")
            if self._dice.random() < 0.3:
                self._is_lost(session, channel, failing=False)
                return
            self._waits(5, 20)
        refusal, about = "", ""
        if what in ("transfers.send", "loans.pay"):
            order = self._order(member, day, what, channel)
            refusal, about = order.refusal, band(Money(order.centimos))
        self._operated(session, channel, journey, what, refusal or "done", about)
        if what == "enrolment.activate":
            self._story.activated.append((member, self._at))
            self._note(MemberActivated(channel, member.language, member.district.code))
        if channel != "sms":
            self._note(StepReached(session, channel, journey, "over", misread=False))
        self._note(SessionEnded(session, channel, "finished", ""))

    def _order(self, member: Invented, day: dt.date, what: str, channel: str) -> Order:
        dice = self._dice
        payee, centimos = member, _LOAN_INSTALMENT
        if what == "transfers.send":
            people = self._story.people
            known = dice.random() < 0.8
            number = dice.choice(member.friends) if known else dice.randrange(len(people))
            payee = people[number] if people[number] is not member else people[number - 1]
            centimos = int(min(max(dice.lognormvariate(4.0, 0.8), 3), 900)) * 100
        refusal = "insufficient_funds" if centimos > member.centimos else ""
        order = Order(self._key(), self._at, day, what, member, payee, centimos, channel, refusal)
        self._story.orders.append(order)
        if not refusal:
            member.centimos -= centimos
            self._tells("loan_paid" if order.repays else "transfer_sent")
        if not refusal and order.repays:
            self._paid_on[member.ref] = day
        elif not refusal:
            payee.centimos += centimos
            self._tells("transfer_received")
        return order

    def _tells(self, fact: str) -> None:
        self._note(NoticeSettled(fact, "sent", 1))

    def _operated(
        self, session: int, channel: str, journey: str, what: str, outcome: str, about: str
    ) -> None:
        self._note(OperationEnded(session, channel, what, outcome, journey, about))

    def _waits(self, shortest: int, longest: int) -> None:
        self._at += dt.timedelta(seconds=self._dice.randint(shortest, longest))

    def _note(self, event: Event) -> None:
        self._story.events.append((self._at, event))

    def _key(self) -> uuid.UUID:
        return uuid.UUID(int=self._dice.getrandbits(128), version=4)


def notices(order: Order) -> Iterator[tuple[str, Invented, dict[str, Any]]]:
    """What a posted order tells, to whom."""
    about = {"amount_centimos": order.centimos, "tax_centimos": 0}
    if order.repays:
        yield "loan_paid", order.member, {"amount_centimos": order.centimos}
    else:
        yield "transfer_sent", order.member, {**about, "party_ref": order.payee.ref}
        yield "transfer_received", order.payee, {**about, "party_ref": order.member.ref}
