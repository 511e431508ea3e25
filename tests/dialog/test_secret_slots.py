"""What the checker refuses about secrets, and that no state of a conversation ever holds one."""

from __future__ import annotations

import msgspec
import pytest

from gateway.bank.bank import CATALOGUE
from gateway.dialog.checker import check
from gateway.dialog.machine import Machine
from gateway.dialog.state import Place, State, encode, encode_left
from gateway.dialog.steps import Call, Show, Step, Visit
from gateway.menus import Pages, open_book, prove
from gateway.values.member import MemberView
from gateway.values.outcome import Done, Outcome, Refused
from tests.dialog.test_checker import SHIPPED

BOOK = prove(SHIPPED, CATALOGUE)
WILMER = MemberView("m-0006", "Wilmer", "Wilmer O.", "es", enrolled=False, invited=True)
ROSA = MemberView("m-0001", "Rosa", "Rosa Q.", "es", enrolled=True)
TOKEN = "00000000-0000-0000-0000-000000000007"


def told(was: str, becomes: str, file: str = "enrol.yaml") -> list[str]:
    """What the checker says of the shipped menus with this change, in Spanish."""
    text = SHIPPED.texts[file]
    assert was in text
    texts = {name: each for name, each in SHIPPED.texts.items() if name.endswith(".yaml")}
    book = open_book(Pages({**texts, file: text.replace(was, becomes, 1)}))
    return [str(fault) for fault in check(book, CATALOGUE)]


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("check: enrolment.name_dni, ", "", "nothing takes what is typed here"),
        ("check: enrolment.name_dni", "check: enrolment.name_me", "no operation `enrolment.name_"),
        ("check: enrolment.name_dni", "check: consents.read_by_sms", "does not check a secret"),
        ("Marca el codigo que", "{dni}: marca el codigo que", "`{dni}` is not for members to read"),
        ("accept: Acepto", 'accept: "{proof}"', "`{proof}` is not for members to read"),
        ("type: choice\n", "type: choice\n    only_when: proof\n", "`proof` is secret"),
        ("type: choice\n", "type: choice\n    check: pins.choose\n", "only a `secret` is checked"),
        ("secret, check: enrolment.p", "secret, only_when: x, check: enrolment.p", "always asked"),
        ("newcomers: yes\n", "newcomers: yes\nsms: [ACTIVAR]\n", "nothing secret may be sent"),
        ("newcomers: yes\n", "", "no option leads to this journey"),
        ("do: enrolment.activate", "do: enrolment.prove", "checks what is typed for a secret"),
        ("do: enrolment.activate", "quote: pins.choose\ndo: enrolment.activate", "needs the PIN"),
        ("do: enrolment.activate", "do: accounts.balance", "which newcomers do not have"),
        ("authorise: pin\n", "", "compares the new PIN with its second entry"),
        ("ends: {decline:", "ends: {perhaps:", "there is no choice `perhaps`"),
        ("ends: {decline:", "ends: {accept: a, decline:", "every choice ends the journey"),
        ("  code_spent:", "  spent:", "the refusal `code_spent` is not said"),
        ("  dni: {", "  source: {type: savings_account, ask: a}\n  dni: {",
         "who has no PIN yet is not shown a `savings_account`"),
        ("Marca tu DNI:", "Marca tu DNI, " + "por favor " * 15, "septets with the longest values"),
    ],
)  # fmt: skip
def test_a_fault_about_secrets_is_told(was: str, becomes: str, fault: str) -> None:
    """Each in the words of whoever writes menus."""
    assert any(fault in line for line in told(was, becomes)), told(was, becomes)


def test_an_option_to_the_newcomers_journey_is_a_fault() -> None:
    """Members have a PIN, and would be asked for a code."""
    faults = told("go: change_pin", "go: enrol", "more.yaml")
    assert any("it is for newcomers, and they see no menu" in line for line in faults)


def test_a_second_journey_for_newcomers_is_a_fault() -> None:
    """Which of them would a dial open?"""
    faults = told("journey: change_pin", "journey: change_pin\nnewcomers: yes", "change_pin.yaml")
    assert any("for newcomers already" in line for line in faults)


