"""The metrics of evaluating alert rules, of which only the worker has values."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alerts.evaluator import Report

TICK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class AlertMetrics:
    """The metrics of evaluating alert rules, from which an outside checker sees that it goes on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leading = Gauge(
            "gateway_alerts_leading",
            "Whether this process evaluates the alert rules: of all workers one does.",
            registry=registry,
        ).set
        self._last = Gauge(
            "gateway_alerts_last_tick_timestamp_seconds",
            "When all alert rules were last evaluated; 0 if this process has not done it.",
            registry=registry,
        )
        self._rules = Gauge(
            "gateway_alerts_rules",
            "Alert rules at the last tick, by whether they could be evaluated.",
            ["outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "gateway_alerts_tick_seconds",
            "Duration of evaluating all alert rules, which is how old their data is at most.",
            buckets=TICK_SECONDS,
            registry=registry,
        )
        self._missed = Counter(
            "gateway_alerts_missed_ticks",
            "Ticks that did not happen, as none leads or one took too long.",
            registry=registry,
        )
        self._heartbeats = Counter(
            "gateway_alerts_heartbeats",
            "Heartbeats to the checker outside, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("delivered", "failed"):
            self._heartbeats.labels(outcome)
        self.told = Counter(
            "gateway_alerts_transitions",
            "Transitions of instances of alert rules.",
            registry=registry,
        ).inc

    def ticked(self, report: Report) -> None:
        """Records what a tick did."""
        self._last.set(report.at.timestamp())
        self._rules.labels("ok").set(report.rules - report.failing)
        self._rules.labels("failing").set(report.failing)
        self._seconds.observe(report.seconds)
        self._missed.inc(report.missed)
        self.told(report.transitions)

    def beat(self, outcome: str) -> None:
        """Records a heartbeat: it was delivered, or it failed."""
        self._heartbeats.labels(outcome).inc()


class DatabaseMetrics:
    """Whether the worker's watchdog finds the database."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.looked = Gauge(
            "gateway_database_reachable",
            "1 if the database answered when the worker last looked, each 5 seconds.",
            registry=registry,
        ).set


class SendMetrics:
    """The metrics of messages to channels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "gateway_alerts_attempts",
            "Tries to deliver a message of alerts, by kind of channel and what became of them.",
            ["kind", "outcome"],
            registry=registry,
        )

    def attempted(self, kind: str, outcome: str) -> None:
        """Records what became of a try."""
        self._attempts.labels(kind, outcome).inc()
