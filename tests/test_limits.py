"""What members read of their limits, and when a day and a month begin: over the real webhook."""

from __future__ import annotations

import datetime as dt

from tests.cooperative import MORNING, Cooperative
from tests.people import FLOR, ROSA, SEGUNDO

# Half a minute before December begins in Lima.
BEFORE_MIDNIGHT = dt.datetime(2026, 12, 1, 4, 59, 30, tzinfo=dt.UTC)
LOOK_ONLY = "Por tu seguridad ahora solo puedes mirar. Ve a tu agencia con tu DNI."


def limit(
    cooperative: Cooperative, level: str, *centimos: int | None, since: str = "2026-01-01"
) -> None:
    """A rule for everybody's transfers: the most in an operation, a day and a month."""
    with cooperative.owner() as owner:
        owner.execute(
            "insert into instructions.limit_rule (operation, channel, level, effective_on,"
            " per_operation_centimos, per_day_centimos, per_month_centimos, reason, asked_by,"
            " asked_at) values ('transfers.send', 'any', %s, %s, %s, %s, %s, 'test', 'ana', now())",
            (level, since, *centimos),
        )


def be_careful(cooperative: Cooperative, ref: str, level: str) -> None:
    with cooperative.owner() as owner:
        owner.execute(
            "select instructions.be_careful(%s, 'pin_changed', %s, %s, %s)",
            (ref, level, MORNING + dt.timedelta(days=1), MORNING),
        )


def test_a_rule_holds_from_midnight_in_lima(cooperative: Cooperative) -> None:
    """A session that began in November gives a December order under December's limit."""
    limit(cooperative, "normal", 10_00, 3_300_00, 15_000_00, since="2026-12-01")
    cooperative.clock.at = BEFORE_MIDNIGHT
    rosa = cooperative.phone(ROSA.msisdn)
    assert "Marca tu PIN" in rosa.dial("2*987000002*50").text
    assert "Listo: enviaste S/ 50.00" in rosa.press(ROSA.pin or "").text
    assert "Marca tu PIN" in rosa.dial("2*987000002*60").text

    cooperative.clock.pass_time(seconds=31)

    shown = rosa.press(ROSA.pin or "")
    assert "Pasa tu limite por envio: S/ 10.00." in shown.text
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


def test_a_month_ends_at_midnight_in_lima(cooperative: Cooperative) -> None:
    """What was used up comes back with the new month."""
    limit(cooperative, "normal", 100_00, 100_00, 100_00)
    cooperative.clock.at = BEFORE_MIDNIGHT - dt.timedelta(days=1)
    rosa = cooperative.phone(ROSA.msisdn)
    rosa.dial("2*987000002*90")
    rosa.press(ROSA.pin or "")
    cooperative.clock.at = BEFORE_MIDNIGHT
    shown = rosa.dial("2*987000002*20")
    assert "Pasa tu limite del mes: S/ 100.00. Te queda S/ 10.00." in shown.text

    cooperative.clock.pass_time(seconds=31)

    assert "Marca tu PIN" in rosa.dial("2*987000002*100").text
    assert "Listo" in rosa.press(ROSA.pin or "").text


def test_who_may_only_look_learns_it_before_the_pin(cooperative: Cooperative) -> None:
    """Looking is as always."""
    be_careful(cooperative, ROSA.ref, "look_only")
    rosa = cooperative.phone(ROSA.msisdn)
    assert LOOK_ONLY in rosa.dial("2*987000002*50").text
    assert LOOK_ONLY in rosa.dial("3*1").text
    rosa.dial("1")
    assert "S/ 1,250.50" in rosa.press(ROSA.pin or "").text
    rosa.dial("5*5*3")
    assert LOOK_ONLY in rosa.press(ROSA.pin or "").text


def test_who_is_looked_after_reads_that_the_limits_are_lower(cooperative: Cooperative) -> None:
    """And that is what they are."""
    be_careful(cooperative, FLOR.ref, "careful")
    flor = cooperative.phone(FLOR.msisdn)
    flor.dial("5*5*3")
    shown = flor.press(FLOR.pin or "").text
    assert "For safety, less today." in shown
    assert "Send S/ 500.00 at once, today S/ 500.00, month S/ 15,000.00" in shown
    assert "Over your limit for one transfer: S/ 500.00." in flor.dial("2*987000001*500.01").text


def test_a_new_payee_gets_what_is_left_for_new_ones(cooperative: Cooperative) -> None:
    """The shipped rules have no such limit; a cooperative that sets one has it at once."""
    rosa = cooperative.phone(ROSA.msisdn)
    assert "Marca tu PIN" in rosa.dial("2*987000002*1250").text
    limit(cooperative, "new_payee", 200_00, 300_00, None)

    shown = rosa.dial("2*987000002*1250").text
    assert "Es nuevo en tu lista: hoy puedes enviarle hasta S/ 200.00." in shown
    assert "Marca tu PIN" in rosa.press("200").text


def test_a_limit_that_comes_down_between_quote_and_pin_holds(cooperative: Cooperative) -> None:
    """The bank decides where the money moves, not where it was said what will happen."""
    rosa = cooperative.phone(ROSA.msisdn)
    assert "Marca tu PIN" in rosa.dial("2*987000002*50").text
    limit(cooperative, "new_payee", 40_00, 40_00, None)

    assert "hasta S/ 40.00." in rosa.press(ROSA.pin or "").text
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_250_50
