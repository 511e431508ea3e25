"""Six nodes: three primaries, each with a replica."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from gateway.embedded import EmbeddedError, Server
from gateway.embedded.binaries import find_redis
from gateway.embedded.leash import ourselves
from gateway.embedded.patience import came_true
from gateway.embedded.place import Place

PRIMARIES = 3
NODE_TIMEOUT_MS = 1_000  # a node that says nothing for so long is held to be dead
_SLOTS = 16_384
_FORMED_MAX_S = 60
_STOP_MAX_S = 5


@dataclass(slots=True)
class Node:
    """One of them. It keeps its ports, its name and its file when it is started again."""

    number: int
    port: int
    bus: int
    server: Server | None = None

    @property
    def lives(self) -> bool:
        """Whether its process runs."""
        return self.server is not None and self.server.process.poll() is None

    @property
    def role(self) -> str:
        """`master` or `slave`; nothing where it does not answer."""
        with contextlib.suppress(redis.RedisError):
            return str(self.ask("ROLE")[0].decode())
        return ""

    def ask(self, *command: str | int) -> Any:
        """What it says to a command."""
        with redis.Redis(port=self.port, socket_timeout=2, protocol=2) as client:
            return client.execute_command(*command)

    def says(self, what: str, words: str) -> bool:
        """Whether `CLUSTER what` has these words in it."""
        with contextlib.suppress(redis.RedisError):
            return words in self.ask("CLUSTER", what).decode()
        return False

    def copies(self) -> bool:
        """Whether it is a replica that has what its primary has."""
        with contextlib.suppress(redis.RedisError):
            said = self.ask("ROLE")
            return bool(said[0] == b"slave" and said[3] == b"connected")
        return False


class Nodes:
    """All of them.

    Args:
        folder: of their files and logs.

    Raises:
        EmbeddedError: there is no Redis here.
    """

    def __init__(self, folder: Path) -> None:
        self._place = Place(folder, folder, folder, ourselves())
        program = find_redis(self._place, lambda line: None)
        if program is None:
            raise EmbeddedError("no Redis can be run here: there is no wheel for this machine")
        self._program = program
        ports = _free_ports(4 * PRIMARIES)
        self.all = [Node(n, ports.pop(), ports.pop()) for n in range(2 * PRIMARIES)]

    @property
    def url(self) -> str:
        """How the gateway reaches them: three are named, of which one may be dead."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.all[:3])

    def primaries(self) -> list[Node]:
        """Those that serve."""
        return [node for node in self.all if node.lives and node.role == "master"]

    def serve(self) -> bool:
        """Whether every living node says that all slots are served."""
        living = [node for node in self.all if node.lives]
        return all(
            node.says("INFO", "cluster_state:ok") and node.says("INFO", "cluster_slots_fail:0")
            for node in living
        )

    def start(self, node: Node) -> None:
        """Start it, the first time or again."""
        options = {
            "port": node.port,
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "cluster-enabled": "yes",
            "cluster-port": node.bus,
            "cluster-config-file": f"node-{node.number}.conf",
            "cluster-node-timeout": NODE_TIMEOUT_MS,
            # As it is recommended: who is not on the lost primary is served.
            "cluster-require-full-coverage": "no",
            "cluster-replica-validity-factor": 0,  # sessions may be old, or gone: serve
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        node.server = self._place.start(
            f"Redis-{node.number}", [self._program, *words], ((signal.SIGTERM, _STOP_MAX_S),)
        )
        node.server.await_ready(lambda: node.role != "")

    def kill(self, node: Node) -> None:
        """With -9."""
        if node.server:
            node.server.process.kill()
            node.server.process.wait()

    def join(self) -> None:
        """As `redis-cli --cluster create` does it, which the wheel does not have."""
        first, *others = self.all
        share = -(-_SLOTS // PRIMARIES)
        for node in self.all:
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", node.number + 1)
        for node in self.all[:PRIMARIES]:
            last = min((node.number + 1) * share, _SLOTS) - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", node.number * share, last)
        for node in others:
            first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        names = [node.ask("CLUSTER", "MYID").decode() for node in self.all]
        acquainted = [(node, name) for node in self.all for name in names]
        _await(lambda: all(node.says("NODES", name) for node, name in acquainted), "meet")
        for replica, name in zip(self.all[PRIMARIES:], names, strict=False):
            replica.ask("CLUSTER", "REPLICATE", name)
        _await(lambda: all(node.copies() for node in self.all[PRIMARIES:]), "copy")
        _await(self.serve, "serve")

    def stop(self) -> None:
        """Stop those that run."""
        for node in self.all:
            if node.server:
                node.server.stop()


@contextlib.contextmanager
def six_nodes(folder: Path) -> Iterator[Nodes]:
    """Start them in this folder, and wait until they serve.

    Raises:
        EmbeddedError: there is no Redis here, or they do not come together.
    """
    nodes = Nodes(folder)
    try:
        for node in nodes.all:
            nodes.start(node)
        nodes.join()
        yield nodes
    finally:
        nodes.stop()


def _await(come: Callable[[], bool], what: str) -> None:
    if not came_true(come, _FORMED_MAX_S):
        raise EmbeddedError(f"the nodes do not {what} within {_FORMED_MAX_S} s")


def _free_ports(count: int) -> list[int]:
    """So many, each another one."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]
