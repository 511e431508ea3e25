"""The `chaski` command, as people type it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.demo.core import core_variables
from gateway.demo.phone import NoAnswerError, Phone, framed, use
from gateway.ledger.fineract.standin.server import StandIn
from gateway.values.money import Money
from tests.cooperative import TODAY, Cooperative
from tests.people import ROSA, SEGUNDO


def chaski(*words: str, environment: dict[str, str] | None = None, typed: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(main, words, env=environment, input=typed)


@pytest.fixture
def environment(cooperative: Cooperative) -> dict[str, str]:
    """The variables of the demo cooperative."""
    settings = cooperative.settings
    return {
        "CHASKI_DEMO": "yes",
        "CHASKI_DATABASE_URL": settings.database_url.get_secret_value(),
        "CHASKI_SESSIONS_URL": settings.sessions_url.get_secret_value(),
        "CHASKI_QUEUE_URL": settings.queue_url.get_secret_value(),
        "CHASKI_WEBHOOK_SECRETS": "demo",
        "CHASKI_SESSION_SECRET": "any",
        "CHASKI_PIN_PEPPERS": json.dumps({"1": "00" * 32}),
    }


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("serve",),
        ("worker",),
        ("demo",),
        ("migrate",),
        ("phone",),
        ("menus", "check"),
        ("menus", "schema"),
        ("menus", "publish"),
        ("menus", "published"),
        ("menus", "operations"),
        ("menus", "extract"),
        ("menus", "update"),
        ("menus", "languages"),
        ("menus", "graph"),
        ("menus", "print"),
        ("menus", "try"),
        ("ledger", "verify"),
        ("ledger", "accounts"),
        *(("members", each) for each in ("register", "invite", "reset", "approve", "unlock")),
        *(("members", each) for each in ("show", "freeze", "unfreeze", "trust", "move", "release")),
        *(("claims", each) for each in ("list", "show", "hold", "release", "close")),
        *(("calls", each) for each in ("list", "done")),
        *(("pins", each) for each in ("peppers", "rotate")),
        ("audit", "head"),
        ("audit", "verify"),
        ("audit", "go-on"),
        ("members", "export"),
        ("members", "erase"),
        ("retention", "show"),
        ("ledger", "doctor"),
    ],
)
def test_every_subcommand_says_what_it_does(command: tuple[str, ...]) -> None:
    """--help."""
    helped = chaski(*command, "--help")

    assert helped.exit_code == 0
    assert "Usage:" in helped.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serve",), "CHASKI_DATABASE_URL: Field required"),
        (("worker",), "CHASKI_SESSIONS_URL: Field required"),
        (("ledger", "verify", "--data", "/nowhere"), "start it with scripts/run"),
        (("ledger", "accounts", "--phone", "rosa"), "no phone number like"),
        (("phone", "rosa"), "no phone number like"),
        (("phone", ROSA.msisdn, "--url", "http://127.0.0.1:9"), "start one with scripts/run"),
        (("phone", ROSA.msisdn, "--url", "ftp://x"), "is no http:// address"),
        (("migrate", "--url", "postgresql://x@127.0.0.1:9/x"), "PostgreSQL does not answer"),
    ],
)
def test_what_a_person_can_mend_is_said_without_a_traceback(
    words: tuple[str, ...], said: str
) -> None:
    """What is wrong, and what to do next."""
    failed = chaski(*words, typed="\n")

    assert failed.exit_code not in {0, None}
    assert said in failed.output
    assert failed.exception is None or isinstance(failed.exception, SystemExit)


def test_the_menus_are_checked(tmp_path: Path) -> None:
    """Exit 0, or 1 with the file and the line."""
    assert chaski("menus", "check").exit_code == 0
    (tmp_path / "home.yaml").write_text("menu: home\nsay: '{'\n")

    faulty = chaski("menus", "check", str(tmp_path))

    assert faulty.exit_code == 1
    assert "home.yaml:2: " in faulty.output


def test_the_operations_are_listed_for_whoever_writes_a_journey() -> None:
    """With every refusal that a journey has to say."""
    listed = chaski("menus", "operations").output

    assert "transfers.send  (moves money, needs the PIN)" in listed
    assert "refuses over_limit" in listed
    assert "takes   source: savings_account, payee: payee, amount: money" in listed


def test_the_books_are_verified_and_accounts_are_shown(environment: dict[str, str]) -> None:
    """As JSON for machines, in a line for people."""
    verified = json.loads(chaski("ledger", "verify", "--json", environment=environment).output)
    accounts = chaski(
        "ledger", "accounts", "--phone", ROSA.msisdn, "--json", environment=environment
    )
    plain = chaski("ledger", "accounts", "--phone", ROSA.msisdn, environment=environment)

    assert verified["ok"]
    assert verified["sum_centimos"] == 0
    assert verified["entries"] == 2 * verified["transfers"]
    assert json.loads(accounts.output) == [
        {
            "account": "100-0001",
            "kind": "savings",
            "balance_centimos": 125_050,
            "available_centimos": 125_050,
        },
        {
            "account": "300-0001",
            "kind": "loan",
            "balance_centimos": -51_240,
            "available_centimos": 0,
        },
    ]
    assert "balance_centimos=-51240" in plain.output


def test_a_phone_of_nobody_has_no_accounts(environment: dict[str, str]) -> None:
    """Said, not shown as an empty list."""
    failed = chaski("ledger", "accounts", "--phone", "+51999999999", environment=environment)

    assert failed.exit_code == 1
    assert "no member's phone" in failed.output


def test_the_phone_in_the_terminal_sends_money(url: str, cooperative: Cooperative) -> None:
    """It dials, answers, hangs up, and reads the SMS that arrived."""
    typed = ["", "2", "987000002", "50", str(ROSA.pin), "", "1", "", "q"]
    said: list[str] = []

    def ask(prompt: str) -> str:
        cooperative.deliver()
        return typed.pop(0)

    use(Phone(ROSA.msisdn, url, "demo", "*775#"), said.append, ask)

    shown = "\n".join(said)
    assert "Hola Rosa" in shown
    assert "Listo: enviaste S/ 50.00" in shown
    assert "SMS from NORANDINO: Enviaste S/ 50.00 a Segundo C." in shown
    assert typed == []
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


def test_the_phone_in_the_terminal_texts_and_dials_it_all_at_once(
    url: str, cooperative: Cooperative
) -> None:
    """What does not begin with a star is an SMS, and its answer is waited for."""
    typed = ["saldo", "*775*2*987000002*50#", "", "q"]
    said: list[str] = []

    def ask(prompt: str) -> str:
        threading.Timer(0.3, cooperative.deliver).start()
        return typed.pop(0)

    use(Phone(ROSA.msisdn, url, "demo", "*775#"), said.append, ask)

    shown = "\n".join(said)
    assert "SMS from NORANDINO: Puedes usar: Ahorro: S/ 1,250.50" in shown
    assert "Enviar S/ 50.00 a Segundo C." in shown


@pytest.mark.parametrize("typed", [["", "q"], ["", "1", "Q"], ["q"]])
def test_the_phone_is_put_away_at_any_prompt(url: str, typed: list[str]) -> None:
    """The end of the input does the same: no program may dial for ever."""
    use(Phone(ROSA.msisdn, url, "demo", "*775#"), lambda line: None, lambda prompt: typed.pop(0))

    assert typed == []


def test_a_wrong_secret_is_explained(url: str) -> None:
    """To the engineer who tries the production gateway."""
    with pytest.raises(NoAnswerError, match="--secret"):
        Phone(ROSA.msisdn, url, "wrong", "*775#").dial()


def test_a_screen_has_a_frame() -> None:
    """Long lines are folded as on a narrow display."""
    lines = framed("Hola\n" + "x " * 30).split("\n")

    assert len({len(line) for line in lines}) == 1


def test_the_doctor_names_what_a_core_lacks(environment: dict[str, str]) -> None:
    own = chaski("ledger", "doctor", environment=environment)
    assert (own.exit_code, "Chaski's own" in own.output) == (0, True)
    with StandIn(TODAY) as core:
        core.double.permissions.discard("READ_LOAN")
        over_it = {**environment, **core_variables(core.url)}

        ill = chaski("ledger", "doctor", environment=over_it)
        refused = chaski("serve", environment=over_it)
        core.double.permissions.add("READ_LOAN")
        well = chaski("ledger", "doctor", environment=over_it)

    assert (ill.exit_code, well.exit_code) == (1, 0)
    assert "MISSING right READ_LOAN: missing: give the account's role READ_LOAN" in ill.output
    assert refused.exit_code == 1
    assert "READ_LOAN" in refused.output


def test_a_members_accounts_are_those_of_the_core(environment: dict[str, str]) -> None:
    with StandIn(TODAY) as core:
        core.world.enrol_person("m-0002", "40000002", "Segundo", "Chinchay Neyra", TODAY)
        core.world.open_savings("900-1", "Ahorro", "m-0002", Money(7_00), TODAY)
        over_it = {**environment, **core_variables(core.url)}

        told = chaski(
            "ledger", "accounts", "--phone", SEGUNDO.msisdn, "--json", environment=over_it
        )
        verified = chaski("ledger", "verify", environment=over_it)

    assert [row["account"] for row in json.loads(told.output)] == ["900-1"]
    assert verified.exit_code == 1
    assert "Fineract's own" in verified.output
