"""The programme's dashboard: three pages of figures, each with its definition, table and CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, Failed, by, typed
from gateway.console.programme import cost, members, use
from gateway.console.programme.labels import INDICATORS, SHARES
from gateway.console.programme.table import Table
from gateway.console.words import say
from gateway.programme.figures import Period
from gateway.programme.plans import INDICATORS as TARGETED

_DAYS_SHOWN = 90
_DAYS_MAX = 1_100  # three years: a few hundred rows of sums a day
_YEARS = range(2000, 2100)  # others are typing errors
_TARGET_MAX = 1_000_000
_PER_MILLE_MAX = 1_000

Build = Callable[[Period], Sequence[Table]]


@dataclass(frozen=True, slots=True)
class _Page:
    """One of the three. `title` in Spanish; `build` makes its tables."""

    door: str
    title: str
    build: Build


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""
    pages = _pages(at_hand)

    def page_of(page: _Page) -> Callable[[], str]:
        return lambda: _shown(at_hand, pages, page)

    def as_csv(name: str) -> Response:
        period = _period(at_hand.today())
        tables = (table for page in pages for table in page.build(period))
        wanted = next((table for table in tables if table.name == name), None)
        if wanted is None:
            raise Failed(404, say("Esa tabla no existe."))
        return _file(wanted, period)

    def set_target() -> Answer:
        indicator, due_on, value = _target()
        at_hand.plans().set_target(indicator, due_on, value, by())
        flash(say("Meta puesta."), "good")
        return redirect(url_for("programme.show"), 303)

    def drop_target() -> Answer:
        indicator, due_on = _which()
        if not at_hand.plans().drop_target(indicator, due_on, by()):
            raise Failed(404, say("Esa meta ya no existe."))
        flash(say("Meta quitada."), "good")
        return redirect(url_for("programme.show"), 303)

    return {
        **{page.door: page_of(page) for page in pages},
        "programme.csv": as_csv,
        "programme.set_target": set_target,
        "programme.drop_target": drop_target,
    }


def _pages(at_hand: AtHand) -> tuple[_Page, ...]:
    figures = at_hand.figures

    def reach(period: Period) -> list[Table]:
        return [
            members.targets(figures, at_hand.today()),
            *(
                make(figures, period)
                for make in (
                    *(members.active, members.rate, members.by_district),
                    *(members.by_rural, members.by_language),
                )
            ),
        ]

    def used(period: Period) -> list[Table]:
        return [
            use.operations(figures, period),
            use.failures(figures, period),
            *use.funnels(figures, period),
            use.ends(figures, period),
        ]

    def paid(period: Period) -> list[Table]:
        return [cost.costs(figures, period), cost.travel(figures, period)]

    return (
        _Page("programme.show", N_("A quién llega"), reach),
        _Page("programme.use", N_("Cómo se usa"), used),
        _Page("programme.cost", N_("Qué cuesta y qué ahorra"), paid),
    )


def _shown(at_hand: AtHand, pages: Sequence[_Page], page: _Page) -> str:
    period = _period(at_hand.today())
    return render_template(
        "programme.html",
        page=page,
        pages=pages,
        period=period,
        tables=page.build(period),
        summed_until=at_hand.figures.summed_until(),
        targets=at_hand.figures.targets() if page is pages[0] else (),
        indicators={name: INDICATORS[name] for name in TARGETED},
        shares=SHARES,
    )


def _period(today: dt.date) -> Period:
    """The days that are asked for; without a word the last ninety."""
    last = _day(request.args.get("hasta", ""), today)
    if last.year not in _YEARS:
        raise Failed(400, say("Una fecha se escribe así: 2026-11-23."))
    first = _day(request.args.get("desde", ""), last - dt.timedelta(days=_DAYS_SHOWN - 1))
    if first > last:
        raise Failed(400, say("El primer día viene después del último."))
    if (last - first).days >= _DAYS_MAX:
        raise Failed(400, say("Pida un periodo más corto: tres años a lo más."))
    return Period(first, last)


def _day(text: str, otherwise: dt.date) -> dt.date:
    if not text:
        return otherwise
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Failed(400, say("Una fecha se escribe así: 2026-11-23.")) from error


def _which() -> tuple[str, dt.date]:
    indicator = typed("indicator")
    if indicator not in TARGETED:
        raise Failed(400, say("Ese indicador no existe."))
    if not typed("due_on"):
        raise Failed(400, say("Una meta tiene una fecha."))
    return indicator, _day(typed("due_on"), dt.date.min)


def _target() -> tuple[str, dt.date, int]:
    """A share is typed in percent, and kept in tenths of it."""
    indicator, due_on = _which()
    text = typed("value").replace(",", ".")
    is_share = indicator in SHARES
    try:
        value = round(float(text) * 10) if is_share else int(text)
    except (ValueError, OverflowError) as error:
        raise Failed(400, say("La meta es un número.")) from error
    if not 0 < value <= (_PER_MILLE_MAX if is_share else _TARGET_MAX):
        raise Failed(400, say("Esa meta no es posible."))
    return indicator, due_on, value


def _file(table: Table, period: Period) -> Response:
    # A mark at the front: without it a spreadsheet takes ñ for two letters.
    answer = Response("\ufeff" + table.csv(), content_type="text/csv; charset=utf-8")
    name = f"{table.name}-{period.first}-{period.last}.csv"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
