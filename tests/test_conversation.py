"""The order in which things happen in a hop, with every answer given by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.bank.bank import CATALOGUE
from gateway.bounds import OVERLAP_POLL_MS, REPLY_HARD_STOP_MS
from gateway.conversation import (
    Became,
    Close,
    Effect,
    Forgo,
    Identify,
    Library,
    Newest,
    Open,
    Perform,
    Recall,
    Wait,
    encode,
    take,
)
from gateway.dialog.drafts import still_good
from gateway.dialog.state import Draft, Left, Place, State, decode, decode_left, encode_left
from gateway.library.port import OneBook
from gateway.menus import prove, read_folder
from gateway.sessions.port import Claim, Closed, Kept, New, Next, Repeat, UnderWay
from gateway.values.member import MemberView
from gateway.values.money import Money
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Done, Outcome, Pending, Record, Refused, Remembered, Value
from gateway.values.turn import Cumulative, Keystrokes, Origin, Reply, Turn

BOOK = prove(read_folder(Path(__file__).parents[1] / "menus"), CATALOGUE)
LIBRARY = Library(OneBook(BOOK), 160, "es")
ROSA = MemberView("m-0001", "Rosa", "Rosa Q.", "es", enrolled=True)
TURN = Turn(
    Origin("africastalking", "norandino", "s1", Msisdn("+51987000001")),
    "*775#",
    Cumulative(Keystrokes("")),
)
KEY = "11111111-1111-4111-8111-111111111111"
CLAIM = Claim("hop", "token", 0)
SEGUNDO = Record({"member_ref": "m-0002", "name": "Segundo C.", "account": ""})
BANK: dict[str, Outcome] = {
    "accounts.savings": Done(rows=(Record({"code": "100-1", "name": "Ahorro"}),)),
    "payees.recent": Done(),
    "payees.find": Done({"payee": SEGUNDO}),
    "transfers.quote": Done({"tax": Money(0)}),
    "transfers.send": Done({"reference": "100001", "amount": Money(50_00), "tax": Money(0)}),
}


def drive(
    *opened: object,
    recalled: Outcome | None = None,
    forgone: Outcome | None = None,
    bank: dict[str, Outcome] | None = None,
    kept: bytes | None = None,
    became: Outcome | None = None,
    newest: Outcome | None = None,
    is_newest: bool = True,
    key: str = KEY,
) -> tuple[Reply, list[Effect]]:
    """Drive one hop; `opened` are the answers to each Open. The effects come in their order."""
    openings = iter(opened)
    effects = take(TURN, LIBRARY, lambda: key)
    seen: list[Effect] = []
    waited_ms = 0
    answer: Any = None
    while True:
        try:
            effect = effects.send(answer)
        except StopIteration as end:
            reply: Reply = end.value
            return reply, seen
        seen.append(effect)
        match effect:
            case Open():
                answer = next(openings)
            case Wait(ms):
                waited_ms += ms
                answer = waited_ms
            case Identify():
                answer = ROSA
            case Recall() | Became() | Forgo() | Newest():
                found = {Recall: recalled, Became: became, Forgo: forgone, Newest: newest}
                outcome = found[type(effect)]
                answer = outcome and msgspec.structs.replace(remembered(outcome), newest=is_newest)
            case Perform(call):
                answer = (bank or BANK)[call.operation]
            case Close(_, _, Kept(_, _, reply_bytes)):
                answer = kept or reply_bytes


def remembered(outcome: Outcome) -> Remembered:
    """Rosa's fifty to Segundo, of some time ago."""
    values: dict[str, Value] = {"amount": Money(50_00), "payee": Record({"name": "Segundo C."})}
    return Remembered(KEY, "transfers.send", values, outcome)


def kinds(effects: list[Effect]) -> list[str]:
    """The effects by their names."""
    return [type(effect).__name__ for effect in effects]


def closed(effects: list[Effect]) -> State:
    """The state that was kept."""
    (close,) = (effect for effect in effects if isinstance(effect, Close))
    return decode(close.kept.state)


