"""The audit log under attack: nothing slips past it, floods it, stops it or is hurt by it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, is_list_type

from access.token_uses import COUNTED_SECONDS, MAX_REFUSED_KINDS, TokenUse, TokenUses
from access.viewers import GRANTS, Role
from schema import schema
from schema.declarations import declared
from schema.internals import core
from storage.admin.audit import AuditRecord
from storage.connections.database import Database
from storage.errors import Unavailable
from storage.names import MAX_NAME_LENGTH
from storage.queries.paging import TableList
from tests.crawl.documents import needed_fields
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.edge import token
from tests.servers import Databases

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def connection(own_database_url: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(own_database_url)
    yield opened
    await opened.close()


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


@pytest.fixture(scope="module")
def shared_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def gateway(shared_url: str, redis_url: str) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """A gateway for many tests, and a connection to its database."""
    opened = await asyncpg.connect(shared_url)
    settings = settings_for(shared_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        yield client, opened
    await opened.close()


@pytest.fixture
async def fresh_log(gateway: tuple[httpx.AsyncClient, Any]) -> tuple[httpx.AsyncClient, Any]:
    """The gateway for many tests, whose log has no entry yet."""
    _, opened = gateway
    await opened.execute("truncate audit_log")
    return gateway


async def send(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = answer.json()
    return body


async def logged(connection: Any, action: str) -> list[Any]:
    found = "select * from audit_log where action like $1 order by entry_id"
    return list(await connection.fetch(found, action))


def mutation_names() -> list[str]:
    mutations = core(schema).mutation_type
    assert mutations is not None
    return sorted(mutations.fields)


def document(name: str) -> tuple[str, dict[str, Any]]:
    """A valid document with this mutation, with values that fit their types and nothing else."""
    mutations = core(schema).mutation_type
    assert mutations is not None
    field = mutations.fields[name]
    wanted = ", ".join(f"${arg}: {kind.type}" for arg, kind in field.args.items())
    given = ", ".join(f"{arg}: ${arg}" for arg in field.args)
    head = f"mutation({wanted})" if wanted else "mutation"
    text = f"{head} {{ {name}{f'({given})' if given else ''} {{ __typename }} }}"
    return text, {
        arg: value_of(kind.type)
        for arg, kind in field.args.items()
        if isinstance(kind.type, GraphQLNonNull)
    }


def value_of(kind: Any) -> Any:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if is_list_type(kind):
        return [value_of(kind.of_type)]
    if isinstance(kind, GraphQLInputObjectType):
        return {name: value_of(field.type) for name, field in needed_fields(kind)}
    if hasattr(kind, "values"):
        return next(iter(kind.values))
    if kind.name == "DateTime":
        return "2026-03-01T00:00:00Z"
    if kind.name == "Duration":
        return "PT1H"
    return {"Int": 1, "Float": 1.0, "Boolean": True, "JSON": {}}.get(kind.name, "x")


def role_without(name: str) -> Role:
    """A role that may not ask for this mutation."""
    mutations = core(schema).mutation_type
    assert mutations is not None
    needed = declared(mutations.fields[name]).needs
    return next(role for role in Role if needed not in GRANTS[role])


@pytest.mark.parametrize("name", mutation_names())
async def test_each_mutation_leaves_one_entry_however_it_ends(
    fresh_log: tuple[httpx.AsyncClient, Any], name: str
) -> None:
    """Done or refused as it may be, by permission, for its variables, and after a crash."""
    client, connection = fresh_log
    text, variables = document(name)
    done = await send(client, text, **variables)
    (first,) = await logged(connection, f"mutation.{name}")
    assert first["outcome"] != "begun", done
    assert first["subject"] == "ada"

    weak = {"authorization": f"Bearer {token(role_without(name), subject='weak')}"}
    query = {"query": text, "variables": variables}
    await client.post("/graphql", json=query, headers=weak)
    _, second = await logged(connection, f"mutation.{name}")
    assert (second["subject"], second["outcome"]) == ("weak", "FORBIDDEN")

    await connection.execute("alter table service_tokens rename to tokens_away")
    await connection.execute("alter table projects rename to projects_away")
    await send(client, text, **variables)
    await connection.execute("alter table projects_away rename to projects")
    await connection.execute("alter table tokens_away rename to service_tokens")
    assert len(await logged(connection, f"mutation.{name}")) == 3


@pytest.mark.parametrize("name", [name for name in mutation_names() if document(name)[1]])
async def test_each_mutation_with_refused_variables_leaves_one_entry(
    shared_url: str, redis_url: str, fresh_log: tuple[httpx.AsyncClient, Any], name: str
) -> None:
    text, variables = document(name)
    settings = settings_for(shared_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        body = await send(client, text, **dict.fromkeys(variables))
        assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    (entry,) = await logged(fresh_log[1], f"mutation.{name}")
    assert (entry["outcome"], entry["subject"]) == ("BAD_USER_INPUT", "ada")


async def test_argument_refused_while_executing_leaves_one_entry(
    own_database_url: str, redis_url: str, connection: Any
) -> None:
    text = """mutation($s: String = "a") {
      good: upsertProject(input: {slug: "good"}) { __typename }
      bad: upsertProject(input: {slug: $s}) { __typename } }"""
    settings = settings_for(own_database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        await send(client, text, s=None)
    found = await logged(connection, "mutation.upsertProject")
    assert sorted(entry["outcome"] for entry in found) == ["BAD_USER_INPUT", "ok"]


async def test_change_and_its_outcome_are_committed_together(
    client: httpx.AsyncClient, connection: Any
) -> None:
    """Where the change cannot be committed the entry does not say ok, and the other way round."""
    await connection.execute(
        """create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no'; end $$"""
    )
    await connection.execute(
        "create trigger refuse before update on audit_log for each row execute function refuse()"
    )
    await send(client, 'mutation { upsertProject(input: {slug: "both"}) { __typename } }')
    (entry,) = await logged(connection, "mutation.upsertProject")
    assert entry["outcome"] == "begun"
    assert not await connection.fetchval("select count(*) from projects where slug = 'both'")


