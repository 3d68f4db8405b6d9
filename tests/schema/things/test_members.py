"""Members: admins add and remove them, managers list them, and others never see an address."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from access.scopes import Scope
from access.viewers import Role, Viewer
from resolvers.context import Context
from resolvers.members import member_of
from storage import members
from storage.errors import Forbidden
from storage.queries.members import of_projects
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, RIVAL, Platform
from tests.servers import Databases

UPSERT = """mutation($input: MemberInput!) { upsertMember(input: $input) {
  member { subject role source email } userErrors { field code message } } }"""
REMOVE = """mutation($input: RemoveMemberInput!) { removeMember(input: $input) {
  removed userErrors { field code message } } }"""
LIST = "query($slug: String!) { project(slug: $slug) { members { id subject role source email } } }"
NODE = "query($id: ID!) { node(id: $id) { ... on Member { subject role } } }"
KEEPER = Viewer("keeper", frozenset({Role.MAINTAINER}), frozenset({"shop", "blog"}))


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, since it writes."""
    async with opened(url) as platform:
        yield platform


@pytest.fixture
async def slug(platform: Platform) -> str:
    """A project without members."""
    slug = f"p-{uuid4().hex[:8]}"
    await platform.ask(
        f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ __typename }} }}', ADMIN
    )
    return slug


def keeper(slug: str) -> Viewer:
    return replace(KEEPER, project_slugs=frozenset({slug}))


async def add(platform: Platform, project: str, subject: str, **more: Any) -> dict[str, Any]:
    given = {"project": project, "subject": subject, **more}
    payload: dict[str, Any] = (await platform.ask(UPSERT, ADMIN, input=given))["upsertMember"]
    return payload


async def listed(platform: Platform, slug: str, viewer: Viewer | None = None) -> list[Any]:
    data = await platform.ask(LIST, viewer or keeper(slug), slug=slug)
    found: list[Any] = data["project"]["members"]
    return found


async def test_an_admin_adds_and_changes_a_member(platform: Platform, slug: str) -> None:
    made = await add(platform, slug, "ada", email="ada@example.com")
    assert made == {
        "member": {
            "subject": "ada",
            "role": "MEMBER",
            "source": "ADMIN",
            "email": "ada@example.com",
        },
        "userErrors": [],
    }
    changed = await add(platform, slug, "ada", role="OWNER")
    assert changed["member"]["role"] == "OWNER"
    assert changed["member"]["email"] == "ada@example.com"
    assert [(each["subject"], each["role"]) for each in await listed(platform, slug)] == [
        ("ada", "OWNER")
    ]


async def test_a_removed_member_is_gone(platform: Platform, slug: str) -> None:
    await add(platform, slug, "ada")
    given = {"project": slug, "subject": "ada"}
    first = await platform.ask(REMOVE, ADMIN, input=given)
    again = await platform.ask(REMOVE, ADMIN, input=given)
    assert first["removeMember"] == {"removed": True, "userErrors": []}
    assert again["removeMember"] == {"removed": False, "userErrors": []}
    assert await listed(platform, slug) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"project": "no-such-project"}, "project"),
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"subject": "a\0b"}, "subject"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b@c"}, "email"),
        ({"email": "a b@example.com"}, "email"),
        ({"email": "x" * 250 + "@example.com"}, "email"),
    ],
)
async def test_wrong_input_is_named_and_never_repeats_an_address(
    platform: Platform, slug: str, change: dict[str, Any], field: str
) -> None:
    given = {"project": slug, "subject": "ada", "email": "ada@example.com"} | change
    (error,) = (await platform.ask(UPSERT, ADMIN, input=given))["upsertMember"]["userErrors"]
    assert error["field"] == ["input", field]
    assert given["email"] not in error["message"]
    assert await listed(platform, slug) == []


@pytest.mark.parametrize("viewer", [ADA, KEEPER])
@pytest.mark.parametrize(
    "mutation",
    [
        'upsertMember(input: {project: "shop", subject: "eve"}) { member { subject } }',
        'removeMember(input: {project: "shop", subject: "eve"}) { removed }',
    ],
)
async def test_only_admins_change_members(
    platform: Platform, mutation: str, viewer: Viewer
) -> None:
    assert isinstance(await platform.refused(f"mutation {{ {mutation} }}", viewer), Forbidden)


async def test_only_managers_list_members(platform: Platform) -> None:
    await add(platform, "shop", "ada", email="ada@example.com")
    document = '{ project(slug: "shop") { slug members { subject } } }'
    refused = await platform.execute(document, ADA)
    assert refused.data == {"project": {"slug": "shop", "members": None}}
    assert [each["email"] for each in await listed(platform, "shop", KEEPER)] == ["ada@example.com"]
    assert await platform.ask(document, RIVAL) == {"project": None}


async def test_a_member_is_a_node_of_its_project(platform: Platform) -> None:
    await add(platform, "blog", "ada", email="ada@example.com")
    (member,) = await listed(platform, "blog", KEEPER)
    found = await platform.ask(NODE, ADA, id=member["id"])
    assert found["node"] == {"subject": "ada", "role": "MEMBER"}
    assert await platform.ask(NODE, RIVAL, id=member["id"]) == {"node": None}


async def test_only_managers_see_addresses(platform: Platform) -> None:
    await add(platform, "blog", "ada", email="ada@example.com")
    (member,) = await listed(platform, "blog", KEEPER)
    document = NODE.replace("role", "email")
    for viewer, email in ((ADA, None), (KEEPER, "ada@example.com"), (ADMIN, "ada@example.com")):
        found = await platform.ask(document, viewer, id=member["id"])
        assert found == {"node": {"subject": "ada", "email": email}}


async def test_members_of_many_projects_are_one_statement(platform: Platform) -> None:
    document = "{ projects { nodes { members { subject email } } } }"
    await platform.ask(document, KEEPER)
    assert platform.statements.count("members_of_projects") == 1


async def test_a_subject_is_found_only_in_its_project(platform: Platform) -> None:
    await add(platform, "shop", "grace")
    ids = await platform.services.dictionaries.project_ids(["shop", "blog"])
    context = await Context.create(platform.services, ADA, "request-1")
    found = await member_of(context, ids["shop"], "grace")
    assert found is not None
    assert found.subject == "grace"
    assert await member_of(context, ids["blog"], "grace") is None
    stranger = await Context.create(platform.services, RIVAL, "request-1")
    assert await member_of(stranger, ids["shop"], "grace") is None


async def test_a_project_has_a_most_of_members(
    platform: Platform, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MEMBERS_AT_MOST", 2)
    for subject in ("ada", "grace"):
        assert (await add(platform, slug, subject))["userErrors"] == []
    (error,) = (await add(platform, slug, "eve"))["userErrors"]
    assert (error["field"], error["code"]) == (None, "TOO_MANY")
    assert (await add(platform, slug, "ada", role="OWNER"))["userErrors"] == []
    assert [each["subject"] for each in await listed(platform, slug)] == ["ada", "grace"]


async def test_the_database_keeps_members_to_the_scope(platform: Platform, slug: str) -> None:
    await add(platform, slug, "ada")
    ids = await platform.services.dictionaries.project_ids([slug, "rival"])
    database, wanted = platform.services.database, [ids[slug]]
    assert (await of_projects(database, Scope.everything(), wanted))[ids[slug]]
    assert not (await of_projects(database, Scope.of([ids["rival"]]), wanted))[ids[slug]]
