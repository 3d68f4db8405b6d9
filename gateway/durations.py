"""How often something was done and how long it took, for what is done with every request.

A histogram of the client library takes locks and walks its buckets at each observation. Here an
observation is one number appended to a list; the lists are counted when they are long, and when
somebody asks. It gives the samples that the library's own would, but for `_created`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

WAITING_AT_MOST = 1_000

Labels = tuple[str, ...]


class Described(NamedTuple):
    """A metric's name and its help text."""

    name: str
    text: str


@dataclass(slots=True)
class _Counted:
    """What was observed under some labels: how many up to each bound, beyond them, and in all."""

    up_to: list[int]
    beyond: int = 0
    seconds: float = 0.0

    @property
    def times(self) -> int:
        return self.up_to[-1] + self.beyond

    def add(self, other: "_Counted") -> None:
        self.up_to = [sum(pair) for pair in zip(self.up_to, other.up_to, strict=True)]
        self.beyond += other.beyond
        self.seconds += other.seconds


@dataclass(eq=False, slots=True)
class Durations(Collector):
    """A histogram, and where it is wanted a counter with one label more.

    It belongs to the thread of the event loop: nothing here is locked.
    """

    histogram: Described
    labels: Labels
    bounds_seconds: Sequence[float]
    counter: Described | None = None
    counter_label: str = ""
    _waiting: dict[Labels, list[float]] = field(default_factory=lambda: defaultdict(list))
    _counted: dict[Labels, _Counted] = field(default_factory=dict)

    def observe(self, values: Labels, seconds: float) -> None:
        """`values` are of the labels, the counter's after the others, from bounded sets."""
        waiting = self._waiting[values]
        waiting.append(seconds)
        if len(waiting) >= WAITING_AT_MOST:
            self._count(values)

    def collect(self) -> Iterator[Metric]:
        for values in self._waiting:
            self._count(values)
        if self.counter is not None:
            times = CounterMetricFamily(*self.counter, labels=[*self.labels, self.counter_label])
            for values, counted in self._counted.items():
                times.add_metric(values, counted.times)
            yield times
        together: dict[Labels, _Counted] = defaultdict(self._nothing)
        for values, counted in self._counted.items():
            together[values[: len(self.labels)]].add(counted)
        seconds = HistogramMetricFamily(*self.histogram, labels=self.labels)
        for values, counted in together.items():
            seconds.add_metric(values, self._buckets(counted), counted.seconds)
        yield seconds

    def _count(self, values: Labels) -> None:
        waiting = sorted(self._waiting[values])
        self._waiting[values].clear()
        up_to = [bisect_right(waiting, bound) for bound in self.bounds_seconds]
        counted = _Counted(up_to, len(waiting) - up_to[-1], sum(waiting))
        self._counted.setdefault(values, self._nothing()).add(counted)

    def _nothing(self) -> _Counted:
        return _Counted([0] * len(self.bounds_seconds))

    def _buckets(self, counted: _Counted) -> list[tuple[str, float]]:
        bounds = [str(float(bound)) for bound in self.bounds_seconds]
        return [*zip(bounds, counted.up_to, strict=True), ("+Inf", counted.times)]
