"""Evidence to look at, and a hand that alters it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from gateway.audit.verifying import Verdict, verify
from gateway.bounds import SEAL_XACTS_MAX
from gateway.db.reading import snapshot
from tests.cooperative import Cooperative

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One database's evidence.

    Args:
        url: of the owner, who may do everything.
        app_url: of the application.
    """

    url: str
    app_url: str

    @property
    def auditor_url(self) -> str:
        """Of the role that may only look."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=f"chaski_auditor@{parts.hostname or ''}").geturl()

    def owner(self) -> psycopg.Connection[Any]:
        """A connection of the owner's, each statement by itself."""
        return psycopg.connect(self.url, autocommit=True)

    def seal(self, at: dt.datetime = NOON, xacts_max: int = SEAL_XACTS_MAX) -> list[Any]:
        """As the application does it: the number, hash and lines of the seals that it made."""
        with psycopg.connect(self.app_url, autocommit=True) as application:
            return application.execute(
                "select * from audit.seal(%s, %s)", (at, xacts_max)
            ).fetchall()

    def tamper(self, *statements: str) -> None:
        """With the owner's right to take the triggers away."""
        with self.owner() as connection:
            connection.execute("set session_replication_role = replica")
            for statement in statements:
                connection.execute(statement)

    def verdict(self, *heads: str) -> Verdict:
        """What an auditor finds."""
        with snapshot(self.auditor_url) as looked_at:
            return verify(looked_at, lambda far: None, heads)

    def found(self, *heads: str) -> list[tuple[str, int | None, str]]:
        """What, in which seal, of which kind."""
        return [(f.what, f.seal, f.kind) for f in self.verdict(*heads).findings]


@pytest.fixture
def evidence(database_urls: tuple[str, str]) -> Evidence:
    """Of a database in which nothing was done yet."""
    return Evidence(*database_urls)


@pytest.fixture
def sealed(cooperative: Cooperative, evidence: Evidence) -> Evidence:
    """Of the demo cooperative, in which Rosa sent money twice and shut her door, in three seals."""
    rosa = cooperative.phone("+51987000001")
    evidence.seal()
    for amount in ("50", "70"):
        rosa.dial(f"2*987000002*{amount}")
        rosa.press("4826")
    evidence.seal()
    cooperative.text("+51987000001", "BLOQUEAR")
    evidence.seal(NOON + dt.timedelta(hours=6))
    return evidence