async def test_change_whose_answer_fails_is_told_as_made(
    client: httpx.AsyncClient, connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: Any) -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(TableList, "with_values", fail)
    body = await send(client, 'mutation { upsertProject(input: {slug: "made"}) { __typename } }')
    assert body["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    (entry,) = await logged(connection, "mutation.upsertProject")
    assert entry["outcome"] == "ok"
    assert '"answer": "UNAVAILABLE"' in entry["details"]
    assert await connection.fetchval("select count(*) from projects where slug = 'made'") == 1


TOO_LONG = "x" * MAX_NAME_LENGTH


async def test_mutations_at_once_keep_their_entries_apart(
    client: httpx.AsyncClient, connection: Any
) -> None:
    slugs = [f"{TOO_LONG if number % 3 == 0 else 'good-'}{number}" for number in range(30)]
    upsert = 'mutation {{ upsertProject(input: {{slug: "{}"}}) {{ __typename }} }}'
    await asyncio.gather(*(send(client, upsert.format(slug)) for slug in slugs))
    found = await logged(connection, "mutation.upsertProject")
    told = {entry["target"]: entry["outcome"] for entry in found}
    assert len(found) == 30
    assert told == {slug: "TOO_LONG" if slug.startswith(TOO_LONG) else "ok" for slug in slugs}


async def test_a_flood_of_refused_tokens_is_few_entries_with_reasons_and_no_tokens(
    own_database_url: str, redis_url: str, connection: Any
) -> None:
    settings = settings_for(own_database_url, redis_url)
    stale = f"Bearer {token(lifetime_seconds=-60)}"
    async with running(settings) as client:
        for number in range(1000):
            given = stale if number % 2 else f"Bearer wrong-{uuid4().hex}"
            await client.post("/graphql", content=b"{}", headers={"authorization": given})
    refused = await logged(connection, "token.refused")
    assert sum(entry["times"] for entry in refused) == 1000
    assert len(refused) <= 6
    assert len({entry["details"] for entry in refused}) == 2
    assert "wrong-" not in str(refused)
    assert stale[-20:] not in str(refused)


async def test_queries_and_events_of_a_token_have_entries_of_their_own(
    own_database_url: str, redis_url: str, connection: Any
) -> None:
    settings = settings_for(own_database_url, redis_url)
    events = [
        {
            "type": "deployment.queued",
            "project": "counted",
            "deployment": f"d{number}",
            "id": f"e{number}",
            "time": datetime.now(UTC).isoformat(),
        }
        for number in range(7)
    ]
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        await send(client, "{ networks { name } }")
        await client.post("/v1/events", json=events)
    used = {entry["target"]: entry for entry in await logged(connection, "token.used")}
    assert set(used) == {"/graphql", "/v1/events"}
    assert '"events": 7' in used["/v1/events"]["details"]


async def test_what_is_no_matter_of_tokens_is_not_entered(
    own_database_url: str, redis_url: str, connection: Any
) -> None:
    settings = settings_for(own_database_url, redis_url, allowed_hosts="only.example.com")
    async with running(settings) as client:
        answer = await client.post("/graphql", json={"query": "{ __typename }"})
        assert answer.status_code == 421
        await client.get("/health")
    assert await logged(connection, "%") == []


async def test_what_no_table_can_hold_does_not_stop_the_log(database: Database) -> None:
    uses = TokenUses(database, lambda: NOW)
    uses.used(TokenUse(subject="nul\0 and \ud800", action="token.used", reason="\0"))
    uses.used(TokenUse(subject="plain", action="token.used"))
    await uses.flush()
    async with database.connection() as connection:
        found = await connection.fetch("select subject from audit_log order by subject")
    assert [row["subject"] for row in found] == ["nul and ?", "plain"]


async def test_what_cannot_be_written_at_all_is_counted_and_the_rest_goes_on(
    database: Database,
) -> None:
    lost: list[int] = []
    uses = TokenUses(database, lambda: NOW, on_lost=lost.append)
    uses.used(TokenUse(subject="unwritable", action="token.used", reason=object()))  # type: ignore[arg-type]
    await uses.flush()
    uses.used(TokenUse(subject="later", action="token.used"))
    await uses.flush()
    async with database.connection() as connection:
        assert [row[0] for row in await connection.fetch("select subject from audit_log")] == [
            "later"
        ]
    assert sum(lost) == 1


async def test_strangers_from_everywhere_take_no_room_from_the_known(database: Database) -> None:
    uses = TokenUses(database, lambda: NOW)
    for number in range(20_000):
        uses.refused(TokenUse(subject="", action="token.refused", address=f"10.0.{number}"))
    uses.used(TokenUse(subject="known", action="token.used"))
    await uses.flush()
    async with database.connection() as connection:
        counted = "select count(*), sum(times) from audit_log where action = 'token.refused'"
        rows, times = await connection.fetchrow(counted)
        known = "select count(*) from audit_log where subject = 'known'"
        assert await connection.fetchval(known) == 1
    assert (rows, times) == (MAX_REFUSED_KINDS + 1, 20_000)


async def test_what_came_while_the_database_was_away_is_written_once(database: Database) -> None:
    now = 0.0
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    uses = TokenUses(away, lambda: NOW, lambda: now)
    for _ in range(3):
        uses.used(TokenUse(subject="patient", action="token.used"), events=2)
        uses.add(AuditRecord(subject="patient", action="request.crashed"))
        await uses.flush()
        now += COUNTED_SECONDS
    uses._database = database
    await uses.flush()
    await uses.flush(everything=True)
    async with database.connection() as connection:
        found = await connection.fetch("select action, times, details from audit_log")
    await away.close()
    crashes = [row for row in found if row["action"] == "request.crashed"]
    (used,) = [row for row in found if row["action"] == "token.used"]
    assert len(crashes) == 3
    assert (used["times"], used["details"]) == (3, {"events": 6})


async def test_stopping_without_a_database_ends_soon_and_tells_what_is_lost() -> None:
    lost: list[int] = []
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    uses = TokenUses(away, lambda: NOW, on_lost=lost.append)
    uses.start()
    uses.used(TokenUse(subject="late", action="token.used"))
    async with asyncio.timeout(5):
        await uses.stop()
    await away.close()
    assert lost == [1]
