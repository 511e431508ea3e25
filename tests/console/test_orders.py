"""Orders, reversals, claims, calls and messages on the console."""

from __future__ import annotations

import re

import pytest

from gateway.ledger.postgres.adapter import PostgresLedger
from tests.house import Browser, House
from tests.people import ROSA, SEGUNDO


def _sends(house: House, soles: str = "20") -> str:
    """Rosa sends Segundo some money; the order's key."""
    phone = house.cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), soles)
    assert "Listo" in phone.press(str(ROSA.pin)).text
    with house.cooperative.owner() as owner:
        row = owner.execute("select key from instructions.instruction").fetchone()
    assert row
    return str(row[0])


def _asks(browser: Browser, key: str, reason: str = "wrong_person") -> None:
    browser.see(f"/ordenes/{key}")
    browser.send(f"/ordenes/{key}/reverso", reason=reason, claim="")


def test_an_order_is_found_by_number_key_member_state_and_day(house: House) -> None:
    key = _sends(house)
    ana = house.signed_in("ana")
    with house.cooperative.owner() as owner:
        (reference,) = owner.execute(
            "select reference from instructions.instruction"
        ).fetchone() or ("",)

    for query in (
        f"numero={reference}",
        f"numero={key}",
        f"socio={ROSA.ref}",
        f"socio={ROSA.ref}&estado=posted&desde=2026-11-23",
        "",
        "desde=2026-11-20&hasta=2026-11-23",
    ):
        assert f"/console/ordenes/{key}" in ana.see(f"/ordenes?{query}").text, query
    for query in (
        "numero=999999999",
        "socio=nobody",
        f"socio={ROSA.ref}&estado=refused",
        "desde=2026-11-24&hasta=2026-11-30",
        "hasta=2026-11-22",
    ):
        assert f"/console/ordenes/{key}" not in ana.see(f"/ordenes?{query}").text, query
    for nonsense in (
        "desde=ayer&hasta=9999-99-99",
        "estado=lost",
        "numero=%00",
        "hasta=0001-01-01",
    ):
        assert ana.see(f"/ordenes?{nonsense}").status_code == 200


def test_an_order_that_nobody_gave_has_no_page(house: House) -> None:
    ana = house.signed_in("ana")

    assert ana.see("/ordenes/00000000-0000-0000-0000-000000000099").status_code == 404
    assert ana.see("/ordenes/1").status_code == 404


def test_a_reversal_takes_two_and_puts_the_money_back_once(house: House) -> None:
    """Not the one who asked; asked again it stays one; the books are right."""
    key = _sends(house)
    before = house.cooperative.balances(ROSA.ref)
    luis, marta = house.signed_in("luis"), house.signed_in("marta")

    _asks(luis, key)
    _asks(luis, key)
    assert "su reverso ya se pidió" in luis.see("/").text
    luis.see("/pendientes")
    luis.send("/pendientes/1/si")
    assert "tiene que ser otra persona" in luis.see("/pendientes").text
    assert house.cooperative.balances(ROSA.ref) == before
    marta.see("/pendientes")
    marta.send("/pendientes/1/si")

    assert "El reverso está hecho." in marta.see("/pendientes").text
    after = house.cooperative.balances(ROSA.ref)
    assert sum(after.values()) - sum(before.values()) == 20_00
    assert house.cooperative.books_are_right()
    assert ("order.reversed", ROSA.ref) in house.deeds("marta")
    marta.send("/pendientes/1/si")
    assert house.cooperative.balances(ROSA.ref) == after
    assert "hecho" in marta.see(f"/ordenes/{key}").text


def test_both_whose_money_was_moved_back_are_told_once(house: House) -> None:
    key = _sends(house)
    luis, marta = house.signed_in("luis"), house.signed_in("marta")
    _asks(luis, key)
    marta.see("/pendientes")
    marta.send("/pendientes/1/si")
    marta.send("/pendientes/1/si")

    with house.cooperative.owner() as owner:
        told = owner.execute(
            "select fact, member_ref, detail from notices.outbox"
            " where fact in ('order_reversed', 'transfer_taken_back') order by id"
        ).fetchall()
        (original,) = owner.execute(
            "select reference from instructions.instruction where key = %s", (key,)
        ).fetchone() or ("",)
        (reference,) = owner.execute("select reference from bank.reversal").fetchone() or ("",)
    assert told == [
        (
            "order_reversed",
            ROSA.ref,
            {"amount_centimos": 20_00, "original": original, "reference": reference},
        ),
        (
            "transfer_taken_back",
            SEGUNDO.ref,
            {"amount_centimos": 20_00, "reference": reference, "party_ref": ROSA.ref},
        ),
    ]


