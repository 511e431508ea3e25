"""What the gateway is for, measured: how many members get their money sent on a bad radio.

    python -m tests.simulation.radio [--members N] [--seed N] [--json] [--plot FILE.svg]

A member wants to send so much to another member, reads what her phone shows, answers, dials again
when the signal drops her, and has five minutes. The same members, with the same luck, try it on a
plain menu (`plain_menu.py`), on Chaski by its menu, and on Chaski by one long dial. Chaski is the
real one, over a real PostgreSQL and a real Valkey; only time is played, so a run takes minutes and
not weeks.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import logging
import math
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

import psycopg
import redis
import structlog

from gateway import bootstrap
from gateway.bank.hashing import PinHasher
from gateway.bootstrap import Parts
from gateway.channels.africastalking import ussd
from gateway.db.migrations import migrate
from gateway.db.pool import Database
from gateway.demo.cooperative import PEOPLE
from gateway.dialog.state import Place
from gateway.driver import Gateway
from gateway.embedded import Embedded, EmbeddedError
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.notices.senders import Sent, Sms
from gateway.notices.simulated import SimulatedNetwork
from gateway.observing import Metrics
from gateway.settings import DEMO_PEPPER, DEMO_SESSION_SECRET, DEMO_WEBHOOK_SECRET, Settings, load
from gateway.values.money import Money
from gateway.values.pin import Pin
from tests.cooperative import HASHER, MORNING, TODAY, Clock, Screen
from tests.simulation.plain_menu import Customer, PlainMenu
from tests.simulation.plot import Chart, Line, Point

# Nobody has measured these for Peru: they are assumptions, the same for both gateways.
#
# The radio. An exchange is a request of the phone and the screen that comes back; with the
# probability that a run is about it fails, the session is gone, and only a redial helps.
HOP_LOSSES = (0.01, 0.02, 0.05, 0.10, 0.20)
LOST_ON_THE_WAY_UP = 0.5  # of what is lost: nothing tells the two ways apart, so half and half
REQUEST_REPEATED = 0.001  # by the aggregator; none says how often. What a plain menu sends twice
# on a good radio comes from here, what it sends twice on a bad one does not.
TRAVEL_S = 2.0  # there and back, half each: signalling on 2G, and the gateway's answer

# A member with an ordinary pace. Six screens in 75 s are a slow reader's: half as much again.
READ_AND_TYPE_S = 8.0  # one screen, or one of the values in a long dial
NOTICE_S = 10.0  # until who waits believes that no screen comes
DIAL_S = 8.0  # the short code, or the last call from the phone's list
PACE_LEAST, PACE_MOST = 0.5, 1.5  # a member is as fast or as slow as this, all the way
PATIENCE_S = 300.0  # from taking the phone up: five minutes, then she starts the walk to town

# SMS: as likely to fail as an exchange, but the network keeps them and tries again.
SMS_SOONEST_S, SMS_LATEST_S = 5.0, 30.0  # by then a healthy network has delivered nearly all
SMS_LOST = 0.5  # of those that fail; the others come late
SMS_LATE_SOONEST_S, SMS_LATE_LATEST_S = 60.0, 300.0  # later: until the network tries again

# The experiment.
MEMBERS = 1_500  # a cell: standard errors below 1.3 points, and a run of three or four minutes
MEMBERS_MAX = 100_000  # 1.5 million experiments: some five hours
SENDERS = 100  # people who are registered; each comes again
PAYEES = 20
NEXT_MEMBER_S = 3600.0  # whoever comes again has forgotten, and so have "¿Otra vez?" and drafts
SAVINGS = Money(1_000_000_00)  # a million soles: no experiment may fail for want of money
SOLES_LEAST, SOLES_MOST = 5, 95  # far below every limit, and below where the tax begins
PROGRESS_S = 5.0


class RadioError(Exception):
    """The run cannot tell anything. Its text says why, and what to do."""


# ---- The network --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Radio:
    """How bad it is. Both are probabilities of one exchange."""

    hop_loss: float
    repeated: float = REQUEST_REPEATED


class Menu(Protocol):
    """What answers behind the short code."""

    def hop(self, form: Mapping[str, str]) -> str:
        """One callback of Africa's Talking: its form in, `CON …` or `END …` out."""

    def sent_centimos(self, msisdn: str) -> int:
        """All that ever left this number's account, by the books."""


