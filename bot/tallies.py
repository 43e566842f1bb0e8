"""How many webhooks came, how they were answered and how long that took."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

STATUSES = (200, 400, 401, 403, 404, 413, 500)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3)


class Tally:
    """One source's webhooks: how many by status, and how long they took.

    Plain numbers, because only the loop's thread counts: the library's own take a lock for each.
    """

    def __init__(self) -> None:
        # Zeroes, too: of a number that begins with one Prometheus would see no increase.
        self.by_status = Counter(dict.fromkeys(STATUSES, 0))
        self.by_seconds = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0

    def count(self, status: int, seconds: float) -> None:
        self.by_status[status] += 1
        self.by_seconds[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds


class Webhooks(Collector):
    """Every source's tally, in the library's terms."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def tally(self, source: str) -> Tally:
        return self._tallies.setdefault(source, Tally())

    def collect(self) -> Iterator[Metric]:
        received = CounterMetricFamily("numlet_webhooks", "Webhooks received", labels=["source", "status"])
        took = HistogramMetricFamily(
            "numlet_webhook_seconds", "From a webhook's last byte to its answer", labels=["source"]
        )
        for source, tally in self._tallies.items():
            for status, number in tally.by_status.items():
                received.add_metric([source, str(status)], number)
            limits = [*map(str, SECONDS), "+Inf"]
            buckets = list(zip(limits, accumulate(tally.by_seconds), strict=True))
            took.add_metric([source], buckets, tally.seconds)
        yield received
        yield took


WEBHOOKS = Webhooks()
REGISTRY.register(WEBHOOKS)