def at_the_confirm_screen() -> bytes:
    """The state of a session that asks for the PIN."""
    _, effects = drive(New(CLAIM, ("2", "987000002", "50"), b""))
    (close,) = (effect for effect in effects if isinstance(effect, Close))
    return close.kept.state


def test_a_dial_is_kept_before_its_screen_goes_out() -> None:
    """Close is the last effect of every hop."""
    reply, effects = drive(New(CLAIM, (), b""))

    assert kinds(effects) == ["Open", "Identify", "Close"]
    assert reply.text.startswith("Hola Rosa")


def test_a_repeat_does_nothing_and_gets_the_same_reply() -> None:
    """Not even the member is looked up."""
    first = Reply("Hola", ends=False, screen="home/menu", outcome="menu")

    reply, effects = drive(Repeat(encode(first)))

    assert kinds(effects) == ["Open"]
    assert (reply.text, reply.ends) == (first.text, first.ends)


def test_a_copy_waits_for_the_first_ones_reply() -> None:
    """A moment at a time."""
    first = Reply("Hola", ends=False, screen="home/menu", outcome="menu")

    reply, effects = drive(UnderWay(), UnderWay(), Repeat(encode(first)))

    assert kinds(effects) == ["Open", "Wait", "Open", "Wait", "Open"]
    assert reply.text == "Hola"


def test_a_copy_gives_up_before_the_network_does() -> None:
    """With a screen that says to dial again."""
    tries = REPLY_HARD_STOP_MS // OVERLAP_POLL_MS + 1

    reply, _ = drive(*[UnderWay()] * (tries + 1))

    assert reply.ends


@pytest.mark.parametrize(
    "why", ["superseded", "expired", "diverged", "stranger", "too_fast", "crowded"]
)
def test_a_session_that_cannot_go_on_ends_politely(why: str) -> None:
    """Nothing is done and nothing is kept."""
    reply, effects = drive(Closed(why))

    assert kinds(effects) == ["Open"]
    assert reply.ends
    assert reply.outcome == why


def test_the_key_is_kept_before_the_screen_that_confirms_goes_out() -> None:
    """It is in the state that Close carries."""
    reply, effects = drive(New(CLAIM, ("2", "987000002", "50"), b""))

    state = closed(effects)
    assert "PIN" in reply.text
    assert state.place is Place.CONFIRM
    assert state.draft is not None
    assert state.draft.key == "11111111-1111-4111-8111-111111111111"


def test_an_unseen_session_never_authorises_anything() -> None:
    """The PIN's hop of a session that Redis forgot: the rest of the text is dropped."""
    reply, effects = drive(New(CLAIM, ("2", "987000002", "50", "4826"), b""))

    called = [effect.call.operation for effect in effects if isinstance(effect, Perform)]
    assert "transfers.send" not in called
    assert "PIN" in reply.text
    assert not reply.ends


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (
            Done({"amount": Money(50_00), "reference": "100001"}),
            "de enviar S/ 50.00 a Segundo C. SI se hizo. Op. 100001",
        ),
        (
            Refused("insufficient_funds", {"amount": Money(50_00)}),
            "de enviar S/ 50.00 a Segundo C. NO se hizo",
        ),
        (Refused("again", {"amount": Money(50_00)}), "No se hizo otra vez"),
        (
            Pending({"amount": Money(50_00)}),
            "En proceso, te llega un SMS: enviar S/ 50.00 a Segundo C.",
        ),
    ],
)
def test_a_session_that_was_lost_says_what_became_of_its_order_and_ends(
    outcome: Outcome, said: str
) -> None:
    """Where Redis forgot, the instruction remembers. Older hops that still come find a session that
    is over, and the next dial tells it again."""
    reply, effects = drive(New(CLAIM, ("2", "987000002", "50", "4826"), b""), recalled=outcome)

    assert said in reply.text
    assert reply.ends
    assert not any(isinstance(effect, Perform) for effect in effects)
    late, afterwards = drive(Next(CLAIM, _state(effects), "2"))
    assert "Marca de nuevo" in late.text
    assert left(effects) == left(afterwards) == Left(given=KEY)


