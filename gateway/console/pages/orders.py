"""Money orders: searching them, those that have not ended, and giving one back."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from gateway.bank.reversals import REASONS
from gateway.bounds import CONSOLE_DAYS_MAX
from gateway.console import timeline
from gateway.console.access import Views
from gateway.console.at_hand import AtHand, Failed, asked, by, typed
from gateway.console.pages.waiting import WHY
from gateway.console.reading import Wanted
from gateway.console.words import say

_STATES = ("accepted", "unknown", "posted", "refused", "closed")


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def search() -> str:
        wanted = _wanted(at_hand)
        return render_template(
            "orders.html",
            orders=at_hand.reading.orders(wanted),
            stuck=at_hand.reading.open_orders(),
            wanted=wanted,
            days_max=CONSOLE_DAYS_MAX,
            now=at_hand.now(),
            possible=_STATES,
            **_words(),
        )

    def show(key: uuid.UUID) -> str:
        order = at_hand.reading.order(key, by(), at_hand.now())
        if order is None:
            raise Failed(404, say("No hay tal orden."))
        offered = at_hand.reversals().offered
        return render_template(
            "order.html", order=order, reversal=offered, reasons=REASONS, why=WHY, **_words()
        )

    def retry() -> Response:
        """Wakes the worker, and nothing else: it asks the core first what it knows of each."""
        at_hand.reading.note_retry(by(), at_hand.now())
        at_hand.wake()
        flash(say("El trabajador revisa ahora las órdenes abiertas."), "good")
        return redirect(url_for("orders.search"), 303)

    def reverse(key: uuid.UUID) -> Response:
        reason, claim = typed("reason"), typed("claim")
        if reason not in REASONS:
            raise Failed(400, say("Elija un motivo."))
        number = int(claim) if claim.isascii() and claim.isdigit() and len(claim) < _LONG else None
        request = at_hand.reversals().ask(key, reason, number, by())
        if request is None:
            flash(say("Esa orden no movió dinero, o su reverso ya se pidió."), "bad")
        else:
            flash(say("Pedido %(number)s: lo aprueba otra persona.", number=request), "good")
        return redirect(url_for("orders.show", key=key), 303)

    return {
        "orders.search": search,
        "orders.show": show,
        "orders.retry": retry,
        "orders.reverse": reverse,
    }


_LONG = 18  # digits of a bigint
_CENTURY = 20  # others are typing errors


def _words() -> dict[str, object]:
    return {"operations": timeline.ORDERS, "states": timeline.STATES}


def _wanted(at_hand: AtHand) -> Wanted:
    """What the address asks for; without anything that names an order, those of the last days."""
    number, member, state = asked("numero"), asked("socio"), asked("estado")
    since, until = _day(at_hand, asked("desde")), _day(at_hand, asked("hasta"))
    key = _key(number)
    chosen = state if state in _STATES else None
    if number or member:
        reference = number if number and key is None else None
        end = until + dt.timedelta(days=1) if until else None
        return Wanted(reference, key, member or None, chosen, since, end)
    last = until or _midnight(at_hand, at_hand.today())
    earliest = last - dt.timedelta(days=CONSOLE_DAYS_MAX - 1)
    first = max(since, earliest) if since else last
    return Wanted(state=chosen, since=first, until=last + dt.timedelta(days=1))


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _day(at_hand: AtHand, text: str) -> dt.datetime | None:
    """What is no day of this century is none."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return _midnight(at_hand, day) if day.year // 100 == _CENTURY else None


def _midnight(at_hand: AtHand, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), at_hand.timezone)
