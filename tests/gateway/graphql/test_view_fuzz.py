"""No body and no header makes the endpoint fail."""

from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.http.negotiation import GRAPHQL, JSON
from tests.gateway.graphql.edge import authorized, client_of, graphql_app

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
PLAIN_TEXT = TEXT.filter(lambda text: "\0" not in text)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
QUERIES = st.sampled_from(
    (
        "{hello}",
        "query($name: String!){hello(name:$name)}",
        "query($v: Int!){number(value:$v)}",
        "query($v: [String!]!){names(values:$v)}",
        "query A{who} query B{node{name}}",
        "mutation($name: String!){rename(name:$name)}",
        "subscription{ticks}",
        "{__schema{types{name}}}",
        "{node{...F}} fragment F on Node{...F}",
        "{hello @include(if:$x)}",
    )
)
DOCUMENTS = QUERIES | TEXT | st.text(alphabet='{}()[]!$:@.#"\\ aA1\n', max_size=80)
REQUESTS = st.fixed_dictionaries(
    {"query": DOCUMENTS | VALUES},
    optional={
        "variables": st.dictionaries(st.sampled_from(("name", "v", "x")), VALUES) | VALUES,
        "operationName": st.sampled_from(("A", "B", "")) | VALUES,
        "extensions": VALUES,
    },
)
HEADER = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
ACCEPTS = st.sampled_from((JSON, GRAPHQL, "*/*", "text/html")) | HEADER
TYPES = st.sampled_from((JSON, f"{JSON};charset=utf-8")) | HEADER


def encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # numbers JSON has and orjson has not
        return repr(value).encode("utf-8", "replace")


VALID: list[tuple[str, dict[str, st.SearchStrategy[Any]], str]] = [
    ("{hello}", {}, "hello"),
    ("query($name: String!){hello(name:$name)}", {"name": PLAIN_TEXT}, "hello"),
    ("query($v: Int!){number(value:$v)}", {"v": st.integers(-(2**31), 2**31 - 1)}, "number"),
    ("query($v: [String!]!){names(values:$v)}", {"v": st.lists(PLAIN_TEXT, max_size=4)}, "names"),
]


async def check(method: str, content: bytes, query: bytes, headers: dict[str, str]) -> None:
    async with client_of(graphql_app(), **authorized()) as client:
        request = client.build_request(method, "/graphql", content=content, headers=headers)
        request.url = request.url.copy_with(query=query)
        response = await client.send(request)
    assert response.status_code < 500, response.text
    if response.status_code != 200:
        for error in response.json()["errors"]:
            assert error["extensions"]["code"]
    elif "json" in response.headers["content-type"]:
        for error in response.json().get("errors", []):
            assert error["extensions"]["code"] != "INTERNAL"


@FUZZ
@given(REQUESTS | VALUES, ACCEPTS)
async def test_any_json_is_answered(body: Any, accept: str) -> None:
    await check("POST", encoded(body), b"", {"content-type": JSON, "accept": accept})


@FUZZ
@given(st.sampled_from(VALID), st.data(), st.sampled_from((JSON, GRAPHQL, "*/*")))
async def test_valid_request_is_answered_with_data(
    valid: tuple[str, dict[str, st.SearchStrategy[Any]], str], data: st.DataObject, accept: str
) -> None:
    query, variables, field = valid
    body = {"query": query, "variables": data.draw(st.fixed_dictionaries(variables))}
    async with client_of(graphql_app(), **authorized()) as client:
        response = await client.post("/graphql", json=body, headers={"accept": accept})
    assert response.status_code == 200, response.text
    assert field in response.json()["data"]


@FUZZ
@given(st.binary(max_size=200), ACCEPTS, TYPES)
async def test_any_bytes_are_answered(content: bytes, accept: str, content_type: str) -> None:
    await check("POST", content, b"", {"content-type": content_type, "accept": accept})


@FUZZ
@given(st.binary(max_size=80), DOCUMENTS, ACCEPTS)
async def test_any_query_string_is_answered(tail: bytes, document: str, accept: str) -> None:
    safe = "".join(f"%{byte:02x}" for byte in document.encode())
    ending = bytes(byte for byte in tail if 32 < byte < 127 and byte != ord("#"))
    await check("GET", b"", b"query=" + safe.encode() + b"&" + ending, {"accept": accept})


@FUZZ
@given(st.sampled_from(("GET", "POST")), HEADER, HEADER)
async def test_any_token_and_request_id_is_answered(method: str, token: str, given_id: str) -> None:
    headers = {"authorization": token, "x-request-id": given_id, "accept": JSON}
    async with client_of(graphql_app()) as client:
        response = await client.request(method, "/graphql?query={hello}", headers=headers)
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert response.headers["www-authenticate"].startswith("Bearer")
