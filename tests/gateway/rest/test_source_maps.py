"""Uploads of source maps, and what maintainers see of them."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from typing import IO, Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from gateway.rest import source_maps as rest
from storage.admin import source_maps
from tests.gateway.application import AppClient, as_role, running, settings_for
from tests.scripts import MAP, SCRIPT, URL

RELEASE = "web/shop@1.2.3"
JAVASCRIPT = {"content-type": "text/javascript; charset=utf-8"}
LIST = """query($p: String!, $r: String!) {
  sourceMaps(project: $p, release: $r) { url mapBytes scriptBytes problem uploadedBy }
}"""
DELETE = """mutation($input: DeleteSourceMapsInput!) {
  deleteSourceMaps(input: $input) { deleted userErrors { field code } }
}"""


@pytest.fixture
async def client(database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    async with running(settings_for(database_url, redis_url)) as client:
        yield client


@pytest.fixture
async def slug(client: AppClient) -> str:
    return await new_project(client)


async def new_project(client: AppClient) -> str:
    slug = f"shop-{uuid4().hex[:8]}"
    document = f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ __typename }} }}'
    await client.post("/graphql", json={"query": document}, headers=as_role(Role.ADMIN))
    return slug


async def put(
    client: AppClient,
    slug: str,
    content: bytes | AsyncIterator[bytes] = MAP,
    *,
    url: str = URL,
    release: str = RELEASE,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    path = f"/v1/projects/{slug}/releases/{quote(release, safe='')}/source-maps"
    sender = as_role(Role.INGEST, projects=(slug,)) | (headers or {})
    return await client.put(path, params={"url": url}, content=content, headers=sender)


async def ask(client: AppClient, document: str, slug: str, **variables: Any) -> dict[str, Any]:
    request = {"query": document, "variables": variables}
    headers = as_role(Role.MAINTAINER, projects=(slug,))
    body = (await client.post("/graphql", json=request, headers=headers)).json()
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


async def test_a_map_and_its_script_are_stored_listed_and_deleted(
    client: AppClient, slug: str
) -> None:
    answer = await put(client, slug)
    assert (answer.status_code, answer.json()) == (
        200,
        {"release": RELEASE, "url": URL, "kind": "map", "bytes": len(MAP)},
    )
    script = await put(client, slug, SCRIPT, url=f"{URL}?v=7", headers=JAVASCRIPT)
    assert script.json() == {
        "release": RELEASE,
        "url": URL,
        "kind": "script",
        "bytes": len(SCRIPT),
    }
    await put(client, slug, url="https://shop.example.com/other.js")
    found = await ask(client, LIST, slug, p=slug, r=RELEASE)
    assert found["sourceMaps"][0]["url"] == "https://shop.example.com/other.js"
    assert found["sourceMaps"][1] == {
        "url": URL,
        "mapBytes": len(MAP),
        "scriptBytes": len(SCRIPT),
        "problem": None,
        "uploadedBy": "ada",
    }
    given = {"project": slug, "release": RELEASE}
    one = await ask(client, DELETE, slug, input={**given, "url": URL})
    assert one["deleteSourceMaps"] == {"deleted": 1, "userErrors": []}
    rest_of_it = await ask(client, DELETE, slug, input=given)
    assert rest_of_it["deleteSourceMaps"]["deleted"] == 1
    assert (await ask(client, LIST, slug, p=slug, r=RELEASE))["sourceMaps"] == []


async def test_a_map_may_be_compressed(client: AppClient, slug: str) -> None:
    answer = await put(client, slug, gzip.compress(MAP), headers={"content-encoding": "gzip"})
    assert answer.json()["bytes"] == len(MAP)


@pytest.mark.parametrize(
    ("content", "change", "status"),
    [
        (b"nonsense", {}, 400),
        (b'{"version": 2}', {}, 400),
        (b"", {}, 400),
        (b"\xff\xfe", {"headers": JAVASCRIPT}, 400),
        (MAP, {"url": ""}, 400),
        (MAP, {"url": "app.js"}, 400),
        (MAP, {"url": "~/a\nb.js"}, 400),
        (MAP, {"url": "http://[bad"}, 400),
        (MAP, {"url": "~/" + "x" * 500}, 400),
        (MAP, {"release": " "}, 400),
        (MAP, {"release": "x" * 201}, 400),
        (MAP, {"release": "a\0b"}, 400),
        (MAP, {"headers": {"content-encoding": "rot13"}}, 400),
        (MAP, {"headers": {"content-encoding": "gzip"}}, 400),
        (MAP, {"role": Role.VIEWER}, 403),
        (MAP, {"headers": {"authorization": ""}}, 401),
    ],
)
async def test_what_cannot_be_stored_is_refused(
    client: AppClient, slug: str, content: bytes, change: dict[str, Any], status: int
) -> None:
    if role := change.get("role"):  # its token is made now: they live for ten minutes
        change = {"headers": as_role(role)}
    answer = await put(client, slug, content, **change)
    assert answer.status_code == status, answer.text
    found = await ask(client, LIST, slug, p=slug, r=RELEASE)
    assert found == {"sourceMaps": []}


async def test_another_tenants_project_is_like_none(client: AppClient, slug: str) -> None:
    stranger = as_role(Role.INGEST, projects=("elsewhere", "never-existed"))
    texts = []
    for project in (slug, "never-existed"):
        answer = await put(client, project, headers=stranger)
        assert answer.status_code == 404
        shown = {**answer.json()["error"], "requestId": ""}
        texts.append(str(shown).replace(project, "…"))
    assert texts[0] == texts[1]
    await put(client, slug)
    seen = await ask(client, LIST, "elsewhere", p=slug, r=RELEASE)
    assert seen == {"sourceMaps": []}
    deleted = await ask(client, DELETE, "elsewhere", input={"project": slug, "release": RELEASE})
    assert deleted["deleteSourceMaps"] == {
        "deleted": 0,
        "userErrors": [{"field": ["input", "project"], "code": "UNKNOWN_PROJECT"}],
    }


async def test_a_bomb_and_a_full_release_are_refused(
    client: AppClient, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "FILE_BYTES", 100_000)
    bomb = gzip.compress(b'{"version": 3, "sections": []' + b" " * 100_000 + b"}")
    refused = await put(client, slug, bomb, headers={"content-encoding": "gzip"})
    assert refused.status_code == 413
    monkeypatch.setattr(source_maps, "RELEASE_BYTES", len(MAP))
    assert (await put(client, slug)).status_code == 200
    full = await put(client, slug, url="~/second.js")
    assert (full.status_code, full.json()["error"]["code"]) == (422, "LIMIT_EXCEEDED")


async def test_releases_that_make_room_are_in_the_audit_log(
    client: AppClient, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_maps, "RELEASES_AT_MOST", 2)
    for number in range(3):
        assert (await put(client, slug, release=f"r{number}")).status_code == 200
    select = "select subject, action, outcome, details from audit_log where target = $1"
    async with client.gateway.services.database.connection() as connection:
        rows = [tuple(row) for row in await connection.fetch(select, slug)]
    entry = ("ada", "source_maps.removed", "ok", {"releases": ["r0"], "for": "r2"})
    assert [row for row in rows if row[1] != "mutation.upsertProject"] == [entry]


async def test_uploads_take_turns(
    client: AppClient, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits too long is told to come again, and so is who sends too slowly.

    Other projects do not wait for either.
    """
    other = await new_project(client)
    monkeypatch.setattr(rest, "UPLOAD_SECONDS", 3.0)
    begun = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield MAP[:100]
        begun.set()
        await asyncio.sleep(60)

    first = asyncio.create_task(put(client, slug, slowly()))
    await begun.wait()
    assert (await put(client, other)).status_code == 200
    monkeypatch.setattr(rest, "UPLOAD_SECONDS", 0.02)
    second = await put(client, slug)
    assert (second.status_code, (await first).status_code) == (503, 503)
    assert int(second.headers["retry-after"]) >= 1
    monkeypatch.undo()
    assert (await put(client, slug)).status_code == 200


async def test_a_check_that_takes_too_long_ends_before_the_next_one_begins(
    client: AppClient, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "UPLOAD_SECONDS", 0.2)
    other, begun, ended = await new_project(client), list[float](), list[float]()

    def check(body: IO[bytes], _encoding: str, *, is_map: bool) -> tuple[bytes, int]:
        begun.append(time.monotonic())
        time.sleep(0.6)
        ended.append(time.monotonic())
        body.seek(0)  # which raises for a closed file
        return b"", int(is_map)

    monkeypatch.setattr(rest, "_checked", check)
    assert [(await put(client, each)).status_code for each in (slug, other)] == [503, 503]
    assert len(begun) == len(ended) == 2
    assert ended[0] <= begun[1]
