"""Two processes over one database: a book is published while members are dialling."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from gateway import bootstrap
from gateway.bootstrap import Parts
from gateway.bounds import RELOAD_EVERY_S
from gateway.driver import Gateway
from gateway.library.shelf import Shelf
from gateway.menus import Pages
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.settings import Settings
from gateway.web import create_app
from tests.cooperative import HASHER, Clock, Cooperative, Handset
from tests.people import ELMER, ROSA, SEGUNDO
from tests.test_stores_away import Line

Greet = Callable[[str], Pages]
Start = Callable[..., "Process"]
Processes = tuple["Process", "Process"]


class Process:
    """One gateway process, over the stores and on the clock of the demo cooperative."""

    def __init__(self, settings: Settings, clock: Clock, keys: Iterator[int]) -> None:
        metrics = Metrics()
        parts = Parts(
            now=clock.now,
            mint_key=lambda: str(uuid.UUID(int=next(keys))),
            hasher=HASHER,
            often=clock.often,
        )
        self.gateway: Gateway = bootstrap.build(settings, metrics, parts)
        self.client = create_app(
            [self.gateway], webhooks(settings, [self.gateway], metrics), metrics.registry
        ).test_client()

    def dial(self, msisdn: str) -> tuple[Handset, str]:
        """Dial, and see the first line of the home menu."""
        phone = Handset(self.client, msisdn)
        return phone, phone.dial().text.split("\n")[0]

    def take_over(self, phone: Handset) -> Handset:
        """The load balancer sends the session's next hop here."""
        phone.client = self.client
        return phone


@pytest.fixture
def start(cooperative: Cooperative) -> Iterator[Start]:
    """Starts processes, and stops them all in the end. They may reach PostgreSQL by another URL."""
    started: list[Process] = []
    keys = itertools.count(1_000_000)

    def start(database_url: str = "") -> Process:
        settings = cooperative.settings
        if database_url:
            settings = settings.model_copy(update={"database_url": SecretStr(database_url)})
        started.append(Process(settings, cooperative.clock, keys))
        return started[-1]

    yield start
    for process in started:
        process.gateway.close()


@pytest.fixture
def processes(start: Start, office: Shelf, greeting: Greet) -> Processes:
    """Two of them, which serve the first published book."""
    office.publish(greeting("Hola"), "Carmen")
    return start(), start()


def test_within_the_bound_every_process_serves_the_new_book_without_a_restart(
    processes: Processes, office: Shelf, greeting: Greet, cooperative: Cooperative
) -> None:
    """Not earlier than a process looks, and none is forgotten."""
    assert [process.dial(ROSA.msisdn)[1] for process in processes] == ["Hola Rosa"] * 2

    office.publish(greeting("Alo"), "Carmen")
    cooperative.clock.pass_time(seconds=RELOAD_EVERY_S)

    assert [process.dial(ROSA.msisdn)[1] for process in processes] == ["Alo Rosa"] * 2


def test_sessions_under_way_end_on_the_book_that_they_began_with(
    processes: Processes, office: Shelf, greeting: Greet, cooperative: Cooperative
) -> None:
    """In both processes, up to the money: nobody is dropped, and no key changes under a thumb."""
    phones = [
        process.dial(person.msisdn)[0]
        for process, person in zip(processes, (ROSA, SEGUNDO), strict=True)
    ]
    office.publish(greeting("Alo"), "Carmen")
    cooperative.clock.pass_time(seconds=RELOAD_EVERY_S)

    for phone, person, payee in zip(phones, (ROSA, SEGUNDO), (ELMER, ELMER), strict=True):
        phone.press("2")
        assert phone.press("00").text.startswith(f"Hola {person.called}")
        paid = phone.press("2", payee.msisdn.removeprefix("+51"), "10", str(person.pin))
        assert paid.text.startswith("Listo: enviaste S/ 10.00")


