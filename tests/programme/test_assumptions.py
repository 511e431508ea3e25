"""What the figures assume: loaded by staff, with a date, and written down."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.db.pool import Database
from gateway.programme.figures import Figures, Period
from gateway.programme.loading import FaultyTableError, read_districts, read_places
from tests.cooperative import Cooperative
from tests.people import ROSA, SEGUNDO

NOVEMBER = Period(dt.date(2026, 11, 1), dt.date(2026, 11, 30))
HEAD = "member,district,rural\n"


@pytest.fixture
def owner_url(database_urls: tuple[str, str]) -> str:
    return database_urls[0]


def _chaski(url: str, *words: str, said: str | None = None) -> Result:
    done = CliRunner().invoke(main, [*words, "--url", url, "--by", "ana"], input=said)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def _ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as owner:
        return owner.execute(sql).fetchall()


def _order(url: str, day: str, centimos: int = 10_00, district: str = "060801") -> None:
    with psycopg.connect(url) as owner:
        owner.execute(
            "insert into programme.order_day values (%s, 'ussd', %s, %s, 'posted', 1, %s)",
            (day, district, f"op-{centimos}", centimos),
        )


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("", "line 1: no column district, member, rural"),
        ("member,district\nm-1,060801\n", "line 1: no column rural"),
        (HEAD + "m-1,060801,maybe\n", "line 2: rural is"),
        (HEAD + "m-1,060801,yes\nm-2,Jaen,no\n", "line 3: Jaen is no UBIGEO"),
        (HEAD + "m-1,0608011,yes\n", "no UBIGEO"),
        (HEAD + ",060801,yes\n", "line 2: no member"),
    ],
)
def test_a_faulty_register_is_said_by_its_line(table: str, why: str) -> None:
    with pytest.raises(FaultyTableError, match=why):
        read_places(table.splitlines())


def test_a_register_as_spreadsheets_write_it() -> None:
    """They drop the zero in front, and people write yes in many ways."""
    places = read_places([HEAD, "m-1,60801,Sí\n", "m-2,,\n", "m-3,220101,no\n"])

    assert [(one.district, one.rural) for one in places] == [
        *(("060801", True), ("", None), ("220101", False))
    ]


def test_districts_need_a_code_and_a_name() -> None:
    with pytest.raises(FaultyTableError, match="line 2"):
        read_districts(["district,name,province,department\n", "060801,,Jaen,Cajamarca\n"])


def test_members_are_placed_from_a_file(
    cooperative: Cooperative, owner_url: str, tmp_path: Path
) -> None:
    """Who is not registered is left out; done twice it changes nothing."""
    file = tmp_path / "places.csv"
    file.write_text(f"\ufeff{HEAD}{ROSA.ref},060801,yes\n{SEGUNDO.ref},200101,no\nm-9,200101,no\n")
    load = ("members", "districts", "--csv", str(file))

    assert "2 of 3 members" in _chaski(owner_url, *load).output
    assert "0 of 3 members" in _chaski(owner_url, *load).output
    assert _ask(
        owner_url, "select district, rural from bank.member where district <> '' order by 1"
    )
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    cooperative.clock.pass_time(seconds=2)
    told = "select distinct district from events.event where kind = 'session.began'"
    assert _ask(owner_url, told) == [("060801",)]


def test_a_faulty_file_loads_nothing(owner_url: str) -> None:
    said = _chaski(owner_url, "members", "districts", "--csv", "-", said=HEAD + "m-1,x,yes\n")

    assert said.exit_code == 1
    assert "line 2" in said.output


def test_travel_is_what_was_assumed_on_that_day(owner_url: str) -> None:
    """A district's own word, then everywhere's; a new word holds from its date on."""
    sources = ("--source", "encuesta")
    for words in (
        ("--from", "2026-01-01", "--minutes", "100", "--soles", "10"),
        ("--district", "060801", "--from", "2026-01-01", "--minutes", "60", "--soles", "6.50"),
        ("--district", "060801", "--from", "2026-11-15", "--minutes", "30", "--soles", "3"),
    ):
        assert _chaski(owner_url, "programme", "travel", *words, *sources).exit_code == 0
    for day, district in (
        *(("2026-11-14", "060801"), ("2026-11-15", "060801")),
        *(("2026-11-14", "220101"), ("2026-10-31", "060801")),
    ):
        _order(owner_url, day, district=district)

    with Database(owner_url, 1) as database:
        database.open()
        found = {one.district: one for one in Figures(database).travel(NOVEMBER)}
        shown = Figures(database).assumptions(NOVEMBER)

    assert (found["060801"].orders, found["060801"].minutes, found["060801"].centimos) == (
        *(2, 90, 9_50),
    )
    assert (found["220101"].minutes, found["220101"].centimos) == (100, 10_00)
    assert {(one.what, one.minutes, one.source) for one in shown} == {
        *(("", 100, "encuesta"), ("060801", 30, "encuesta"))
    }


def test_a_day_without_a_word_avoids_nothing_and_is_counted(owner_url: str) -> None:
    _order(owner_url, "2026-11-14")

    with Database(owner_url, 1) as database:
        database.open()
        (found,) = Figures(database).travel(NOVEMBER)

    assert (found.orders, found.minutes, found.centimos, found.unknown) == (1, 0, 0, 1)


def test_a_cost_is_by_the_tariff_of_its_day(owner_url: str) -> None:
    """Before there was one, units are counted apart."""
    for since, soles in (("2026-11-10", "0.04"), ("2026-11-20", "0.03")):
        words = ("ussd_session", "--from", since, "--soles", soles, "--source", "contrato")
        assert _chaski(owner_url, "programme", "tariff", *words).exit_code == 0
    with psycopg.connect(owner_url) as owner:
        for day, channel in (("09", "ussd"), ("10", "ussd"), ("20", "ussd"), ("20", "sms")):
            owner.execute(
                "insert into programme.session_day"
                " values (%s, %s, '', 'finished', 'done', '', 100, 1, 1)",
                (f"2026-11-{day}", channel),
            )

    with Database(owner_url, 1) as database:
        database.open()
        (found,) = Figures(database).costs(NOVEMBER)

    assert (found.what, found.units, found.micros, found.unpriced) == (
        *("ussd_session", 300, 100 * 40_000 + 100 * 30_000, 100),
    )


@pytest.mark.parametrize("soles", ["-1", "lots", "0.0000001", "1e9", "nan"])
def test_an_amount_that_is_none_is_refused(owner_url: str, soles: str) -> None:
    words = ("ussd_session", "--from", "2026-01-01", "--soles", soles, "--source", "x")

    assert _chaski(owner_url, "programme", "tariff", *words).exit_code == 2


def test_what_staff_say_is_written_down(owner_url: str) -> None:
    target = ("active_90", "--until", "2027-06-30", "--value", "12000")
    assert _chaski(owner_url, "programme", "target", *target).exit_code == 0
    district = "district,name,province,department\n060801,Jaen,Jaen,Cajamarca\n"
    named = _chaski(owner_url, "programme", "districts", "--csv", "-", said=district)
    assert named.output == "1 districts\n"

    assert _ask(owner_url, "select actor, action from audit.entry order by id") == [
        *(("ana", "target.set"), ("ana", "districts.named"))
    ]
