"""What stands before the webhooks: those who may not come in first."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Blueprint, Flask, abort, request
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from gateway.bounds import GUESSES_PER_MINUTE
from gateway.channels.addresses import read_address, read_networks
from gateway.channels.doors import Counter
from gateway.channels.express import ShortWay
from gateway.channels.walls import Guesses, Walls
from gateway.observing import Metrics
from gateway.providers import webhooks
from gateway.settings import load
from tests.channels.smpp.desk import Desk

SECRET = "the-secret-of-a-path"
PROVIDER, PROXY, STRANGER = "193.105.74.9", "10.0.0.1", "203.0.113.7"


@dataclass
class Clock:
    """Seconds, by hand."""

    at: float = 0.0

    def now(self) -> float:
        return self.at


@dataclass
class House:
    """One webhook behind walls, and the bodies that were read there: by Flask alone, or with the
    short way in front of it."""

    short: bool = False
    allowed: dict[str, Any] = field(default_factory=dict)
    signed: bool = False
    seats: int = 2
    metrics: Metrics = field(default_factory=Metrics)
    clock: Clock = field(default_factory=Clock)
    bodies: list[bytes] = field(default_factory=list)
    answered_in_front: int = 0

    @property
    def client(self) -> FlaskClient:
        blueprint = Blueprint("infobip_sms", __name__)

        @blueprint.post("/sms/infobip/<secret>")
        def inbound(secret: str) -> str:
            if secret != SECRET:
                abort(404)
            return self._taken(request.form)

        @blueprint.post("/sms/signed")
        def signed() -> str:
            if request.headers.get("X-Signature") != "right":
                abort(403)
            self.bodies.append(request.form["Body"].encode())
            return "taken"

        proxies = read_networks(["10.0.0.0/8"])
        walls = Walls(self.allowed, proxies, self.metrics, self.seats, self.clock.now)
        app = Flask("walls")
        way = None
        if self.short:
            way = ShortWay("/sms/infobip/", self._behind, lambda *_: None, self._in_front)
        app.register_blueprint(
            walls.around(blueprint, "infobip", signed=self.signed, short_way=way)
        )
        return app.test_client()

    def _behind(self, secret: str) -> Counter | None:
        return Desk() if secret == SECRET else None

    def _in_front(self, gateway: Counter, form: Mapping[str, str]) -> str:
        self.answered_in_front += 1
        return self._taken(form)

    def _taken(self, form: Mapping[str, str]) -> str:
        self.bodies.append(form["text"].encode())
        return "taken"

    def refused(self, why: str) -> float:
        labels = {"channel": "infobip", "why": why}
        return self.metrics.registry.get_sample_value("chaski_webhooks_refused_total", labels) or 0


def post(
    client: FlaskClient, secret: str = SECRET, peer: str = PROVIDER, forwarded: str = ""
) -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    answer = client.post(
        f"/sms/infobip/{secret}",
        data={"text": "hola"},
        headers=headers,
        environ_base={"REMOTE_ADDR": peer},
    )
    return answer.status_code


@pytest.fixture(params=[False, True], ids=["flask", "short_way"])
def short(request: pytest.FixtureRequest) -> bool:
    """Whatever is proven of the walls is proven of both ways."""
    return bool(request.param)


@pytest.fixture
def listed(short: bool) -> House:
    """Only Infobip's own network may call."""
    return House(short, allowed={"infobip": read_networks(["193.105.74.0/24", "2001:db8::/32"])})


@pytest.mark.parametrize(
    ("peer", "forwarded"),
    [
        (STRANGER, ""),
        (STRANGER, PROVIDER),
        (PROXY, STRANGER),
        (PROXY, f"{PROVIDER}, {STRANGER}"),
        (PROXY, f"{PROVIDER}, unknown"),
        (PROXY, ""),
        ("", PROVIDER),
    ],
)
def test_from_another_network_the_right_secret_is_not_enough(
    listed: House, peer: str, forwarded: str
) -> None:
    """403, the same for a right secret and a wrong one, and the body is not read."""
    client = listed.client

    assert post(client, SECRET, peer, forwarded) == 403
    assert post(client, "wrong", peer, forwarded) == 403
    assert listed.bodies == []
    assert listed.refused("network") == 2


@pytest.mark.parametrize(
    ("peer", "forwarded"),
    [
        (PROVIDER, ""),
        (PROVIDER, STRANGER),
        (f"::ffff:{PROVIDER}", ""),
        (PROXY, PROVIDER),
        (PROXY, f"{STRANGER}, {PROVIDER}, 10.0.0.2"),
        (PROXY, "[2001:db8::5]:443"),
    ],
)
def test_from_its_own_network_a_provider_comes_in(listed: House, peer: str, forwarded: str) -> None:
    assert post(listed.client, SECRET, peer, forwarded) == 200
    assert listed.answered_in_front == int(listed.short)


def test_an_empty_list_lets_any_network_in(short: bool) -> None:
    house = House(short, allowed={"infobip": ()})
    assert post(house.client, peer=STRANGER) == 200
    assert house.answered_in_front == int(short)


