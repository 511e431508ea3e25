"""The process of a storm's Fineract, as the house and the auditor see it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from gateway.embedded import EmbeddedError, leashed
from gateway.ledger.fineract.marks import described
from gateway.ledger.fineract.standin.app import PREFIX
from tests.chaos.core import READY
from tests.chaos.verdict import Movement

_ANSWER_S = 10
_STOP_S = 5


class CoreProcess:
    """Nobody kills it: it is not ours.

    Args:
        port: where it listens, on 127.0.0.1.
        phones, seed: of the storm, for its members and its moods.
    """

    def __init__(self, port: int, phones: int, seed: int) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self.url = self._root + PREFIX
        self._command = leashed(
            [sys.executable, "-m", "tests.chaos.core", str(port), str(phones), str(seed)],
            signal.SIGTERM,
        )
        self._process: subprocess.Popen[str] | None = None

    def start(self, log: Path) -> None:
        """It serves when this returns. `log` takes what it says when it breaks."""
        with log.open("ab") as words:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != READY:
            raise EmbeddedError(f"the core does not come up: see {log}")

    def calm(self) -> None:
        """From now on it is well."""
        self.tell("calm")

    def tell(self, words: str) -> None:
        """`calm`, `slow MS`, `away` or `back`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """End it. May be repeated."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        finally:
            self._process.kill()
            self._process.communicate()  # and its pipes are closed
            self._process = None

    def savings(self) -> int:
        """The sum of all savings now, centimos."""
        return int(self._ledger()["savings_centimos"])

    def faults(self) -> int:
        """How many commands met one."""
        met: dict[str, int] = self._ledger()["met"]
        return sum(times for name, times in met.items() if name != "none")

    def descriptions(self) -> list[str]:
        """Of every transfer, in the order in which they were made."""
        return [str(one["description"]) for one in self._ledger()["transfers"]]

    def movements(self) -> list[Movement]:
        """Everything that moved, by its own books."""
        return [_movement(one) for one in self._ledger()["transfers"] if not one["reversed"]]

    def _ledger(self) -> dict[str, Any]:
        answer = requests.get(f"{self._root}/_ledger", timeout=_ANSWER_S)
        answer.raise_for_status()
        books: dict[str, Any] = answer.json()
        return books


def _movement(row: dict[str, Any]) -> Movement:
    ours = described(row["description"])
    return Movement(
        reference=ours[0] if ours else row["description"],
        sender_ref=row["from"],
        receiver_ref="" if row["to_loan"] else row["to"],
        centimos=int(row["centimos"]),
        at=row["at_ms"] / 1000,
    )
