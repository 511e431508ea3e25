"""The private PostgreSQL: made once, started, and ended when an earlier run left it behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from gateway.embedded.binaries import find_postgres
from gateway.embedded.endpoints import APPLICATION, DATABASE, OWNER
from gateway.embedded.guard import handed_over
from gateway.embedded.patience import came_true
from gateway.embedded.place import Place
from gateway.embedded.server import Server
from gateway.embedded.words import EmbeddedError, Say

STOP_MAX_S = 20

# Small, because it shares a laptop. Durability is as it comes: on.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # our statements are short
}


def start_postgres(place: Place, say: Say, bigger: Mapping[str, str] | None = None) -> Server:
    """Start it, with its database made the first time, and wait until it serves.

    Args:
        place: where it lives.
        say: takes a line for a person.
        bigger: settings of its own, for who measures it.

    Raises:
        EmbeddedError: no PostgreSQL can be run here, or it does not start.
    """
    programs, major = find_postgres(place, say)
    data = place.folder / "postgres"
    if data.exists():
        _end_earlier(data, say)
    else:
        _make_database(place, programs, major, say)
    # Commas part several folders; within quotes a comma, a space and the rest are the name's own.
    sockets = '"{}"'.format(str(place.sockets).replace('"', '""'))
    settings = {**_SETTINGS, **(bigger or {}), "unix_socket_directories": sockets}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = place.start(
        "PostgreSQL",
        [programs / "postgres", "-D", data, *options],
        (  # fast: with a checkpoint; then immediate: the next start recovers
            (signal.SIGINT, STOP_MAX_S),
            (signal.SIGQUIT, STOP_MAX_S),
        ),
    )
    server.await_ready(lambda: _ready(data, server.process.pid))
    return server


def _make_database(place: Place, programs: Path, major: int, say: Say) -> None:
    """Make roles and database in a new folder, which gets its name when it is complete."""
    say("Making the database: only the first time")
    fresh = place.folder / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    handed_over(fresh, place.account)
    letters = ["--encoding=UTF8", "--locale=C"]
    if major >= 17:  # knows Ñ from ñ on every machine alike
        letters += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    who = [f"--username={OWNER}", "--auth=trust"]  # whoever can reach the socket may sign in
    single = ["--single", "-c", "exit_on_error=on", "-c", "log_checkpoints=off"]
    steps: list[tuple[list[str | Path], str]] = [
        ([programs / "initdb", "-D", fresh, *who, *letters, "--no-instructions"], ""),
        (
            [programs / "postgres", *single, "-D", fresh, "postgres"],
            f"create role {APPLICATION} login;\ncreate database {DATABASE};\n",
        ),
    ]
    for command, typed in steps:
        done = place.run(command, typed)
        if done.returncode != 0:
            raise EmbeddedError(f"the database could not be made:\n{done.stdout.strip()}")
    fresh.rename(place.folder / "postgres")


def _ready(data: Path, pid: int) -> bool:
    """What PostgreSQL writes into its pid file: line 1 is the process, line 8 its state."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _end_earlier(data: Path, say: Say) -> None:
    """End a server whose parent was killed. We hold the folder's lock, so no one uses it."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if _works_in(pid, data):
        say("PostgreSQL of an earlier run is still stopping: waiting for it")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)  # it has had it already where the leash works
    if not came_true(lambda: not _works_in(pid, data), STOP_MAX_S):
        stuck = f"PostgreSQL of an earlier run (process {pid}) does not stop"
        raise EmbeddedError(f"{stuck}: look into it, end it with kill -QUIT {pid}, start again")
    # After a reboot the number may be another process's, and PostgreSQL would refuse to start.
    pid_file.unlink(missing_ok=True)


def _works_in(pid: int, data: Path) -> bool:
    """Whether this process is the PostgreSQL of this folder."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == data
        except OSError:  # gone, or a zombie, or another account's
            return False
    ps = ["/bin/ps", "-p", str(pid), "-o", "command="]
    answer = subprocess.run(ps, capture_output=True, text=True, check=False)  # noqa: S603
    return str(data) in answer.stdout
