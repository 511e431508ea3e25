"""Who is reached and who is active, by where they live and what they speak; and the targets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from gateway.bounds import SMALL_GROUP_MEMBERS
from gateway.console.programme.charts import bars, lines
from gateway.console.programme.labels import INDICATORS, LANGUAGES, RURAL, SHARES
from gateway.console.programme.table import Cell, Share, Table, word
from gateway.console.words import say
from gateway.programme.figures import (
    Count,
    Figures,
    Group,
    Period,
    by,
    hidden,
    per_mille,
    reached_now,
)


def active(figures: Figures, period: Period) -> Table:
    """The course of the active members, week by week."""
    course = figures.course(period)
    title = say("Socios activos")
    names = [say("Activos, 30 días"), say("Activos, 90 días"), say("Alcanzados, 90 días")]
    return Table(
        "activos",
        title,
        say(
            "Activo es quien hizo al menos una operación de dinero en los 30 o 90 días que "
            "terminan ese día, contado de las órdenes mismas. Los 30 días dicen cuánto se usa; "
            "los 90, a cuántos llega. Alcanzado es quien llamó o escribió, aunque no moviera "
            "dinero."
        ),
        [say("Hasta el día"), names[0], names[1], say("Alcanzados, 30 días"), names[2]],
        [
            (_day(one.as_of), one.active_30, one.active_90, one.reached_30, one.reached_90)
            for one in course
        ],
        chart=lines(
            title,
            [
                (names[0], [(one.as_of, one.active_30) for one in course]),
                (names[1], [(one.as_of, one.active_90) for one in course]),
                (names[2], [(one.as_of, one.reached_90) for one in course]),
            ],
        ),
    )


def rate(figures: Figures, period: Period) -> Table:
    """How many of those who could are active."""
    groups = figures.members(period)
    whole = Count()
    for group in groups:
        whole = whole.plus(group)
    known = _shown(whole, small=False)
    return Table(
        "padron",
        say("Del padrón a la actividad"),
        say(
            "Con PIN es quien eligió su PIN y aceptó las condiciones. La tasa de actividad divide "
            "los activos en 90 días entre los socios con PIN. El padrón se mira cada día: de antes "
            "de la primera vez no se sabe."
        ),
        [say("Socios"), say("Cuántos"), say("Del padrón"), say("De los que tienen PIN")],
        [
            (say("En el padrón del servicio"), known[0], None, None),
            (say("Con PIN"), known[1], _of(whole.enrolled, whole.registered), None),
            *(
                (say(words), number, _of(number, whole.registered), _of(number, whole.enrolled))
                for words, number in (
                    (INDICATORS["active_90"], whole.active_90),
                    (INDICATORS["active_30"], whole.active_30),
                )
            ),
        ],
    )


def by_district(figures: Figures, period: Period) -> Table:
    """Small groups are not shown, and not to be found out by subtraction."""
    groups = figures.members(period)
    counts = by(groups, lambda group: group.district)
    names = {group.district: _place(group) for group in groups}
    few = hidden({code: one.people for code, one in counts.items()}, SMALL_GROUP_MEMBERS)
    title = say("Socios activos por distrito")
    return Table(
        "distritos",
        title,
        say(
            "Activos en los días que terminan con el último del periodo, por el distrito que dice "
            "el padrón de hoy; nunca se pregunta por teléfono."
        ),
        [say("Distrito"), *_counted()],
        [(names[code], *_shown(one, small=code in few)) for code, one in counts.items()],
        total=(say("Todos"), *_shown(_sum(groups), small=False)),
        notes=[
            say(
                "De un distrito con menos de %(few)s socios no se muestra nada, ni de otro que "
                "permitiría calcularlo: sus vecinos los reconocerían.",
                few=SMALL_GROUP_MEMBERS,
            )
        ],
        chart=bars(
            title, [(names[code], one.active_90) for code, one in counts.items() if code not in few]
        ),
    )


def by_rural(figures: Figures, period: Period) -> Table:
    """In the country and in town."""
    return _by(
        figures.members(period),
        "rural",
        say("Activos del campo y de la ciudad"),
        say("La parte rural se cuenta entre los activos de los que el padrón dice dónde viven."),
        say("Vive en zona"),
        lambda group: word(RURAL, group.rural),
    )


def by_language(figures: Figures, period: Period) -> Table:
    """By what we speak with them."""
    return _by(
        figures.members(period),
        "idiomas",
        say("Activos por idioma"),
        say("El idioma en que el servicio habla con cada socio, elegido por el socio."),
        say("Idioma"),
        lambda group: word(LANGUAGES, group.language),
    )


def targets(figures: Figures, today: dt.date) -> Table:
    """What is to be reached, when, and how far it is."""
    wanted = figures.targets()
    now = {one.indicator: reached_now(one.indicator, figures, today) for one in wanted}
    rows: list[tuple[Cell, ...]] = []
    for one in wanted:
        is_share, reached = one.indicator in SHARES, now[one.indicator]
        missing = None if reached is None else max(one.value - reached, 0)
        cells = [Share(n) if is_share else n for n in (one.value, reached, missing)]
        days = (one.due_on - today).days
        left = say("faltan %(days)s días", days=days) if days >= 0 else say("venció")
        done = say("alcanzada") if missing == 0 else left
        progress = Share(per_mille(min(reached, one.value), one.value) if reached else 0)
        rows.append((word(INDICATORS, one.indicator), _day(one.due_on), *cells, progress, done))
    return Table(
        "metas",
        say("Metas"),
        say(
            "Lo que el programa quiere alcanzar, hasta cuándo, y lo que falta hoy. Las operaciones "
            "y sesiones son las de los últimos 30 días."
        ),
        [
            *(say("Indicador"), say("Hasta el"), say("Meta"), say("Hoy"), say("Falta")),
            *(say("Avance"), say("Plazo")),
        ],
        rows,
    )


def _by(
    groups: list[Group], name: str, title: str, means: str, head: str, of: Callable[[Group], str]
) -> Table:
    counts = by(groups, of)
    active = sum(one.active_90 for one in counts.values())
    few = hidden({word: one.people for word, one in counts.items()}, SMALL_GROUP_MEMBERS)
    return Table(
        name,
        title,
        means,
        [head, *_counted(), say("De los activos, 90 días")],
        [
            (
                *(words, *_shown(one, small=words in few)),
                None if words in few else _of(one.active_90, active),
            )
            for words, one in counts.items()
        ],
        total=(say("Todos"), *_shown(_sum(groups), small=False), None),
        chart=bars(title, [(w, one.active_90) for w, one in counts.items() if w not in few]),
    )


def _counted() -> list[str]:
    return [
        *(say("En el padrón"), say("Con PIN")),
        *(say("Activos, 30 días"), say("Activos, 90 días")),
    ]


def _shown(one: Count, *, small: bool) -> tuple[Cell, ...]:
    if small:
        words = say("menos de %(few)s, o no se muestra", few=SMALL_GROUP_MEMBERS)
        return (words,) * 4
    if not one.registered:  # nobody had looked at the register yet: that is not none
        return None, None, one.active_30, one.active_90
    return one.registered, one.enrolled, one.active_30, one.active_90


def _sum(groups: list[Group]) -> Count:
    whole = Count()
    for group in groups:
        whole = whole.plus(group)
    return whole


def _place(group: Group) -> str:
    if not group.district:
        return say("Sin distrito en el padrón")
    name = group.name or group.district
    return f"{name} ({group.department})" if group.department else name


def _of(part: int, whole: int) -> Share:
    return Share(per_mille(part, whole))


def _day(day: dt.date) -> str:
    return f"{day:%d/%m/%Y}"
