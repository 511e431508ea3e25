"""A server whose log is archived, its base backup, and servers restored from the two."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg

from gateway.embedded import EmbeddedError, Server
from gateway.embedded.binaries import find_postgres
from gateway.embedded.endpoints import DATABASE, OWNER
from gateway.embedded.guard import handed_over
from gateway.embedded.patience import came_true
from gateway.embedded.place import Place
from gateway.embedded.postgres import start_postgres

ARCHIVE_TIMEOUT_S = 5  # a minute in production: what is lost with the machine and its standby
RESTORED_MAX_S = 120

Say = Callable[[str], None]


class Archive:
    """Where the log and the base backup are: in production, on another machine.

    Args:
        place: of the server that is backed up.
        say: takes a line for a person.
    """

    def __init__(self, place: Place, say: Say) -> None:
        self._place = place
        self._say = say
        self._programs, _ = find_postgres(place, say)
        self._log = handed_over(place.folder / "archive", place.account)
        self._base = handed_over(place.folder / "base", place.account)

    def start_archived(self) -> Server:
        """Start the server, its log archived as it is written."""
        copy = f"test ! -f {self._log}/%f && cp %p {self._log}/%f.part && "
        settings = {
            "archive_mode": "on",
            "archive_timeout": f"{ARCHIVE_TIMEOUT_S}s",
            "archive_command": f"{copy}mv {self._log}/%f.part {self._log}/%f",
        }
        return start_postgres(self._place, self._say, settings)

    def back_up(self) -> None:
        """Copy the data, while members are served."""
        source = f"host={self._place.sockets} user={OWNER}"
        where = ("--dbname", source, "--pgdata", self._base)
        self._run("pg_basebackup", *where, "--wal-method=none", "--checkpoint=fast")
        self._run("pg_verifybackup", "--no-parse-wal", self._base)

    def destroy_server(self) -> None:
        """The disk is gone."""
        shutil.rmtree(self._place.folder / "postgres")

    def restore(self, name: str, until: str = "") -> Restored:
        """A server of its own from the backup and the log.

        Args:
            name: of its folder.
            until: a moment as PostgreSQL writes it; empty: all that was archived.
        """
        place = Place(
            handed_over(self._place.folder / name, self._place.account),
            handed_over(self._place.sockets / name, self._place.account),
            self._place.logs,
            self._place.account,
        )
        data = place.folder / "postgres"
        self._run("/bin/cp", "-a", self._base, data)
        self._run("/usr/bin/touch", data / "recovery.signal")
        target = {"recovery_target_time": until, "recovery_target_action": "promote"}
        settings = {"restore_command": f"cp {self._log}/%f %p", **(target if until else {})}
        restored = Restored(place, start_postgres(place, self._say, settings))
        if not came_true(restored.is_open, RESTORED_MAX_S):
            raise EmbeddedError(f"the server is not restored within {RESTORED_MAX_S} s")
        return restored

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = self._place.run([self._programs / program, *arguments])
        if done.returncode != 0:
            raise EmbeddedError(f"{program}:\n{done.stdout}")


class Restored:
    """A server that was restored."""

    def __init__(self, place: Place, server: Server) -> None:
        self.server = server
        socket = quote(str(place.sockets), safe="")
        self.owner_url = f"postgresql://{OWNER}@/{DATABASE}?host={socket}"

    def is_open(self) -> bool:
        """Whether it has read all that it shall, and takes orders again."""
        return not self.ask("select pg_is_in_recovery()")

    def ask(self, sql: str) -> object:
        """What it says to a statement of one value."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            row = owner.execute(sql).fetchone()  # type: ignore[arg-type]
            return row[0] if row else None

    def references(self) -> set[str]:
        """Of every decision in its books."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            rows = owner.execute("select id::text from ledger.decision where refusal is null")
            return {row[0] for row in rows}
