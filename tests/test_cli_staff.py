"""The `chaski staff` command: the first administrator, and who comes after."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.settings import DEMO_PEPPER

PEPPERS = json.dumps({"1": DEMO_PEPPER})


@pytest.fixture
def url(database_urls: tuple[str, str]) -> str:
    return database_urls[0]


def _staff(url: str, *words: str) -> Result:
    return CliRunner().invoke(
        main, ["staff", *words, "--url", url], env={"CHASKI_PIN_PEPPERS": PEPPERS}
    )


@pytest.mark.parametrize("login", ["", "Ana", "ana torres", "1", "ñandú", "a" * 32])
def test_a_login_is_plain(url: str, login: str) -> None:
    """As the trail will have it for years."""
    assert _staff(url, "add", "--login", login, "--role", "support").exit_code == 2
    assert "nobody yet" in _staff(url, "list").output


def test_a_role_is_one_of_four(url: str) -> None:
    assert _staff(url, "add", "--login", "ana", "--role", "owner").exit_code == 2


def test_the_first_administrator_is_made_here_and_the_second_takes_a_yes(url: str) -> None:
    """The first password is printed, and kept nowhere."""
    first = _staff(url, "add", "--login", "carmen", "--role", "administrator")
    second = _staff(url, "add", "--login", "pedro", "--role", "administrator")
    again = _staff(url, "add", "--login", "pedro", "--role", "administrator")
    supervisor = _staff(url, "add", "--login", "luis", "--role", "supervisor")
    clerk = _staff(url, "add", "--login", "ana", "--role", "support")

    assert first.output.startswith("first password: ")
    assert "another administrator agrees" in second.output
    assert "waits for this name already" in again.output
    assert "another administrator agrees" in supervisor.output
    assert clerk.output.startswith("first password: ")
    listed = CliRunner().invoke(main, ["staff", "list", "--url", url, "--json"]).output
    assert [(row["login"], row["role"], row["state"]) for row in json.loads(listed)] == [
        ("ana", "support", "new"),
        ("carmen", "administrator", "new"),
    ]
    assert first.output.split()[2] not in listed


def test_a_reset_is_another_password_but_not_an_administrators(url: str) -> None:
    one = _staff(url, "add", "--login", "ana", "--role", "support").output
    _staff(url, "add", "--login", "carmen", "--role", "administrator")

    other = _staff(url, "reset", "--login", "ana").output
    assert other.startswith("first password: ")
    assert other.split()[2] != one.split()[2]
    assert "another administrator" in _staff(url, "reset", "--login", "carmen").output
    assert _staff(url, "reset", "--login", "nobody").exit_code == 1
    assert _staff(url, "add", "--login", "ana", "--role", "support").exit_code == 1


def test_the_demos_code_is_six_digits() -> None:
    shown = CliRunner().invoke(main, ["staff", "demo-code"]).output.strip()

    assert len(shown) == 6
    assert shown.isdigit()
