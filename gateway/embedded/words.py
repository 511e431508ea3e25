"""What a person gets to read: lines on the way, the error that ends it, the end of a log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

LOG_LINES_SHOWN = 12

Say = Callable[[str], None]


class EmbeddedError(Exception):
    """The private servers cannot be used. The message says why, and what to do."""


def last_words(log: Path) -> str:
    """The end of a log file, under a line that says which file it is."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join([f"The last lines of {log}:", *(f"    {line}" for line in lines)])
