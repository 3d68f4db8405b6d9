"""Every metric of the gateway, in one registry, with label values from bounded sets."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.exchange import Exchange
from gateway.observability.host import Host
from gateway.observability.host_metrics import OWN_PREFIX, SOURCE_PREFIX, HostCollector
from ingest.events import Code, EventStatus
from ingest.lanes import Observer
from storage.facts import FACTS
from storage.facts.fact import Entity

LIVE_MESSAGES = frozenset({"complete", "connection_init", "ping", "pong", "subscribe"})
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
OTHER = "other"
FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_SECONDS = (0.01, 0.1, 1, 10, 60, 300, 1800)
BATCH_EVENTS = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
# The code has fewer names than this: a label with more takes them from clients by mistake.
MAX_NAMES = 200
SERIES = 2048  # cached for each metric


def known_method(method: str) -> str:
    """The HTTP method, or OTHER for a word that is none."""
    return method if method in METHODS else OTHER


class _Registry(CollectorRegistry):
    """A registry that declares its metrics, by their label names.

    The labelled ones are functions from label values to a series. They are cached, as the
    library takes longer to find a series than to count.
    """

    def counters(self, name: str, description: str, *labels: str) -> Callable[..., Counter]:
        return lru_cache(SERIES)(Counter(name, description, labels, registry=self).labels)

    def gauges(self, name: str, description: str, *labels: str) -> Callable[..., Gauge]:
        return lru_cache(SERIES)(Gauge(name, description, labels, registry=self).labels)

    def histograms(
        self, name: str, description: str, *labels: str, buckets: Sequence[float] = FAST_SECONDS
    ) -> Callable[..., Histogram]:
        histogram = Histogram(name, description, labels, buckets=buckets, registry=self)
        return lru_cache(SERIES)(histogram.labels)


class Telemetry:
    """The metrics of one process, and the callbacks that record them."""

    def __init__(self) -> None:
        self.registry = _Registry()
        ProcessCollector(registry=self.registry)
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._declare_requests(self.registry)
        self._declare_subscriptions(self.registry)
        self._declare_storage(self.registry)
        self.ingest = IngestMetrics(self.registry)

    def _declare_requests(self, registry: _Registry) -> None:
        self._requests = registry.counters(
            "gateway_http_requests", "HTTP requests answered.", "route", "method", "status"
        )
        self._request_seconds = registry.histograms(
            "gateway_http_request_seconds", "Duration of HTTP requests.", "route", "method"
        )
        self._operations = registry.counters(
            "gateway_graphql_operations",
            "GraphQL operations; the outcome is ok or the code of the first error.",
            "type",
            "outcome",
        )
        self._operation_seconds = registry.histograms(
            "gateway_graphql_operation_seconds", "Duration of GraphQL operations.", "type"
        )
        self._documents = registry.counters(
            "gateway_graphql_documents", "Look-ups of validated documents.", "outcome"
        )
        self.on_untrusted = Counter(
            "gateway_graphql_untrusted_documents",
            "Requests with an unregistered document, refused or only logged.",
            registry=registry,
        ).inc
        self._admissions = registry.counters(
            "gateway_admissions", "Decisions of the rate limits.", "budget", "outcome"
        )
        self.on_limits_fallback = Counter(
            "gateway_limits_fallbacks",
            "Times that Redis failed and each process counted its rate limits alone.",
            registry=registry,
        ).inc
        self.on_audit_lost = Counter(
            "gateway_audit_entries_lost",
            "Token uses and crashes that could not be written to the audit log.",
            registry=registry,
        ).inc
        self.on_api_calls_lost = Counter(
            "gateway_api_calls_lost",
            "API calls of the gateway that could not be recorded as events.",
            registry=registry,
        ).inc
        self.on_host_samples_lost = Counter(
            "gateway_host_samples_lost",
            "Samples of the host that could not be recorded as events.",
            registry=registry,
        ).inc
        self.on_own_errors_lost = Counter(
            "gateway_own_errors_lost",
            "Crashes of the gateway that could not be recorded as errors.",
            registry=registry,
        ).inc
        self.on_own_lines_lost = Counter(
            "gateway_own_lines_lost",
            "Lines of the gateway's log that could not be recorded as events.",
            registry=registry,
        ).inc
        self.on_mlflow_calls_lost = Counter(
            "gateway_mlflow_calls_lost",
            "Model calls that could not be written to MLflow.",
            registry=registry,
        ).inc
        self._dropped = registry.counters(
            "gateway_dropped_events",
            "Events and other items of SDKs that are not stored.",
            "category",
            "reason",
        )

    def _declare_subscriptions(self, registry: _Registry) -> None:
        self.on_topics = Gauge(
            "gateway_live_topics",
            "Running subscriptions; equal ones are shared and count once.",
            registry=registry,
        ).set
        self.on_live_connections = Gauge(
            "gateway_live_connections", "Open WebSockets.", registry=registry
        ).set
        self.watch_live_waiting = Gauge(
            "gateway_live_waiting_bytes",
            "Size of the answers that subscribers have not read yet.",
            registry=registry,
        ).set_function
        self._live_messages = registry.counters(
            "gateway_live_messages", "Messages received by WebSocket.", "type"
        )

    def _declare_storage(self, registry: _Registry) -> None:
        self._responses = registry.counters(
            "gateway_response_cache_lookups", "Look-ups of whole responses.", "outcome"
        )
        self._cache = registry.counters(
            "gateway_cache_lookups", "Look-ups of aggregates.", "outcome"
        )
        self._statement_seconds = registry.histograms(
            "gateway_sql_statement_seconds",
            "Duration of SQL statements, including the wait for a connection.",
            "query",
        )
        self._job_seconds = registry.histograms(
            "gateway_job_seconds",
            "Duration of background jobs.",
            "job",
            "outcome",
            buckets=JOB_SECONDS,
        )
        self._job_finished = registry.gauges(
            "gateway_job_last_success_timestamp_seconds",
            "When a background job last succeeded.",
            "job",
        )
        self._partitions = registry.gauges(
            "gateway_partitions", "Partitions at the worker's last count.", "table"
        )

    def on_request(self, exchange: Exchange, status: int, seconds: float) -> None:
        route, method = exchange.route.path, known_method(exchange.method)
        self._requests(route, method, str(status)).inc()
        self._request_seconds(route, method).observe(seconds)

    def on_operation(self, kind: str, outcome: str, seconds: float) -> None:
        self._operations(kind, self._bounded("outcome", outcome)).inc()
        self._operation_seconds(kind).observe(seconds)

    def on_document(self, hit: bool) -> None:
        self._documents("hit" if hit else "miss").inc()

    def on_admission(self, budget: str, admitted: bool) -> None:
        outcome = "admitted" if admitted else "refused"
        self._admissions(self._bounded("budget", budget), outcome).inc()

    def on_dropped(self, category: str, reason: str, events: int) -> None:
        self._dropped(category, reason).inc(events)

    def on_live_message(self, kind: str) -> None:
        self._live_messages(kind if kind in LIVE_MESSAGES else OTHER).inc()

    def on_response(self, outcome: str) -> None:
        self._responses(outcome).inc()

    def on_statement(self, query: str, seconds: float) -> None:
        self._statement_seconds(self._bounded("query", query)).observe(seconds)

    def on_cache(self, outcome: str) -> None:
        self._cache(outcome).inc()

    def on_job(self, job: str, seconds: float, finished_at: float | None) -> None:
        """Record a run; `finished_at` is a Unix time, or None where the job failed."""
        outcome = "failed" if finished_at is None else "ok"
        self._job_seconds(job, outcome).observe(seconds)
        if finished_at is not None:
            self._job_finished(job).set(finished_at)

    def on_partitions(self, counts: Mapping[str, int]) -> None:
        for table, count in counts.items():
            self._partitions(table).set(count)

    def watch_host(self, *, source_names: bool) -> None:
        """Adds the host's figures, also by the names of the requirements if these are wanted."""
        prefixes = (OWN_PREFIX, SOURCE_PREFIX) if source_names else (OWN_PREFIX,)
        self.registry.register(HostCollector(Host(), prefixes))

    async def metrics(self, request: Request) -> Response:
        """Respond with all metrics: as text or OpenMetrics, as the scraper prefers."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        headers = {"content-type": content_type, "cache-control": "no-store", "vary": "Accept"}
        return Response(encode(self.registry), headers=headers)

    def _bounded(self, label: str, name: str) -> str:
        """The name, or OTHER where the label has MAX_NAMES values already."""
        names = self._names[label]
        if name in names:
            return name
        if len(names) >= MAX_NAMES:
            return OTHER
        names.add(name)
        return name


class IngestMetrics(Observer):
    """The metrics of event intake; an `ingest` observer."""

    def __init__(self, registry: _Registry) -> None:
        self._events = registry.counters("gateway_ingest_events", "Events answered.", "status")
        self._rejected = registry.counters(
            "gateway_ingest_rejected_events", "Events rejected, by error code.", "code"
        )
        self._finishes = registry.counters(
            "gateway_ingest_finishes",
            "Accepted events that end a deployment, a build or a certificate's request.",
            "fact",
            "status",
        )
        # From 0, so that the first one is an increase.
        for fact in FACTS.values():
            for status in fact.lifecycle.finishes if isinstance(fact, Entity) else ():
                self._finishes(fact.name, status.name.lower())
        self._retries = registry.counters(
            "gateway_ingest_retries", "Batches written again.", "reason"
        )
        self._batch_events = Histogram(
            "gateway_ingest_batch_events",
            "Events committed in one transaction.",
            buckets=BATCH_EVENTS,
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "gateway_ingest_batch_seconds",
            "Duration of transactions of events.",
            buckets=FAST_SECONDS,
            registry=registry,
        )

    def answered(self, status: EventStatus, count: int) -> None:
        self._events(status).inc(count)

    def rejected(self, code: Code, count: int) -> None:
        self._rejected(code).inc(count)

    def finished(self, fact: str, status: str, count: int) -> None:
        self._finishes(fact, status).inc(count)

    def batch(self, events: int, seconds: float) -> None:
        self._batch_events.observe(events)
        self._batch_seconds.observe(seconds)

    def retried(self, reason: str) -> None:
        self._retries(reason).inc()