class Mail:
    """The SMS on their way to the one phone that is watched."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._msisdn = ""
        self._radio = Radio(0)
        self._chance = random.Random()  # noqa: S311 - luck, not a secret
        self._coming: list[tuple[dt.datetime, str]] = []

    def watch(self, msisdn: str, radio: Radio, chance: random.Random) -> None:
        """From now on this phone's messages count, and no earlier ones."""
        self._msisdn, self._radio, self._chance = msisdn, radio, chance
        self._coming = []

    def post(self, msisdn: str, text: str) -> None:
        """Put a message on its way."""
        if msisdn != self._msisdn:
            return
        luck, way = self._chance.random(), self._chance.random()
        late_s = self._chance.uniform(SMS_LATE_SOONEST_S, SMS_LATE_LATEST_S)
        if luck < self._radio.hop_loss * SMS_LOST:
            return
        delay_s = SMS_SOONEST_S + way * (SMS_LATEST_S - SMS_SOONEST_S)
        if luck < self._radio.hop_loss:
            delay_s += late_s
        self._coming.append((self._clock.now() + dt.timedelta(seconds=delay_s), text))

    def arrived(self, by: dt.datetime) -> list[str]:
        """What the phone has received."""
        return [text for at, text in self._coming if at <= by]


@dataclass(slots=True)
class Phone:
    """A phone, the radio and the aggregator: all between a member's fingers and a menu."""

    msisdn: str
    menu: Menu
    radio: Radio
    chance: random.Random
    clock: Clock
    name: str  # of the experiment: session ids begin with it
    dials: int = 0
    _text: str = ""

    def dial(self, behind: str = "") -> Screen | None:
        """Dial in a new session; `behind` stands behind the short code. None: dropped."""
        self.dials += 1
        self._text = behind
        return self._exchange()

    def press(self, answer: str) -> Screen | None:
        """Answer the screen. None: dropped."""
        self._text = f"{self._text}*{answer}" if self._text else answer
        return self._exchange()

    def _exchange(self) -> Screen | None:
        luck, repeated = self.chance.random(), self.chance.random() < self.radio.repeated
        self.clock.pass_time(seconds=TRAVEL_S / 2)
        if luck < self.radio.hop_loss * LOST_ON_THE_WAY_UP:
            return None
        form = {
            "sessionId": f"{self.name}-{self.dials}",
            "serviceCode": "*775#",
            "phoneNumber": self.msisdn,
            "networkCode": "99999",
            "text": self._text,
        }
        body = self.menu.hop(form)
        if repeated:
            body = self.menu.hop(form)
        self.clock.pass_time(seconds=TRAVEL_S / 2)
        if luck < self.radio.hop_loss:
            return None
        verb, _, text = body.partition(" ")
        return Screen(text, ends=verb == "END")


# ---- A member -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants: so many soles to the member with this number, nine digits."""

    payee: str
    soles: int
    pin: str = field(repr=False)

    @property
    def amount(self) -> Money:
        """The same as the books say it."""
        return Money(self.soles * 100)


class News(Enum):
    """What a screen or an SMS tells about her order."""

    NOTHING = "nothing"
    DONE = "done"
    NOT_DONE = "not done"
    UNDER_WAY = "under way"


# What she looks for on a screen, the first that is there. `¿Otra vez?` and `Seguir` tell it too:
# the one that it was done a moment ago, the other that it was left unfinished.
_TELLS = (
    ("SI se hizo", News.DONE),
    ("Listo", News.DONE),
    ("¿Otra vez?", News.DONE),
    ("n proceso", News.UNDER_WAY),
    ("NO se hizo", News.NOT_DONE),
    ("1. Seguir", News.NOT_DONE),
)


