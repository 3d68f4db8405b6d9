"""Made-up requests against a running gateway: none is a fault of ours, none hangs, none grows it.

CI runs a few of each; FUZZ_EXAMPLES=1000 runs as many for each field.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from graphql import IntValueNode, StringValueNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema

from access.viewers import Role
from schema import schema as our_schema
from tests.gateway.application import Process, as_role, gateway_process
from tests.gateway.graphql.edge import token

pytestmark = pytest.mark.process

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
ANSWER_SECONDS = 10.0
GROWTH_BYTES = 300 * 1024 * 1024
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ALL_ROLES = {"authorization": f"Bearer {token(*Role, projects=('fuzzed', 'other'))}"}


def literal(value: Any) -> Any:
    if isinstance(value, int):
        return IntValueNode(value=str(value))
    return StringValueNode(value=value)


def scalar(*sane: str) -> st.SearchStrategy[Any]:
    """Values that fit, and values that do not."""
    return st.one_of(st.sampled_from(sane), st.text(max_size=12), st.integers()).map(literal)


SCALARS = {
    "DateTime": scalar("2026-03-01T00:00:00Z", "2026-02-01T12:30:00.123+05:30"),
    "Duration": scalar("P1D", "PT2H", "P30D", "P1Y"),
    "TimeZone": scalar("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"),
    "Date": scalar("2026-03-01", "2026-02-29"),
    "UUID": scalar("00000000-0000-4000-8000-000000000000"),
    "JSON": scalar("{}", "[]"),
}


@pytest.fixture(scope="module")
def process(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """A gateway that must be alive, and no larger than it may be, when all is over."""
    log = tmp_path_factory.mktemp("fuzz") / "log"
    with gateway_process(
        database_url, redis_url, str(log), JWT_LEEWAY_SECONDS="300", LOG_LEVEL="error"
    ) as started:
        before = memory_bytes(started)
        yield started
        assert httpx.get(f"{started.url}/live", timeout=5).status_code == 200
        assert memory_bytes(started) - before < GROWTH_BYTES
        crashes = [line for line in started.log().splitlines() if "crashed" in line]
        assert not crashes, crashes[:3]


def memory_bytes(process: Process) -> int:
    status = Path(f"/proc/{process.process.pid}/statm").read_text(encoding="ascii")
    return int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def api(process: Process) -> Any:
    for name, values in SCALARS.items():
        schemathesis.graphql.scalar(name, values)
    return schemathesis.graphql.from_url(
        f"{process.url}/graphql", headers=ALL_ROLES, wait_for_schema=10
    )


def test_no_field_fails_for_made_up_arguments(api: Any) -> None:
    """Schemathesis makes queries and mutations for each root field from the schema alone."""
    asked: list[str] = []
    for found in api.get_all_operations():
        operation = found.ok()

        @BOUNDED
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            assert_bearable(case.call(headers=ALL_ROLES, timeout=ANSWER_SECONDS))

        ask()
        asked.append(operation.label)
    assert "Query.deployments" in asked
    assert "Mutation.upsertProject" in asked


def assert_bearable(response: Any) -> None:
    """An answer, or a refusal that says what to do; nothing in between and nothing of ours."""
    assert response.status_code < 500, response.text
    body = response.json()
    for error in body.get("errors", []):
        assert error["extensions"]["code"] != "INTERNAL", error
        assert error["message"]
    if response.status_code >= 400 and "results" not in body:
        assert body.get("errors") or body["error"]["message"]


@BOUNDED
@given(data=st.data())
def test_made_up_documents_are_answered(process: Process, data: st.DataObject) -> None:
    """Nested selections, fragments and variables over the whole schema, by hypothesis-graphql."""
    document = data.draw(documents())
    response = post(process, "/graphql", encoded({"query": document}))
    assert_bearable(response)


def documents() -> st.SearchStrategy[str]:
    return from_schema(
        our_schema.as_str(),
        custom_scalars=SCALARS,
    )


def encoded(value: Any) -> bytes:
    """With what JSON should not hold: endless numbers, lone surrogates, NaN."""
    return json.dumps(value).encode()


ANY_TEXT = st.characters(exclude_categories=())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ANY_TEXT, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "query": JSON | st.sampled_from(["{ measures { measure } }", "{", "query($a: Int) {a}"]),
        "operationName": JSON,
        "variables": JSON,
        "extensions": JSON
        | st.fixed_dictionaries({}, optional={"persistedQuery": JSON, "cost": JSON}),
        "documentId": JSON,
    },
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(encoded),
    MEMBERS.map(encoded),
)


@BOUNDED
@given(body=BODIES, content_type=st.sampled_from(["application/json", "text/plain", "x", ""]))
def test_made_up_bodies_of_graphql_are_answered(
    process: Process, body: bytes, content_type: str
) -> None:
    assert_bearable(post(process, "/graphql", body, content_type))


@BOUNDED
@given(body=BODIES, content_type=st.sampled_from(["application/json", "application/x-ndjson"]))
def test_made_up_bodies_of_events_are_answered(
    process: Process, body: bytes, content_type: str
) -> None:
    assert_bearable(post(process, "/v1/events", body, content_type))


EVENT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("id", "type", "time", "project", "deployment", "environment", "durationMs"), JSON
    ),
)
CLOUD_EVENT = st.fixed_dictionaries(
    {"specversion": st.sampled_from(["1.0", "0.3", "", None, 7]), "type": st.text(max_size=40)},
    optional=dict.fromkeys(("id", "source", "time", "data", "data_base64", "subject"), JSON),
)
CD_EVENT = st.fixed_dictionaries(
    {
        "context": st.fixed_dictionaries(
            {"type": st.sampled_from(["dev.cdevents.service.deployed.0.2.0", "x", ""])},
            optional=dict.fromkeys(("id", "source", "timestamp", "version"), JSON),
        ),
        "subject": JSON,
    }
)
FORMATS = {
    "application/json": EVENT | CD_EVENT,
    "application/cloudevents+json": CLOUD_EVENT,
    "application/cloudevents-batch+json": st.lists(CLOUD_EVENT, max_size=3),
    "application/x-ndjson": EVENT,
}


@pytest.mark.parametrize("content_type", list(FORMATS))
@BOUNDED
@given(data=st.data())
def test_made_up_events_of_each_format_have_results(
    process: Process, content_type: str, data: st.DataObject
) -> None:
    body = encoded(data.draw(FORMATS[content_type]))
    response = post(process, "/v1/events", body, content_type)
    assert_bearable(response)
    results = response.json().get("results", [])
    assert results or "error" in response.json() or body in (b"[]", b"")
    for result in results:
        assert result["status"] in ("accepted", "duplicate", "ignored") or result["message"]


def post(
    process: Process, path: str, body: bytes, content_type: str = "application/json"
) -> httpx.Response:
    headers = as_role(*Role, projects=("fuzzed",)) | {"content-type": content_type}
    return httpx.post(f"{process.url}{path}", content=body, headers=headers, timeout=ANSWER_SECONDS)
