"""Mutations: what is recorded is stored and shown at once; what is provisioned is known at once."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from access.viewers import Role, Viewer
from ingest.identity import uuid7_time
from storage.errors import Forbidden, LimitExceeded
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, Platform
from tests.servers import Databases

RECORD = """mutation($input: DeploymentEventInput!) { recordDeployment(input: $input) {
  deployment { id externalId status project { slug } statusEvents { type } }
  result { index id time status code path message }
  userErrors { field code message }
} }"""
MANY = """mutation($events: [EventInput!]!) { recordEvents(input: {events: $events}) {
  results { index id status code path } userErrors { field code }
} }"""
WRITER = Viewer("writer", frozenset({Role.INGEST, Role.VIEWER}), frozenset({"written"}))
BLIND = Viewer("blind", frozenset({Role.INGEST}), frozenset({"written"}))


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, since it writes."""
    async with opened(url) as platform:
        yield platform


@pytest.fixture(scope="module", autouse=True)
async def project(platform: Platform) -> None:
    document = """mutation { upsertProject(input: {slug: "written", name: "Written"}) {
        project { slug name } userErrors { code } } }"""
    data = await platform.ask(document, ADMIN)
    assert data["upsertProject"]["project"] == {"slug": "written", "name": "Written"}


def started(deployment: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "STARTED",
        "deployment": deployment,
        "project": "written",
        "id": f"{deployment}-started",
        "time": (NOW - timedelta(minutes=5)).isoformat(),
        **more,
    }


async def test_recorded_event_shows_in_the_payload(platform: Platform) -> None:
    """R21."""
    data = await platform.ask(RECORD, WRITER, input=started("w-1"))
    payload = data["recordDeployment"]
    assert payload["userErrors"] == []
    assert payload["result"]["status"] == "ACCEPTED"
    assert payload["deployment"]["status"] == "IN_PROGRESS"
    assert payload["deployment"]["project"] == {"slug": "written"}
    finished = started("w-1", type="SUCCEEDED", id="w-1-done", durationMs=1500.5)
    data = await platform.ask(RECORD, WRITER, input=finished)
    assert data["recordDeployment"]["deployment"]["status"] == "SUCCEEDED"
    again = (await platform.ask(RECORD, WRITER, input=finished))["recordDeployment"]
    assert again["result"]["status"] == "DUPLICATE"
    assert [event["type"] for event in again["deployment"]["statusEvents"]] == [
        "SUCCEEDED",
        "STARTED",
    ]


async def test_an_event_without_id_and_time_happens_now(platform: Platform) -> None:
    given = {"type": "STARTED", "deployment": "w-now", "project": "written"}
    first = (await platform.ask(RECORD, WRITER, input=given))["recordDeployment"]
    assert first["deployment"]["status"] == "IN_PROGRESS"
    assert UUID(first["result"]["id"]).version == 7
    at = datetime.fromisoformat(first["result"]["time"])
    assert at == uuid7_time(UUID(first["result"]["id"]))
    assert abs(at - NOW) < timedelta(seconds=1)
    again = {**given, "id": first["result"]["id"]}
    result = (await platform.ask(RECORD, WRITER, input=again))["recordDeployment"]["result"]
    assert (result["status"], result["time"]) == ("DUPLICATE", first["result"]["time"])


async def test_an_id_of_its_own_needs_a_time(platform: Platform) -> None:
    given = {"type": "STARTED", "deployment": "w-now", "project": "written", "id": "mine"}
    payload = (await platform.ask(RECORD, WRITER, input=given))["recordDeployment"]
    assert payload["result"]["status"] == "REJECTED"
    assert payload["result"]["time"] is None
    (error,) = payload["userErrors"]
    assert (error["field"], error["code"]) == (["input", "time"], "MISSING_FIELD")


async def test_events_of_all_facts_are_recorded_together(platform: Platform) -> None:
    common = {"project": "written", "environment": "production"}
    events = [
        {"deployment": {**common, "type": "QUEUED", "deployment": "w-all"}},
        {"build": {**common, "type": "SUCCEEDED", "build": "b-1", "deployment": "w-all"}},
        {"buildPhase": {**common, "build": "b-1", "phase": "install", "status": "FAILED"}},
        {"invocation": {**common, "type": "COMPLETED", "function": "f", "invocation": "i-1"}},
        {"apiCall": {**common, "endpoint": "/a", "method": "GET", "status": 200, "durationMs": 2}},
    ]
    payload = (await platform.ask(MANY, WRITER, events=events))["recordEvents"]
    assert [result["status"] for result in payload["results"]] == ["ACCEPTED"] * len(events)
    assert payload["userErrors"] == []


