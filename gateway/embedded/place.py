"""Where the servers live: their folders, and how a program is run there."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.embedded.endpoints import POSTGRES_SOCKET
from gateway.embedded.guard import guard, handed_over
from gateway.embedded.leash import Account, leashed
from gateway.embedded.server import Server
from gateway.embedded.words import EmbeddedError, Say

SOCKET_PATH_BYTES_MAX = 103  # a unix address has room for 107 on Linux, 103 on macOS


@dataclass(frozen=True)
class Place:
    """Where the servers live, and whom they run as."""

    folder: Path
    sockets: Path
    logs: Path
    account: Account

    def run(
        self, command: Sequence[str | Path], typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as the servers' account. What it says is in the result."""
        return subprocess.run(  # noqa: S603
            leashed(command, signal.SIGKILL, self.account),
            input=typed,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=_plain_environment(),
            check=False,
        )

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        stop_signals: tuple[tuple[signal.Signals, float], ...],
        account: Account | None = None,
    ) -> Server:
        """Start a server in the sockets' folder, its words appended to a log of its name."""
        log = self.logs / f"{name.lower()}.log"
        with log.open("ab") as words:
            process = subprocess.Popen(  # noqa: S603
                leashed(command, stop_signals[0][0], account or self.account),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=self.sockets,
                env=_plain_environment(),
                start_new_session=True,  # Ctrl-C reaches us alone: we stop them in order
            )
        return Server(name, process, log, stop_signals)


def _plain_environment() -> dict[str, str]:
    """Ours, less what would change a PostgreSQL server or the language of its log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def settle(data: Path, logs: Path, say: Say) -> Place:
    """Choose where the servers live: in `data`, unless their account cannot go there."""
    place = _in(data / "servers", logs)
    note = data / "servers-are-elsewhere"  # written when they had to be
    if note.exists() or not _can_enter(place):
        if (place.folder / "postgres").exists():
            unreachable = (
                f"the servers' account (uid {place.account.uid}) cannot enter {place.folder}"
            )
            raise EmbeddedError(f"{unreachable} any more: open the way, or give another --data")
        shutil.rmtree(place.folder)
        place = _in(short_folder(data), logs)
        if not note.exists():  # what is there is of a `data` that was deleted since
            shutil.rmtree(place.folder)
            place = _in(place.folder, logs)
            note.write_text(f"{place.folder}\n")
        say(f"The servers run as `nobody`, which cannot enter {data}: it is all in {place.folder}")
    if len(os.fsencode(place.sockets / POSTGRES_SOCKET)) > SOCKET_PATH_BYTES_MAX:
        near = short_folder(data)
        guard(near, place.account.gid)
        place = dataclasses.replace(place, sockets=handed_over(near / "s", place.account))
    return place


def _in(folder: Path, logs: Path) -> Place:
    account = guard(folder)
    sockets = handed_over(folder / "s", account)
    return Place(folder, sockets, logs, account)


def short_folder(data: Path) -> Path:
    """A folder of `data`'s own under /var/tmp: short, and within reach of every account."""
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    # Who else may have made it there: see guard.
    return Path("/var/tmp", f"chaski-{os.geteuid()}-{name}")  # noqa: S108 # nosec B108


def _can_enter(place: Place) -> bool:
    if place.account.uid == os.geteuid():
        return True
    look = leashed(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", place.folder], signal.SIGKILL, place.account
    )
    return subprocess.run(look, cwd="/", stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603
