"""Each rule of the verdict fails on a made-up history that breaks it, and on that alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.bounds import CLAIM_LEASE_MS
from tests.simulation.history import (
    Answered,
    History,
    Hop,
    Last,
    Order,
    Posting,
    Sent,
    Settled,
    Tell,
    Told,
)
from tests.simulation.screens import What
from tests.simulation.verdict import RULES, judge

ROSA, SEGUNDO = "m-rosa", "m-segundo"
ROSAS, SEGUNDOS = "100-1", "100-2"
KEY, OTHER = "key-1", "key-2"

MINTED, GIVEN, POSTED, TOLD, LATER = 10, 20, 30, 40, 50  # moments of an ordinary order
PLENTY = 1_000_00


def hop(**changes: object) -> Hop:
    """The hop that brought Rosa's PIN."""
    ordinary = Hop(
        session="S1",
        number=5,
        copy=1,
        member=ROSA,
        exact=True,
        plain=False,
        dialled=1,
        began=GIVEN - 1,
        began_ms=5_000,
    )
    return replace(ordinary, **changes)  # type: ignore[arg-type]


def slow_hop(**changes: object) -> Hop:
    """The same, by a worker whose machine stalled."""
    return hop(slept_ms=CLAIM_LEASE_MS + 2_000, **changes)


def told(what: What = What.DONE, moment: int = TOLD, **changes: object) -> Told:
    """What stood on the screen that Rosa read."""
    ordinary = Told(
        moment=moment,
        member=ROSA,
        what=what,
        centimos=50_00,
        reference="100001" if what is What.DONE else "",
        keys=(KEY,),
        by="screen",
        became=moment,
        looked=moment,
        seen=True,
    )
    return replace(ordinary, **changes)  # type: ignore[arg-type]


def posting(**changes: object) -> Posting:
    """Rosa's fifty for Segundo."""
    ordinary = Posting(
        moment=POSTED,
        key=KEY,
        source=ROSAS,
        target=SEGUNDOS,
        centimos=50_00,
        tax=0,
        reference="100001",
        loan=False,
        session="S1",
        number=5,
        at_ms=5_000,
    )
    return replace(ordinary, **changes)  # type: ignore[arg-type]


def answered(hop: Hop, text: str = "Listo", moment: int = TOLD, **changes: object) -> Answered:
    """A hop and its screen."""
    ordinary = Answered(hop, moment, text, ends=True, outcome="", sorry=False, at_ms=6_000)
    return replace(ordinary, **changes)  # type: ignore[arg-type]


def good() -> History:
    """Rosa sends S/ 50.00 to Segundo, and reads that it was done."""
    history = History(moment=100)
    history.owners = {ROSAS: ROSA, SEGUNDOS: SEGUNDO}
    history.minted = {KEY: MINTED}
    history.intended[ROSA, SEGUNDOS, 50_00] = 1
    history.orders = [Order(GIVEN, KEY, ROSA, SEGUNDOS, 50_00)]
    history.postings = [posting()]
    history.told = [told()]
    history.answered = [answered(hop(told=history.told))]
    history.tells = [tell()]
    history.lasts = [Last(ROSA, "done", "Listo", refused=False)]
    history.books.opening = {ROSAS: PLENTY, SEGUNDOS: 0}
    history.books.balances = {ROSAS: PLENTY - 50_00, SEGUNDOS: 50_00}
    history.books.keys = [KEY]
    history.books.ends = {KEY: "posted"}
    history.books.turns = {KEY: 1}
    history.books.accounts = {KEY: (ROSAS, SEGUNDOS), OTHER: (SEGUNDOS, ROSAS)}
    history.sent = [Sent(GIVEN + 1, KEY)]
    history.settled = [Settled(POSTED + 1, KEY, "posted")]
    history.funded = {KEY}
    return history


def tell(attempt: int = 1, **changes: object) -> Tell:
    """Rosa's receipt goes out."""
    ordinary = Tell(
        notice=1,
        attempt=attempt,
        key=KEY,
        fact="transfer_sent",
        member=ROSA,
        became=POSTED,
        began=LATER,
        began_ms=7_000,
        yes=1,
        took_ms=10,
    )
    return replace(ordinary, **changes)  # type: ignore[arg-type]


