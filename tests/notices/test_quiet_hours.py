from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from gateway.notices.outbox import Fact
from gateway.notices.quiet_hours import (
    DaytimeWording,
    QuietHours,
    QuietHoursError,
    read_quiet_hours,
)
from gateway.notices.senders import NotNow, Sms
from gateway.values.msisdn import Msisdn

LIMA = ZoneInfo("America/Lima")
MADRID = ZoneInfo("Europe/Madrid")


def at(hour: int, minute: int = 0, zone: ZoneInfo = LIMA) -> dt.datetime:
    return dt.datetime(2026, 11, 23, hour, minute, tzinfo=zone)


@pytest.mark.parametrize("text", ["21", "21-", "21-8-9", "9pm-8am", "24-8", "21-24", "8-8", "-1-8"])
def test_what_is_no_night_is_refused(text):
    with pytest.raises(QuietHoursError, match=text):
        read_quiet_hours(text, LIMA)


def test_no_text_is_no_night():
    assert read_quiet_hours("", LIMA) is None
    assert read_quiet_hours(" ", LIMA) is None


@pytest.mark.parametrize(
    ("now", "left_h"),
    [
        (at(20, 59), 0),
        (at(21), 11),
        (at(23, 30), 8.5),
        (at(0), 8),
        (at(7, 30), 0.5),
        (at(8), 0),
        (at(12), 0),
    ],
)
def test_the_night_goes_over_midnight_on_the_clocks_of_the_place(now, left_h):
    quiet = read_quiet_hours("21-8", LIMA)
    assert quiet.left_s(now.astimezone(dt.UTC)) == left_h * 3600


@pytest.mark.parametrize(("hour", "left_h"), [(0, 0), (1, 5), (5, 1), (6, 0), (23, 0)])
def test_a_night_may_begin_after_midnight(hour, left_h):
    assert QuietHours(1, 6, LIMA).left_s(at(hour)) == left_h * 3600


@pytest.mark.parametrize(("month", "day", "night_h"), [(3, 28, 10), (10, 24, 12)])
def test_a_night_in_which_the_clocks_are_changed_is_as_long_as_it_is(month, day, night_h):
    evening = dt.datetime(2026, month, day, 21, tzinfo=MADRID)
    assert QuietHours(21, 8, MADRID).left_s(evening) == night_h * 3600


class Words:
    def compose(self, fact: Fact) -> Sms:
        return Sms(Msisdn("+51987000001"), fact.name)


def test_at_night_what_can_wait_waits_and_nothing_else_does():
    def composed(name: str, now: dt.datetime) -> object:
        wording = DaytimeWording(Words(), QuietHours(21, 8, LIMA), {"instalment_due"}, lambda: now)
        return wording.compose(Fact(name, "rosa", {}, now))

    assert composed("instalment_due", at(22)) == NotNow("quiet hours", 10 * 3600)
    assert isinstance(composed("instalment_due", at(8)), Sms)
    for urgent in ("transfer_sent", "left_unfinished", "a fact of a later version"):
        assert isinstance(composed(urgent, at(3)), Sms)
