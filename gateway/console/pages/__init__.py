"""The pages, a module for each thing that staff look after."""

from __future__ import annotations

from gateway.console.access import View, Views
from gateway.console.at_hand import AtHand
from gateway.console.pages import (
    claims,
    doorway,
    home,
    live,
    members,
    messages,
    orders,
    people,
    programme,
    screens,
    trail,
    waiting,
)

_MODULES = (
    *(doorway, home, programme, members, waiting, orders, claims, messages, live, trail),
    *(people, screens),
)


def views_of(at_hand: AtHand) -> Views:
    """What is behind each door, by its name."""
    views: dict[str, View] = {}
    for module in _MODULES:
        views |= module.views(at_hand)
    return views
