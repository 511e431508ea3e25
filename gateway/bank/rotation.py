"""Another pepper for PINs that nobody has to type."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.bank.hashing import PepperedArgon2
from gateway.bounds import ROTATE_ROWS
from gateway.db.pool import Database, Row

_NEXT = "select * from bank.pins_to_seal(%s, %s, %s)"
_SEAL = "select bank.seal_pin(%s, %s, %s, %s)"


def rotate(database: Database, hasher: PepperedArgon2) -> Iterator[int]:
    """Seal each hash by the hasher's highest pepper, a batch at a time: how many there were.

    Each row is changed only if it is as it was read: a PIN that is changed meanwhile is under the
    highest pepper already. What is done stays done: to go on after an interruption, begin again.
    A row that its pepper does not open is left as it is.

    Args:
        database: signed in as the owner of the schemas.

    Raises:
        UnknownPepperError: a row is under a pepper that the hasher does not have.
    """
    after = ""
    while rows := database.call(_NEXT, (hasher.current, after, ROTATE_ROWS)):
        sealed = 0
        for row in rows:
            ref, old = row["member_ref"], row["hash"]
            new = hasher.sealed_anew(ref, old, row["pepper_version"])
            if new is not None:
                database.call(_SEAL, (ref, old, new, hasher.current))
                sealed += 1
        after = rows[-1]["member_ref"]
        yield sealed


def pins_by_pepper(database: Database) -> list[Row]:
    """How many hashes each pepper seals."""
    return database.call("select * from bank.pins_by_pepper()")
