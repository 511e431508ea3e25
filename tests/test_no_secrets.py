"""No secret stays anywhere. Every journey is driven on every channel, with right and wrong PINs
and with secrets typed where they do not belong, while stores fail and code breaks; then everything
that is kept or told is searched for each of them.

The journeys come from the book: one that cannot be driven by what stands here fails. A slot of a
new type needs a row in `ANSWERS`, a secret one in `Station.secret`, a journey that no menu leads to
one in `BEGUN_BY`.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest
from psycopg import sql

from gateway import bootstrap
from gateway.bootstrap import Parts
from gateway.dialog.book import Book, Journey
from gateway.events.kinds import KINDS
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.settings import DEMO_WEBHOOK_SECRET
from gateway.values.pin import Pin
from gateway.web import create_app
from tests.cooperative import HASHER, Cooperative, Handset
from tests.people import PEOPLE, ROSA, SEGUNDO, WILMER, Person
from tests.searching import Log, Search, kept_log
from tests.test_stores_away import Wired

# Six digits that are nothing else: no amount, no time, no part of a number.
PIN = "908172"
WRONG_PIN = "617283"
NEW_PIN = "940628"
CODE = "73519264"  # as an activation code is typed
DNI = ROSA.dni

SECRETS = {
    PIN: "PIN",
    WRONG_PIN: "wrong PIN",
    NEW_PIN: "new PIN",
    CODE: "code",
    **{person.dni: "DNI" for person in PEOPLE},
}

ALLOWED = {
    ("table ledger.member", "DNI"): "the core's register of persons, which here is our own ledger",
}

# What is typed for a slot, by its type.
ANSWERS: Mapping[str, str] = {
    "savings_account": "1",
    "payee": SEGUNDO.msisdn.removeprefix("+51"),
    "loan": "1",
    "money": "5",
    "date": "25/12/26",
    "choice": "1",
    "language": "1",
    "sent_transfer": "1",
}

# Journeys that no menu leads to, and who is led there by their dial.
BEGUN_BY: Mapping[str, Person] = {"enrol": WILMER}

# What claims a transfer needs one: the others are driven first.
LAST = "claim"

MISPLACED = (PIN, CODE, DNI)
HOPS_MAX = 30


class Phone(Protocol):
    """A phone on some channel: what it shows is of no interest here but for the secrets in it."""

    def dial(self, then: str = "") -> str: ...

    def press(self, answer: str) -> str: ...


@dataclass(slots=True)
class Cumulative:
    """Africa's Talking: every hop brings all answers so far, the PIN in them."""

    handset: Handset

    def dial(self, then: str = "") -> str:
        return self.handset.dial(then).text

    def press(self, answer: str) -> str:
        return self.handset.press(answer).text


_numbers = itertools.count(1)


@dataclass(slots=True)
class Infobip:
    """The last answer alone, in JSON."""

    client: Any
    msisdn: str
    session: str = ""

    def dial(self, then: str = "") -> str:
        self.session = f"ib-{next(_numbers)}"
        return self._send("start", f"*775*{then}#" if then else "*775#", "")

    def press(self, answer: str) -> str:
        return self._send("response", "*775#", answer)

    def _send(self, event: str, code: str, text: str) -> str:
        path = f"/ussd/infobip/{DEMO_WEBHOOK_SECRET}/session/{self.session}/{event}"
        number = self.msisdn.removeprefix("+")
        answer = self.client.post(
            path, json={"msisdn": number, "shortCode": code, "ussdNodeId": "n", "text": text}
        )
        assert answer.status_code == 200
        return str(answer.text)


@dataclass(slots=True)
class Profile:
    """A network that a profile describes."""

    client: Any
    msisdn: str
    session: str = ""

    def dial(self, then: str = "") -> str:
        self.session = f"ark-{next(_numbers)}"
        return self._send(f"*775*{then}#" if then else "*775#", new=True)

    def press(self, answer: str) -> str:
        return self._send(answer, new=False)

    def _send(self, typed: str, *, new: bool) -> str:
        answer = self.client.post(
            f"/ussd/http/arkesel/{DEMO_WEBHOOK_SECRET}",
            json={
                "sessionID": self.session,
                "userID": "U7",
                "newSession": new,
                "msisdn": self.msisdn.removeprefix("+"),
                "userData": typed,
                "network": "Claro",
            },
        )
        assert answer.status_code == 200
        return str(answer.text)


