"""`chaski members` and `chaski pins`, as staff type them."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import Result

from tests.cooperative import Cooperative
from tests.people import ELMER, ROSA, STRANGER, WILMER
from tests.test_cli import chaski

PEPPER, OTHER = "00" * 32, "ab" * 32
INVITE = ("invite", "--phone", WILMER.msisdn, "--dni", WILMER.dni)


@pytest.fixture
def owner(cooperative: Cooperative) -> dict[str, str]:
    """The variables of a person at the owner's terminal."""
    url = cooperative.settings.database_url.get_secret_value()
    return {
        "CHASKI_OWNER_URL": url.replace("chaski_app", "chaski_owner"),
        "CHASKI_PIN_PEPPERS": json.dumps({"1": PEPPER}),
    }


def members(owner: dict[str, str], *words: str) -> Result:
    return chaski("members", *words, environment=owner)


def code_in(result: Result) -> str:
    assert result.exit_code == 0, result.output
    found = re.search(r"code: (\d{8})$", result.output, re.M)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("invite", "--phone", STRANGER, "--dni", "40000006"), "this phone is no member's"),
        (("invite", "--phone", WILMER.msisdn, "--dni", "4000006"), "a DNI has 8 digits"),
        (("invite", "--phone", ROSA.msisdn, "--dni", ROSA.dni), "this member has a PIN"),
        ((*INVITE, "--hours", "0"), "0 is not in the range"),
        ((*INVITE, "--born", "17.7.90"), "does not match the format"),
        ((*INVITE, "--peppers", "secret-of-mine"), "CHASKI_PIN_PEPPERS is"),
        ((*INVITE, "--peppers", '{"1": "ab"}'), "each pepper is 32 bytes"),
        (("reset", "--phone", WILMER.msisdn, "--dni", WILMER.dni), "this member has no PIN"),
        (("approve", "7", "--by", "Luis"), "there is no such request"),
        (("unlock", "--phone", "rosa"), "no phone number like"),
        (("show", "--phone", STRANGER), "this phone is no member's"),
        (("register", "--ref", "m-0007", "--phone", ROSA.msisdn, "--first-name", "Eva",
          "--short-name", "Eva P."), "registered already"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_what_to_do(
    owner: dict[str, str], words: tuple[str, ...], said: str
) -> None:
    """Without a traceback, and without repeating a key."""
    failed = members(owner, *words)

    assert failed.exit_code != 0
    assert said in failed.output
    assert "secret-of-mine" not in failed.output
    assert failed.exception is None or isinstance(failed.exception, SystemExit)


def test_wilmer_enrols_with_the_code_that_was_printed(
    owner: dict[str, str], cooperative: Cooperative
) -> None:
    """The clock of the terminal is the machine's own."""
    with cooperative.owner() as connection:
        (now,) = connection.execute("select now()").fetchone() or (None,)
    cooperative.clock.at = now
    code = code_in(members(owner, *INVITE, "--born", "1990-07-17"))

    phone = cooperative.phone(WILMER.msisdn)
    phone.dial()
    assert phone.press(WILMER.dni, code, "1", "1707").text.startswith("Nada de tu DNI")
    assert phone.press("5938", "5938").ends

    shown = members(owner, "show", "--phone", WILMER.msisdn).output
    assert "enrolled=True" in shown
    assert "pin.set" in shown
    assert code not in shown


def test_who_asks_for_a_reset_does_not_approve_it(
    owner: dict[str, str], cooperative: Cooperative
) -> None:
    """It takes two names."""
    asked = members(owner, "reset", "--phone", ROSA.msisdn, "--dni", ROSA.dni, "--by", "Ana")
    number = re.search(r"approve (\d+)", asked.output)
    assert number
    waiting = members(owner, "show", "--phone", ROSA.msisdn, "--json")
    assert json.loads(waiting.output)[0]["requests"] == [
        {"id": int(number[1]), "kind": "pin_reset", "asked_by": "Ana"}
    ]

    alone = members(owner, "approve", number[1], "--by", "ana")
    assert alone.exit_code == 1
    assert "it takes another person" in alone.output
    assert code_in(members(owner, "approve", number[1], "--by", "Luis"))


def test_a_locked_pin_is_shown_and_opened(owner: dict[str, str], cooperative: Cooperative) -> None:
    """Elmer guessed three times."""
    phone = cooperative.phone(ELMER.msisdn)
    phone.dial("1")
    phone.press("0000", "0000", "0000")

    assert "pin.locked" in members(owner, "show", "--phone", ELMER.msisdn).output
    assert "open again" in members(owner, "unlock", "--phone", ELMER.msisdn).output
    assert "nothing to do" in members(owner, "unlock", "--phone", ELMER.msisdn).output

    phone.dial("1")
    assert phone.press(ELMER.pin or "").text.startswith("Puedes usar")


def test_a_new_member_is_registered_and_invited(owner: dict[str, str]) -> None:
    """Eva, whom the core knows as m-0007."""
    eva = ("--phone", "+51987000007")
    names = ("--first-name", "Eva", "--short-name", "Eva P.")
    assert members(owner, "register", "--ref", "m-0007", *eva, *names).exit_code == 0
    assert code_in(members(owner, "invite", *eva, "--dni", "40000007"))


def test_peppers_are_rotated_and_the_old_one_is_no_longer_needed(owner: dict[str, str]) -> None:
    """With a line a batch, and what seals what at the end."""
    both = {**owner, "CHASKI_PIN_PEPPERS": json.dumps({"1": PEPPER, "2": OTHER})}
    members(owner, *INVITE)

    rotated = chaski("pins", "rotate", environment=both)

    assert rotated.exit_code == 0, rotated.output
    assert "5 sealed by pepper 2" in rotated.output
    assert "pepper_version=2  pins=5" in rotated.output
    assert "1 activation codes are still open under an older pepper" in rotated.output
    again = chaski("pins", "rotate", environment=both)
    assert "sealed by" not in again.output


def test_a_pepper_that_is_missing_stops_the_rotation(owner: dict[str, str]) -> None:
    """Before anything is lost."""
    alone = {**owner, "CHASKI_PIN_PEPPERS": json.dumps({"2": OTHER})}

    failed = chaski("pins", "rotate", environment=alone)

    assert failed.exit_code == 1
    assert "pepper 1 is not among CHASKI_PIN_PEPPERS" in failed.output
    assert "pins=5" in chaski("pins", "peppers", environment=owner).output
