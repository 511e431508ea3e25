from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from gateway.notices.line import Line, LineBounds, Shut
from gateway.notices.router import Router, RoutesError, read_routes
from gateway.notices.senders import (
    Away,
    Delivery,
    Misconfigured,
    Never,
    NotNow,
    OptedOut,
    Sent,
    Sms,
    TryLater,
)
from gateway.values.msisdn import Msisdn
from tests.notices.conftest import Network

PERUVIAN = Sms(Msisdn("+51987000001"), "Op. 1")
CHILEAN = Sms(Msisdn("+56987000001"), "Op. 1")
AWAY = TryLater("HTTP 503")
QUICK = LineBounds(failures_max=3, shut_s=0.3, pace_wait_s=0.05)


class Watched:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, int]] = []
        self.paces: list[str] = []
        self.lines: list[tuple[str, bool]] = []

    def answered(self, sender: str, answer: str, segments: int, seconds: float) -> None:
        assert seconds >= 0
        self.answers.append((sender, answer, segments))

    def paced(self, sender: str) -> None:
        self.paces.append(sender)

    def line(self, sender: str, *, open_: bool) -> None:
        self.lines.append((sender, open_))

    def reported(self, sender: str, state: str) -> None:
        raise AssertionError("a router hears of no report")


def saying(name: str, *answers: Delivery, per_second: float = 1_000) -> Network:
    """A sender that answers these, and the last one for ever."""
    left = list(answers)

    def answer(_sms: Sms) -> Delivery:
        return left.pop(0) if len(left) > 1 else left[0]

    return Network(answer, name, per_second)


def taking(name: str) -> Network:
    return saying(name, Sent("x"))


# ---- Routes ----------------------------------------------------------------------------------

NAMES = ("infobip", "twilio")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("twilio", "no JSON"),
        ("[]", "an object"),
        ('"twilio"', "an object"),
        ("{}", "an object"),
        ('{"51": ["twilio"]}', '"51"'),
        ('{"+0": ["twilio"]}', r'"\+0"'),
        ('{"+51 ": ["twilio"]}', r'"\+51 "'),
        ('{"+51": "twilio"}', r'"\+51" has no list'),
        ('{"+51": []}', r'"\+51" has no list'),
        ('{"+51": [1]}', r'"\+51" has no list'),
        ('{"+51": {"twilio": 1}}', r'"\+51" has no list'),
        ('{"+51": ["claro"]}', "no sender claro here; there are: infobip, twilio"),
        ('{"+51": ["twilio", "twilio"]}', "twilio stands there twice"),
        ('{"": ["twilio"], "": ["infobip"]}', '"" stands there twice'),
    ],
)
def test_routes_that_are_wrong_are_refused_by_name(text, named):
    with pytest.raises(RoutesError, match=named):
        read_routes(text, NAMES)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(RoutesError) as refused:
        read_routes('{"51": ["twilio"], "+56": ["claro", "entel"]}', NAMES)
    assert len(str(refused.value).splitlines()) == 3


def test_without_routes_every_number_goes_by_all_senders_in_their_order():
    assert read_routes(" ", NAMES) == {"": ("infobip", "twilio")}


def test_routes_are_names_by_prefix():
    routes = read_routes('{"+51": ["infobip", "twilio"], "": ["twilio"]}', NAMES)
    assert routes == {"+51": ("infobip", "twilio"), "": ("twilio",)}


def test_two_senders_of_one_name_are_refused():
    with pytest.raises(RoutesError, match="same name"):
        Router([taking("twilio"), taking("twilio")], {"": ("twilio",)})


# ---- Which way -------------------------------------------------------------------------------


def test_the_longest_prefix_decides_whatever_the_order_they_are_given_in():
    senders = [taking(name) for name in ("any", "peru", "piura")]
    routes = {"": ("any",), "+51987": ("piura",), "+51": ("peru",)}
    router = Router(senders, routes)

    def by(number: str) -> str:
        sent = router.send(Sms(Msisdn(number), "x"))
        assert isinstance(sent, Sent)
        return sent.sender

    assert by("+51987000001") == "piura"
    assert by("+51912000001") == "peru"
    assert by("+56987000001") == "any"


def test_a_number_that_no_route_leads_to_is_never_sent_to():
    router = Router([taking("peru")], {"+51": ("peru",)})
    assert router.send(CHILEAN) == Never("no route leads to this number")


def test_what_was_sent_names_its_sender_and_its_segments():
    router = Router([taking("infobip")], {"": ("infobip",)})
    assert router.send(Sms(Msisdn("+51987000001"), "a" * 161)) == Sent("x", "infobip", 2)


