from __future__ import annotations

import datetime as dt
import time

import psycopg
import pytest

from gateway.bounds import (
    NOTICE_PATIENCE_S,
    OUTBOX_ATTEMPTS_MAX,
    OUTBOX_LEASE_S,
    REASON_CHARS_MAX,
    SEND_TIMEOUT_S,
)
from gateway.notices.outbox import Outbox, OutboxState
from gateway.notices.senders import Cost, Sent


@pytest.mark.parametrize(
    "statement",
    [
        "insert into notices.outbox (fact, member_ref, detail) values ('x', 'rosa', '{}')",
        "update notices.outbox set state = 'sent'",
        "delete from notices.outbox",
        "truncate notices.outbox",
        "select * from notices.outbox",
        "select * from notices.simulated_sms",
        "insert into notices.simulated_sms (msisdn, sender, text) values ('+51', 'x', 'y')",
        "select notices.tell('transfer_sent', 'rosa', '{}')",
        "create table notices.mine ()",
    ],
)
def test_the_application_may_call_functions_and_touch_nothing(database_urls, statement):
    with (
        psycopg.connect(database_urls[1]) as application,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        application.execute(statement)


def test_any_other_role_may_not_even_claim(owner):
    owner.execute("drop role if exists stranger")
    owner.execute("create role stranger")
    try:
        owner.execute("grant usage on schema notices to stranger")
        owner.execute("set role stranger")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("select * from notices.claim(1, 1, 1)")
    finally:
        owner.execute("reset role")
        owner.execute("drop owned by stranger")
        owner.execute("drop role stranger")


def test_no_function_may_be_called_by_everybody(owner):
    def open_to_all() -> list[tuple[str]]:
        return owner.execute(
            "select p.proname"
            " from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))"
            " where p.pronamespace = 'notices'::regnamespace and grantee = 0"
        ).fetchall()

    assert open_to_all() == []
    owner.execute("create function notices.forgotten() returns void language sql begin atomic end")
    assert open_to_all() == [("forgotten",)]


def test_every_mark_of_an_attempt_that_was_taken_over_changes_nothing(outbox, tell, rows):
    tell(1)
    (late,) = outbox.claim(1, lease_s=0)
    (newer,) = outbox.claim(1, lease_s=60)
    assert newer.attempt == late.attempt + 1
    before = rows()[0][:3]

    assert not outbox.dead(late, "gave up")
    assert not outbox.retry(late, 5, "away")
    assert not outbox.put_back(late, 5, "night")
    assert not outbox.quiet(late)
    assert not outbox.opted_out(late, "infobip", "406")
    assert not outbox.sent(late, Sent("late", "infobip"))

    assert rows()[0][:3] == before
    assert outbox.opt_outs("rosa") == {}
    assert outbox.sent(newer, Sent("newer", "infobip"))


def test_a_message_that_was_taken_twice_is_known_by_both_its_names_and_costs_twice(
    outbox, tell, owner
):
    tell(1)
    (late,) = outbox.claim(1, lease_s=0)
    (newer,) = outbox.claim(1, lease_s=60)
    outbox.sent(newer, Sent("newer", "infobip", 2, Cost(80_000, "PEN")))
    assert not outbox.sent(late, Sent("late", "infobip", 2, Cost(80_000, "PEN")))
    taken = owner.execute(
        "select provider_id, notice_id, segments, cost_micros, currency"
        " from notices.submissions order by 1"
    ).fetchall()
    assert taken == [
        ("late", newer.id, 2, 80_000, "PEN"),
        ("newer", newer.id, 2, 80_000, "PEN"),
    ]


def test_a_settled_row_cannot_be_settled_otherwise(outbox, tell, rows):
    tell(1)
    (notice,) = outbox.claim(1, 60)
    assert outbox.sent(notice, Sent("a", "infobip"))
    assert not outbox.dead(notice, "no")
    assert not outbox.retry(notice, 1, "no")
    assert not outbox.put_back(notice, 1, "no")
    assert not outbox.quiet(notice)
    assert rows()[0][:4] == ("sent", 1, None, "a")


def test_what_was_given_up_is_not_put_back_by_a_late_answer(outbox, tell, rows):
    tell(1)
    (notice,) = outbox.claim(1, 60)
    assert outbox.dead(notice, "no phone")
    assert not outbox.put_back(notice, 1, "night")
    assert rows()[0][:3] == ("dead", 1, "no phone")


def test_a_mark_may_be_repeated_because_its_answer_may_be_lost(outbox, tell):
    tell(1, 2, 3, 4, 5, 6)
    sent, retried, dead, quiet, stopped, put_back = outbox.claim(6, 60)
    for _ in range(2):
        assert outbox.opted_out(stopped, "twilio", "21610")
        assert outbox.put_back(put_back, 0, "night")
        assert outbox.sent(sent, Sent("a", "infobip"))
        assert outbox.retry(retried, 60, "away")
        assert outbox.dead(dead, "no phone")
        assert outbox.quiet(quiet)
    assert outbox.claim(1, 60)[0].tries == 1  # it was put back once, not twice


def test_what_certainly_nobody_took_loses_no_try_however_often(outbox, tell):
    tell(1)
    for turn in range(1, 2 * OUTBOX_ATTEMPTS_MAX):
        (notice,) = outbox.claim(1, 60)
        assert (notice.attempt, notice.tries, notice.put_back) == (turn, 1, turn - 1)
        assert outbox.put_back(notice, 0, "night")
    (notice,) = outbox.claim(1, 60)
    outbox.retry(notice, 0, "away")
    assert outbox.claim(1, 60)[0].tries == 2


@pytest.mark.parametrize(("once", "state"), [(None, "dead"), ("session", "quiet")])
def test_what_nobody_takes_for_a_day_is_given_up(outbox, owner, tell, rows, once, state):
    tell(1)
    # That no worker lived for days says nothing about who would take it.
    owner.execute(
        "update notices.outbox set once = %s, created_at = now() - interval '9 days'", (once,)
    )
    (notice,) = outbox.claim(1, 60)
    outbox.put_back(notice, 0, "night")
    assert rows()[0][:3] == ("waiting", 1, "night")

    owner.execute(
        "update notices.outbox set put_back_since = now() - make_interval(secs => %s)",
        (NOTICE_PATIENCE_S + 1,),
    )
    (notice,) = outbox.claim(1, 60)
    for _ in range(2):
        assert outbox.put_back(notice, 1, "every way out is shut")
    assert rows()[0][:3] == (state, 2, "every way out is shut")


def test_what_there_is_one_message_about_is_tried_once_but_put_back_as_often_as_need_be(
    outbox, owner, tell, rows
):
    tell(1)
    owner.execute("update notices.outbox set once = 'session'")
    for _ in range(3):
        (notice,) = outbox.claim(1, 60)
        outbox.put_back(notice, 0, "night")
    (notice,) = outbox.claim(1, 60)
    outbox.retry(notice, 0, "no answer in time")
    assert outbox.claim(1, 60) == []
    assert rows()[0][:3] == ("quiet", 4, "no answer in time")


def test_a_message_that_the_provider_gave_no_name_is_counted_all_the_same(outbox, tell, owner):
    tell(1, 2)
    for notice in outbox.claim(2, 60):
        assert outbox.sent(notice, Sent("", "infobip", 1))
    assert owner.execute("select sum(segments) from notices.submissions").fetchone() == (2,)


def test_who_told_a_sender_to_stop_is_known_and_nobody_need_look_after_the_message(
    outbox, tell, rows
):
    tell(1)
    (notice,) = outbox.claim(1, 60)
    assert outbox.opt_outs("rosa") == {}
    outbox.opted_out(notice, "twilio", "21610: opted out")
    assert rows()[0][:3] == ("quiet", 1, "21610: opted out")
    assert list(outbox.opt_outs("rosa")) == ["twilio"]
    assert outbox.state().dead == 0

    assert not outbox.opted_in("rosa", "infobip")
    assert outbox.opted_in("rosa", "twilio")
    assert outbox.opt_outs("rosa") == {}


def test_a_message_is_called_the_same_at_each_attempt_and_no_other_is_called_so(
    outbox, tell, owner
):
    tell(1, 2)
    first, second = outbox.claim(2, lease_s=0)
    again, _ = outbox.claim(2, lease_s=60)
    assert again.reference == first.reference != second.reference
    # An earlier database's message with the same number.
    owner.execute("update notices.outbox set created_at = created_at - interval '1 second'")
    owner.execute("update notices.outbox set due_at = now() - interval '1 second'")
    assert outbox.claim(1, 60)[0].reference != first.reference


def test_what_was_told_long_ago_forgets_what_it_said_and_stays_counted(outbox, tell, owner, rows):
    tell(*range(6))
    sent, quiet, dead, waiting, fresh = outbox.claim(5, 60)
    outbox.sent(sent, Sent("a", "infobip"))
    outbox.quiet(quiet)
    outbox.dead(dead, "no phone")
    outbox.retry(waiting, 60, "away")
    owner.execute("update notices.outbox set settled_at = settled_at - interval '91 days'")
    outbox.sent(fresh, Sent("b", "infobip"))

    now = dt.datetime.now(dt.UTC)
    assert outbox.forget(now - dt.timedelta(days=90), now) == 2
    assert outbox.forget(now - dt.timedelta(days=90), now) == 0
    emptied = owner.execute("select id from notices.outbox where detail = '{}' order by id")
    assert emptied.fetchall() == [(sent.id,), (quiet.id,)]
    assert len(rows()) == 6


def test_a_row_that_outlives_its_last_attempt_dies_and_holds_nothing_up(outbox, tell, rows):
    tell(1)
    for attempt in range(1, OUTBOX_ATTEMPTS_MAX + 1):
        (notice,) = outbox.claim(1, lease_s=0)
        assert notice.attempt == attempt
    tell(2)
    told = outbox.claim(2, 60)
    assert [notice.fact.detail["reference"] for notice in told] == ["2"]
    assert rows()[0][:3] == ("dead", OUTBOX_ATTEMPTS_MAX, "no attempt was finished")


def test_a_claimed_row_is_nobody_elses_until_its_lease_ends(outbox, tell):
    tell(1)
    assert outbox.claim(1, lease_s=0.4)
    assert outbox.claim(1, 60) == []
    time.sleep(0.5)
    assert outbox.claim(1, 60)[0].attempt == 2


def test_what_is_due_longest_is_claimed_first(outbox, tell):
    tell(*range(1, 6))
    (first,) = outbox.claim(1, 60)
    outbox.retry(first, 0, "away")
    assert [n.fact.detail["reference"] for n in outbox.claim(4, 60)] == ["2", "3", "4", "5"]
    assert outbox.claim(4, 60)[0].id == first.id


def test_a_claim_of_no_rows_takes_none(outbox, tell):
    tell(1)
    assert outbox.claim(0, 60) == []


def test_a_reason_is_kept_short_whatever_a_provider_answers(outbox, tell, rows):
    tell(1)
    (notice,) = outbox.claim(1, 60)
    outbox.dead(notice, "<html>" * 10_000)
    assert len(rows()[0][2]) == REASON_CHARS_MAX


def test_the_state_counts_what_waits_what_is_overdue_and_what_is_dead(outbox: Outbox, tell):
    assert outbox.state() == OutboxState(waiting=0, oldest_due_s=0, dead=0)
    tell(1, 2, 3)
    time.sleep(0.05)
    assert outbox.state().waiting == 3
    assert 0.05 <= outbox.state().oldest_due_s < 10
    dead, sent, _ = outbox.claim(3, 60)
    outbox.dead(dead, "no phone")
    outbox.sent(sent, Sent("a", "infobip"))
    assert outbox.state() == OutboxState(waiting=1, oldest_due_s=0, dead=1)


def test_the_lease_outlives_the_slowest_send_and_its_wording():
    assert OUTBOX_LEASE_S > 3 * SEND_TIMEOUT_S


def test_a_fact_and_a_message_do_not_print_what_is_private(outbox, tell):
    tell(777_777)
    (notice,) = outbox.claim(1, 60)
    assert "777777" not in repr(notice)
