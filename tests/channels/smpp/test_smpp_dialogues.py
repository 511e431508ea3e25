"""Which dialogue is this? Numbers that are few and come again join no two."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.channels.smpp.codec import Address
from gateway.channels.smpp.dialogues import Dialogue, Dialogues, Way
from gateway.values.msisdn import Msisdn
from tests.people import ELMER, ROSA, SEGUNDO

WAY = Way(Address("51987000001", 1, 1), Address("775", 0, 1))
PHONES = [Msisdn(person.msisdn) for person in (ROSA, SEGUNDO, ELMER)]
IDLE_S = 180
PHONE, OTHER = PHONES[:2]


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def dialogues(most: int = 100) -> tuple[Dialogues, Clock]:
    """None under way."""
    clock = Clock()
    return Dialogues(clock, IDLE_S, most), clock


def test_a_begin_on_a_number_in_use_is_another_dialogue() -> None:
    known, _ = dialogues()
    first = known.begin(PHONE, 0x2A, WAY)
    second = known.begin(PHONE, 0x2A, WAY)
    assert first.session_id != second.session_id
    assert (first.over, second.over) == (True, False)
    assert known.going_on(PHONE, 0x2A, WAY) is second


def test_the_same_number_at_another_phone_is_another_dialogue() -> None:
    known, _ = dialogues()
    rosas = known.begin(PHONE, 0x2A, WAY)
    segundos = known.begin(OTHER, 0x2A, WAY)
    assert known.going_on(PHONE, 0x2A, WAY) is rosas
    assert known.going_on(OTHER, 0x2A, WAY) is segundos


def test_nothing_goes_on_after_silence() -> None:
    known, clock = dialogues()
    dialogue = known.begin(PHONE, 0x2A, WAY)
    clock.at += IDLE_S - 1
    assert known.going_on(PHONE, 0x2A, WAY) is dialogue
    clock.at += IDLE_S + 1
    assert known.going_on(PHONE, 0x2A, WAY) is None
    assert dialogue.over


def test_of_too_many_the_longest_silent_is_forgotten() -> None:
    known, clock = dialogues(most=2)
    for number in (1, 2):
        known.begin(PHONE, number, WAY)
        clock.at += 1
    known.going_on(PHONE, 1, WAY)
    known.begin(PHONE, 3, WAY)
    assert known.going_on(PHONE, 2, WAY) is None
    assert known.going_on(PHONE, 1, WAY)
    assert known.going_on(PHONE, 3, WAY)
    assert len(known) == 2


def test_an_end_of_an_old_dialogue_leaves_the_new_one() -> None:
    known, _ = dialogues()
    first = known.begin(PHONE, 1, WAY)
    second = known.begin(PHONE, 1, WAY)
    known.end(first)
    assert known.going_on(PHONE, 1, WAY) is second


def test_a_dialogue_that_we_began_takes_the_number_that_its_answer_brings() -> None:
    known, _ = dialogues()
    ours = known.invite(PHONE, None, WAY, given=True)
    assert known.going_on(OTHER, 7, WAY) is None
    assert known.going_on(PHONE, 7, WAY) is ours
    assert known.going_on(PHONE, 8, WAY) is None
    assert known.going_on(PHONE, 7, WAY) is ours


def test_whoever_dials_does_not_answer_what_we_began() -> None:
    known, _ = dialogues()
    ours = known.invite(PHONE, None, WAY, given=True)
    theirs = known.begin(PHONE, 7, WAY)
    assert ours.over
    assert known.going_on(PHONE, 7, WAY) is theirs
    assert known.going_on(PHONE, 9, WAY) is None


def orders(*hops: tuple[int, str], size: int = 128) -> list[int | None]:
    """The hops' numbers in one dialogue."""
    known, _ = dialogues()
    dialogue = known.begin(PHONE, 1, WAY)
    return [dialogue.order(count, size, typed) for count, typed in hops]


def test_a_counter_that_wraps_goes_on() -> None:
    assert orders((126, "a"), (127, "b"), (0, "c"), (1, "d")) == [126, 127, 128, 129]
    assert orders((0, "a"), (1, "b"), (0, "c"), (1, "d"), size=2) == [0, 1, 2, 3]


def test_a_hop_that_comes_again_or_late_keeps_its_number() -> None:
    assert orders((0, "a"), (1, "b"), (1, "b"), (2, "c"), (1, "b")) == [0, 1, 1, 2, 1]
    assert orders((127, "a"), (0, "b"), (127, "a")) == [127, 128, 127]


def test_a_network_that_does_not_count_is_found_out() -> None:
    assert orders((0, "*775#"), (0, "1"), (0, "1"), (0, "2")) == [0, None, None, None]


@settings(deadline=None)
@given(st.integers(2, 7), st.integers(0, 127), st.integers(1, 300))
def test_hops_in_order_are_numbered_in_order(bits: int, first: int, hops: int) -> None:
    size = 2**bits
    counts = [((first + hop) % size, str(hop)) for hop in range(hops)]
    start = first % size
    assert orders(*counts, size=size) == list(range(start, start + hops))


class NeverJoined(RuleBasedStateMachine):
    """Phones dial and answer on numbers that are few; a model knows which dialogue is whose."""

    def __init__(self) -> None:
        super().__init__()
        self.known, self.clock = dialogues(most=6)
        self.current: dict[tuple[Msisdn, int], Dialogue] = {}
        self.heard: defaultdict[str, set[Msisdn]] = defaultdict(set)
        self.names: list[str] = []

    @rule(phone=st.sampled_from(PHONES), number=st.integers(0, 2))
    def dial(self, phone: Msisdn, number: int) -> None:
        dialogue = self.known.begin(phone, number, WAY)
        self.names.append(dialogue.session_id)
        self.current[phone, number] = dialogue
        self.heard[dialogue.session_id].add(phone)

    @rule(phone=st.sampled_from(PHONES), number=st.integers(0, 2))
    def answer(self, phone: Msisdn, number: int) -> None:
        dialogue = self.known.going_on(phone, number, WAY)
        if dialogue is not None:
            assert dialogue is self.current[phone, number]
            self.heard[dialogue.session_id].add(phone)

    @rule(phone=st.sampled_from(PHONES), number=st.integers(0, 2))
    def end(self, phone: Msisdn, number: int) -> None:
        if dialogue := self.current.get((phone, number)):
            self.known.end(dialogue)
            assert self.known.going_on(phone, number, WAY) is None

    @rule(seconds=st.integers(0, 2 * IDLE_S))
    def wait(self, seconds: int) -> None:
        self.clock.at += seconds

    @invariant()
    def a_dialogue_is_of_one_phone_and_no_name_comes_again(self) -> None:
        assert all(len(phones) == 1 for phones in self.heard.values())
        assert len(set(self.names)) == len(self.names)
        assert len(self.known) <= 6


TestNeverJoined = NeverJoined.TestCase
TestNeverJoined.settings = settings(deadline=None, max_examples=100, stateful_step_count=60)
