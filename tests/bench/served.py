"""The gateway as the bench serves it: as production does, but for one thing.

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
from gateway.bootstrap import Parts
from gateway.menus import read_folder

BALANCE = "accounts.balance"


def wsgi() -> Flask:
    """The application, for granian."""
    if not os.environ.get("BENCH_WITHOUT_PIN"):
        return bootstrap.wsgi()
    open_door = replace(CATALOGUE[BALANCE], needs_pin=False)
    return bootstrap.wsgi(Parts(operations={**CATALOGUE, BALANCE: open_door}))


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
