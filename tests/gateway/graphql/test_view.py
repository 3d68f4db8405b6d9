"""GraphQL over HTTP: media types, status codes, methods and errors."""

from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from gateway.http.negotiation import GRAPHQL, JSON
from gateway.observability.telemetry import Telemetry
from tests.gateway.graphql.edge import authorized, client_of, graphql_app

NEW = {"accept": GRAPHQL}
OLD = {"accept": JSON}


async def send(
    body: Any = None,
    headers: dict[str, str] | None = None,
    telemetry: Telemetry | None = None,
    **options: Any,
) -> httpx.Response:
    """POST one request as a viewer."""
    async with client_of(graphql_app(telemetry, **options), **authorized()) as client:
        return await client.post("/graphql", json=body, headers=headers)


async def get(query: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async with client_of(graphql_app(), **authorized()) as client:
        return await client.get(f"/graphql?{query}", headers=headers)


def code(response: httpx.Response) -> str:
    error = response.json()["errors"][0]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return str(error["extensions"]["code"])


async def test_query_is_answered() -> None:
    response = await send({"query": "{hello}"})
    assert (response.status_code, response.json()) == (200, {"data": {"hello": "hello world"}})
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["vary"] == "Accept, Authorization, Accept-Encoding"


async def test_variables_and_operation_name_are_used() -> None:
    query = "query A($n: String!){hello(name:$n)} query B{who}"
    body = {"query": query, "operationName": "A", "variables": {"n": "you"}}
    assert (await send(body)).json() == {"data": {"hello": "hello you"}}
    assert (await send({"query": query, "operationName": "B"})).json() == {"data": {"who": "ada"}}


@pytest.mark.parametrize("empty", [None, {}])
async def test_null_members_count_as_absent(empty: object) -> None:
    body = {"query": "{hello}", "operationName": None, "variables": empty, "extensions": empty}
    assert (await send(body)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "{nothing}"},
        {"query": "query A{hello} query B{hello}"},
        {"query": "query A{hello}", "operationName": "B"},
        {"query": "query($n: Int!){number(value:$n)}"},
        {"query": "query($n: Int!){number(value:$n)}", "variables": {"n": "many"}},
        {"query": "fragment F on Query{hello}"},
        {"query": "# nothing"},
        {"query": "type A { b: Int }"},
    ],
)
async def test_request_that_cannot_run_has_no_data(body: dict[str, Any]) -> None:
    new, old = await send(body, NEW), await send(body, OLD)
    assert (new.status_code, old.status_code) == (400, 200)
    assert new.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    for response in (new, old):
        assert "data" not in response.json()
        assert code(response) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b'[{"query":"{hello}"}]',
        b"[1]",
        b"{",
        b"\xff\xfe",
        b"{}",
        b'{"query":null}',
        b'{"query":5}',
        b'{"query":""}',
        b'{"query":"{hello}","variables":[]}',
        b'{"query":"{hello}","variables":"{}"}',
        b'{"query":"{hello}","operationName":5}',
        b'{"query":"{hello}","extensions":1}',
        b'{"query":"{hello}","variables":' + b'{"a":' * 40 + b"1" + b"}" * 41,
        b"[" * 50_000,
        b"1" * 90_000,
        b'{"query":"\\ud800"}',
    ],
)
@pytest.mark.parametrize("accept", [NEW, OLD])
async def test_malformed_body_is_a_clean_400(content: bytes, accept: dict[str, str]) -> None:
    headers = {"content-type": JSON, **accept}
    async with client_of(graphql_app(), **authorized()) as client:
        response = await client.post("/graphql", content=content, headers=headers)
    assert response.status_code == 400
    assert code(response) == "BAD_USER_INPUT"


async def test_batching_is_refused_by_name() -> None:
    response = await send([{"query": "{hello}"}])
    assert "Batching" in response.json()["errors"][0]["message"]


async def test_huge_numbers_are_refused_as_input() -> None:
    for value in ("1" * 400, "123456789012345678901234567890", "-1e30"):
        response = await send({"query": f"{{number(value:{value})}}"}, NEW)
        assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "body",
    [
        {"query": '{hello(name:"a\\u0000")}'},
        {"query": '{hello(name:"a\\u{000}")}'},
        {"query": '{hello(name:"a\0")}'},
        {"query": "query($n:String){hello(name:$n)}", "variables": {"n": "a\x00"}},
        {"query": "query($n:String){hello(name:$n)}", "variables": {"x": [{"\x00": 1}]}},
    ],
)
async def test_nul_is_refused_because_no_database_can_hold_it(body: dict[str, Any]) -> None:
    response = await send(body, NEW)
    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


