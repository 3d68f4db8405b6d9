"""What HTTP itself brings: compression both ways, and answers a client can keep."""

import gzip
import json
import zlib
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from access.viewers import Role
from gateway.graphql.documents.limits import ERRORS_SHOWN
from gateway.http.delivery import (
    COMPRESSED_FROM_BYTES,
    THREAD_FROM_BYTES,
    takes_gzip,
)
from gateway.http.negotiation import GRAPHQL
from gateway.routes import API_ROUTES
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.edge import authorized, client_of, graphql_app

SMALL, LARGE = COMPRESSED_FROM_BYTES - 1, COMPRESSED_FROM_BYTES
HELLO = "{hello}"
GRAPHQL_BODY_BYTES = API_ROUTES[0].body_bytes
NO_COMPRESSION = {"accept-encoding": "identity"}


def long_query(size_bytes: int) -> dict[str, Any]:
    """A query whose answer holds a text of that size."""
    return {
        "query": "query ($name: String!) { hello(name: $name) }",
        "variables": {"name": "x" * size_bytes},
    }


async def post(body: Any, **headers: str) -> httpx.Response:
    async with client_of(graphql_app(), **authorized()) as client:
        sent = {"content-type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await client.post("/graphql", content=content, headers=sent)


async def get(body: dict[str, Any], **headers: str) -> httpx.Response:
    parameters = {"query": body["query"], "variables": json.dumps(body.get("variables", {}))}
    async with client_of(graphql_app(), **authorized()) as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.get("/graphql", params=parameters, headers=sent)


@pytest.mark.parametrize(
    ("accepted", "size_bytes", "expected"),
    [
        (None, LARGE, False),
        ("", LARGE, False),
        ("gzip", LARGE, True),
        ("gzip", SMALL, False),
        ("GZip , br", LARGE, True),
        ("x-gzip", LARGE, True),
        ("*", LARGE, True),
        ("br, deflate", LARGE, False),
        ("gzip;q=0", LARGE, False),
        ("gzip;q=0, *", LARGE, False),
        ("*;q=0", LARGE, False),
        ("identity", LARGE, False),
        ("identity, gzip;q=0.5", LARGE, False),
        ("identity;q=0.5, gzip", LARGE, True),
        ("gzip;q=0.5", LARGE, True),
        ("gzip, identity;q=0", SMALL, True),
        ("gzip, *;q=0", SMALL, True),
        ("identity;q=0", SMALL, False),
        ("gzip;q=1.0", SMALL, False),
        ("gzip;q=high", LARGE, False),
        (",;q=1,,", LARGE, False),
    ],
)
def test_encoding_is_negotiated(accepted: str | None, size_bytes: int, expected: bool) -> None:
    headers = {} if accepted is None else {"accept-encoding": accepted}
    assert takes_gzip(Headers(headers), size_bytes) is expected


@pytest.mark.parametrize("size_bytes", [LARGE, THREAD_FROM_BYTES])
async def test_large_answer_is_compressed_for_those_who_take_it(size_bytes: int) -> None:
    plain = await post(long_query(size_bytes), accept_encoding="identity")
    packed = await post(long_query(size_bytes), accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < size_bytes / 2
    assert packed.content == plain.content  # httpx has unpacked it
    for each in (plain, packed):
        assert "Accept-Encoding" in each.headers["vary"]
        assert each.headers["cache-control"] == "no-store"


async def test_small_answers_and_mutations_are_not_compressed() -> None:
    mutation = long_query(LARGE)
    mutation["query"] = "mutation ($name: String!) { rename(name: $name) }"
    for body in ({"query": HELLO}, mutation):
        answer = await post(body, accept_encoding="gzip")
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("", bytes),
    ],
)
async def test_compressed_request_is_read(encoding: str, pack: Any) -> None:
    body = pack(json.dumps({"query": HELLO}).encode())
    answer = await post(body, content_encoding=encoding)
    assert answer.json() == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"x", 415),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}")), 415),
        ("gzip", b"plain", 400),
        ("gzip", gzip.compress(b'{"query": "{hello}"}')[:-6], 400),
        ("gzip", b"", 400),
        ("gzip", gzip.compress(b" " * (GRAPHQL_BODY_BYTES + 1)), 413),
    ],
)
async def test_odd_compression_is_refused(encoding: str, body: bytes, status: int) -> None:
    answer = await post(body, content_encoding=encoding)
    assert answer.status_code == status
    if status == 415:
        assert answer.headers["accept-encoding"] == "gzip, deflate"
    assert answer.json()["errors"][0]["extensions"]["requestId"]


