"""Whatever is typed, sent or stuck onto an address: a page that says what to do, never a fault."""

from __future__ import annotations

from gateway.console.access import DOORS, Door, Needs
from gateway.console.app import MOUNTED_AT
from gateway.signin.register import Role
from tests.console.test_access import WHO
from tests.house import Browser, House
from tests.people import ROSA

ASKED = ("antes", "quien", "socio", "que", "numero", "estado", "desde", "hasta", "motivo")
TYPED = (
    *("login", "role", "who", "dni", "born", "new", "reason", "claim", "how", "id", "indicator"),
    *("due_on", "value", "language", "old", "password", "again", "code"),
)
GARBAGE = (
    *("", "\0", "0", "-1", "1" * 18, "9" * 19, "9" * 5_000, "٣", "1e9", "nan", "inf", "x" * 9_000),
    *("'; drop table bank.member --", "<script>alert(1)</script>", "%s%(x)s{{7*7}}", "%", "\\"),
    *("0001-01-01", "9999-12-31", "2026-02-30", "20261123", "2026-W48-1", "\ud7ff\U0010ffff"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "K", "ñandú\n\r\t"),
)
NUMBERS = ("0", "7", "9" * 18, "9" * 19, "9" * 5_000)
NAMES = ("activos", "m-none", "%27", "%00", "..%2f..", "%ff%fe", "x" * 3_000, "%ed%a0%80")
KEYS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")


def test_garbage_is_answered_and_never_a_fault(house: House) -> None:
    """At every door, in every field and every place of its address."""
    inside = {role: house.signed_in(WHO[role]) for role in (Role.SUPERVISOR, Role.ADMINISTRATOR)}
    faults: list[str] = []

    for door in DOORS:
        if door.needs is not Needs.ALL:
            continue
        browser = next(browser for role, browser in inside.items() if role in door.who)
        usual, *odd = _paths(door)
        asked = [*((usual, one) for one in GARBAGE), *((path, "7") for path in odd)]
        for path, one in asked:
            status = _ask(browser, door, path, one)
            if status >= 500:
                faults.append(f"{door.name} {path[:60]} {one[:30]!r}: {status}")
    assert not faults


def _paths(door: Door) -> list[str]:
    """A usual address, and those with something odd in the same place."""
    places = {"<int:number>": NUMBERS, "<uuid:key>": KEYS, "<name>": NAMES}
    places |= {"<ref>": (ROSA.ref, *NAMES), "<login>": ("ana", *NAMES)}
    for place, odd in places.items():
        if place in door.path:
            return [door.path.replace(place, one) for one in odd]
    return [door.path]


def _ask(browser: Browser, door: Door, path: str, one: str) -> int:
    if door.method == "POST":
        return browser.send(path, **dict.fromkeys(TYPED, one)).status_code
    return browser.client.get(MOUNTED_AT + path, query_string=dict.fromkeys(ASKED, one)).status_code
