"""POST /v1/logs: what OpenTelemetry's exporters send is stored as log lines."""

import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import entry_points
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from access.viewers import Role
from tests.gateway.application import as_role, running, settings_for, somebody

# As OpenTelemetry finds it by its name.
(EXPORTER,) = entry_points(group="opentelemetry_logs_exporter", name="otlp_proto_http")
OTLPLogExporter = EXPORTER.load()
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
NOW = datetime.now(UTC)

LINES = """query($project: String!) { logLines(filter: {projects: [$project]}) { nodes {
  occurredAt level message fields logger release traceId spanId environment { name }
  function { name } } } }"""


@pytest.fixture
async def client(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with running(
        settings_for(database_url, redis_url), None, **as_role(Role.ADMIN)
    ) as client:
        yield client


def nanoseconds(at: datetime) -> str:
    return f"{int(at.timestamp() * 1_000_000)}000"


def text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def request(project: str, *records: dict[str, Any]) -> dict[str, Any]:
    """A request in the form of the examples of OTLP."""
    attributes = [
        text("project", project),
        text("service.name", "shop-api"),
        text("service.version", "1.4.0"),
        text("deployment.environment.name", "production"),
        text("telemetry.sdk.name", "opentelemetry"),
    ]
    scope = {"scope": {"name": "shop.payments"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [scope]}]}


def record(**more: Any) -> dict[str, Any]:
    base = {
        "timeUnixNano": nanoseconds(NOW),
        "severityNumber": 17,
        "severityText": "ERROR",
        "traceId": TRACE,
        "spanId": SPAN,
        "body": {"stringValue": "payment failed"},
        "attributes": [
            text("provider", "acme"),
            {"key": "attempts", "value": {"intValue": "3"}},
            {"key": "codes", "value": {"arrayValue": {"values": [{"doubleValue": 1.5}]}}},
            {"key": "card", "value": {"kvlistValue": {"values": [text("kind", "debit")]}}},
        ],
    }
    return base | more


async def lines(client: httpx.AsyncClient, project: str) -> list[dict[str, Any]]:
    body = {"query": LINES, "variables": {"project": project}}
    found: list[dict[str, Any]] = (await client.post("/graphql", json=body)).json()["data"][
        "logLines"
    ]["nodes"]
    return found


async def test_a_record_in_json_becomes_a_line(client: httpx.AsyncClient) -> None:
    project = f"otlp-{uuid4()}"
    for _ in range(2):  # as when an answer was lost
        response = await client.post("/v1/logs", json=request(project, record()))
        assert (response.status_code, response.json()) == (200, {})
        assert response.headers["content-type"].startswith("application/json")
    (line,) = await lines(client, project)
    assert datetime.fromisoformat(line.pop("occurredAt")) == NOW
    assert line == {
        "level": "ERROR",
        "message": "payment failed",
        "fields": {
            "service.name": "shop-api",
            "provider": "acme",
            "attempts": 3,
            "codes": [1.5],
            "card": {"kind": "debit"},
        },
        "logger": "shop.payments",
        "release": "1.4.0",
        "traceId": TRACE,
        "spanId": SPAN,
        "environment": {"name": "production"},
        "function": None,
    }


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({"severityNumber": 1}, "TRACE"),
        ({"severityNumber": 8}, "DEBUG"),
        ({"severityNumber": 9}, "INFO"),
        ({"severityNumber": 16}, "WARN"),
        ({"severityNumber": 24}, "FATAL"),
        ({"severityNumber": 0, "severityText": "Warning"}, "WARN"),
        ({"severityNumber": 0, "severityText": "LOUD"}, "INFO"),
        ({"severityNumber": "SEVERITY_NUMBER_ERROR2"}, "ERROR"),
    ],
)
async def test_severities_are_levels(
    client: httpx.AsyncClient, given: dict[str, Any], level: str
) -> None:
    project = f"otlp-{uuid4()}"
    await client.post("/v1/logs", json=request(project, record(**given)))
    assert [line["level"] for line in await lines(client, project)] == [level]


async def test_equal_records_of_one_request_are_lines_of_their_own(
    client: httpx.AsyncClient,
) -> None:
    project = f"otlp-{uuid4()}"
    await client.post("/v1/logs", json=request(project, record(), record()))
    assert len(await lines(client, project)) == 2


