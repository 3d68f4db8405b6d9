"""Over HTTP, with all caches: what was kept for one tenant is not given to another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest
from graphql import get_named_type

from access.scopes import Scope
from access.viewers import Viewer
from analytics.answer_cache import WRITE_DELAY_SECONDS
from analytics.slices import Slice
from gateway.routes import API_ROUTES
from tests.crawl.attacks import own
from tests.crawl.conftest import Urls
from tests.crawl.documents import Document, Writer, operation_of, roots
from tests.crawl.world import CANARY, HERON, QUAGGA
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.schema.platform import ADMIN, NOW, TODAY

RANGE = {"between": {"start": TODAY.isoformat(), "end": NOW.isoformat()}}
FIGURES = """query ($range: TimeRange) {
  deploymentStats(range: $range) { attempts succeeded activeProjects byProject { name } }
}"""


@pytest.fixture(scope="session")
async def gateway(
    written_urls: Urls, world_urls: Urls, redis_url: str
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings_for(world_urls.within, redis_url)) as client:

        async def is_ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await eventually(is_ready)
        yield client


def as_viewer(viewer: Viewer) -> dict[str, str]:
    return as_role(*viewer.roles, projects=tuple(viewer.project_slugs))


async def ask(client: httpx.AsyncClient, document: Document, viewer: Viewer) -> httpx.Response:
    body = {"query": document.text, "variables": document.variables}
    return await client.post("/graphql", json=body, headers=as_viewer(viewer))


def shallow() -> list[Document]:
    """Each query, as far as one level below: more is refused over HTTP for its size."""
    found = []
    for parent, name, definition in roots():
        if parent == "Query":
            writer = Writer(own)
            below = writer.everything(get_named_type(definition.type), 1)
            selection = f"{writer.call(parent, name, definition, {})} {below}"
            found.append(writer.document(operation_of(parent), selection, f"{parent}.{name}"))
    return found


@pytest.mark.parametrize("document", shallow(), ids=lambda one: one.about)
async def test_an_answer_kept_for_others_is_not_ours(
    gateway: httpx.AsyncClient, document: Document
) -> None:
    for _ in range(2):  # an answer is kept from the first on, its parts as well
        for viewer in (ADMIN, QUAGGA, HERON):
            answer = await ask(gateway, document, viewer)
            assert answer.status_code == 200, answer.text
            assert "INTERNAL" not in answer.text
            if viewer is HERON:
                assert CANARY not in answer.text
                assert CANARY not in json.dumps(dict(answer.headers))


async def test_our_figures_are_ours(gateway: httpx.AsyncClient) -> None:
    assert await leaking_figures(gateway, "UTC") == []


def same_key(_scope: Scope) -> str:
    return "same"


@pytest.fixture
def same_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """All data has the same version, whatever it is."""
    for module in ("storage.feed.versions", "analytics.run"):
        monkeypatch.setattr(f"{module}.version_text", lambda _numbers, _project_ids: "same")


def everybodys_key(original: Callable[[Slice], str]) -> Callable[[Slice], str]:
    return lambda question: original(replace(question, scope=Scope.everything()))


@pytest.mark.usefixtures("same_versions")
async def test_the_keys_alone_keep_answers_apart(gateway: httpx.AsyncClient) -> None:
    """The versions of the projects' data differ as well, but not always."""
    assert await leaking_figures(gateway, "Asia/Tokyo") == []


@pytest.mark.usefixtures("same_versions")
async def test_without_the_scope_in_its_key_a_kept_answer_would_leak(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scope, "key", same_key)
    assert await leaking_figures(gateway, "Asia/Seoul")


@pytest.mark.usefixtures("same_versions")
async def test_without_the_scope_in_its_key_a_kept_slice_would_leak(
    gateway: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slice, "key", everybodys_key(Slice.key))
    assert await leaking_figures(gateway, "Asia/Manila")


async def leaking_figures(client: httpx.AsyncClient, zone: str) -> list[str]:
    """Answers to our own tenant in which others have their part, asked after theirs."""
    text = FIGURES.replace("range: $range", f'range: $range, timeZone: "{zone}"')
    document = Document(text, {"range": RANGE}, "figures")
    leaking = []
    for _ in range(2):
        await ask(client, document, ADMIN)
        await ask(client, document, QUAGGA)
        await asyncio.sleep(4 * WRITE_DELAY_SECONDS)
        answer = await ask(client, document, HERON)
        if CANARY in answer.text or answer.json()["data"]["deploymentStats"]["activeProjects"] > 2:
            leaking.append(answer.text)
    return leaking


async def test_events_for_anothers_project_are_like_events_for_none(
    gateway: httpx.AsyncClient,
) -> None:
    def event(project: str) -> dict[str, str]:
        return {
            "type": "deployment.succeeded",
            "id": "one",
            "deployment": "quagga-0",
            "project": project,
            "time": NOW.isoformat(),
        }

    answers = []
    for project in ("quagga", "nobody"):
        for headers in ({}, {"x-project": project}):
            sent = event(project) if not headers else {**event(project), "project": None}
            answer = await gateway.post(
                "/v1/events", json=[sent], headers={**as_viewer(HERON), **headers}
            )
            answers.append((answer.status_code, answer.text.replace(project, "it")))
    assert len(set(answers)) == 1
    assert "UNKNOWN_PROJECT" in answers[0][1]


@pytest.mark.parametrize("path", [route.path for route in API_ROUTES if route.is_public])
async def test_what_is_open_to_all_names_nobody(gateway: httpx.AsyncClient, path: str) -> None:
    for secret in (CANARY, "heron"):
        assert secret not in (await gateway.get(path)).text
