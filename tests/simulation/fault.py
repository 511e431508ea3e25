"""What is planted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the code is wrong.

    Args:
        name: what is wrong, in short.
        file: where.
        old: what stands there, exactly once.
        new: what is put in its place.
        why: what somebody thought who wrote it like this.
        core: over which core it is looked for: see `scripts/simulate --core`.
    """

    name: str
    file: str
    old: str
    new: str
    why: str
    core: str = "any"
