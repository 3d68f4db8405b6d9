"""Made-up requests against a running gateway: none makes it fail, hang or grow.

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
from tests.ingest.made_up_events import FORMATS, JSON, PROJECT, REJECTED, MadeUp, encoded

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


def all_roles() -> dict[str, str]:
    """Made when it is needed: the other tests may take longer than a token lives."""
    return {"authorization": f"Bearer {token(*Role, projects=(PROJECT, 'other'))}"}


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
        f"{process.url}/graphql", headers=all_roles(), wait_for_schema=10
    )


def test_most_fields_answer_made_up_arguments_and_none_fails(api: Any) -> None:
    """Schemathesis makes queries and mutations for each root field from the schema alone."""
    fields = list[str]()
    answered = set[str]()
    for found in api.get_all_operations():
        operation = found.ok()

        @BOUNDED
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            response = case.call(headers=all_roles(), timeout=ANSWER_SECONDS)
            assert_bearable(response)
            if response.json().get("data"):
                answered.add(case.operation.label)

        ask()
        fields.append(operation.label)
    assert "Query.deployments" in fields
    assert "Mutation.upsertProject" in fields
    assert len(answered) > len(fields) / 2, answered


def assert_bearable(response: Any) -> None:
    """An answer, or a refusal that says what to do; nothing in between and nothing of ours."""
    assert response.status_code < 500, response.text
    body = response.json()
    for error in body.get("errors", []):
        assert error["extensions"]["code"] != "INTERNAL", error
        assert error["message"]
    if response.status_code >= 400 and "results" not in body:
        assert body.get("errors") or body["error"]["message"]


def test_made_up_documents_are_answered_or_refused(process: Process) -> None:
    """Nested selections, fragments and variables over the whole schema, by hypothesis-graphql."""
    answered = list[bool]()

    @BOUNDED
    @given(document=documents())
    def ask(document: str) -> None:
        response = post(process, "/graphql", encoded({"query": document}))
        assert_bearable(response)
        answered.append(bool(response.json().get("data")))

    ask()
    assert any(answered)


def documents() -> st.SearchStrategy[str]:
    return from_schema(
        our_schema.as_str(),
        custom_scalars=SCALARS,
    )


VALID = "{ measures { measure } }"
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "query": JSON | st.sampled_from([VALID, "{", "query($a: Int) {a}"]),
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
TYPES = st.sampled_from(["application/json", "text/plain", "x", ""])


@BOUNDED
@given(body=BODIES, content_type=TYPES)
def test_made_up_bodies_run_only_where_they_hold_a_query(
    process: Process, body: bytes, content_type: str
) -> None:
    response = post(process, "/graphql", body, content_type)
    assert_bearable(response)
    if content_type != "application/json":
        assert response.status_code == 415
    elif not isinstance(members(body).get("query"), str):
        assert response.status_code == 400
        assert "data" not in response.json()


def members(body: bytes) -> dict[str, Any]:
    """The members of the JSON object in a body; none where it holds something else."""
    try:
        value = json.loads(body.decode())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


SOUND_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SOUND_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | SOUND_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SOUND_TEXT, inner),
    max_leaves=12,
)


@BOUNDED
@given(
    variables=st.none() | st.dictionaries(SOUND_TEXT, SOUND_JSON),
    others=st.dictionaries(st.sampled_from(["id", "key", "Query"]), SOUND_JSON),
)
def test_valid_query_is_answered_whatever_stands_beside_it(
    process: Process, variables: Any, others: dict[str, Any]
) -> None:
    body = {**others, "variables": variables, "query": VALID}
    response = post(process, "/graphql", encoded(body))
    assert response.status_code == 200, response.text
    assert response.json()["data"]["measures"]


@BOUNDED
@given(body=BODIES, content_type=st.sampled_from(["application/json", "application/x-ndjson"]))
def test_made_up_bodies_hold_no_event_that_is_accepted(
    process: Process, body: bytes, content_type: str
) -> None:
    response = post(process, "/v1/events", body, content_type)
    assert_bearable(response)
    assert response.status_code in (200, 400)
    for result in response.json().get("results", []):
        MadeUp(body).check(result)


@pytest.mark.parametrize("content_type", list(FORMATS))
@BOUNDED
@given(data=st.data())
def test_well_formed_events_are_accepted_and_all_others_are_not(
    process: Process, content_type: str, data: st.DataObject
) -> None:
    wire = FORMATS[content_type]
    events = data.draw(wire.events())
    response = post(
        process, "/v1/events", wire.body([event.value for event in events]), content_type
    )
    assert_bearable(response)
    results = response.json()["results"]
    assert [result["index"] for result in results] == list(range(len(events)))
    for event, result in zip(events, results, strict=True):
        event.check(result)
    rejected = any(result["status"] == REJECTED for result in results)
    assert response.status_code == (422 if wire.is_single and rejected else 200)


def post(
    process: Process, path: str, body: bytes, content_type: str = "application/json"
) -> httpx.Response:
    headers = as_role(*Role, projects=(PROJECT,)) | {"content-type": content_type}
    return httpx.post(f"{process.url}{path}", content=body, headers=headers, timeout=ANSWER_SECONDS)