def news(text: str, wish: Wish) -> News:
    """What a screen tells.

    Raises:
        RadioError: it speaks of another order.
    """
    if "S/ " in text and str(wish.amount) not in text:
        raise RadioError(f"a screen speaks of another order than the one of {wish.amount}")
    return next((tells for sign, tells in _TELLS if sign in text), News.NOTHING)


def answer_to(text: str, wish: Wish) -> str:
    """What she presses. Empty: there is nothing to press."""
    signs = {
        "Marca tu PIN": wish.pin,
        "1. Seguir": "1",
        "2. Enviar": "2",
        "¿A quien?": wish.payee,
        "¿Cuanto a": str(wish.soles),
        "9 Mas": "9",
    }
    return next((answer for sign, answer in signs.items() if sign in text), "")


@dataclass(slots=True)
class Member:
    """Who wants to send money, for five minutes. The same one in front of every menu.

    Args:
        pace: how long her spells take, as a share of the ordinary.
        dials_it_all: knows the long dial, and uses it.
    """

    wish: Wish
    phone: Phone
    mail: Mail
    pace: float
    dials_it_all: bool
    told: bool = False  # that it was done
    doubt: bool = False  # a PIN went out, and nothing has told what became of it
    _until: dt.datetime = MORNING

    def send_money(self) -> None:
        """Try until she is told that it was done, or has no patience left."""
        self._until = self.phone.clock.now() + dt.timedelta(seconds=PATIENCE_S)
        if self.dials_it_all:  # later it is in the phone's list of calls
            self._spend(2 * READ_AND_TYPE_S)
        screen = self._dial()
        while not self._over():
            screen = self._go_on(screen)

    def _go_on(self, screen: Screen | None) -> Screen | None:
        if screen is None:
            self._spend(NOTICE_S)
            return self._dial()
        tells = self._learn(screen.text)
        if self.told:
            return screen
        if tells is News.UNDER_WAY:
            self._spend(NOTICE_S)
            return screen
        self._spend(READ_AND_TYPE_S)
        answer = answer_to(screen.text, self.wish)
        if screen.ends:
            return self._dial()
        if not answer:
            raise RadioError(f"a member would not know what to press: {screen.text!r}")
        return screen if self._over() else self._press(answer)

    def _dial(self) -> Screen | None:
        self._spend(DIAL_S)
        if self._over():
            return None
        wish = self.wish
        return self.phone.dial(f"2*{wish.payee}*{wish.soles}" if self.dials_it_all else "")

    def _press(self, answer: str) -> Screen | None:
        if answer == self.wish.pin:
            self.doubt = True
        return self.phone.press(answer)

    def _learn(self, text: str) -> News:
        tells = news(text, self.wish)
        self.told = self.told or tells is News.DONE
        if tells in {News.DONE, News.NOT_DONE}:
            self.doubt = False
        return tells

    def _over(self) -> bool:
        """Whether she has stopped trying. A receipt that has come tells her as a screen does."""
        now = self.phone.clock.now()
        for text in self.mail.arrived(min(now, self._until)):
            if text.startswith("Enviaste") and str(self.wish.amount) in text:
                self.told, self.doubt = True, False
        return self.told or now >= self._until

    def _spend(self, seconds: float) -> None:
        self.phone.clock.pass_time(seconds=seconds * self.pace)


# ---- The two gateways ---------------------------------------------------------------------------


