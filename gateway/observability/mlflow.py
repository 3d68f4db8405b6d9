"""Writes model calls to MLflow as runs, in the background; no request waits for it.

MLflow's REST API is all that this needs, so nothing of MLflow is installed or imported.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import httpx
import orjson
import structlog

from gateway.config.settings import Settings
from gateway.observability.send_queue import SendQueue
from gateway.observability.telemetry import Telemetry
from ingest.events import Event
from storage.dimensions import ENVIRONMENT, MODEL, TASK
from storage.errors import Unavailable
from storage.facts.model_calls import MODEL_CALLS
from storage.recent import Recent

log = structlog.get_logger(component="mlflow")

API = "/api/2.0/mlflow/"
MAX_WAITING = 5_000
AT_ONCE = 8
TIMEOUT_SECONDS = 10.0
MAX_PAUSE_SECONDS = 60.0
REMEMBERED_EXPERIMENTS = 10_000
EVENT_TAG = "event_id"
# What MLflow says where the fault is not in what it was sent, or gone at the next try.
PASSING = {
    "ABORTED",
    "CANCELLED",
    "CUSTOMER_UNAUTHORIZED",
    "DEADLINE_EXCEEDED",
    "REQUEST_LIMIT_EXCEEDED",
    "RESOURCE_ALREADY_EXISTS",  # another process has just created the experiment
    "RESOURCE_EXHAUSTED",
    "TEMPORARILY_UNAVAILABLE",
    "UNAUTHENTICATED",
}

# Takes a new event of a fact; by the fact's name.
OnNew = Mapping[str, Callable[[Event], None]]


@asynccontextmanager
async def writing_model_calls(settings: Settings, telemetry: Telemetry) -> AsyncIterator[OnNew]:
    """What takes new model calls, and writes them to MLflow inside the block; nothing without it.

    At the end, what waits has a second to be written.
    """
    if not settings.mlflow_tracking_uri:
        yield {}
        return
    async with _client(settings) as client:
        queue = SendQueue(
            "mlflow",
            ModelRuns(client).write,
            telemetry.on_mlflow_calls_lost,
            max_waiting=MAX_WAITING,
            at_once=AT_ONCE,
            max_pause_seconds=MAX_PAUSE_SECONDS,
        )
        async with queue.sending():
            yield {MODEL_CALLS.name: queue.add}


def _client(settings: Settings) -> httpx.AsyncClient:
    """A client with the credentials that MLflow's own takes: a user's go before a token."""
    uri = httpx.URL(settings.mlflow_tracking_uri)
    user = settings.mlflow_tracking_username or uri.username
    password = settings.mlflow_tracking_password or uri.password
    token = settings.mlflow_tracking_token
    return httpx.AsyncClient(
        # Without the user, whom httpx would log with each request.
        base_url=uri.copy_with(userinfo=b"", query=None, path=uri.path.rstrip("/") + API),
        auth=(user, password) if user and password else None,
        headers={"authorization": f"Bearer {token}"} if token else None,
        timeout=TIMEOUT_SECONDS,
        limits=httpx.Limits(max_connections=AT_ONCE),
    )


class _RefusedError(Exception):
    """MLflow will not take what it was sent; the message is its code for the reason."""


class ModelRuns:
    """Writes each model call as a run, in the experiment that is called like its project."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._experiments = Recent[str, str](REMEMBERED_EXPERIMENTS)  # ids, by project
        self._begun: set[tuple[str, UUID]] = set()

    async def write(self, calls: Sequence[Event]) -> int:
        """Writes the calls; returns how many of them MLflow refused.

        Raises Unavailable; some of the calls are written then, and not again at the next try.
        """
        for project in {call.project for call in calls} - self._experiments.keys():
            with suppress(_RefusedError):  # so its calls are refused, each by itself
                self._experiments[project] = await self._experiment(project)
        written = await asyncio.gather(*map(self._write, calls), return_exceptions=True)
        for outcome in written:
            if isinstance(outcome, BaseException):
                raise outcome
        self._begun.clear()
        return written.count(False)

    async def _experiment(self, project: str) -> str:
        """The id of a project's experiment, which is created if there is none."""
        named = {"experiment_name": project}
        try:
            found = await self._ask("GET", "experiments/get-by-name", params=named)
        except _RefusedError as refusal:
            if str(refusal) != "RESOURCE_DOES_NOT_EXIST":
                raise
            return _text(await self._post("experiments/create", name=project), "experiment_id")
        return _text(found, "experiment", "experiment_id")

    async def _write(self, call: Event) -> bool:
        """Writes a run in three requests; returns False if MLflow refuses it."""
        try:
            experiment = self._experiments.get(call.project)
            if experiment is None:
                raise _RefusedError("no experiment")
            run = await self._begun_run(call, experiment) or await self._begin(call, experiment)
            await self._post("runs/log-batch", run_id=run, **_data(call))
            await self._post(
                "runs/update", run_id=run, status="FINISHED", end_time=_milliseconds(call)
            )
        except _RefusedError as refusal:
            # The experiment may be another by now.
            self._experiments.pop(call.project, None)
            log.warning("model_call_refused", project=call.project, code=str(refusal))
            return False
        return True

    async def _begun_run(self, call: Event, experiment: str) -> str | None:
        """The run that an earlier try began, if it came that far."""
        if (call.project, call.event_id) not in self._begun:
            return None
        found = await self._post(
            "runs/search",
            experiment_ids=[experiment],
            filter=f"tags.{EVENT_TAG} = '{call.event_id}'",
            max_results=1,
        )
        return _text(found["runs"][0], "info", "run_id") if found.get("runs") else None

    async def _begin(self, call: Event, experiment: str) -> str:
        self._begun.add((call.project, call.event_id))
        tags = {EVENT_TAG: str(call.event_id), "environment": call.name(ENVIRONMENT)}
        created = await self._post(
            "runs/create",
            experiment_id=experiment,
            run_name=call.external_id or str(call.event_id),
            start_time=_milliseconds(call) - (call.value("duration_us") or 0) // 1000,
            tags=_pairs(tags),
        )
        return _text(created, "run", "info", "run_id")

    async def _post(self, path: str, **fields: Any) -> dict[str, Any]:
        return await self._ask("POST", path, json=fields)

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """What MLflow answers; raises _RefusedError or Unavailable."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._client.request(method, path, **request)
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable(f"MLflow does not answer: {type(error).__name__}") from None
        if response.status_code == httpx.codes.FORBIDDEN:
            raise _RefusedError(
                "PERMISSION_DENIED"
            )  # of one experiment, perhaps, and not of others
        try:
            answer = orjson.loads(response.content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unavailable(f"MLflow answers {response.status_code}, without JSON")
        if response.is_success:
            return answer
        code = answer.get("error_code")
        if not isinstance(code, str) or code in PASSING:
            raise Unavailable(f"MLflow answers {response.status_code}")
        raise _RefusedError(code)


def _data(call: Event) -> dict[str, Any]:
    """The parameters and metrics of a call; what is unknown is left out."""
    latency_us = call.value("duration_us")
    accepted = call.value("accepted")
    metrics = {
        "input_tokens": call.value("input_tokens"),
        "output_tokens": call.value("output_tokens"),
        "latency_seconds": None if latency_us is None else latency_us / 1e6,
        "accepted": None if accepted is None else int(accepted),
    }
    at = {"timestamp": _milliseconds(call), "step": 0}
    return {
        "params": _pairs({"model": call.name(MODEL), "task": call.name(TASK)}),
        "metrics": [{**pair, **at} for pair in _pairs(metrics)],
    }


def _pairs(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items() if value is not None]


def _milliseconds(call: Event) -> int:
    """When the call ended."""
    return int(call.occurred_at.timestamp() * 1000)


def _text(answer: Any, *path: str) -> str:
    """A text inside an answer; raises Unavailable, as what has none there is no MLflow."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, str):
        raise Unavailable(f"MLflow's answer has no {path[-1]}")
    return answer
