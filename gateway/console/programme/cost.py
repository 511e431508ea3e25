"""What an operation costs us, and what it saves a member; both with what they rest on."""

from __future__ import annotations

from gateway.bounds import SMALL_GROUP_MEMBERS
from gateway.console.programme.charts import bars
from gateway.console.programme.labels import COSTS
from gateway.console.programme.table import Cell, Micros, Table, word
from gateway.console.words import say
from gateway.programme.figures import Assumption, Figures, Period, Travel, by, hidden
from gateway.values.money import Money

_MINUTES = 60


def costs(figures: Figures, period: Period) -> Table:
    """Airtime and messages by operation."""
    used = figures.costs(period)
    operations = sum(one.orders for one in figures.orders(period) if one.state == "posted")
    micros = sum(one.micros for one in used)
    without = sum(one.unpriced for one in used)
    title = say("Costo por operación")
    notes = [
        say(
            "Tarifa de %(what)s desde el %(day)s: %(price)s. Fuente: %(source)s.",
            what=word(COSTS, one.what),
            day=f"{one.effective_on:%d/%m/%Y}",
            price=str(Micros(one.amount)),
            source=one.source,
        )
        for one in figures.assumptions(period)
        if one.kind == "tariff"
    ]
    if without:
        notes.append(
            say("%(units)s unidades son de días sin tarifa y no se cuentan.", units=without)
        )
    return Table(
        "costo",
        title,
        say(
            "Lo que pagamos por sesiones USSD y por SMS, con la tarifa de cada día, entre las "
            "operaciones de dinero hechas. Las sesiones que solo consultan o fallan también se "
            "pagan, y están adentro."
        ),
        [say("Qué"), say("Unidades"), say("Costo"), say("Por operación hecha")],
        [
            (word(COSTS, one.what), one.units, Micros(one.micros), _each(one.micros, operations))
            for one in used
        ],
        total=(
            say("Todo, entre %(operations)s operaciones", operations=f"{operations:,}"),
            *(None, Micros(micros), _each(micros, operations)),
        ),
        notes=notes,
        chart=bars(title, [(word(COSTS, one.what), one.micros // 1_000_000) for one in used]),
    )


def travel(figures: Figures, period: Period) -> Table:
    """Hours and soles that members did not spend on the road."""
    found = figures.travel(period)
    groups = by(figures.members(period), lambda group: group.district)
    known = {code: one.people for code, one in groups.items()}
    # Of those in this table too: its total less the others must not tell the one that is hidden.
    # Of a district whose people nobody knows any more there was one at the least.
    here = {one.district: known.get(one.district) or 1 for one in found}
    few = hidden(known, SMALL_GROUP_MEMBERS) | hidden(here, SMALL_GROUP_MEMBERS)
    trips = {one.what: one for one in figures.assumptions(period) if one.kind == "travel"}
    title = say("Viajes evitados")
    return Table(
        "viajes",
        title,
        say(
            "Cada operación de dinero hecha por teléfono evita una visita a la agencia: se "
            "multiplica por las horas y los soles que una visita cuesta desde el distrito del "
            "socio, ida y vuelta, como se suponen al lado. Es un supuesto: quien juntaba varias "
            "operaciones en una visita evitó menos."
        ),
        [
            *(say("Distrito"), say("Operaciones"), say("Monto")),
            *(say("Horas evitadas"), say("Soles evitados")),
            *(say("Supuesto: minutos por visita"), say("Supuesto: soles por visita")),
        ],
        [_trip(one, trips.get(one.district) or trips.get(""), few) for one in found],
        total=(
            *(say("Todos"), sum(one.orders for one in found)),
            Money(sum(one.centimos_moved for one in found)),
            sum(one.minutes for one in found) // _MINUTES,
            Money(sum(one.centimos for one in found)),
            *(None, None),
        ),
        notes=_notes(found, trips),
        chart=bars(
            title + " (" + say("horas") + ")",
            sorted(
                [
                    (one.name or one.district or "?", one.minutes // _MINUTES)
                    for one in found
                    if one.district not in few
                ],
                key=lambda bar: -bar[1],
            ),
        ),
    )


def _trip(one: Travel, trip: Assumption | None, few: frozenset[str]) -> tuple[Cell, ...]:
    name = f"{one.name} ({one.department})" if one.name else one.district
    supposed = (trip.minutes, Money(trip.amount)) if trip else (None, None)
    if one.district in few:
        words = say("menos de %(few)s, o no se muestra", few=SMALL_GROUP_MEMBERS)
        return (name, *(words,) * 4, *supposed)
    return (
        *(name or say("Sin distrito en el padrón"), one.orders, Money(one.centimos_moved)),
        *(one.minutes // _MINUTES, Money(one.centimos), *supposed),
    )


def _notes(found: list[Travel], trips: dict[str, Assumption]) -> list[str]:
    notes = [
        say("Fuente de los supuestos: %(source)s.", source=source)
        for source in sorted({trip.source for trip in trips.values()})
    ]
    if unknown := sum(one.unknown for one in found):
        notes.append(
            say("De %(orders)s operaciones no hay supuesto, y no evitan nada.", orders=unknown)
        )
    return notes


def _each(micros: int, operations: int) -> Micros:
    return Micros(round(micros / operations) if operations else None)