@dataclass(slots=True)
class Chaski:
    """The gateway under test behind its webhook's translation, its worker beside it."""

    gateway: Gateway
    database: Database
    deliver: Callable[[], object]  # what the worker does when it is woken
    short_memory: redis.Redis
    accounts: Mapping[str, str]  # by number: whose savings
    woken: list[bool]

    def hop(self, form: Mapping[str, str]) -> str:
        """One callback, and then the worker if it was woken.

        Raises:
            RadioError: the gateway could not answer. That would measure this machine.
        """
        reply = self.gateway.take(ussd.parse(form, self.gateway.cooperative))
        if reply.outcome not in _ANSWERED:
            raise RadioError(
                f"the gateway could not answer a hop ({reply.outcome}): that is no fault of the"
                " radio. Try again when this machine is less busy."
            )
        if self.woken:
            self.woken.clear()
            self.deliver()
        return ussd.render(reply)

    def sent_centimos(self, msisdn: str) -> int:
        """All that ever left this number's account, by the ledger."""
        (savings,) = PostgresLedger(self.database).accounts(self.accounts[msisdn])
        return SAVINGS.centimos - savings.balance.centimos

    def forget(self) -> None:
        """The short memory's spells run on its own clock. When an hour is played, they are over."""
        self.short_memory.flushdb()


class _ByMail(SimulatedNetwork):
    """The demo's network, but for the last mile: what it takes goes over the radio."""

    def __init__(self, database: Database, sender: str, mail: Mail) -> None:
        super().__init__(database, sender)
        self._mail = mail

    def send(self, sms: Sms) -> Sent:
        """Put the message on its way."""
        self._mail.post(sms.to.e164, sms.text)
        return Sent("radio")


_ANSWERED = {*(place.value for place in Place), "repeat"}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to send money, and its name in the table."""

    name: str
    menu: Menu
    dials_it_all: bool = False


@dataclass(frozen=True, slots=True)
class Village:
    """Everything that experiments need: people, what carries their messages, both gateways."""

    ways: tuple[Way, ...]
    senders: tuple[Customer, ...]
    payees: tuple[Customer, ...]
    clock: Clock
    mail: Mail
    chaski: Chaski
    numbers: Iterator[int]  # of experiments: session ids begin with one

    def books_are_right(self) -> bool:
        """Whether every balance of the gateway's ledger follows from its entries."""
        return bool(PostgresLedger(self.chaski.database).verify()["ok"])


PLAIN, BY_MENU, BY_DIAL = "plain menu", "Chaski by its menu", "Chaski by one dial"


@contextmanager
def village_of(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], senders: int = SENDERS
) -> Iterator[Village]:
    """A cooperative of so many senders, and the plain menu beside it.

    Args:
        database_urls: the owner's and the application's, of a migrated and empty database.
        redis_urls: the sessions' and the queues'. The sessions' database is emptied again and
            again.
        senders: how many people there are; experiments take them in turn.
    """
    people = tuple(_customer(number) for number in range(senders + PAYEES))
    _register(database_urls[0], people, HASHER)
    clock = Clock()
    mail = Mail(clock)
    plain = PlainMenu({person.msisdn[3:]: person for person in people}, mail.post)
    with _chaski(database_urls[1], redis_urls, people, clock, mail) as chaski:
        ways = (Way(PLAIN, plain), Way(BY_MENU, chaski), Way(BY_DIAL, chaski, dials_it_all=True))
        yield Village(
            ways, people[:senders], people[senders:], clock, mail, chaski, itertools.count(1)
        )