CHANNELS = {
    "africastalking": lambda client, msisdn: Cumulative(Handset(client, msisdn)),
    "infobip": Infobip,
    "http": Profile,
}


@dataclass(slots=True)
class Station:
    """Drives journeys, and looks into the short memory after each hop."""

    cooperative: Cooperative
    log: Log
    search: Search
    driven: set[tuple[str, str]] = field(default_factory=set)
    code: str = ""

    def afresh(self) -> None:
        """Rosa with her PIN, Wilmer with none and a code, and no door shut."""
        hashed, version = HASHER.hash(ROSA.ref, Pin(PIN))
        with self.cooperative.owner() as owner:
            owner.execute(
                "update bank.pin_credential set hash = %s, pepper_version = %s, attempts = 0,"
                " locked_until = null, locks = 0, blocked_at = null where member_ref = %s",
                (hashed, version, ROSA.ref),
            )
            owner.execute("select bank.lift_freeze(%s, 'test', now())", (ROSA.ref,))
            for table in ("pin_credential", "activation_code"):
                owner.execute(
                    sql.SQL("delete from bank.{} where member_ref = %s").format(
                        sql.Identifier(table)
                    ),
                    (WILMER.ref,),
                )
        self.code = self.cooperative.invite(WILMER)
        self.search.secrets[self.code] = "activation code"

    def secret(self, check: str) -> tuple[tuple[str, ...], str]:
        """What is typed for a secret slot: wrong ones first. A new PIN is only wrong at its second
        entry."""
        match check:
            case "enrolment.name_dni":
                return (WRONG_PIN,), WILMER.dni
            case "enrolment.prove":
                return (CODE,), self.code
            case "pins.prove":
                return (WRONG_PIN,), PIN
            case "pins.choose":
                return (), NEW_PIN
        raise AssertionError(f"what is typed for a secret that {check} checks?")

    def drive(self, channel: str, phone: Phone, journey: Journey, keys: tuple[str, ...]) -> None:
        """From the dial to the last screen, with every mistake on the way once."""
        done_before = self._done(journey)
        self._saw(phone.dial())
        for key in (*self.past_a_draft(), *keys):
            self.type(phone, key)
        mistakes: set[tuple[str, str]] = set()
        for _ in range(HOPS_MAX):
            if self._place in {"over", "told"}:
                break
            self.type(phone, self._next(journey, mistakes))
        assert self._done(journey) > done_before, (
            f"{journey.name} by {channel} was not carried out; it ended at {self.log.screen}"
        )
        self.driven.add((channel, journey.name))

    def past_a_draft(self) -> tuple[str, ...]:
        """The key that leads home from what an earlier session left."""
        return ("2",) if self._place == "resume" else ()

    @property
    def _place(self) -> str:
        return self.log.screen.rpartition("/")[2]

    def _next(self, journey: Journey, mistakes: set[tuple[str, str]]) -> str:
        """What is typed on this screen: each secret that does not belong there first."""
        place = self._place
        if place == "confirm":
            new = any(slot.check == "pins.choose" for slot in journey.slots)
            wrong, right = (WRONG_PIN,), NEW_PIN if new else PIN if journey.authorise else "1"
        elif place == "again":
            wrong, right = (PIN,), "1"
        else:
            wrong, right = self._for(journey, place)
        for secret in wrong:
            if (place, secret) not in mistakes:
                mistakes.add((place, secret))
                return secret
        return right

    def _for(self, journey: Journey, place: str) -> tuple[tuple[str, ...], str]:
        slot = journey.slot(place)
        if slot.type == "secret":
            return self.secret(slot.check)
        assert slot.type in ANSWERS, (
            f"{journey.name}: what is typed for a slot of type {slot.type}?"
        )
        return MISPLACED, ANSWERS[slot.type]

    def type(self, phone: Phone, answer: str) -> None:
        """One answer, and a look at what is kept then."""
        self.cooperative.clock.pass_time(seconds=2)  # the same key again is no repeat by then
        self._saw(phone.press(answer))

    def _saw(self, screen: str) -> None:
        self.search.look("screen", screen)
        self.look_in_redis()

    def look_in_redis(self) -> None:
        """Both of them."""
        settings = self.cooperative.settings
        self.search.look_in_redis("sessions", settings.sessions_url.get_secret_value())
        self.search.look_in_redis("queues", settings.queue_url.get_secret_value())

    def _done(self, journey: Journey) -> float:
        labels = {
            "cooperative": self.cooperative.settings.cooperative,
            "operation": journey.do,
            "outcome": "done",
        }
        registry = self.cooperative.metrics.registry
        return registry.get_sample_value("chaski_operations_total", labels) or 0.0


