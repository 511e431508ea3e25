"""A folder for private servers, and the processes that work in it."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes show in /proc")


@contextlib.contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder that every account may pass, for root's servers to live in it: pytest's are shut."""
    folder = Path(tempfile.mkdtemp(prefix="chaski-test-")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def works_below(folder: Path) -> dict[int, str]:
    """The processes whose working directory is in the folder: their numbers and commands."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or is someone else's
            if (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_text()
    return found


def still_at_work(folder: Path, patience_s: float) -> dict[int, str]:
    """The same, of those that have not ended within some seconds."""
    deadline = time.monotonic() + patience_s
    while (processes := works_below(folder)) and time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
            _await_end(next(iter(processes)), deadline - time.monotonic())
    return processes


def _await_end(pid: int, patience_s: float) -> None:
    process = os.pidfd_open(pid)
    try:
        select.select([process], [], [], max(patience_s, 0))
    finally:
        os.close(process)
