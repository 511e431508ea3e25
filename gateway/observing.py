"""What an operator sees: one log line a hop, and the figures behind `/metrics`.

Nothing that a member typed or read may come here: a screen's name, never its text.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, cast

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

Log = structlog.stdlib.BoundLogger

# Seconds. The bound that matters is the network's: 5 s at some operators, 10 s at aggregators.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)


def configure_logging(level: str) -> None:
    """JSON lines on standard output, from our own code and from libraries alike."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Tracebacks as text: the structured ones print local variables, and a local may be a PIN.
        structlog.processors.format_exc_info,
    ]
    as_json = structlog.processors.JSONRenderer(serializer=_json)
    # Our own lines go out directly, as bytes: through the handlers a line costs three times as
    # much, and there is one a hop.
    as_bytes: Any = structlog.processors.JSONRenderer(serializer=_json_bytes)
    structlog.configure(
        processors=[*shared, as_bytes],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.BytesLoggerFactory(_lines_to(sys.stdout.buffer)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                as_json,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)


class _Lines:
    """Where lines go. One that cannot be written is lost, and nothing else: a full disk fails no
    hop, and ends no thread that says what failed."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            self._out.write(line)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._out.flush()


@functools.cache
def _lines_to(out: BinaryIO) -> BinaryIO:
    """The same for all who write there: they share its lock."""
    return cast("BinaryIO", _Lines(out))


def _json_bytes(event: Mapping[str, Any], default: Callable[[Any], Any]) -> bytes:
    """A line's fields as JSON; what has no JSON, as `default` says."""
    return msgspec.json.encode(event, enc_hook=default)


def _json(event: Mapping[str, Any], default: Callable[[Any], Any]) -> str:
    return _json_bytes(event, default).decode()


class HopLine(msgspec.Struct):
    """What the log says of a hop: names and figures alone."""

    cooperative: str
    channel: str
    session: str
    screen: str
    outcome: str
    ends: bool
    ms: float
    event: str = "hop"
    level: str = "info"
    timestamp: str = ""  # of when it is written


NoteHop = Callable[[HopLine], object]


def hop_lines(level: str) -> NoteHop:
    """Where a process that serves notes its hops: the lines that `log_hop` would write, past
    structlog, which takes longer over one than the hop over its form and its screen together."""
    if logging.getLevelName(level) > logging.INFO:
        return lambda _: None
    # With the others' lock: line by line.
    write = structlog.BytesLogger(_lines_to(sys.stdout.buffer)).info

    def note(line: HopLine) -> None:
        line.timestamp = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
        write(msgspec.json.encode(line))

    return note


def log_hop(line: HopLine) -> None:
    """A hop's line by the log, whatever that is set up to do."""
    fields = msgspec.structs.asdict(line)
    logger().info(**{name: fields[name] for name in fields if name not in {"level", "timestamp"}})


def logger() -> Log:
    """The gateway's log."""
    log: Log = structlog.get_logger("chaski")
    return log


# Where the web processes of a machine keep their counters, so that any of them can tell the sum.
# The library reads it once, when it is first imported: so it has to be there from the beginning.
SHARED_FIGURES = "PROMETHEUS_MULTIPROC_DIR"


class _Registry(CollectorRegistry):
    """The figures of this process; where several keep theirs in one folder, of all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: list[Collector] = []

    def watch(self, collector: Collector) -> None:
        """What is asked of the stores, not counted here: whoever is asked says it once for all."""
        self.watched.append(collector)
        self.register(collector)

    def collect(self) -> Iterator[Metric]:
        folder = os.environ.get(SHARED_FIGURES)
        if not folder:
            yield from super().collect()
            return
        yield from MultiProcessCollector(None, folder).collect()  # type: ignore[no-untyped-call]
        for collector in self.watched:
            yield from collector.collect()


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = _Registry()
        self._watched: dict[tuple[str, ...], _Watched] = {}
        self._of_hops = functools.cache(self._label_hops)  # as many as there are series
        self._hops = Counter(
            "chaski_hops",
            "Hops answered.",
            ("cooperative", "channel", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "chaski_hop_seconds",
            "From a webhook's request to its reply.",
            ("cooperative", "channel"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._ends = Counter(
            "chaski_session_ends",
            "Sessions that the network said are over.",
            ("cooperative", "channel", "status"),
            registry=self.registry,
        )
        self._refused = Counter(
            "chaski_webhooks_refused",
            "Requests to webhooks without a right to be there.",
            ("channel", "why"),
            registry=self.registry,
        )
        self._operations = Counter(
            "chaski_operations",
            "Bank operations by how they ended.",
            ("cooperative", "operation", "outcome"),
            registry=self.registry,
        )
        self._of_operations = functools.cache(self._operations.labels)

        self._sent = Counter(
            "chaski_sms",
            "Messages given to a provider.",
            ("sender", "answer"),
            registry=self.registry,
        )
        self._segments = Counter(
            "chaski_sms_segments", "SMS that they were.", ("sender",), registry=self.registry
        )
        self._send_seconds = Histogram(
            "chaski_sms_seconds",
            "Until a provider answered.",
            ("sender",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._paced = Counter(
            "chaski_sms_paced",
            "Messages put back, as many as the provider carries being under way.",
            ("sender",),
            registry=self.registry,
        )
        self._open = Gauge(
            "chaski_sms_line_open",
            "Whether a provider is asked at all: 0 after too many failures.",
            ("sender",),
            registry=self.registry,
        )
        self._reports = Counter(
            "chaski_sms_reports",
            "What providers said of messages.",
            ("sender", "state"),
            registry=self.registry,
        )

    def hop(self, cooperative: str, channel: str, outcome: str, seconds: float) -> None:
        """A hop was answered."""
        count, seconds_taken = self._of_hops(cooperative, channel, outcome)
        count.inc()
        seconds_taken.observe(seconds)

    def _label_hops(
        self, cooperative: str, channel: str, outcome: str
    ) -> tuple[Counter, Histogram]:
        """The library takes longer to find a series than to add to it."""
        return (
            self._hops.labels(cooperative, channel, outcome),
            self._seconds.labels(cooperative, channel),
        )

    def shed(self, cooperative: str, channel: str) -> None:
        """A hop was answered at once that it cannot be served now."""
        count, _ = self._of_hops(cooperative, channel, "shed")
        count.inc()

    def webhook_refused(self, channel: str, why: str) -> None:
        """A request to a webhook was refused before it was read."""
        self._refused.labels(channel, why).inc()

    def session_end(self, cooperative: str, channel: str, status: str) -> None:
        """A network said that a session is over."""
        self._ends.labels(cooperative, channel, status).inc()

    def operation(self, cooperative: str, operation: str, outcome: str) -> None:
        """The bank answered."""
        self._of_operations(cooperative, operation, outcome).inc()

    def answered(self, sender: str, answer: str, segments: int, seconds: float) -> None:
        """A provider of SMS was given a message."""
        self._sent.labels(sender, answer).inc()
        self._segments.labels(sender).inc(segments if answer == "sent" else 0)
        self._send_seconds.labels(sender).observe(seconds)

    def paced(self, sender: str) -> None:
        """A message was put back: as many as the provider carries were under way."""
        self._paced.labels(sender).inc()

    def line(self, sender: str, *, open_: bool) -> None:
        """The way to a provider was shut, or is open again."""
        self._open.labels(sender).set(int(open_))

    def reported(self, sender: str, state: str) -> None:
        """A provider said what became of a message."""
        self._reports.labels(sender, state).inc()

    def watch(
        self,
        figures: Mapping[str, str],
        read: Callable[[], Mapping[str, float]],
        cooperative: str = "",
    ) -> None:
        """Figures that are read when `/metrics` is asked.

        Args:
            figures: their names, each with what it says.
            read: once for all of them. Those that it leaves out are left out of the answer.
            cooperative: whose they are; empty: the deployment's, so that whoever asks first does.
        """
        names = tuple(figures)
        if names not in self._watched:
            self._watched[names] = _Watched(figures)
            self.registry.watch(self._watched[names])
        self._watched[names].reads.setdefault(cooperative, read)


class _Watched(Collector):
    def __init__(self, figures: Mapping[str, str]) -> None:
        self._figures = figures
        self.reads: dict[str, Callable[[], Mapping[str, float]]] = {}

    def collect(self) -> Iterator[Metric]:
        found = {cooperative: read() for cooperative, read in self.reads.items()}
        for name, says in self._figures.items():
            family = GaugeMetricFamily(name, says, labels=() if "" in found else ("cooperative",))
            for cooperative, values in found.items():
                if name in values:
                    family.add_metric([cooperative] if cooperative else [], values[name])
            yield family

    def describe(self) -> Iterator[Metric]:
        for name, says in self._figures.items():
            yield GaugeMetricFamily(name, says)
