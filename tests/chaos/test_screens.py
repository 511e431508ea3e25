"""The reader of screens: what a person presses, and what they were told."""

from __future__ import annotations

import random

import pytest

from tests.chaos.members import Member, members
from tests.chaos.orders import Intent, Order, Way, What
from tests.chaos.screens import (
    Agree,
    Apology,
    Authorise,
    Disbelieved,
    Finished,
    Locked,
    Lost,
    Move,
    Pending,
    Press,
    Refused,
    Screen,
    Told,
    move,
    tellings,
)
from tests.people import ELMER, ROSA, SEGUNDO, Person

HOME = "1. Saldo\n2. Enviar dinero\n3. Credito\n4. Movimientos\n5. Idioma / Language\n0 Salir"
FOOT = "0 Volver  00 Inicio"


def member(person: Person) -> Member:
    """One of the demo's people, with a phone in the storm."""
    return Member(person, "012345", has_loan=person is ROSA)


SENDS = Intent(Order(member(ROSA), member(SEGUNDO), 1_23), Way.MENUS)
PAYS = Intent(Order(member(ROSA), None, 1_23), Way.MENUS)


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("Bienvenido a otro banco\n1. Depositos", Lost()),
        (f"PIN equivocado. Intentos que quedan: 2.\nMarca tu PIN:\n{FOOT}", Disbelieved()),
        (f"Enviar S/ 1.24 a Segundo C.\nSin costo\nMarca tu PIN:\n{FOOT}", Press("00")),
        (f"Enviar S/ 11.23 a Segundo C.\nSin costo\nMarca tu PIN:\n{FOOT}", Press("00")),
        (f"Enviar S/ 1.23 a Elmer T.\nSin costo\nMarca tu PIN:\n{FOOT}", Press("00")),
        (f"Pagar S/ 1.23 de Campaña cafe\nSin costo\nMarca tu PIN:\n{FOOT}", Press("00")),
        ("Quedo sin terminar:\n1. Seguir: enviar S/ 1.22 a Segundo C.\n2. Inicio", Press("2")),
        ("Quedo sin terminar:\n1. Seguir: enviar S/ 1.23 a Segundo C.\n2. Inicio", Press("1")),
        (f"No alcanza: tienes S/ 1.00.\n¿Cuanto a Segundo C.?\n{FOOT}", Refused()),
        ("Pasa tu limite: hoy puedes enviar hasta S/ 1.00.\n¿Cuanto a Segundo C.?", Refused()),
        (f"No pudimos consultar ahora. Intenta en unos minutos.\n{FOOT}", Apology()),
        (f"Hace poco pediste enviar S/ 1.23 a Segundo C.\n¿Otra vez?\n1. Si\n{FOOT}", Agree()),
        (f"Hola Rosa\n{HOME}", Press("2")),
        (f"Tu pedido de enviar S/ 1.23 a Segundo C. NO se hizo.\n{HOME}", Press("2")),
        ("Tu pedido de enviar S/ 1.23 a Segundo C. NO se hizo.\n9 Mas  0 Salir", Press("9")),
        (f"¿A quien? Marca su celular:\n{FOOT}", Press("987000002")),
        (f"¿Cuanto a Segundo C.? Ejemplo: 50 o 50.50\n{FOOT}", Press("1.23")),
        (f"Enviar S/ 1.23 a Segundo C.\nSin costo\nMarca tu PIN:\n{FOOT}", Authorise()),
    ],
)
def test_what_is_pressed_on_the_way_to_sending(text: str, then: Move) -> None:
    assert move(Screen(text, ends=False), SENDS) == then