def test_what_is_not_understood_in_a_deep_dial_is_asked_and_the_rest_dropped() -> None:
    """`*775*2*40000002*50#`: the fifty must not become the phone number."""
    bank = BANK | {"payees.find": Refused("not_mobile")}

    reply, effects = drive(New(CLAIM, ("2", "40000002", "50"), b""), bank=bank)

    assert "DNI" in reply.text
    assert closed(effects).slot == "payee"


def test_money_moves_once_and_its_screen_ends_the_session() -> None:
    """The PIN goes to the bank and into nothing that is kept."""
    reply, effects = drive(Next(CLAIM, at_the_confirm_screen(), "4826"))

    assert kinds(effects) == ["Open", "Perform", "Close"]
    assert reply.ends
    assert "Op. 100001" in reply.text
    (close,) = (effect for effect in effects if isinstance(effect, Close))
    assert b"4826" not in close.kept.state + close.kept.reply


def test_a_worker_that_was_overtaken_shows_what_the_other_did() -> None:
    """The member sees one screen, whichever worker answers."""
    other = Reply("Listo", ends=True, screen="send/over", outcome="over")

    reply, _ = drive(Next(CLAIM, at_the_confirm_screen(), "4826"), kept=encode(other))

    assert reply == other


@pytest.mark.parametrize("state", [b"", b"\x00", b"not a state"])
def test_a_state_of_another_version_starts_afresh(state: bytes) -> None:
    """A clear restart, and no fault."""
    reply, _ = drive(Next(CLAIM, state, "1"))

    assert reply.ends
    assert "Marca de nuevo" in reply.text


def test_an_answer_after_the_last_screen_starts_afresh() -> None:
    """The network did not see that we ended."""
    _, effects = drive(Next(CLAIM, at_the_confirm_screen(), "4826"))
    (close,) = (effect for effect in effects if isinstance(effect, Close))

    reply, effects = drive(Next(CLAIM, close.kept.state, "1"))

    assert reply.ends
    assert not any(isinstance(effect, Perform) for effect in effects)


def left_at_the_confirm_screen() -> bytes:
    """The draft of a session that was lost on the screen that asks for the PIN."""
    _, effects = drive(New(CLAIM, ("2", "987000002", "50"), b""))
    (close,) = (effect for effect in effects if isinstance(effect, Close))
    return close.kept.left


def test_a_draft_that_was_authorised_after_all_is_not_offered_again() -> None:
    """The worker died after the bank had decided: the member reads that it was done."""
    done = Done({"amount": Money(50_00), "reference": "100001"})

    reply, effects = drive(New(CLAIM, (), left_at_the_confirm_screen()), forgone=done)

    assert kinds(effects) == ["Open", "Identify", "Forgo", "Close"]
    assert "SI se hizo. Op. 100001" in reply.text
    assert "Seguir" not in reply.text
    assert left(effects) == Left(given=KEY)


def test_a_draft_is_offered_only_after_its_key_was_closed() -> None:
    """To offer it again is to say that it was not done: a late hop may not prove that wrong."""
    reply, effects = drive(New(CLAIM, (), left_at_the_confirm_screen()))

    assert kinds(effects) == ["Open", "Identify", "Forgo", "Close"]
    assert "1. Seguir: enviar S/ 50.00 a Segundo C." in reply.text
    _, effects = drive(Next(CLAIM, _state(effects), "1"), key="2" * 8)
    draft = closed(effects).draft
    assert draft is not None
    assert draft.key == "2" * 8


def test_the_outcome_is_told_again_until_the_member_has_answered() -> None:
    """The radio may lose the last screen of a session, and the first one of the next."""
    done = Done({"amount": Money(50_00), "reference": "100001"})

    _, effects = drive(Next(CLAIM, at_the_confirm_screen(), "4826"))
    assert left(effects) == Left(given=KEY)
    for _ in range(2):
        reply, effects = drive(New(CLAIM, (), _draft(effects)), became=done)
        assert kinds(effects) == ["Open", "Identify", "Became", "Close"]
        assert "SI se hizo. Op. 100001" in reply.text
        assert left(effects) == Left(given=KEY)
    _, effects = drive(Next(CLAIM, _state(effects), "1"))
    assert left(effects) == Left()


