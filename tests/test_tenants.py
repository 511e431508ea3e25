"""Several cooperatives in one deployment: each keeps to itself, and none brings another down."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import requests
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateway import bootstrap
from gateway.bank.hashing import CHEAPEST_FOR_TESTS, OWASP_2026, PepperedArgon2
from gateway.bootstrap import Parts
from gateway.cli.main import main
from gateway.db.pool import Database
from gateway.demo.seed import seed
from gateway.embedded.patience import came_true
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.notices.simulated import SimulatedNetwork
from gateway.settings import SettingsError
from gateway.signin.passwords import Passwords, code_at
from gateway.signin.register import Register, Role
from gateway.tenants import load_all
from gateway.values.msisdn import Msisdn
from gateway.values.secret import Secret
from tests.cooperative import TODAY, Handset
from tests.house import CODE_LIFE
from tests.people import ROSA, SEGUNDO

NAMES = ("altomayo", "norandino")  # in the order of their files
SOON_S = 60
_PASSWORD = "tres burros flacos"
STOPPED_WITHIN_S = 20

_sessions = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Two cooperatives' files, and what all processes share."""

    folder: Path
    common: dict[str, str]
    urls: dict[str, tuple[str, str]]

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that serves both."""
        return {**self.common, "CHASKI_TENANTS": str(self.folder)}

    def secret(self, name: str) -> str:
        """What opens its webhook."""
        return f"webhook-of-{name}-0123456789"

    def pepper(self, name: str) -> str:
        """In hex."""
        return f"{NAMES.index(name) + 1:02x}" * 32

    def variables(self, name: str) -> dict[str, str]:
        """Its own."""
        return {
            "CHASKI_DATABASE_URL": self.urls[name][1],
            "CHASKI_WEBHOOK_SECRETS": self.secret(name),
            "CHASKI_SESSION_SECRET": f"sessions-of-{name}-0123456789",
            "CHASKI_PIN_PEPPERS": json.dumps({"1": self.pepper(name)}),
            "CHASKI_SHORT_CODE": f"*77{NAMES.index(name)}#",
        }

    def write(self, name: str, **differing: str) -> None:
        """Its file, as it should be but for what differs."""
        variables = {**self.variables(name), **differing}
        lines = (f"{variable}='{text}'\n" for variable, text in variables.items())
        (self.folder / f"{name}.env").write_text("".join(lines))

    def found(self, name: str) -> None:
        """The demo's six members are members here too, with the same phones and PINs."""
        peppers = {1: bytes.fromhex(self.pepper(name))}
        seed(self.urls[name][0], PepperedArgon2(peppers, OWASP_2026), TODAY)

    def savings(self, name: str) -> int:
        """What Rosa has there, in céntimos."""
        with Database(self.urls[name][1], 2) as database:
            database.open()
            (account,) = PostgresLedger(database).accounts(ROSA.ref)[:1]
            return account.balance.centimos

    def inbox(self, name: str) -> list[str]:
        """The SMS that Rosa had from there."""
        with Database(self.urls[name][1], 2) as database:
            database.open()
            return [
                sms["text"] for sms in SimulatedNetwork(database, "X").inbox(Msisdn(ROSA.msisdn))
            ]


@pytest.fixture
def deployment(
    tmp_path: Path,
    database_urls: tuple[str, str],
    other_database_urls: tuple[str, str],
    redis_urls: tuple[str, str],
) -> Deployment:
    """Two cooperatives, each with a database of its own."""
    common = {
        "CHASKI_DEMO": "yes",  # for its SMS inbox
        "CHASKI_SESSIONS_URL": redis_urls[0],
        "CHASKI_QUEUE_URL": redis_urls[1],
    }
    folder = tmp_path / "tenants"
    folder.mkdir()
    urls = dict(zip(NAMES, (other_database_urls, database_urls), strict=True))
    deployment = Deployment(folder, common, urls)
    for name in NAMES:
        deployment.write(name)
    return deployment


@contextmanager
def serving(deployment: Deployment) -> Iterator[FlaskClient]:
    """One web process for both."""
    app, gateways = bootstrap.application(
        load_all(deployment.environment), Parts(often=lambda every_s, look: lambda: None)
    )
    yield app.test_client()
    for gateway in gateways:
        gateway.close()


