"""Figures of several web processes on one page."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.observing import SHARED_FIGURES

_OURS = "chaski-figures-"


@contextmanager
def shared_figures(processes: int) -> Iterator[None]:
    """Have that many processes keep their counters in one folder, for as long as they serve.

    The folder has to be known before the library is imported, and it is by now: so the command is
    begun once more, in the same process, with it.
    """
    if processes == 1:
        yield
        return
    if SHARED_FIGURES not in os.environ:
        os.environ[SHARED_FIGURES] = tempfile.mkdtemp(prefix=_OURS)
        again = [sys.executable, "-m", "gateway.cli", *sys.argv[1:]]
        os.execv(sys.executable, again)  # noqa: S606 # nosec B606
    folder = Path(os.environ[SHARED_FIGURES])
    yield
    if folder.name.startswith(_OURS):  # an operator's own is theirs
        shutil.rmtree(folder, ignore_errors=True)