async def test_several_mutations_each_see_their_own_event(platform: Platform) -> None:
    data = await platform.ask(
        """mutation($a: DeploymentEventInput!, $b: DeploymentEventInput!) {
            a: recordDeployment(input: $a) { deployment { status statusEvents { type } } }
            b: recordDeployment(input: $b) { deployment { status statusEvents { type } } } }""",
        ADMIN,
        a=started("w-2"),
        b=started("w-2", type="FAILED", id="w-2-failed", error="no"),
    )
    assert data["a"]["deployment"] == {
        "status": "IN_PROGRESS",
        "statusEvents": [{"type": "STARTED"}],
    }
    assert data["b"]["deployment"]["status"] == "FAILED"
    assert len(data["b"]["deployment"]["statusEvents"]) == 2


async def test_a_bad_event_leaves_the_good_ones(platform: Platform) -> None:
    far = (NOW + timedelta(days=9)).isoformat()
    inputs = [started("w-3"), started("w-4", time=far), started("w-5", network="nowhere")]
    events = [{"deployment": event} for event in inputs]
    payload = (await platform.ask(MANY, WRITER, events=events))["recordEvents"]
    assert [result["status"] for result in payload["results"]] == [
        "ACCEPTED",
        "REJECTED",
        "ACCEPTED",
    ]
    assert payload["results"][2]["code"] == "UNKNOWN_NETWORK"
    assert payload["userErrors"] == [
        {"field": ["input", "events", "1", "deployment", "time"], "code": "IN_FUTURE"}
    ]


async def test_template_is_known_in_any_case(platform: Platform) -> None:
    document = """mutation($input: DeploymentEventInput!) { recordDeployment(input: $input) {
        deployment { templateSlug template { slug } } result { code } } }"""
    data = await platform.ask(document, WRITER, input=started("w-8", template="Template-03"))
    assert data["recordDeployment"]["deployment"] == {
        "templateSlug": "Template-03",
        "template": {"slug": "template-03"},
    }
    assert data["recordDeployment"]["result"]["code"] is None


async def test_another_tenants_project_is_like_none(platform: Platform) -> None:
    payloads = []
    for slug in ("shop", "never-existed"):
        data = await platform.ask(RECORD, WRITER, input=started("w-6", project=slug))
        payload = data["recordDeployment"]
        assert payload["deployment"] is None
        payloads.append(str(payload).replace(slug, "…"))
    assert payloads[0] == payloads[1]
    assert "UNKNOWN_PROJECT" in payloads[0]


@pytest.mark.parametrize("mutation", [RECORD, MANY])
async def test_viewers_may_not_record(platform: Platform, mutation: str) -> None:
    given: Any = (
        {"input": started("w-7")}
        if mutation is RECORD
        else {"events": [{"deployment": started("w-7")}]}
    )
    assert isinstance(await platform.refused(mutation, ADA, **given), Forbidden)


async def test_too_many_events_are_refused(platform: Platform) -> None:
    events = [{"deployment": started(f"w-{number}")} for number in range(501)]
    assert isinstance(await platform.refused(MANY, WRITER, events=events), LimitExceeded)


PROVISION = [
    'upsertProject(input: {slug: "p"}) { userErrors { code } }',
    'upsertNetwork(input: {name: "n"}) { userErrors { code } }',
    'upsertTemplate(input: {slug: "t"}) { userErrors { code } }',
]


@pytest.mark.parametrize("mutation", PROVISION)
@pytest.mark.parametrize("viewer", [ADA, WRITER])
async def test_only_admins_provision(platform: Platform, mutation: str, viewer: Viewer) -> None:
    assert isinstance(await platform.refused(f"mutation {{ {mutation} }}", viewer), Forbidden)


