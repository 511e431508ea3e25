"""From a folder to the shelf: read, proven, put in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.bank.operations import Operation
from gateway.library.shelf import Shelf
from gateway.menus import Pages, prove, read_folder

_NOTHING = Pages({})


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing came to.

    Args:
        digest: the book that is in force now.
        new: false where it was in force before; then nothing was written.
        changes: each file that differs from the book before, and what became of it: `added`,
            `removed` or `changed`.
    """

    digest: str
    new: bool
    changes: tuple[tuple[str, str], ...]


def publish_folder(
    shelf: Shelf, folder: Path, operations: Mapping[str, Operation], by: str
) -> Published:
    """Put a folder's book in force: within `RELOAD_EVERY_S` every new session begins with it.

    Args:
        shelf: signed in as the owner.
        operations: what the bank can do, by name.
        by: who does it, for those who look later.

    Raises:
        FaultyBookError: with every fault; the book before goes on.
        DatabaseUnavailableError: it is not known now; publish again to be sure.
        psycopg.errors.InsufficientPrivilege: signed in as the application.
    """
    pages = read_folder(folder)
    prove(pages, operations)
    current = shelf.current()
    before = (shelf.pages(current) if current else None) or _NOTHING
    new = shelf.publish(pages, by)
    return Published(pages.digest, new, tuple(pages.changes(before)))
