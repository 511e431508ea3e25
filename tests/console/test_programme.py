"""The programme's dashboard: figures that plain SQL confirms, few people not shown, targets."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator

import psycopg
import pytest

from gateway.bounds import SMALL_GROUP_MEMBERS
from gateway.demo.life.writing import give_life
from gateway.programme.figures import hidden
from tests.cooperative import TODAY
from tests.house import Browser, House

PAGES = ("/programa", "/programa/uso", "/programa/costo")
# Rosa's own orders in the tests are none: all of it is the invented members'.
_MEMBERS = 300


@pytest.fixture
def lived(house: House, database_urls: tuple[str, str]) -> House:
    """The console of a demo with life."""
    give_life(database_urls[0], TODAY, _MEMBERS)
    return house


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        yield owner


def _csv(browser: Browser, name: str) -> list[dict[str, str]]:
    answer = browser.see(f"/programa/{name}.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_pages_are_there_before_anything_was_summed(house: House) -> None:
    """A new cooperative sees empty tables, not an error."""
    ana = house.signed_in("ana")
    for path in PAGES:
        assert "Todavía no se ha sumado nada" in ana.see(path).text


def test_every_page_has_its_figures_definitions_tables_and_csv(lived: House) -> None:
    """Under 200 kB, nothing inline, and in both languages."""
    ana = lived.signed_in("ana")
    for path in PAGES:
        page = ana.see(path)
        assert page.status_code == 200
        assert len(page.get_data()) < 200_000
        assert "Datos inventados" in page.text
        assert page.text.count("<table>") == page.text.count('class="download"')
        assert not re.search(r"\sstyle=|<style|<script|\son\w+=", page.text)
        for name in re.findall(r"/programa/([\w-]+)\.csv", page.text):
            assert _csv(ana, name), name
    ana.send("/idioma", language="en")
    for path in PAGES:
        shown = ana.see(path).text
        assert "Invented data" in shown
        assert "Bajar como" not in shown


def test_money_is_what_the_orders_say(
    lived: House, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Channel by channel, to the céntimo."""
    wanted = owner.execute(
        "select count(*), sum(amount_centimos) from instructions.instruction where state = 'posted'"
        " and (settled_at at time zone 'America/Lima')::date > %s",
        (TODAY - dt.timedelta(days=90),),
    ).fetchone()

    total = _csv(lived.signed_in("ana"), "operaciones")[-1]

    assert wanted is not None
    assert (int(total["Cuántas"]), round(float(total["Monto"]) * 100)) == wanted


