"""The gateway over a core that is slow, away, and well again: by the webhook, with real threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from gateway.bounds import CORE_FAILURES_MAX, CORE_PROBE_S, ORDER_AGAIN_MAX_S, ORDER_EXPIRES_S
from gateway.core.breaker import CoreBreaker
from gateway.core.hands import InTurn, Threads
from gateway.core.patience import Patience
from gateway.core.patient import Care
from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.port import AnyOrder, Outcome
from tests.cooperative import TODAY, Clock, Cooperative, Screen, founded
from tests.house import staffed
from tests.people import ROSA, SEGUNDO
from tests.test_without_the_core import Twin

PENDING = "En proceso. Te llega un SMS con el resultado. No lo repitas."


class SlowTwin(Twin):
    """A core that answers to an order when the test lets it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now)
        self.answers = threading.Event()

    def post(self, order: AnyOrder) -> Outcome:
        assert self.answers.wait(30)
        return super().post(order)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(TODAY) as standin:
        yield standin


@pytest.fixture
def fineract(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], standin: StandIn
) -> Iterator[Cooperative]:
    """The demo cooperative over the loopback Fineract."""
    with founded(database_urls, redis_urls, core=standin) as cooperative:
        yield cooperative


def balance(cooperative: Cooperative) -> str:
    segundo = cooperative.phone(SEGUNDO.msisdn)
    segundo.dial("1")
    return segundo.press(SEGUNDO.pin or "").text


def send(cooperative: Cooperative, soles: int) -> Screen:
    segundo = cooperative.phone(SEGUNDO.msisdn)
    segundo.dial(f"2*{ROSA.msisdn[3:]}*{soles}")
    return segundo.press(SEGUNDO.pin or "")


def ready(cooperative: Cooperative) -> tuple[int, bool]:
    response = cooperative.client.get("/health/ready")
    return response.status_code, json.loads(response.text)["beside"]["norandino.core"]


def asked(cooperative: Cooperative) -> str:
    """What the figures say of whether the core is asked."""
    lines = cooperative.client.get("/metrics").text.split("\n")
    return next(line for line in lines if line.startswith("chaski_core_asked")).split()[-1]


def test_a_slow_order_is_under_way_and_both_hear_of_its_end_by_sms(
    database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> None:
    clock = Clock()
    core = SlowTwin(clock)
    hands = Threads("orders", 2, threading.BoundedSemaphore(2))
    # Of the budget some milliseconds are left whenever it is asked: the clock of the hop stands.
    care = Care(InTurn(), hands, Patience(20, lambda: 0), CoreBreaker())
    with founded(database_urls, redis_urls, twin=core, clock=clock, care=care) as cooperative:
        assert send(cooperative, 50) == Screen(PENDING, ends=True)
        assert "En camino: S/ 50.00" in balance(cooperative)
        # What needs no core is served meanwhile.
        assert "Saldo" in cooperative.phone(ROSA.msisdn).dial().text
        core.answers.set()
        hands.shut(30_000)
        cooperative.deliver()
        assert len(cooperative.inbox(SEGUNDO.msisdn)) == 1
        assert len(cooperative.inbox(ROSA.msisdn)) == 1
        assert "Ahorro: S/ 260.00" in balance(cooperative)


class TestFineract:
    def test_is_away_and_nobody_waits_for_it_until_it_is_well_again(
        self, fineract: Cooperative, standin: StandIn
    ) -> None:
        assert "Ahorro: S/ 310.00" in balance(fineract)
        assert (ready(fineract), asked(fineract)) == ((200, True), "1.0")
        send(fineract, 10)  # so that Rosa's accounts are known, too
        fineract.deliver()
        standin.plan.away = True
        for _ in range(CORE_FAILURES_MAX):
            assert "(hoy 10:00)" in balance(fineract)
        # Left alone, and the gateway is ready all the same: a load balancer has to leave it in.
        assert (ready(fineract), asked(fineract)) == ((200, False), "0.0")
        assert send(fineract, 50) == Screen(PENDING, ends=True)
        fineract.new_sms(SEGUNDO.msisdn)
        standin.plan.away = False
        fineract.clock.pass_time(seconds=CORE_PROBE_S)
        assert (ready(fineract), asked(fineract)) == ((200, True), "1.0")
        fineract.deliver()
        fineract.deliver()  # the worker's own way to the core; then the SMS
        (told,) = fineract.new_sms(SEGUNDO.msisdn)
        assert told.startswith("Enviaste S/ 50.00 a Rosa Q.")
        assert "Ahorro: S/ 250.00" in balance(fineract)

    def test_was_away_for_too_long_and_the_order_is_not_done(
        self, fineract: Cooperative, standin: StandIn
    ) -> None:
        balance(fineract)
        send(fineract, 10)
        fineract.deliver()
        fineract.new_sms(SEGUNDO.msisdn)
        standin.plan.away = True
        assert send(fineract, 50) == Screen(PENDING, ends=True)
        fineract.clock.pass_time(seconds=ORDER_EXPIRES_S)
        fineract.deliver()
        fineract.deliver()
        (told,) = fineract.new_sms(SEGUNDO.msisdn)
        assert told.startswith("Tu pedido de S/ 50.00 NO se hizo")
        standin.plan.away = False
        fineract.clock.pass_time(seconds=ORDER_AGAIN_MAX_S)
        fineract.deliver()
        assert "Ahorro: S/ 300.00" in balance(fineract)

    @pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.HTML_502_AFTER])
    def test_lost_an_answer_and_the_order_is_done_once(
        self, fineract: Cooperative, standin: StandIn, fault: Fault
    ) -> None:
        standin.plan.plan([fault])
        assert send(fineract, 50) == Screen(PENDING, ends=True)
        fineract.clock.pass_time(seconds=ORDER_AGAIN_MAX_S)
        fineract.deliver()
        fineract.deliver()
        (told,) = fineract.new_sms(SEGUNDO.msisdn)
        assert told.startswith("Enviaste S/ 50.00 a Rosa Q.")
        assert "Ahorro: S/ 260.00" in balance(fineract)

    def test_wants_a_checker_and_the_next_order_need_not_wait(
        self, fineract: Cooperative, standin: StandIn
    ) -> None:
        standin.plan.plan([Fault.APPROVAL])
        assert send(fineract, 50) == Screen(PENDING, ends=True)
        assert send(fineract, 20).text.startswith("Listo: enviaste S/ 20.00")
        assert "Ahorro: S/ 240.00\nEn camino: S/ 50.00" in balance(fineract)

    def test_is_asked_by_staff_again_once_it_is_well(
        self, fineract: Cooperative, standin: StandIn, database_urls: tuple[str, str]
    ) -> None:
        """Their pages find out with the members, whoever met its failures."""
        with staffed(fineract, database_urls) as house:
            ana = house.signed_in("ana")
            ana.see("/socios")
            standin.plan.away = True
            for _ in range(CORE_FAILURES_MAX):
                assert "no responde" in ana.send("/socios", who=ROSA.dni).text
            assert asked(fineract) == "0.0"
            standin.plan.away = False
            fineract.clock.pass_time(seconds=CORE_PROBE_S)
            ana.see("/socios")
            found = ana.send("/socios", who=ROSA.dni)
            assert found.headers["Location"].endswith(f"/socios/{ROSA.ref}")