def rosa(client: FlaskClient, deployment: Deployment, name: str) -> Handset:
    """Her phone, at that cooperative's short code."""
    return Handset(client, ROSA.msisdn, secret=deployment.secret(name))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CHASKI_WEBHOOK_SECRETS", "another-of-its-own-0123,webhook-of-norandino-0123456789"),
        ("CHASKI_SESSION_SECRET", "sessions-of-norandino-0123456789"),
        ("CHASKI_PIN_PEPPERS", json.dumps({"7": "02" * 32})),
        ("CHASKI_TWILIO_ACCOUNT_SID", ""),
    ],
)
def test_what_opens_a_door_may_not_be_two_cooperatives(
    deployment: Deployment, variable: str, text: str
) -> None:
    """The boot stops and says whose and what, and never the secret itself."""
    if variable == "CHASKI_TWILIO_ACCOUNT_SID":
        twilio = {
            variable: "AC" + "0" * 32,
            "CHASKI_TWILIO_AUTH_TOKENS": "t" * 32,
            "CHASKI_TWILIO_SENDER": "+15005550006",
            "CHASKI_PUBLIC_URL": "https://sms.example.pe",
        }
        for name in NAMES:
            deployment.write(name, **twilio)
    else:
        deployment.write("altomayo", **{variable: text})

    with pytest.raises(SettingsError) as stopped:
        load_all(deployment.environment)

    said = str(stopped.value)
    assert said == f"altomayo.env and norandino.env: {variable}: the same in both"


def test_one_database_may_not_be_two_cooperatives(deployment: Deployment) -> None:
    deployment.write("altomayo", CHASKI_DATABASE_URL=deployment.urls["norandino"][1])

    with pytest.raises(SettingsError, match=r"CHASKI_DATABASE_URL: the same in both"):
        load_all(deployment.environment)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("CHASKI_PORT", "altomayo.env: CHASKI_PORT: of the process, for all: not here"),
        ("CHASKI_COOPERATIVE", "altomayo.env: CHASKI_COOPERATIVE: the file's name says it"),
        ("CHASKI_OWNER_URL", "altomayo.env: CHASKI_OWNER_URL: there is no such setting"),
        ("CHASKI_SHORT_CODE", "altomayo.env: CHASKI_SHORT_CODE: "),
    ],
)
def test_a_fault_is_said_with_its_file(deployment: Deployment, variable: str, said: str) -> None:
    deployment.write("altomayo", **{variable: "x"})

    with pytest.raises(SettingsError) as stopped:
        load_all(deployment.environment)

    assert str(stopped.value).startswith(said)


