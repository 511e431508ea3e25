"""What the counts of a load prove, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression, quantiles

# A worker that lost a kilobyte a message would gain 1,000 kB a minute. What an allocator does with
# threads that come and go is less than a tenth of that.
RSS_GROWTH_MAX_KB_PER_MIN = 200
WARM_UP_SHARE = 0.5  # of the samples: caches, connections and threads are made in the beginning
MEMORY_JUDGED_FROM_S = 180  # in less, the warm-up is all that is seen
WAIT_P50_MAX_S = 5  # half of all messages are neither late nor tried again


@dataclass(frozen=True, slots=True)
class Load:
    """What happened.

    Args:
        told: when each text was sent to the gateway, by its phone, on the clock of `first_at`.
        taken: how often the provider took an answer to each.
        unheard: how often it took it and its answer was lost.
        refused: how often it said that it does not take it.
        first_at: when it first took it.
        sent, dead, unsettled: the outbox's rows at the end.
        rss_kb: the worker's memory: seconds and kB. Sampled while messages came.
        connections_max: the worker's connections to PostgreSQL, at the most.
        waiting_max: the longest that the outbox was, in rows.
        at_once_max: the most messages under way at the provider.
    """

    told: Mapping[str, float]
    taken: Mapping[str, int]
    unheard: Mapping[str, int]
    refused: Mapping[str, int]
    first_at: Mapping[str, float]
    sent: int
    dead: int
    unsettled: int
    rss_kb: Sequence[tuple[float, int]]
    connections_max: int
    waiting_max: int
    at_once_max: int

    @property
    def lost(self) -> list[str]:
        """Told, and never taken."""
        return [text for text in self.told if not self.taken.get(text)]

    @property
    def repeated(self) -> int:
        """How many messages a phone got once more than needed."""
        return sum(times - 1 for times in self.taken.values())

    @property
    def beyond_the_bound(self) -> list[str]:
        """Taken more often than lost answers explain: each of those may repeat it once."""
        return [text for text, times in self.taken.items() if times > 1 + self.unheard.get(text, 0)]

    @property
    def waits_s(self) -> list[float]:
        """From told to first taken."""
        return sorted(at - self.told[text] for text, at in self.first_at.items())

    @property
    def memory_is_judged(self) -> bool:
        """Whether it was watched for long enough."""
        return bool(self.rss_kb) and self.rss_kb[-1][0] >= MEMORY_JUDGED_FROM_S

    @property
    def growth_kb_per_min(self) -> float:
        """How fast the worker's memory grows, after the warm-up."""
        warm = self.rss_kb[int(len(self.rss_kb) * WARM_UP_SHARE) :]
        slope, _ = linear_regression([at for at, _ in warm], [kb for _, kb in warm])
        return slope * 60


def faults(load: Load) -> list[str]:
    """Everything that is wrong; empty when nothing is."""
    return [*_of_messages(load), *_of_the_outbox(load), *_of_the_worker(load)]


def _of_messages(load: Load) -> Iterator[str]:
    if not load.told:
        yield "nothing was told, so nothing is proven"
    if load.lost:
        yield f"{len(load.lost)} messages are lost: {load.lost[:5]}"
    strange = [text for text in load.taken if text not in load.told]
    if strange:
        yield f"{len(strange)} messages were sent that nobody told: {strange[:5]}"
    if load.beyond_the_bound:
        yield (
            f"{len(load.beyond_the_bound)} messages came more often than lost answers explain: "
            f"{load.beyond_the_bound[:5]}"
        )
    if load.told and not load.unheard:
        yield "no answer was lost, so the bound was not tried"
    if load.waits_s and percentile(load.waits_s, 50) > WAIT_P50_MAX_S:
        yield f"half of the messages waited longer than {WAIT_P50_MAX_S} s"


def _of_the_outbox(load: Load) -> Iterator[str]:
    if load.dead:
        yield f"{load.dead} messages were given up"
    if load.unsettled:
        yield f"{load.unsettled} rows of the outbox have no end"
    if load.sent != len(load.told):
        yield f"{load.sent} rows are marked as sent, of {len(load.told)} told"


def _of_the_worker(load: Load) -> Iterator[str]:
    if load.memory_is_judged and load.growth_kb_per_min > RSS_GROWTH_MAX_KB_PER_MIN:
        yield (
            f"the worker grows by {load.growth_kb_per_min:.0f} kB a minute; "
            f"{RSS_GROWTH_MAX_KB_PER_MIN} are allowed"
        )


def percentile(values: Sequence[float], which: int) -> float:
    """Of sorted values, at least two."""
    return quantiles(values, n=100, method="inclusive")[which - 1]
