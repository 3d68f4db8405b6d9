"""/metrics: formats, bounded labels, and what is measured."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from access.viewers import Role
from gateway.observability.telemetry import MAX_NAMES, OTHER, Telemetry
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.edge import SCHEMA


async def test_metrics_come_as_text_and_as_openmetrics(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA, **as_role()) as client:
        await client.post("/graphql", json={"query": "{hello}"})
        await client.get("/surely/not/there")
        await client.request("BREW", "/nor/this")
        text = await client.get("/metrics")
        modern = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert text.headers["content-type"].startswith("text/plain")
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in text_metrics(text.text)}
    parsed = openmetrics(modern.text)  # type: ignore[no-untyped-call]
    modern_names = {family.name for family in parsed}
    assert "gateway_http_requests" in modern_names
    assert "process_resident_memory_bytes" in families
    labels = [sample.labels for sample in families["gateway_http_requests"].samples]
    assert {"route": "unmatched", "method": "other", "status": "404"} in labels
    assert "gateway_sql_statement_seconds" in families


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/graphql", {"authorization": "Bearer nonsense"}, 401),
        ("POST", "/v1/events", {"authorization": "Bearer nonsense"}, 401),
        ("POST", "/graphql", {"content-length": "99999999"}, 413),
        ("POST", "/graphql", {"origin": "https://evil.example"}, 403),
        ("GET", "/v1/events", {"authorization": "Bearer nonsense"}, 401),
        ("GET", "/graphql", {"host": "elsewhere.example"}, 421),
    ],
)
async def test_refusal_before_routing_counts_for_its_route(
    database_url: str, redis_url: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    settings = settings_for(database_url, redis_url, allowed_hosts="gateway")
    async with running(settings, SCHEMA, **as_role()) as client:
        refused = await client.request(method, path, headers=headers)
        text = (await client.get("/metrics")).text
    assert refused.status_code == status
    counted = f'gateway_http_requests_total{{method="{method}",route="{path}",status="{status}"}}'
    assert f"{counted} 1.0" in text
    assert 'route="unmatched"' not in text


async def test_statements_are_measured_by_their_name(database_url: str, redis_url: str) -> None:
    async with running(
        settings_for(database_url, redis_url), None, **as_role(Role.ADMIN)
    ) as client:
        query = "{ templates(first: 1) { nodes { slug } } }"
        for _ in range(2):
            assert "errors" not in (await client.post("/graphql", json={"query": query})).json()
        text = (await client.get("/metrics")).text
    named = [
        line for line in text.splitlines() if line.startswith("gateway_sql_statement_seconds_count")
    ]
    assert any("templates" in line for line in named), named
    assert "gateway_cache_lookups_total" in text


async def test_connections_to_the_database_are_measured(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        database = client.gateway.services.database
        async with database.connection(), database.connection():
            text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_metrics(text)}
    prefix = "gateway_database_connection"
    assert families[f"{prefix}s_limit"].samples[0].value == 4
    states = {sample.labels["state"]: sample.value for sample in families[f"{prefix}s"].samples}
    assert states["in_use"] >= 2
    assert states["in_use"] + states["idle"] <= 4
    assert families[f"{prefix}_waiters"].samples[0].value >= 0
    waits = {sample.name: sample.value for sample in families[f"{prefix}_wait_seconds"].samples}
    assert waits[f"{prefix}_wait_seconds_count"] >= 2
    assert waits[f"{prefix}_wait_seconds_sum"] > 0
    assert families["gateway_database_pool_full"].samples[0].value == 0
    assert all(family.documentation.endswith(".") for family in families.values())


def test_label_values_stay_bounded() -> None:
    telemetry = Telemetry()
    for number in range(MAX_NAMES + 50):
        telemetry.on_statement(f"query_{number}", 0.001)
    text = generate_latest(telemetry.registry).decode()
    assert text.count("gateway_sql_statement_seconds_count{") == MAX_NAMES + 1
    assert f'gateway_sql_statement_seconds_count{{query="{OTHER}"}} 50.0' in text


def test_every_metric_of_ours_has_a_name_and_a_help_text() -> None:
    families = text_metrics(generate_latest(Telemetry().registry).decode())
    for family in families:
        assert family.name.startswith(("gateway_", "process_"))
        assert family.documentation.endswith("."), family.name