def test_a_folder_without_files_serves_nobody(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no NAME\.env in"):
        load_all({"CHASKI_TENANTS": str(tmp_path)})


def test_a_command_for_one_asks_which(deployment: Deployment) -> None:
    """With several, `chaski ledger verify` alone would be anybody's."""
    command = ["ledger", "verify"]

    nobodys = CliRunner().invoke(main, command, env=deployment.environment)
    rosas = ["--tenant", str(deployment.folder / "norandino.env"), *command]
    theirs = CliRunner().invoke(main, rosas, env=deployment.environment)

    assert "CHASKI_TENANTS: it has several cooperatives" in nobodys.output
    assert nobodys.exit_code == 1
    assert theirs.output.startswith("ok=True")


def test_a_member_of_one_is_a_stranger_to_the_other(deployment: Deployment) -> None:
    """The secret in the path says whose members are asked."""
    deployment.found("norandino")
    with serving(deployment) as client:
        known = rosa(client, deployment, "norandino").dial()
        stranger = rosa(client, deployment, "altomayo").dial()
        nobody = Handset(client, ROSA.msisdn, secret="webhook-of-nobody")

        assert known.text.startswith("Hola Rosa")
        assert "Rosa" not in stranger.text
        assert stranger.ends
        with pytest.raises(AssertionError):
            nobody.dial()


def test_who_is_a_member_of_both_has_two_of_everything(deployment: Deployment) -> None:
    """The same phone, even under the same session of one aggregator: two sessions, two ledgers."""
    for name in NAMES:
        deployment.found(name)
    with serving(deployment) as client:
        here, there = (rosa(client, deployment, name) for name in reversed(NAMES))
        here.dial()
        there.session = here.session
        there.send()
        here.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50")
        assert "S/ 1,250.50" in there.press("1", ROSA.pin or "").text
        assert "Listo" in here.press(ROSA.pin or "").text
        metrics = client.get("/metrics").text
    with redis.Redis.from_url(deployment.common["CHASKI_SESSIONS_URL"]) as short_memory:
        owners = {key.split(b"{")[1].split(b":")[0] for key in short_memory.keys("*{*")}

    assert deployment.savings("norandino") == 1_200_50
    assert deployment.savings("altomayo") == 1_250_50
    assert owners == {name.encode() for name in NAMES}
    for name in NAMES:
        assert f'chaski_hops_total{{channel="africastalking",cooperative="{name}"' in metrics
        assert f'chaski_outbox_waiting{{cooperative="{name}"}}' in metrics
    assert metrics.count("# TYPE chaski_outbox_waiting gauge") == 1


def test_a_database_that_is_away_is_its_own_cooperatives_trouble(deployment: Deployment) -> None:
    """The other one is served, also by a process that was started meanwhile."""
    deployment.found("norandino")
    deployment.write("altomayo", CHASKI_DATABASE_URL="postgresql://chaski_app@127.0.0.1:1/away")
    with serving(deployment) as client:
        assert rosa(client, deployment, "norandino").dial().text.startswith("Hola Rosa")
        assert "Tu dinero esta seguro" in rosa(client, deployment, "altomayo").dial().text
        ready = client.get("/health/ready")

        assert ready.status_code == 200
        assert ready.json
        assert ready.json["checks"]["altomayo.database"] is False
        assert client.get("/health/ready/altomayo").status_code == 503
        assert client.get("/health/ready/norandino").status_code == 200
        assert client.get("/health/ready/nobody").status_code == 404
        metrics = client.get("/metrics").text
        assert 'chaski_outbox_waiting{cooperative="norandino"} 0' in metrics
        assert 'chaski_outbox_waiting{cooperative="altomayo"}' not in metrics


def test_owners_urls_are_in_a_folder_of_their_own(deployment: Deployment, tmp_path: Path) -> None:
    """Whoever serves members cannot own their books."""
    owners = tmp_path / "owners"
    owners.mkdir()
    for name in NAMES:
        (owners / f"{name}.env").write_text(f"CHASKI_OWNER_URL={deployment.urls[name][0]}\n")

    migrated = CliRunner().invoke(main, ["migrate", "--tenants", str(owners)])
    missing = CliRunner().invoke(main, ["migrate", "--tenants", str(deployment.folder)])

    assert migrated.output.splitlines() == [f"{name}: nothing to apply" for name in NAMES]
    assert "altomayo.env: CHASKI_OWNER_URL is missing" in missing.output
    assert missing.exit_code == 1


@contextmanager
def process(deployment: Deployment, log: Path, *command: str, **more: str) -> Iterator[None]:
    """A `chaski …`, while it runs."""
    with log.open("ab") as words:
        chaski = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", *command, "--tenants", str(deployment.folder)],
            env={**os.environ, **deployment.common, **more},
            stdout=words,
            stderr=words,
        )
    try:
        yield
    finally:
        chaski.send_signal(signal.SIGTERM)
        chaski.wait(STOPPED_WITHIN_S)


def post(url: str, session: str, text: str) -> str:
    """A hop of Rosa's, over the wire: each may reach another process."""
    form = {"sessionId": session, "phoneNumber": ROSA.msisdn, "serviceCode": "*", "text": text}
    answer = requests.post(url, data=form, timeout=10)
    assert answer.status_code == 200
    return answer.text


def send_50(url: str) -> None:
    """Rosa sends Segundo S/ 50, each hop to whichever process comes first."""
    session, typed = f"s{next(_sessions)}", ["2", SEGUNDO.msisdn.removeprefix("+51"), "50"]
    for count in range(len(typed) + 1):
        assert post(url, session, "*".join(typed[:count])).startswith("CON")
    assert "Listo" in post(url, session, "*".join([*typed, ROSA.pin or ""]))


