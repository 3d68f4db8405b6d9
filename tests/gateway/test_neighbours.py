"""Hostile requests are refused quickly and told why, and slow no well-behaved client."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from access.viewers import Role
from tests.gateway.application import Process, as_role, gateway_process
from tests.gateway.graphql.edge import token

pytestmark = pytest.mark.process

# A second each, and as much again for a machine that runs other tests meanwhile.
ANSWER_SECONDS = 2.0
GOOD = {"query": "{ viewer { subject } networks { name } }"}


@pytest.fixture(scope="module")
def process(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("neighbours") / "log"
    with gateway_process(database_url, redis_url, str(log)) as started:
        yield started


def query(text: str, **more: Any) -> bytes:
    return json.dumps({"query": text, **more}).encode()


def doubling(levels: int) -> str:
    """Each fragment spreads the next one in two places."""
    parts = [
        f"fragment F{n} on Project {{ environments {{ project {{ ...F{n + 1} }} }} "
        f"latestDeployments {{ project {{ ...F{n + 1} }} }} }}"
        for n in range(levels)
    ]
    last = f"fragment F{levels} on Project {{ slug }}"
    return f'{{ project(slug: "x") {{ ...F0 }} }} {" ".join(parts)} {last}'


def circle(length: int) -> str:
    parts = [f"fragment F{n} on Query {{ ...F{(n + 1) % length} }}" for n in range(length)]
    return "{ ...F0 } " + " ".join(parts)


NESTED = "{ projects { nodes { latestDeployments { project { " * 12
HOSTILE = {
    "fragments that double": query(doubling(40)),
    "fragments in a circle": query(circle(45)),
    "deep nesting": query(NESTED + "slug" + "} } } }" * 12),
    "deep brackets": query("{" * 40_000),
    "many aliases": query("{" + " ".join(f"a{n}: measures {{ unit }}" for n in range(900)) + "}"),
    "many repeats": query("{" + "measures { unit } " * 900 + "}"),
    "many operations": query(" ".join(f"query Q{n} {{ __typename }}" for n in range(500))),
    "many directives": query("{ __typename " + "@skip(if: false) " * 500 + "}"),
    "many variables": query(
        "query(" + " ".join(f"$v{n}: Int = {n}" for n in range(800)) + ") { __typename }"
    ),
    "many errors": query("{" + " ".join(f"nonsense{n}" for n in range(1500)) + "}"),
    "a wide list": query("{ nodes(ids: [" + '"x",' * 3000 + "]) { id } }"),
    "a list in variables": query(
        "query($i: [ID!]!) { nodes(ids: $i) { id } }", variables={"i": ["x"] * 15_000}
    ),
    "nested variables": b'{"query": "{__typename}", "variables": '
    + b'{"a":' * 900
    + b"1"
    + b"}" * 901,
    "nested JSON": b"[" * 50_000,
    "comments alone": query("#\n" * 40_000),
    "a dear query": query(
        "{ projects(first: 100) { nodes { latestDeployments(first: 100) { "
        "statusEvents(first: 50) { id } } } } }"
    ),
    "a large page": query("{ deployments(first: 1000000) { nodes { id } } }"),
    "a forged cursor": query('{ deployments(after: "eyJub25zZW5zZSI6MX0") { nodes { id } } }'),
    "a hash of nothing": b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}',
    "a batch": b"[" + b",".join([query("{ __typename }")] * 500) + b"]",
    "no JSON": b"\xff\xfe\x00",
    "too large": query("{ __typename " + " " * 200_000 + "}"),
    "a subscription to nothing": query("subscription { nonsense }"),
}
STRICT = {"accept": "application/graphql-response+json"}


def as_viewer() -> dict[str, str]:
    """Made when they are needed: the other tests may take longer than a token lives."""
    return {**as_role(Role.VIEWER), "content-type": "application/json"}


@pytest.mark.parametrize("name", list(HOSTILE))
async def test_hostile_request_is_refused_within_a_second_and_told_why(
    process: Process, name: str
) -> None:
    async with httpx.AsyncClient(base_url=process.url, timeout=30) as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await client.post("/graphql", content=HOSTILE[name], headers=as_viewer() | STRICT)
        assert loop.time() - began < ANSWER_SECONDS
    if name in ("a large page", "a forged cursor"):  # begun, and refused at the field
        assert answer.status_code == 200
    else:
        assert 400 <= answer.status_code < 500
    errors = answer.json()["errors"]
    assert 1 <= len(errors) <= 11
    assert all(len(error["message"]) > 10 for error in errors)
    assert all(error["extensions"]["code"] != "INTERNAL" for error in errors)


def bomb() -> bytes:
    return gzip.compress(b" " * 300_000_000, 1)


async def test_well_behaved_client_beside_them_is_served(process: Process) -> None:
    """While hostile requests come four at a time, slow ones hang about and a bomb is sent."""
    url = process.url.removeprefix("http://").split(":")
    slow = [await asyncio.open_connection(url[0], int(url[1])) for _ in range(50)]
    for _reader, writer in slow:
        writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n")
    headers = {"authorization": f"Bearer {token(Role.INGEST)}", "content-encoding": "gzip"}
    stop = asyncio.Event()

    async def attack(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            for body in HOSTILE.values():
                with suppress(httpx.TransportError):
                    await client.post("/graphql", content=body, headers=as_viewer())

    async with httpx.AsyncClient(base_url=process.url, timeout=30) as client:
        attackers = [asyncio.create_task(attack(client)) for _ in range(4)]
        bombing = asyncio.create_task(client.post("/v1/events", content=bomb(), headers=headers))
        loop = asyncio.get_running_loop()
        taken: list[float] = []
        for _ in range(40):
            began = loop.time()
            answer = await client.post("/graphql", json=GOOD, headers=as_role(Role.VIEWER))
            taken.append(loop.time() - began)
            assert "errors" not in answer.json()
            await asyncio.sleep(0.02)
        stop.set()
        assert (await bombing).status_code == 413
        for task in attackers:
            await task
    for _reader, writer in slow:
        writer.close()
    taken.sort()
    assert taken[len(taken) // 2] < 0.5
    assert taken[-1] < ANSWER_SECONDS