def test_where_redis_forgot_what_was_left_the_bank_knows_the_last_order() -> None:
    """And where it remembers that nothing was left, nobody need ask."""
    done = Done({"amount": Money(50_00), "reference": "100001"})

    reply, effects = drive(New(CLAIM, (), None), newest=done)
    assert kinds(effects) == ["Open", "Identify", "Newest", "Close"]
    assert "SI se hizo. Op. 100001" in reply.text
    _, effects = drive(New(CLAIM, (), b""), newest=done)
    assert kinds(effects) == ["Open", "Identify", "Close"]


def test_a_late_copy_of_a_forgotten_session_changes_nothing() -> None:
    """Its member has given another order since: what this one came to would only mislead."""
    refused = Refused("again", {"amount": Money(50_00)})

    reply, effects = drive(
        New(CLAIM, ("2", "987000002", "50", "4826"), None), recalled=refused, is_newest=False
    )

    assert kinds(effects) == ["Open", "Identify", "Recall"]
    assert reply.ends
    assert "otra vez" not in reply.text


def test_who_dials_the_next_order_at_once_has_read_the_last_answer() -> None:
    """A deep dial is no question about the order before."""
    _, effects = drive(Next(CLAIM, at_the_confirm_screen(), "4826"))

    reply, effects = drive(New(CLAIM, ("2", "987000002", "60"), _draft(effects)))

    assert "Became" not in kinds(effects)
    assert "PIN" in reply.text


def test_who_did_not_answer_again_has_not_said_yes() -> None:
    """The screen of "¿Otra vez?" was lost, or nobody wanted it: nothing is offered for a PIN, and
    the next dial says that it was not done again."""
    again = Refused("again", {"amount": Money(50_00)})
    _, effects = drive(
        Next(CLAIM, at_the_confirm_screen(), "4826"), bank=BANK | {"transfers.send": again}
    )
    assert closed(effects).place is Place.AGAIN
    assert left(effects) == Left(given=KEY)

    reply, _ = drive(New(CLAIM, (), _draft(effects)), became=again)

    assert reply.text.startswith(
        "Ya lo pediste. No se hizo otra vez: enviar S/ 50.00 a Segundo C.\n1. Saldo"
    )


def test_an_order_that_could_not_be_taken_is_denied_and_no_reason_to_travel() -> None:
    """The books cannot be read, so its key is closed: it may go later. A dial says so too."""
    shut = BANK | {"transfers.send": Refused("closed", {"amount": Money(50_00)})}

    reply, effects = drive(Next(CLAIM, at_the_confirm_screen(), "4826"), bank=shut)

    assert reply.text.startswith("NO se hizo. Intenta de nuevo en unos minutos.")
    assert left(effects) == Left(given=KEY)


@pytest.mark.parametrize("key", ["0", "00"])
def test_the_key_of_a_confirm_screen_that_is_left_is_asked_for_at_the_next_dial(key: str) -> None:
    """Where a network does not count, a late "0" is taken for an answer, though the PIN was there
    before it and its worker died: the bank knows what came of it."""
    _, effects = drive(Next(CLAIM, at_the_confirm_screen(), key))
    assert left(effects).given == KEY

    done = Done({"amount": Money(50_00), "reference": "100001"})
    reply, effects = drive(New(CLAIM, (), _draft(effects)), became=done)

    assert "Became" in kinds(effects)
    assert "SI se hizo" in reply.text