def test_a_session_goes_on_in_a_process_that_never_saw_its_book(
    processes: Processes, start: Start, office: Shelf, greeting: Greet
) -> None:
    """It reads it from the shelf: that process started after the next book was published."""
    phone, _ = processes[0].dial(ROSA.msisdn)
    office.publish(greeting("Alo"), "Carmen")
    late = start()
    assert late.dial(SEGUNDO.msisdn)[1] == "Alo Segundo"

    late.take_over(phone)

    phone.press("2")
    assert phone.press("00").text.startswith("Hola Rosa")


def test_a_session_of_the_new_book_goes_on_in_a_process_that_has_not_looked_yet(
    processes: Processes, start: Start, office: Shelf, greeting: Greet
) -> None:
    """Hops of one session reach any process, also within the seconds of a reload."""
    office.publish(greeting("Alo"), "Carmen")
    phone, first = start().dial(ROSA.msisdn)
    assert first == "Alo Rosa"

    processes[0].take_over(phone)

    phone.press("2")
    assert phone.press("00").text.startswith("Alo Rosa")
    assert processes[0].dial(SEGUNDO.msisdn)[1] == "Hola Segundo"


def test_a_session_whose_book_is_nowhere_is_asked_to_dial_again(
    cooperative: Cooperative, start: Start, office: Shelf, greeting: Greet
) -> None:
    """It began on the folder's menus in a process before anything was published, and that process
    is gone."""
    began = start()
    phone, _ = began.dial(ROSA.msisdn)
    office.publish(greeting("Alo"), "Carmen")
    start().take_over(phone)

    sorry = phone.press("2")

    assert sorry.ends
    assert "Marca de nuevo" in sorry.text
    assert phone.dial().text.startswith("Alo Rosa")


def test_a_session_whose_book_cannot_be_read_now_gets_an_apology(
    processes: Processes, start: Start, line: Line, wired_url: str, office: Shelf, greeting: Greet
) -> None:
    """PostgreSQL is away, and this process never read it: a valid last screen, and no fault."""
    phone, _ = processes[0].dial(ROSA.msisdn)
    office.publish(greeting("Alo"), "Carmen")
    late = start(wired_url)
    line.cut()
    late.take_over(phone)

    sorry = phone.press("2")

    assert sorry.ends
    assert "Tu dinero esta seguro" in sorry.text


def test_a_book_of_a_newer_version_changes_nothing_here(
    processes: Processes, office: Shelf, newer: Pages, cooperative: Cooperative
) -> None:
    """Its sessions go on elsewhere; ours go on with what they can read."""
    office.publish(newer, "Carmen")
    cooperative.clock.pass_time(seconds=RELOAD_EVERY_S)

    assert [process.dial(ROSA.msisdn)[1] for process in processes] == ["Hola Rosa"] * 2


def test_going_back_is_publishing_the_book_before_again(
    processes: Processes, office: Shelf, greeting: Greet, cooperative: Cooperative
) -> None:
    """A mistake is mended as fast as it was made."""
    for word in ("Alo", "Hola"):
        office.publish(greeting(word), "Carmen")
        cooperative.clock.pass_time(seconds=RELOAD_EVERY_S)
        assert [process.dial(ROSA.msisdn)[1] for process in processes] == [f"{word} Rosa"] * 2


def test_receipts_are_worded_by_the_book_in_force(
    processes: Processes, office: Shelf, cooperative: Cooperative, greeting: Greet
) -> None:
    """The worker is a process like the others."""
    texts = greeting("Hola").texts
    office.publish(
        Pages({name: text.replace("Enviaste {", "Mandaste {") for name, text in texts.items()}),
        "Carmen",
    )
    phone, _ = processes[0].dial(ROSA.msisdn)
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "10", str(ROSA.pin))

    cooperative.deliver()

    assert any(sms.startswith("Mandaste S/ 10.00") for sms in cooperative.new_sms(ROSA.msisdn))
