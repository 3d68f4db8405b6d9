"""Presets: rules that most people want, each with its usual numbers, to be changed at will.

That the database cannot be reached is no rule: the worker's watchdog tells it without a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from alerts.rules import (
    DAY_SECONDS,
    HOUR_SECONDS,
    MINUTE_SECONDS,
    Baseline,
    Change,
    EventKind,
    Guard,
    GuardKind,
    OnEvent,
    Operator,
    Rule,
    Severity,
    Threshold,
    Trigger,
    Watch,
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A rule to begin with.

    ``title`` names the rule that is made of it. ``channel_kinds`` are those that suit it, and
    ``of_project`` says whether a project can have it, as the platform can.
    """

    name: str
    title: str
    description: str
    trigger: Trigger
    severity: Severity = Severity.WARNING
    labels: Mapping[str, str] = field(default_factory=dict)
    channel_kinds: tuple[str, ...] = ()
    of_project: bool = True

    def rule(self, channels: tuple[str, ...] = ()) -> Rule:
        """Returns the rule, with nothing changed but who is told."""
        return Rule(
            name=self.title,
            trigger=self.trigger,
            severity=self.severity,
            channels=channels,
            labels=dict(self.labels),
            preset=self.name,
        )


# A fraction or a mean of fewer says little.
_ENOUGH = Guard(GuardKind.MIN_SAMPLE, at_least=10)
_FIVE_MINUTES = 5 * MINUTE_SECONDS


def _above(measure: str, window_seconds: int, bound: float) -> Watch:
    return Watch(measure, window_seconds, Threshold(Operator.ABOVE, bound))


def _host(metric: str, bound: float, minutes: int) -> Watch:
    """A mean of each host over a minute that is too high for so long; it has no other label."""
    return replace(
        _above("samples.average", MINUTE_SECONDS, bound),
        filter={"metric": (metric,)},
        group_by=("label_set",),
        for_seconds=minutes * MINUTE_SECONDS,
    )


def _cpu(bound: float, minutes: int) -> Watch:
    return _host("system_cpu_busy_percent", bound, minutes)


def _memory(bound: float, minutes: int) -> Watch:
    return _host("system_memory_usage_percent", bound, minutes)


def _api_errors(bound: float, minutes: int) -> Watch:
    watch = _above("api_calls.server_error_rate", _FIVE_MINUTES, bound)
    return replace(watch, for_seconds=minutes * MINUTE_SECONDS)


_DEPLOYMENTS = (
    Preset(
        "deployment_failed",
        "Deployment failed",
        "Each deployment that fails.",
        OnEvent(EventKind.DEPLOYMENT_FAILED),
    ),
    Preset(
        "deployment_failure_rate",
        "High deployment failure rate",
        "More than 10 % of the deployments that finished within an hour failed, and chance alone "
        "does not explain it.",
        _above("deployments.failure_rate_of_finishes", HOUR_SECONDS, 0.1),
    ),
    Preset(
        "deployment_slow",
        "Slow deployment",
        "Each deployment that takes longer than 10 minutes, also while it still runs.",
        OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=10 * MINUTE_SECONDS),
    ),
    Preset(
        "deployment_failures",
        "Deployment failures",
        "Any deployment failed within 5 minutes; told once, however many they are.",
        _above("deployments.finishes_failed", _FIVE_MINUTES, 0),
        labels={"team": "operations"},
    ),
    Preset(
        "certificate_expiring",
        "Certificate expires",
        "The certificate in force for a domain expires within 14 days, or has.",
        Watch(
            "certificates.days_to_expiry",
            HOUR_SECONDS,
            Threshold(Operator.BELOW, 14),
            group_by=("domain",),
        ),
    ),
    Preset(
        "build_slow",
        "Builds become slower",
        "The median build of the last day took more than 1.5 times as long as that of the 7 days "
        "before; with at least 10 builds.",
        Watch(
            "builds.duration_p50_ms",
            DAY_SECONDS,
            Change(Operator.ABOVE, 1.5, Baseline.BEFORE, 7 * DAY_SECONDS),
            _ENOUGH,
        ),
    ),
)

