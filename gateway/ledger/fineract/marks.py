"""By what an order is known in Fineract: its keys, and the mark that finds it again."""

from __future__ import annotations

import hashlib
import re
import uuid

# Without I, L, O and U: it is read aloud over a bad line.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_CHARS = 8  # a million million: a person tells two of a day apart by it
_DESCRIPTION = re.compile(
    r"(?P<reference>[0-9A-Z]{8}) [0-9a-f]{32} (?P<what>send|own|pay)"
    r"(?:: (?P<source>.+) > (?P<target>.+))?"
)


_MARK = re.compile(r"([0-9A-Z]{8}) ([0-9a-f]{32})(?: |$)")


def attempt_key(key: uuid.UUID, attempt: int) -> str:
    """The idempotency key of an order's attempt: at most 50 characters, and nobody else's ever."""
    return f"{key.hex}-{attempt}"


def reference(key: uuid.UUID) -> str:
    """What a member reads aloud, and staff search for."""
    number = int.from_bytes(hashlib.sha256(key.bytes).digest()[:8], "big")
    letters = ""
    for _ in range(_REFERENCE_CHARS):
        number, letter = divmod(number, len(_LETTERS))
        letters += _LETTERS[letter]
    return letters


def mark(key: uuid.UUID) -> str:
    """What begins a transfer's description, or is a receipt's number: 41 characters of 50."""
    return f"{reference(key)} {key.hex}"


def description(key: uuid.UUID, what: str, source: str = "", target: str = "") -> str:
    """A transfer's description: the mark, then who to whom in short names, for the statement."""
    said = f"{mark(key)} {what}"
    return f"{said}: {source} > {target}" if source and target else said


def key_of(text: str) -> uuid.UUID | None:
    """The key of the order whose mark a text begins with; None where it is no mark of ours.

    One that was mistyped has a reference that does not fit.
    """
    found = _MARK.match(text)
    key = uuid.UUID(hex=found[2]) if found else None
    return key if found and key and reference(key) == found[1] else None


def described(text: str) -> tuple[str, str, str, str] | None:
    """Reference, what, source and target of a description of ours; None of another."""
    found = _DESCRIPTION.fullmatch(text)
    if found is None:
        return None
    return found["reference"], found["what"], found["source"] or "", found["target"] or ""