# ---- What is wrong, each by a change of the good history -------------------------------------


def books_that_do_not_add_up(history: History) -> None:
    history.books.wrong.append("the books do not add up")


def a_centimo_is_missing(history: History) -> None:
    history.books.balances[ROSAS] -= 1


def moved_twice(history: History) -> None:
    second = posting(key=OTHER, reference="100002", moment=POSTED + 1, session="")
    history.postings.append(second)
    history.told.append(told(reference="100002", keys=(OTHER,)))
    history.books.keys.append(OTHER)
    history.books.balances = {ROSAS: PLENTY - 100_00, SEGUNDOS: 100_00}


def moved_though_nobody_meant_it(history: History) -> None:
    history.intended.clear()


def the_core_knows_of_another_posting(history: History) -> None:
    history.books.keys.append(OTHER)


def told_of_what_did_not_happen(history: History) -> None:
    history.told.append(told(reference="100009"))


def told_before_it_happened(history: History) -> None:
    history.told.append(told(moment=POSTED - 1))


def told_another_amount(history: History) -> None:
    history.told.append(told(centimos=60_00))


def told_of_somebody_elses(history: History) -> None:
    history.told.append(told(member=SEGUNDO))


def denied_though_it_was_done(history: History) -> None:
    history.told.append(told(What.DENIED, LATER))


def denied_and_then_done(history: History) -> None:
    history.told.append(told(What.DENIED, POSTED - 1))


def offered_again_and_then_done(history: History) -> None:
    history.told.append(told(What.OFFERED, POSTED - 1, keys=()))


def offered_again_though_done_and_nobody_had_said_so(history: History) -> None:
    history.told.insert(0, told(What.OFFERED, POSTED + 1, keys=()))


def the_message_was_outdated_when_it_went_out(history: History) -> None:
    message = told(What.DENIED, LATER, keys=(), by="sms", became=POSTED - 1, looked=LATER - 1)
    history.told.append(message)


def the_hop_said_something_else(history: History) -> None:
    history.answered.append(answered(hop(copy=2, newer=True), "Hola Rosa", LATER))


def the_next_dial_said_nothing(history: History) -> None:
    history.told[0].seen = False
    history.told.append(told(moment=90, by="sms"))
    dial = hop(session="S2", number=1, plain=True, dialled=LATER, began=LATER + 1)
    history.answered.append(answered(dial, "Hola Rosa", LATER + 2))


def an_order_without_an_end(history: History) -> None:
    history.books.open_orders.append(OTHER)


def a_notice_that_still_waits(history: History) -> None:
    history.books.waiting = 1


def a_posting_of_which_nobody_told(history: History) -> None:
    history.told[0].seen = False


def an_order_under_way_of_which_no_end_was_told(history: History) -> None:
    history.told.append(told(What.PENDING, keys=(OTHER,)))
    history.books.ends[OTHER] = "refused"


def a_message_sent_twice_for_nothing(history: History) -> None:
    history.tells.append(tell(attempt=2))


def a_message_sent_too_often(history: History) -> None:
    history.tells = [tell(attempt, hurt=True) for attempt in range(1, 10)]


def two_reminders(history: History) -> None:
    history.tells = [tell(attempt, fact="left_unfinished", hurt=True) for attempt in (1, 2)]


def a_pin_in_redis(history: History) -> None:
    history.leaks.append("sent to Redis")


def a_pin_at_the_end(history: History) -> None:
    history.books.leaks.append("in bank.pin_attempt")


def copies_that_were_answered_differently(history: History) -> None:
    history.answered += [
        answered(hop(session="S3", number=2, copy=copy), text, LATER + copy)
        for copy, text in ((1, "¿A quien?"), (2, "Hola Rosa"))
    ]


def an_old_copy_that_gave_an_order(history: History) -> None:
    old = hop(session="S3", number=2, outrun=True, orders=history.orders)
    history.answered.append(answered(old, moment=LATER))


