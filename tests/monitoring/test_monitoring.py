"""The rules and routes for Prometheus name what is there, and tell whom they should."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from gateway.observability.alert_metrics import AlertMetrics, DatabaseMetrics, SendMetrics
from gateway.observability.telemetry import Telemetry
from tests.test_layout import ROOT

FOLDER = ROOT / "monitoring"
RULE_FILES = ("alert_rules.yml", "alerts.yml")
# By alert, the route that must tell it.
RECEIVERS = {
    "CpuExhausted": "pagerduty-and-slack",
    "MemoryExhausted": "pagerduty-and-email",
    "HighCpuUse": "slack",
    "HighMemoryUse": "team",
    "ApiFails": "team",
    "HighApiErrorRate": "development",
    "DeploymentFailures": "operations",
    "DatabaseDown": "escalation",
    "AlertsNotEvaluated": "team",
    "AlertRulesFail": "development",
    "HeartbeatsFail": "development",
}
# By receiver, the kinds of channels that it must have.
CHANNELS = {
    "pagerduty-and-slack": {"pagerduty", "slack"},
    "pagerduty-and-email": {"pagerduty", "email"},
    "slack": {"slack"},
    "team": {"slack"},
    "development": {"email"},
    "operations": {"email"},
    "escalation": {"pagerduty", "slack", "email"},
}
_METRIC = re.compile(r"\b(gateway_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)="([^"]*)"')


def load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def rules() -> Iterator[dict[str, Any]]:
    for name in RULE_FILES:
        for group in load(name)["groups"]:
            yield from group["rules"]


RULES = {rule["alert"]: rule for rule in rules()}


@pytest.fixture(scope="module")
def exported() -> dict[str, dict[str, set[str]]]:
    """By name of a sample at `/metrics` of the gateway or the worker, the values of its labels."""
    telemetry = Telemetry()
    telemetry.watch_host(source_names=False)
    registry: CollectorRegistry = telemetry.registry
    AlertMetrics(registry)
    DatabaseMetrics(registry)
    SendMetrics(registry)
    time.sleep(0.05)  # the kernel counts in hundredths of a second
    found: dict[str, dict[str, set[str]]] = {}
    for metric in registry.collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        labels = found.setdefault(name, {})
        for sample in metric.samples:
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


def test_each_rule_is_whole_and_has_a_name_of_its_own() -> None:
    assert RULES.keys() == RECEIVERS.keys()
    assert len(list(rules())) == len(RULES)
    for rule in RULES.values():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")


# Labels of which a process has values only once something has happened.
LATER = {("gateway_http_requests_total", "status"), ("gateway_alerts_rules", "outcome")}


@pytest.mark.parametrize("alert", RULES)
def test_each_metric_of_a_rule_is_exported(
    alert: str, exported: dict[str, dict[str, set[str]]]
) -> None:
    named = _METRIC.findall(RULES[alert]["expr"])
    assert named
    for metric, matchers in named:
        assert metric in exported, metric
        for label, value in _MATCHER.findall(matchers):
            if (metric, label) not in LATER:
                assert value in exported[metric][label], (metric, label)


@pytest.mark.parametrize("alert", RULES)
def test_each_alert_is_told_to_whom_it_should(alert: str) -> None:
    config = load("alertmanager.yml")
    receiver = next(
        (
            route["receiver"]
            for route in config["route"]["routes"]
            if matches(route, RULES[alert]["labels"])
        ),
        config["route"]["receiver"],
    )
    assert receiver == RECEIVERS[alert]
    (found,) = [each for each in config["receivers"] if each["name"] == receiver]
    kinds = {key.removesuffix("_configs") for key in found if key != "name"}
    assert kinds == CHANNELS[receiver]


def matches(route: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a route takes an alert; its matchers are all equalities."""
    matchers = [_MATCHER.fullmatch(matcher) for matcher in route["matchers"]]
    assert all(matchers), route
    return all(labels.get(each[1]) == each[2] for each in matchers if each)


def test_each_route_has_a_receiver_and_each_receiver_a_route() -> None:
    config = load("alertmanager.yml")
    routes = [config["route"], *config["route"]["routes"]]
    receivers = [each["name"] for each in config["receivers"]]
    assert len(set(receivers)) == len(receivers)
    assert {route["receiver"] for route in routes} == set(receivers)


def test_prometheus_reads_the_rules_and_knows_alertmanager() -> None:
    config = load("prometheus.yml")
    assert tuple(config["rule_files"]) == RULE_FILES
    assert config["global"]["scrape_interval"] == "15s"
    assert [job["job_name"] for job in config["scrape_configs"]] == ["gateway", "worker"]
    assert config["alerting"]["alertmanagers"]


# What each tool checks.
CHECKS = (
    ("promtool", "check", "rules", *RULE_FILES),
    ("promtool", "check", "config", "--syntax-only", "prometheus.yml"),
    ("promtool", "test", "rules", str(Path("../tests/monitoring/alert_rules_test.yml"))),
    ("amtool", "check-config", "alertmanager.yml"),
)


def test_their_own_tools_accept_them() -> None:
    """With `promtool` and `amtool` where the machine has them; the tests above need neither."""
    for tool, *arguments in CHECKS:
        if found := shutil.which(tool):
            done = subprocess.run(
                [found, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
