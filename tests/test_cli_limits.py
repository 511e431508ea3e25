"""`chaski limits`, as staff type it."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from tests.cooperative import Cooperative

SET = ("set", "transfers.send", "--reason", "board of May")
LOWER = (*SET, "--per-operation", "500", "--per-day", "1000.50", "--per-month", "4000")
HIGHER = (*SET, "--per-operation", "3300", "--per-day", "3300", "--per-month", "15000")
SOME_DAY = ("--from", (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=40)).isoformat())


@pytest.fixture
def url(database_urls: tuple[str, str]) -> str:
    return database_urls[0]


def limits(url: str, *words: str, by: str = "") -> Result:
    named = ("--by", by) if by else ()
    return CliRunner().invoke(main, ["limits", *words, *named], env={"CHASKI_OWNER_URL": url})


def number(said: Result) -> str:
    found = re.match(r"\d+", said.output)
    assert found, said.output
    return found[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*SET, "--per-operation", "1,250", "--per-day", "1", "--per-month", "1"), "no amount"),
        ((*SET, "--per-operation", "-1", "--per-day", "1", "--per-month", "1"), "no amount"),
        ((*SET, "--per-operation", "none", "--per-day", "1", "--per-month", "1"), "all three"),
        ((*LOWER, "--level", "new_payee"), "--per-month none"),
        ((*LOWER, "--from", "2020-01-01"), "cannot begin in the past"),
        ((*LOWER, "--channel", "Any Thing"), "check constraint"),
        (("set", "transfers.gift", *LOWER[2:]), "moves no money; these do: loans.pay"),
        ((*HIGHER[:-5], "3301", "--per-day", "1", "--per-month", "1"), "above the legal ceiling"),
        (("ceiling", "transfers.send", "--source", "x"), "say how many UIT, or --off"),
        (("ceiling", "transfers.send", "--source", "x", "--per-day", "a"), "no number of UIT"),
        (("uit", "none", "--source", "x"), "what it is worth"),
        (("approve", "99999"), "nothing waits under 99999"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(url: str, words: tuple[str, ...], said: str) -> None:
    failed = limits(url, *words, by="ana")
    assert failed.exit_code != 0
    assert said in failed.output
    assert isinstance(failed.exception, SystemExit)


def test_a_lower_limit_is_set_at_once_and_shown(url: str) -> None:
    assert limits(url, *LOWER, by="ana").output.endswith(" is set\n")
    shown = limits(url, "show").output
    assert "S/ 500.00" in shown
    assert "S/ 1,000.50" in shown
    assert "board of May" in shown
    assert "S/ 15,400.00" in shown  # the law's month
    (first, *_) = json.loads(limits(url, "show", "--json").output)
    assert (first["operation"], first["per_day_centimos"]) == ("transfers.send", 1_000_50)


def test_a_higher_one_waits_for_another_person(url: str) -> None:
    asked = limits(url, *HIGHER, *SOME_DAY, by="ana")
    assert "waits: another person runs chaski limits approve" in asked.output
    waits = limits(url, "show").output
    assert f"waits for a second person: {number(asked)} by ana, from {SOME_DAY[1]}" in waits
    assert "another person does" in limits(url, "approve", number(asked), by="ana").output

    assert limits(url, "approve", number(asked), by="berta").output.endswith("is approved\n")

    held = json.loads(limits(url, "show", "--json", "--on", SOME_DAY[1]).output)
    assert held[0]["per_operation_centimos"] == 3_300_00
    assert json.loads(limits(url, "show", "--json").output)[0]["per_operation_centimos"] == 2_000_00


def test_the_law_is_switched_off_and_the_uit_raised_by_two(url: str) -> None:
    for words in (
        ("ceiling", "transfers.send", "--off", "--source", "the SBS wrote"),
        ("uit", "6000", "--source", "a decree", *SOME_DAY),
    ):
        asked = limits(url, *words, by="ana")
        assert "waits" in asked.output
        assert limits(url, "approve", number(asked), by="berta").exit_code == 0
    nine = ("--per-operation", "9000", "--per-day", "9000", "--per-month", "9000")
    assert "waits" in limits(url, *SET, *nine, by="ana").output


def test_a_check_finds_what_is_not_as_it_should_be(url: str, cooperative: Cooperative) -> None:
    rosa = cooperative.phone("+51987000001")
    rosa.dial("2*987000002*50")
    rosa.press("4826")
    good = limits(url, "check")
    assert (good.exit_code, good.output) == (0, "every limit is as it should be\n")

    with cooperative.owner() as owner:
        owner.execute("delete from instructions.usage")

    bad = limits(url, "check")
    assert bad.exit_code == 1
    assert "2026-11-23: used 0, by its orders 5000" in bad.output
