"""Who holds a data folder, and what it tells those who come to look.

The lock says whether servers run in it, and opens by itself when its holder dies. The file of the
endpoints says how to reach them, and counts only while the lock is held.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
from io import TextIOWrapper
from pathlib import Path

from gateway.embedded.endpoints import Endpoints
from gateway.embedded.patience import came_true
from gateway.embedded.words import EmbeddedError

LOCK_MAX_S = 1  # a look at the lock by `running` holds it for an instant

_LOCK = "lock"
_ENDPOINTS = "endpoints.json"


def running(data: Path) -> Endpoints:
    """The endpoints of the demo that runs with this folder.

    Raises:
        EmbeddedError: none runs there, or it is still starting, or it belongs to someone else.
    """
    try:
        with (data / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(FileNotFoundError):  # it is not ready yet
            return Endpoints(**json.loads((data / _ENDPOINTS).read_text()))
    except PermissionError as error:
        raise EmbeddedError(f"--data {data} belongs to another account: {error}") from error
    except (FileNotFoundError, NotADirectoryError):
        pass
    raise EmbeddedError(f"no demo runs with --data {data}: start it with scripts/run --data {data}")


class DataFolder:
    """The folder that keeps everything: one process at a time holds it.

    Args:
        path: made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: TextIOWrapper | None = None

    @property
    def logs(self) -> Path:
        """The folder of the servers' logs."""
        return self.path / "logs"

    @property
    def held(self) -> bool:
        """Whether it is ours now."""
        return self._lock is not None

    def take(self) -> None:
        """Hold it, and take away what a holder that was killed has left to be read.

        Raises:
            EmbeddedError: another process holds it, or it cannot be used.
        """
        lock = self._opened()
        if not came_true(lambda: _locked(lock), LOCK_MAX_S):
            lock.close()
            taken = f"a demo already runs with --data {self.path}"
            raise EmbeddedError(f"{taken}: stop it, or give another --data")
        self._lock = lock
        self.withdraw()

    def publish(self, endpoints: Endpoints) -> None:
        """Let `running` find the endpoints."""
        _write_private(self.path / _ENDPOINTS, json.dumps(dataclasses.asdict(endpoints)))

    def withdraw(self) -> None:
        """Let `running` find nothing."""
        (self.path / _ENDPOINTS).unlink(missing_ok=True)

    def release(self) -> None:
        """Let another process hold it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _opened(self) -> TextIOWrapper:
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                # Root's servers run as another account, which must be able to pass through.
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.path = self.path.resolve()
            self.logs.mkdir(mode=0o700, exist_ok=True)
            return (self.path / _LOCK).open("a")
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            unusable = f"--data {self.path} cannot be used ({error}): give a folder of your own"
            raise EmbeddedError(unusable) from error


def _locked(lock: TextIOWrapper) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we may read; a reader never sees half of it."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
