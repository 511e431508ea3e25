"""Any book, any answers: the machine always has a screen, and its keys always mean the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialog.book import Book
from gateway.dialog.machine import Machine
from gateway.dialog.reader import read_book
from gateway.dialog.state import Place, State, decode, encode
from gateway.dialog.steps import Call, Show, Step, Visit
from gateway.values.gsm import septets
from gateway.values.member import MemberView
from gateway.values.money import Money
from gateway.values.outcome import Done, Outcome, Pending, Record, Refused

WORDS = (Path(__file__).parents[2] / "menus" / "words.yaml").read_text()
ROSA = MemberView("m-0001", "Rosa", "Rosa Q.", "es", enrolled=True)
CALLS_MAX = 20  # in one answer: each slot's list, one quote, one operation
NAMES = ("one", "two", "three", "four")

TEXTS = st.text("abc ñé¿\n€", min_size=1, max_size=220).map(lambda text: text.strip() or "a")
LABELS = st.text("abc ñ", min_size=1, max_size=30).map(lambda text: text.strip() or "a")
SLOTS = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["money", "date", "payee"]), "ask": TEXTS}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["savings_account", "loan", "language"]), "ask": TEXTS}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("choice"),
            "ask": TEXTS,
            "choices": st.dictionaries(st.sampled_from(["x", "y", "z"]), LABELS, min_size=1),
        }
    ),
)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """A home, menus and journeys that lead to each other in any way."""
    menus = ["home", *draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))]
    journeys = [f"j{n}" for n in range(draw(st.integers(1, 3)))]
    files: dict[str, Any] = {}
    for name in menus:
        keys = draw(st.lists(st.integers(1, 8), unique=True, min_size=1, max_size=8))
        target = st.sampled_from([*menus, *journeys])
        files[name] = {
            "menu": name,
            "say": draw(TEXTS),
            **({"data": "any.data"} if name != "home" and draw(st.booleans()) else {}),
            "options": {key: {"label": draw(LABELS), "go": draw(target)} for key in sorted(keys)},
        }
    for name in journeys:
        slots = draw(st.lists(SLOTS, max_size=4))
        asked = [f"s{n}" for n in range(len(slots))]
        ask = {"ask": draw(st.sampled_from(asked))} if asked else {}
        files[name] = {
            "journey": name,
            "draft": draw(LABELS),
            "slots": dict(zip(asked, slots, strict=True)),
            **({"quote": "any.quote"} if draw(st.booleans()) else {}),
            **({"confirm": draw(TEXTS), "authorise": "pin"} if draw(st.booleans()) else {}),
            "do": "any.do",
            "done": draw(TEXTS),
            "refused": {
                "no": {"say": draw(TEXTS), **ask},
                "again": {"say": draw(TEXTS), "again": "yes"},
            },
        }
    texts = {f"{name}.yaml": yaml.safe_dump(part) for name, part in files.items()}
    return read_book({**texts, "words.yaml": WORDS}, {})


ACCOUNT = Record({"name": "Ahorro campaña", "code": "1", "account": "", "member_ref": "m"})
OUTCOMES = st.sampled_from(
    [
        Done({"payee": ACCOUNT}, (ACCOUNT, ACCOUNT)),
        Done({"payee": ACCOUNT}, (ACCOUNT,)),
        Done({"payee": ACCOUNT}, (ACCOUNT,) * 12),
        Done({"payee": ACCOUNT}),
        Refused("no"),
        Refused("again", {"amount": Money(5)}),
        Refused("wrong_pin", {"tries_left": 2}),
        Refused("pin_locked", {"minutes": 15}),
        Refused("unheard_of"),
        Pending(),
    ]
)
ANSWERS = st.sampled_from([*"0123456789", "00", "50", "4826", "25/12/26", "987000002", "", "x"])


class Walk:
    """A conversation over a book, with a bank that answers anything."""

    def __init__(self, book: Book, data: st.DataObject) -> None:
        self.machine = Machine(book, lambda: "key", 160)
        self.data = data

    def dial(self, answers: tuple[str, ...] = ()) -> tuple[State, Show]:
        """The first screen."""
        return self.run(self.machine.dial(Visit(ROSA, "es", answers=answers)))

    def press(self, state: State, answer: str) -> tuple[State, Show]:
        """The next one."""
        return self.run(self.machine.press(decode(encode(state)), answer))

    def run(self, step: Step) -> tuple[State, Show]:
        """Answer what is called for, until there is a screen."""
        state, request = step
        calls = 0
        while isinstance(request, Call):
            calls += 1
            assert calls <= CALLS_MAX, "it goes on and on without asking anybody"
            outcome: Outcome = self.data.draw(OUTCOMES)
            state, request = self.machine.answered(state, request, outcome)
        assert 0 < septets(request.text) <= 160
        assert not state.queue
        return state, request


@settings(max_examples=150, deadline=None)
@given(books(), st.lists(ANSWERS, max_size=10), st.data())
def test_any_answers_to_any_book_end_in_a_screen_that_fits(
    book: Book, answers: list[str], data: st.DataObject
) -> None:
    """It never loops without asking, never shows more than fits, never raises."""
    walk = Walk(book, data)
    state, shown = walk.dial()
    for answer in answers:
        if shown.ends:
            break
        pages_before = walk.machine.pages(state)
        state_before = state
        state, shown = walk.press(state, answer)
        if answer == "9" and state_before.page + 1 < len(pages_before):
            assert shown.text == pages_before[state_before.page + 1]
        if answer == "00":
            assert state.menu == book.home
            assert state.place in {Place.MENU, Place.TOLD}


@settings(max_examples=100, deadline=None)
@given(books(), st.lists(ANSWERS, max_size=6), st.data())
def test_zero_leads_out_of_any_book(book: Book, answers: list[str], data: st.DataObject) -> None:
    """Whatever was answered before."""
    walk = Walk(book, data)
    state, shown = walk.dial()
    for answer in answers:
        if not shown.ends:
            state, shown = walk.press(state, answer)
    for _ in range(40):
        if shown.ends:
            return
        state, shown = walk.press(state, "0")
    raise AssertionError("0 goes in a circle")


@settings(max_examples=100, deadline=None)
@given(books(), st.lists(ANSWERS, max_size=12), st.data())
def test_any_deep_dial_into_any_book_ends_in_a_screen_and_authorises_nothing(
    book: Book, answers: list[str], data: st.DataObject
) -> None:
    """What is left over is dropped."""
    walk = Walk(book, data)

    state, _ = walk.dial(tuple(answers))

    assert not state.feeding
