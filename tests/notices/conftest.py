"""A fresh outbox, and small stand-ins for the member's words and the network."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from gateway.db.pool import Database
from gateway.notices.drain import Drain
from gateway.notices.outbox import Fact, Outbox
from gateway.notices.senders import Delivery, Limits, Sent, Sms
from gateway.values.msisdn import Msisdn

Tell = Callable[..., None]


class Network:
    """A sender that notes what it was given, and answers what the test says."""

    def __init__(
        self,
        answer: Callable[[Sms], Delivery],
        name: str = "network",
        per_second: float = 1_000,
        segments_max: int = 10,
    ) -> None:
        self.name = name
        self.limits = Limits(per_second, segments_max)
        self.taken: list[str] = []
        self._answer = answer
        self._lock = threading.Lock()

    def send(self, sms: Sms) -> Delivery:
        with self._lock:
            self.taken.append(sms.text)
        return self._answer(sms)


class PlainWording:
    """Says the fact's reference, to a number made of it."""

    def compose(self, fact: Fact) -> Sms | None:
        if fact.name == "transfer_own":
            return None
        reference = fact.detail["reference"]
        return Sms(Msisdn(f"+51987{int(reference):06d}"), f"Op. {reference}")


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_urls[0], autocommit=True) as connection:
        yield connection


@pytest.fixture
def database(database_urls: tuple[str, str]) -> Iterator[Database]:
    opened = Database(database_urls[1], size_max=10)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


@pytest.fixture
def tell(owner: psycopg.Connection[Any]) -> Tell:
    """Writes facts as another room's SQL would; their references are the numbers given."""

    def write(*references: int, fact: str = "transfer_sent") -> None:
        with owner.cursor() as cursor:
            cursor.executemany(
                "select notices.tell(%s, %s, %s)",
                [(fact, "rosa", json.dumps({"reference": str(number)})) for number in references],
            )

    return write


@pytest.fixture
def rows(owner: psycopg.Connection[Any]) -> Callable[[], list[tuple[Any, ...]]]:
    """Every outbox row as (state, attempts, reason, provider_id, seconds until it is due)."""

    def read() -> list[tuple[Any, ...]]:
        return owner.execute(
            "select state, attempts, reason,"
            " (select provider_id from notices.submissions s where s.notice_id = o.id"
            "  order by taken_at desc limit 1),"
            " extract(epoch from due_at - clock_timestamp())::float"
            " from notices.outbox o order by id"
        ).fetchall()

    return read


@pytest.fixture
def network() -> type[Network]:
    return Network


@pytest.fixture
def taking() -> Network:
    """A network that takes everything."""
    return Network(lambda sms: Sent(f"id {sms.text}", "network", segments=1))


@pytest.fixture
def drain_with(outbox: Outbox) -> Callable[..., Drain]:
    """A drain over the fresh outbox, without jitter."""

    def build(sender: Network, **given: Any) -> Drain:
        parts = {"outbox": outbox, "wording": PlainWording(), "jitter": lambda: 0.0}
        return Drain(sender=sender, **{**parts, **given})

    return build
