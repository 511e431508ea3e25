"""The measure is repeatable, alike for both gateways, and its plain menu is no straw man."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cooperative import Clock, Screen
from tests.people import ROSA, SEGUNDO
from tests.simulation.plain_menu import Customer, PlainMenu
from tests.simulation.plot import Chart, Line, Point
from tests.simulation.radio import (
    BY_DIAL,
    BY_MENU,
    PLAIN,
    Cell,
    End,
    Estimate,
    Mail,
    Member,
    News,
    Phone,
    Radio,
    RadioError,
    Village,
    Wish,
    answer_to,
    as_json,
    chart,
    main,
    measure,
    news,
    table,
    village_of,
)

HOUSE = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
PIN = str(ROSA.pin)
WISH = Wish(SEGUNDO.msisdn[3:], 50, PIN)


@pytest.fixture
def village(database_urls: tuple[str, str], redis_urls: tuple[str, str]) -> Iterator[Village]:
    """Few people, so that they are there soon."""
    with village_of(database_urls, redis_urls, senders=4) as village:
        yield village


def parsed(svg: str) -> ET.Element:
    """As XML, or the test fails."""
    return ET.fromstring(svg)  # noqa: S314 - our own


# ---- The measure --------------------------------------------------------------------------------


def test_on_a_perfect_radio_everybody_succeeds_with_one_dial(village: Village) -> None:
    cells = measure(village, members=6, seed=1, hop_losses=(0.0,), repeated=0.0)

    assert [cell.way for cell in cells] == [PLAIN, BY_MENU, BY_DIAL]
    for cell in cells:
        assert cell.ends == {End.SUCCEEDED: 6}
        assert cell.dials == Estimate(1.0, 0.0)


def test_where_nothing_arrives_everybody_gives_up_and_nobody_is_unsure(village: Village) -> None:
    for cell in measure(village, members=2, seed=1, hop_losses=(1.0,)):
        assert cell.ends == {End.GAVE_UP: 2}


def test_a_bad_radio_lets_the_plain_menu_send_twice_and_chaski_never(village: Village) -> None:
    plain, by_menu, by_dial = measure(village, members=40, seed=21, hop_losses=(0.3,))

    assert plain.ends[End.TWICE] >= 2
    for chaski in (by_menu, by_dial):
        assert set(chaski.ends) <= {End.SUCCEEDED, End.UNSURE, End.GAVE_UP}
        assert chaski.ends[End.SUCCEEDED] > plain.ends[End.SUCCEEDED]


def test_an_aggregator_that_repeats_everything_moves_chaskis_money_once(village: Village) -> None:
    plain, by_menu, by_dial = measure(village, members=3, seed=1, hop_losses=(0.0,), repeated=1.0)

    assert plain.ends == {End.TWICE: 3}
    assert by_menu.ends == by_dial.ends == {End.SUCCEEDED: 3}


def test_the_same_seed_gives_the_same_table_and_another_one_does_not(village: Village) -> None:
    first, again, other = (
        table(measure(village, members=10, seed=seed, hop_losses=(0.2,))) for seed in (7, 7, 8)
    )

    assert first == again != other


def test_the_command_prints_the_table_and_draws_it(tmp_path: Path) -> None:
    plot = tmp_path / "radio.svg"
    command = [sys.executable, "-m", "tests.simulation.radio", "--members", "1"]
    run = subprocess.run(
        [*command, "--plot", str(plot)], cwd=HOUSE, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].startswith("| hop loss | gateway | succeed within 5 min | dials |")
    losses = [line.split("|")[1].strip() for line in lines[2:]]
    assert losses == [loss for loss in ("1 %", "2 %", "5 %", "10 %", "20 %") for _ in range(3)]
    assert run.stderr.startswith("radio: starting")
    assert parsed(plot.read_text()).tag == f"{SVG}svg"


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--members=0", "a number from 1 to 100000"),
        ("--members=-1", "a number from 1 to 100000"),
        ("--members=many", "a number from 1 to 100000"),
        ("--members=1000000", "a number from 1 to 100000"),
        ("--plot=/nowhere/radio.svg", "there is no folder /nowhere"),
    ],
)
def test_the_command_refuses_at_once_what_it_cannot_do(
    option: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([option])
    assert why in capsys.readouterr().err


# ---- What a member reads ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("Hola Rosa\n1. Saldo\n2. Enviar dinero", News.NOTHING),
        ("Enviar S/ 50.00 a Segundo C.\nSin costo\nMarca tu PIN:", News.NOTHING),
        ("Tu pedido de enviar S/ 50.00 a Segundo C. NO se hizo.\n1. Saldo", News.NOT_DONE),
        ("Quedo sin terminar:\n1. Seguir: enviar a Segundo C.", News.NOT_DONE),
        ("En proceso. Te llega un SMS con el resultado.", News.UNDER_WAY),
        ("Hace poco pediste enviar S/ 50.00 a Segundo C.\n¿Otra vez?\n1. Si", News.DONE),
        ("Tu pedido de S/ 50.00 SI se hizo. Op. 100009\n1. Saldo", News.DONE),
        ("Listo: enviaste S/ 50.00 a Segundo C.\nOp. 100009", News.DONE),
    ],
)
def test_a_member_reads_what_became_of_her_order(text: str, tells: News) -> None:
    assert news(text, WISH) is tells


@pytest.mark.parametrize(
    "text",
    [
        "Tu pedido de enviar S/ 5.00 a Segundo C. SI se hizo. Op. 100009",
        "Enviar S/ 150.00 a Segundo C.\nSin costo\nMarca tu PIN:",
    ],
)
def test_a_screen_about_another_order_ends_the_run(text: str) -> None:
    with pytest.raises(RadioError, match="another order"):
        news(text, WISH)


@pytest.mark.parametrize(
    ("text", "pressed"),
    [
        ("No te entendimos", ""),
        ("Tu pedido de S/ 50.00 NO se hizo.\n1. Saldo\n2. Enviar dinero", "2"),
        ("Quedo sin terminar:\n1. Seguir: enviar a Segundo C.\n2. Inicio", "1"),
        ("¿A quien? Celular o elige:\n1. Maria S.", SEGUNDO.msisdn[3:]),
        ("¿Cuanto a Segundo C.? Ejemplo: 50 o 50.50", "50"),
        ("Enviar S/ 50.00 a Segundo C.\nSin costo\nMarca tu PIN:", PIN),
        ("Un texto largo\n9 Mas", "9"),
    ],
)
def test_a_member_presses_what_the_screen_asks_for(text: str, pressed: str) -> None:
    assert answer_to(text, WISH) == pressed


# ---- The network --------------------------------------------------------------------------------


class Luck(random.Random):
    """Luck as a test wants it: these draws first, and then everything arrives."""

    def __init__(self, *draws: float) -> None:
        super().__init__()
        self._draws = [*draws]

    def random(self) -> float:
        return self._draws.pop(0) if self._draws else 0.999


class Ear:
    """A menu that hears, and says one thing."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hop(self, form: Mapping[str, str]) -> str:
        self.heard.append(form["text"])
        return "CON Hola"

    def sent_centimos(self, msisdn: str) -> int:
        return 0


