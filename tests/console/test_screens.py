"""Which screens a member saw: their names, in their order, and that somebody looked."""

from __future__ import annotations

from tests.house import House
from tests.people import ROSA, SEGUNDO

PAGE = f"/socios/{ROSA.ref}/pantallas"


def test_what_rosa_saw_is_told_by_name_and_nothing_of_what_stood_there(house: House) -> None:
    """Her amount was not understood at first; her payee, her PIN and her balance are not there."""
    phone = house.cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "abc", "20")
    assert "Listo" in phone.press(str(ROSA.pin)).text
    house.cooperative.clock.pass_time(seconds=5)
    ana = house.signed_in("ana")

    page = ana.see(PAGE).text

    told = ("home/menu", "send/payee", "send/amount", "send/confirm", "transfers.send", "send/over")
    places = [page.index(f"<code>{screen}</code>") for screen in told]
    assert places == sorted(places)
    assert "no se entendió lo marcado" in page
    for kept_out in (str(ROSA.pin), SEGUNDO.msisdn.removeprefix("+51"), "Segundo", "S/", "abc"):
        assert kept_out not in page
    assert house.deeds("ana")[-1] == ("screens.viewed", ROSA.ref)


def test_another_members_screens_are_not_hers(house: House) -> None:
    phone = house.cooperative.phone(SEGUNDO.msisdn)
    phone.dial("1")
    house.cooperative.clock.pass_time(seconds=5)
    ana = house.signed_in("ana")

    assert "Ninguna sesión en estos días." in ana.see(PAGE).text
    assert "Ninguna sesión" not in ana.see(f"/socios/{SEGUNDO.ref}/pantallas").text
    assert ana.see("/socios/nobody/pantallas").status_code == 404


def test_after_three_days_nobody_looks_any_more(house: House) -> None:
    house.cooperative.phone(ROSA.msisdn).dial()
    house.cooperative.clock.pass_time(days=3)
    ana = house.signed_in("ana")

    assert "Ninguna sesión en estos días." in ana.see(PAGE).text