def ways(book: Book) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every journey that a menu leads to, with the keys to it."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(book.home, ())]
    seen: set[str] = set()
    while waiting:
        place, keys = waiting.pop(0)
        if place in seen:
            continue
        seen.add(place)
        if place in book.journeys:
            yield place, keys
            continue
        waiting += [(option.go, (*keys, str(option.key))) for option in book.menus[place].options]


@pytest.fixture
def station(cooperative: Cooperative) -> Iterator[Station]:
    """All is kept from the first request on."""
    with kept_log() as log:
        yield Station(cooperative, log, Search(dict(SECRETS), ALLOWED))


def _texts(book: Book) -> Iterator[str]:
    """What members text, secrets in it."""
    for journey in book.journeys.values():
        for word in journey.sms:
            yield word
            yield f"{word} {PIN}"
            yield f"{word} 987000002 5 {PIN}"
    yield from (PIN, f"PIN {PIN}", f"MI PIN ES {WRONG_PIN}")
    yield from (DNI, f"DNI {DNI}", CODE, f"CODIGO {CODE}")


def _texted(station: Station) -> None:
    """By each network that brings SMS."""
    client = station.cooperative.client
    for text in _texts(station.cooperative.gateway.library.current):
        station.cooperative.clock.pass_time(minutes=10)
        name = f"sms-{next(_numbers)}"
        by_africastalking = client.post(
            f"/sms/africastalking/{DEMO_WEBHOOK_SECRET}",
            data={"id": name, "from": ROSA.msisdn, "to": "775", "text": text, "linkId": name},
        )
        by_infobip = client.post(
            f"/sms/infobip/{DEMO_WEBHOOK_SECRET}",
            json={
                "results": [
                    {"messageId": name, "from": ROSA.msisdn[1:], "to": "775", "cleanText": text}
                ]
            },
        )
        assert (by_africastalking.status_code, by_infobip.status_code) == (200, 200)
        station.look_in_redis()
    station.cooperative.deliver()


def _stores_away(station: Station) -> None:
    """The PIN arrives while PostgreSQL, then Redis, is gone."""
    for store in ("database", "redis"):
        wired = Wired(station.cooperative)
        try:
            phone = wired.phone(ROSA.msisdn)
            phone.dial()
            phone.press("2", "987000002", "5")
            getattr(wired, store).cut()
            station.search.look("screen", phone.press(PIN).text)
        finally:
            wired.close()


class BrokenHasher:
    """Breaks with the PIN in its hands."""

    def hash(self, member_ref: str, pin: Pin) -> tuple[str, int]:
        raise AssertionError("nobody chooses a PIN here")

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        raise RuntimeError(f"no hash of {pin} for {member_ref}")