async def test_answer_to_get_is_kept_by_its_client_and_asked_for_again() -> None:
    first = await get({"query": HELLO})
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    again = await get({"query": HELLO}, if_none_match=f'W/"other", {tag}')
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]
    assert "content-type" not in again.headers
    assert "content-length" not in again.headers


@pytest.mark.parametrize(
    ("named", "status"),
    [("*", 304), ("W/{tag}", 304), ('"other"', 200), ("", 200), ('"', 200)],
)
async def test_tags_are_compared(named: str, status: int) -> None:
    tag = (await get({"query": HELLO})).headers["etag"]
    answer = await get({"query": HELLO}, if_none_match=named.format(tag=tag))
    assert answer.status_code == status


async def test_each_representation_has_a_tag_of_its_own() -> None:
    query = long_query(LARGE)
    answers = [
        await get(query, accept_encoding="identity"),
        await get(query, accept_encoding="gzip"),
        await get(query, accept_encoding="identity", accept=GRAPHQL),
        await get(long_query(LARGE + 1), accept_encoding="identity"),
    ]
    tags = {answer.headers["etag"] for answer in answers}
    assert len(tags) == len(answers)
    assert not any(tag.startswith("W/") for tag in tags)
    packed = answers[1].headers["etag"]
    again = await get(query, accept_encoding="gzip", if_none_match=packed)
    assert again.status_code == 304
    assert "content-encoding" not in again.headers
    assert (await get(query, **_named(packed))).status_code == 200


def _named(tag: str) -> dict[str, str]:
    return {"accept_encoding": "identity", "if_none_match": tag}


@pytest.mark.parametrize("query", ["{missing}", "{crash}", "{", "{nowhere}", "{away}"])
async def test_errors_are_kept_by_nobody(query: str) -> None:
    answer = await get({"query": query}, if_none_match="*")
    assert answer.status_code in (200, 400, 503)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_post_has_no_tag() -> None:
    answer = await post({"query": HELLO}, if_none_match="*")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in answer.headers


async def test_kept_answer_has_the_tag_of_the_first_until_its_data_changes(
    database_url: str, redis_url: str
) -> None:
    rename = 'mutation { upsertProject(input: {slug: "tagged", name: "%s"}) { project { id } } }'
    asked = {"query": '{ project(slug: "tagged") { name } }'}
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN), **NO_COMPRESSION) as client:
        await client.post("/graphql", json={"query": rename % "Before"})
        tag = (await client.get("/graphql", params=asked)).headers["etag"]
        same = await client.get("/graphql", params=asked, headers={"if-none-match": tag})
        await client.post("/graphql", json={"query": rename % "After"})
        other = await client.get("/graphql", params=asked, headers={"if-none-match": tag})
    assert same.status_code == 304
    assert (other.status_code, other.json()["data"]["project"]["name"]) == (200, "After")


async def test_equal_errors_are_shown_once() -> None:
    answer = await post({"query": "{hello " + "@skip(if: false) " * 10 + "nothing}"})
    assert [error["message"] for error in answer.json()["errors"]] == [
        "The directive '@skip' can only be used once at this location.",
        "Cannot query field 'nothing' on type 'Query'.",
    ]
    assert answer.json()["errors"][0]["locations"] == [
        {"line": 1, "column": 8},
        {"line": 1, "column": 25},
    ]


async def test_list_of_errors_is_capped() -> None:
    answer = await post({"query": "{" + " ".join(f"x{i}" for i in range(40)) + "}"})
    errors = answer.json()["errors"]
    assert len(errors) == ERRORS_SHOWN + 1
    assert "error limit reached" in errors[-1]["message"]