class Talk:
    """A conversation with a bank that takes every secret, unless it is told to refuse."""

    def __init__(self, member: MemberView, early: tuple[str, ...] = ()) -> None:
        self.member, self.called = member, list[Call]()
        self.refuses: dict[str, Outcome] = {}
        self.machine = Machine(BOOK, lambda: TOKEN, 160)
        self.state, self.shown = State(book="", language="es"), Show("", ends=True)
        self.run(self.machine.dial(Visit(member, "es", answers=early)))

    def press(self, *answers: str) -> Show:
        for answer in answers:
            self.run(self.machine.press(self.state, answer))
            kept = encode(self.state) + encode_left(self.machine.left(self.state))
            assert answer.encode() not in kept or len(answer) < 3
        return self.shown

    def run(self, step: Step) -> None:
        state, request = step
        while isinstance(request, Call):
            self.called.append(request)
            done = Done({"token": TOKEN, "tax": 0})
            outcome = self.refuses.get(request.operation, done)
            state, request = self.machine.answered(state, request, outcome)
        self.state, self.shown = state, request


def test_no_state_and_no_draft_holds_what_was_typed() -> None:
    """Talk looks after each key."""
    talk = Talk(WILMER)
    assert talk.press("40000006", "73920184", "1", "593862", "593862").ends
    assert [call.operation for call in talk.called] == [
        *("enrolment.name_dni", "enrolment.prove", "pins.choose", "enrolment.activate")
    ]
    assert "593862" not in repr(talk.called)
    assert "40000006" not in repr(talk.called)


@pytest.mark.parametrize("member", [WILMER, ROSA])
def test_a_dial_brings_no_secret(member: MemberView) -> None:
    """It stays in the list of calls: it is dropped, and that is said."""
    early = ("40000006", "73920184") if member is WILMER else ("5", "4", "4826", "593862")
    talk = Talk(member, early)

    assert talk.state.place is Place.SLOT
    assert talk.called == []
    assert talk.shown.text.startswith("Pon tu PIN solo aqui")


def test_a_redial_goes_on_but_asks_every_secret_again() -> None:
    """What is kept is the yes."""
    first = Talk(WILMER)
    first.press("40000006", "73920184", "1", "593862")
    left = first.machine.left(first.state).draft

    again = Talk(WILMER)
    again.run(again.machine.dial(Visit(WILMER, "es", draft=left)))

    assert "DNI" in again.shown.text
    assert again.press("40000006").text.startswith("Marca el codigo")
    assert again.press("73920184").text.startswith("Elige tu PIN")


def test_who_has_a_pin_meanwhile_is_not_asked_to_enrol() -> None:
    """A draft of before is forgotten."""
    first = Talk(WILMER)
    first.press("40000006", "73920184", "1")
    left = first.machine.left(first.state).draft
    enrolled = msgspec.structs.replace(WILMER, enrolled=True, invited=False)

    talk = Talk(enrolled)
    talk.run(talk.machine.dial(Visit(enrolled, "es", draft=left)))

    assert talk.shown.text.startswith("Hola Wilmer")


@pytest.mark.parametrize("keys", [("00",), ("0",), ("9",), ("1",), ("2",), ("40000006", "00")])
def test_who_has_no_pin_reaches_no_menu(keys: tuple[str, ...]) -> None:
    """Whatever they press."""
    talk = Talk(WILMER)
    talk.refuses["enrolment.name_dni"] = Refused("not_a_dni")
    for key in keys:
        if not talk.shown.ends:
            talk.press(key)
    assert talk.state.place is not Place.MENU
    assert "Saldo" not in talk.shown.text


@pytest.mark.parametrize("code", ["pin_locked", "pin_blocked", "frozen"])
def test_a_lock_ends_the_session_where_a_secret_is_asked(code: str) -> None:
    """There is nothing to try again."""
    talk = Talk(ROSA)
    talk.refuses["pins.prove"] = Refused(code, {"minutes": 15})
    assert talk.press("5", "4", "4826").ends
