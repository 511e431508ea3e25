"""Members dial, and their money is in a Fineract: the screens are those of the own ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from tests.cooperative import TODAY, Cooperative, founded
from tests.people import ELMER, ROSA, SEGUNDO

_REFERENCE = re.compile(r"[0-9A-Z]{8}")


@pytest.fixture
def core() -> Iterator[StandIn]:
    with StandIn(TODAY) as core:
        yield core


@pytest.fixture
def cooperative(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], core: StandIn
) -> Iterator[Cooperative]:
    with founded(database_urls, redis_urls, core=core) as cooperative:
        yield cooperative


def saved(core: StandIn, code: str) -> int:
    """What the stand-in's books have in an account."""
    return next(one.balance for one in core.world.savings.values() if one.external_id == code)


def masked(text: str) -> str:
    """A reference is another one each time."""
    return _REFERENCE.sub("########", text)


def test_a_balance(cooperative: Cooperative) -> None:
    phone = cooperative.phone(ELMER.msisdn)
    phone.dial()
    screen = phone.press("1", ELMER.pin or "")
    assert screen.text == "Puedes usar:\nAhorro: S/ 80.00\nAhorro cosecha: S/ 2,000.00"


def test_money_is_sent_and_both_read_of_it(cooperative: Cooperative, core: StandIn) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    confirm = phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50")
    assert confirm.text.startswith("Enviar S/ 50.00 a Segundo C.\nSin costo\n")
    done = phone.press(ROSA.pin or "")
    assert masked(done.text).startswith("Listo: enviaste S/ 50.00 a Segundo C.\nOp. ########")
    assert (saved(core, "100-0001"), saved(core, "100-0002")) == (1_200_50, 360_00)
    cooperative.deliver()
    assert len(cooperative.new_sms(ROSA.msisdn)) == 1
    assert len(cooperative.new_sms(SEGUNDO.msisdn)) == 1

    phone = cooperative.phone(SEGUNDO.msisdn)
    phone.dial()
    lines = phone.press("4", SEGUNDO.pin or "").text.split("\n")
    assert lines[1:3] == ["23 nov De Rosa Q. S/ 50.00", "23 nov Deposito S/ 310.00"]


def test_too_little_money(cooperative: Cooperative, core: StandIn) -> None:
    phone = cooperative.phone(SEGUNDO.msisdn)
    phone.dial()
    screen = phone.press("2", ROSA.msisdn.removeprefix("+51"), "400", SEGUNDO.pin or "")
    assert "No alcanza" in screen.text
    assert saved(core, "100-0002") == 310_00


def test_an_instalment(cooperative: Cooperative, core: StandIn) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    assert phone.press("3").text.startswith("Campaña cafe: cuota S/ 85.40, vence 23 nov")
    done = phone.press("1", ROSA.pin or "")
    assert masked(done.text).startswith("Listo: pagaste S/ 85.40. Op. ########")
    assert saved(core, "100-0001") == 1_250_50 - 85_40
    phone.dial()
    assert phone.press("3").text.startswith("Campaña cafe: cuota S/ 85.40, vence 23 dic")


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.STUCK_AFTER])
def test_a_lost_answer_is_told_by_sms_and_moves_money_once(
    cooperative: Cooperative, core: StandIn, fault: Fault
) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50")
    core.plan.plan([fault])
    screen = phone.press(ROSA.pin or "")
    assert "SMS" in screen.text
    cooperative.clock.pass_time(minutes=2)
    cooperative.deliver()
    cooperative.deliver()
    assert saved(core, "100-0002") == 360_00
    (told,) = cooperative.new_sms(ROSA.msisdn)
    assert "S/ 50.00" in told


def test_a_core_that_is_away_makes_up_no_balance_and_takes_nobody_out_of_service(
    cooperative: Cooperative, core: StandIn
) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    core.plan.away = True
    screen = phone.press("1", ROSA.pin or "")
    assert "No podemos ver tu saldo ahora" in screen.text
    assert "S/" not in screen.text
    assert cooperative.client.get("/health/ready").status_code == 200
