"""What every page has at hand, and what it says when it cannot do what was asked."""

from __future__ import annotations

import datetime as dt
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import current_app, request, url_for
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from gateway.bank.claims_office import ClaimsOffice
from gateway.bank.office import Office
from gateway.bank.reversals import Reversals
from gateway.console.live import Live
from gateway.console.reading import Reading
from gateway.console.screens import Screens
from gateway.instructions.rules import Rules
from gateway.ledger.port import Ledger
from gateway.notices.dead_letters import DeadLetters
from gateway.programme.figures import Figures
from gateway.programme.plans import Plans
from gateway.signin.register import Register, Visitor
from gateway.values.secret import Secret


@dataclass(frozen=True, slots=True)
class AtHand:
    """The registers and the clock.

    Args:
        cooperative: whose console it is.
        timezone: of the times on the pages.
        region: of phone numbers without a country code.
        now: the clock, aware.
        register: who may sign in.
        reading: what the pages show.
        screens: which ones a member saw.
        office: the desk for members, as of now.
        claims: the desk for claims.
        reversals: the desk for giving back.
        limits: the cooperative's limits, for somebody who decides.
        ledger: the core: to find a member by DNI, to hold and to reverse.
        letters: messages that could not be sent.
        figures: the programme's.
        plans: the desk for targets, as of now.
        live: this process's figures.
        wake: rings the worker's bell.
        address_of: where a request comes from, behind our proxies.
        demo: everything here is made up, and everybody knows the passwords.
    """

    cooperative: str
    timezone: ZoneInfo
    region: str
    now: Callable[[], dt.datetime]
    register: Register
    reading: Reading
    screens: Screens
    office: Callable[[], Office]
    claims: Callable[[], ClaimsOffice]
    reversals: Callable[[], Reversals]
    limits: Callable[[str], Rules]
    ledger: Ledger
    letters: DeadLetters
    figures: Figures
    plans: Callable[[], Plans]
    live: Live
    wake: Callable[[], object]
    address_of: Callable[[], str]
    demo: bool

    def today(self) -> dt.date:
        """Where the cooperative is."""
        return self.now().astimezone(self.timezone).date()


class Failed(Exception):  # noqa: N818 - it is a page, as HTTPException is
    """The request ends in a page that says what to do."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what


def somebody() -> Visitor:
    """Who is signed in; behind a door that needs it there is somebody."""
    visitor: Visitor = current_user.visitor
    return visitor


def by() -> str:
    """The name under which the audit trail has them."""
    return somebody().login


def typed(name: str) -> str:
    """A field of the form, without blanks around it and without what PostgreSQL cannot keep."""
    return request.form.get(name, "").replace("\0", "").strip()


def asked(name: str) -> str:
    """The same, of the address."""
    return request.args.get(name, "").replace("\0", "").strip()


def typed_secret(name: str) -> Secret:
    """A field that nobody may read again."""
    return Secret(request.form.get(name, ""))


def back_to() -> str:
    """Where somebody came from, if that is a page of this console: not another site, and not the
    answer to a form, which nobody can open."""
    came_from = urllib.parse.urlsplit(request.referrer or "")
    path = came_from.path.removeprefix(request.script_root)
    here = current_app.url_map.bind(request.host, request.script_root)
    try:
        here.match(path, method="GET")
    except HTTPException:
        return url_for("home")
    if came_from.netloc != request.host or path == came_from.path:
        return url_for("home")
    return came_from._replace(scheme="", netloc="", fragment="").geturl()
