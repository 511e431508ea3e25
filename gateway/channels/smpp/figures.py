"""What an operator of ours may want to count of a line, and its trace. Nothing that a member typed,
read or is called comes here."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.channels.smpp.codec import Pdu
from gateway.channels.smpp.names import command_name, status_name
from gateway.channels.smpp.trace import told

# Seconds. An answer to a submission takes a round trip; 10 s is the usual limit.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TOOK_BUCKETS_S = (5, 15, 30, 60, 300, 900, 3600, 14_400, 86_400)

log = structlog.stdlib.get_logger(__name__)


class Figures:
    """The figures of all lines of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "chaski_smpp_bound",
            "Whether the bind is there.",
            ("line", "bind"),
            registry=registry,
        )
        self.binds = Counter(
            "chaski_smpp_binds",
            "Tries to bind, by how they ended.",
            ("line", "bind", "outcome"),
            registry=registry,
        )
        self.pdus = Counter(
            "chaski_smpp_pdus",
            "PDUs, `in` or `out`.",
            ("line", "way", "command", "status"),
            registry=registry,
        )
        self.submissions = Histogram(
            "chaski_smpp_submission_seconds",
            "From a submission to its answer.",
            ("line", "kind"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.shed = Counter(
            "chaski_smpp_shed",
            "Hops that were not taken, and screens that could not be shown, by why.",
            ("line", "why"),
            registry=registry,
        )
        self.took = Histogram(
            "chaski_smpp_delivery_seconds",
            "From a message's submission to its end, as its receipt says.",
            ("line",),
            buckets=_TOOK_BUCKETS_S,
            registry=registry,
        )
        self._dialogues = Gauge(
            "chaski_smpp_dialogues", "Dialogues under way.", ("line",), registry=registry
        )
        self._window = Gauge(
            "chaski_smpp_in_window",
            "Requests that wait for their answer.",
            ("line",),
            registry=registry,
        )

    def of(self, line: str, *, trace: bool = False) -> LineFigures:
        """Those of one line.

        Args:
            line: its name.
            trace: each PDU is a line of the log too.
        """
        return LineFigures(self, line, trace=trace)

    def watch(self, line: str, dialogues: Callable[[], int], in_window: Callable[[], int]) -> None:
        """Figures that are read when they are asked for."""
        self._dialogues.labels(line).set_function(dialogues)
        self._window.labels(line).set_function(in_window)


class LineFigures:
    """The figures of one line."""

    def __init__(self, figures: Figures, line: str, *, trace: bool) -> None:
        self.line = line
        self._figures = figures
        self._trace = trace
        self._pdus: dict[tuple[str, str, str], Counter] = {}

    def observe(self, way: str, pdu: Pdu) -> None:
        """A PDU went `in` or `out`."""
        # By its labels, which are few: a peer may make up numbers without end.
        key = (way, _known(command_name(pdu.command)), _known(status_name(pdu.status)))
        counter = self._pdus.get(key)
        if counter is None:
            counter = self._pdus[key] = self._figures.pdus.labels(self.line, *key)
        counter.inc()
        if self._trace:
            log.info("smpp_pdu", line=self.line, way=way, pdu=told(pdu))

    def bound(self, bind: str) -> None:
        """A bind is there."""
        self._figures.up.labels(self.line, bind).set(1)
        self._figures.binds.labels(self.line, bind, "bound").inc()

    def not_bound(self, bind: str, outcome: str) -> None:
        """A bind is gone, or could not be had: `lost`, `refused`, `unreachable`."""
        self._figures.up.labels(self.line, bind).set(0)
        self._figures.binds.labels(self.line, bind, outcome).inc()

    def submitted(self, kind: str, seconds: float) -> None:
        """A submission of a `screen`, an `sms` or a `push` was answered."""
        self._figures.submissions.labels(self.line, kind).observe(seconds)

    def shed(self, why: str) -> None:
        """A hop was not taken, or its screen could not be shown."""
        self._figures.shed.labels(self.line, why).inc()

    def delivered(self, seconds: float) -> None:
        """How long the network took for a message."""
        self._figures.took.labels(self.line).observe(seconds)


def _known(name: str) -> str:
    """One label for whatever number a peer may make up."""
    return "other" if name.startswith("0x") else name