@contextmanager
def _chaski(
    app_url: str,
    redis_urls: tuple[str, str],
    people: Sequence[Customer],
    clock: Clock,
    mail: Mail,
) -> Iterator[Chaski]:
    settings = _settings(app_url, redis_urls)
    keys = itertools.count(1)
    woken: list[bool] = []
    with ExitStack() as stack:
        database = stack.enter_context(
            Database(app_url, settings.database_connections, patient=True)
        )
        database.open()
        short_memory = stack.enter_context(redis.Redis.from_url(redis_urls[0]))
        parts = Parts(
            database=lambda settings: database,
            sessions=lambda url: short_memory,
            wake=lambda: woken.append(True),
            pause=lambda seconds: clock.pass_time(seconds=seconds),
            now=clock.now,
            mint_key=lambda: str(uuid.UUID(int=next(keys))),
            jitter=lambda: 0.5,
            hasher=HASHER,
            sender=lambda database: _ByMail(database, settings.sms_sender, mail),
            often=lambda every_s, look: lambda: None,  # nobody publishes menus meanwhile
        )
        gateway = bootstrap.build(settings, Metrics(), parts)
        stack.callback(gateway.close)
        duties = [duty for duty in bootstrap.duties(settings, database, parts) if duty.woken]

        def deliver() -> None:
            for duty in duties:
                duty.run()

        accounts = {person.msisdn: _ref(person) for person in people}
        yield Chaski(gateway, database, deliver, short_memory, accounts, woken)


def _settings(app_url: str, redis_urls: tuple[str, str]) -> Settings:
    return load(
        {
            "CHASKI_DEMO": "yes",
            "CHASKI_DATABASE_URL": app_url,
            "CHASKI_SESSIONS_URL": redis_urls[0],
            "CHASKI_QUEUE_URL": redis_urls[1],
            "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
            "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
            "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
        }
    )


def _customer(number: int) -> Customer:
    """People are called like those of the demo; their numbers tell them apart."""
    person = PEOPLE[number % len(PEOPLE)]
    return Customer(f"+5198800{number:04}", person.called, person.short_name, pin="4826")


def _ref(person: Customer) -> str:
    return f"m-{person.msisdn[-4:]}"


def _register(owner_url: str, people: Sequence[Customer], hasher: PinHasher) -> None:
    with psycopg.connect(owner_url) as owner:
        office = LedgerOffice(owner)
        for person in people:
            ref, dni = _ref(person), f"5{person.msisdn[-7:]}"
            office.enrol_person(ref, dni, person.first_name, "Radio", dt.date(1980, 1, 1))
            office.open_savings(f"100-{ref}", "Ahorro", ref, SAVINGS, TODAY)
            owner.execute(
                "select bank.register_member(%s, %s, %s, %s, 'es')",
                (ref, person.msisdn, person.first_name, person.short_name),
            )
            owner.execute(
                "select bank.first_pin(%s, %s, %s)", (ref, *hasher.hash(ref, Pin(person.pin)))
            )


# ---- Experiments --------------------------------------------------------------------------------


class End(Enum):
    """How five minutes ended. Each experiment ends in one of these."""

    SUCCEEDED = "succeeded"  # the money moved once, and she was told
    TWICE = "twice"  # it moved twice or more, whatever she was told
    UNSURE = "unsure"  # a PIN went out, and she does not know what became of it
    GAVE_UP = "gave_up"  # nothing moved, and she knows
    MISLED = "misled"  # she was told what is not so


@dataclass(frozen=True, slots=True)
class Experiment:
    """What came of one member's wish."""

    end: End
    dials: int


def experiment(village: Village, way: Way, radio: Radio, seed: int, index: int) -> Experiment:
    """Member number `index`, with her luck, her pace and her wish: the same on every way.

    Raises:
        RadioError: it went as it cannot go; nothing can be told from this run.
    """
    village.clock.pass_time(seconds=NEXT_MEMBER_S)
    village.chaski.forget()
    person = random.Random(f"{seed} person {index}")  # noqa: S311 - luck, not a secret
    sender = village.senders[index % len(village.senders)]
    payee = person.choice(village.payees)
    wish = Wish(payee.msisdn[3:], person.randint(SOLES_LEAST, SOLES_MOST), sender.pin)
    village.mail.watch(sender.msisdn, radio, random.Random(f"{seed} sms {index}"))  # noqa: S311
    phone = Phone(
        sender.msisdn,
        way.menu,
        radio,
        random.Random(f"{seed} radio {index}"),  # noqa: S311
        village.clock,
        name=f"ATUid_{next(village.numbers)}",
    )
    member = Member(
        wish, phone, village.mail, person.uniform(PACE_LEAST, PACE_MOST), way.dials_it_all
    )
    before = way.menu.sent_centimos(sender.msisdn)
    member.send_money()
    times, rest = divmod(way.menu.sent_centimos(sender.msisdn) - before, wish.amount.centimos)
    if rest or times < 0:
        raise RadioError("the books moved by something else than the member's order")
    return Experiment(_end(member, times), phone.dials)