_FUNCTIONS = (
    Preset(
        "function_failed",
        "Function failed",
        "Each invocation of a function that ends in an error.",
        OnEvent(EventKind.FUNCTION_FAILED),
    ),
    Preset(
        "function_error_rate",
        "High function error rate",
        "More than 5 % of the invocations within an hour ended in an error, and chance alone does "
        "not explain it.",
        _above("invocations.error_rate", HOUR_SECONDS, 0.05),
    ),
    Preset(
        "function_slow",
        "Slow function",
        "The invocations of a function within an hour took more than 500 ms on average; at least "
        "10 of them.",
        replace(
            _above("invocations.average_duration_ms", HOUR_SECONDS, 500),
            guard=_ENOUGH,
            group_by=("function",),
        ),
    ),
)

_API = (
    Preset(
        "api_slow",
        "Slow API",
        "API calls within 5 minutes took more than 500 ms on average; at least 10 of them.",
        replace(_above("api_calls.average_duration_ms", _FIVE_MINUTES, 500), guard=_ENOUGH),
    ),
    Preset(
        "api_errors_critical",
        "API fails",
        "More than 15 % of the API calls within 5 minutes were answered with a status from 500 on, "
        "for 2 minutes.",
        _api_errors(0.15, 2),
        Severity.CRITICAL,
        labels={"team": "platform"},
    ),
    Preset(
        "api_errors",
        "High API error rate",
        "More than 5 % of the API calls within 5 minutes were answered with a status from 500 on, "
        "for 5 minutes.",
        _api_errors(0.05, 5),
        labels={"team": "development"},
    ),
)

_ERRORS = (
    Preset(
        "error_critical",
        "Critical error",
        "Each error whose severity is critical.",
        OnEvent(EventKind.ERROR_CRITICAL),
        Severity.CRITICAL,
    ),
    Preset(
        "error_new",
        "New error",
        "Each error that was never seen before.",
        OnEvent(EventKind.ERROR_NEW),
    ),
    Preset(
        "error_regressed",
        "Error is back",
        "Each error that was resolved and occurs again.",
        OnEvent(EventKind.ERROR_REGRESSED),
    ),
    Preset(
        "error_reached",
        "Error occurs often",
        "Each error that has occurred 100 times.",
        OnEvent(EventKind.ERROR_REACHED, count=100),
    ),
    Preset(
        "error_count",
        "Many errors",
        "More than 100 errors within an hour.",
        _above("error_occurrences.occurrences", HOUR_SECONDS, 100),
    ),
    Preset(
        "error_spike",
        "Error spike",
        "More than twice as many errors within an hour as in the hour before.",
        Watch(
            "error_occurrences.occurrences",
            HOUR_SECONDS,
            Change(Operator.ABOVE, 2),
            Guard(GuardKind.LITERAL),
        ),
    ),
    Preset(
        "error_spread",
        "Error in several projects",
        "The same error, by its signature, occurs in 3 projects.",
        OnEvent(EventKind.ERROR_SPREAD, count=3),
        Severity.CRITICAL,
        of_project=False,
    ),
)

_HOSTS = (
    Preset(
        "memory_high",
        "High memory",
        "A host uses more than 90 % of its memory.",
        _memory(90, 0),
    ),
    Preset(
        "cpu_critical",
        "CPU exhausted",
        "A host's CPU is used to more than 95 % for 2 minutes.",
        _cpu(95, 2),
        Severity.CRITICAL,
        channel_kinds=("pagerduty", "slack"),
    ),
    Preset(
        "memory_critical",
        "Memory exhausted",
        "A host uses more than 95 % of its memory for 2 minutes.",
        _memory(95, 2),
        Severity.CRITICAL,
        channel_kinds=("pagerduty", "email"),
    ),
    Preset(
        "cpu_warning",
        "High CPU use",
        "A host's CPU is used to more than 80 % for 5 minutes.",
        _cpu(80, 5),
        channel_kinds=("slack",),
    ),
    Preset(
        "memory_warning",
        "High memory use",
        "A host uses more than 85 % of its memory for 5 minutes.",
        _memory(85, 5),
        labels={"team": "platform"},
        channel_kinds=("slack",),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {each.name: each for each in (*_DEPLOYMENTS, *_FUNCTIONS, *_API, *_ERRORS, *_HOSTS)}
)

# The rules that a new project has from the start.
OF_NEW_PROJECTS: tuple[Preset, ...] = tuple(
    PRESETS[name]
    for name in (
        "deployment_failed",
        "deployment_failure_rate",
        "deployment_slow",
        "function_error_rate",
        "error_critical",
        "error_regressed",
    )
)
