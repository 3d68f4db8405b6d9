"""Project keys through GraphQL: who may manage them, what is refused, and what was dropped."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from access.dsn import Dsn
from access.viewers import Role
from storage.admin import dropped_events
from storage.admin.dropped_events import Drop
from storage.dictionaries import upsert_project
from tests.gateway.application import AppClient, as_role, running, settings_for

KEY = """{ id dsn name project eventsPerMinute origins refusedReleases refusedTexts
  refusesLegacyBrowsers takesTransactions forwardTo createdBy revokedAt revokedBy lastUsedAt }"""
CREATE = f"""mutation($input: CreateProjectKeyInput!) {{
  createProjectKey(input: $input) {{ projectKey {KEY} userErrors {{ field code message }} }} }}"""
UPDATE = f"""mutation($input: UpdateProjectKeyInput!) {{
  updateProjectKey(input: $input) {{ projectKey {KEY} userErrors {{ field code message }} }} }}"""
REVOKE = f"""mutation($input: RevokeProjectKeyInput!) {{
  revokeProjectKey(input: $input) {{ projectKey {KEY} userErrors {{ field code message }} }} }}"""
LIST = f"query($project: String!) {{ projectKeys(project: $project) {KEY} }}"
DROPPED = """query($project: String!, $days: Int!) {
  droppedEvents(project: $project, days: $days) { day projectKey category reason events } }"""


@pytest.fixture(scope="module")
async def client(database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    async with running(settings_for(database_url, redis_url)) as client:
        yield client


@pytest.fixture
async def project(client: AppClient) -> str:
    slug = f"keys-{uuid4().hex[:12]}"
    async with client.gateway.services.database.transaction() as connection:
        await upsert_project(connection, slug)
    return slug


class Asker:
    """Sends operations as a maintainer of one project, unless another role is given."""

    def __init__(self, client: AppClient, project: str, role: Role = Role.MAINTAINER) -> None:
        self.client = client
        self.project = project
        self.headers = as_role(role, projects=(project,))

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        answer = await self.client.post("/graphql", json=body, headers=self.headers)
        return dict(answer.json())

    async def change(self, document: str, **given: Any) -> dict[str, Any]:
        (payload,) = (await self.ask(document, input=given))["data"].values()
        return dict(payload)

    async def create(self, **settings: Any) -> dict[str, Any]:
        given = {"project": self.project, "name": "web", **settings}
        return dict((await self.change(CREATE, **given))["projectKey"])


@pytest.fixture
def asker(client: AppClient, project: str) -> Asker:
    return Asker(client, project)


async def test_a_key_is_created_changed_listed_and_revoked(asker: Asker) -> None:
    made = await asker.create(takesTransactions=True)
    assert (made["eventsPerMinute"], made["forwardTo"], made["origins"]) == (6000, None, [])
    dsn = Dsn.parse(made["dsn"])
    assert (dsn.scheme, dsn.host, dsn.public_key) == ("http", "gateway", made["id"])
    changes = {"refusedReleases": ["1.*"], "forwardTo": "https://abc@sentry.example.com/1"}
    changed = (await asker.change(UPDATE, id=made["id"], **changes))["projectKey"]
    assert changed == made | changes
    ended = (await asker.change(UPDATE, id=made["id"], forwardTo=""))["projectKey"]
    assert (ended["forwardTo"], ended["refusedReleases"]) == (None, ["1.*"])
    revoked = (await asker.change(REVOKE, id=made["id"]))["projectKey"]
    assert revoked["revokedBy"] == "ada"
    assert revoked["revokedAt"]
    again = (await asker.change(REVOKE, id=made["id"]))["projectKey"]
    assert again == revoked
    listed = await asker.ask(LIST, project=asker.project)
    assert listed["data"]["projectKeys"] == [revoked]


async def test_a_key_has_code_for_each_sdk_with_its_dsn(asker: Asker) -> None:
    made = await asker.create()
    query = """query($project: String!) { projectKeys(project: $project) {
      snippets { sender language code } } }"""
    ((key,),) = (await asker.ask(query, project=asker.project))["data"].values()
    assert [one["sender"] for one in key["snippets"]] == ["PYTHON", "NODE", "BROWSER"]
    assert all(made["dsn"] in one["code"] for one in key["snippets"])


async def test_the_address_of_the_gateway_stands_in_the_dsn(
    database_url: str, redis_url: str, project: str
) -> None:
    settings = settings_for(database_url, redis_url, public_url="https://errors.example.com/base/")
    async with running(settings) as client:
        dsn = Dsn.parse((await Asker(client, project).create())["dsn"])
    assert (dsn.scheme, dsn.host, dsn.path) == ("https", "errors.example.com", "/base/")


WRONG: list[tuple[str, Any]] = [
    ("name", " "),
    ("name", "x" * 101),
    ("eventsPerMinute", 0),
    ("eventsPerMinute", 1_000_001),
    ("origins", ["shop.example.com"]),
    ("refusedReleases", [""]),
    ("refusedTexts", ["x" * 201]),
    ("refusedTexts", ["a*" * 11]),
    ("refusedReleases", ["a"] * 101),
    ("forwardTo", "https://sentry.example.com/1"),
    ("forwardTo", "ftp://abc@sentry.example.com/1"),
    ("forwardTo", "https://abc@sentry.example.com/1?x=1"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
async def test_wrong_settings_are_refused_with_their_field(
    asker: Asker, field: str, value: Any
) -> None:
    given = {"project": asker.project, "name": "web", field: value}
    payload = await asker.change(CREATE, **given)
    assert payload["projectKey"] is None
    assert {tuple(error["field"]) for error in payload["userErrors"]} == {("input", field)}
    listed = await asker.ask(LIST, project=asker.project)
    assert listed["data"]["projectKeys"] == []


async def test_a_text_that_cannot_be_stored_is_refused(asker: Asker) -> None:
    given = {"project": asker.project, "name": "web", "refusedTexts": ["a\0b"]}
    answer = await asker.ask(CREATE, input=given)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_another_project_is_answered_like_one_that_does_not_exist(
    client: AppClient, asker: Asker
) -> None:
    made = await asker.create()
    stranger = Asker(client, f"other-{uuid4().hex[:8]}")
    nobody = "f" * 32
    for document in (UPDATE, REVOKE):
        foreign = await stranger.change(document, id=made["id"])
        missing = await stranger.change(document, id=nobody)
        assert foreign["userErrors"][0]["code"] == "NOT_FOUND"
        assert str(foreign).replace(made["id"], nobody) == str(missing)
    created = await stranger.change(CREATE, project=asker.project, name="web")
    assert created["userErrors"][0]["code"] == "NOT_FOUND"
    for document, more in ((LIST, {}), (DROPPED, {"days": 1})):
        foreign = await stranger.ask(document, project=asker.project, **more)
        missing = await stranger.ask(document, project="never-was", **more)
        assert foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert (
            foreign["errors"][0]["message"].replace(asker.project, "never-was")
            == (missing["errors"][0]["message"])
        )


@pytest.mark.parametrize("role", [Role.VIEWER, Role.INGEST])
async def test_only_maintainers_and_admins_manage_keys(
    client: AppClient, project: str, role: Role
) -> None:
    answer = await Asker(client, project, role).ask(CREATE, input={"project": project, "name": "x"})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await Asker(client, project, Role.ADMIN).create())["project"] == project


async def test_what_was_dropped_is_listed_by_day_and_reason(asker: Asker) -> None:
    made = await asker.create()
    project_id = int(Dsn.parse(made["dsn"]).project)
    today = datetime.now(UTC).date()
    database = asker.client.gateway.services.database
    counts = {
        Drop(project_id, today, made["id"], "error", "key_budget"): 3_000_000_000,
        Drop(project_id, date(2020, 1, 1), made["id"], "error", "key_budget"): 1,
    }
    async with database.transaction() as connection:
        await dropped_events.add(connection, counts)
    answer = await asker.ask(DROPPED, project=asker.project, days=2)
    assert answer["data"]["droppedEvents"] == [
        {
            "day": today.isoformat(),
            "projectKey": made["id"],
            "category": "ERROR",
            "reason": "KEY_BUDGET",
            "events": 3_000_000_000,
        }
    ]
    refused = await asker.ask(DROPPED, project=asker.project, days=91)
    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