@pytest.mark.parametrize(
    ("text", "then"),
    [
        (f"Enviar S/ 1.23 a Segundo C.\nSin costo\nMarca tu PIN:\n{FOOT}", Press("00")),
        (f"¿A quien? Marca su celular:\n{FOOT}", Press("00")),
        (f"Hola Rosa\n{HOME}", Press("3")),
        ("Campaña cafe: cuota S/ 85.40, vence 23 nov\n1. Pagar cuota\n2. Pagar otro", Press("2")),
        (f"¿Cuanto pagas? Ejemplo: 50 o 50.50\n{FOOT}", Press("1.23")),
        ("Quedo sin terminar:\n1. Seguir: pagar S/ 1.23 de tu credito\n2. Inicio", Press("1")),
        (f"Pagar S/ 1.23 de Campaña cafe\nSin costo\nMarca tu PIN:\n{FOOT}", Authorise()),
    ],
)
def test_what_is_pressed_on_the_way_to_paying_a_loan(text: str, then: Move) -> None:
    assert move(Screen(text, ends=False), PAYS) == then


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("Adios", Lost()),
        ("Por tu seguridad tu PIN quedo bloqueado. Espera 15 min o llama.", Locked()),
        ("Estamos con problemas. Tu dinero esta seguro. Intenta en unos minutos.", Apology()),
        ("No pudimos confirmar. Marca de nuevo en un momento.", Apology()),
        ("Se corto la sesion. Marca de nuevo, por favor.", Apology()),
        ("En proceso. Te llega un SMS con el resultado. No lo repitas.", Pending()),
        ("Listo: enviaste S/ 1.23 a Segundo C.\nOp. 100009", Finished()),
    ],
)
def test_what_a_last_screen_means(text: str, then: Move) -> None:
    assert move(Screen(text, ends=True), SENDS) == then


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Recibiste S/ 1.23 de Rosa Q. el 23 nov, op. 100009", []),
        ("Enviar S/ 1.23 a Segundo C.\nSin costo\nMarca tu PIN:", []),
        (f"Hola Rosa\n{HOME}", []),
        ("Se corto la llamada. Para enviar S/ 1.23 a Segundo C. marca *775# y sigue.", []),
        (
            "Listo: enviaste S/ 1,001.03 a Segundo C.\nOp. 100009",
            [Told(What.SENT, 1_001_03, "100009")],
        ),
        (
            "Listo: pagaste S/ 1.23. Te falta S/ 500.00. Op. 100009",
            [Told(What.SENT, 1_23, "100009")],
        ),
        (
            f"Tu pedido de enviar S/ 1.23 a Segundo C. SI se hizo. Op. 100009\n{HOME}",
            [Told(What.SENT, 1_23, "100009")],
        ),
        (
            "Enviaste S/ 1.23 a Segundo C. el 23 nov, op. 100009. Si no fuiste tu, llama ya.",
            [Told(What.SENT, 1_23, "100009")],
        ),
        (
            "Pagaste S/ 1.23 de tu credito el 23 nov, op. 100009. Gracias.",
            [Told(What.SENT, 1_23, "100009")],
        ),
        (
            f"Tu pedido de pagar S/ 1.23 de tu credito NO se hizo.\n{HOME}",
            [Told(What.NOT_DONE, 1_23)],
        ),
        ("Tu pedido de S/ 1.23 NO se hizo. No se movio tu dinero.", [Told(What.NOT_DONE, 1_23)]),
        (
            "En proceso, te llega un SMS: enviar S/ 1.23 a Segundo C.",
            [Told(What.UNDER_WAY, 1_23)],
        ),
        (
            "Hace poco pediste enviar S/ 1.23 a Segundo C.\n¿Otra vez?\n1. Si",
            [Told(What.SENT_BEFORE, 1_23)],
        ),
        (
            f"Ya lo pediste. No se hizo otra vez: enviar S/ 1.23 a Segundo C.\n{HOME}",
            [Told(What.NOT_AGAIN, 1_23)],
        ),
        (
            "Quedo sin terminar:\n1. Seguir: enviar S/ 1.23 a Segundo C.\n2. Inicio",
            [Told(What.UNFINISHED, 1_23)],
        ),
    ],
)
def test_what_a_text_tells(text: str, told: list[Told]) -> None:
    assert tellings(text) == told


def test_a_deep_dial_carries_payee_and_amount_and_a_loan_has_none() -> None:
    deep = Intent(Order(member(ELMER), member(ROSA), 10_05), Way.DEEP_DIAL)
    assert deep.dialled == "2*987000001*10.05"
    assert Intent(PAYS.order, Way.DEEP_DIAL).dialled == ""


def test_members_are_told_apart_by_name_phone_and_pin() -> None:
    those = members(10, random.Random(1))  # noqa: S311 - a plan, not a secret
    assert len(those) == 40
    for what in ("short_name", "msisdn", "pin", "ref"):
        assert len({getattr(one, what) for one in those}) == 40, what
    assert all(len(one.pin) == 6 and one.pin[0] == "0" for one in those)