async def test_provisioning_twice_keeps_what_is_left_out(platform: Platform) -> None:
    name = f"net-{uuid4().hex[:8]}"
    document = """mutation($input: NetworkInput!) { upsertNetwork(input: $input) {
        network { name title chainId } userErrors { field code } } }"""
    given = {"name": name, "title": "A net", "chainId": "9007199254740993"}
    first = await platform.ask(document, ADMIN, input=given)
    assert first["upsertNetwork"]["network"] == given
    second = await platform.ask(document, ADMIN, input={"name": name})
    assert second == first


async def test_template_is_stored_whole(platform: Platform) -> None:
    slug = f"t-{uuid4().hex[:8]}"
    given = {"slug": slug, "name": "T", "description": "D", "category": "C", "tags": ["a", "b"]}
    document = """mutation($input: TemplateInput!) { upsertTemplate(input: $input) {
        template { slug name description category tags } userErrors { field code } } }"""
    data = await platform.ask(document, ADMIN, input=given)
    assert data["upsertTemplate"]["template"] == given
    found = await platform.ask(
        """query($s: String) { templates(search: $s, category: "C") { nodes { slug } } }""",
        s=slug[2:].upper(),
    )
    assert found["templates"]["nodes"] == [{"slug": slug}]


@pytest.mark.parametrize(
    ("mutation", "field"),
    [
        ('upsertProject(input: {slug: " "})', "slug"),
        ('upsertProject(input: {slug: "p", name: " "})', "name"),
        ('upsertProject(input: {slug: "p", name: "a\\u0000b"})', "name"),
        ('upsertNetwork(input: {name: "other"})', "name"),
        ('upsertNetwork(input: {name: "n", chainId: "99999999999999999999"})', "chainId"),
        ('upsertNetwork(input: {name: "n", chainId: "x"})', "chainId"),
        ('upsertTemplate(input: {slug: ""})', "slug"),
        ('upsertTemplate(input: {slug: "t", tags: [""]})', "tags"),
    ],
)
async def test_what_can_be_mended_is_a_user_error(
    platform: Platform, mutation: str, field: str
) -> None:
    document = f"mutation {{ it: {mutation} {{ userErrors {{ field code message }} }} }}"
    data = await platform.ask(document, ADMIN)
    assert [error["field"] for error in data["it"]["userErrors"]] == [["input", field]]


UPSERT_PROJECT = """mutation($slug: String!) { upsertProject(input: {slug: $slug}) {
    project { slug } userErrors { field code } } }"""


@pytest.mark.parametrize("slug", ["My Shop", " größe/1 ", "other", "42", "x" * 200, "-a\u200b"])
async def test_a_project_may_be_called_what_events_may_call_it(
    platform: Platform, slug: str
) -> None:
    made = await platform.ask(UPSERT_PROJECT, ADMIN, slug=slug)
    assert made["upsertProject"] == {"project": {"slug": slug.strip()}, "userErrors": []}
    recorded = await platform.ask(RECORD, ADMIN, input=started("named", project=slug))
    assert recorded["recordDeployment"]["deployment"]["project"] == {"slug": slug.strip()}


@pytest.mark.parametrize("slug", ["x" * 201, "a\u0000b", "a\nb"])
async def test_a_project_may_not_be_called_what_events_may_not_call_it(
    platform: Platform, slug: str
) -> None:
    made = await platform.ask(UPSERT_PROJECT, ADMIN, slug=slug)
    recorded = await platform.ask(RECORD, ADMIN, input=started("named", project=slug))
    (refused,) = made["upsertProject"]["userErrors"]
    assert refused["field"] == ["input", "slug"]
    assert refused["code"] == recorded["recordDeployment"]["userErrors"][0]["code"]


async def test_token_that_only_records_is_shown_no_deployment(platform: Platform) -> None:
    """Others report about the same deployment, and its project leads to all the rest."""
    document = """mutation($input: DeploymentEventInput!) { recordDeployment(input: $input) {
        deployment { error attributes statusEvents { actor } project {
          environments { name } latestDeployments { error } } }
        result { status } userErrors { code } } }"""
    await platform.ask(document, WRITER, input=started("w-blind", error="a secret"))
    done = started("w-blind", type="FAILED", id="w-blind-done")
    for status in ("ACCEPTED", "DUPLICATE"):
        payload = (await platform.ask(document, BLIND, input=done))["recordDeployment"]
        assert payload == {"deployment": None, "result": {"status": status}, "userErrors": []}