def an_old_copy_that_changed_its_session(history: History) -> None:
    old = hop(session="S3", number=2, outrun=True, saved=True)
    history.answered.append(answered(old, moment=LATER))


def copies_of_a_worker_that_slept_with_other_words(history: History) -> None:
    copies_that_were_answered_differently(history)
    late = history.answered[-1]
    history.answered[-1] = replace(late, at_ms=20_000, hop=replace(late.hop, slept_ms=15_000))


def a_screen_that_nobody_kept(history: History) -> None:
    history.answered.append(answered(hop(number=3), "¿A quien?", MINTED, ends=False))


def somebody_is_stuck(history: History) -> None:
    history.lasts.append(Last(SEGUNDO, "sorry", "Estamos con problemas", refused=False))


def a_fault_inside(history: History) -> None:
    history.faults.append("hop_failed")


def passed_by_a_later_order(history: History) -> None:
    """Segundo's order was given after Rosa's, and posted before it."""
    first = posting(key=OTHER, source=SEGUNDOS, target=ROSAS, centimos=9_00, moment=POSTED - 1)
    first = replace(first, reference="100002", session="")
    history.postings.insert(0, first)
    history.intended[SEGUNDO, ROSAS, 9_00] = 1
    history.told.append(told(member=SEGUNDO, centimos=9_00, reference="100002", keys=(OTHER,)))
    history.books.keys.append(OTHER)
    history.books.turns[OTHER] = 2
    history.books.balances = {ROSAS: PLENTY - 41_00, SEGUNDOS: 41_00}


def asked_for_while_another_was_in_flight(history: History) -> None:
    history.sent.append(Sent(GIVEN + 2, OTHER))


def refused_for_want_of_money(history: History) -> None:
    history.funded.add(OTHER)
    history.books.codes[OTHER] = "insufficient_funds"


def a_hop_that_waited_for_the_core(history: History) -> None:
    history.answered.append(answered(hop(number=4, slept_ms=900), at_ms=11_000))


BROKEN: tuple[tuple[str, Callable[[History], None]], ...] = (
    ("money is conserved", books_that_do_not_add_up),
    ("money is conserved", a_centimo_is_missing),
    ("at most once", moved_twice),
    ("at most once", moved_though_nobody_meant_it),
    ("at most once", the_core_knows_of_another_posting),
    ("said, so done", told_of_what_did_not_happen),
    ("said, so done", told_before_it_happened),
    ("said, so done", told_another_amount),
    ("said, so done", told_of_somebody_elses),
    ("denied, so not done", denied_though_it_was_done),
    ("denied, so not done", denied_and_then_done),
    ("denied, so not done", offered_again_and_then_done),
    ("denied, so not done", offered_again_though_done_and_nobody_had_said_so),
    ("denied, so not done", the_message_was_outdated_when_it_went_out),
    ("the hop tells", the_hop_said_something_else),
    ("the next dial tells", the_next_dial_said_nothing),
    ("everybody learns", an_order_without_an_end),
    ("everybody learns", a_notice_that_still_waits),
    ("everybody learns", a_posting_of_which_nobody_told),
    ("everybody learns", an_order_under_way_of_which_no_end_was_told),
    ("told twice only in doubt", a_message_sent_twice_for_nothing),
    ("told twice only in doubt", a_message_sent_too_often),
    ("told twice only in doubt", two_reminders),
    ("no PIN", a_pin_in_redis),
    ("no PIN", a_pin_at_the_end),
    ("a repeat changes nothing", copies_that_were_answered_differently),
    ("a repeat changes nothing", an_old_copy_that_gave_an_order),
    ("a repeat changes nothing", an_old_copy_that_changed_its_session),
    ("a repeat changes nothing", copies_of_a_worker_that_slept_with_other_words),
    ("shown, so kept", a_screen_that_nobody_kept),
    ("nobody is stuck", somebody_is_stuck),
    ("no fault inside", a_fault_inside),
    ("in turn at each account", passed_by_a_later_order),
    ("one write in flight", asked_for_while_another_was_in_flight),
    ("funds are spent once", refused_for_want_of_money),
    ("no hop waits for the core", a_hop_that_waited_for_the_core),
)


