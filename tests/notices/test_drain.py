from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from gateway.bounds import (
    OUTBOX_ATTEMPTS_MAX,
    OUTBOX_BACKOFF_FIRST_S,
    OUTBOX_BACKOFF_MAX_S,
    SENDERS_AT_ONCE,
)
from gateway.db.pool import DatabaseUnavailableError
from gateway.notices.drain import backoff_s
from gateway.notices.outbox import Fact, Notice, Outbox
from gateway.notices.senders import (
    Away,
    Misconfigured,
    Never,
    NotNow,
    OptedOut,
    Sent,
    Sms,
    TryLater,
)
from gateway.values.msisdn import Msisdn


class DiedError(BaseException):
    """Stands for kill -9: nothing catches it, nothing is cleaned up after it."""


def test_an_error_of_the_network_is_tried_again_and_tells_no_secret(
    tell, rows, network, drain_with
):
    def break_down(sms: Sms) -> Sent:
        raise ConnectionError(f"https://key@provider/{sms.to}/{sms.text}")

    tell(1)
    with structlog.testing.capture_logs() as logs:
        assert drain_with(network(break_down)).run() == 1

    state, attempts, reason, _, due_in_s = rows()[0]
    assert (state, attempts, reason) == ("waiting", 1, "ConnectionError")
    assert OUTBOX_BACKOFF_FIRST_S - 2 < due_in_s <= OUTBOX_BACKOFF_FIRST_S
    (entry,) = logs
    assert entry["error"] == "ConnectionError"
    assert "test_drain.py" in entry["at"]
    assert "key@" not in str(logs)
    assert "51987" not in str(logs)


def test_words_that_cannot_be_found_now_are_tried_again(tell, rows, taking, drain_with):
    class Speechless:
        def compose(self, fact: Fact) -> Sms:
            raise DatabaseUnavailableError(fact.name)

    tell(1)
    drain_with(taking, wording=Speechless()).run()
    assert rows()[0][:3] == ("waiting", 1, "DatabaseUnavailableError")
    assert taking.taken == []


def test_try_later_backs_off_and_is_left_alone_until_then(tell, rows, network, drain_with):
    away = network(lambda _: TryLater("no credit"))
    drain = drain_with(away)
    tell(1)
    assert drain.run() == 1
    assert drain.run() == 0
    state, _, reason, _, due_in_s = rows()[0]
    assert (state, reason) == ("waiting", "no credit")
    assert OUTBOX_BACKOFF_FIRST_S - 2 < due_in_s <= OUTBOX_BACKOFF_FIRST_S


def test_a_message_is_given_up_after_its_last_attempt(tell, rows, owner, network, drain_with):
    away = network(lambda _: TryLater("no credit"))
    tell(1)
    for _ in range(OUTBOX_ATTEMPTS_MAX):
        owner.execute("update notices.outbox set due_at = now() where state = 'waiting'")
        assert drain_with(away).run() == 1
    assert rows()[0][:3] == ("dead", OUTBOX_ATTEMPTS_MAX, "no credit")
    assert drain_with(away).run() == 0


def test_never_is_final(tell, rows, network, drain_with):
    refusing = network(lambda _: Never("not a mobile"))
    tell(1)
    drain_with(refusing).run()
    assert rows()[0][:3] == ("dead", 1, "not a mobile")


def test_a_member_who_told_the_sender_to_stop_is_left_alone(
    tell, rows, outbox, network, drain_with
):
    refusing = network(lambda _: OptedOut("21610: opted out", "twilio"))
    tell(1)
    drain_with(refusing).run()
    assert rows()[0][:3] == ("quiet", 1, "21610: opted out")
    assert list(outbox.opt_outs("rosa")) == ["twilio"]


