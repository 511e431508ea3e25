"""Three guesses, however they come."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.bank.hashing import CHEAPEST_FOR_TESTS, PepperedArgon2
from gateway.bank.pins import Pins
from gateway.bounds import PIN_LOCK_S
from gateway.values.outcome import Refused
from gateway.values.pin import Pin
from tests.cooperative import HASHER, MORNING, Cooperative
from tests.people import ELMER, ROSA, WILMER

LATER = MORNING + dt.timedelta(seconds=PIN_LOCK_S)


@pytest.fixture
def pins(cooperative: Cooperative) -> Pins:
    """The verifier of the demo cooperative."""
    return Pins(cooperative.database, HASHER)


def test_thirty_two_sessions_at_once_get_three_guesses(
    pins: Pins, cooperative: Cooperative
) -> None:
    """The attempt is counted before its hash is computed."""
    barrier = threading.Barrier(32)
    counted = CountingHasher()
    guessing = Pins(cooperative.database, counted)

    def guess(number: int) -> Refused | None:
        barrier.wait()
        return guessing.verify(ELMER.ref, Pin(f"{number:04}"), f"hop-{number}", None, MORNING)

    with ThreadPoolExecutor(32) as pool:
        verdicts = list(pool.map(guess, range(32)))

    assert counted.verified == 3
    assert sorted(v.code for v in verdicts if v)[:30] == ["pin_locked"] * 30
    assert pins.verify(ELMER.ref, Pin("5164"), "right", None, MORNING) == Refused(
        "pin_locked", {"minutes": 15}
    )


class CountingHasher(PepperedArgon2):
    """Counts how many PINs it was asked about."""

    def __init__(self) -> None:
        super().__init__({1: bytes(32)}, CHEAPEST_FOR_TESTS)
        self.verified = 0
        self._count = threading.Lock()

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        with self._count:
            self.verified += 1
        return super().verify(member_ref, pin, hashed, pepper_version)


def test_a_repeated_hop_costs_one_guess(pins: Pins) -> None:
    """The network sent it again: it is the same attempt, with the same end."""
    for _ in range(5):
        assert pins.verify(ROSA.ref, Pin("0000"), "hop", None, MORNING) == Refused(
            "wrong_pin", {"tries_left": 2}
        )

    assert pins.verify(ROSA.ref, Pin("4826"), "next", None, MORNING) is None
    assert pins.verify(ROSA.ref, Pin("4826"), "next", None, MORNING) is None


def test_a_right_pin_gives_all_guesses_back(pins: Pins) -> None:
    """Two wrong ones are forgotten."""
    for number in range(2):
        pins.verify(ROSA.ref, Pin("0000"), f"wrong-{number}", None, MORNING)
    assert pins.verify(ROSA.ref, Pin("4826"), "right", None, MORNING) is None

    assert pins.verify(ROSA.ref, Pin("0000"), "wrong", None, MORNING) == Refused(
        "wrong_pin", {"tries_left": 2}
    )


def test_the_third_guess_may_still_be_right(pins: Pins) -> None:
    """It locks while it is being verified, and opens again."""
    for number in range(2):
        pins.verify(ROSA.ref, Pin("0000"), f"wrong-{number}", None, MORNING)

    assert pins.verify(ROSA.ref, Pin("4826"), "right", None, MORNING) is None
    assert pins.verify(ROSA.ref, Pin("4826"), "right again", None, MORNING) is None


def test_a_lock_runs_out_and_then_there_are_three_guesses(pins: Pins) -> None:
    """Fifteen minutes, not a second less."""
    for number in range(3):
        pins.verify(ELMER.ref, Pin("0000"), f"wrong-{number}", None, MORNING)
    almost = LATER - dt.timedelta(seconds=1)

    assert pins.verify(ELMER.ref, Pin("5164"), "early", None, almost) == Refused(
        "pin_locked", {"minutes": 1}
    )
    assert pins.verify(ELMER.ref, Pin("0000"), "late", None, LATER) == Refused(
        "wrong_pin", {"tries_left": 2}
    )
    assert pins.verify(ELMER.ref, Pin("5164"), "right", None, LATER) is None


def test_a_pin_authorises_the_order_that_it_was_typed_for_and_no_other(pins: Pins) -> None:
    """A late copy of its hop may find another order on the confirm screen."""
    assert pins.verify(ROSA.ref, Pin("4826"), "hop", "key-1", MORNING) is None
    assert pins.verify(ROSA.ref, Pin("4826"), "hop", "key-1", MORNING) is None

    assert pins.verify(ROSA.ref, Pin("4826"), "hop", "key-2", MORNING) == Refused("no_pin")


def test_who_has_no_pin_is_not_let_in(pins: Pins) -> None:
    """Wilmer has not enrolled."""
    assert pins.verify(WILMER.ref, Pin("0000"), "hop", None, MORNING) == Refused("no_pin")


def test_one_members_lock_is_not_anothers(pins: Pins) -> None:
    """Nobody can lock out a cooperative."""
    for number in range(3):
        pins.verify(ELMER.ref, Pin("0000"), f"wrong-{number}", None, MORNING)

    assert pins.verify(ROSA.ref, Pin("4826"), "hop", None, MORNING) is None


def test_a_hash_opens_nothing_in_another_members_row_or_without_its_pepper() -> None:
    """Whoever can write to the table still cannot put their own PIN into Rosa's row."""
    hashed, version = HASHER.hash(ROSA.ref, Pin("4826"))

    assert HASHER.verify(ROSA.ref, Pin("4826"), hashed, version)
    assert not HASHER.verify(ELMER.ref, Pin("4826"), hashed, version)
    other = PepperedArgon2({1: b"another pepper of at least 32 bytes"}, CHEAPEST_FOR_TESTS)
    assert not other.verify(ROSA.ref, Pin("4826"), hashed, version)


def test_an_old_pepper_still_verifies_while_new_pins_take_the_new_one() -> None:
    """Rotation needs no member to act."""
    hashed, version = HASHER.hash(ROSA.ref, Pin("4826"))
    rotated = PepperedArgon2({1: bytes(32), 2: b"2" * 32}, CHEAPEST_FOR_TESTS)

    assert rotated.verify(ROSA.ref, Pin("4826"), hashed, version)
    assert rotated.hash(ROSA.ref, Pin("4826"))[1] == 2


@pytest.mark.parametrize("peppers", [{}, {1: b"short"}, {1: bytes(32), 2: b""}])
def test_a_pepper_that_is_no_key_is_refused(peppers: dict[int, bytes]) -> None:
    """An empty variable must not become an empty key."""
    with pytest.raises(ValueError, match="32 bytes"):
        PepperedArgon2(peppers, CHEAPEST_FOR_TESTS)
