from __future__ import annotations

import datetime as dt
import getpass
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from gateway.bounds import OUTBOX_ATTEMPTS_MAX
from gateway.cli.sms import sms
from gateway.notices.dead_letters import DeadLetters
from gateway.notices.outbox import Notice
from gateway.notices.reports import Reports
from gateway.notices.senders import Cost, Sent, Sms, TryLater
from gateway.values.delivery import DeliveryState, Report

Chaski = Callable[..., Result]
NOBODY_ANSWERS = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def letters(database) -> DeadLetters:
    return DeadLetters(database)


@pytest.fixture
def give_up(outbox, tell) -> Callable[..., list[Notice]]:
    """Facts that were given up, for this reason."""

    def write(count: int, reason: str) -> list[Notice]:
        tell(*range(count))
        notices = outbox.claim(count, 60)
        for notice in notices:
            outbox.dead(notice, reason)
        return notices

    return write


@pytest.fixture
def chaski(database_urls) -> Chaski:
    """`chaski sms …` of an operator."""
    environment = {
        "CHASKI_DATABASE_URL": database_urls[1],
        "CHASKI_SESSIONS_URL": "redis://127.0.0.1:1/0",
        "CHASKI_QUEUE_URL": "redis://127.0.0.1:1/0",
        "CHASKI_WEBHOOK_SECRETS": "a-secret-of-enough-letters",
        "CHASKI_SESSION_SECRET": "a-secret-of-enough-letters",
        "CHASKI_PIN_PEPPERS": json.dumps({"1": "ab" * 32}),
    }

    def run(*words: object, typed: str = "", **changed: str) -> Result:
        arguments = [str(word) for word in words]
        return CliRunner().invoke(sms, arguments, env={**environment, **changed}, input=typed)

    return run


def printed(result: Result) -> object:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


# ---- What staff type wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("requeue",),
        ("requeue", "1", "--all"),
        ("requeue", "1", "--reason", "credit"),
        ("requeue", "one"),
        ("dead", "--limit", "0"),
        ("costs", "--months", "0"),
        ("show",),
    ],
)
def test_what_is_not_clear_is_not_done(chaski, words):
    refused = chaski(*words)
    assert refused.exit_code == 2
    assert "Usage" in refused.output


@pytest.mark.parametrize("words", [("dead",), ("show", 1), ("costs",), ("requeue", 1)])
def test_a_database_that_is_away_is_said_plainly(chaski, words):
    away = chaski(*words, CHASKI_DATABASE_URL=NOBODY_ANSWERS)
    assert (away.exit_code, "PostgreSQL does not answer" in away.output) == (1, True)


def test_a_folder_without_a_demo_is_said_plainly(chaski, tmp_path):
    nothing = chaski("dead", "--data", tmp_path / "nothing")
    assert (nothing.exit_code, "no demo runs" in nothing.output) == (1, True)


def test_a_message_that_there_is_not_has_nothing_to_show(chaski):
    assert "there is no message 77" in chaski("show", 77).output


def test_what_was_not_given_up_is_left_as_it_is_and_named(chaski, give_up, tell, rows):
    (dead,) = give_up(1, "no credit")
    tell(2)
    partly = chaski("requeue", dead.id, dead.id + 1, 4_000)
    assert partly.exit_code == 1
    assert "1 will be sent again" in partly.stdout
    assert f"left as they are: {dead.id + 1}, 4000" in partly.stderr
    assert [row[0] for row in rows()] == ["waiting", "waiting"]


# ---- Dead letters ----------------------------------------------------------------------------


def test_nothing_given_up_is_said(chaski):
    assert chaski("dead").stdout == "no message was given up\n"
    assert printed(chaski("dead", "--json")) == []


def test_the_list_says_what_staff_need_and_no_text_and_no_number(chaski, give_up):
    (first, _) = give_up(2, "21211: no such number")
    give_up(1, "no credit")
    listed = printed(chaski("dead", "--json", "--reason", "NUMBER"))
    assert [set(row) for row in listed] == [
        {"id", "at", "dead_at", "fact", "member_ref", "tries", "reason"}
    ] * 2
    assert listed[0] | {"at": "", "dead_at": ""} == {
        "id": first.id,
        "at": "",
        "dead_at": "",
        "fact": "transfer_sent",
        "member_ref": "rosa",
        "tries": 1,
        "reason": "21211: no such number",
    }
    for moment in (listed[0]["at"], listed[0]["dead_at"]):
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(moment)
        assert age < dt.timedelta(minutes=1)


