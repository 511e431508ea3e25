"""The demo cooperative, whole, for tests: real PostgreSQL, real Redis, the real webhook.

Only the clock, the cost of a PIN's hash and the instruction keys are the tests' own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from gateway import bootstrap
from gateway.bank.bank import CATALOGUE, Order
from gateway.bank.hashing import CHEAPEST_FOR_TESTS, KeyedHashes, PepperedArgon2
from gateway.bank.office import Office
from gateway.bank.operations import Operation
from gateway.bootstrap import Parts
from gateway.channels.africastalking.ussd import parse
from gateway.conversation import Open, Perform, take
from gateway.core.patient import Care
from gateway.cores import core_doors
from gateway.db.pool import Database, DatabaseUnavailableError
from gateway.demo.cooperative import Person
from gateway.demo.core import core_variables
from gateway.demo.seed import seed
from gateway.demo.site import with_phones
from gateway.driver import Gateway
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.port import LedgerUnavailableError
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.notices.simulated import SimulatedNetwork
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.settings import DEMO_PEPPER, DEMO_SESSION_SECRET, DEMO_WEBHOOK_SECRET, Settings, load
from gateway.sim.port import SimSwap
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Done
from gateway.values.turn import Keystrokes, Origin, Text
from gateway.web import create_app
from gateway.worker import Duty

# A Monday morning in Lima, far from midnight.
MORNING = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)

HASHER = PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, CHEAPEST_FOR_TESTS)

_sessions = itertools.count(1)


@dataclass(slots=True)
class Look:
    """Something that is done every so often."""

    every_s: float
    run: Callable[[], object]
    due_at: dt.datetime


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved, and who looks at it."""

    at: dt.datetime = MORNING
    looks: list[Look] = field(default_factory=list)

    def now(self) -> dt.datetime:
        """What time it is."""
        return self.at

    def pass_time(self, **spell: float) -> None:
        """Move on: `pass_time(minutes=15)`. Whatever is due by then is done once."""
        self.at += dt.timedelta(**spell)
        for look in [look for look in self.looks if look.due_at <= self.at]:
            look.due_at = self.at + dt.timedelta(seconds=look.every_s)
            with contextlib.suppress(DatabaseUnavailableError):  # as the gateway's thread does
                look.run()

    def often(self, every_s: float, run: Callable[[], object]) -> Callable[[], None]:
        """Do something every so often, until told to stop: in place of the gateway's thread."""
        look = Look(every_s, run, self.at + dt.timedelta(seconds=every_s))
        self.looks.append(look)
        return lambda: self.looks.remove(look)


@dataclass(frozen=True, slots=True)
class Screen:
    """What a phone shows. `ends`: the session is over."""

    text: str
    ends: bool

    @property
    def options(self) -> dict[str, str]:
        """The numbered lines, by their key."""
        lines = (line.partition(". ") for line in self.text.split("\n"))
        return {key: label for key, dot, label in lines if dot and key.isdigit()}


@dataclass(slots=True)
class Handset:
    """A phone that speaks Africa's Talking's dialect to the webhook."""

    client: FlaskClient
    msisdn: str
    session: str = ""
    history: str = ""
    secret: str = DEMO_WEBHOOK_SECRET

    def dial(self, then: str = "") -> Screen:
        """Dial in a new session; `then` is what stands behind the short code."""
        self.session = f"ATUid_{next(_sessions)}"
        self.history = then
        return self.send()

    def press(self, *answers: str) -> Screen:
        """Answer, one screen after the other, and see the last one."""
        for answer in answers:
            self.history = f"{self.history}*{answer}" if self.history else answer
            screen = self.send()
        return screen

    def send(self) -> Screen:
        """Send the session's text so far: what the network does, and does again when it repeats."""
        response = self.client.post(
            f"/ussd/africastalking/{self.secret}",
            data={
                "sessionId": self.session,
                "serviceCode": "*775#",
                "phoneNumber": self.msisdn,
                "networkCode": "99999",
                "text": self.history,
            },
        )
        assert response.status_code == 200
        assert response.content_type.startswith("text/plain")
        verb, _, text = response.text.partition(" ")
        assert verb in {"CON", "END"}
        return Screen(text, ends=verb == "END")


