"""Samples, from their events over HTTP to the list of them and their figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schema import schema
from schema.internals import core
from storage.facts.samples import LARGEST
from tests.gateway.test_flow import Gateway, started

LOAD, BYTES = "system_load_average", "system_network_bytes"
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
# Minutes after the start, metric, value, and labels.
SENT: list[tuple[int, str, float, dict[str, str]]] = [
    (0, LOAD, 0.1, {"period": "1m"}),
    (1, LOAD, 0.2, {"period": "1m"}),
    (61, LOAD, 0.6, {"period": "1m"}),
    (61, LOAD, 4, {"period": "15m"}),
    (2, BYTES, LARGEST, {}),
    (3, BYTES, 0.000000001, {}),
    (4, BYTES, -5, {}),
]
EXTREMES = "count sum average minimum maximum last"


@pytest.fixture
async def gateway(database_url: str, redis_url: str) -> AsyncIterator[Gateway]:
    async with started(database_url, redis_url) as gateway:
        yield gateway


async def send(gateway: Gateway) -> None:
    events = [
        {
            "type": "metric.sample",
            "id": f"s-{number}",
            "project": gateway.project,
            "time": (START + timedelta(minutes=minutes)).isoformat(),
            "metric": metric,
            "value": value,
            "labels": labels,
        }
        for number, (minutes, metric, value, labels) in enumerate(SENT)
    ]
    answer = await gateway.client.post("/v1/events", json=[*events[::-1], *events])
    statuses = [result["status"] for result in answer.json()["results"]]
    assert statuses == ["accepted"] * len(SENT) + ["duplicate"] * len(SENT)


async def figures(gateway: Gateway, chosen: str, selected: str) -> Any:
    document = f"""query($p: [String!]!) {{
      sampleStats(filter: {{projects: $p {chosen}}}, range: {{last: "PT6H"}}) {{ {selected} }} }}"""
    return (await gateway.ask(document))["sampleStats"]


async def test_a_metric_has_its_extremes_by_hour_and_by_labels(gateway: Gateway) -> None:
    await send(gateway)
    found = await figures(gateway, f'metrics: ["{LOAD}"]', EXTREMES)
    assert found == {
        "count": 4,
        "sum": 4.9,
        "average": 1.225,
        "minimum": 0.1,
        "maximum": 4.0,
        "last": 4.0,  # of two at one moment the highest
    }
    grouped = await figures(
        gateway, f'metrics: ["{LOAD}"]', f"byLabelSet {{ name {EXTREMES} series {{ maximum }} }}"
    )
    first, second = grouped["byLabelSet"]
    points = [point["maximum"] for point in first.pop("series") if point["maximum"] is not None]
    assert points == [0.2, 0.6]
    assert first == {
        "name": "period=1m",
        "count": 3,
        "sum": 0.9,
        "average": 0.3,
        "minimum": 0.1,
        "maximum": 0.6,
        "last": 0.6,
    }
    assert (second["name"], second["last"]) == ("period=15m", 4.0)


async def test_values_of_several_metrics_are_not_mixed(gateway: Gateway) -> None:
    await send(gateway)
    found = await figures(gateway, "", f"{EXTREMES} byMetric {{ name {EXTREMES} }}")
    by_metric = {group.pop("name"): group for group in found.pop("byMetric")}
    assert found == {"count": 7} | dict.fromkeys(EXTREMES.split()[1:])
    assert by_metric[BYTES] == {
        "count": 3,
        "sum": LARGEST - 5 + 0.000000001,
        "average": pytest.approx((LARGEST - 5) / 3),
        "minimum": -5.0,
        "maximum": LARGEST,
        "last": -5.0,
    }
    assert by_metric[LOAD]["count"] == 4


async def test_metrics_have_a_column_of_each(gateway: Gateway) -> None:
    await send(gateway)
    table = await gateway.ask(
        """query($p: [String!]!) { metrics(
          measures: [SAMPLE_LAST, SAMPLE_COUNT], groupBy: [METRIC], filter: {projects: $p}
          range: {last: "PT6H"}
        ) { groups { keys { name } } columns { unit totals total } } }"""
    )
    last, count = table["metrics"]["columns"]
    names = [group["keys"][0]["name"] for group in table["metrics"]["groups"]]
    assert dict(zip(names, last["totals"], strict=True)) == {LOAD: 4.0, BYTES: -5.0}
    assert (last["unit"], last["total"]) == ("OF_METRIC", None)
    assert (sorted(count["totals"]), count["total"]) == ([3.0, 4.0], 7.0)


async def test_samples_are_listed_as_they_were_sent(gateway: Gateway) -> None:
    await send(gateway)
    document = f"""query($p: [String!]!) {{
      samples(filter: {{projects: $p, labelSets: ["period=15m"]}}) {{ totalCount nodes {{
        externalId metric value labelSet labels {{ name value }} occurredAt environment {{ name }}
      }} }}
      all: samples(filter: {{projects: $p, metrics: ["{BYTES}"]}}) {{
        nodes {{ value labels {{ name }} }}
      }}
    }}"""
    found = await gateway.ask(document)
    assert found["samples"] == {
        "totalCount": 1,
        "nodes": [
            {
                "externalId": "s-3",
                "metric": LOAD,
                "value": 4.0,
                "labelSet": "period=15m",
                "labels": [{"name": "period", "value": "15m"}],
                "occurredAt": (START + timedelta(minutes=61)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "environment": None,
            }
        ],
    }
    assert found["all"]["nodes"] == [
        {"value": value, "labels": []} for value in (-5.0, 0.000000001, LARGEST)
    ]


async def test_a_sample_is_recorded_by_a_mutation(gateway: Gateway) -> None:
    document = """mutation($input: SampleEventInput!) {
      recordSample(input: $input) { result { status } userErrors { field code } } }"""
    given = {"project": gateway.project, "metric": "plan_users", "value": 12.5}
    answer = await gateway.ask(document, input={**given, "labels": {"plan": "pro"}})
    assert answer["recordSample"] == {"result": {"status": "ACCEPTED"}, "userErrors": []}
    answer = await gateway.ask(document, input={**given, "value": 1.1 * LARGEST})
    problem = {"field": ["input", "value"], "code": "INVALID_NUMBER"}
    assert answer["recordSample"]["userErrors"] == [problem]
    found = await figures(gateway, 'metrics: ["plan_users"]', "count last byLabelSet { name last }")
    assert found == {"count": 1, "last": 12.5, "byLabelSet": [{"name": "plan=pro", "last": 12.5}]}


def test_figures_say_where_they_are_null() -> None:
    described = core(schema).type_map["SampleFigures"].fields  # type: ignore[attr-defined]
    null_where = "; null if there are no samples or they are of several metrics."
    told = {name for name, field in described.items() if field.description.endswith(null_where)}
    assert told == {*EXTREMES.split()} - {"count"}


CPU = [
    ({"core": "all", "host": "a", "type": "busy"}, 1),
    ({"core": "0", "host": "a", "type": "busy"}, 10),
    ({"core": "all", "host": "a", "type": "user"}, 100),
    ({"core": "all", "host": "b", "type": "busy"}, 1_000),
    ({"core": "all", "host": "b", "type": "busy-ish"}, 10_000),
]


async def test_samples_are_selected_by_some_of_their_labels(gateway: Gateway) -> None:
    events = [
        {
            "type": "metric.sample",
            "id": f"c-{number}",
            "project": gateway.project,
            "time": START.isoformat(),
            "metric": "cpu",
            "value": value,
            "labels": labels,
        }
        for number, (labels, value) in enumerate(CPU)
    ]
    answer = await gateway.client.post("/v1/events", json=events)
    assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
    for labels, expected in (
        (["type=busy"], 1_011),
        (["type=busy", "core=all"], 1_001),
        (["core=all", "type=busy", "host=b"], 1_000),
        ([], 11_111),
        (["type=bus"], None),
        (["type=busy", "host=c"], None),
    ):
        chosen = "labels: [" + ", ".join(f'"{each}"' for each in labels) + "]"
        assert (await figures(gateway, chosen, "sum"))["sum"] == expected, labels
        document = f"""query($p: [String!]!) {{
          samples(filter: {{projects: $p {chosen}}}) {{ nodes {{ value }} }} }}"""
        nodes = (await gateway.ask(document))["samples"]["nodes"]
        assert sum(node["value"] for node in nodes) == (expected or 0)


@pytest.mark.parametrize("chosen", ['labels: ["type"]', 'labels: ["a=b"], labelSets: ["a=b"]'])
async def test_wrong_labels_are_refused(gateway: Gateway, chosen: str) -> None:
    document = f'{{ sampleStats(filter: {{{chosen}}}, range: {{last: "PT6H"}}) {{ sum }} }}'
    answer = (await gateway.client.post("/graphql", json={"query": document})).json()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "labels" in str(error)
