from __future__ import annotations

import time

import psycopg
import pytest

from gateway.bounds import OUTBOX_ATTEMPTS_MAX, OUTBOX_LEASE_S, REASON_CHARS_MAX, SEND_TIMEOUT_S
from gateway.notices.outbox import Outbox, OutboxState


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


def test_every_mark_of_an_attempt_that_was_taken_over_changes_nothing(outbox, tell, rows):
    tell(1)
    (late,) = outbox.claim(1, lease_s=0)
    (newer,) = outbox.claim(1, lease_s=60)
    assert newer.attempt == late.attempt + 1
    before = rows()[0][:4]

    assert not outbox.dead(late, "gave up")
    assert not outbox.retry(late, 5, "away")
    assert not outbox.quiet(late)
    assert not outbox.sent(late, "late")

    assert rows()[0][:4] == before
    assert outbox.sent(newer, "newer")


def test_a_settled_row_cannot_be_settled_otherwise(outbox, tell, rows):
    tell(1)
    (notice,) = outbox.claim(1, 60)
    assert outbox.sent(notice, "a")
    assert not outbox.dead(notice, "no")
    assert not outbox.retry(notice, 1, "no")
    assert rows()[0][:4] == ("sent", 1, None, "a")


def test_a_mark_may_be_repeated_because_its_answer_may_be_lost(outbox, tell):
    tell(1, 2, 3, 4)
    sent, retried, dead, quiet = outbox.claim(4, 60)
    for _ in range(2):
        assert outbox.sent(sent, "a")
        assert outbox.retry(retried, 60, "away")
        assert outbox.dead(dead, "no phone")
        assert outbox.quiet(quiet)


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
    outbox.sent(sent, "a")
    assert outbox.state() == OutboxState(waiting=1, oldest_due_s=0, dead=1)


def test_the_lease_outlives_the_slowest_send_and_its_wording():
    assert OUTBOX_LEASE_S > 3 * SEND_TIMEOUT_S


def test_a_fact_and_a_message_do_not_print_what_is_private(outbox, tell):
    tell(777_777)
    (notice,) = outbox.claim(1, 60)
    assert "777777" not in repr(notice)