async def test_get_runs_queries() -> None:
    response = await get("query=query($n:String){hello(name:$n)}&variables={%22n%22:%22you%22}")
    assert response.json() == {"data": {"hello": "hello you"}}


async def test_get_refuses_mutations() -> None:
    response = await get('query=mutation{rename(name:"x")}')
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert code(response) == "BAD_USER_INPUT"


@pytest.mark.parametrize("query", ["", "variables={}", "query={hello}&variables=[1", "query=%ff"])
async def test_malformed_get_is_a_clean_400(query: str) -> None:
    response = await get(query, NEW)
    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_told_which_are_allowed(method: str) -> None:
    async with client_of(graphql_app(), **authorized()) as client:
        response = await client.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert code(response) == "BAD_USER_INPUT"


async def test_unacceptable_media_type_is_406() -> None:
    response = await send({"query": "{hello}"}, {"accept": "image/png"})
    assert (response.status_code, code(response)) == (406, "BAD_USER_INPUT")


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-16", ""])
async def test_other_request_types_are_415(content_type: str) -> None:
    async with client_of(graphql_app(), **authorized()) as client:
        response = await client.post(
            "/graphql", content=b'{"query":"{hello}"}', headers={"content-type": content_type}
        )
    assert (response.status_code, code(response)) == (415, "BAD_USER_INPUT")


async def test_subscription_is_refused_clearly() -> None:
    response = await send({"query": "subscription{ticks}"})
    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")
    assert "Subscriptions" in response.json()["errors"][0]["message"]


async def test_error_of_a_field_leaves_the_rest_of_the_data() -> None:
    response = await send({"query": "{hello missing}"}, NEW)
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "hello world", "missing": None}
    error = response.json()["errors"][0]
    assert (error["message"], error["path"]) == ("There is no such thing.", ["missing"])
    assert code(response) == "NOT_FOUND"
    assert error["extensions"]["argument"] == "id"


async def test_unexpected_error_is_masked_and_logged() -> None:
    with capture_logs() as logs:
        response = await send({"query": "{crash}"})
    assert code(response) == "INTERNAL"
    assert "hunter2" not in response.text
    crash = next(line for line in logs if line["event"] == "field_crashed")
    assert "hunter2" in str(crash["exc_info"])
    assert crash["request_id"] == response.headers["x-request-id"]


async def test_value_the_schema_forbids_is_masked() -> None:
    with capture_logs():
        response = await send({"query": "{crashes{name}}"})
    assert code(response) == "INTERNAL"
    assert len(response.json()["errors"]) == 11
    last = response.json()["errors"][-1]
    assert "490 more" in last["message"]
    assert (last["extensions"]["code"], last["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "errors")


async def test_unavailable_parts_say_when_to_ask_again() -> None:
    response = await send({"query": "{away}"})
    assert code(response) == "UNAVAILABLE"
    assert response.json()["errors"][0]["extensions"]["retryAfterSeconds"] == 5.0


async def test_operation_ends_at_its_deadline() -> None:
    response = await send({"query": "{sleep(seconds:5)}"}, deadline_seconds=0.05)
    assert (response.status_code, code(response)) == (504, "TIMEOUT")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{" + "node{child{" * 9 + "name" + "}}" * 9 + "}", "QUERY_TOO_DEEP"),
        ("{" + " ".join(f"a{i}:hello" for i in range(61)) + "}", "LIMIT_EXCEEDED"),
    ],
)
async def test_limits_name_themselves(query: str, expected: str) -> None:
    response = await send({"query": query}, NEW)
    assert (response.status_code, code(response)) == (400, expected)
    assert response.json()["errors"][0]["extensions"]["limit"] in ("depth", "aliases")


async def test_answers_are_measured() -> None:
    telemetry = Telemetry()
    app = graphql_app(telemetry)
    async with client_of(app, **authorized()) as client:
        for query in ("{hello}", "{hello}", "{missing}", "{"):
            await client.post("/graphql", json={"query": query})
    text = generate_latest(telemetry.registry).decode()
    assert 'gateway_graphql_operations_total{outcome="ok",type="query"} 2.0' in text
    assert 'gateway_graphql_operations_total{outcome="NOT_FOUND",type="query"} 1.0' in text
    assert 'gateway_graphql_operations_total{outcome="BAD_USER_INPUT",type="unknown"} 1.0' in text
    assert 'gateway_graphql_documents_total{outcome="hit"} 1.0' in text
    assert 'gateway_http_requests_total{method="POST",route="/graphql",status="200"} 4.0' in text


async def test_browser_is_shown_graphiql_without_a_token() -> None:
    async with client_of(graphql_app()) as client:
        response = await client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/")
