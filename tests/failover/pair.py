"""A primary, and a standby that the primary waits for before it says that anything is done."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from gateway.embedded import EmbeddedError, Server
from gateway.embedded.binaries import find_postgres
from gateway.embedded.endpoints import APPLICATION, DATABASE, OWNER
from gateway.embedded.guard import handed_over
from gateway.embedded.patience import came_true
from gateway.embedded.place import Place, settle
from gateway.embedded.postgres import start_postgres

LINKED_MAX_S = 60


class Site:
    """A place for one server, which is stopped and made anew there."""

    def __init__(self, home: Place, name: str, say: Callable[[str], None]) -> None:
        self._say = say
        self.place = Place(
            handed_over(home.folder / name, home.account),
            handed_over(home.sockets / name, home.account),
            home.logs,
            home.account,
        )
        self.server: Server | None = None

    @property
    def socket(self) -> str:
        """The folder of its socket, as in a URL."""
        return quote(str(self.place.sockets), safe="")

    @property
    def data(self) -> Path:
        """Where the server keeps everything."""
        return self.place.folder / "postgres"

    @property
    def owner_url(self) -> str:
        """Here and nowhere else."""
        return f"postgresql://{OWNER}@/{DATABASE}?host={self.socket}"

    def start(self) -> Server:
        """Start what is there, and wait until it answers."""
        self.server = start_postgres(self.place, self._say)
        return self.server

    def copy(self, other: Site) -> None:
        """Become a copy of another one, which goes on serving meanwhile."""
        shutil.rmtree(self.data, ignore_errors=True)
        programs, _ = find_postgres(self.place, self._say)
        source = f"host={other.place.sockets} user={OWNER} application_name=standby"
        done = self.place.run(
            [
                *(programs / "pg_basebackup", "--dbname", source, "--pgdata", self.data),
                *("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"),
            ]
        )
        if done.returncode != 0:
            raise EmbeddedError(f"no copy could be made:\n{done.stdout}")

    def ask(self, sql: str) -> object:
        """What it says to a statement of one value."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            row = owner.execute(sql).fetchone()  # type: ignore[arg-type]
            return row[0] if row else None


class Pair:
    """Two sites of which one is the primary.

    Args:
        folder: of both.
        say: takes a line for a person.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        folder.mkdir()
        folder.chmod(0o711)
        home = settle(folder, folder, say)
        self.primary, self.standby = Site(home, "a", say), Site(home, "b", say)
        self._home = home

    @property
    def _hosts(self) -> str:
        first, second = sorted(site.socket for site in (self.primary, self.standby))
        return f"host={first},{second}"

    @property
    def app_url(self) -> str:
        """Whichever is the primary, as the application."""
        return (
            f"postgresql://{APPLICATION}@/{DATABASE}?{self._hosts}&target_session_attrs=read-write"
        )

    @property
    def owner_url(self) -> str:
        """The same as the owner."""
        return self.app_url.replace(APPLICATION, OWNER)

    @property
    def read_url(self) -> str:
        """Whichever is not, as the application."""
        return self.app_url.replace("read-write", "standby")

    def start_primary(self) -> Server:
        """Alone: until `link` nobody may be waited for."""
        server = self.primary.start()
        self.wait_for_standby(wait=False)
        return server

    def link(self) -> None:
        """Have the standby copy the primary, and be waited for from then on."""
        self.standby.copy(self.primary)
        self.standby.start()
        self.wait_for_standby(wait=True)
        if not came_true(self.linked, LINKED_MAX_S):
            raise EmbeddedError(f"the standby does not keep up within {LINKED_MAX_S} s")

    def linked(self) -> bool:
        """Whether commits wait for the standby, and get their answer."""
        return bool(
            self.primary.ask("select count(*) from pg_stat_replication where sync_state = 'sync'")
        )

    def wait_for_standby(self, *, wait: bool) -> None:
        """What a failover manager does when a standby is lost, or back."""
        names = "*" if wait else ""  # `*`: whoever copies; a manager would name them
        with psycopg.connect(self.primary.owner_url, autocommit=True) as owner:
            owner.execute("set synchronous_commit = local")  # this one waits for nobody
            owner.execute(f"alter system set synchronous_standby_names = '{names}'")  # type: ignore[arg-type]
            owner.execute("select pg_reload_conf()")

    def promote(self) -> None:
        """The primary is dead: the standby takes its place, and waits for nobody at first."""
        self.primary, self.standby = self.standby, self.primary
        self.primary.ask("select pg_promote()")
        self.wait_for_standby(wait=False)

    def stop(self) -> None:
        """Both, the standby first."""
        for site in (self.standby, self.primary):
            if site.server and site.server.process.poll() is None:
                site.server.stop()
        if not self._home.sockets.is_relative_to(self._home.folder):
            shutil.rmtree(self._home.sockets.parent, ignore_errors=True)


@contextlib.contextmanager
def pair_in(folder: Path, say: Callable[[str], None]) -> Iterator[Pair]:
    """A primary that is alone yet, stopped in the end with whoever joined it."""
    pair = Pair(folder, say)
    try:
        pair.start_primary()
        yield pair
    finally:
        pair.stop()
