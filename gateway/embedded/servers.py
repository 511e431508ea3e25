"""Both private servers of one folder, from start to stop."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from gateway.embedded.endpoints import Endpoints, endpoints_in
from gateway.embedded.folder import DataFolder
from gateway.embedded.place import Place, settle
from gateway.embedded.postgres import start_postgres
from gateway.embedded.server import Server
from gateway.embedded.valkey import start_redis
from gateway.embedded.words import EmbeddedError, Say


class Embedded:
    """The two private servers of one folder. A context manager that answers the endpoints.

    Start it from a thread that lives as long as the servers shall: they end with that thread.

    Args:
        data: everything is kept in here; made when it is not there.
        say: takes a line for a person whenever something slow or surprising happens.
        postgres: settings of PostgreSQL, where the demo's small ones are not meant.
    """

    def __init__(self, data: Path, say: Say, postgres: Mapping[str, str] | None = None) -> None:
        self._data = DataFolder(data)
        self._say = say
        self._postgres = postgres
        self._servers: list[Server] = []
        self._place: Place | None = None

    @property
    def servers(self) -> tuple[Server, ...]:
        """What runs, in the order in which it was started."""
        return tuple(self._servers)

    @property
    def folder(self) -> Path:
        """Where the servers' data is, once started: in `data`, if their account can go there."""
        if self._place is None:
            raise EmbeddedError("the servers were not started")
        return self._place.folder

    def start(self) -> Endpoints:
        """Start both servers and answer when they serve, in about half a second.

        Raises:
            EmbeddedError: another process runs servers in this folder, or one does not start.
        """
        try:
            self._data.take()
            self._place = settle(self._data.path, self._data.logs, self._say)
            self._servers.append(start_postgres(self._place, self._say, self._postgres))
            self._servers.append(start_redis(self._place, self._say))
            endpoints = endpoints_in(self._place.sockets)
            self._data.publish(endpoints)
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        return endpoints

    def stop(self) -> None:
        """Stop what runs, the last started first, and give the folder free. May be repeated."""
        if not self._data.held:
            return
        self._data.withdraw()
        while self._servers:
            self._servers[-1].stop()
            self._servers.pop()
        if self._place and not self._place.sockets.is_relative_to(self._place.folder):
            shutil.rmtree(self._place.sockets.parent)
        self._data.release()

    def __enter__(self) -> Endpoints:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
