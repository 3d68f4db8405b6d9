"""Model calls are written to a real MLflow server, where its own search finds them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from gateway.observability.mlflow import API, ModelRuns
from ingest.events import Event
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise
from storage.errors import Unavailable
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.mlflow.server import mlflow_server

pytestmark = pytest.mark.process

NOW = datetime.now(UTC).replace(microsecond=250_000)
ENDED_MS = int(NOW.timestamp() * 1000)


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


async def runs_of(mlflow: str, project: str) -> list[dict[str, Any]]:
    """The runs in a project's experiment, as MLflow's search tells of them."""
    async with httpx.AsyncClient(base_url=mlflow + API, timeout=30) as client:
        named = {"experiment_name": project}
        found = await client.get("experiments/get-by-name", params=named)
        if found.status_code == 404:
            return []
        ids = [found.raise_for_status().json()["experiment"]["experiment_id"]]
        asked = {"experiment_ids": ids, "max_results": 1000}
        runs = (await client.post("runs/search", json=asked)).raise_for_status().json()
    return list(runs.get("runs", []))


def told(run: dict[str, Any]) -> dict[str, Any]:
    """What a run holds, by name."""
    info, data = run["info"], run["data"]
    parts = {
        part: {item["key"]: item["value"] for item in data.get(part, [])}
        for part in ("params", "metrics", "tags")
    }
    times = {name: info[name] for name in ("status", "start_time", "end_time")}
    parts["tags"].pop("mlflow.runName")
    return times | parts


def call(project: str, **fields: Any) -> dict[str, Any]:
    given = {"type": "model.call", "time": NOW.isoformat(), "model": "llama-3.1-8b"}
    return {**given, "project": project, **fields}


async def test_model_calls_become_runs_of_the_experiment_of_their_project(
    mlflow: str, database_url: str, redis_url: str
) -> None:
    """R156, R167."""
    shop, docs, event_id = f"shop-{uuid4().hex[:8]}", f"docs-{uuid4().hex[:8]}", str(uuid4())
    known = {"task": "summary", "environment": "production", "accepted": True}
    figures = {"inputTokens": 1840, "outputTokens": 212, "latencyMs": 1430.5}
    new = [
        call(shop, id=event_id, **known, **figures),
        call(shop, id="m-2", accepted=False, inputTokens=2**31 - 1),
        call(shop, id="m-3"),
        call(docs, id="m-1", task="title"),
    ]
    api_call = {"type": "api.call", "endpoint": "/", "method": "GET", "status": 200}
    others = [call(shop, id="m-4", inputTokens=-1), call(shop, **api_call)]
    settings = settings_for(database_url, redis_url, mlflow_tracking_uri=mlflow)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        statuses = [await post(client, events) for events in (new + others, new)]
        assert statuses == [["accepted"] * 4 + ["rejected", "accepted"], ["duplicate"] * 4]

        async def are_written() -> bool:
            runs = [*await runs_of(mlflow, shop), *await runs_of(mlflow, docs)]
            return [run["info"]["status"] for run in runs].count("FINISHED") == 4

        await eventually(are_written, 60)
        assert "gateway_mlflow_calls_lost_total 0.0" in (await client.get("/metrics")).text
    runs = {run["info"]["run_name"]: told(run) for run in await runs_of(mlflow, shop)}
    assert runs.keys() == {event_id, "m-2", "m-3"}
    assert runs[event_id] == {
        "status": "FINISHED",
        "start_time": ENDED_MS - 1430,
        "end_time": ENDED_MS,
        "params": {"model": "llama-3.1-8b", "task": "summary"},
        "metrics": {
            "input_tokens": 1840,
            "output_tokens": 212,
            "latency_seconds": 1.4305,
            "accepted": 1,
        },
        "tags": {"event_id": event_id, "environment": "production"},
    }
    assert runs["m-2"]["metrics"] == {"input_tokens": 2**31 - 1, "accepted": 0}
    assert runs["m-3"]["metrics"] == {}
    assert (runs["m-3"]["start_time"], runs["m-3"]["end_time"]) == (ENDED_MS, ENDED_MS)
    (run,) = await runs_of(mlflow, docs)
    assert told(run)["params"] == {"model": "llama-3.1-8b", "task": "title"}


async def post(client: httpx.AsyncClient, events: list[dict[str, Any]]) -> list[str]:
    answer = (await client.post("/v1/events", json=events)).json()
    return [result["status"] for result in answer["results"]]


class CutOff(httpx.AsyncHTTPTransport):
    """Loses MLflow's answer to one request, by its number."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self.left = lost

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        self.left -= 1
        if self.left == 0:
            await answer.aclose()
            raise httpx.ReadTimeout("no answer", request=request)
        return answer


# Two for the experiment, and three for a run.
@pytest.mark.parametrize("lost", range(1, 6))
async def test_call_whose_writing_was_cut_off_is_written_once(mlflow: str, lost: int) -> None:
    project = f"cut-{uuid4().hex[:8]}"
    event = normalise(Raw(call(project, id="m-1", inputTokens=3)), TimeWindow.at(NOW))
    assert isinstance(event, Event)
    transport = CutOff(lost)
    async with httpx.AsyncClient(base_url=mlflow + API, timeout=30, transport=transport) as client:
        runs = ModelRuns(client)
        with pytest.raises(Unavailable):
            await runs.write([event])
        assert await runs.write([event]) == 0
    (run,) = map(told, await runs_of(mlflow, project))
    assert (run["status"], run["end_time"]) == ("FINISHED", ENDED_MS)
    assert run["params"] == {"model": "llama-3.1-8b"}
    assert run["metrics"] == {"input_tokens": 3}


async def test_experiment_that_was_deleted_loses_its_calls_but_no_others(mlflow: str) -> None:
    gone, kept = f"gone-{uuid4().hex[:8]}", f"kept-{uuid4().hex[:8]}"
    events = [
        event
        for project in (gone, kept)
        if isinstance(event := normalise(Raw(call(project, id="m")), TimeWindow.at(NOW)), Event)
    ]
    async with httpx.AsyncClient(base_url=mlflow + API, timeout=30) as client:
        runs = ModelRuns(client)
        made = await client.post("experiments/create", json={"name": gone})
        deleted = {"experiment_id": made.json()["experiment_id"]}
        (await client.post("experiments/delete", json=deleted)).raise_for_status()
        assert await runs.write(events) == 1
    assert len(await runs_of(mlflow, kept)) == 1
