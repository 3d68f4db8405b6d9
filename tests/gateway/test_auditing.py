"""The audit log: every mutation, every use of a token and every crash, and nothing secret."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import strawberry

from access.token_uses import COUNTED_SECONDS, TokenUse, TokenUses
from access.viewers import Role
from resolvers.recording_audit import _bounded, _shown
from schema import schema
from schema.internals import core
from storage.admin import audit
from storage.admin.audit import AuditRecord
from storage.connections.database import Database
from storage.keeping.retention import enforce
from storage.keeping.windows import Retention
from storage.names import MAX_NAME_LENGTH
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import token

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LOG = """query($f: AuditFilter, $n: Int, $a: String) { auditLog(filter: $f, first: $n, after: $a) {
  nodes { recordedAt subject tokenId action target outcome times requestId address details }
  totalCount pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(own_database_url, pool_size=3)
    yield opened
    await opened.close()


@pytest.fixture
async def client(own_database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(own_database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as opened:
        yield opened


async def send(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = answer.json()
    return body


async def entries(client: httpx.AsyncClient, **filter: Any) -> list[dict[str, Any]]:
    body = await send(client, LOG, f=filter, n=100)
    nodes: list[dict[str, Any]] = body["data"]["auditLog"]["nodes"]
    return nodes


def upsert(slug: str) -> str:
    return f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ project {{ slug }} }} }}'


async def test_mutation_leaves_one_entry_that_tells_who_what_and_how(
    client: httpx.AsyncClient,
) -> None:
    slug = f"audited-{uuid4().hex[:8]}"
    answer = await client.post("/graphql", json={"query": upsert(slug)})
    (entry,) = await entries(client, target=slug)
    assert entry["action"] == "mutation.upsertProject"
    assert (entry["subject"], entry["outcome"], entry["times"]) == ("ada", "ok", 1)
    assert entry["requestId"] == answer.headers["x-request-id"]
    assert entry["address"] == "127.0.0.1"
    assert entry["details"]["input"]["slug"] == slug


async def test_refusals_of_every_kind_are_audited(client: httpx.AsyncClient) -> None:
    bad = await send(client, upsert(f"refused-{'x' * MAX_NAME_LENGTH}"))
    assert bad["data"]["upsertProject"]["project"] is None
    (entry,) = await entries(client, target=f"refused-{'x' * MAX_NAME_LENGTH}")
    assert entry["outcome"] == "TOO_LONG"
    query = {"query": upsert("forbidden-slug")}
    answer = await client.post("/graphql", json=query, headers=as_role(Role.VIEWER))
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    (entry,) = await entries(client, target="forbidden-slug")
    assert entry["outcome"] == "FORBIDDEN"


def test_every_mutation_of_the_schema_is_wrapped() -> None:
    mutations = core(schema).mutation_type
    assert mutations is not None
    names = {name: field.resolve for name, field in mutations.fields.items()}
    assert names
    for name, resolve in names.items():
        assert resolve is not None
        assert resolve.__module__ == "resolvers.recording_audit", name


async def test_several_mutations_of_a_document_have_an_entry_each(
    client: httpx.AsyncClient,
) -> None:
    slugs = [f"several-{uuid4().hex[:8]}" for _ in range(3)]
    fields = " ".join(
        f'm{number}: upsertProject(input: {{slug: "{slug}"}}) {{ userErrors {{ code }} }}'
        for number, slug in enumerate(slugs)
    )
    await send(client, f"mutation {{ {fields} }}")
    for slug in slugs:
        assert len(await entries(client, target=slug)) == 1


async def test_events_are_counted_and_not_copied(client: httpx.AsyncClient) -> None:
    mutation = """mutation($e: [EventInput!]!) {
      recordEvents(input: {events: $e}) { results { status } } }"""
    event = {"type": "QUEUED", "project": "events", "error": "secret words"}
    given = [{"deployment": {**event, "deployment": f"d{number}"}} for number in range(5)]
    await send(client, mutation, e=given)
    (entry,) = await entries(client, action="mutation.recordEvents")
    assert entry["details"] == {"events": 5, "accepted": 5}
    assert "secret words" not in str(entry)


async def test_mutation_without_its_entry_is_not_done(
    own_database_url: str, redis_url: str
) -> None:
    settings = settings_for(own_database_url, redis_url)
    connection = await asyncpg.connect(own_database_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        await connection.execute("alter table audit_log rename to audit_log_away")
        body = await send(client, upsert("never-made"))
        assert body["errors"]
        found = "select count(*) from projects where slug = 'never-made'"
        assert await connection.fetchval(found) == 0
        await connection.execute("alter table audit_log_away rename to audit_log")
    await connection.close()


async def test_only_admins_read_the_log(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": LOG}, headers=as_role(Role.MAINTAINER))
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_pages_go_through_all_entries_once(client: httpx.AsyncClient) -> None:
    for number in range(7):
        await send(client, upsert(f"paged-{number}"))
    seen: list[str] = []
    after: str | None = None
    while True:
        filter = {"action": "mutation.upsertProject"}
        found = (await send(client, LOG, f=filter, n=3, a=after))["data"]["auditLog"]
        seen += [node["target"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert found["totalCount"] == 7
    assert seen == [f"paged-{number}" for number in reversed(range(7))]


async def test_uses_of_tokens_are_gathered(own_database_url: str, redis_url: str) -> None:
    settings = settings_for(own_database_url, redis_url)
    subject = f"user-{uuid4().hex[:8]}"
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        own = {"authorization": f"Bearer {token(Role.VIEWER, subject=subject)}"}
        for _ in range(20):
            await client.post("/graphql", json={"query": "{ networks { name } }"}, headers=own)
        for _ in range(50):
            wrong = {"authorization": f"Bearer nonsense-{uuid4().hex}"}
            await client.post("/graphql", json={"query": "{ networks { name } }"}, headers=wrong)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        used = await entries(client, subject=subject)
        assert sum(entry["times"] for entry in used) == 20
        assert len(used) <= 2
        assert {(entry["action"], entry["outcome"]) for entry in used} == {("token.used", "ok")}
        refused = await entries(client, action="token.refused")
        assert sum(entry["times"] for entry in refused) == 50
        assert len(refused) <= 2
        assert {entry["outcome"] for entry in refused} == {"UNAUTHENTICATED"}
        assert "nonsense" not in str(refused)


async def test_crash_is_kept_with_who_where_and_what(own_database_url: str, redis_url: str) -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def crash(self) -> str | None:
            raise RuntimeError("password=hunter2")

    settings = settings_for(own_database_url, redis_url)
    crashing = strawberry.Schema(query=Query)
    async with running(settings, crashing, **as_role(Role.ADMIN)) as client:
        body = await send(client, "query Crashing { crash }")
        request_id = body["errors"][0]["extensions"]["requestId"]
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        (entry,) = await entries(client, action="request.crashed")
        assert (entry["subject"], entry["address"]) == ("ada", "127.0.0.1")
        assert (entry["target"], entry["requestId"]) == ("POST /graphql", request_id)
        (error,) = entry["details"]["errors"]
        assert (error["type"], entry["details"]["operation"]) == ("RuntimeError", "Crashing")
        assert error["trace"][-1].startswith("tests.gateway.test_auditing.crash:")
        assert "hunter2" not in str(entry)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_uses_wait_while_the_database_is_away_and_are_bounded(database: Database) -> None:
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    lost: list[int] = []
    uses = TokenUses(away, lambda: NOW, Clock(), lost.append)
    for number in range(10_005):
        uses.used(TokenUse(subject=f"s{number}", action="token.used"))
    await uses.flush()
    assert sum(lost) == 5
    uses._database = database
    await uses.flush()
    found = "select count(*) from audit_log"
    async with database.connection() as connection:
        assert await connection.fetchval(found) == 10_000
    await away.close()


async def test_a_minute_of_uses_is_one_entry_after_the_first(database: Database) -> None:
    clock = Clock()
    uses = TokenUses(database, lambda: NOW, clock)
    use = TokenUse(subject="ada", action="token.used")
    for _ in range(3):
        for _ in range(10):
            uses.used(use)
        await uses.flush()
        clock.now += 1
    clock.now += COUNTED_SECONDS
    await uses.flush()
    async with database.connection() as connection:
        rows = await connection.fetch("select times from audit_log order by entry_id")
    assert [row["times"] for row in rows] == [10, 20]


async def test_old_entries_go_and_others_stay(database: Database) -> None:
    async with database.connection() as connection:
        for days in (1, 20, 40):
            await audit.add(
                connection, [AuditRecord(subject="ada", action="x")], NOW - timedelta(days=days)
            )
    await enforce(database, Retention(audit_days=30), NOW, holder="test")
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from audit_log") == 2


def test_secrets_and_oversized_details_are_left_out() -> None:
    shown = _shown({"input": {"name": "x", "tokenSecret": "s3cret", "apiKey": "k", "n": [1, 2.5]}})
    assert shown == {"input": {"name": "x", "tokenSecret": "…", "apiKey": "…", "n": [1, 2.5]}}
    assert _bounded({"a": "x" * 5000})["truncated"] is True
    assert _bounded({"a": 2**70}) == {"unreadable": True}
    assert audit.fitting({"a": "nul\0 and \ud800"}) == {"a": "nul and ?"}
    for secret in ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "amqp://user:hunter2@queue/one"):
        assert _shown([f"see {secret}"])[0] in ("see …", "see amqp://…@queue/one")


async def test_stopping_writes_what_was_gathered(database: Database) -> None:
    uses = TokenUses(database, lambda: NOW)
    uses.start()
    uses.used(TokenUse(subject="last", action="token.used"))
    await asyncio.sleep(0)
    await uses.stop()

    async def is_there() -> bool:
        async with database.connection() as connection:
            found = "select count(*) from audit_log where subject = 'last'"
            return bool(await connection.fetchval(found) == 1)

    await eventually(is_there)