@pytest.mark.parametrize(
    ("draws", "seen", "heard"),
    [
        pytest.param((0.09, 0.9), None, 0, id="lost on the way up"),
        pytest.param((0.11, 0.9), None, 1, id="lost on the way down"),
        pytest.param((0.21, 0.9), Screen("Hola", ends=False), 1, id="arrives"),
        pytest.param((0.21, 0.0), Screen("Hola", ends=False), 2, id="arrives, and is repeated"),
        pytest.param((0.11, 0.0), None, 2, id="repeated, and lost on the way down"),
    ],
)
def test_the_radio_loses_half_on_the_way_up_and_half_on_the_way_down(
    draws: tuple[float, float], seen: Screen | None, heard: int
) -> None:
    ear = Ear()
    phone = Phone(ROSA.msisdn, ear, Radio(0.2), Luck(*draws), Clock(), name="s")

    assert phone.dial() == seen
    assert len(ear.heard) == heard


@pytest.mark.parametrize(
    ("draws", "after_s"),
    [
        pytest.param((0.09, 0.0, 0.0), None, id="lost"),
        pytest.param((0.11, 0.0, 0.0), 65, id="late"),
        pytest.param((0.9, 0.0, 0.0), 5, id="soonest"),
        pytest.param((0.9, 1.0, 0.0), 30, id="latest"),
    ],
)
def test_an_sms_may_be_late_or_never_come(
    draws: tuple[float, float, float], after_s: int | None
) -> None:
    clock = Clock()
    mail = Mail(clock)
    mail.watch(ROSA.msisdn, Radio(0.2), Luck(*draws))
    mail.post(ROSA.msisdn, "Enviaste S/ 50.00")
    mail.post(SEGUNDO.msisdn, "Recibiste S/ 50.00")

    came = [
        seconds
        for seconds in range(400)
        if mail.arrived(clock.now() + dt.timedelta(seconds=seconds))
    ]
    assert came[:1] == ([] if after_s is None else [after_s])