@pytest.mark.parametrize(
    ("answer", "back_in_s"),
    [
        (NotNow("quiet hours", 5.0), 5),
        (TryLater("sent too fast", 2.0), OUTBOX_BACKOFF_FIRST_S),
        (TryLater("sent too fast", 600.0), 600),
        (Misconfigured("20003: wrong token"), OUTBOX_BACKOFF_FIRST_S),
        (Away("no connection"), OUTBOX_BACKOFF_FIRST_S),
    ],
)
def test_what_certainly_nobody_took_comes_back_and_loses_no_try(
    tell, rows, outbox, network, drain_with, owner, answer, back_in_s
):
    tell(1)
    assert drain_with(network(lambda _: answer)).run() == 1
    state, attempts, reason, _, due_in_s = rows()[0]
    assert (state, attempts, reason) == ("waiting", 1, answer.reason)
    assert back_in_s - 2 < due_in_s <= back_in_s
    owner.execute("update notices.outbox set due_at = now()")
    assert outbox.claim(1, 60)[0].tries == 1


def test_a_failure_waits_as_long_as_there_were_failures_however_often_it_was_put_back(
    tell, rows, owner, network, drain_with
):
    answers = [Misconfigured("no key")] * 4 + [TryLater("away"), Misconfigured("no key")]
    sender = network(lambda _: answers.pop(0))
    waits = []
    tell(1)
    while answers:
        owner.execute("update notices.outbox set due_at = now()")
        drain_with(sender).run()
        waits.append(round(rows()[0][4]))
    assert waits == [10, 30, 90, 270, 10, 810]


def test_words_that_have_to_wait_for_the_morning_come_back_then(tell, rows, taking, drain_with):
    class Asleep:
        def compose(self, _fact: Fact) -> NotNow:
            return NotNow("quiet hours", 3_600)

    tell(1)
    drain_with(taking, wording=Asleep()).run()
    assert rows()[0][:3] == ("waiting", 1, "quiet hours")
    assert taking.taken == []


def test_a_message_carries_our_name_of_it_and_one_that_has_another_keeps_it(
    tell, outbox, network, drain_with
):
    class Named:
        def compose(self, fact: Fact) -> Sms:
            number = fact.detail["reference"]
            return Sms(Msisdn("+51987000001"), number, "mine" if number == "2" else "")

    references = []

    def note(sms: Sms) -> Sent:
        references.append(sms.reference)
        return Sent("x")

    tell(1, 2)
    drain_with(network(note), wording=Named(), senders=1).run()
    ours, theirs = references
    assert theirs == "mine"
    assert ours.startswith("1-")


def test_a_member_without_a_phone_is_for_a_person_to_look_at(tell, rows, taking, drain_with):
    class Unreachable:
        def compose(self, _fact: Fact) -> Never:
            return Never("no phone")

    tell(1)
    drain_with(taking, wording=Unreachable()).run()
    assert rows()[0][:3] == ("dead", 1, "no phone")
    assert taking.taken == []


def test_a_fact_that_is_told_to_nobody_is_neither_sent_nor_a_fault(
    tell, rows, outbox, taking, drain_with
):
    tell(1, fact="transfer_own")
    drain_with(taking).run()
    assert rows()[0][:3] == ("quiet", 1, None)
    assert taking.taken == []
    assert outbox.state().dead == 0


def test_a_message_that_the_provider_took_is_marked_with_its_name_there(
    tell, rows, taking, drain_with
):
    tell(1)
    drain_with(taking).run()
    assert rows()[0][:4] == ("sent", 1, None, "id Op. 1")


def test_four_drains_at_once_send_each_of_500_messages_once(tell, rows, network, drain_with):
    def slow_now_and_then(sms: Sms) -> Sent:
        time.sleep(0.02 if sms.text.endswith("7") else 0)
        return Sent("x")

    shared = network(slow_now_and_then)
    tell(*range(500))
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(drain_with(shared, senders=2).run) for _ in range(4)]
        worked = [run.result() for run in runs]

    assert sum(worked) == 500
    assert min(worked) > 0
    assert set(Counter(shared.taken).values()) == {1}
    assert {row[:2] for row in rows()} == {("sent", 1)}


