"""First steps: code with the project's own key, and whether its first event has arrived."""

import json
import shlex
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from access.scopes import Scope
from access.viewers import Role, Viewer
from ingest.normaliser import TimeWindow
from storage.admin.project_keys import live_of_projects
from storage.errors import Forbidden
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, RIVAL, Platform
from tests.servers import Databases

STEPS = """query($slug: String!) { project(slug: $slug) { firstSteps {
  hasEvents hasErrors firstEventAt dsn advice snippets { sender title language code } } } }"""
CREATE = """mutation($slug: String!) {
  createProjectKey(input: {project: $slug, name: "first"}) { projectKey { id dsn } } }"""
REVOKE = "mutation($id: ID!) { revokeProjectKey(input: {id: $id}) { projectKey { id } } }"
URL = "https://errors.example.com"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, since it writes."""
    async with opened(url) as platform:
        platform.services = replace(platform.services, public_url=URL)
        yield platform


@pytest.fixture
async def slug(platform: Platform) -> str:
    """A project of which nothing is known yet."""
    return await made(platform, f"p-{uuid4().hex[:8]}")


async def made(platform: Platform, slug: str) -> str:
    document = "mutation($s: String!) { upsertProject(input: {slug: $s}) { __typename } }"
    await platform.ask(document, ADMIN, s=slug)
    return slug


def holder(slug: str, *roles: Role) -> Viewer:
    return Viewer("somebody", frozenset(roles), frozenset({slug}))


async def steps(platform: Platform, slug: str, viewer: Viewer | None = None) -> dict[str, Any]:
    data = await platform.ask(STEPS, viewer or holder(slug, Role.MAINTAINER), slug=slug)
    found: dict[str, Any] = data["project"]["firstSteps"]
    return found


async def test_a_new_project_is_told_to_make_a_key(platform: Platform, slug: str) -> None:
    told = await steps(platform, slug)
    assert (told["hasEvents"], told["hasErrors"]) == (False, False)
    assert (told["firstEventAt"], told["dsn"]) == (None, None)
    _, _, document = told["advice"].partition("mutation")
    answer = await platform.ask(f"mutation{document}", holder(slug, Role.MAINTAINER))
    key = answer["createProjectKey"]["projectKey"]
    assert (await steps(platform, slug))["dsn"] == key["dsn"]


async def test_snippets_have_the_projects_own_key(platform: Platform, slug: str) -> None:
    key = (await platform.ask(CREATE, ADMIN, slug=slug))["createProjectKey"]["projectKey"]
    told = await steps(platform, slug)
    assert told["dsn"] == key["dsn"]
    assert key["dsn"].startswith("https://")
    assert told["advice"].startswith("Run one of the snippets")
    by_sender = {each["sender"]: each["code"] for each in told["snippets"]}
    assert list(by_sender) == ["PYTHON", "NODE", "BROWSER", "CURL"]
    for sender in ("PYTHON", "NODE", "BROWSER"):
        assert json.dumps(key["dsn"]) in by_sender[sender]
    compile(by_sender["PYTHON"], "snippet", "exec")
    revoked = await platform.ask(REVOKE, ADMIN, id=key["id"])
    assert revoked["revokeProjectKey"]["projectKey"]
    assert (await steps(platform, slug))["dsn"] is None


async def test_the_plain_event_is_one_that_is_accepted(platform: Platform) -> None:
    slug = await made(platform, f"it's {uuid4().hex[:8]}")
    (code,) = [
        each["code"]
        for each in (await steps(platform, slug))["snippets"]
        if each["sender"] == "CURL"
    ]
    words = shlex.split(code, comments=True)
    assert f"{URL}/v1/events" in words
    body = words[words.index("-d") + 1].replace("$(date -u +%FT%TZ)", NOW.isoformat())
    (result,) = await platform.services.intake.record(
        [json.loads(body)], ADMIN, TimeWindow(None, None)
    )
    assert result.status == "accepted", result
    told = await steps(platform, slug)
    assert (told["hasEvents"], told["hasErrors"]) == (True, True)
    assert told["firstEventAt"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    assert told["advice"].startswith("The first event arrived, of ")


async def test_the_first_event_is_the_earliest_of_all_facts(platform: Platform, slug: str) -> None:
    events = [
        {
            "type": kind,
            "project": slug,
            "id": kind,
            "time": (NOW - timedelta(minutes=age)).isoformat(),
            **fields,
        }
        for kind, age, fields in (
            ("deployment.started", 5, {"deployment": "d-1"}),
            ("api.call", 7, {"endpoint": "/", "method": "GET", "status": 200}),
            ("build.started", 6, {"build": "b-1"}),
        )
    ]
    for result in await platform.services.intake.record(events, ADMIN, TimeWindow(None, None)):
        assert result.status == "accepted", result
    told = await steps(platform, slug)
    assert (told["hasEvents"], told["hasErrors"]) == (True, False)
    earliest = NOW - timedelta(minutes=7)
    assert told["firstEventAt"] == f"{earliest:%Y-%m-%dT%H:%M:%SZ}"


async def test_those_who_record_or_manage_see_first_steps(platform: Platform, slug: str) -> None:
    for roles in ((Role.MAINTAINER,), (Role.VIEWER, Role.INGEST), (Role.ADMIN,)):
        assert (await steps(platform, slug, holder(slug, *roles)))["snippets"]
    document = '{ project(slug: "shop") { slug firstSteps { hasEvents } } }'
    refused = await platform.execute(document, ADA)
    assert refused.data == {"project": {"slug": "shop", "firstSteps": None}}
    assert isinstance(refused.errors[0].original_error, Forbidden)  # type: ignore[index]
    assert await platform.ask(document, RIVAL) == {"project": None}


async def test_first_steps_of_many_projects_are_two_statements(platform: Platform) -> None:
    document = "{ projects { nodes { firstSteps { hasEvents dsn } } } }"
    await platform.ask(document, ADMIN)
    assert platform.statements.count("first_events") == 1
    assert platform.statements.count("live_project_keys") == 1


async def test_the_database_keeps_keys_to_the_scope(platform: Platform, slug: str) -> None:
    await platform.ask(CREATE, ADMIN, slug=slug)
    database = platform.services.database
    ids = await platform.services.dictionaries.project_ids([slug, "rival"])
    assert await live_of_projects(database, Scope.everything(), [ids[slug]])
    assert not await live_of_projects(database, Scope.of([ids["rival"]]), [ids[slug]])
