"""Another pepper, and nobody has to act."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gateway.bank.hashing import CHEAPEST_FOR_TESTS, OWASP_2026, PepperedArgon2, UnknownPepperError
from gateway.bank.pins import Pins
from gateway.bank.rotation import pins_by_pepper, rotate
from gateway.db.pool import Database
from gateway.values.pin import Pin
from tests.cooperative import MORNING, Cooperative
from tests.people import PEOPLE, ROSA, SEGUNDO

OLD, NEW = bytes(32), b"n" * 32
BOTH = PepperedArgon2({1: OLD, 2: NEW}, CHEAPEST_FOR_TESTS)
NEW_ALONE = PepperedArgon2({2: NEW}, CHEAPEST_FOR_TESTS)
ENROLLED = [person for person in PEOPLE if person.pin]


@pytest.fixture
def owner(cooperative: Cooperative) -> Iterator[Database]:
    """The owner's way into the database."""
    url = cooperative.settings.database_url.get_secret_value()
    with Database(url.replace("chaski_app", "chaski_owner"), 2) as database:
        database.open()
        yield database


def test_a_pepper_that_is_still_needed_is_named_and_nothing_is_lost(owner: Database) -> None:
    """Who dropped it too early puts it back."""
    with pytest.raises(UnknownPepperError, match="pepper 1 is not among CHASKI_PIN_PEPPERS"):
        list(rotate(owner, NEW_ALONE))

    assert pins_by_pepper(owner) == [{"pepper_version": 1, "pins": len(ENROLLED)}]


def test_a_row_that_its_pepper_does_not_open_stays_and_the_others_do_not(owner: Database) -> None:
    """Somebody wrote Segundo's hash into Rosa's row."""
    owner.call(
        "update bank.pin_credential set hash = (select hash from bank.pin_credential "
        "where member_ref = %s) where member_ref = %s returning 1",
        (SEGUNDO.ref, ROSA.ref),
    )

    assert sum(rotate(owner, BOTH)) == len(ENROLLED) - 1

    assert pins_by_pepper(owner) == [
        {"pepper_version": 1, "pins": 1},
        {"pepper_version": 2, "pins": len(ENROLLED) - 1},
    ]


def test_after_a_rotation_every_pin_is_right_without_the_old_pepper(
    owner: Database, cooperative: Cooperative
) -> None:
    """And a second run finds nothing to do."""
    assert sum(rotate(owner, BOTH)) == len(ENROLLED)
    assert sum(rotate(owner, BOTH)) == 0

    pins = Pins(cooperative.database, NEW_ALONE)
    for person in ENROLLED:
        assert pins.verify(person.ref, Pin(person.pin or ""), person.ref, None, MORNING) is None


def test_members_sign_in_while_peppers_are_rotated(
    owner: Database, cooperative: Cooperative
) -> None:
    """A row is under one pepper or the other, and both are known."""
    pins, over, wrong = Pins(cooperative.database, BOTH), threading.Event(), []

    def sign_in() -> None:
        number = 0
        while not over.is_set() or not number:
            number += 1
            if pins.verify(ROSA.ref, Pin("4826"), f"hop-{number}", None, MORNING) is not None:
                wrong.append(number)

    member = threading.Thread(target=sign_in)
    member.start()
    try:
        for _ in range(20):
            owner.call("update bank.pin_credential set hash = hash returning 1")
            sum(rotate(owner, BOTH))
    finally:
        over.set()
        member.join()
    assert wrong == []


def test_a_pin_that_is_changed_meanwhile_is_not_undone(owner: Database) -> None:
    """The rotation changes a row only as it has read it."""
    fresh, version = BOTH.hash(ROSA.ref, Pin("5938"))
    stale = owner.row("select hash from bank.pin_credential where member_ref = %s", (ROSA.ref,))
    owner.call(
        "update bank.pin_credential set hash = %s, pepper_version = %s where member_ref = %s "
        "returning 1",
        (fresh, version, ROSA.ref),
    )

    owner.call("select bank.seal_pin(%s, %s, 'older', 2)", (ROSA.ref, stale["hash"]))

    now = owner.row("select hash from bank.pin_credential where member_ref = %s", (ROSA.ref,))
    assert now["hash"] == fresh


def test_the_table_alone_is_noise() -> None:
    """Without the pepper there is no argon2id hash to begin guessing with."""
    sealed, _ = BOTH.hash(ROSA.ref, Pin("4826"))
    assert "argon2" not in sealed
    assert not PepperedArgon2({2: b"x" * 32}, CHEAPEST_FOR_TESTS).verify(
        ROSA.ref, Pin("4826"), sealed, 2
    )


def test_a_right_pin_is_hashed_anew_when_a_hash_costs_more_than_it_did(
    cooperative: Cooperative, owner: Database
) -> None:
    """Nobody notices; a wrong one changes nothing."""
    dearer = PepperedArgon2({1: OLD}, OWASP_2026)
    pins = Pins(cooperative.database, dearer)

    def stored() -> str:
        row = owner.row("select hash from bank.pin_credential where member_ref = %s", (ROSA.ref,))
        return str(row["hash"])

    before = stored()
    pins.verify(ROSA.ref, Pin("0000"), "wrong", None, MORNING)
    assert stored() == before
    assert dearer.outdated(ROSA.ref, before, 1)

    assert pins.verify(ROSA.ref, Pin("4826"), "right", None, MORNING) is None

    assert not dearer.outdated(ROSA.ref, stored(), 1)
    assert dearer.verify(ROSA.ref, Pin("4826"), stored(), 1)