# ---- The plain menu, no straw man ---------------------------------------------------------------

PEOPLE = {
    person.msisdn[3:]: Customer(person.msisdn, person.called, person.short_name, str(person.pin))
    for person in (ROSA, SEGUNDO)
}
FIFTY = (SEGUNDO.msisdn, 50_00)
ARRIVES = (0.9, 0.9)
LOST_DOWN = (0.15, 0.9)


def hop(menu: PlainMenu, text: str, session: str = "s1") -> str:
    return menu.hop({"sessionId": session, "phoneNumber": ROSA.msisdn, "text": text})


def test_the_plain_menu_asks_what_chaski_asks() -> None:
    receipts: list[tuple[str, str]] = []
    menu = PlainMenu(PEOPLE, lambda msisdn, text: receipts.append((msisdn, text)))
    phone = SEGUNDO.msisdn[3:]
    texts = ("", "2", f"2*{phone}", f"2*{phone}*50", f"2*{phone}*50*{PIN}")
    screens = [hop(menu, text) for text in texts]

    asked = [answer_to(screen, WISH) for screen in screens]
    assert asked == ["2", phone, "50", PIN, ""]
    assert screens[-1] == "END Listo: enviaste S/ 50.00 a Segundo C.\nOp. 1"
    assert menu.postings[ROSA.msisdn] == {FIFTY: 1}
    assert receipts == [(ROSA.msisdn, "Enviaste S/ 50.00 a Segundo C., op. 1.")]


def test_the_plain_menu_bears_repeats_before_the_pin_and_none_after() -> None:
    menu = PlainMenu(PEOPLE, lambda msisdn, text: None)
    order = f"2*{SEGUNDO.msisdn[3:]}*50"
    hop(menu, "")

    assert hop(menu, order) == hop(menu, order)
    hop(menu, f"{order}*{PIN}")
    hop(menu, f"{order}*{PIN}")
    assert menu.postings[ROSA.msisdn] == {FIFTY: 2}


@pytest.mark.parametrize(
    "text", ["7", "2*912345678", "2*987000002*0", "2*987000002*mil", "2*987000002*50*0000"]
)
def test_the_plain_menu_refuses_bad_answers_and_moves_nothing(text: str) -> None:
    menu = PlainMenu(PEOPLE, lambda msisdn, text: None)
    hop(menu, "")

    assert hop(menu, text).startswith("END ")
    assert not menu.postings[ROSA.msisdn]


def test_the_plain_menu_drops_what_is_dialled_behind_the_code() -> None:
    menu = PlainMenu(PEOPLE, lambda msisdn, text: None)
    dialled = f"2*{SEGUNDO.msisdn[3:]}*50"

    assert hop(menu, dialled).startswith("CON Hola Rosa")
    assert hop(menu, f"{dialled}*2").startswith("CON ¿A quien?")


@pytest.mark.parametrize(
    ("sms", "dials", "times"),
    [
        pytest.param((0.9, 0.0, 0.0), 1, 1, id="the receipt comes first"),
        pytest.param((0.05, 0.0, 0.0), 2, 2, id="no receipt comes"),
    ],
)
def test_after_a_lost_answer_a_member_sends_again_unless_a_receipt_tells_her(
    sms: tuple[float, float, float], dials: int, times: int
) -> None:
    clock = Clock()
    mail = Mail(clock)
    mail.watch(ROSA.msisdn, Radio(0.2), Luck(*sms))
    menu = PlainMenu(PEOPLE, mail.post)
    luck = Luck(*ARRIVES * 4, *LOST_DOWN)
    phone = Phone(ROSA.msisdn, menu, Radio(0.2), luck, clock, name="s")
    rosa = Member(WISH, phone, mail, pace=1.0, dials_it_all=False)
    rosa.send_money()

    assert rosa.told
    assert not rosa.doubt
    assert phone.dials == dials
    assert menu.postings[ROSA.msisdn] == {FIFTY: times}