def _end(member: Member, times: int) -> End:
    if times > 1:
        return End.TWICE
    if member.told:
        return End.SUCCEEDED if times == 1 else End.MISLED
    if member.doubt:
        return End.UNSURE
    return End.GAVE_UP if times == 0 else End.MISLED


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One way on one radio."""

    hop_loss: float
    way: str
    members: int
    ends: Mapping[End, int]
    dials: Estimate  # of who succeeded

    def share(self, end: End) -> Estimate:
        """How many ended so, from 0 to 1."""
        share = self.ends.get(end, 0) / self.members
        return Estimate(share, math.sqrt(share * (1 - share) / self.members))


Say = Callable[[str], None]


def measure(
    village: Village,
    members: int,
    seed: int,
    hop_losses: Sequence[float] = HOP_LOSSES,
    *,
    repeated: float = REQUEST_REPEATED,
    say: Say = lambda line: None,
) -> list[Cell]:
    """Every way on every radio.

    Args:
        members: in each cell, 1 or more.
        seed: of everybody's luck.
        hop_losses: from 0 to 1.
        repeated: how many requests the aggregator repeats, from 0 to 1.
        say: takes a line about how far it is.

    Raises:
        RadioError: nothing can be told from this run.
    """
    cells = []
    for hop_loss in hop_losses:
        for way in village.ways:
            radio = Radio(hop_loss, repeated)
            cells.append(_cell(village, way, radio, members, seed, say))
    if not village.books_are_right():
        raise RadioError("the ledger's balances do not follow from its entries")
    return cells


def _cell(village: Village, way: Way, radio: Radio, members: int, seed: int, say: Say) -> Cell:
    ends: Counter[End] = Counter()
    dials: list[int] = []
    said_at = time.monotonic()
    for index in range(members):
        came = experiment(village, way, radio, seed, index)
        ends[came.end] += 1
        if came.end is End.SUCCEEDED:
            dials.append(came.dials)
        if time.monotonic() - said_at > PROGRESS_S:
            said_at = time.monotonic()
            say(f"hop loss {100 * radio.hop_loss:g} %, {way.name}: member {index + 1} of {members}")
    return Cell(radio.hop_loss, way.name, members, ends, _mean(dials))


def _mean(values: Sequence[int]) -> Estimate:
    if not values:
        return Estimate(math.nan, math.nan)
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return Estimate(statistics.fmean(values), spread / math.sqrt(len(values)))


# ---- What it says -------------------------------------------------------------------------------


def table(cells: Sequence[Cell]) -> str:
    """The cells in Markdown, each figure with its standard error."""
    rows = [
        "| hop loss | gateway | succeed within 5 min | dials | sent twice | unsure |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for cell in cells:
        dials = f"{cell.dials.value:.2f} ± {cell.dials.error:.2f}"
        shares = [_percent(cell.share(end)) for end in (End.SUCCEEDED, End.TWICE, End.UNSURE)]
        figures = (f"{100 * cell.hop_loss:g} %", cell.way, shares[0], dials, *shares[1:])
        rows.append(f"| {' | '.join(figures)} |")
    return "\n".join(rows)


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} ± {100 * share.error:.1f} %"


def as_json(cells: Sequence[Cell], seed: int) -> str:
    """Everything that was counted. Shares from 0 to 1; `null` where nobody succeeded."""
    return json.dumps(
        {
            "seed": seed,
            "patience_s": PATIENCE_S,
            "cells": [
                {
                    "hop_loss": cell.hop_loss,
                    "gateway": cell.way,
                    "members": cell.members,
                    **{end.value: _figure(cell.share(end)) for end in End},
                    "dials": _figure(cell.dials),
                }
                for cell in cells
            ],
        },
        indent=2,
    )


def _figure(estimate: Estimate) -> dict[str, float | None]:
    """A figure for JSON, which has no NaN."""
    if math.isnan(estimate.value):
        return {"value": None, "error": None}
    return {"value": round(estimate.value, 5), "error": round(estimate.error, 5)}


def chart(cells: Sequence[Cell]) -> str:
    """The shares that succeed, as an SVG."""
    lines = []
    for way in dict.fromkeys(cell.way for cell in cells):
        points = []
        for cell in cells:
            if cell.way == way:
                share = cell.share(End.SUCCEEDED)
                points.append(Point(100 * cell.hop_loss, 100 * share.value, 100 * share.error))
        lines.append(Line(way, tuple(points)))
    said = "; ".join(
        f"{line.name}: " + ", ".join(f"{point.y:.1f} % at {point.x:g} %" for point in line.points)
        for line in lines
    )
    return Chart(
        title="Members who send money within five minutes, by hop loss",
        description=f"Share of members who succeed, by share of exchanges lost. {said}.",
        x_label="exchanges lost on the radio, %",
        y_label="members who succeed, %",
        lines=tuple(lines),
    ).svg()


@contextmanager
def _servers() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """A database and a Valkey of our own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="chaski-radio-"))
    folder.chmod(0o711)  # the servers' account passes through when root runs this
    try:
        with Embedded(folder, lambda line: None) as endpoints:
            with psycopg.connect(endpoints.owner_url, autocommit=True) as owner:
                # Nobody switches this machine off meanwhile: no need to wait for its disk.
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    owner.execute(f"alter system set {setting} = off")
                owner.execute("select pg_reload_conf()")
            migrate(endpoints.owner_url)
            yield (
                (endpoints.owner_url, endpoints.app_url),
                (endpoints.sessions_url, endpoints.queue_url),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="radio", description="How many members get their money sent on a bad radio?"
    )
    parser.add_argument("--members", type=_members, default=MEMBERS, help=f"a cell; {MEMBERS}")
    parser.add_argument("--seed", type=int, default=1, help="of everybody's luck; 1")
    parser.add_argument("--json", action="store_true", help="JSON instead of the table")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the shares as an SVG")
    options = parser.parse_args(argv)
    if options.plot and not options.plot.parent.is_dir():  # said before the run, not after it
        parser.error(f"--plot: there is no folder {options.plot.parent}")
    return options


def _members(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= MEMBERS_MAX:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MEMBERS_MAX}")
    return int(text)


def _say(line: str) -> None:
    sys.stderr.write(f"radio: {line}\n")


def main(argv: Sequence[str]) -> int:
    """The command. The table goes to standard output, how far it is to standard error.

    Returns:
        0; 1 where nothing could be measured, or somebody was told what is not so; 130 where
        somebody had no patience with it.
    """
    options = _arguments(argv)
    structlog.configure(  # a line a hop would drown the table
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _say("starting PostgreSQL and Valkey")
    try:
        with _servers() as urls, village_of(*urls) as village:
            cells = measure(village, options.members, options.seed, say=_say)
    except (EmbeddedError, RadioError) as error:
        _say(f"{error}")
        return 1
    except KeyboardInterrupt:
        _say("stopped")
        return 130  # what a shell says of who was interrupted
    sys.stdout.write(f"{as_json(cells, options.seed) if options.json else table(cells)}\n")
    if options.plot:
        options.plot.write_text(chart(cells))
    misled = sum(cell.ends.get(End.MISLED, 0) for cell in cells)
    if misled:
        _say(f"{misled} members were told what is not so: look for `misled` in --json")
    return 1 if misled else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
