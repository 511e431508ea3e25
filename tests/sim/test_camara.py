"""CAMARA SIM Swap: whatever an operator answers, or does not, is an answer to the bank."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.bounds import SIM_BUDGET_MS, SIM_FAILURES_MAX, SIM_SHUT_S
from gateway.channels import asking
from gateway.sim.camara import CamaraSimSwap, Contract
from gateway.sim.null import NullSimSwap
from gateway.sim.port import Answer as Said
from gateway.sim.port import Changed, NotChanged, Unknown
from gateway.values.msisdn import Msisdn
from tests.channels.standin import Answer, Heard, StandIn, stand_in
from tests.people import ROSA

PHONE = Msisdn(ROSA.msisdn)
TOKEN = Answer(200, '{"access_token": "t-1", "token_type": "Bearer", "expires_in": 3600}')
NEW_TOKEN = Answer(200, '{"access_token": "t-2", "expires_in": 3600}')
SWAPPED = Answer(200, '{"swapped": true}')
STILL_THE_SAME = Answer(200, '{"swapped": false}')
OUT_OF_RANGE = Answer(400, '{"status": 400, "code": "OUT_OF_RANGE", "message": "too far back"}')
WHEN = Answer(200, '{"latestSimChange": "2026-11-22T18:10:00.000-05:00", "monitoredPeriod": 120}')
NEVER = Answer(200, '{"latestSimChange": null, "monitoredPeriod": 120}')
AT = dt.datetime(2026, 11, 22, 23, 10, tzinfo=dt.UTC)
# A stand-in that keeps silent costs a test this long.
QUICK_MS = 300


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def operator() -> Iterator[StandIn]:
    with stand_in() as provider:
        yield provider


def asks(
    operator: StandIn,
    clock: Callable[[], float] = time.monotonic,
    budget_ms: int = SIM_BUDGET_MS,
    shut_s: float = SIM_SHUT_S,
) -> CamaraSimSwap:
    """An adapter with a contract with this operator."""
    contract = Contract(
        url=f"{operator.url}/sim-swap/v2",
        token_url=f"{operator.url}/token",
        client_id="chaski",
        client_secret="well-kept",
        scope="sim-swap:check",
    )
    half_s = budget_ms / 2 / 1000
    session = asking.session(connect_timeout_s=half_s, answer_timeout_s=half_s)
    return CamaraSimSwap(contract, session, budget_ms, clock, shut_s)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        # No token.
        ([Answer(500)], Unknown("no_token")),
        ([Answer(401, '{"error": "invalid_client"}')], Unknown("no_token")),
        ([Answer(200, "<html>")], Unknown("no_token")),
        ([Answer(200, '{"access_token": 7}')], Unknown("no_token")),
        ([Answer(200, '{"access_token": "señal"}')], Unknown("no_token")),
        # No answer.
        ([TOKEN, Answer(breaks=True)], Unknown("ConnectionError")),
        ([TOKEN, Answer(500)], Unknown("status_500")),
        ([TOKEN, Answer(429, '{"code": "TOO_MANY_REQUESTS"}')], Unknown("status_429")),
        ([TOKEN, Answer(302, headers={"Location": "http://elsewhere/"})], Unknown("status_302")),
        ([TOKEN, Answer(200, "swapped")], Unknown("unreadable")),
        ([TOKEN, Answer(200, "[true]")], Unknown("unreadable")),
        ([TOKEN, Answer(200, '{"swapped": "no"}')], Unknown("unreadable")),
        ([TOKEN, Answer(200, "{}")], Unknown("unreadable")),
        ([TOKEN, Answer(200, b"\xff\xfe")], Unknown("unreadable")),
        ([TOKEN, Answer(400, '{"code": "INVALID_ARGUMENT"}')], Unknown("bad_request")),
        # About the number.
        ([TOKEN, Answer(404, '{"code": "IDENTIFIER_NOT_FOUND"}')], Unknown("status_404")),
        ([TOKEN, Answer(403, '{"code": "PERMISSION_DENIED"}')], Unknown("status_403")),
        ([TOKEN, Answer(422, '{"code": "SERVICE_NOT_APPLICABLE"}')], Unknown("status_422")),
        # A token that is no longer good, and one that never is.
        ([TOKEN, Answer(401), NEW_TOKEN, STILL_THE_SAME], NotChanged()),
        ([TOKEN, Answer(401), NEW_TOKEN, Answer(401)], Unknown("status_401")),
        # It was changed; when, is not always said.
        ([TOKEN, SWAPPED, WHEN], Changed(AT)),
        ([TOKEN, SWAPPED, NEVER], Changed(None)),
        ([TOKEN, SWAPPED, Answer(500)], Changed(None)),
        ([TOKEN, SWAPPED, Answer(404)], Changed(None)),
        ([TOKEN, SWAPPED, Answer(200, '{"latestSimChange": "yesterday"}')], Changed(None)),
        ([TOKEN, SWAPPED, Answer(200, '{"latestSimChange": "2026-11-22"}')], Changed(None)),
        # It remembers less: a change is one, no change says nothing of the time before.
        ([TOKEN, OUT_OF_RANGE, STILL_THE_SAME], Unknown("out_of_range")),
        ([TOKEN, OUT_OF_RANGE, SWAPPED, WHEN], Changed(AT)),
        ([TOKEN, OUT_OF_RANGE], Unknown("out_of_range")),
        ([TOKEN, STILL_THE_SAME], NotChanged()),
    ],
)
def test_what_an_operator_says(operator: StandIn, answers: list[Answer], said: Said) -> None:
    operator.answers(*answers)

    assert asks(operator).changed_since(PHONE, 72) == said


def test_it_is_asked_by_the_book(operator: StandIn) -> None:
    """As the client, then as the bearer of its token, which is kept for the next question."""
    operator.answers(TOKEN, STILL_THE_SAME)
    adapter = asks(operator)

    adapter.changed_since(PHONE, 72)
    adapter.changed_since(PHONE, 999_999)

    token, first, second = operator.heard
    assert token.path == "/token"
    assert token.form == {"grant_type": "client_credentials", "scope": "sim-swap:check"}
    assert token.headers["Authorization"].startswith("Basic ")
    assert (first.method, first.path) == ("POST", "/sim-swap/v2/check")
    assert json.loads(first.body) == {"phoneNumber": ROSA.msisdn, "maxAge": 72}
    assert first.headers["Authorization"] == "Bearer t-1"
    assert json.loads(second.body)["maxAge"] == 2_400


def test_less_is_asked_for_until_the_operator_remembers(operator: StandIn) -> None:
    operator.answers(TOKEN, OUT_OF_RANGE, OUT_OF_RANGE, SWAPPED, WHEN)

    assert asks(operator).changed_since(PHONE, 72) == Changed(AT)

    bodies = [json.loads(heard.body) for heard in operator.heard[1:4]]
    assert [body["maxAge"] for body in bodies] == [72, 24, 8]


def test_a_token_is_not_used_to_its_last_second(operator: StandIn) -> None:
    operator.answers(TOKEN, STILL_THE_SAME, NEW_TOKEN, STILL_THE_SAME)
    clock = Clock()
    adapter = asks(operator, clock)
    adapter.changed_since(PHONE, 72)
    clock.seconds += 3_590

    adapter.changed_since(PHONE, 72)

    assert [heard.path for heard in operator.heard].count("/token") == 2
    assert operator.heard[-1].headers["Authorization"] == "Bearer t-2"


@pytest.mark.parametrize("slow", [Answer(silent=True), Answer(200, "{}" * 999, trickles="body")])
def test_an_operator_that_is_slow_is_not_waited_for(operator: StandIn, slow: Answer) -> None:
    """Neither one that is silent nor one that sends a letter now and then."""
    operator.answers(TOKEN, slow)

    said = asks(operator, budget_ms=QUICK_MS).changed_since(PHONE, 72)

    assert isinstance(said, Unknown)
    assert len(operator.heard) == 2


def test_what_is_left_of_the_budget_is_not_begun_with(operator: StandIn) -> None:
    """The token took its time: the question itself would come too late."""
    clock = Clock()
    adapter = asks(operator, clock)
    operator.answers(TOKEN, STILL_THE_SAME)
    taken = operator.take

    def slowly(heard: Heard) -> Answer:
        clock.seconds += SIM_BUDGET_MS / 1000
        return taken(heard)

    operator.take = slowly  # type: ignore[method-assign]

    assert adapter.changed_since(PHONE, 72) == Unknown("out_of_time")
    assert [heard.path for heard in operator.heard] == ["/token"]


def test_an_operator_that_is_away_costs_a_member_nothing(operator: StandIn) -> None:
    """After some failures in a row nobody waits for it."""
    operator.answers(TOKEN, Answer(500))
    adapter = asks(operator)
    for _ in range(SIM_FAILURES_MAX):
        assert adapter.changed_since(PHONE, 72) == Unknown("status_500")
    asked = len(operator.heard)

    assert adapter.changed_since(PHONE, 72) == Unknown("left_alone")
    assert len(operator.heard) == asked


def test_an_operator_that_is_well_again_is_asked_again(operator: StandIn) -> None:
    """One member tries; then all are asked for."""
    operator.answers(TOKEN, Answer(500))
    adapter = asks(operator, shut_s=0)
    for _ in range(SIM_FAILURES_MAX):
        adapter.changed_since(PHONE, 72)
    operator.answers(STILL_THE_SAME)

    said = [adapter.changed_since(PHONE, 72) for _ in range(2)]

    assert said == [NotChanged(), NotChanged()]


def test_members_do_not_wait_for_one_another(operator: StandIn) -> None:
    """The operator answers nobody until it has heard them all."""
    operator.answers(TOKEN, STILL_THE_SAME)
    adapter = asks(operator, budget_ms=10_000)
    adapter.changed_since(PHONE, 72)
    together, taken = threading.Barrier(4), operator.take

    def all_at_once(heard: Heard) -> Answer:
        together.wait(timeout=4)
        return taken(heard)

    operator.take = all_at_once  # type: ignore[method-assign]
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: adapter.changed_since(PHONE, 72), range(4)))

    assert said == [NotChanged()] * 4


def test_a_number_that_it_does_not_know_is_no_failure_of_its(operator: StandIn) -> None:
    operator.answers(TOKEN, Answer(404))
    adapter = asks(operator)

    said = [adapter.changed_since(PHONE, 72) for _ in range(2 * SIM_FAILURES_MAX)]

    assert said == [Unknown("status_404")] * (2 * SIM_FAILURES_MAX)


def test_nothing_secret_is_shown(operator: StandIn) -> None:
    contract = Contract(operator.url, operator.url, "chaski", "well-kept")

    assert "well-kept" not in repr(contract)


def test_without_a_contract_nobody_knows() -> None:
    assert NullSimSwap().changed_since(PHONE, 72) == Unknown("no_contract")