def test_a_member_has_five_minutes_and_no_more() -> None:
    clock = Clock()
    mail = Mail(clock)
    phone = Phone(ROSA.msisdn, Ear(), Radio(1.0), Luck(*[0.1] * 200), clock, name="s")
    began = clock.now()
    Member(WISH, phone, mail, pace=1.0, dials_it_all=False).send_money()

    # 8 s to dial, 1 s until it is lost, 10 s to notice: 16 dials begin within 300 s.
    assert phone.dials == 16
    assert 300 <= (clock.now() - began).total_seconds() < 320


# ---- What it says -------------------------------------------------------------------------------


def some_cells() -> list[Cell]:
    return [
        Cell(loss, way, 100, {End.SUCCEEDED: 100 - lost, End.UNSURE: lost}, Estimate(1.25, 0.05))
        for loss in (0.01, 0.2)
        for way, lost in ((PLAIN, 10), (BY_MENU, 1), (BY_DIAL, 0))
    ]


def test_the_table_gives_every_figure_its_standard_error() -> None:
    head, _, first, *others = table(some_cells()).splitlines()

    assert head == "| hop loss | gateway | succeed within 5 min | dials | sent twice | unsure |"
    assert first == (
        "| 1 % | plain menu | 90.0 ± 3.0 % | 1.25 ± 0.05 | 0.0 ± 0.0 % | 10.0 ± 3.0 % |"
    )
    assert len(others) == 5


def test_json_says_null_where_nobody_succeeded() -> None:
    nobody = Cell(0.2, PLAIN, 4, {End.GAVE_UP: 4}, Estimate(math.nan, math.nan))
    (cell,) = json.loads(as_json([nobody], seed=3))["cells"]

    assert cell["dials"] == {"value": None, "error": None}
    assert cell["gave_up"] == {"value": 1.0, "error": 0.0}
    assert cell["succeeded"]["value"] == cell["twice"]["value"] == cell["misled"]["value"] == 0


def test_the_plot_is_an_svg_that_can_be_listened_to() -> None:
    svg = parsed(chart(some_cells()))

    title, described, paper = list(svg)[:3]
    assert title.tag == f"{SVG}title"
    assert described.tag == f"{SVG}desc"
    assert "plain menu: 90.0 % at 1 %, 90.0 % at 20 %" in str(described.text)
    assert svg.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert paper.get("fill") == "#ffffff"
    drawn = [line.get("points", "").split() for line in svg.iter(f"{SVG}polyline")]
    assert [len(points) for points in drawn] == [2, 2, 2]
    heights = [float(points[0].split(",")[1]) for points in drawn]
    assert heights == sorted(heights, reverse=True)  # the plain menu is the lowest


def test_a_plot_of_perfect_figures_is_no_magnifying_glass() -> None:
    svg = parsed(Chart("t", "d", "x", "y", (Line("one", (Point(1, 100, 0),)),)).svg())
    words = {text.text for text in svg.iter(f"{SVG}text")}

    assert {"90", "100", "y (the axis begins at 90)"} <= words


def test_the_names_at_the_lines_ends_never_touch() -> None:
    alike = tuple(Line(name, (Point(20, 99.5, 0.1),)) for name in ("one", "two", "three"))
    svg = parsed(Chart("t", "d", "x", "y", alike).svg())
    places = {text.text: float(text.get("y", "nan")) for text in svg.iter(f"{SVG}text")}

    one, two, three = sorted(places[line.name] for line in alike)
    assert two - one >= 15
    assert three - two >= 15


@pytest.mark.parametrize(
    "lines", [(), (Line("empty", ()),), (Line("many", (Point(1, 99, 0),)),) * 4]
)
def test_a_chart_needs_lines_that_can_be_told_apart(lines: tuple[Line, ...]) -> None:
    with pytest.raises(ValueError, match="a chart has one to 3 lines"):
        Chart("t", "d", "x", "y", lines)
