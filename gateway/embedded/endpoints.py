"""How the private servers are reached: the names in the database, and the URLs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OWNER = "chaski_owner"
APPLICATION = "chaski_app"
STAFF = "chaski_staff"
DATABASE = "chaski"

POSTGRES_SOCKET = ".s.PGSQL.5432"  # PostgreSQL appends it to the folder; the port is only a name
REDIS_SOCKET = "redis.sock"


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

    @property
    def staff_url(self) -> str:
        """As the application's, for staff's own role, which the migrations make."""
        return self.app_url.replace(APPLICATION, STAFF, 1)


def endpoints_in(sockets: Path) -> Endpoints:
    """The endpoints of servers whose sockets are in this folder."""
    folder = quote(str(sockets), safe="")
    redis = f"unix://{quote(str(sockets / REDIS_SOCKET))}"
    return Endpoints(
        owner_url=f"postgresql://{OWNER}@/{DATABASE}?host={folder}",
        app_url=f"postgresql://{APPLICATION}@/{DATABASE}?host={folder}",
        sessions_url=f"{redis}?db=0",
        queue_url=f"{redis}?db=1",
    )
