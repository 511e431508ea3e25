"""One server that runs: waiting until it serves, and stopping it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.embedded.patience import came_true
from gateway.embedded.words import EmbeddedError, last_words

START_MAX_S = 60  # crash recovery after a kill -9 included; an ordinary start takes half a second


@dataclass(frozen=True)
class Server:
    """A server that runs: how to stop it, and where it tells its troubles."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signals: tuple[tuple[signal.Signals, float], ...]  # each with its patience in seconds

    def stop(self) -> None:
        """Stop it politely, then less so. Returns when the process is gone."""
        for number, patience_s in self.stop_signals:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
                return
        self.process.kill()
        self.process.wait()

    def await_ready(self, ready: Callable[[], bool]) -> None:
        """Wait until it serves; stop it when that does not come to be.

        Raises:
            EmbeddedError: it ended, or takes longer than START_MAX_S.
        """
        try:
            in_time = came_true(lambda: ready() or self._ended(), START_MAX_S)
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        if self._ended():
            raise EmbeddedError(f"{self.name} did not start.\n{last_words(self.log)}")
        if not in_time:
            late = f"{self.name} was not ready after {START_MAX_S} s.\n{last_words(self.log)}"
            self.stop()
            raise EmbeddedError(late)

    def _ended(self) -> bool:
        return self.process.poll() is not None
