"""Apply every room's SQL files, each once, in the order of their `-- depends:` lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from yoyo import get_backend, read_migrations

_GATEWAY = Path(__file__).parent.parent


def sources(rooms: Sequence[str]) -> list[Path]:
    """The `sql/` folders of the rooms, each named by its path below `gateway/`."""
    return [_GATEWAY / room / "sql" for room in rooms]


ROOMS = (
    "db",
    "audit",
    "notices",
    "ledger/postgres",
    "instructions",
    "core",
    "sim",
    "bank",
    "library",
)


def migrate(owner_url: str, rooms: Sequence[str] = ROOMS) -> list[str]:
    """Bring a database up to date and answer the names of the files that were applied.

    Safe to run from several processes: one works, the others wait and find nothing to do.

    Args:
        owner_url: `postgresql://…` of the role that owns the schemas, not of the application's.
    """
    backend = get_backend(owner_url.replace("postgresql://", "postgresql+psycopg://", 1))
    migrations = read_migrations(*(str(source) for source in sources(rooms)))
    try:
        with backend.lock():
            pending = backend.to_apply(migrations)
            names = [migration.id for migration in pending]
            backend.apply_migrations(pending)
    finally:
        backend.connection.close()
    return names
