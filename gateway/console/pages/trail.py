"""The trail, as auditors read it, and the seals over it."""

from __future__ import annotations

from flask import render_template

from gateway.bounds import CONSOLE_ROWS
from gateway.console.access import Views
from gateway.console.at_hand import AtHand, asked
from gateway.console.reading import Traced
from gateway.console.timeline import DEEDS

_LONG = 18  # digits of a bigint


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def list_() -> str:
        before = asked("antes")
        is_number = before.isascii() and before.isdigit() and len(before) <= _LONG
        traced = Traced(
            before=int(before) if is_number else None,
            actor=asked("quien") or None,
            member_ref=asked("socio") or None,
            action=asked("que") or None,
        )
        entries = at_hand.reading.trail(traced)
        return render_template(
            "trail.html",
            entries=entries,
            traced=traced,
            more=len(entries) == CONSOLE_ROWS,
            deeds=DEEDS,
        )

    def seals() -> str:
        return render_template("seals.html", seals=at_hand.reading.seals())

    return {"trail.list": list_, "trail.seals": seals}
