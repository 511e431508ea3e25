"""Who has an instalment to pay is reminded: never twice, never who said no, never at night."""

from __future__ import annotations

import datetime as dt

import pytest
import redis
from rq import Queue
from rq.registry import ScheduledJobRegistry

from gateway.notices.wakeup import QUEUE
from gateway.worker import Duty
from tests.cooperative import MORNING, Cooperative
from tests.people import ELMER, ROSA

NINE = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)  # in Lima


@pytest.fixture(autouse=True)
def _begun(cooperative: Cooperative) -> None:
    """The gateway was installed some days ago."""
    cooperative.clock.at = MORNING - dt.timedelta(days=10)
    reminders(cooperative).run()
    cooperative.clock.at = MORNING


def reminders(cooperative: Cooperative) -> Duty:
    """The duty that tells them."""
    return next(duty for duty in cooperative.duties if duty.name.endswith("reminders"))


def told_on(cooperative: Cooperative, days: int, msisdn: str) -> list[str]:
    """What a phone gets that many days from today, with everything the worker does in between."""
    cooperative.clock.at = MORNING + dt.timedelta(days=days)
    cooperative.deliver()
    return cooperative.new_sms(msisdn)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (-4, None),
        (-3, "Tu cuota de Campaña cafe vence el 23 nov: S/ 85.40."),
        (-2, None),
        (-1, None),
        (0, "Hoy vence tu cuota de Campaña cafe: S/ 85.40."),
        (1, "Tu cuota de Campaña cafe vencio el 23 nov. Por pagar hoy: S/ 85."),
        (2, None),
        (7, "Tu cuota de Campaña cafe vencio el 23 nov. Por pagar hoy: S/ 8"),
        (8, None),
    ],
)
def test_rosa_is_reminded_on_four_days(
    cooperative: Cooperative, days: int, said: str | None
) -> None:
    """Three days before, on the day, and a day and a week late."""
    texts = told_on(cooperative, days, ROSA.msisdn)

    assert [text.startswith(said or "") for text in texts] == ([True] if said else [])


def test_a_day_is_told_once(cooperative: Cooperative) -> None:
    """However many workers look, and however often; also where the first one died half way."""
    assert len(told_on(cooperative, 0, ROSA.msisdn)) == 1
    with cooperative.owner() as owner:
        # It died before it could say that the day is done.
        owner.execute("delete from notices.day_done where day = '2026-11-23'")

    assert told_on(cooperative, 0, ROSA.msisdn) == []


def test_who_has_paid_is_not_reminded(cooperative: Cooperative) -> None:
    """And who pays a part is told what is left."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial("3*1")
    assert "Listo" in phone.press(str(ROSA.pin)).text
    cooperative.clock.at = MORNING

    reminders(cooperative).run()
    cooperative.deliver()

    assert not any("vence tu cuota" in text for text in cooperative.new_sms(ROSA.msisdn))


def test_who_said_no_is_not_reminded_even_if_it_was_told_before(cooperative: Cooperative) -> None:
    """The last word counts, at the moment of sending."""
    reminders(cooperative).run()
    cooperative.text(ROSA.msisdn, "BAJA")

    assert not any("vence" in text for text in cooperative.new_sms(ROSA.msisdn))
    cooperative.text(ROSA.msisdn, "ALTA")
    assert len(told_on(cooperative, 1, ROSA.msisdn)) == 1


def test_nobody_is_woken_by_a_reminder(cooperative: Cooperative) -> None:
    """Before nine in the morning there is none, and one that comes too late is not sent."""
    cooperative.clock.at = NINE - dt.timedelta(seconds=1)
    cooperative.deliver()
    assert cooperative.new_sms(ROSA.msisdn) == []

    cooperative.clock.at = NINE
    reminders(cooperative).run()
    cooperative.clock.at = NINE + dt.timedelta(hours=16)  # one in the morning: the network was away
    next(duty for duty in cooperative.duties if duty.name.endswith("notices")).run()
    assert cooperative.new_sms(ROSA.msisdn) == []


def test_on_the_day_of_its_first_start_it_tells_nothing(cooperative: Cooperative) -> None:
    """Who installs it may still be trying things out."""
    with cooperative.owner() as owner:
        owner.execute("delete from notices.day_done")

    assert told_on(cooperative, 0, ROSA.msisdn) == []
    assert len(told_on(cooperative, 1, ROSA.msisdn)) == 1


def test_a_loan_that_is_late_for_long_is_for_people_to_talk_about(
    cooperative: Cooperative,
) -> None:
    """Elmer is twelve days late."""
    assert told_on(cooperative, 0, ELMER.msisdn) == []


def test_rq_wakes_the_worker_at_nine(cooperative: Cooperative, redis_urls: tuple[str, str]) -> None:
    """Asked for again and again it is one wake-up; and Redis may forget it meanwhile."""
    with redis.Redis.from_url(redis_urls[1]) as client:
        queue = Queue(QUEUE, connection=client)
        planned = ScheduledJobRegistry(queue=queue)
        client.flushall()
        for _ in range(3):
            reminders(cooperative).run()
        tomorrow = NINE + dt.timedelta(days=1)
        assert planned.get_job_ids() == [f"wake-at-{int(tomorrow.timestamp())}"]

        client.flushall()
        reminders(cooperative).run()
        assert len(planned.get_job_ids()) == 1
