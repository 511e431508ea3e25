from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.bounds import EARLY_REPORT_S, REASON_CHARS_MAX
from gateway.db.pool import Database
from gateway.notices.outbox import Notice
from gateway.notices.reports import Reports
from gateway.notices.senders import Sent
from gateway.values.delivery import DeliveryState, Report

ACCEPTED = Report("twilio", "SM1", DeliveryState.ACCEPTED)
SENT = Report("twilio", "SM1", DeliveryState.SENT)
DELIVERED = Report("twilio", "SM1", DeliveryState.DELIVERED)
FAILED = Report("twilio", "SM1", DeliveryState.FAILED, "30003")
STOPPED = Report("twilio", "SM1", DeliveryState.FAILED, "21610", opted_out=True)


@pytest.fixture
def reports(database) -> Reports:
    return Reports(database)


@pytest.fixture
def known(owner) -> Callable[[], list[tuple[object, ...]]]:
    """Every submission as (provider_id, notice_id, state, reason)."""
    return lambda: owner.execute(
        "select provider_id, notice_id, state, nullif(reason, '')"
        " from notices.submissions order by sender, provider_id"
    ).fetchall()


@pytest.fixture
def taken(outbox, tell) -> Callable[..., Notice]:
    """A message to Rosa that Twilio took."""

    def take(provider_id: str = "SM1") -> Notice:
        tell(1)
        (notice,) = outbox.claim(1, 60)
        outbox.sent(notice, Sent(provider_id, "twilio", 1))
        return notice

    return take


def test_a_report_of_a_database_that_is_away_is_not_taken():
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", size_max=1)
    nowhere.open()
    with nowhere:
        assert not Reports(nowhere).apply(DELIVERED)


def test_a_report_says_how_far_the_message_got(reports, taken, known):
    notice = taken()
    for report in (ACCEPTED, SENT, FAILED):
        assert reports.apply(report)
    assert known() == [("SM1", notice.id, "failed", "30003")]


@pytest.mark.parametrize("order", list(itertools.permutations((ACCEPTED, SENT, DELIVERED))))
def test_reports_in_any_order_end_with_the_last_that_happened(reports, taken, known, order):
    notice = taken()
    for report in (*order, *order):
        assert reports.apply(report)
    assert known() == [("SM1", notice.id, "delivered", None)]


@pytest.mark.parametrize("first", [DELIVERED, FAILED])
def test_what_is_final_stays(reports, taken, known, first):
    taken()
    for report in (first, DELIVERED, FAILED, ACCEPTED):
        assert reports.apply(report)
    assert known()[0][2] == first.state.label


def test_a_report_that_comes_before_the_mark_waits_for_it(reports, taken, known, outbox):
    assert reports.apply(DELIVERED)
    assert known() == [("SM1", None, "delivered", None)]
    notice = taken()
    assert known() == [("SM1", notice.id, "delivered", None)]
    assert reports.apply(SENT)
    assert known() == [("SM1", notice.id, "delivered", None)]


def test_the_same_name_at_another_provider_is_another_message(reports, taken, known):
    notice = taken()
    assert reports.apply(Report("infobip", "SM1", DeliveryState.FAILED))
    assert known() == [("SM1", None, "failed", None), ("SM1", notice.id, None, None)]


def test_a_report_of_what_nobody_knows_is_kept_for_a_while_and_no_longer(
    reports, taken, known, outbox, owner
):
    taken("SM2")
    reports.apply(Report("twilio", "SM2", DeliveryState.DELIVERED))
    reports.apply(DELIVERED)
    now = dt.datetime.now(dt.UTC)
    long_ago = now - dt.timedelta(days=90)
    assert outbox.forget(long_ago, now) == 0
    assert outbox.forget(long_ago, now + dt.timedelta(seconds=EARLY_REPORT_S + 60)) == 1
    assert [row[0] for row in known()] == ["SM2"]


def test_a_reason_is_kept_short_whatever_a_provider_says(reports, taken, known):
    taken()
    reports.apply(Report("twilio", "SM1", DeliveryState.FAILED, "<html>" * 10_000))
    assert len(known()[0][3]) == REASON_CHARS_MAX


@pytest.mark.parametrize("report_first", [True, False])
def test_who_told_the_provider_to_stop_is_known_whichever_comes_first(
    reports, taken, outbox, report_first
):
    if report_first:
        reports.apply(STOPPED)
        assert outbox.opt_outs("rosa") == {}
        taken()
    else:
        taken()
        reports.apply(STOPPED)
    assert list(outbox.opt_outs("rosa")) == ["twilio"]


def test_who_told_the_provider_to_stop_is_known_though_a_failure_came_first(
    reports, taken, outbox, known
):
    taken()
    for report in (FAILED, STOPPED):
        reports.apply(report)
    assert list(outbox.opt_outs("rosa")) == ["twilio"]
    assert known()[0][2:] == ("failed", "30003")


def test_a_mark_and_a_report_at_the_same_moment_always_find_each_other(
    reports, outbox, tell, known
):
    count = 60
    tell(*range(count))
    notices = outbox.claim(count, 60)
    together = threading.Barrier(2)

    def mark() -> None:
        for notice in notices:
            together.wait(10)
            outbox.sent(notice, Sent(f"SM{notice.id}", "twilio", 1))

    def report() -> None:
        for notice in notices:
            together.wait(10)
            reports.apply(Report("twilio", f"SM{notice.id}", DeliveryState.FAILED, "x", True))

    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(mark), pool.submit(report)]:
            run.result()
    assert {(row[0], row[2]) for row in known()} == {(f"SM{n.id}", "failed") for n in notices}
    assert [row[1] for row in known() if row[1] is None] == []
    assert list(outbox.opt_outs("rosa")) == ["twilio"]


def test_only_what_is_new_is_counted(database, taken):
    class Counted:
        def __init__(self) -> None:
            self.states: list[tuple[str, str]] = []

        def reported(self, sender: str, state: str) -> None:
            self.states.append((sender, state))

    watch = Counted()
    counted = Reports(database, watch)
    taken()
    for report in (SENT, SENT, ACCEPTED, DELIVERED, FAILED):
        counted.apply(report)
    assert watch.states == [("twilio", "sent"), ("twilio", "delivered")]
