"""A process that ends when the thread that started it ends, and runs as another account."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Runs between us and a server, because a process can only ask for a signal at its parent's death
# after it has become who it will be. Then it is the server: the process id stays. The imports come
# first: who it becomes may not be able to read this Python's library.
_LEASH = """
import ctypes, os, sys
parent, uid, gid, last_signal, *command = sys.argv[1:]
if int(uid) != os.geteuid():
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(last_signal), 0, 0, 0)
if os.getppid() != int(parent):
    sys.exit("the parent is gone")
try:
    os.execv(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]} cannot be run: {error}")
"""


@dataclass(frozen=True)
class Account:
    """Whom a server runs as."""

    uid: int
    gid: int


def ourselves() -> Account:
    """The account of this process."""
    return Account(os.geteuid(), os.getegid())


def leashed(
    command: Sequence[str | Path], last_signal: signal.Signals, account: Account | None = None
) -> list[str]:
    """The command, made to get `last_signal` when the thread that starts it ends (on Linux).

    Args:
        command: an absolute path, and arguments.
        account: whom to run it as; only root may name another than itself.
    """
    run_as = account or ourselves()
    numbers = (os.getpid(), run_as.uid, run_as.gid, int(last_signal))
    launcher = [sys.executable, "-I", "-S", "-c", _LEASH]
    return [*launcher, *map(str, numbers), *map(str, command)]
