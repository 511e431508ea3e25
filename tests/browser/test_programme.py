"""The programme's dashboard in a real browser: what stands there is what plain SQL says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from gateway.demo.life.writing import give_life
from tests.browser.conftest import SMARTPHONE, overflow_px, serious_faults
from tests.browser.test_console import _enter
from tests.cooperative import TODAY, listening
from tests.house import House

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = ("/programa", "/programa/uso", "/programa/costo")
_MEMBERS = 200


@pytest.fixture
def url(house: House, database_urls: tuple[str, str]) -> Iterator[str]:
    """Where the gateway of a demo with life listens."""
    give_life(database_urls[0], TODAY, _MEMBERS)
    with listening(house.app) as url:
        yield url


def _number(text: str) -> int:
    return int(re.sub(r"[^0-9]", "", text))


def test_figures_are_what_plain_sql_says(
    page: Page, url: str, house: House, database_urls: tuple[str, str]
) -> None:
    """Active members, and the money that was moved, of the days that are chosen."""
    since = TODAY - dt.timedelta(days=29)
    with psycopg.connect(database_urls[0]) as owner:
        count, moved, active = owner.execute(
            "select count(*), sum(amount_centimos), count(distinct member_ref)"
            " from instructions.instruction where state = 'posted'"
            " and (settled_at at time zone 'America/Lima')::date >= %s",
            (since,),
        ).fetchone() or (0, 0, 0)
    _enter(page, url, house, "jorge")

    page.get_by_role("navigation").get_by_role("link", name="Programa").click()
    last = page.locator("#activos tbody tr").last.locator("td")
    assert _number(last.nth(0).inner_text()) == active
    page.get_by_role("link", name="Cómo se usa").click()
    page.get_by_label("Desde el día").fill(since.isoformat())
    page.get_by_role("button", name="Mostrar").click()
    page.get_by_text(f"{since:%d/%m/%Y}-{TODAY:%d/%m/%Y}").first.wait_for()
    total = page.locator("#operaciones tfoot td")

    assert _number(total.nth(2).inner_text()) == count
    assert _number(total.nth(3).inner_text()) == moved


def test_every_chart_has_its_table_and_nobody_is_kept_out(
    page: Page, url: str, house: House
) -> None:
    """axe finds nothing serious; the browser refuses nothing that the page has; it says what it is
    and fits a smartphone."""
    _enter(page, url, house, "carmen")
    for path in PAGES:
        page.goto(f"{url}/console{path}")
        page.get_by_text("Datos inventados", exact=True).wait_for()
        charts, figures = page.locator("svg.chart"), page.locator("section.figure")
        assert charts.count() > 0
        assert figures.locator("table").count() >= charts.count()
        assert charts.evaluate_all(
            "all => all.every(one => one.getBoundingClientRect().width > 99)"
        )
        assert serious_faults(page) == [], path
    page.set_viewport_size(SMARTPHONE)
    for path in PAGES:
        page.goto(f"{url}/console{path}")
        assert overflow_px(page) <= 0, path


def test_a_table_is_brought_home_as_csv(page: Page, url: str, house: House) -> None:
    _enter(page, url, house, "ana")
    page.goto(f"{url}/console/programa/costo")

    with page.expect_download() as coming:
        page.get_by_role("link", name="Bajar como CSV: Viajes evitados").click()

    assert coming.value.suggested_filename.startswith("viajes-")
    lines = coming.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Distrito,Operaciones,Monto")
    assert lines[-1].startswith("Todos,")
