"""Members whose short memory is on a cluster, and whose node dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.embedded.patience import came_true
from gateway.sessions.connecting import connect_sessions
from tests.cluster.nodes import Node, Nodes, six_nodes
from tests.cooperative import Cooperative, Handset, Screen, founded
from tests.people import ROSA, SEGUNDO

HEALED_MAX_S = 60  # a node is held to be dead after one: beyond this it does not heal


@pytest.fixture
def mortal(embedded_data: Path) -> Iterator[Nodes]:
    """A cluster of which a node may be killed."""
    folder = embedded_data / "mortal"
    folder.mkdir()
    with six_nodes(folder) as nodes:
        yield nodes


@pytest.fixture
def clustered(
    database_urls: tuple[str, str], redis_urls: tuple[str, str], mortal: Nodes
) -> Iterator[Cooperative]:
    """The demo cooperative, its sessions on a cluster."""
    with founded(database_urls, (mortal.url, redis_urls[1])) as cooperative:
        yield cooperative


def holding_a_session(nodes: Nodes) -> Node:
    """The primary that has the only session there is."""
    (node,) = [node for node in nodes.primaries() if node.ask("KEYS", "*:session:*")]
    return node


def redialled(phone: Handset, served: Callable[[Screen], bool]) -> Screen:
    """The member dials again until they are served."""
    seen: list[Screen] = []

    def dial() -> bool:
        seen.append(phone.dial())
        return served(seen[-1])

    assert came_true(dial, HEALED_MAX_S), seen[-1]
    return seen[-1]


def test_a_primary_that_dies_under_a_money_order_moves_it_once(
    clustered: Cooperative, mortal: Nodes
) -> None:
    """Until a replica takes over a member gets an apology, and never a fault. The PIN that reached
    nobody moved nothing; the next dial sends the money, and sends it once."""
    phone = clustered.phone(ROSA.msisdn)
    phone.dial()
    assert "PIN" in phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50").text
    before = clustered.balances(ROSA.ref)
    mortal.kill(holding_a_session(mortal))

    said = phone.press(ROSA.pin or "")

    assert said.ends
    assert "Tu dinero esta seguro" in said.text
    assert clustered.balances(ROSA.ref) == before
    home = redialled(phone, lambda screen: "Tu dinero esta seguro" not in screen.text)
    kept = "Seguir" in home.text  # the replica had the draft, or the copy was late
    way = ["1"] if kept else ["2", SEGUNDO.msisdn.removeprefix("+51"), "50"]
    assert "Listo" in phone.press(*way, ROSA.pin or "").text
    savings = ROSA.savings[0].code
    assert clustered.balances(ROSA.ref)[savings] == before[savings] - 50_00
    assert clustered.books_are_right()
    assert clustered.gateway.checks["sessions"]()


def test_a_named_node_may_be_dead_when_the_gateway_starts(cluster: Nodes) -> None:
    """Nobody has to start anything in an order."""
    away = connect_sessions("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    with_a_dead_one = connect_sessions(cluster.url.replace("://", "://127.0.0.1:1,"))

    assert not away.ping()
    assert with_a_dead_one.ping()
    with_a_dead_one.close()
