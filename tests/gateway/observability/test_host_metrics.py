"""The host's figures in `/metrics`: their names, their labels, and how often the host is read."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from gateway.observability.host import MAX_CORES, Figure, Host
from gateway.observability.host_metrics import HostCollector
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.edge import SCHEMA

LABELS = {
    "system_cpu_busy_percent": set(),
    "system_cpu_usage_percent": {"core", "type"},
    "system_memory_usage_percent": set(),
    "system_memory_usage_bytes": {"type"},
    "system_load_average": {"period"},
    "system_uptime_seconds": set(),
}


def of_host(families: Sequence[Any]) -> dict[str, Any]:
    return {family.name: family for family in families if "_system_" in family.name}


async def test_the_scrape_has_the_names_and_labels_that_are_asked_for(
    database_url: str, redis_url: str
) -> None:
    """R134, E13."""
    settings = settings_for(database_url, redis_url, metrics_source_names=True)
    async with running(settings, SCHEMA, **as_role()) as client:
        await asyncio.sleep(0.05)  # the kernel counts in hundredths of a second
        text = (await client.get("/metrics")).text
        accept = {"accept": "application/openmetrics-text"}
        modern = (await client.get("/metrics", headers=accept)).text
    found = of_host(list(text_metrics(text)))
    parsed = of_host(list(openmetrics(modern)))  # type: ignore[no-untyped-call]
    names = {f"{prefix}_{name}" for prefix in ("gateway", "coderunner") for name in LABELS}
    assert found.keys() == parsed.keys() == names
    for name, labels in LABELS.items():
        ours, theirs = found[f"gateway_{name}"], found[f"coderunner_{name}"]
        assert ours.type == theirs.type == "gauge"
        assert {frozenset(sample.labels) for sample in theirs.samples} == {frozenset(labels)}
        values = [(sample.labels, sample.value) for sample in theirs.samples]
        assert values == [(sample.labels, sample.value) for sample in ours.samples]
    load = found["coderunner_system_load_average"].samples
    assert [sample.labels["period"] for sample in load] == ["1m", "5m", "15m"]
    memory = {
        s.labels["type"]: s.value for s in found["coderunner_system_memory_usage_bytes"].samples
    }
    assert 0 < memory["used"] < psutil.virtual_memory().total
    cpu = found["coderunner_system_cpu_usage_percent"].samples
    assert all(0 <= sample.value <= 100 for sample in cpu)
    cores = {sample.labels["core"] for sample in cpu} - {"all"}
    assert len(cores) == (
        (psutil.cpu_count() or 0) if (psutil.cpu_count() or 0) <= MAX_CORES else 0
    )


async def test_names_are_only_the_gateways_by_default(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA, **as_role()) as client:
        text = (await client.get("/metrics")).text
    assert "gateway_system_uptime_seconds" in text
    assert "coderunner" not in text


class FewFigures(Host):
    """A host of which only the load can be read, and how often it was."""

    reads = 0

    def now(self) -> list[Figure]:
        self.reads += 1
        return [Figure("system_load_average", 1.5, {"period": "1m"})]


def test_a_scrape_soon_after_another_has_the_same_figures() -> None:
    at, host = [0.0], FewFigures()
    collector = HostCollector(host, ("own_",), lambda: at[0])
    for at[0], reads in ((0.2, 1), (0.9, 1), (1.3, 2), (1.4, 2)):
        (family,) = collector.collect()
        assert (family.name, host.reads) == ("own_system_load_average", reads)
    assert family.samples[0].value == pytest.approx(1.5)
