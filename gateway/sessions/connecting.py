"""A client of the sessions' Redis: one server, or a cluster of them.

`redis://…`, `rediss://…` and `unix://…` are one server. `redis+cluster://one:6379,two:6379` (or
`rediss+cluster://…`) is a cluster; those that are named are where its nodes are asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from gateway.bounds import CLUSTER_CONNECT_MS, STORE_TIMEOUT_MS
from gateway.sessions.port import SessionsUnavailableError
from gateway.sessions.quick import QuickRedis

_OF_A_CLUSTER = "+cluster"


def connect_sessions(url: str) -> redis.Redis:
    """A client that gives up soon: a member waits for an answer. One retry, at once, for a
    connection that Redis had dropped."""
    if urlsplit(url).scheme.endswith(_OF_A_CLUSTER):
        # The commands that sessions use are the same on both, and the store asks no more.
        return cast("redis.Redis", Cluster(lambda: _nodes_of(url)))
    timeout_s = STORE_TIMEOUT_MS / 1000
    return QuickRedis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),
    )


class Cluster:
    """A cluster's client that looks for the nodes when it is first needed: a gateway starts, and
    heals, while all of them are away.

    Args:
        find: asks those that are named for all nodes.
    """

    def __init__(self, find: Callable[[], RedisCluster]) -> None:
        self._find = find
        self._found: RedisCluster | None = None
        self._finding = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """Whatever the store asks of a server.

        Raises:
            SessionsUnavailableError: no node answers.
        """
        return getattr(self._nodes(), name)

    def ping(self) -> bool:
        """Whether it serves. One node is asked: PING would ask all, and a dead replica harms
        nobody."""
        try:
            said: Any = self._nodes().cluster_info(target_nodes=RedisCluster.DEFAULT_NODE)
        except (SessionsUnavailableError, RedisClusterException):
            return False
        return bool(said["cluster_state"] == "ok")

    def close(self) -> None:
        """Give all connections back."""
        if self._found is not None:
            self._found.close()

    def _nodes(self) -> RedisCluster:
        if self._found is None:
            with self._finding:
                self._found = self._found or self._asked()
        return self._found

    def _asked(self) -> RedisCluster:
        try:
            return self._find()
        except (redis.RedisError, RedisClusterException) as error:
            raise SessionsUnavailableError(str(error)) from error


class _Nodes(RedisCluster):
    """As the library's. But which keys a script has the library asks one node, always the same: if
    just that one is dead, so is every script, until some other command finds the dead one out."""

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> Any:
        """One that, when it fails, leaves the next one another node to ask."""
        pipe: Any = super().pipeline(transaction, shard_hint)  # type: ignore[no-untyped-call]
        execute = pipe.execute

        def leave_another(raise_on_error: bool = True) -> Any:  # noqa: FBT001, FBT002 - the library's
            try:
                return execute(raise_on_error)
            except (redis.ConnectionError, redis.TimeoutError):
                self.replace_default_node()
                raise

        pipe.execute = leave_another
        return pipe


def _nodes_of(url: str) -> RedisCluster:
    parts = urlsplit(url)
    who, at, hosts = parts.netloc.rpartition("@")
    first, *others = hosts.split(",")
    scheme = parts.scheme.removesuffix(_OF_A_CLUSTER)
    one = parts._replace(scheme=scheme, netloc=f"{who}{at}{first}")
    return _Nodes.from_url(
        one.geturl(),
        startup_nodes=[_node(host) for host in others],
        socket_timeout=STORE_TIMEOUT_MS / 1000,
        socket_connect_timeout=CLUSTER_CONNECT_MS / 1000,
        retry=Retry(NoBackoff(), 1),
        # While one primary is lost the callers of the others are served.
        require_full_coverage=False,
    )


def _node(host: str) -> ClusterNode:
    named = urlsplit(f"//{host}")
    return ClusterNode(named.hostname, named.port or 6379)  # type: ignore[no-untyped-call]
