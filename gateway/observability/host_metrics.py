"""The host's CPU, memory, load and uptime as metrics, read when they are scraped."""

import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.observability.host import Figure, Host

OWN_PREFIX = "gateway_"
# The names that the requirements give.
SOURCE_PREFIX = "coderunner_"
# Scrapers that come sooner get the same figures: the use of the CPU within less says little.
SHORTEST_SECONDS = 1.0

# The labels of each metric, and what it means.
_METRICS: dict[str, tuple[tuple[str, ...], str]] = {
    "system_cpu_busy_percent": (
        (),
        "CPU of the host in use since it was read before, of all cores together.",
    ),
    "system_cpu_usage_percent": (
        ("core", "type"),
        "CPU of the host in use since it was read before; the core is a number or all.",
    ),
    "system_memory_usage_percent": (
        (),
        "Memory of the host in use: what programs cannot have at once.",
    ),
    "system_memory_usage_bytes": (("type",), "Memory of the host: used, available, swap."),
    "system_load_average": (("period",), "Load of the host over 1, 5 and 15 minutes."),
    "system_uptime_seconds": ((), "Time since the host was started."),
}


class HostCollector(Collector):
    """Reads the host at each scrape; every metric has a name with each prefix.

    Figures that this machine does not have are left out.
    """

    def __init__(
        self,
        host: Host,
        prefixes: Sequence[str],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._prefixes = prefixes
        self._stopwatch = stopwatch
        self._read_at = stopwatch()
        self._figures: list[Figure] = []

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing, so that the host is not read to register the collector."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Returns the metrics that this machine has."""
        now = self._stopwatch()
        if not self._figures or now - self._read_at >= SHORTEST_SECONDS:
            self._figures, self._read_at = self._host.now(), now
        for metric, (labels, meaning) in _METRICS.items():
            found = [figure for figure in self._figures if figure.metric == metric]
            for prefix in self._prefixes if found else ():
                family = GaugeMetricFamily(f"{prefix}{metric}", meaning, labels=labels)
                for figure in found:
                    family.add_metric([figure.labels[name] for name in labels], figure.value)
                yield family
