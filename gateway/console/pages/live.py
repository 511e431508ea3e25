"""How the service is now."""

from __future__ import annotations

import datetime as dt

from flask import render_template

from gateway.bounds import CONSOLE_REFRESH_S, CONSOLE_SPAN_S
from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand

_SENT_SINCE = dt.timedelta(hours=1)
PARTS = {
    "database": N_("Base de datos"),
    "sessions": N_("Sesiones (Redis)"),
    "ledger": N_("Sistema central"),
}


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""

    def show() -> str:
        now, live = at_hand.now(), at_hand.live
        flows = live.flows()
        return render_template(
            "live.html",
            at=now,
            well=live.well(),
            parts=PARTS,
            sessions=live.sessions_now(),
            wake_ups=live.wake_ups(),
            flows=flows,
            hops_a_second=sum(flow.lately for flow in flows) / CONSOLE_SPAN_S,
            backlog=at_hand.reading.backlog(now),
            sending=at_hand.reading.sending(now - _SENT_SINCE),
            refresh_s=CONSOLE_REFRESH_S,
        )

    return {"live.show": show}