def test_who_says_again_goes_on_with_another_order() -> None:
    """And loses the signal once more: it is asked about once more."""
    refused = BANK | {"transfers.send": Refused("again", {"amount": Money(50_00)})}
    _, effects = drive(Next(CLAIM, at_the_confirm_screen(), "4826"), bank=refused)
    _, effects = drive(Next(CLAIM, _state(effects), "1"), key="2" * 8)
    draft = left(effects).draft
    assert draft is not None
    assert (draft.key, draft.again_ok, left(effects).given) == ("2" * 8, True, "")

    _, effects = drive(New(CLAIM, (), _draft(effects)))
    _, effects = drive(Next(CLAIM, _state(effects), "1"))
    _, effects = drive(Next(CLAIM, _state(effects), "4826"))

    (given,) = (e.call for e in effects if isinstance(e, Perform) and e.call.pin)
    assert not given.again_ok


@pytest.mark.parametrize("answer", ["", " ", "7", "4826", "x" * 99])
def test_an_answer_that_fits_nothing_is_no_sign_that_the_outcome_was_read(answer: str) -> None:
    """It may be the dial itself, sent again by a network that does not count: the same is shown,
    and told again."""
    done = Done({"amount": Money(50_00), "reference": "100001"})
    first, effects = drive(New(CLAIM, (), left_at_the_confirm_screen()), forgone=done)

    reply, effects = drive(Next(CLAIM, _state(effects), answer))

    assert reply.text == first.text
    assert left(effects) == Left(given=KEY)


def _state(effects: list[Effect]) -> bytes:
    (close,) = (effect for effect in effects if isinstance(effect, Close))
    return close.kept.state


def _draft(effects: list[Effect]) -> bytes:
    (close,) = (effect for effect in effects if isinstance(effect, Close))
    return close.kept.left


def left(effects: list[Effect]) -> Left:
    """The order that the next dial finds."""
    found = decode_left(_draft(effects), ROSA.ref)
    return Left(found.draft, found.given)


@pytest.mark.parametrize("whose", ["m-0002", ""])
def test_what_another_left_at_this_number_is_nobodys(whose: str) -> None:
    """The number went to somebody else: their key is not even closed, it is not theirs to close."""
    _, effects = drive(New(CLAIM, ("2", "987000002", "50"), b""))
    of_another = encode_left(
        msgspec.structs.replace(decode_left(_draft(effects), ROSA.ref), member=whose)
    )

    reply, effects = drive(New(CLAIM, (), of_another))

    assert reply.text.startswith("Hola Rosa")
    assert "Forgo" not in kinds(effects)


@pytest.mark.parametrize("answers", [("2", "987000002", "60"), ("2",)])
def test_what_became_of_a_lost_order_is_said_before_anything_that_was_dialled(
    answers: tuple[str, ...],
) -> None:
    """Also where the member dials the next order at once."""
    done = Done({"amount": Money(50_00), "reference": "100001"})

    reply, _ = drive(New(CLAIM, answers, left_at_the_confirm_screen()), forgone=done)

    assert "SI se hizo. Op. 100001" in reply.text


@pytest.mark.parametrize(
    "answers",
    [
        ("4826",),
        ("2", "987000002", "50", "4826"),
        ("2", "987000002", "abc", "4826"),
        ("1", "4826"),
    ],
)
def test_a_pin_in_what_was_dialled_is_told_off_on_any_screen(answers: tuple[str, ...]) -> None:
    """It stays in the phone's list of calls."""
    reply, _ = drive(New(CLAIM, answers, b""))

    assert "PIN solo aqui" in reply.text


@pytest.mark.parametrize(
    ("slots", "kept"),
    [
        ({"amount": "fifty"}, set()),
        ({"amount": SEGUNDO}, set()),
        ({"payee": Money(50_00)}, set()),
        ({"payee": Record({"name": "Segundo C."})}, set()),
        ({"payee": SEGUNDO, "colour": "red"}, {"payee"}),
        ({"payee": SEGUNDO, "amount": Money(50_00)}, {"payee", "amount"}),
    ],
)
def test_a_draft_is_validated_again_against_the_book(
    slots: dict[str, Value], kept: set[str]
) -> None:
    """Menus change between a lost signal and the next dial."""
    draft = Draft("send", slots, asked=tuple(slots), key=KEY)

    found = still_good(BOOK, draft)

    assert found is not None
    assert set(found.slots) == kept
    assert found.key is None
