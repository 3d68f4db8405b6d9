"""Addresses of members are in one table, and nowhere else: no log line, audit entry or answer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from structlog.testing import capture_logs

from access.viewers import Role
from tests.gateway.application import (
    AppClient,
    as_role,
    eventually,
    running,
    settings_for,
    tables_with,
)
from tests.gateway.graphql.edge import PARTY, SECRET

ADMIN = Role.ADMIN
UPSERT = """mutation($input: MemberInput!) { upsertMember(input: $input) {
  member { subject role source } userErrors { field message } } }"""
MEMBERS = """query($slug: String!) { project(slug: $slug) {
  slug members { subject role source } } }"""


def claiming(subject: str, project: str, **claims: Any) -> dict[str, str]:
    """The headers of a token with more claims than the gateway's own."""
    token = {
        "sub": subject,
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "iss": PARTY,
        "aud": PARTY,
        "roles": ["viewer"],
        "projects": [project],
        **claims,
    }
    return {"authorization": f"Bearer {jwt.encode(token, SECRET, algorithm='HS256')}"}


async def ask(
    client: AppClient, document: str, headers: dict[str, str], **variables: Any
) -> dict[str, Any]:
    request = {"query": document, "variables": variables}
    answer: dict[str, Any] = (await client.post("/graphql", json=request, headers=headers)).json()
    return answer


async def make_project(client: AppClient, slug: str) -> None:
    document = "mutation($s: String!) { upsertProject(input: {slug: $s}) { __typename } }"
    assert "errors" not in await ask(client, document, as_role(ADMIN), s=slug)


async def test_a_tokens_first_request_makes_its_subject_a_member(
    own_database_url: str, redis_url: str
) -> None:
    async with running(settings_for(own_database_url, redis_url)) as client:
        await make_project(client, "shop")
        headers = claiming("grace", "shop", email="g@example.com", project_roles={"shop": "owner"})
        assert "errors" not in await ask(client, "{ viewer { subject } }", headers)
        expected = [{"subject": "grace", "role": "OWNER", "source": "TOKEN"}]

        async def is_listed() -> bool:
            answer = await ask(client, MEMBERS, as_role(ADMIN), slug="shop")
            return bool(answer["data"]["project"]["members"] == expected)

        await eventually(is_listed, seconds=20)


async def test_a_service_token_is_no_member(own_database_url: str, redis_url: str) -> None:
    async with running(settings_for(own_database_url, redis_url)) as client:
        await make_project(client, "shop")
        create = """mutation { createServiceToken(input: {
            name: "ci", roles: [VIEWER], projects: ["shop"]}) { token } }"""
        token = (await ask(client, create, as_role(ADMIN)))["data"]["createServiceToken"]["token"]
        answer = await ask(client, "{ viewer { subject } }", {"authorization": f"Bearer {token}"})
        assert "errors" not in answer
    assert "project_members" not in await tables_with(own_database_url, "")


async def test_addresses_are_in_one_table_and_nowhere_else(
    own_database_url: str, redis_url: str
) -> None:
    name = f"canary-{uuid4().hex}"
    address, admin = f"{name}@example.com", as_role(ADMIN)
    given = {"project": "shop", "subject": "ada", "email": address}
    settings = settings_for(own_database_url, redis_url)
    with capture_logs() as logs:
        async with running(settings) as client:
            await make_project(client, "shop")
            answers = [
                await ask(client, UPSERT, admin, input=given),
                await ask(client, UPSERT, admin, input=given | {"email": f"{address}@"}),
                await ask(client, UPSERT, admin, input=given | {"project": "none"}),
                await ask(client, UPSERT, as_role(Role.VIEWER), input=given),
                await ask(client, MEMBERS, claiming("grace", "shop", email=address), slug="shop"),
                await ask(client, MEMBERS, admin, slug="shop"),
                await ask(client, "{ auditLog { nodes { subject target details } } }", admin),
                await ask(client, MEMBERS, claiming("eve", "shop", email=address, exp=0)),
            ]
            # GraphQL repeats an input that does not fit the schema, but only to its own sender.
            await ask(client, UPSERT, admin, input=given | {"unknown": 1})
    assert name not in str(answers)
    assert name not in str(logs)
    assert {line["subject"] for line in logs if "subject" in line} == {"ada", "grace"}
    assert "audit_log" in await tables_with(own_database_url, "mutation.upsertMember")
    assert await tables_with(own_database_url, name) == ["project_members"]