def test_a_drain_that_dies_after_the_send_is_repeated_once_after_its_lease_and_not_before(
    tell, rows, taking, network, drain_with
):
    def die(_sms: Sms) -> Sent:
        raise DiedError

    dying = network(die)
    tell(1)
    with pytest.raises(DiedError):
        drain_with(dying, lease_s=0.5).run()
    assert dying.taken == ["Op. 1"]
    assert rows()[0][:2] == ("sending", 1)

    assert drain_with(taking).run() == 0
    time.sleep(0.6)
    assert drain_with(taking).run() == 1
    assert drain_with(taking).run() == 0
    assert taking.taken == ["Op. 1"]
    assert rows()[0][:2] == ("sent", 2)


def test_the_late_mark_of_a_drain_that_was_taken_over_is_logged_and_changes_nothing(
    tell, rows, network, taking, drain_with
):
    let_go = threading.Event()

    def hang(_sms: Sms) -> Never:
        let_go.wait(5)
        return Never("too late to say so")

    tell(1)
    with ThreadPoolExecutor(1) as pool, structlog.testing.capture_logs() as logs:
        hanging = pool.submit(drain_with(network(hang), lease_s=0.3).run)
        time.sleep(0.4)
        assert drain_with(taking).run() == 1
        let_go.set()
        hanging.result()
    assert [entry["event"] for entry in logs] == ["notice_taken_over"]
    assert rows()[0][:4] == ("sent", 2, None, "id Op. 1")


def test_one_slow_answer_does_not_hold_up_the_others(tell, network, drain_with):
    let_go = threading.Event()
    rest_done = threading.Event()
    done = []

    def one_is_slow(sms: Sms) -> Sent:
        if sms.text == "Op. 0":
            assert let_go.wait(5)
        else:
            done.append(sms.text)
            if len(done) == 99:
                rest_done.set()
        return Sent("x")

    tell(*range(100))
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(drain_with(network(one_is_slow)).run)
        assert rest_done.wait(5)
        assert not run.done()
        let_go.set()
        assert run.result() == 100


def test_no_more_is_claimed_than_can_be_begun_so_no_lease_runs_while_a_message_queues(
    tell, rows, network, drain_with
):
    begun = threading.Barrier(SENDERS_AT_ONCE + 1)
    let_go = threading.Event()

    def hold(_sms: Sms) -> Sent:
        if not let_go.is_set():
            begun.wait(5)
            let_go.wait(5)
        return Sent("x")

    tell(*range(SENDERS_AT_ONCE + 4))
    drain = drain_with(network(hold))
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(drain.run)
        begun.wait(5)
        assert Counter(row[0] for row in rows()) == {"sending": SENDERS_AT_ONCE, "waiting": 4}
        drain.stop()
        let_go.set()
        assert run.result() == SENDERS_AT_ONCE
    assert Counter(row[0] for row in rows()) == {"sent": SENDERS_AT_ONCE, "waiting": 4}


class _Forgetful(Outbox):
    """PostgreSQL is away for the first two marks."""

    away_for = 2

    def sent(self, notice: Notice, sent: Sent) -> bool:
        if self.away_for:
            self.away_for -= 1
            raise DatabaseUnavailableError
        return super().sent(notice, sent)


def test_a_mark_is_repeated_while_postgresql_is_away_so_that_nothing_is_sent_twice(
    database, tell, rows, taking, drain_with
):
    tell(1)
    assert drain_with(taking, outbox=_Forgetful(database)).run() == 1
    assert rows()[0][:2] == ("sent", 1)
    assert taking.taken == ["Op. 1"]


def test_waits_grow_from_seconds_to_an_hour_and_jitter_takes_up_to_half():
    waits = [backoff_s(attempt, 0) for attempt in range(1, OUTBOX_ATTEMPTS_MAX)]
    assert waits == sorted(waits)
    assert waits[0] == OUTBOX_BACKOFF_FIRST_S
    assert waits[-1] == OUTBOX_BACKOFF_MAX_S
    assert 3600 < sum(waits) / 2 < sum(waits) < 3 * 3600
    assert backoff_s(1, 1) == OUTBOX_BACKOFF_FIRST_S / 2