def test_who_guesses_is_slowed_and_who_knows_is_not(short: bool) -> None:
    """From one address both, as behind a proxy that nobody has listed."""
    house = House(short)
    client = house.client
    with capture_logs() as told:
        guessed = [post(client, f"guess-{number}") for number in range(GUESSES_PER_MINUTE + 5)]

    assert guessed == [404] * GUESSES_PER_MINUTE + [429] * 5
    assert post(client) == 200
    assert post(client, "guess", peer=STRANGER) == 404
    assert house.refused("secret") == GUESSES_PER_MINUTE + 6
    assert [line["times"] for line in told] == [1, GUESSES_PER_MINUTE]
    house.clock.at += 60
    assert post(client, "guess") == 404


def test_what_is_logged_of_a_guess_is_neither_the_path_nor_the_whole_address(short: bool) -> None:
    with capture_logs() as told:
        post(House(short).client, "nearly-the-secret")

    assert told == [
        {
            "event": "webhook_refused",
            "log_level": "warning",
            "channel": "infobip",
            "why": "secret",
            "network": "193.105.74.0/24",
            "times": 1,
        }
    ]


def test_who_has_a_whole_network_to_guess_from_is_one_guesser() -> None:
    guesses = Guesses(Clock().now)

    assert [guesses.add(read_address(f"2001:db8::{at:x}")) for at in range(1, 5)] == [1, 2, 3, 4]
    assert guesses.add(read_address("2001:db8:0:1::1")) == 1


def test_guessers_cannot_fill_the_memory() -> None:
    """Of too many the oldest is forgotten."""
    guesses = Guesses(Clock().now, guessers_max=100)
    for number in range(1_000):
        guesses.add(read_address(f"203.0.{number // 250}.{number % 250}"))

    assert len(guesses) == 100
    assert guesses.add(read_address("203.0.3.249")) == 2
    assert guesses.add(read_address("203.0.0.0")) == 1


class Slow(io.BytesIO):
    """A body that does not come before it is told to."""

    def __init__(self) -> None:
        super().__init__(b"Body=" + b"a" * 95)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self._dawdle()
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        self._dawdle()
        return super().readinto(buffer)

    def _dawdle(self) -> None:
        self.asked.set()
        assert self.go_on.wait(30)


@pytest.mark.parametrize(
    ("path", "peer", "status"),
    [("wrong", PROVIDER, 404), (SECRET, STRANGER, 403), (f"{SECRET}/events", PROVIDER, 404)],
)
def test_no_letter_is_read_of_who_has_no_right_to_be_here(
    listed: House, path: str, peer: str, status: int
) -> None:
    body = Slow()
    answer = listed.client.post(
        f"/sms/infobip/{path}",
        input_stream=body,
        content_length=100,
        content_type="application/x-www-form-urlencoded",
        environ_base={"REMOTE_ADDR": peer},
    )

    assert answer.status_code == status
    assert not body.asked.is_set()


def test_bodies_of_which_nothing_is_proven_take_so_many_threads_and_no_more() -> None:
    """Two strangers send a signed webhook's body letter by letter: the third is told to come again,
    and a webhook with its secret in the path is served as ever."""
    house = House(signed=True)
    app = house.client.application
    slow = [Slow(), Slow()]

    def dawdle(body: Slow) -> None:
        app.test_client().post(
            "/sms/signed",
            input_stream=body,
            content_length=100,
            content_type="application/x-www-form-urlencoded",
        )

    threads = [threading.Thread(target=dawdle, args=(body,)) for body in slow]
    for thread, body in zip(threads, slow, strict=True):
        thread.start()
        assert body.asked.wait(10)
    signed = {"X-Signature": "right"}
    crowded = app.test_client().post("/sms/signed", data={"Body": "hola"}, headers=signed)
    for thread, body in zip(threads, slow, strict=True):
        body.go_on.set()
        thread.join()
    served = app.test_client().post("/sms/signed", data={"Body": "hola"}, headers=signed)

    assert crowded.status_code == 503
    assert house.refused("crowded") == 1
    assert served.status_code == 200
    assert house.bodies == [b"hola"]


def test_a_list_for_a_profile_that_nobody_has_stops_the_boot() -> None:
    """Its webhook would be open to every network otherwise."""
    environment = {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": "postgresql://nobody@localhost/none",
        "CHASKI_SESSIONS_URL": "redis://localhost",
        "CHASKI_QUEUE_URL": "redis://localhost",
        "CHASKI_WEBHOOK_SECRETS": SECRET,
        "CHASKI_SESSION_SECRET": "x" * 32,
        "CHASKI_PIN_PEPPERS": '{"1": "' + "a1" * 32 + '"}',
    }
    right = load({**environment, "CHASKI_ALLOWED_NETWORKS": '{"http-hubtel": ["10.0.0.0/8"]}'})
    wrong = load({**environment, "CHASKI_ALLOWED_NETWORKS": '{"http-hubtell": ["10.0.0.0/8"]}'})

    assert webhooks(right, [], Metrics())
    with pytest.raises(ValueError, match="http-hubtell"):
        webhooks(wrong, [], Metrics())
