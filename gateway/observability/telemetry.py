"""Every metric of the gateway, in one registry, with label values from bounded sets."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import nan
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

Child = TypeVar("Child")

LIVE_MESSAGES = frozenset({"complete", "connection_init", "ping", "pong", "subscribe"})
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
OTHER = "other"
FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_SECONDS = (0.01, 0.1, 1, 10, 60, 300, 1800)
BATCH_EVENTS = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
# More names than the code has would mean that something made up names: they share one label.
MAX_NAMES = 200


def _held(labels: Callable[..., Child]) -> Callable[..., Child]:
    """Finding the series of some label values costs more than counting: remember which it was."""
    return lru_cache(maxsize=2048)(labels)


class Telemetry:
    """The metrics of one process. Its methods are what the other parts are given to call."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._names: dict[str, set[str]] = {}
        self._make_request_metrics()
        self._make_edge_metrics()
        self._make_storage_metrics()
        self.ingest = IngestMetrics(self.registry)

    def _make_request_metrics(self) -> None:
        requests = Counter(
            "gateway_http_requests",
            "HTTP requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._requests_by = _held(requests.labels)
        request_seconds = Histogram(
            "gateway_http_request_seconds",
            "Seconds from the request line to the end of the answer.",
            ["route", "method"],
            buckets=FAST_SECONDS,
            registry=self.registry,
        )
        self._request_seconds_by = _held(request_seconds.labels)
        operations = Counter(
            "gateway_graphql_operations",
            "GraphQL operations by type and by the code of the first error, or ok.",
            ["type", "outcome"],
            registry=self.registry,
        )
        self._operations_by = _held(operations.labels)
        operation_seconds = Histogram(
            "gateway_graphql_operation_seconds",
            "Seconds to read, prepare and execute one GraphQL operation.",
            ["type"],
            buckets=FAST_SECONDS,
            registry=self.registry,
        )
        self._operation_seconds_by = _held(operation_seconds.labels)

    def _make_edge_metrics(self) -> None:
        documents = Counter(
            "gateway_graphql_documents",
            "Look-ups of parsed and validated documents.",
            ["outcome"],
            registry=self.registry,
        )
        self._documents_by = _held(documents.labels)
        admissions = Counter(
            "gateway_admissions",
            "Decisions on budgets: whether there was room.",
            ["budget", "outcome"],
            registry=self.registry,
        )
        self._admissions_by = _held(admissions.labels)
        fallbacks = Counter(
            "gateway_limits_fallbacks",
            "How often Redis was given up for a while, so that each process counted limits alone.",
            registry=self.registry,
        )
        self.on_limits_fallback = fallbacks.inc
        audit_lost = Counter(
            "gateway_audit_entries_lost",
            "Uses of tokens and crashes that could not be kept for the audit log.",
            registry=self.registry,
        )
        self.on_audit_lost = audit_lost.inc
        topics = Gauge(
            "gateway_live_topics",
            "Subscriptions that are computed, each once for all who follow it.",
            registry=self.registry,
        )
        self.on_topics = topics.set
        live_connections = Gauge(
            "gateway_live_connections", "WebSockets that are open.", registry=self.registry
        )
        self.on_live_connections = live_connections.set
        live_waiting = Gauge(
            "gateway_live_waiting_bytes",
            "Bytes of the answers that subscribers have not taken yet.",
            registry=self.registry,
        )
        self.watch_live_waiting = live_waiting.set_function
        live_messages = Counter(
            "gateway_live_messages",
            "Messages that came by WebSocket, by type.",
            ["type"],
            registry=self.registry,
        )
        self._live_messages_by = _held(live_messages.labels)
        untrusted = Counter(
            "gateway_graphql_untrusted_documents",
            "Requests with a document that is not registered, where that is looked at.",
            registry=self.registry,
        )
        self.on_untrusted = untrusted.inc
        responses = Counter(
            "gateway_response_cache_lookups",
            "Look-ups of whole answers that were kept, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self._responses_by = _held(responses.labels)

    def _make_storage_metrics(self) -> None:
        statement_seconds = Histogram(
            "gateway_sql_statement_seconds",
            "Seconds a SQL statement took, waiting for a connection included.",
            ["query"],
            buckets=FAST_SECONDS,
            registry=self.registry,
        )
        self._statement_seconds_by = _held(statement_seconds.labels)
        cache = Counter(
            "gateway_cache_lookups",
            "Look-ups in the answer cache by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self._cache_by = _held(cache.labels)
        self._job_seconds = Histogram(
            "gateway_job_seconds",
            "Seconds a background job took.",
            ["job", "outcome"],
            buckets=JOB_SECONDS,
            registry=self.registry,
        )
        self._job_finished = Gauge(
            "gateway_job_last_success_timestamp_seconds",
            "When a background job last succeeded.",
            ["job"],
            registry=self.registry,
        )
        self._partitions = Gauge(
            "gateway_partitions",
            "Partitions of each table, as the worker last counted them.",
            ["table"],
            registry=self.registry,
        )

        self._backend_memory = Gauge(
            "gateway_database_backend_memory_bytes",
            "Memory of the database backend that this process used last; NaN where the role may "
            "not look.",
            registry=self.registry,
        )
        self._backend_memory.set(nan)

    def on_request(self, route: str, method: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else OTHER
        self._requests_by(route, method, str(status)).inc()
        self._request_seconds_by(route, method).observe(seconds)

    def on_operation(self, kind: str, outcome: str, seconds: float) -> None:
        self._operations_by(kind, self._known("outcome", outcome)).inc()
        self._operation_seconds_by(kind).observe(seconds)

    def on_document(self, hit: bool) -> None:
        self._documents_by("hit" if hit else "miss").inc()

    def on_admission(self, budget: str, admitted: bool) -> None:
        outcome = "admitted" if admitted else "refused"
        self._admissions_by(self._known("budget", budget), outcome).inc()

    def on_live_message(self, kind: str) -> None:
        self._live_messages_by(kind if kind in LIVE_MESSAGES else OTHER).inc()

    def on_response(self, outcome: str) -> None:
        self._responses_by(outcome).inc()

    def on_statement(self, query: str, seconds: float) -> None:
        self._statement_seconds_by(self._known("query", query)).observe(seconds)

    def on_cache(self, outcome: str) -> None:
        self._cache_by(outcome).inc()

    def on_job(self, job: str, seconds: float, finished_at: float | None) -> None:
        """`finished_at` is the time of success; None when the job failed."""
        outcome = "failed" if finished_at is None else "ok"
        self._job_seconds.labels(job, outcome).observe(seconds)
        if finished_at is not None:
            self._job_finished.labels(job).set(finished_at)

    def on_partitions(self, counts: Mapping[str, int]) -> None:
        for table, count in counts.items():
            self._partitions.labels(table).set(count)

    def on_backend_memory(self, size_bytes: int) -> None:
        self._backend_memory.set(size_bytes)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics as text, in the format the scraper prefers, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _known(self, label: str, name: str) -> str:
        names = self._names.setdefault(label, set())
        if name in names:
            return name
        if len(names) >= MAX_NAMES:
            return OTHER
        names.add(name)
        return name


class IngestMetrics:
    """What ingest tells as it happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "gateway_ingest_events",
            "Events answered: accepted, duplicate, ignored or rejected.",
            ["status"],
            registry=registry,
        )
        self._rejected = Counter(
            "gateway_ingest_rejected_events",
            "Rejected events by reason.",
            ["code"],
            registry=registry,
        )
        self._retries = Counter(
            "gateway_ingest_retries",
            "Batches that were sent again, by reason.",
            ["reason"],
            registry=registry,
        )
        self._batch_events = Histogram(
            "gateway_ingest_batch_events",
            "Events committed in one transaction.",
            buckets=BATCH_EVENTS,
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "gateway_ingest_batch_seconds",
            "Seconds one transaction of events took, all roll-ups included.",
            buckets=FAST_SECONDS,
            registry=registry,
        )

    def accepted(self, count: int) -> None:
        self._events.labels("accepted").inc(count)

    def duplicates(self, count: int) -> None:
        self._events.labels("duplicate").inc(count)

    def ignored(self, count: int) -> None:
        self._events.labels("ignored").inc(count)

    def rejected(self, code: str, count: int) -> None:
        self._events.labels("rejected").inc(count)
        self._rejected.labels(code).inc(count)

    def batch(self, events: int, seconds: float) -> None:
        self._batch_events.observe(events)
        self._batch_seconds.observe(seconds)

    def retried(self, reason: str) -> None:
        self._retries.labels(reason).inc()
