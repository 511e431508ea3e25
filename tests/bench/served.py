"""The gateway as the bench serves it: as production does, but for two things.

Some members' PINs have a hash that costs next to nothing, so that what is left of a transfer can be
seen: they keep it, where production would hash it anew at the first right PIN.
A balance needs the PIN, whose hash costs more than all the rest of a hop together and is measured
apart. So where BENCH_WITHOUT_PIN says, the balance is shown without it, by menus that say so.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from flask import Flask

from gateway import bootstrap
from gateway.bank.bank import CATALOGUE
from gateway.bank.hashing import OWASP_2026, PepperedArgon2
from gateway.bootstrap import Parts
from gateway.menus import read_folder
from gateway.settings import DEMO_PEPPER

BALANCE = "accounts.balance"


def wsgi() -> Flask:
    """The application, for granian."""
    parts = Parts(hasher=KeepingHasher({1: bytes.fromhex(DEMO_PEPPER)}, OWASP_2026))
    if os.environ.get("BENCH_WITHOUT_PIN"):
        open_door = replace(CATALOGUE[BALANCE], needs_pin=False)
        parts = replace(parts, operations={**CATALOGUE, BALANCE: open_door})
    return bootstrap.wsgi(parts)


class KeepingHasher(PepperedArgon2):
    """Finds no hash too cheap."""

    def outdated(self, member_ref: str, hashed: str, pepper_version: int) -> bool:
        return False


def menus_without_pin(shipped: Path, folder: Path) -> Path:
    """A copy of the menus in which the balance is shown at once. Spanish alone: a catalogue would
    translate a sentence that is said no more."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in read_folder(shipped).texts.items():
        if not name.endswith(".yaml"):
            continue
        lines = text.splitlines(keepends=True)
        if name == "balance.yaml":
            lines = [line for line in lines if not line.startswith(("confirm:", "authorise:"))]
        (folder / name).write_text("".join(lines))
    return folder
