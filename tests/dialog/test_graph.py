"""The picture of a book: Mermaid text letter by letter, a drawing in which nothing overlaps."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gateway.dialog.book import Book
from gateway.dialog.graph import mermaid, picture, svg
from gateway.dialog.reader import read_book
from gateway.menus import load_book

SHIPPED = load_book(Path(__file__).parents[2] / "menus")
SMALL = read_book(
    {
        "home.yaml": """
menu: home
say: "Hola \\"{member.first_name}\\""
options:
  1: {label: Enviar, go: send, only_when: member.active}
  2: {label: Mas, go: more}
""",
        "more.yaml": """
menu: more
data: loans.status
say: Mas <cosas>
options:
  1: {label: Enviar, go: send}
  2: {label: Inicio, go: home}
  3: {label: Nada, go: nowhere}
""",
        "send.yaml": """
journey: send
slots:
  amount: {type: money, ask: "¿Cuanto?", only_when: how is part}
quote: transfers.quote
confirm: "Enviar {amount}.\\nPIN:"
authorise: pin
do: transfers.send
done: Listo
refused:
  over_limit: {say: Mucho, ask: amount}
  again: {say: "¿Otra vez?", again: yes}
  closed: No
""",
        "alone.yaml": "journey: alone\ndo: members.greet\ndone: Hola\n",
    },
    {},
)

MERMAID = """\
flowchart LR
    menu_home["home<br/>Hola #quot;{member.first_name}#quot;"]
    menu_more["more<br/>Mas #lt;cosas#gt;<br/>reads loans.status"]
    journey_alone(["alone"])
    operation_alone__do[["members.greet"]]
    journey_send(["send"])
    slot_send__amount[/"amount: money (if how is part)<br/>¿Cuanto?"/]
    operation_send__quote[["transfers.quote<br/>before the PIN"]]
    confirm_send__confirm{{"confirm, PIN<br/>Enviar {amount}.<br/>PIN:"}}
    operation_send__do[["transfers.send<br/>no: again (yes goes on)<br/>no: closed"]]
    menu_home -->|"1. Enviar (if member.active)"| journey_send
    menu_home -->|"2. Mas"| menu_more
    menu_more -->|"1. Enviar"| journey_send
    menu_more -->|"2. Inicio"| menu_home
    journey_alone --> operation_alone__do
    journey_send --> slot_send__amount
    slot_send__amount --> operation_send__quote
    operation_send__quote --> confirm_send__confirm
    confirm_send__confirm --> operation_send__do
    operation_send__do -.->|"no: over_limit"| slot_send__amount
"""


def test_mermaid_says_what_leads_where() -> None:
    """Letter by letter, so that a change of it is seen; an option to nowhere has no arrow."""
    assert mermaid(SMALL) == MERMAID


@pytest.mark.parametrize("book", [SMALL, SHIPPED], ids=["small", "shipped"])
def test_no_two_boxes_of_the_drawing_overlap(book: Book) -> None:
    """Nor does one leave the sheet. There is a box for each box of the picture."""
    sheet = ET.fromstring(svg(book))  # noqa: S314 - our own
    boxes = [rect for rect in sheet.findall(".//{*}rect") if rect.get("class") != "sheet"]
    sides = [[float(box.get(key, "")) for key in ("x", "y", "width", "height")] for box in boxes]
    width, height = float(sheet.get("width", "")), float(sheet.get("height", ""))

    assert len(boxes) == len(picture(book).boxes)
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in sides)
    for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(sides, 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay


def test_the_drawing_says_in_words_what_it_cannot_draw() -> None:
    """An arrow back would cross boxes; a sign of XML would end the drawing."""
    texts = [text.text for text in ET.fromstring(svg(SMALL)).findall(".//{*}text")]  # noqa: S314

    assert "2. Inicio ↩ home" in texts
    assert any("over_limit ↩" in (text or "") for text in texts)
    assert "Mas <cosas>" in texts


def test_every_menu_journey_slot_and_operation_of_the_shipped_menus_is_in_the_picture() -> None:
    """A picture that leaves something out is believed all the same."""
    keys = set(picture(SHIPPED).boxes)
    slots = {f"{name}/{slot.name}" for name, one in SHIPPED.journeys.items() for slot in one.slots}

    assert keys >= set(SHIPPED.menus) | set(SHIPPED.journeys) | slots
    assert {journey.do for journey in SHIPPED.journeys.values()} <= {
        box.lines[0] for box in picture(SHIPPED).boxes.values()
    }