@pytest.mark.parametrize(("rule", "spoil"), BROKEN, ids=[spoil.__name__ for _, spoil in BROKEN])
def test_what_is_wrong_breaks_its_rule_and_no_other(
    rule: str, spoil: Callable[[History], None]
) -> None:
    history = good()
    spoil(history)

    assert {violation.rule for violation in judge(history)} == {rule}


def test_a_draft_without_a_key_is_another_order_than_the_one_that_is_known_to_be_under_way() -> (
    None
):
    history = good()
    history.told = [
        told(What.PENDING, GIVEN + 1),
        told(What.OFFERED, GIVEN + 2, keys=()),
        told(),
    ]
    assert judge(history) == []

    del history.told[0]

    assert {one.rule for one in judge(history)} == {"denied, so not done"}


def test_what_redis_forgot_while_a_slow_copy_worked_no_quick_one_can_repeat() -> None:
    """The second copy began after Redis had forgotten, and was answered before the first."""
    history = good()
    history.postings = [posting(session="", number=0)]
    slow = slow_hop(began=GIVEN - 1, told=history.told)
    quick = hop(copy=2, began=GIVEN + 5)
    history.answered = [
        answered(quick, "Hola", TOLD, at_ms=5_500),
        answered(slow, "Listo", LATER, at_ms=12_000),
    ]
    assert [one.rule for one in judge(history)] == ["a repeat changes nothing"]

    history.forgot = [GIVEN + 2]

    assert judge(history) == []


def test_what_waits_for_a_person_at_the_core_may_be_passed_by() -> None:
    history = good()
    passed_by_a_later_order(history)
    asked_for_while_another_was_in_flight(history)
    history.awaited = {KEY}

    assert judge(history) == []


def test_an_attempt_that_certainly_did_nothing_is_not_in_flight() -> None:
    history = good()
    history.sent.append(Sent(POSTED + 2, OTHER))
    history.settled.insert(0, Settled(GIVEN + 2, KEY, "later"))

    assert judge(history) == []


def test_money_that_people_at_the_core_took_back_may_be_missing() -> None:
    history = good()
    refused_for_want_of_money(history)
    back = posting(key="key-3", source=SEGUNDOS, target=ROSAS, centimos=7_00, reference="100003")
    back = replace(back, session="")
    history.postings.append(back)
    history.books.keys.append(back.key)
    history.undone = {back.key: POSTED + 1}

    assert judge(history) == []


def test_every_rule_can_be_broken() -> None:
    assert {rule for rule, _ in BROKEN} == set(RULES)


def test_nothing_is_wrong_with_an_ordinary_order() -> None:
    assert judge(good()) == []


def test_a_denial_is_right_where_nothing_happened() -> None:
    """Rosa's order was refused: nothing moved, and she was told so."""
    history = good()
    history.postings.clear()
    history.answered.clear()
    history.told = [told(What.DENIED)]
    history.books.balances = dict(history.books.opening)
    history.books.keys = []
    history.books.ends = {KEY: "refused"}

    assert judge(history) == []


def test_where_redis_forgot_the_next_dial_may_be_silent() -> None:
    history = good()
    the_next_dial_said_nothing(history)
    history.forgot = [LATER]

    assert judge(history) == []


def test_a_message_may_come_twice_where_nobody_knew_whether_it_had_gone_out() -> None:
    history = good()
    history.tells = [tell(hurt=True), tell(attempt=2)]

    assert judge(history) == []


def test_a_copy_that_overtook_a_sleeping_worker_may_read_that_it_is_under_way() -> None:
    """The bank was asked by both, and answers one of them."""
    history = good()
    slept = answered(slow_hop(told=history.told), at_ms=5_000 + CLAIM_LEASE_MS + 1)
    waited = slow_hop(copy=2, began_ms=5_500, told=[told(What.PENDING, LATER)])
    history.answered = [slept, answered(waited, "En proceso", LATER, at_ms=13_000)]

    assert judge(history) == []
