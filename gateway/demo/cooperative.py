"""The demo cooperative: six members, the same every time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Savings:
    """An account and what is in it, in céntimos."""

    code: str
    name: str
    centimos: int


@dataclass(frozen=True, slots=True)
class Person:
    """A member. `pin` is None for who has not enrolled; everybody may know the others: it is a
    demo. `reads_by_sms`: they wished to be told their balance by SMS, without the PIN."""

    ref: str
    first_names: str
    last_names: str
    short_name: str
    dni: str
    msisdn: str
    pin: str | None
    born: dt.date
    savings: tuple[Savings, ...]
    language: str = "es"
    reads_by_sms: bool = False

    @property
    def called(self) -> str:
        """What we call them."""
        return self.first_names.split()[0]


ROSA = Person(
    ref="m-0001",
    first_names="Rosa",
    last_names="Quispe Huamán",
    short_name="Rosa Q.",
    dni="40000001",
    msisdn="+51987000001",
    pin="4826",
    born=dt.date(1979, 8, 30),
    savings=(Savings("100-0001", "Ahorro", 1_250_50),),
    reads_by_sms=True,
)
SEGUNDO = Person(
    ref="m-0002",
    first_names="Segundo",
    last_names="Chinchay Neyra",
    short_name="Segundo C.",
    dni="40000002",
    msisdn="+51987000002",
    pin="7391",
    born=dt.date(1986, 3, 12),
    savings=(Savings("100-0002", "Ahorro", 310_00),),
    reads_by_sms=True,
)
ELMER = Person(
    ref="m-0003",
    first_names="Elmer",
    last_names="Tantalean Rojas",
    short_name="Elmer T.",
    dni="40000003",
    msisdn="+51987000003",
    pin="5164",
    born=dt.date(1971, 11, 2),
    savings=(
        Savings("100-0003", "Ahorro", 80_00),
        Savings("100-0013", "Ahorro cosecha", 2_000_00),
    ),
)
MARIA = Person(
    ref="m-0004",
    first_names="María",
    last_names="Shajián Wajush",
    short_name="María S.",
    dni="40000004",
    msisdn="+51987000004",
    pin="6037",
    born=dt.date(1993, 5, 24),
    savings=(Savings("100-0004", "Ahorro", 0),),
)
FLOR = Person(
    ref="m-0005",
    first_names="Flor",
    last_names="Nuñez Peña",
    short_name="Flor N.",
    dni="40000005",
    msisdn="+51987000005",
    pin="9248",
    born=dt.date(1968, 1, 9),
    savings=(Savings("100-0005", "Ahorro", 15_000_00),),
    language="en",
    reads_by_sms=True,
)
WILMER = Person(
    ref="m-0006",
    first_names="Wilmer",
    last_names="Ojeda Culquicóndor",
    short_name="Wilmer O.",
    dni="40000006",
    msisdn="+51987000006",
    pin=None,
    born=dt.date(1990, 7, 17),
    savings=(Savings("100-0006", "Ahorro", 500_00),),
)

PEOPLE = (ROSA, SEGUNDO, ELMER, MARIA, FLOR, WILMER)
