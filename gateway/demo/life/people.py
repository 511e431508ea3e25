"""Who the invented members are, and where they live. The same ones for the same seed."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

# INEI's UBIGEO codes. Of a thousand members, how many live there; of a hundred of them, how many in
# the country; and what a visit to the agency takes, there and back: invented.


@dataclass(frozen=True, slots=True)
class District:
    code: str
    name: str
    province: str
    department: str
    of_thousand: int
    rural_percent: int
    minutes: int
    centimos: int


DISTRICTS = (
    District("060801", "Jaen", "Jaen", "Cajamarca", 120, 35, 60, 6_00),
    District("060803", "Chontali", "Jaen", "Cajamarca", 55, 85, 300, 30_00),
    District("060805", "Huabal", "Jaen", "Cajamarca", 45, 90, 240, 24_00),
    District("060901", "San Ignacio", "San Ignacio", "Cajamarca", 110, 70, 210, 22_00),
    District("060902", "Chirinos", "San Ignacio", "Cajamarca", 60, 88, 270, 28_00),
    District("060904", "La Coipa", "San Ignacio", "Cajamarca", 55, 90, 330, 35_00),
    District("060906", "San Jose de Lourdes", "San Ignacio", "Cajamarca", 60, 92, 390, 40_00),
    District("060601", "Cutervo", "Cutervo", "Cajamarca", 45, 70, 300, 30_00),
    District("200101", "Piura", "Piura", "Piura", 70, 10, 40, 4_00),
    District("200201", "Ayabaca", "Ayabaca", "Piura", 60, 75, 360, 45_00),
    District("200205", "Montero", "Ayabaca", "Piura", 50, 90, 330, 38_00),
    District("200301", "Huancabamba", "Huancabamba", "Piura", 50, 75, 420, 50_00),
    District("200302", "Canchaque", "Huancabamba", "Piura", 35, 85, 300, 32_00),
    District("200401", "Chulucanas", "Morropon", "Piura", 35, 40, 120, 10_00),
    District("010701", "Bagua Grande", "Utcubamba", "Amazonas", 55, 60, 150, 15_00),
    District("010401", "Nieva", "Condorcanqui", "Amazonas", 20, 95, 480, 60_00),
    District("220801", "Rioja", "Rioja", "San Martin", 25, 60, 120, 12_00),
    District("220101", "Moyobamba", "Moyobamba", "San Martin", 30, 55, 90, 10_00),
    District("220501", "Lamas", "Lamas", "San Martin", 18, 80, 150, 16_00),
    # So few that nothing of them may be shown.
    District("010402", "El Cenepa", "Condorcanqui", "Amazonas", 1, 100, 600, 80_00),
    District("220601", "Juanjui", "Mariscal Caceres", "San Martin", 1, 70, 200, 25_00),
)

_WOMEN = (
    *("Rosa", "Maria", "Flor", "Juana", "Santos", "Elita", "Nelida", "Yolanda", "Dilma", "Esther"),
    *("Luz", "Norma", "Edita", "Marleny", "Hilda", "Aurora", "Clotilde", "Nancy", "Irma", "Zoila"),
)
_MEN = (
    *("Segundo", "Jose", "Elmer", "Wilmer", "Santiago", "Alindor", "Nestor", "Cesar", "Aladino"),
    *("Gilmer", "Lorenzo", "Teofilo", "Hernan", "Edilberto", "Arquimedes", "Walter", "Dionicio"),
)
_SURNAMES = (
    *("Quispe", "Chinchay", "Tantalean", "Huaman", "Neyra", "Rojas", "Ojeda", "Culquicondor"),
    *("Cruz", "Garcia", "Flores", "Peña", "Nuñez", "Carhuapoma", "Jimenez", "Labán", "Calle"),
    *(
        "Guerrero",
        "Santos",
        "Pintado",
        "Adrianzen",
        "Chuquihuanga",
        "Velasco",
        "Abad",
        "Yajahuanca",
    ),
    *("Wajush", "Shajián", "Tsamajain", "Sangama", "Tuanama", "Cachique", "Guevara", "Vasquez"),
)
# MCC and MNC of Claro, Movistar, Bitel and Entel, as often as they are met in the country.
_NETWORKS = (("71610", 45), ("71606", 28), ("71615", 20), ("71617", 7))


@dataclass(slots=True)
class Invented:
    """A member who does not exist. `since`: when they chose a PIN; None: never. `zeal`: sessions a
    day, on an average. `centimos` is what they have, as the story goes on."""

    ref: str
    msisdn: str
    dni: str
    first: str
    last: str
    born: dt.date
    district: District
    rural: bool
    language: str
    network: str
    since: dt.date | None
    zeal: float
    opening: int
    centimos: int
    borrower: bool
    friends: tuple[int, ...]

    @property
    def account(self) -> str:
        return f"500-{self.ref.removeprefix('s-')}"

    @property
    def short_name(self) -> str:
        return f"{self.first} {self.last[0]}."


def invent(dice: random.Random, number: int, of: int, first_day: dt.date, days: int) -> Invented:
    """The member of this number, of so many."""
    district = dice.choices(DISTRICTS, [d.of_thousand for d in DISTRICTS])[0]
    surnames = dice.sample(_SURNAMES, 2)
    opening = int(min(max(dice.lognormvariate(6.2, 1.1), 20), 9_000)) * 100
    came = dice.random()
    since = None if came > 0.82 else first_day - dt.timedelta(days=dice.randrange(1, 400))
    if 0.55 < came <= 0.82:  # the programme brings them, a few each day
        since = first_day + dt.timedelta(days=dice.randrange(days - 1))
    return Invented(
        ref=f"s-{number:04}",
        msisdn=f"+5190{number:07}",
        dni=f"6{number:07}",
        first=dice.choice(_WOMEN if dice.random() < 0.46 else _MEN),
        last=" ".join(surnames),
        born=dt.date(1950, 1, 1) + dt.timedelta(days=dice.randrange(55 * 365)),
        district=district,
        rural=dice.randrange(100) < district.rural_percent,
        language="en" if dice.random() < 0.01 else "es",
        network=dice.choices([n for n, _ in _NETWORKS], [w for _, w in _NETWORKS])[0],
        since=since,
        zeal=min(dice.paretovariate(1.3) * 0.09, 1.5),
        opening=opening,
        centimos=opening,
        borrower=dice.random() < 0.12,
        friends=tuple(dice.randrange(of) for _ in range(4)),
    )