@dataclass(slots=True)
class Cooperative:
    """Everything of the demo cooperative that a test may want to look into."""

    settings: Settings
    gateway: Gateway
    client: FlaskClient
    database: Database
    clock: Clock
    duties: tuple[Duty, ...]
    metrics: Metrics
    codes: dict[str, str] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def office(self) -> Iterator[Office]:
        """The desk where staff issue codes, as it is now."""
        app_url = self.settings.database_url.get_secret_value()
        with Database(app_url.replace("chaski_app", "chaski_owner"), 2) as database:
            database.open()
            keyed = KeyedHashes(self.settings.peppers)
            yield Office(database, keyed, self.settings.code_hours, self.clock.now())

    def invite(self, person: Person) -> str:
        """Staff give somebody a code; it is the last one in `codes`."""
        with self.office() as office:
            issued = office.invite(Msisdn(person.msisdn), person.dni, person.born, "Ana")
        self.codes[person.ref] = issued.code
        return issued.code

    def phone(self, msisdn: str) -> Handset:
        """A phone with this number."""
        return Handset(self.client, msisdn)

    def text(self, msisdn: str, said: str, message_id: str = "") -> list[str]:
        """A phone sends an SMS; what comes back to it, once the worker has done its part."""
        name = message_id or f"sms-{next(_sessions)}"
        origin = Origin("sms", self.settings.cooperative, name, Msisdn(msisdn))
        self.new_sms(msisdn)
        assert self.gateway.receive(Text(origin, "775", Keystrokes(said)))
        self.deliver()
        return self.new_sms(msisdn)

    def deliver(self) -> None:
        """Let the worker do what waits for it."""
        for duty in self.duties:
            with contextlib.suppress(LedgerUnavailableError):  # it is tried again
                duty.run()

    def inbox(self, msisdn: str) -> list[str]:
        """The SMS that a phone received."""
        network = SimulatedNetwork(self.database, self.settings.sms_sender)
        return [sms["text"] for sms in network.inbox(Msisdn(msisdn))]

    def new_sms(self, msisdn: str) -> list[str]:
        """Those of them that were not looked at yet."""
        inbox = self.inbox(msisdn)
        new = inbox[self._read.get(msisdn, 0) :]
        self._read[msisdn] = len(inbox)
        return new

    def balances(self, ref: str) -> dict[str, int]:
        """A member's balances in céntimos, by account."""
        accounts = PostgresLedger(self.database).accounts(ref)
        return {account.code: account.balance.centimos for account in accounts}

    def owner(self) -> psycopg.Connection[Any]:
        """A connection that may look into every table, and change it."""
        app_url = self.settings.database_url.get_secret_value()
        return psycopg.connect(app_url.replace("chaski_app", "chaski_owner"), autocommit=True)

    def worker_dies_after_the_bank_decided(self, phone: Handset, pin: str | None) -> None:
        """The PIN arrives, the money moves, and nothing is kept or shown: kill -9."""
        gateway = self.gateway
        form = {
            "sessionId": phone.session,
            "phoneNumber": phone.msisdn,
            "text": f"{phone.history}*{pin}",
        }
        effects = take(parse(form, gateway.cooperative), gateway.library, gateway.mint_key)
        opening = effects.send(None)
        assert isinstance(opening, Open)
        asked = effects.send(gateway.sessions.open(opening.turn))
        assert isinstance(asked, Perform)
        assert asked.member
        call = asked.call
        assert call.key
        order = Order(
            operation=call.operation,
            values=call.values,
            key=call.key,
            pin=call.pin,
            again_ok=False,
            origin=asked.origin,
            hop="hop",
            language=asked.language,
            book=asked.book,
        )
        assert isinstance(gateway.bank.perform(asked.member, order), Done)
        effects.close()

    def books_are_right(self) -> bool:
        """Whether every balance follows from the entries."""
        return PostgresLedger(self.database).verify()["ok"]


@pytest.fixture
def cooperative(
    database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> Iterator[Cooperative]:
    """The demo cooperative on the morning of its first day."""
    with founded(database_urls, redis_urls) as cooperative:
        yield cooperative


@pytest.fixture
def url(cooperative: Cooperative) -> Iterator[str]:
    """Where the demo cooperative's gateway listens."""
    with listening(cooperative.client.application) as url:
        yield url


@contextmanager
def listening(application: Flask) -> Iterator[str]:
    """The address of an application that answers on a port of its own."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def founded(
    database_urls: tuple[str, str],
    redis_urls: tuple[str, str],
    menus: Path | None = None,
    operations: Mapping[str, Operation] = CATALOGUE,
    sim_swap: SimSwap | None = None,
    environment: Mapping[str, str] | None = None,
    core: StandIn | None = None,
    twin: MemoryLedger | None = None,
    clock: Clock | None = None,
    care: Care | None = None,
) -> Iterator[Cooperative]:
    """The demo cooperative, with menus, operations, an operator, settings, a Fineract or a twin of
    a remote core of its own where a test has some."""
    owner_url, app_url = database_urls
    sessions_url, queue_url = redis_urls
    seed(owner_url, HASHER, TODAY, core.world if core else twin)
    settings = load(
        {
            "CHASKI_DEMO": "yes",
            "CHASKI_DATABASE_URL": app_url,
            "CHASKI_SESSIONS_URL": sessions_url,
            "CHASKI_QUEUE_URL": queue_url,
            "CHASKI_WEBHOOK_SECRETS": DEMO_WEBHOOK_SECRET,
            "CHASKI_SESSION_SECRET": DEMO_SESSION_SECRET,
            "CHASKI_PIN_PEPPERS": json.dumps({"1": DEMO_PEPPER}),
            **({"CHASKI_MENUS": str(menus)} if menus else {}),
            **(environment or {}),
            **(core_variables(core.url) if core else {}),
        }
    )
    clock, keys = clock or Clock(), itertools.count(1)
    parts = Parts(
        now=clock.now,
        mint_key=lambda: str(uuid.UUID(int=next(keys))),
        jitter=lambda: 0.5,
        hasher=HASHER,
        often=clock.often,
        operations=operations,
        sim_swap=sim_swap,
        ledger=(lambda _: twin) if twin else None,
        care=(lambda _: care) if care else None,
    )
    metrics = Metrics()
    gateway = bootstrap.build(settings, metrics, parts)
    with bootstrap.open_database(settings) as database:
        network = SimulatedNetwork(database, settings.sms_sender)
        app = create_app(
            [gateway],
            [
                *webhooks(settings, [gateway], metrics),
                *core_doors([settings], lambda _: database, metrics, clock.now),
            ],
            metrics.registry,
            lambda msisdn: list(network.inbox(Msisdn(msisdn))),
        )
        duties = bootstrap.duties(settings, database, parts)
        client = with_phones(app, settings).test_client()
        yield Cooperative(settings, gateway, client, database, clock, duties, metrics)
    gateway.close()
