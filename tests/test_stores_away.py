"""PostgreSQL or Redis away: a short apology in time, readiness false, and it heals by itself."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from pydantic import SecretStr

from gateway import bootstrap
from gateway.bootstrap import Parts
from gateway.driver import Gateway
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.web import create_app
from tests.cooperative import HASHER, Cooperative, Handset
from tests.people import ROSA, SEGUNDO

APOLOGY_MAX_S = 2.0
HEAL_MAX_S = 15.0


class Line:
    """A wire on loopback to a server's unix socket, which can be cut and mended."""

    def __init__(self, socket_path: str) -> None:
        self._path = socket_path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Whatever runs over it breaks, and nothing new gets through."""
        self._whole.clear()
        for end in self._open:
            end.close()
        self._open.clear()

    def freeze(self) -> None:
        """Connections stay, and nothing comes through any more."""
        self._flowing.clear()

    def mend(self) -> None:
        """It carries again."""
        self._flowing.set()
        self._whole.set()

    def close(self) -> None:
        """Take it away."""
        self._flowing.set()
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._whole.is_set():
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._path)
            self._open += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            try:
                ready.register(near, selectors.EVENT_READ, far)
                ready.register(far, selectors.EVENT_READ, near)
                while True:
                    for key, _ in ready.select():
                        assert isinstance(key.fileobj, socket.socket)
                        data = key.fileobj.recv(65536)
                        self._flowing.wait()
                        if not data:
                            raise ConnectionError
                        key.data.sendall(data)
            except (OSError, ValueError, KeyError):
                near.close()
                far.close()


class Wired:
    """A gateway whose stores hang on wires."""

    def __init__(self, cooperative: Cooperative) -> None:
        settings = cooperative.settings
        database = urlsplit(settings.database_url.get_secret_value())
        folder = unquote(parse_qs(database.query)["host"][0])
        sessions = urlsplit(settings.sessions_url.get_secret_value())
        self.database = Line(f"{folder}/.s.PGSQL.5432")
        self.redis = Line(unquote(sessions.path))
        environment = settings.model_copy(
            update={
                "database_url": SecretStr(
                    f"postgresql://chaski_app@127.0.0.1:{self.database.port}{database.path}"
                ),
                "sessions_url": SecretStr(f"redis://127.0.0.1:{self.redis.port}/0"),
                "queue_url": SecretStr(f"redis://127.0.0.1:{self.redis.port}/1"),
            }
        )
        metrics = Metrics()
        self.gateway: Gateway = bootstrap.build(environment, metrics, Parts(hasher=HASHER))
        self.client = create_app(
            [self.gateway], webhooks(environment, [self.gateway], metrics), metrics.registry
        ).test_client()

    def phone(self, msisdn: str) -> Handset:
        """A phone that reaches this gateway."""
        return Handset(self.client, msisdn)

    def ready(self) -> bool:
        """What readiness says."""
        return self.client.get("/health/ready").status_code == 200

    def close(self) -> None:
        """Take everything away."""
        self.gateway.close()
        self.database.close()
        self.redis.close()


@pytest.fixture
def wired(cooperative: Cooperative) -> Iterator[Wired]:
    """The demo cooperative's gateway, on wires."""
    wired = Wired(cooperative)
    yield wired
    wired.close()


@pytest.mark.parametrize("store", ["database", "redis"])
def test_a_store_that_is_away_is_an_apology_in_time_and_heals(wired: Wired, store: str) -> None:
    """A valid last screen within two seconds; afterwards the gateway serves as before."""
    line: Line = getattr(wired, store)
    assert wired.phone(ROSA.msisdn).dial().text.startswith("Hola Rosa")

    line.cut()
    began = time.monotonic()
    sorry = wired.phone(ROSA.msisdn).dial()
    took_s = time.monotonic() - began

    assert sorry.ends
    assert "Tu dinero esta seguro" in sorry.text
    assert took_s < APOLOGY_MAX_S
    assert not wired.ready()

    line.mend()
    deadline = time.monotonic() + HEAL_MAX_S
    while not wired.ready() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert wired.phone(ROSA.msisdn).dial().text.startswith("Hola Rosa")


@pytest.mark.parametrize("store", ["database", "redis"])
def test_a_store_that_is_frozen_takes_nobody_down(wired: Wired, store: str) -> None:
    """It holds its connections and says nothing. Twelve members at once get their apology, and the
    process still says that it lives."""
    line: Line = getattr(wired, store)
    assert wired.phone(ROSA.msisdn).dial().text.startswith("Hola Rosa")

    line.freeze()
    began = time.monotonic()
    with ThreadPoolExecutor(12) as members:
        dialled = [members.submit(wired.phone(f"+5198700010{n:02}").dial) for n in range(12)]
        assert wired.client.get("/health/live").status_code == 200
        screens = [screen.result() for screen in dialled]
    took_s = time.monotonic() - began

    assert all(screen.ends for screen in screens)
    assert took_s < APOLOGY_MAX_S + 0.5
    assert wired.client.get("/metrics").status_code == 200

    line.mend()
    deadline = time.monotonic() + HEAL_MAX_S
    while not wired.ready() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert wired.phone(ROSA.msisdn).dial().text.startswith("Hola Rosa")


@pytest.mark.parametrize("store", ["database", "redis"])
def test_the_networks_repeat_of_a_failed_hop_is_answered_as_soon(wired: Wired, store: str) -> None:
    """The claim of the first try is given back, so the second one need not wait for it."""
    phone = wired.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50")
    line: Line = getattr(wired, store)
    line.cut()
    phone.press(str(ROSA.pin))
    began = time.monotonic()
    again = phone.send()

    assert again.ends
    assert time.monotonic() - began < APOLOGY_MAX_S
    line.mend()
    deadline = time.monotonic() + HEAL_MAX_S
    while not wired.ready() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "Listo" in phone.send().text


def test_while_money_is_in_doubt_nobody_says_that_it_did_not_move(
    wired: Wired, cooperative: Cooperative
) -> None:
    """PostgreSQL goes away before the PIN's hop: the member is told how to find out."""
    phone = wired.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50")
    wired.database.cut()

    unsure = phone.press(str(ROSA.pin))

    assert unsure.ends
    assert "No pudimos confirmar" in unsure.text
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 310_00


def test_a_connection_that_was_dropped_in_the_pool_is_replaced_unseen(wired: Wired) -> None:
    """A restart of a server is no apology to the next member."""
    wired.phone(ROSA.msisdn).dial()
    for line in (wired.database, wired.redis):
        line.cut()
        line.mend()

    assert wired.phone(ROSA.msisdn).dial().text.startswith("Hola Rosa")
