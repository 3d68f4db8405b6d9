"""The metrics of the database connection pool, read at each scrape."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from storage.connections.lending import PoolState


@dataclass(frozen=True, slots=True)
class PoolCollector(Collector):
    state: Callable[[], PoolState]

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily | SummaryMetricFamily]:
        state = self.state()
        yield GaugeMetricFamily(
            "gateway_database_connections_limit",
            "Database connections this process may open.",
            state.limit,
        )
        connections = GaugeMetricFamily(
            "gateway_database_connections", "Open database connections.", labels=["state"]
        )
        connections.add_metric(["in_use"], state.in_use)
        connections.add_metric(["idle"], state.idle)
        yield connections
        yield GaugeMetricFamily(
            "gateway_database_connection_waiters",
            "Statements and transactions waiting for a connection.",
            state.waiting,
        )
        yield SummaryMetricFamily(
            "gateway_database_connection_wait_seconds",
            "Waits for a connection when none was idle, including the time to open one.",
            state.waits,
            state.waited_seconds,
        )
        yield CounterMetricFamily(
            "gateway_database_pool_full",
            "Waits that timed out because all connections stayed in use.",
            state.refused,
        )