def test_what_a_provider_counted_stays():
    router = Router([saying("infobip", Sent("x", "infobip", 3))], {"": ("infobip",)})
    assert router.send(PERUVIAN) == Sent("x", "infobip", 3)


def test_who_told_a_sender_to_stop_told_that_one():
    router = Router([saying("twilio", OptedOut("21610"))], {"": ("twilio",)})
    assert router.send(PERUVIAN) == OptedOut("21610", "twilio")


def test_a_text_that_is_too_long_is_never_cut():
    small, large = Network(lambda _: Sent("x"), "small", segments_max=2), taking("large")
    long = Sms(Msisdn("+51987000001"), "a" * 400)
    both = Router([small, large], {"+51": ("small", "large"), "": ("small",)})
    assert both.send(long) == Sent("x", "large", 3)
    assert both.send(Sms(Msisdn("+56987000001"), "a" * 400)) == Never("too long: 3 segments")
    assert small.taken == []


@pytest.mark.parametrize(
    "answer",
    [AWAY, TryLater("sent too fast", 5), Never("not a mobile"), OptedOut("21610", "first")],
)
def test_an_answer_about_the_message_is_the_answer_and_nobody_else_is_asked(answer):
    first, second = saying("first", answer), taking("second")
    assert Router([first, second], {"": ("first", "second")}).send(PERUVIAN) == answer
    assert second.taken == []


def test_an_error_may_be_a_message_that_was_taken_so_nobody_else_is_asked():
    def break_down(_sms: Sms) -> Delivery:
        raise ConnectionResetError

    second = taking("second")
    router = Router([Network(break_down, "first"), second], {"": ("first", "second")}, bounds=QUICK)
    for _ in range(QUICK.failures_max):
        with pytest.raises(ConnectionResetError):
            router.send(PERUVIAN)
    assert second.taken == []
    assert router.send(PERUVIAN) == Sent(
        "x", "second", 1
    )  # it speaks against the line all the same


def test_a_provider_that_refuses_us_is_passed_by_at_once():
    first, second = saying("first", Misconfigured("wrong token")), taking("second")
    router = Router([first, second], {"": ("first", "second")})
    assert router.send(PERUVIAN) == Sent("x", "second", 1)


def test_past_a_provider_that_nothing_leads_to_the_next_one_is_asked_until_the_line_is_shut():
    first, second = saying("first", Away("not bound")), taking("second")
    watched = Watched()
    router = Router([first, second], {"": ("first", "second")}, watched, QUICK)
    for _ in range(QUICK.failures_max + 2):
        assert router.send(PERUVIAN) == Sent("x", "second", 1)
    assert len(first.taken) == QUICK.failures_max
    assert watched.answers[0] == ("first", "away", 1)
    assert watched.lines == [("first", False)]
    alone = Router([saying("first", Away("not bound"))], {"": ("first",)})
    assert alone.send(PERUVIAN) == Away("not bound")


def test_refused_by_all_says_why():
    senders = [saying("first", Misconfigured("one")), saying("second", Misconfigured("two"))]
    assert Router(senders, {"": ("first", "second")}).send(PERUVIAN) == Misconfigured("two")


def test_past_a_way_that_is_shut_the_next_one_is_taken_and_when_all_are_it_is_said_until_when():
    first, second = saying("first", AWAY), saying("second", Sent("x"), AWAY)
    router = Router([first, second], {"": ("first", "second")}, bounds=QUICK)
    for _ in range(QUICK.failures_max):
        assert router.send(PERUVIAN) == AWAY
    assert router.send(PERUVIAN) == Sent("x", "second", 1)
    for _ in range(QUICK.failures_max):
        assert router.send(PERUVIAN) == AWAY

    asked = len(first.taken), len(second.taken)
    shut = router.send(PERUVIAN)
    assert isinstance(shut, TryLater)
    assert 0 < shut.wait_s <= QUICK.shut_s
    assert (len(first.taken), len(second.taken)) == asked


def test_a_router_carries_what_its_senders_carry_together():
    senders = [taking("one"), Network(lambda _: Sent("x"), "two", 5, segments_max=25)]
    assert Router(senders, {"": ("one",)}).limits.per_second == 1_005
    assert Router(senders, {"": ("one",)}).limits.segments_max == 25


# ---- One way ---------------------------------------------------------------------------------


def after_failures(line: Line, count: int = QUICK.failures_max) -> Line:
    for _ in range(count):
        line.send(PERUVIAN)
    return line


