"""What is done by which channel, where people are lost, and why sessions fail."""

from __future__ import annotations

from collections import Counter

from gateway.console.programme.charts import bars
from gateway.console.programme.labels import (
    CAUSES,
    CHANNELS,
    ENDED,
    JOURNEYS,
    OPERATIONS,
    STATES,
    STEPS,
)
from gateway.console.programme.table import Cell, Share, Table, word
from gateway.console.words import say
from gateway.programme.figures import Figures, Period, Step, causes, per_mille, success
from gateway.values.money import Money

_MONEY = frozenset({"transfers.send", "loans.pay"})


def operations(figures: Figures, period: Period) -> Table:
    """Money orders, from the instructions; what only asks, from the events."""
    orders = figures.orders(period)
    rows: list[tuple[Cell, ...]] = [
        (
            *(word(CHANNELS, one.channel), word(OPERATIONS, one.operation)),
            *(word(STATES, one.state), one.orders, Money(one.centimos)),
        )
        for one in orders
    ]
    asked = Counter[tuple[str, str]]()
    for request in figures.requests(period):
        # What only helps another one (who is the payee?) has no word here.
        known = request.operation in OPERATIONS and request.operation not in _MONEY
        if known and request.outcome == "done":
            asked[request.channel, request.operation] += request.requests
    rows += [
        (word(CHANNELS, channel), word(OPERATIONS, operation), say("hecha"), number, None)
        for (channel, operation), number in sorted(asked.items())
    ]
    done = [one for one in orders if one.state == "posted"]
    title = say("Operaciones y montos por canal")
    by_channel = Counter[str]()
    for one in done:
        by_channel[word(CHANNELS, one.channel)] += one.orders
    for (channel, _), number in asked.items():
        by_channel[word(CHANNELS, channel)] += number
    return Table(
        "operaciones",
        title,
        say(
            "Las operaciones de dinero y sus montos se cuentan de las órdenes, no de los eventos. "
            "Una consulta cuenta cuando se contestó."
        ),
        [say("Canal"), say("Operación"), say("Resultado"), say("Cuántas"), say("Monto")],
        rows,
        total=(
            *(say("Dinero movido"), "", say("hecha"), sum(one.orders for one in done)),
            Money(sum(one.centimos for one in done)),
        ),
        chart=bars(title, by_channel.most_common()),
    )


def funnels(figures: Figures, period: Period) -> list[Table]:
    """One a journey, the most begun first."""
    by_journey: dict[str, list[Step]] = {}
    for step in figures.steps(period):
        by_journey.setdefault(step.journey, []).append(step)
    begun = sorted(by_journey.items(), key=lambda item: -max(s.reached for s in item[1]))
    return [_funnel(journey, steps) for journey, steps in begun]


def _funnel(journey: str, steps: list[Step]) -> Table:
    # The widest step is where a journey is begun: a slot may be filled by the dial already.
    first = max(step.reached for step in steps)
    title = say("Camino: %(journey)s", journey=word(JOURNEYS, journey))
    worst = max(steps, key=lambda step: step.lost)
    notes = []
    if worst.lost:
        notes.append(
            say(
                "Donde más se pierden: %(step)s (%(lost)s sesiones).",
                step=word(STEPS, worst.step),
                lost=worst.lost,
            )
        )
    return Table(
        f"camino-{journey}",
        title,
        say(
            "En cuántas sesiones se vio cada paso. Se pierde en un paso la sesión que lo vio al "
            "final y no terminó el camino."
        ),
        [say("Paso"), say("Sesiones"), say("Del comienzo"), say("Se pierden aquí"), say("Parte")],
        [
            (
                *(word(STEPS, step.step), step.reached, Share(per_mille(step.reached, first))),
                *(step.lost, Share(per_mille(step.lost, step.reached))),
            )
            for step in steps
        ],
        notes=notes,
        chart=bars(title, [(word(STEPS, step.step), step.reached) for step in steps]),
    )


def failures(figures: Figures, period: Period) -> Table:
    """Why sessions came to nothing."""
    sessions = figures.sessions(period)
    counted = causes(sessions)
    failed, tried = counted.total(), Counter[str]()
    for one in sessions:
        tried[one.result] += one.sessions
    title = say("Sesiones fallidas por causa")
    return Table(
        "fallas",
        title,
        say(
            "Falla la sesión que comenzó algún camino y no terminó ninguno, o que cortamos "
            "nosotros. La causa es, en este orden: una falla nuestra, el último rechazo, una "
            "respuesta que no se entendió, el silencio."
        ),
        [say("Causa"), say("Sesiones"), say("De las fallidas")],
        [
            (word(CAUSES, cause), number, Share(per_mille(number, failed)))
            for cause, number in counted.items()
        ],
        total=(say("Todas las fallidas"), failed, Share(per_mille(failed, failed))),
        notes=[
            say(
                "De las sesiones que intentaron algo lo logró el %(share)s.",
                share=str(Share(success(sessions))) or "-",
            ),
            say("%(looked)s sesiones solo miraron el menú.", looked=f"{tried['looked']:,}"),
        ],
        chart=bars(title, [(word(CAUSES, cause), number) for cause, number in counted.items()]),
    )


def ends(figures: Figures, period: Period) -> Table:
    """How sessions ended, by channel and network."""
    counted = Counter[tuple[str, str, str]]()
    hops, seconds = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for one in figures.sessions(period):
        way = one.channel, one.network, one.ended
        counted[way] += one.sessions
        hops[way] += one.hops
        seconds[way] += one.seconds
    return Table(
        "sesiones",
        say("Sesiones por canal y red"),
        say(
            "De la que no se sabe el fin se agotó el tiempo, si en diez minutos no se oyó nada "
            "más. La red es el código que dice el agregador."
        ),
        [
            *(say("Canal"), say("Red"), say("Cómo terminó"), say("Sesiones")),
            *(say("Pantallas por sesión"), say("Segundos por sesión")),
        ],
        [
            (
                *(word(CHANNELS, way[0]), way[1], word(ENDED, way[2]), number),
                *(f"{hops[way] / number:.1f}", f"{seconds[way] / number:.0f}"),
            )
            for way, number in sorted(counted.items())
        ],
        total=(say("Todas"), "", "", counted.total(), "", ""),
    )