def test_what_the_other_side_has_spent_is_not_reversed(house: House) -> None:
    """And it is said; it may be asked for again."""
    key = _sends(house, "500")
    spent = house.cooperative.phone(SEGUNDO.msisdn)
    spent.dial()
    spent.press("2", "987000003", "800")
    assert "Listo" in spent.press(str(SEGUNDO.pin)).text
    luis, marta = house.signed_in("luis"), house.signed_in("marta")

    _asks(luis, key)
    marta.see("/pendientes")
    marta.send("/pendientes/1/si")

    assert "ya no tiene ese dinero" in marta.see("/pendientes").text
    assert ("order.reversal_refused", ROSA.ref) in house.deeds("marta")
    _asks(luis, key)
    assert "Pedido 2" in luis.see("/").text


def test_a_declined_reversal_moves_nothing_and_may_be_asked_again(house: House) -> None:
    key = _sends(house)
    before = house.cooperative.balances(ROSA.ref)
    luis, marta = house.signed_in("luis"), house.signed_in("marta")

    _asks(luis, key)
    marta.see("/pendientes")
    marta.send("/pendientes/1/no")
    _asks(luis, key)

    assert "Pedido 2" in luis.see("/").text
    assert house.cooperative.balances(ROSA.ref) == before


@pytest.mark.parametrize("reason", ["", "because", "wrong_person'"])
def test_a_reversal_has_one_of_the_reasons(house: House, reason: str) -> None:
    key = _sends(house)
    luis = house.signed_in("luis")
    luis.see(f"/ordenes/{key}")

    assert luis.send(f"/ordenes/{key}/reverso", reason=reason).status_code == 400
    assert "Nada espera." in luis.see("/pendientes").text


def test_a_claim_is_held_released_and_settled(house: House) -> None:
    """By the ledger's holds; each step under the name of who did it."""
    key, now = _sends(house), house.cooperative.clock.now()
    with house.cooperative.owner() as owner:
        owner.execute(
            "select bank.open_claim(%s, %s, 'africastalking', %s, %s)",
            (ROSA.ref, key, now.replace(hour=1), now),
        )
        (number,) = owner.execute("select id from bank.claim").fetchone() or (0,)
    luis = house.signed_in("luis")
    assert str(number) in luis.see("/reclamos").text

    luis.send(f"/reclamos/{number}/retener")
    assert "S/ 20.00 hasta" in luis.see("/reclamos").text
    held = PostgresLedger(house.cooperative.database).accounts(SEGUNDO.ref)[0]
    assert (held.balance - held.available).centimos == 20_00
    luis.send(f"/reclamos/{number}/retener")
    assert "ya tenía retención" in luis.see("/reclamos").text
    assert luis.send(f"/reclamos/{number}/fin", how="lost").status_code == 400
    luis.see("/reclamos")
    luis.send(f"/reclamos/{number}/fin", how="returned")

    assert "se devolvió" in luis.see("/reclamos?estado=resolved").text
    free = PostgresLedger(house.cooperative.database).accounts(SEGUNDO.ref)[0]
    assert free.balance == free.available
    done = [action for action, _ in house.deeds("luis")]
    assert done[-3:] == ["claim.held", "claim.released", "claim.resolved"]


def test_who_asked_to_be_called_is_on_the_list_until_somebody_did(house: House) -> None:
    with house.cooperative.owner() as owner:
        owner.execute(
            "select bank.ask_call(%s, 'send/amount', 'infobip', %s)",
            (ROSA.ref, house.cooperative.clock.now()),
        )
    ana = house.signed_in("ana")
    page = ana.see("/llamadas").text
    assert "send/amount" in page
    number = re.findall(r"/llamadas/(\d+)/hecha", page)[0]

    ana.send(f"/llamadas/{number}/hecha")

    assert "Nadie espera." in ana.see("/llamadas").text
    assert house.deeds("ana")[-1] == ("call.done", ROSA.ref)


def test_a_message_that_was_given_up_is_sent_again_by_name(house: House) -> None:
    """The trail has who, and which."""
    with house.cooperative.owner() as owner:
        owner.execute("select notices.tell('pin_changed', %s, '{}')", (ROSA.ref,))
        owner.execute(
            "update notices.outbox set state = 'dead', reason = 'boom', settled_at = now()"
        )
        (number,) = owner.execute("select id from notices.outbox").fetchone() or (0,)
    luis = house.signed_in("luis")
    assert "boom" in luis.see("/mensajes").text
    assert "Ninguno." in luis.see("/mensajes?motivo=other").text
    luis.see("/mensajes")

    luis.send("/mensajes", id=str(number))

    assert "Ninguno." in luis.see("/mensajes").text
    assert house.deeds("luis")[-1] == ("notice.requeued", None)
    assert "luis" in luis.see(f"/mensajes/{number}").text
    assert luis.see("/mensajes/999999").status_code == 404
    assert luis.see(f"/mensajes/{'9' * 30}").status_code == 404


def test_trying_again_rings_the_bell_and_is_written_down(house: House) -> None:
    luis = house.signed_in("luis")
    luis.see("/ordenes")

    luis.send("/ordenes/reintento")

    assert house.deeds("luis")[-1] == ("orders.retried", None)
