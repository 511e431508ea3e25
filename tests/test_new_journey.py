"""A new journey is a new file and one function: here, a ticket for the cooperative's bus."""

from __future__ import annotations

import shutil
from pathlib import Path

from gateway.bank.bank import CATALOGUE
from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.values.outcome import Done, Outcome, Refused
from tests.cooperative import founded
from tests.people import ROSA

MENUS = Path(__file__).parents[1] / "menus"

TICKET = """
journey: ticket
help: "Compra tu pasaje en el bus de la cooperativa."
sms: [PASAJE]
inputs_max: 5
draft: "comprar tu pasaje"
slots:
  where: {type: choice, ask: "¿A donde?", choices: {jaen: Jaen, piura: Piura}}
  day: {type: date, ask: "¿Que dia? Ejemplo: 25/12/26"}
confirm: "Pasaje para el {day}.\\nMarca tu PIN:"
authorise: pin
do: bus.buy
done: "Listo: asiento {seat} el {day}."
refused:
  bus_is_full: {say: "Ese dia esta lleno.", ask: day}
"""


def _buy(_: Desk, request: Request) -> Outcome:
    if request.text("where") == "piura":
        return Refused("bus_is_full")
    return Done({"seat": "12"})


BUY = Operation(
    name="bus.buy",
    perform=_buy,
    takes={"where": "choice", "day": "date"},
    gives={"seat": "reference"},
    refusals={"bus_is_full": {}},
    needs_pin=True,
)


def test_a_bus_ticket_is_one_file_and_one_function(
    tmp_path: Path, database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> None:
    """It is proven, walked, dialled deep, begun by SMS, resumed and refused like any other."""
    menus = tmp_path / "menus"
    shutil.copytree(MENUS, menus, ignore=shutil.ignore_patterns("locale"))
    (menus / "ticket.yaml").write_text(TICKET)
    more = menus / "more.yaml"
    more.write_text(more.read_text().replace("go: language}", "go: ticket}"))
    (menus / "language.yaml").unlink()

    with founded(
        database_urls, redis_urls, menus=menus, operations={**CATALOGUE, BUY.name: BUY}
    ) as cooperative:
        phone = cooperative.phone(ROSA.msisdn)
        assert phone.dial("5*1").text.startswith("¿A donde?\n1. Jaen\n2. Piura")
        assert "25 dic" in phone.press("2", "25/12/26").text
        assert "lleno" in phone.press(str(ROSA.pin)).text

        lost = cooperative.phone(ROSA.msisdn)
        assert "1. Seguir: comprar tu pasaje" in lost.dial().text
        assert "¿Que dia?" in lost.press("1").text

        direct = cooperative.phone(ROSA.msisdn)
        assert "PIN" in direct.dial("5*1*1*26/12/26").text
        assert direct.press(str(ROSA.pin)).text == "Listo: asiento 12 el 26 dic."
