"""The people of the tests: the demo's six members, and one whom nobody knows."""

from __future__ import annotations

from gateway.demo.cooperative import ELMER, FLOR, MARIA, PEOPLE, ROSA, SEGUNDO, WILMER, Person

STRANGER = "+51999999999"

BY_NAME = {person.called: person for person in PEOPLE}

__all__ = [
    "BY_NAME",
    "ELMER",
    "FLOR",
    "MARIA",
    "PEOPLE",
    "ROSA",
    "SEGUNDO",
    "STRANGER",
    "WILMER",
    "Person",
]