def test_the_table_has_a_heading_and_says_when_there_are_more(chaski, give_up):
    give_up(3, "no credit")
    lines = chaski("dead", "--limit", 2).stdout.splitlines()
    assert lines[0].split() == ["id", "at", "dead_at", "fact", "member_ref", "tries", "reason"]
    assert len(lines) == 4
    assert lines[-1] == "there are more: --limit 4"


def test_every_page_of_a_long_list_is_read(letters, give_up):
    notices = give_up(7, "no credit")
    pages, after = [], 0
    while page := letters.listed(rows=3, after=after):
        pages.append(len(page))
        after = page[-1].id
    assert pages == [3, 3, 1]
    assert [letter.id for letter in letters.all()] == [notice.id for notice in notices]


# ---- Another chance --------------------------------------------------------------------------


def test_a_requeued_message_is_as_good_as_new_and_keeps_who_did_it(
    chaski, tell, rows, owner, network, drain_with, outbox
):
    tell(1)
    away = network(lambda _: TryLater("no credit"))
    for _ in range(OUTBOX_ATTEMPTS_MAX):
        owner.execute("update notices.outbox set due_at = now()")
        drain_with(away).run()
    (dead,) = printed(chaski("dead", "--json"))
    assert dead["tries"] == OUTBOX_ATTEMPTS_MAX

    assert printed(chaski("requeue", dead["id"], "--json")) == [dead["id"]]
    assert outbox.state().dead == 0
    (notice,) = outbox.claim(1, lease_s=0)
    assert (notice.attempt, notice.tries, notice.put_back) == (OUTBOX_ATTEMPTS_MAX + 1, 1, 0)

    (trace,) = printed(chaski("show", dead["id"], "--json"))["requeues"]
    assert trace["requeued_by"] == getpass.getuser()
    assert (trace["tries"], trace["reason"]) == (OUTBOX_ATTEMPTS_MAX, "no credit")


def test_a_late_drain_cannot_touch_what_was_requeued(outbox, letters, tell, rows):
    tell(1)
    (late,) = outbox.claim(1, lease_s=0)
    (newer,) = outbox.claim(1, 60)
    outbox.dead(newer, "no credit")
    letters.requeue([newer.id], "elmer")
    assert not outbox.dead(late, "late")
    assert not outbox.retry(late, 5, "late")
    assert rows()[0][0] == "waiting"


def test_each_time_that_staff_requeue_it_is_kept(letters, outbox, give_up):
    (notice,) = give_up(1, "no credit")
    letters.requeue([notice.id], "elmer")
    (again,) = outbox.claim(1, 60)
    outbox.dead(again, "wrong sender")
    letters.requeue([notice.id], "flor")
    traces = letters.story(notice.id).requeues
    assert [(trace["requeued_by"], trace["reason"]) for trace in traces] == [
        ("elmer", "no credit"),
        ("flor", "wrong sender"),
    ]


def test_what_was_requeued_after_a_long_while_has_a_whole_day_again(
    letters, outbox, owner, give_up, rows
):
    (notice,) = give_up(1, "every way out is shut")
    owner.execute("update notices.outbox set put_back_since = now() - interval '3 days'")
    letters.requeue([notice.id], "elmer")
    (again,) = outbox.claim(1, 60)
    outbox.put_back(again, 5, "night")
    assert rows()[0][0] == "waiting"


def test_all_of_a_reason_are_requeued_when_staff_mean_it(chaski, give_up, rows):
    give_up(3, "405: InsufficientBalance")
    give_up(1, "21211: no such number")
    asked = chaski("requeue", "--all", "--reason", "balance", typed="n\n")
    assert asked.exit_code == 1
    assert "Send 3 messages again?" in asked.output
    assert {row[0] for row in rows()} == {"dead"}

    meant = chaski("requeue", "--all", "--reason", "balance", typed="y\n")
    assert "3 will be sent again" in meant.output
    assert [row[0] for row in rows()] == ["waiting"] * 3 + ["dead"]

    assert len(printed(chaski("requeue", "--all", "--yes", "--json"))) == 1
    assert printed(chaski("requeue", "--all", "--yes", "--json")) == []


