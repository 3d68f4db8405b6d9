"""What an MLflow that is dead, slow, strange or closed does to the gateway: nothing but a count.

`tests/mlflow` has a real one.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from gateway.observability.mlflow import MAX_WAITING, ModelRuns
from ingest.events import Event
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise
from storage.errors import Unavailable
from tests.gateway.application import AppClient, as_role, eventually, running, settings_for

MARK = "Zq7-recognisable-6Kp"
LOST = "gateway_mlflow_calls_lost_total"


@dataclass
class Server:
    """Counts requests and their credentials; answers each with the same text, or not at all."""

    answer: bytes | None
    port: int = 0
    requests: list[str] = field(default_factory=list)
    credentials: set[str] = field(default_factory=set)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ") for line in lines)}
        self.requests.append(first)
        self.credentials.add(headers.get("authorization", ""))
        if self.answer is None:
            await asyncio.sleep(60)
        writer.write(self.answer or b"")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(answer: bytes | None) -> AsyncIterator[Server]:
    found = Server(answer)
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno"


def call(number: int, project: str = "shop") -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    event = {"type": "model.call", "id": f"m-{number}", "time": at, "model": "llama"}
    return {**event, "project": project, "task": "summary"}


async def lost(client: AppClient) -> int:
    text = (await client.get("/metrics")).text
    (line,) = (line for line in text.splitlines() if line.startswith(f"{LOST} "))
    return int(float(line.split()[1]))


@pytest.mark.parametrize("is_up", [True, False], ids=["slow", "dead"])
async def test_mlflow_that_does_not_answer_delays_nothing(
    database_url: str, redis_url: str, is_up: bool
) -> None:
    async with serving(None) as server:
        uri = f"http://127.0.0.1:{server.port if is_up else 1}"
        settings = settings_for(database_url, redis_url, mlflow_tracking_uri=uri)
        async with running(settings, None, **as_role(Role.ADMIN)) as client:
            project, sent = f"calls-{uuid4().hex[:8]}", 0
            while sent < MAX_WAITING + 1_000:
                events = [call(sent + number, project) for number in range(1_000)]
                answer = (await client.post("/v1/events", json=events)).json()
                assert {result["status"] for result in answer["results"]} == {"accepted"}
                sent += len(events)
            assert await lost(client) == sent - MAX_WAITING
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 10
        assert len(server.requests) <= 2  # a first try, and one at the end


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ""),
        ({"uri": f"ada:{MARK}@"}, f"ada:{MARK}"),
        ({"username": "ada", "password": MARK}, f"ada:{MARK}"),
        ({"token": MARK}, f"Bearer {MARK}"),
        ({"token": "other", "username": "ada", "password": MARK}, f"ada:{MARK}"),
    ],
)
async def test_credentials_are_sent_but_logged_nowhere(
    database_url: str,
    redis_url: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    given: dict[str, str],
    expected: str,
) -> None:
    caplog.set_level("DEBUG")
    async with serving(UNAUTHORIZED) as server:
        uri = f"http://{given.get('uri', '')}127.0.0.1:{server.port}/at/a/path/"
        variables = {f"mlflow_tracking_{name}": value for name, value in given.items()}
        settings = settings_for(
            database_url, redis_url, **{**variables, "mlflow_tracking_uri": uri}
        )
        assert MARK not in repr(settings)
        async with running(settings, None, **as_role(Role.ADMIN)) as client:
            await client.post("/v1/events", json=call(0, f"calls-{uuid4().hex[:8]}"))

            async def is_asked() -> bool:
                return bool(server.requests)

            await eventually(is_asked)
            assert await lost(client) == 0  # it waits for the right password
    if ":" in expected:
        expected = f"Basic {base64.b64encode(expected.encode()).decode()}"
    assert server.credentials == {expected}
    assert server.requests[0].startswith("GET /at/a/path/api/2.0/mlflow/experiments/get-by-name?")
    assert MARK not in "".join(capfd.readouterr()) + caplog.text


def events(count: int) -> list[Event]:
    read = (normalise(Raw(call(n)), TimeWindow.at(datetime.now(UTC))) for n in range(count))
    return [event for event in read if isinstance(event, Event)]


def runs(status: int, answer: bytes) -> ModelRuns:
    """A writer to a server that answers all requests alike."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, content=answer))
    return ModelRuns(httpx.AsyncClient(base_url="http://mlflow/", transport=transport))


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b"<html>a page of something else"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"experiment": {"experiment_id": 7}}'),
        (302, b""),
        (401, b"no"),
        (401, b'{"error_code": "UNAUTHENTICATED"}'),
        (404, b"<html>not found"),
        (404, b'{"detail": "Not Found"}'),
        (429, b'{"error_code": "REQUEST_LIMIT_EXCEEDED"}'),
        (500, b"crashed"),
        (502, b""),
        (503, b'{"error_code": "TEMPORARILY_UNAVAILABLE"}'),
    ],
)
async def test_calls_wait_while_mlflow_has_no_answer_of_its_own(status: int, answer: bytes) -> None:
    with pytest.raises(Unavailable):
        await runs(status, answer).write(events(2))


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}'),
        (403, b"Permission denied"),
        (500, b'{"error_code": "INTERNAL_ERROR"}'),
    ],
)
async def test_calls_that_mlflow_refuses_are_lost(status: int, answer: bytes) -> None:
    assert await runs(status, answer).write(events(3)) == 3