def test_web_processes_and_workers_of_any_number_serve_all(
    deployment: Deployment, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Two web processes, two workers, two cooperatives, one queue of wake-ups: an order's hops go
    to any process, its receipt is sent once, and the figures of all processes are one page."""
    for name in NAMES:
        deployment.found(name)
    port = free_port()
    web = {"CHASKI_PORT": str(port), "CHASKI_WEB_WORKERS": "2"}
    base = f"http://127.0.0.1:{port}"
    with ExitStack() as running:
        running.enter_context(process(deployment, tmp_path / "web.log", "serve", **web))
        for number in (1, 2):
            running.enter_context(process(deployment, tmp_path / f"w{number}.log", "worker"))
        assert came_true(lambda: _answers(f"{base}/health/ready"), SOON_S)
        for name in NAMES:
            send_50(f"{base}/ussd/africastalking/{deployment.secret(name)}")
        assert came_true(lambda: all(map(deployment.inbox, NAMES)), SOON_S)
        time.sleep(1)  # whoever would send it twice has done so
        pages = {requests.get(f"{base}/metrics", timeout=10).text for _ in range(8)}
    for name in NAMES:
        assert deployment.savings(name) == 1_200_50
        assert len(deployment.inbox(name)) == 1
        hops = f'chaski_hops_total{{channel="africastalking",cooperative="{name}",outcome="confirm"'
        assert all(f"{hops}}} 1.0" in page for page in pages)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port that nobody listens on."""
    from tests.bench.processes import free_port

    return free_port


def test_who_is_in_at_one_console_is_nobody_at_the_other(deployment: Deployment) -> None:
    """Each below a path of its own, where its links, its style and its cookie stay; the same name,
    password and authenticator open both only if both let them in, and a cookie opens one."""
    for name in NAMES:
        deployment.found(name)
        staff_url = deployment.urls[name][1].replace("chaski_app", "chaski_staff")
        deployment.write(name, CHASKI_STAFF_DATABASE_URL=staff_url)
    key = _lets_in(deployment, "norandino", "ana")
    with serving(deployment) as client:
        here, there = "/console/norandino", "/console/altomayo"
        entered = client.post(f"{here}/entrar", data=_typed(client, here, key))
        page = client.get(f"{here}/").text
        cookie = client.get_cookie("chaski_console", path=here)
        assert cookie is not None
        rosa(client, deployment, "altomayo").dial()
        live = client.get(f"{here}/ahora").text
        client.set_cookie("chaski_console", cookie.value, path=there)
        stolen = client.get(f"{there}/")
        elsewhere = client.post(f"{there}/entrar", data=_typed(client, there, key))

        assert (entered.status_code, entered.location) == (303, f"{here}/")
        assert "Buenos" in page
        links = re.findall(r'(?:href|action|src)="(/[^"]*)"', page)
        assert links
        assert all(link.startswith(f"{here}/") for link in links)
        style = client.get(f"{there}/static/console.css", buffered=True)
        assert style.status_code == 200
        assert (stolen.status_code, stolen.location) == (302, f"{there}/entrar")
        assert elsewhere.status_code == 403
        assert client.get("/console/").status_code == 404
        assert client.get("/console/norandinox/").status_code == 404
        assert "africastalking" not in live


def _lets_in(deployment: Deployment, name: str, login: str) -> str:
    """Have somebody in a register, set up; the key of their codes."""
    passwords = Passwords({1: bytes.fromhex(deployment.pepper(name))}, CHEAPEST_FOR_TESTS)
    with Database(deployment.urls[name][0], 1) as owner:
        owner.open()
        register = Register(owner, passwords, lambda: dt.datetime.now(dt.UTC))
        register.add(login, Role.SUPERVISOR, "the test")
        key = register.offer_key(login)
        code = Secret(code_at(key, dt.datetime.now(dt.UTC) - CODE_LIFE))
        assert register.enrol(login, Secret(_PASSWORD), code)
    return key


def _typed(client: FlaskClient, at: str, key: str) -> dict[str, str]:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"{at}/entrar").text)
    assert token
    code = code_at(key, dt.datetime.now(dt.UTC))
    return {"login": "ana", "password": _PASSWORD, "code": code, "csrf_token": token[1]}
