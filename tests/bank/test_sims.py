"""A new SIM looks, and moves nothing until staff have seen its member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.bounds import SIM_ANSWER_S, SIM_UNKNOWN_S
from gateway.sim.port import Answer, Changed, NotChanged, Unknown
from gateway.values.msisdn import Msisdn
from tests.cooperative import MORNING, Cooperative, Screen, founded
from tests.people import ROSA, SEGUNDO

AN_HOUR_AGO = MORNING - dt.timedelta(hours=1)
LOOK_ONLY = "ahora solo puedes mirar"


class Operator:
    """Says what the test says, and counts how often it was asked."""

    def __init__(self, says: Answer) -> None:
        self.says = says
        self.asked: list[tuple[str, int]] = []

    def changed_since(self, msisdn: Msisdn, hours: int) -> Answer:
        self.asked.append((msisdn.e164, hours))
        return self.says


Founding = Iterator[tuple[Cooperative, Operator]]


@contextmanager
def operated(
    urls: tuple[tuple[str, str], tuple[str, str]], says: Answer, unknown: str = "allow"
) -> Founding:
    operator = Operator(says)
    environment = {"CHASKI_SIM_SWAP_UNKNOWN": unknown}
    with founded(*urls, sim_swap=operator, environment=environment) as cooperative:
        yield cooperative, operator


@pytest.fixture
def urls(
    database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> tuple[tuple[str, str], tuple[str, str]]:
    return database_urls, redis_urls


def sends(cooperative: Cooperative, centimos: str = "50") -> Screen:
    """Rosa says what to send, and puts her PIN if she is asked for it."""
    phone = cooperative.phone(ROSA.msisdn)
    screen = phone.dial(f"2*987000002*{centimos}")
    return phone.press(str(ROSA.pin)) if "PIN:" in screen.text else screen


def trust(cooperative: Cooperative) -> None:
    with cooperative.owner() as owner:
        owner.execute(
            "select instructions.trust_again(%s, 'sim_changed', 'ana', %s)",
            (ROSA.ref, cooperative.clock.now()),
        )


@pytest.mark.parametrize("at", [AN_HOUR_AGO, None])
def test_a_new_sim_only_looks(
    urls: tuple[tuple[str, str], tuple[str, str]], at: dt.datetime | None
) -> None:
    """Rosa is told on the screen and by SMS, once, and still reads her balance."""
    with operated(urls, Changed(at)) as (cooperative, _):
        assert LOOK_ONLY in sends(cooperative).text
        assert LOOK_ONLY in sends(cooperative, "60").text
        phone = cooperative.phone(ROSA.msisdn)
        phone.dial("1")
        assert "S/ 1,250.50" in phone.press(str(ROSA.pin)).text

        cooperative.deliver()
        told = [sms for sms in cooperative.new_sms(ROSA.msisdn) if "chip de este numero" in sms]
        assert len(told) == 1


def test_the_order_itself_is_refused_where_the_question_was_slipped_past(
    urls: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    """The operator learns of the change while Rosa puts her PIN."""
    with operated(urls, NotChanged()) as (cooperative, _):
        phone = cooperative.phone(ROSA.msisdn)
        assert "PIN:" in phone.dial("2*987000002*50").text
        with cooperative.owner() as owner:
            owner.execute(
                "select instructions.sim_changed(%s, %s, interval '72 hours', %s)",
                (ROSA.ref, AN_HOUR_AGO, MORNING),
            )

        assert LOOK_ONLY in phone.press(str(ROSA.pin)).text
        assert cooperative.balances(SEGUNDO.ref) == {"100-0002": 310_00}


def test_an_operator_is_asked_once_for_some_hours_and_never_at_a_dial(
    urls: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    with operated(urls, NotChanged()) as (cooperative, operator):
        phone = cooperative.phone(ROSA.msisdn)
        phone.dial("1")
        phone.press(str(ROSA.pin))
        assert operator.asked == []

        assert "Listo" in sends(cooperative).text
        assert "Listo" in sends(cooperative, "60").text
        assert operator.asked == [(ROSA.msisdn, 72)]

        cooperative.clock.pass_time(seconds=SIM_ANSWER_S + 1)
        sends(cooperative, "70")
        assert len(operator.asked) == 2


def test_staff_who_have_seen_the_member_are_not_contradicted(
    urls: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    """The operator goes on saying that there was a change: the one that staff know of. Another one
    after that is another one."""
    with operated(urls, Changed(AN_HOUR_AGO)) as (cooperative, operator):
        sends(cooperative)
        trust(cooperative)
        assert "Listo" in sends(cooperative).text

        cooperative.clock.pass_time(seconds=SIM_ANSWER_S + 1)
        assert "Listo" in sends(cooperative, "60").text

        operator.says = Changed(cooperative.clock.now())
        cooperative.clock.pass_time(seconds=SIM_ANSWER_S + 1)
        assert LOOK_ONLY in sends(cooperative, "70").text


@pytest.mark.parametrize(
    ("policy", "level", "said"),
    [("look_only", "look_only", LOOK_ONLY), ("careful", "careful", "Listo"), ("allow", "", "")],
)
def test_what_unknown_means_is_the_cooperatives_policy(
    urls: tuple[tuple[str, str], tuple[str, str]], policy: str, level: str, said: str
) -> None:
    """For a while: by then the operator may be back."""
    with operated(urls, Unknown("left_alone"), policy) as (cooperative, operator):
        assert said in sends(cooperative).text
        with cooperative.owner() as owner:
            found = owner.execute("select level, until from instructions.caution").fetchall()
        until = MORNING + dt.timedelta(seconds=SIM_UNKNOWN_S)
        assert found == ([(level, until)] if level else [])

        operator.says = NotChanged()
        cooperative.clock.pass_time(seconds=SIM_UNKNOWN_S + 1)
        assert "Listo" in sends(cooperative, "60").text