class BrokenLedger:
    """Breaks at whatever it is asked."""

    def healthy(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        def breaks(*_: object, **__: object) -> None:
            raise RuntimeError(f"{name}: out of paper")

        return breaks


def _code_breaks(station: Station) -> None:
    """An exception inside a hop, whose traceback is kept with all local variables: while a PIN is
    verified, and while a dial is read that had one in it."""
    clock = station.cooperative.clock
    ordinary = Parts(now=clock.now, often=clock.often)
    broken: Any = BrokenLedger()
    _break(station, replace(ordinary, hasher=BrokenHasher()), "", "1", PIN)
    _break(station, replace(ordinary, ledger=lambda _: broken), f"2*987000002*5*{PIN}")


def _break(station: Station, parts: Parts, then: str, *keys: str) -> None:
    cooperative = station.cooperative
    gateway = bootstrap.build(cooperative.settings, Metrics(), parts)
    app = create_app(
        [gateway], webhooks(cooperative.settings, [gateway], Metrics()), Metrics().registry
    )
    try:
        for begin in CHANNELS.values():
            station.afresh()
            phone = begin(app.test_client(), ROSA.msisdn)
            before = len(station.log.errors)
            station.search.look("screen", phone.dial(then))
            for key in (*station.past_a_draft(), *keys) if keys else ():
                station.type(phone, key)
            assert len(station.log.errors) > before
    finally:
        gateway.close()


# What is in an event may be told to everybody who counts: so these too have no place there.
PERSONAL = {
    "987000002": "what was typed",
    **{person.msisdn.removeprefix("+51"): "number" for person in PEOPLE},
    **{person.ref: "reference" for person in PEOPLE},
    **{person.first_names.split()[0]: "name" for person in PEOPLE},
}


def _events(station: Station) -> None:
    """Events hold no secret, and nothing that says whose they are; all of them, written out."""
    station.cooperative.clock.pass_time(seconds=2)
    station.cooperative.deliver()
    station.cooperative.deliver()
    search = Search({**station.search.secrets, **PERSONAL}, {})
    with station.cooperative.owner() as owner:
        events = owner.execute("select * from events.event").fetchall()
    kinds = {str(kind) for event in events for kind in event if str(kind) in _KINDS}
    assert kinds == _KINDS, "each kind was recorded"
    for event in events:
        search.look("event", repr(event))
    assert search.found == []


_KINDS = {str(kind.__struct_config__.tag) for kind in KINDS}


def test_no_secret_is_anywhere_after_every_journey_on_every_channel(
    station: Station, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Found is said with its place, so that it can be mended."""
    caplog.set_level(logging.DEBUG)
    cooperative, search, log = station.cooperative, station.search, station.log
    book = cooperative.gateway.library.current
    found = dict(ways(book))
    for channel, begin in CHANNELS.items():
        for name in sorted(book.journeys, key=LAST.__eq__):
            assert name in found or name in BEGUN_BY, f"no menu leads to {name}: who begins it?"
            station.afresh()
            phone = begin(cooperative.client, BEGUN_BY.get(name, ROSA).msisdn)
            station.drive(channel, phone, book.journeys[name], found.get(name, ()))
            cooperative.clock.pass_time(minutes=11)
        for dialled in (f"2*987000002*5*{PIN}", f"{PIN}*{DNI}*{CODE}"):
            search.look("screen", begin(cooperative.client, ROSA.msisdn).dial(dialled))
            station.look_in_redis()
    station.afresh()
    _texted(station)
    _stores_away(station)
    _code_breaks(station)
    cooperative.deliver()

    station.look_in_redis()
    _events(station)
    search.look_in_postgres(
        cooperative.settings.database_url.get_secret_value().replace("chaski_app", "chaski_owner")
    )
    search.look("figures", cooperative.client.get("/metrics").text)
    search.look("log", "\n".join(log.lines))
    search.look("library log", caplog.text)
    search.look("error with its variables", "\n".join(log.errors))
    search.look("output", "".join(capfd.readouterr()))

    assert station.driven == {(channel, name) for channel in CHANNELS for name in book.journeys}
    assert not search.found, "\n".join(dict.fromkeys(search.found))
    for place in ("sessions", "queues", "log", "figures", "table notices.outbox", "screen"):
        assert search.looked_at.get(place), f"nothing was looked at in {place}"


@pytest.mark.parametrize(
    "leak",
    [
        f"pin={PIN}",
        f'{{"text": "2*987000002*5*{PIN}"}}',
        f"Pin('{PIN}')",
        f"x\x00\xa6{PIN}\xa4next",
    ],
)
def test_a_secret_that_is_there_is_found(leak: str) -> None:
    """Or the search would prove nothing."""
    search = Search(SECRETS)

    search.look("log", leak)

    assert search.found


@pytest.mark.parametrize(
    "chance", [f"af{PIN}3c", f"15:00:00.{PIN}+00", f"9{PIN}", "S/ 908,172.00", f"{PIN}00"]
)
def test_digits_that_stand_there_by_chance_are_no_secret(chance: str) -> None:
    """A hash, a time of day, a longer number."""
    search = Search(SECRETS)

    search.look("log", chance)

    assert not search.found


def test_where_a_secret_belongs_it_may_be_and_nowhere_else() -> None:
    """The exceptions are data, each with its reason."""
    search = Search(SECRETS, ALLOWED)

    search.look("table ledger.member", DNI)
    assert not search.found
    search.look("table bank.member", DNI)
    assert search.found
    assert all(ALLOWED.values())


def test_a_journey_with_an_unknown_slot_is_not_passed_over(station: Station) -> None:
    """It says what to add."""
    book = station.cooperative.gateway.library.current
    journey = book.journeys["send"]
    slots = tuple(replace(slot, type="unheard") for slot in journey.slots)
    station.log.screen = f"send/{slots[0].name}"

    with pytest.raises(AssertionError, match="what is typed for a slot of type unheard"):
        station._next(replace(journey, slots=slots), set())  # noqa: SLF001 - its own
