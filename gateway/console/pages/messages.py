"""Messages that could not be sent, and what became of one."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gateway.bounds import CONSOLE_ROWS
from gateway.console import timeline
from gateway.console.access import Views
from gateway.console.at_hand import AtHand, Failed, asked, by
from gateway.console.words import say

_LONG = 18  # digits of a bigint


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def dead() -> str:
        after = asked("despues")
        letters = at_hand.letters.listed(
            CONSOLE_ROWS, asked("motivo"), int(after) if _is_number(after) else 0
        )
        return render_template(
            "messages.html",
            letters=letters,
            reason=asked("motivo"),
            more=len(letters) == CONSOLE_ROWS,
            facts=timeline.FACTS,
        )

    def requeue() -> Response:
        ids = [int(text) for text in request.form.getlist("id")[:CONSOLE_ROWS] if _is_number(text)]
        many = at_hand.reading.requeue(ids, by(), at_hand.now()) if ids else 0
        at_hand.wake()
        flash(say("%(many)s mensajes se envían otra vez.", many=many), "good" if many else "bad")
        return redirect(url_for("messages.dead"), 303)

    def show(number: int) -> str:
        story = at_hand.letters.story(number)
        if story is None:
            raise Failed(404, say("No hay tal mensaje."))
        return render_template(
            "message.html", story=story, facts=timeline.FACTS, states=timeline.STATES
        )

    return {"messages.dead": dead, "messages.requeue": requeue, "messages.show": show}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONG
