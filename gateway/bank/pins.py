"""Is it the member who is typing? Three guesses, however many sessions they come from."""

from __future__ import annotations

import datetime as dt
import math

from gateway.bank.hashing import PinHasher
from gateway.bounds import PIN_LOCK_S, PIN_LOCKS_MAX, PIN_TRIES
from gateway.db.pool import Database, Row
from gateway.values.outcome import Refused
from gateway.values.pin import Pin

# What the PIN is refused with, before the operation is asked at all.
REFUSALS = frozenset({"no_pin", "wrong_pin", "pin_locked", "pin_blocked", "frozen"})

_CLAIM = "select * from bank.claim_pin_attempt(%s, %s, %s, %s, %s, %s, %s)"
_SETTLE = "select bank.settle_pin_attempt(%s, %s)"
_REHASH = "select bank.rehash_pin(%s, %s, %s, %s)"


class Pins:
    """Verifies PINs. An attempt is counted in PostgreSQL before its hash is computed."""

    def __init__(self, database: Database, hasher: PinHasher) -> None:
        self._database = database
        self._hasher = hasher

    def verify(
        self, member_ref: str, pin: Pin, hop: str, key: str | None, now: dt.datetime
    ) -> Refused | None:
        """None where the PIN is right, else what to tell the member.

        Args:
            member_ref: whose PIN it should be.
            pin: what was typed.
            hop: names the hop that brought it; all copies of a hop are one attempt.
            key: of the order that it authorises, if it does: a copy of the hop that has come to
                mean another order authorises nothing.
            now: for the lock.
        """
        lock = dt.timedelta(seconds=PIN_LOCK_S)
        params = (member_ref, hop, key, now, PIN_TRIES, lock, PIN_LOCKS_MAX)
        claim = self._database.row(_CLAIM, params)
        match claim["verdict"], claim["right_pin"]:
            case ("none", _):
                return Refused("no_pin")
            case ("frozen", _):
                return Refused("frozen")
            case ("locked" | "blocked", _):
                return _locked(claim, now)
            case ("again", True):
                return None
            case ("again", False):
                return _wrong(claim, now)
        sealed, version = claim["hash"], claim["pepper_version"]
        right = self._hasher.verify(member_ref, pin, sealed, version)
        self._database.call(_SETTLE, (hop, right))
        if not right:
            return _wrong(claim, now)
        if self._hasher.outdated(member_ref, sealed, version):
            self._database.call(_REHASH, (member_ref, sealed, *self._hasher.hash(member_ref, pin)))
        return None


def _wrong(claim: Row, now: dt.datetime) -> Refused:
    if claim["tries_left"] > 0:
        return Refused("wrong_pin", {"tries_left": claim["tries_left"]})
    return _locked(claim, now)


def _locked(claim: Row, now: dt.datetime) -> Refused:
    if claim["blocked"]:
        return Refused("pin_blocked")
    until = claim["locked_until"] or now
    return Refused("pin_locked", {"minutes": max(math.ceil((until - now).total_seconds() / 60), 1)})
