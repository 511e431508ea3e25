"""The machine alone: any answers, in any order, over the shipped menus. No server anywhere."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bank.bank import CATALOGUE
from gateway.dialog.machine import Machine
from gateway.dialog.state import Place, State, decode, encode
from gateway.dialog.steps import Call, Show, Visit, Why
from gateway.menus import prove, read_folder
from gateway.values.gsm import septets
from gateway.values.member import MemberView
from gateway.values.money import Money
from gateway.values.outcome import Day, Done, Outcome, Pending, Record, Refused, Value
from tests.cooperative import TODAY

BOOK = prove(read_folder(Path(__file__).parents[2] / "menus"), CATALOGUE)
ROSA = MemberView("m-0001", "Rosa", "Rosa Q.", "es", enrolled=True)
SEPTETS = 160

ACCOUNTS = (
    Record({"code": "100-1", "name": "Ahorro", "available": Money(1), "balance": Money(1)}),
    Record({"code": "100-2", "name": "Ahorro campaña de cosecha", "available": Money(99_999_999)}),
)
PAYEES = tuple(
    Record({"name": f"Maximiliana {letter}.", "account": "", "member_ref": letter})
    for letter in "ABCDE"
)
LOANS = (
    Record({"code": "300-1", "name": "Campaña cafe"}),
    Record({"code": "300-2", "name": "Campaña cacao"}),
)
RESULTS: dict[str, Value] = {
    "tax": Money(5),
    "to_pay": Money(99_999_999),
    "reference": "123456789",
    "name": "Campaña de cafe organico",
    "owed": Money(99_999_999),
    "instalment": Money(99_999_999),
    "due_on": Day(TODAY),
    "late": True,
    "days_late": 365,
    "late_charge": Money(99_999_999),
    "left": 60,
    "payoff": Money(99_999_999),
    "language": "en",
    "payee": PAYEES[0],
    "token": "00000000-0000-0000-0000-000000000000",
}
ROWS = {
    "accounts.savings": ACCOUNTS,
    "accounts.balance": ACCOUNTS,
    "payees.recent": PAYEES,
    "loans.open": LOANS,
    "accounts.movements": tuple(
        Record({"kind": kind, "day": Day(TODAY), "party": "Rosa Q.", "amount": Money(-99_999_999)})
        for kind in ("sent", "received", "own", "loan_payment", "tax")
    ),
}


class Talk:
    """A conversation with a bank that answers what the test says."""

    def __init__(self) -> None:
        self.keys = 0
        self.called: list[Call] = []
        self.bank: dict[str, Outcome] = {}
        self.state = State(book="", language="es")
        self.shown = Show("", ends=True)

    def machine(self) -> Machine:
        self.keys += 1
        return Machine(BOOK, lambda: f"key-{self.keys}", SEPTETS)

    def dial(self, member: MemberView | None = ROSA) -> Show:
        machine = self.machine()
        return self._run(machine, machine.dial(Visit(member, member.language if member else "es")))

    def press(self, *answers: str) -> Show:
        for answer in answers:
            machine = self.machine()
            self._run(machine, machine.press(decode(encode(self.state)), answer))
        return self.shown

    def _run(self, machine: Machine, step: tuple[State, Show | Call]) -> Show:
        state, request = step
        while isinstance(request, Call):
            self.called.append(request)
            outcome = self.bank.get(request.operation) or Done(
                RESULTS, ROWS.get(request.operation, ())
            )
            state, request = machine.answered(state, request, outcome)
        self.state, self.shown = state, request
        return request


def at_the_confirm_screen() -> Talk:
    """Rosa is asked for her PIN, to send S/ 50.00 to a recent payee."""
    talk = Talk()
    talk.dial()
    talk.press("2", "1", "1", "50")
    assert talk.state.place is Place.CONFIRM
    return talk


ANSWERS = st.one_of(
    st.sampled_from(["0", "00", "9", "1", "2", "3", "4", "5", "50", "987000002", "4826", "", "*"]),
    st.text(max_size=20),
)
OUTCOMES = st.sampled_from(
    [
        Done(RESULTS),
        Pending(),
        Refused("again"),
        Refused("insufficient_funds", {"available": Money(99_999_999)}),
        Refused("no_such_account"),
        Refused("over_limit", {"limit": Money(1)}),
        Refused("pin_locked", {"minutes": 15}),
        Refused("unheard_of"),
        Refused("wrong_pin", {"tries_left": 2}),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(ANSWERS, max_size=12),
    st.dictionaries(st.sampled_from(sorted(CATALOGUE)), OUTCOMES, max_size=4),
)
def test_whatever_is_answered_there_is_a_screen_that_fits(
    answers: list[str], bank: dict[str, Outcome]
) -> None:
    """Never an error, never an empty screen, never one that is too long, whatever the bank says."""
    talk = Talk()
    talk.bank = bank
    talk.dial()
    for answer in answers:
        if talk.shown.ends:
            break
        talk.press(answer)

        assert 0 < septets(talk.shown.text) <= SEPTETS


@settings(max_examples=300, deadline=None)
@given(st.lists(ANSWERS, max_size=10))
def test_money_moves_only_from_a_confirm_screen_with_a_key_and_a_pin(answers: list[str]) -> None:
    """And nothing that needs a PIN is ever asked for without one."""
    talk = Talk()
    talk.dial()
    for answer in answers:
        if talk.shown.ends:
            break
        before = talk.state
        talk.press(answer)
        for call in talk.called:
            operation = CATALOGUE[call.operation]
            wants_pin = operation.needs_pin or operation.repeats_pin
            assert wants_pin == (call.pin is not None)
            assert operation.secret == (call.secret is not None)
            if operation.moves_money:
                assert before.place is Place.CONFIRM
                assert before.draft is not None
                assert call.key == before.draft.key is not None
        talk.called.clear()


@settings(max_examples=200, deadline=None)
@given(st.lists(ANSWERS, max_size=8))
def test_home_is_home_from_everywhere(answers: list[str]) -> None:
    """00 always does what it says."""
    talk = Talk()
    home = talk.dial()
    home_in_english = Talk().dial(msgspec.structs.replace(ROSA, language="en"))
    for answer in answers:
        if not talk.shown.ends:
            talk.press(answer)

    if not talk.shown.ends:
        assert talk.press("00").text in {home.text, home_in_english.text}
        assert talk.state.place is Place.MENU
        assert talk.state.menu == BOOK.home
        assert talk.state.draft is None


@settings(max_examples=200, deadline=None)
@given(st.lists(ANSWERS, max_size=8))
def test_back_leads_out_in_the_end(answers: list[str]) -> None:
    """0 again and again never goes in a circle."""
    talk = Talk()
    talk.dial()
    for answer in answers:
        if not talk.shown.ends:
            talk.press(answer)
    for _ in range(20):
        if talk.shown.ends:
            break
        talk.press("0")

    assert talk.shown.ends


@pytest.mark.parametrize("wrong", ["", "0000", "abcd", "1"])
def test_the_key_of_a_confirm_screen_stays_while_the_order_is_the_same(wrong: str) -> None:
    """A wrong PIN, or no PIN, is no new order."""
    talk = at_the_confirm_screen()
    assert talk.state.draft is not None
    key = talk.state.draft.key
    talk.bank["transfers.send"] = Refused("wrong_pin", {"tries_left": 2})

    talk.press(wrong)

    assert talk.state.draft.key == key


@pytest.mark.parametrize("again", [("0", "50"), ("0", "51"), ("0", "0", "2", "50")])
def test_another_order_has_another_key(again: tuple[str, ...]) -> None:
    """Even the same amount: the member went back and gave it anew."""
    talk = at_the_confirm_screen()
    assert talk.state.draft is not None
    key = talk.state.draft.key

    talk.press(*again)

    assert talk.state.place is Place.CONFIRM
    assert talk.state.draft is not None
    assert talk.state.draft.key != key


def test_a_refusal_spends_the_key_and_asks_for_what_can_be_changed() -> None:
    """A new try after a refusal is a new order."""
    talk = at_the_confirm_screen()
    assert talk.state.draft is not None
    key = talk.state.draft.key
    talk.bank["transfers.send"] = Refused("insufficient_funds", {"available": Money(30_00)})

    asked = talk.press("4826")

    assert "S/ 30.00" in asked.text
    assert talk.state.slot == "amount"
    talk.press("30")
    assert talk.state.draft is not None
    assert talk.state.draft.key not in {None, key}


def test_the_members_yes_to_again_goes_with_the_next_try_only() -> None:
    """¿Otra vez? is asked by the bank, answered by the member, and never remembered."""
    talk = at_the_confirm_screen()
    talk.bank["transfers.send"] = Refused("again")
    talk.press("4826", "1")
    talk.bank.clear()

    talk.press("4826")

    assert [call.again_ok for call in talk.called if call.why is Why.DO] == [False, True]
    assert len({call.key for call in talk.called if call.why is Why.DO}) == 2


def test_a_single_account_is_never_asked_for() -> None:
    """The send journey asks the source account only of a member who has several."""
    talk = Talk()
    talk.bank["accounts.savings"] = Done(rows=ACCOUNTS[:1])
    talk.dial()

    assert "¿A quien?" in talk.press("2").text


def test_a_state_keeps_no_pin(capsys: pytest.CaptureFixture[str]) -> None:
    """What goes to Redis is what the machine returns."""
    talk = at_the_confirm_screen()
    talk.bank["transfers.send"] = Refused("wrong_pin", {"tries_left": 2})

    talk.press("4826")

    assert b"4826" not in encode(talk.state)