async def test_what_is_too_long_is_cut_and_costs_no_line(client: httpx.AsyncClient) -> None:
    project = f"otlp-{uuid4()}"
    attributes = [text("stack", "x" * 30_000), *(text(f"a{n}", "y " * 1_000) for n in range(12))]
    body = {"kvlistValue": {"values": [text("event", "login")]}}
    response = await client.post(
        "/v1/logs", json=request(project, record(attributes=attributes, body=body))
    )
    assert response.json() == {}
    (line,) = await lines(client, project)
    assert line["message"] == '{"event":"login"}'
    assert line["fields"]["stack"] == "[cut]"
    assert line["fields"]["a9"].startswith("y y")


async def test_rejected_records_are_told_and_cost_no_other(client: httpx.AsyncClient) -> None:
    project = f"otlp-{uuid4()}"
    late = record(timeUnixNano="1500000000000000000")
    response = await client.post("/v1/logs", json=request(project, late, record()))
    assert response.status_code == 200
    told = response.json()["partialSuccess"]
    assert told["rejectedLogRecords"] == "1"
    assert told["errorMessage"].startswith("record 0: ")
    assert len(await lines(client, project)) == 1


async def test_records_over_budget_are_sent_again_whatever_is_beside_them(
    database_url: str, redis_url: str
) -> None:
    limits = {"rate_limit_enabled": True, "rate_limit_events_max": 10_000}
    settings = settings_for(database_url, redis_url, **limits, rate_limit_window=86_400)
    projects = {place: f"otlp-{uuid4()}" for place in ("full", "free")}
    async with running(settings, None, **somebody(Role.ADMIN)) as client:
        budgets = client.gateway.budgets
        assert not await budgets.refused_projects({projects["full"]: 10**9})
        late = record(timeUnixNano="1500000000000000000")
        sent = request(projects["full"], record())
        sent["resourceLogs"] += request(projects["free"], late, record())["resourceLogs"]
        for _ in range(2):
            response = await client.post("/v1/logs", json=sent)
            assert response.status_code == 429
            assert int(response.headers["retry-after"]) > 0
        assert [len(await lines(client, name)) for name in projects.values()] == [0, 1]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"resourceLogs": 7}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xff", "application/x-protobuf", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 200),
    ],
)
async def test_what_cannot_be_read_is_refused(
    client: httpx.AsyncClient, content: bytes, kind: str, status: int
) -> None:
    response = await client.post("/v1/logs", content=content, headers={"content-type": kind})
    assert response.status_code == status
    if status != 200:
        assert response.json()["message"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "hunter2"}]}]}]}',
            ": resourceLogs.scopeLogs.logRecords.timeUnixNano cannot be read.",
        ),
        (
            b'{"resourceLogs": [{"scopeLogs": "hunter2"}]}',
            ": resourceLogs.scopeLogs cannot be read.",
        ),
        (b'{"hunter2": 1, "hunter2": 2}', "."),
        (b'{"resourceLogs": hunter2}', ": it is no JSON from character 17 on."),
    ],
)
async def test_an_answer_says_where_a_body_is_wrong_and_does_not_repeat_it(
    client: httpx.AsyncClient, content: bytes, told: str
) -> None:
    response = await client.post(
        "/v1/logs", content=content, headers={"content-type": "application/json"}
    )
    message = response.json()["message"].partition(" (request ")[0]
    assert message == f"The body is no ExportLogsServiceRequest{told}"


@contextmanager
def capturing() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that takes requests and answers 200."""
    taken: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/logs", taken
        server.shutdown()
        thread.join()


async def test_what_the_exporter_of_python_sends_is_stored(client: httpx.AsyncClient) -> None:
    project = f"otlp-{uuid4()}"
    with capturing() as (url, taken):
        resource = Resource.create({"project": project, "service.name": "worker"})
        provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPLogExporter(endpoint=url, compression=Compression.Gzip)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        at = int(nanoseconds(NOW))
        sent = LogRecord(
            timestamp=at,
            observed_timestamp=at,
            severity_number=SeverityNumber.WARN,
            body="queue is long",
            attributes={"waiting": 812},
        )
        provider.get_logger("jobs").emit(sent)
        provider.shutdown()
    ((headers, body),) = taken
    assert gzip.decompress(body)
    kept = {name: headers[name] for name in ("content-type", "content-encoding")}
    response = await client.post("/v1/logs", content=body, headers=kept)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert not ExportLogsServiceResponse.FromString(response.content).HasField("partial_success")
    (line,) = await lines(client, project)
    assert (line["level"], line["message"], line["logger"]) == ("WARN", "queue is long", "jobs")
    assert line["fields"].items() >= {"service.name": "worker", "waiting": 812}.items()