def test_a_line_is_shut_after_failures_in_a_row_and_no_sooner():
    sender = saying("first", AWAY, AWAY, Sent("x"), AWAY, AWAY, Never("no"), AWAY, AWAY, AWAY)
    line = Line(sender, bounds=QUICK)
    for _ in range(9):
        assert not isinstance(line.send(PERUVIAN), Shut)
    assert isinstance(line.send(PERUVIAN), Shut)
    assert len(sender.taken) == 9


@pytest.mark.parametrize(
    "answer",
    [Sent("x", "first", 1), Never("no"), OptedOut("21610", "first"), TryLater("flooded", 600)],
)
def test_an_answer_that_says_nothing_against_the_line_never_shuts_it(answer):
    line = Line(saying("first", answer), bounds=QUICK)
    for _ in range(3 * QUICK.failures_max):
        assert line.send(PERUVIAN) == answer


def test_a_line_that_was_shut_is_tried_by_one_message_and_shut_again_if_that_fails():
    sender = saying("first", AWAY)
    line = after_failures(Line(sender, bounds=QUICK))
    time.sleep(QUICK.shut_s + 0.05)
    assert line.send(PERUVIAN) == AWAY
    assert isinstance(line.send(PERUVIAN), Shut)
    assert len(sender.taken) == QUICK.failures_max + 1


def test_a_line_that_is_well_again_is_open_and_both_are_said_once():
    watch, sender = Watched(), saying("first", AWAY, AWAY, AWAY, AWAY, Sent("x"))
    with structlog.testing.capture_logs() as logs:
        line = after_failures(Line(sender, watch, QUICK))
        for _ in range(2):  # the first fails
            time.sleep(QUICK.shut_s + 0.05)
            line.send(PERUVIAN)
        assert line.send(PERUVIAN) == Sent("x", "first", 1)
    assert [entry["event"] for entry in logs] == ["sms_line_shut", "sms_line_open"]
    assert watch.lines == [("first", False), ("first", True)]


def test_a_slow_provider_is_asked_by_many_at_once():
    begun = threading.Barrier(9)

    def meet_the_others(_sms: Sms) -> Delivery:
        begun.wait(5)
        return Sent("x")

    line = Line(Network(meet_the_others, "slow"), bounds=QUICK)
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(line.send, PERUVIAN) for _ in range(8)]
        begun.wait(5)
        assert all(isinstance(run.result(), Sent) for run in runs)


def test_while_one_message_tries_a_line_that_was_shut_the_others_are_not_let_in():
    let_go = threading.Event()

    def fail_and_then_think(_sms: Sms) -> Delivery:
        if len(network.taken) <= QUICK.failures_max:
            return AWAY
        assert let_go.wait(5)
        return Sent("x")

    network = Network(fail_and_then_think, "first")
    line = after_failures(Line(network, bounds=QUICK))
    time.sleep(QUICK.shut_s + 0.05)
    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(line.send, PERUVIAN)
        while len(network.taken) == QUICK.failures_max:
            time.sleep(0.01)
        for _ in range(5):
            assert isinstance(line.send(PERUVIAN), Shut)
        assert len(network.taken) == QUICK.failures_max + 1
        let_go.set()
        assert isinstance(trial.result(), Sent)
    assert isinstance(line.send(PERUVIAN), Sent)


def test_more_than_a_provider_carries_a_second_comes_back_later():
    watch = Watched()
    line = Line(saying("first", Sent("x"), per_second=2), watch, QUICK)
    answers = [line.send(PERUVIAN) for _ in range(4)]
    assert [type(answer) for answer in answers] == [Sent, Sent, NotNow, NotNow]
    assert 0 < answers[2].wait_s < answers[3].wait_s < 1.5
    assert watch.paces == ["first", "first"]


def test_every_answer_is_counted_and_a_message_that_got_none_too():
    def break_down(_sms: Sms) -> Delivery:
        raise ConnectionResetError

    watch = Watched()
    for sender in (
        saying("a", Sent("x")),
        saying("b", AWAY),
        saying("c", Never("no")),
        saying("d", OptedOut("no")),
        saying("e", Misconfigured("no")),
    ):
        Line(sender, watch).send(Sms(Msisdn("+51987000001"), "a" * 161))
    with pytest.raises(ConnectionResetError):
        Line(Network(break_down, "f"), watch).send(PERUVIAN)
    assert watch.answers == [
        ("a", "sent", 2),
        ("b", "later", 2),
        ("c", "never", 2),
        ("d", "opted_out", 2),
        ("e", "misconfigured", 2),
        ("f", "failed", 1),
    ]
