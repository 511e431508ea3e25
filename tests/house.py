"""The console of the demo cooperative, and browsers of its staff."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway import bootstrap
from gateway.bank.hashing import CHEAPEST_FOR_TESTS
from gateway.bootstrap import Parts
from gateway.bounds import TOTP_STEP_S
from gateway.console.app import MOUNTED_AT
from gateway.db.pool import Database
from gateway.demo.staff import STAFF_KEY, STAFF_PASSWORD, seed_staff
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.signin.passwords import code_at
from gateway.web import create_app
from tests.cooperative import Clock, Cooperative

CODE_LIFE = dt.timedelta(seconds=TOTP_STEP_S)
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(slots=True)
class Browser:
    """Somebody's browser: it keeps cookies, and sends the token of the page that it shows."""

    client: FlaskClient
    clock: Clock
    address: str = "10.0.0.1"
    shown: str = field(default="", repr=False)

    def see(self, path: str) -> TestResponse:
        """Open a page."""
        return self._keep(
            self.client.get(
                MOUNTED_AT + path, environ_base={"REMOTE_ADDR": self.address}, buffered=True
            )
        )

    def send(self, path: str, token: str | None = None, **fields: str) -> TestResponse:
        """Send a form, with the token of the page that is shown unless another is given."""
        csrf = self.token if token is None else token
        return self._keep(
            self.client.post(
                MOUNTED_AT + path,
                data={**fields, **({"csrf_token": csrf} if csrf else {})},
                environ_base={"REMOTE_ADDR": self.address},
            )
        )

    @property
    def token(self) -> str:
        """The CSRF token of the page that is shown; empty where it has none."""
        found = _TOKEN.search(self.shown)
        return found[1] if found else ""

    def enter(
        self, login: str, password: str = STAFF_PASSWORD, code: str | None = None
    ) -> TestResponse:
        """Type name, password and code. A code is good once: each sign-in waits for the next."""
        self.see("/entrar")
        if code is None:
            self.clock.at += CODE_LIFE
            code = code_at(STAFF_KEY, self.clock.now())
        return self.send("/entrar", login=login, password=password, code=code)

    def _keep(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html" and response.status_code < 300:
            self.shown = response.text
        return response


@dataclass(slots=True)
class House:
    """The console and what is around it."""

    cooperative: Cooperative
    app: Flask
    console: Flask
    staff: Database

    def browser(self, address: str = "10.0.0.1") -> Browser:
        """A new one, with no cookie."""
        return Browser(self.app.test_client(), self.cooperative.clock, address)

    def signed_in(self, login: str) -> Browser:
        """A browser of somebody who is in, and sees the first page."""
        browser = self.browser()
        assert browser.enter(login).status_code == 303
        assert browser.see("/").status_code == 200
        return browser

    def deeds(self, actor: str) -> list[tuple[str, str | None]]:
        """What the trail has of somebody, the oldest first: action and member."""
        with self.cooperative.owner() as owner:
            found = owner.execute(
                "select action, member_ref from audit.entry"
                " where actor = %s and actor_kind <> 'member' order by id",
                (actor,),
            )
            return [(action, member) for action, member in found]


In = Callable[[str], Browser]


@pytest.fixture
def house(cooperative: Cooperative, database_urls: tuple[str, str]) -> Iterator[House]:
    """The demo cooperative's console, as its web process has it."""
    with staffed(cooperative, database_urls) as house:
        yield house


@contextmanager
def staffed(cooperative: Cooperative, database_urls: tuple[str, str]) -> Iterator[House]:
    """A cooperative with its console and staff."""
    owner_url, app_url = database_urls
    seed_staff(owner_url, CHEAPEST_FOR_TESTS)
    with Database(app_url.replace("chaski_app", "chaski_staff"), 4) as staff:
        staff.open()
        parts = Parts(now=cooperative.clock.now, often=cooperative.clock.often, wake=lambda: None)
        console = bootstrap.console(
            cooperative.settings, staff, cooperative.gateway, parts, CHEAPEST_FOR_TESTS
        )
        metrics = Metrics()
        doors = webhooks(cooperative.settings, [cooperative.gateway], metrics)
        mounted = {MOUNTED_AT: console}
        app = create_app([cooperative.gateway], doors, metrics.registry, mounted=mounted)
        yield House(cooperative, app, console, staff)
