"""How careful the house is with a member, and for how long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

NOW = dt.datetime(2026, 11, 23, 15, tzinfo=dt.UTC)
SOON, LATER = NOW + dt.timedelta(hours=1), NOW + dt.timedelta(days=1)


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_urls[0], autocommit=True) as connection:
        yield connection


def _careful(
    owner: psycopg.Connection[Any], reason: str, level: str, until: dt.datetime | None
) -> None:
    owner.execute(
        "select instructions.be_careful('m-1', %s, %s, %s, %s)", (reason, level, until, NOW)
    )


def _level(owner: psycopg.Connection[Any], at: dt.datetime, member: str = "m-1") -> str:
    row = owner.execute("select instructions.level(%s, %s)", (member, at)).fetchone()
    assert row
    return str(row[0])


def test_the_strictest_holds_while_it_lasts(owner: psycopg.Connection[Any]) -> None:
    """A new PIN for a day, and a new SIM until staff have seen the member."""
    assert _level(owner, NOW) == "normal"
    _careful(owner, "pin_changed", "careful", LATER)
    assert (_level(owner, SOON), _level(owner, LATER)) == ("careful", "normal")

    _careful(owner, "sim_changed", "look_only", None)

    assert (_level(owner, SOON), _level(owner, LATER)) == ("look_only", "look_only")
    assert _level(owner, SOON, "m-2") == "normal"


def test_staff_lift_it_once_and_it_is_written_down(owner: psycopg.Connection[Any]) -> None:
    """The second time there is nothing to lift."""
    _careful(owner, "sim_changed", "look_only", None)
    lift = "select instructions.trust_again('m-1', 'sim_changed', 'ana', %s)"

    assert [owner.execute(lift, (SOON,)).fetchone() for _ in range(2)] == [(True,), (False,)]

    assert _level(owner, SOON) == "normal"
    actions = owner.execute("select actor, action from audit.entry order by id").fetchall()
    assert actions == [("caution", "caution.begun"), ("ana", "caution.lifted")]


def test_what_is_newer_counts(owner: psycopg.Connection[Any]) -> None:
    """A PIN that is changed again begins its day anew."""
    _careful(owner, "pin_changed", "careful", SOON)
    _careful(owner, "pin_changed", "careful", LATER)

    assert _level(owner, SOON) == "careful"