def test_active_members_are_counted_from_the_orders(
    lived: House, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    counts = []
    for days in (30, 90):
        (count,) = owner.execute(
            "select count(distinct member_ref) from instructions.instruction"
            " where state = 'posted' and (settled_at at time zone 'America/Lima')::date > %s",
            (TODAY - dt.timedelta(days=days),),
        ).fetchone() or (0,)
        counts.append(str(count))

    last = _csv(lived.signed_in("ana"), "activos")[-1]

    assert last["Hasta el día"] == f"{TODAY:%d/%m/%Y}"
    assert [last["Activos, 30 días"], last["Activos, 90 días"]] == counts


def test_few_people_of_a_district_are_not_shown(
    lived: House, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Nor can they be found by subtraction: the six of the demo are in no district at all."""
    few = dict(
        owner.execute(
            "select district, count(*) from bank.member group by 1 having count(*) < %s",
            (SMALL_GROUP_MEMBERS,),
        ).fetchall()
    )
    rows = {row["Distrito"]: row for row in _csv(lived.signed_in("ana"), "distritos")}

    assert few, "the story has such districts"
    unseen = [row for row in rows.values() if row["En el padrón"].startswith("menos de 5")]
    assert len(unseen) >= max(len(few), 2)
    for row in unseen:
        assert not any(cell.isdigit() for cell in row.values())
    for name in (row["Distrito"] for row in unseen):
        travel = {r["Distrito"]: r for r in _csv(lived.signed_in("luis"), "viajes")}
        if name in travel:
            assert not travel[name]["Operaciones"].isdigit()


@pytest.mark.parametrize(
    ("counts", "unseen"),
    [
        ({}, set()),
        ({"a": 10, "b": 20}, set()),
        ({"a": 4, "b": 20, "c": 30}, {"a", "b"}),
        ({"a": 4, "b": 3, "c": 30}, {"a", "b"}),
        ({"a": 4}, {"a"}),
        ({"a": 1, "b": 1, "c": 30, "d": 40}, {"a", "b", "c"}),
        ({"a": 0, "b": 9}, set()),
    ],
)
def test_one_small_group_hides_a_second(counts: dict[str, int], unseen: set[str]) -> None:
    assert hidden(counts, 5) == unseen


@pytest.mark.parametrize("table", ["distritos", "viajes"])
def test_another_period_tells_no_more_of_few_people(
    lived: House, owner: psycopg.Connection[tuple[object, ...]], table: str
) -> None:
    """Of days before the register was first looked at nobody knows how many there were: how many
    were active decides."""
    few = {
        code
        for (code,) in owner.execute(
            "select district from bank.member where district <> '' group by 1 having count(*) < %s",
            (SMALL_GROUP_MEMBERS,),
        )
    }
    names = {
        f"{name} ({department})"
        for code, name, department in owner.execute(
            "select code, name, department from programme.district"
        )
        if code in few
    }
    ana = lived.signed_in("ana")

    for days in (1, 10, 30, 60):
        until = TODAY - dt.timedelta(days=days)
        shown = ana.see(f"/programa/{table}.csv?hasta={until}").get_data().decode("utf-8-sig")
        for row in csv.reader(io.StringIO(shown)):
            if row[0] in names:
                assert not any(cell.isdigit() for cell in row[1:5]), (until, row)


def test_of_days_before_the_register_was_looked_at_nothing_is_said(lived: House) -> None:
    """Nobody in it would be another thing."""
    ana = lived.signed_in("ana")

    shown = ana.see(f"/programa/padron.csv?hasta={TODAY - dt.timedelta(days=20)}")
    rows = list(csv.reader(io.StringIO(shown.get_data().decode("utf-8-sig"))))

    assert [row[1] for row in rows[1:3]] == ["", ""]
    assert int(rows[3][1]) > 0


def test_a_period_is_chosen_and_kept_on_the_way(lived: House) -> None:
    ana = lived.signed_in("ana")

    page = ana.see("/programa/uso?desde=2026-11-01&hasta=2026-11-10").text

    assert "01/11/2026-10/11/2026" in page
    assert "/programa/costo?desde=2026-11-01&amp;hasta=2026-11-10" in page


@pytest.mark.parametrize(
    "period",
    [
        "desde=never",
        "hasta=2026-13-01",
        "desde=2026-12-01&hasta=2026-11-01",
        "desde=2000-01-01&hasta=2026-11-01",
        "hasta=0001-01-01",
        "desde=9999-12-30&hasta=9999-12-31",
    ],
)
def test_a_period_that_is_none_is_said_to_be_none(house: House, period: str) -> None:
    assert house.signed_in("ana").see(f"/programa?{period}").status_code == 400


def test_an_administrator_sets_targets_and_nobody_else(house: House) -> None:
    """Each is written down; a share is typed in percent; the distance stands beside it."""
    carmen = house.signed_in("carmen")
    assert "Poner o quitar una meta" in carmen.see("/programa").text
    for indicator, value in (("enrolled", "10"), ("rural_share", "62,5")):
        sent = carmen.send("/programa/metas", indicator=indicator, due_on="2027-06-30", value=value)
        assert sent.status_code == 303
    house.cooperative.clock.pass_time(minutes=2)
    house.cooperative.deliver()

    rows = {row["Indicador"]: row for row in _csv(carmen, "metas")}

    # Five of the six have a PIN.
    assert [rows["Socios con PIN"][name] for name in ("Meta", "Hoy", "Falta")] == ["10", "5", "5"]
    assert rows["Activos que viven en el campo"]["Meta"] == "62.5"
    assert rows["Activos que viven en el campo"]["Hoy"] == "", "nothing is known yet"
    carmen.see("/programa")
    dropped = carmen.send("/programa/metas/quitar", indicator="enrolled", due_on="2027-06-30")
    assert dropped.status_code == 303
    assert len(_csv(carmen, "metas")) == 1
    acts = [action for action, _ in house.deeds("carmen")]
    assert [act for act in acts if act.startswith("target.")] == [
        *("target.set", "target.set", "target.dropped")
    ]
    ana = house.signed_in("ana")
    assert "Poner o quitar una meta" not in ana.see("/programa").text
    assert ana.send("/programa/metas", indicator="enrolled").status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"indicator": "nonsense", "due_on": "2027-06-30", "value": "1"},
        {"indicator": "enrolled", "due_on": "", "value": "1"},
        {"indicator": "enrolled", "due_on": "tomorrow", "value": "1"},
        {"indicator": "enrolled", "due_on": "2027-06-30", "value": "many"},
        {"indicator": "enrolled", "due_on": "2027-06-30", "value": "-1"},
        {"indicator": "enrolled", "due_on": "2027-06-30", "value": "9" * 400},
        {"indicator": "rural_share", "due_on": "2027-06-30", "value": "100.1"},
        {"indicator": "rural_share", "due_on": "2027-06-30", "value": "nan"},
        {"indicator": "rural_share", "due_on": "2027-06-30", "value": "1e999"},
    ],
)
def test_a_target_that_is_none_is_refused(house: House, fields: dict[str, str]) -> None:
    carmen = house.signed_in("carmen")
    carmen.see("/programa")
    assert carmen.send("/programa/metas", **fields).status_code == 400


def test_a_target_that_is_gone_cannot_be_taken_back(house: House) -> None:
    carmen = house.signed_in("carmen")
    carmen.see("/programa")
    gone = carmen.send("/programa/metas/quitar", indicator="enrolled", due_on="2027-06-30")
    assert gone.status_code == 404


def test_a_table_that_is_not_there(house: House) -> None:
    assert house.signed_in("ana").see("/programa/nada.csv").status_code == 404


def test_staff_may_call_of_the_programme_what_its_grants_name(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    """They read sums and set targets; events, the register and tariffs are the owner's, and the
    gateway may append and sum, and set nothing."""
    may = (
        "select p.proname from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname = %s and has_function_privilege(%s, p.oid, 'execute') order by 1"
    )

    def callable_by(role: str, schema: str) -> set[object]:
        return {name for (name,) in owner.execute(may, (schema, role))}

    assert callable_by("chaski_staff", "events") == set()
    assert callable_by("chaski_staff", "programme") == {
        *("assumptions", "costs", "course", "members", "orders", "requests", "sessions", "steps"),
        *("summed_until", "targets", "travel_avoided", "set_target", "drop_target"),
    }
    assert callable_by("chaski_app", "events") == {"append", "forget"}
    assert callable_by("chaski_app", "programme") == {
        *("is_due", "note_due", "sum_next", "count_next", "forget_days"),
    }
