"""Every target by its name, and how it is run."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.database import ExampleDatabase

from tests.fuzz import parsers, webhooks

HANG_S = 20  # the slowest honest input takes a tenth of a second

TARGETS = {**parsers.targets(), **webhooks.targets()}


def prepared(target: Any, examples: int = 100, database: ExampleDatabase | None = None) -> Any:
    """A target, ready to be called."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=database,
        suppress_health_check=list(HealthCheck),
    )(target)
