"""Serve fakeredis on a unix socket: a program for machines that have no Redis."""

from __future__ import annotations

import os
import socket
import sys

from fakeredis import TcpFakeServer


class _UnixFakeServer(TcpFakeServer):
    address_family = socket.AF_UNIX
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        # It tells clients apart by their address, and on a unix socket they have none.
        connection, _ = super().get_request()
        return connection, ("client", connection.fileno())


if __name__ == "__main__":
    os.umask(0o077)
    _UnixFakeServer(sys.argv[1]).serve_forever()  # type: ignore[arg-type]