def test_more_than_a_statement_takes_are_requeued_in_pages(letters, owner, rows):
    owner.execute(
        "insert into notices.outbox (fact, member_ref, detail, state)"
        " select 'transfer_sent', 'rosa', '{}', 'dead' from generate_series(1, 1201)"
    )
    ids = [letter.id for letter in letters.all()]
    assert len(letters.requeue(ids, "elmer")) == len(ids) == 1201


# ---- What became of one, and what it cost ----------------------------------------------------


def test_a_message_tells_its_story(chaski, tell, outbox, database):
    tell(1)
    (notice,) = outbox.claim(1, 60)
    waiting = printed(chaski("show", notice.id, "--json"))
    assert (waiting["state"], waiting["submissions"], waiting["settled_at"]) == (
        "sending",
        [],
        None,
    )
    outbox.sent(notice, Sent("SM1", "twilio", 2, Cost(75_000, "USD")))
    Reports(database).apply(Report("twilio", "SM1", DeliveryState.FAILED, "30003"))

    told = printed(chaski("show", notice.id, "--json"))
    (submission,) = told["submissions"]
    assert (told["state"], told["due_at"]) == ("sent", None)
    assert submission | {"taken_at": "", "reported_at": ""} == {
        "sender": "twilio",
        "provider_id": "SM1",
        "taken_at": "",
        "segments": 2,
        "cost_micros": 75_000,
        "currency": "USD",
        "report": "failed",
        "reported_at": "",
        "reason": "30003",
    }
    shown = chaski("show", notice.id).stdout
    assert "taken by a provider: " in shown
    assert "reason=30003" in shown


def test_costs_are_summed_by_month_sender_and_fact(chaski, tell, outbox, owner):
    tell(1, 2, 3)
    tell(4, fact="loan_paid")
    taken = [
        Sent("a", "twilio", 2, Cost(75_000, "USD")),
        Sent("b", "twilio", 1, Cost(37_500, "USD")),
        Sent("c", "infobip", 1),
        Sent("d", "twilio", 1, Cost(37_500, "USD")),
    ]
    for notice, sent in zip(outbox.claim(4, 60), taken, strict=True):
        outbox.sent(notice, sent)
    month = owner.execute(
        "select to_char(now() at time zone 'America/Lima', 'YYYY-MM')"
    ).fetchone()[0]
    rows = printed(chaski("costs", "--json"))
    assert [tuple(row.values()) for row in rows] == [
        (month, "infobip", "transfer_sent", "", 1, 1, 0, 1),
        (month, "twilio", "loan_paid", "USD", 1, 1, 37_500, 0),
        (month, "twilio", "transfer_sent", "USD", 2, 3, 112_500, 0),
    ]
    assert "0.112500 USD" in chaski("costs").stdout


def test_a_month_begins_at_midnight_of_the_cooperative_and_old_months_are_left_out(
    letters, tell, outbox, owner
):
    tell(1, 2, 3)
    moments = ["2026-11-01 04:59:59+00", "2026-11-01 05:00:00+00", "2026-09-30 12:00:00+00"]
    for notice, moment in zip(outbox.claim(3, 60), moments, strict=True):
        outbox.sent(notice, Sent(f"SM{notice.id}", "twilio", 1))
        owner.execute(
            "update notices.submissions set taken_at = %s where notice_id = %s",
            (moment, notice.id),
        )
    since = dt.datetime(2026, 10, 1, 5, tzinfo=dt.UTC)
    costs = letters.costs("America/Lima", since)
    assert [(cost.month, cost.messages) for cost in costs] == [("2026-10", 1), ("2026-11", 1)]


def test_nothing_sent_costs_nothing(chaski):
    assert chaski("costs").stdout == "nothing was sent\n"


def test_staff_never_see_a_text_or_a_number(chaski, tell, network, drain_with, rows):
    def refuse(sms: Sms) -> TryLater:
        raise ConnectionError(f"{sms.to} {sms.text}")

    tell(777_777)
    drain_with(network(refuse)).run()
    shown = chaski("show", 1).output
    assert "ConnectionError" in shown
    assert "777777" not in shown
    assert "+51" not in shown
