"""What the console shows of this moment: this process's own counters over the last minute, and what
the stores say when they are asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.bounds import CONSOLE_SAMPLE_S, CONSOLE_SPAN_S

_HOPS = "chaski_hops"
_SAMPLES = CONSOLE_SPAN_S // CONSOLE_SAMPLE_S + 1

Labels = tuple[str, str]  # channel, outcome


@dataclass(frozen=True, slots=True)
class Flow:
    """Hops of one channel and outcome.

    Args:
        lately: in the last minute.
        in_all: since the process began.
    """

    channel: str
    outcome: str
    lately: int
    in_all: int


class Live:
    """The figures of this process.

    Args:
        registry: where the process counts, for all the cooperatives that it serves.
        cooperative: whose hops are shown.
        checks: whether what it depends on answers.
        sessions_now: how many people are in a session; None: nobody can say.
        wake_ups: how many wait for a worker; None: Redis is away.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        cooperative: str,
        checks: Mapping[str, Callable[[], bool]],
        sessions_now: Callable[[], int | None],
        wake_ups: Callable[[], int | None],
    ) -> None:
        self._registry = registry
        self._cooperative = cooperative
        self._checks = checks
        self.sessions_now = sessions_now
        self.wake_ups = wake_ups
        self._samples: deque[dict[Labels, int]] = deque(maxlen=_SAMPLES)
        self._lock = threading.Lock()

    def sample(self) -> None:
        """Keep the counters as they are now. To be called every `CONSOLE_SAMPLE_S`."""
        counted = self._counted()
        with self._lock:
            self._samples.append(counted)

    def flows(self) -> list[Flow]:
        """Hops by channel and outcome, the busiest first."""
        now = self._counted()
        with self._lock:
            before = self._samples[0] if self._samples else {}
        flows = [Flow(*key, count - before.get(key, 0), count) for key, count in now.items()]
        return sorted(flows, key=lambda flow: (-flow.lately, -flow.in_all, flow.channel))

    def well(self) -> dict[str, bool]:
        """Whether each thing it depends on answers now."""
        return {name: check() for name, check in self._checks.items()}

    def _counted(self) -> dict[Labels, int]:
        counted: dict[Labels, int] = {}
        for metric in self._registry.collect():
            if metric.name == _HOPS:
                for sample in metric.samples:
                    labels: Mapping[str, Any] = sample.labels
                    ours = labels.get("cooperative") == self._cooperative
                    if ours and sample.name.endswith("_total"):
                        key = (labels["channel"], labels["outcome"])
                        counted[key] = counted.get(key, 0) + int(sample.value)
        return counted
